"""Learners: the same bytes on any number of threads, nothing learned from what may not be looked at, text on disk."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.models.learners import (
    BaseRate,
    BestCount,
    CurrentPractice,
    ExplainableBoosting,
    LightGBM,
    Logistic,
    PointsScore,
    Stack,
    fitted,
    learner_from_document,
    load_fitted,
)

NAMES = ("arrests", "injuries", "level", "constant")
EVERY = (
    LightGBM(seed=3, rounds=15),
    LightGBM(seed=3, rounds=15, monotone={"arrests": 1}),
    Logistic(),
    PointsScore(),
    BaseRate(),
    BestCount(),
    BestCount(among=("injuries",)),
    CurrentPractice("arrests"),
    ExplainableBoosting(seed=3, bags=2, bins=16),
    Stack((LightGBM(seed=3, rounds=15), Logistic(), PointsScore())),
)


def drawn(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    X = np.stack([generator.poisson(0.7, n), generator.poisson(0.5, n), generator.normal(size=n), np.ones(n)], 1)
    X = X.astype(np.float32)
    p = 1 / (1 + np.exp(-(-2 + 0.8 * X[:, 0] + 0.4 * X[:, 1] + 0.5 * X[:, 2])))
    X[generator.random(n) < 0.1, 2] = np.nan
    return X, (generator.random(n) < p).astype(float)


@pytest.mark.parametrize("learner", EVERY, ids=lambda learner: learner.kind)
def test_threads_do_not_change_a_byte(learner):
    X, y = drawn()
    one, two = (fitted(learner, X, y, NAMES, threads) for threads in (1, 2))
    assert json.dumps(one.document()) == json.dumps(two.document())
    assert dict(one.files()) == dict(two.files())
    assert one.predict(X).tobytes() == two.predict(X).tobytes()


@pytest.mark.parametrize("learner", EVERY, ids=lambda learner: learner.kind)
def test_what_was_learned_is_text_and_reads_back_to_the_same_bits(learner, tmp_path):
    X, y = drawn(800)
    made = fitted(learner, X, y, NAMES)
    made.save(tmp_path / "first")
    again = load_fitted(tmp_path / "first")
    again.save(tmp_path / "second")
    for path in sorted((tmp_path / "first").iterdir()):
        path.read_text(encoding="utf-8")
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    assert again.predict(X).tobytes() == made.predict(X).tobytes()
    assert ((made.predict(X) > 0) & (made.predict(X) < 1)).all()


@pytest.mark.parametrize("learner", EVERY, ids=lambda learner: learner.kind)
def test_settings_come_back_from_their_document(learner):
    again = learner_from_document(json.loads(json.dumps(learner.document())))
    assert again == learner
    assert again.document() == learner.document()


def test_no_number_of_threads_is_left_in_the_trees():
    X, y = drawn(500)
    text = fitted(LightGBM(rounds=2), X, y, NAMES, 2).files()["booster.txt"]
    assert re.findall(r"\[num_threads: (-?\d+)\]", text) == ["0"]


def test_trees_obey_the_declared_direction():
    X, y = drawn()
    made = fitted(LightGBM(seed=1, monotone={"arrests": 1}), X, y, NAMES)
    rows = np.repeat(X[:200], 6, axis=0)
    rows[:, 0] = np.tile(np.arange(6), 200)
    assert (np.diff(made.predict(rows).reshape(200, 6), axis=1) >= -1e-12).all()
    with pytest.raises(DeclarationError, match="convictions"):
        fitted(LightGBM(monotone={"convictions": 1}), X, y, NAMES)


def test_rare_outcomes_keep_their_level():
    generator = np.random.default_rng(8)
    X = generator.poisson(0.5, (20_000, 4)).astype(np.float32)
    y = (generator.random(20_000) < 0.01 * (1 + X[:, 0])).astype(float)
    assert fitted(LightGBM(), X, y, NAMES).predict(X).mean() == pytest.approx(y.mean(), rel=0.05)


def test_the_logistic_is_the_one_of_scikit_learn():
    X, y = drawn()
    X = X[:, :2]
    standard = (X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)
    other = LogisticRegression(C=1 / 3.0, solver="newton-cholesky", tol=1e-12).fit(standard, y)
    made = fitted(Logistic(penalty=3.0), X, y, NAMES[:2])
    assert made.predict(X) == pytest.approx(other.predict_proba(standard)[:, 1], abs=1e-7)
    assert made.converged


def test_the_logistic_learns_medians_and_marks_from_the_rows_that_teach():
    X, y = drawn()
    made = fitted(Logistic(), X, y, NAMES)
    assert made.marked == (2,)
    assert made.medians[2] == pytest.approx(float(np.nanmedian(X[:, 2])), rel=5e-3)  # to three digits: it is somebody's
    assert made.slopes[3] == 0  # a constant says nothing
    full = X[~np.isnan(X[:, 2])]
    never_missing = fitted(Logistic(), full, y[~np.isnan(X[:, 2])], NAMES)
    assert never_missing.marked == ()
    lost = full[:1].copy()
    lost[0, 2] = np.nan
    at_median = full[:1].copy()
    at_median[0, 2] = never_missing.medians[2]
    assert never_missing.predict(lost)[0] == pytest.approx(never_missing.predict(at_median)[0], abs=1e-6)


def test_perfect_separation_ends():
    X = np.arange(40, dtype=np.float32)[:, None]
    y = (X[:, 0] >= 20).astype(float)
    made = fitted(Logistic(penalty=0.01), X, y, ("x",))
    assert made.converged
    assert ((made.predict(X) > 0.5) == (y == 1)).all()


def test_the_best_count_is_a_count_and_the_best():
    X, y = drawn()
    assert fitted(BestCount(), X, y, NAMES).chosen == "arrests"  # level orders well, too, but counts nothing
    assert fitted(BestCount(among=("injuries", "constant")), X, y, NAMES).chosen == "injuries"
    with pytest.raises(DataRefused, match="none of which is a count"):
        fitted(BestCount(), X[:, 2:3], y, ("level",))


def test_the_best_count_as_a_probability_by_hand():
    # Five times 0 0 0 0 1 1: 5 of 20 and 5 of 10 positive -> .25 and .5, nothing to pool, nothing at 0 or 1.
    X = np.repeat(np.array([[0], [0], [0], [0], [1], [1]], np.float32), 5, axis=0)
    made = fitted(BestCount(), X, np.repeat([1.0, 0, 0, 0, 1, 0], 5), ("n",))
    assert made.predict(np.array([[0], [1], [7]], np.float32)).tolist() == [0.25, 0.5, 0.5]


def test_a_missing_score_has_a_rate_of_its_own():
    # Ten rows without a score, all positive; base rate 15 of 30 -> (10 + 10 * .5) / 20 = .75
    X = np.concatenate([np.tile([1.0, 2.0], 10), np.full(10, np.nan)])[:, None].astype(np.float32)
    y = np.concatenate([np.tile([0.0, 0.5], 10) > 0.2, np.ones(10)]).astype(float)
    y[1:10:2] = 0
    made = fitted(CurrentPractice("old"), X, y, ("carried:old",))
    assert y.sum() == 15
    assert made.predict(np.array([[np.nan]], np.float32))[0] == pytest.approx(0.75)


def test_the_base_rate():
    assert fitted(BaseRate(), np.zeros((4, 1), np.float32), np.array([1.0, 0, 0, 0])).predict(
        np.zeros((2, 9), np.float32)
    ).tolist() == [0.25, 0.25]


@pytest.mark.parametrize("outcome", [np.zeros(3), np.array([0.0, 1, np.nan]), np.array([0.0, 1, 2])])
def test_outcomes_that_teach_nothing_are_refused(outcome):
    with pytest.raises(DataRefused, match="rows with and rows without the outcome"):
        fitted(Logistic(), np.zeros((3, 1), np.float32), outcome)


def test_another_number_of_columns_is_refused():
    X, y = drawn(500)
    with pytest.raises(DataRefused, match="rows by 4 features"):
        fitted(Logistic(), X, y, NAMES).predict(X[:, :3])
    with pytest.raises(DataRefused, match="one name a column"):
        fitted(Logistic(), X, y, NAMES[:3])


def test_all_faults_of_a_setting_at_once():
    with pytest.raises(DeclarationError, match="3 faults"):
        LightGBM(rounds=0, learning_rate=2, monotone={"x": 3})
    with pytest.raises(DeclarationError):
        Logistic(penalty=0)
    with pytest.raises(DeclarationError, match="one of base_rate, best_count"):
        learner_from_document({"kind": "oracle"})
    with pytest.raises(DeclarationError, match="depth"):
        learner_from_document({"kind": "lightgbm", "depth": 3})


def test_a_damaged_learner_is_refused(tmp_path):
    X, y = drawn(300)
    fitted(LightGBM(rounds=2), X, y, NAMES).save(tmp_path)
    (tmp_path / "booster.txt").unlink()
    with pytest.raises(EvidenceError, match="copy the folder again"):
        load_fitted(tmp_path)


def test_no_warning_and_no_generator_moves():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002 - the point is that nobody moved it
    X, y = drawn(400)
    for learner in EVERY:
        fitted(learner, X, y, NAMES)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002 - as above
