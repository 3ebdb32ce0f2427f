"""Attacks on a model's files: reading people's values out of them, and putting code into them."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import Duration
from riskmodel.errors import RiskmodelError
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.model_files import leaks
from riskmodel.models.comparators import BestCount, CurrentPractice
from riskmodel.models.fit import fit
from riskmodel.models.fitted import Matrix
from riskmodel.models.learners import (
    ExplainableBoosting,
    Learner,
    LightGBM,
    Logistic,
    PointsScore,
    Stack,
    fitted,
    load_fitted,
)
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.survival import DiscreteTime, SurvivalRows, fit_survival
from riskmodel.seeds import stream

NAMES = ("arrears", "income", "offences", "carried:score")
RICHEST, WORST = 8_123_456.5, 8_457
"""One person's arrears and another's offences: the largest of all."""
TREES = LightGBM(rounds=40, leaves=8)
LEARNERS: tuple[Learner, ...] = (
    TREES,
    ExplainableBoosting(bags=2, bins=32),
    Logistic(),
    PointsScore(),
    Stack((TREES, Logistic(), PointsScore())),
    BestCount(("offences",)),
    CurrentPractice("score"),
)


def people(n: int = 900) -> tuple[Matrix, Numbers]:
    """Money to the penny, a few offences, an old score; each person's values are nobody else's."""
    rng = stream(11, "model files")
    X = np.column_stack(
        [rng.lognormal(6, 1.2, n), rng.normal(20_000, 6_000, n), rng.poisson(1.0, n), rng.normal(0, 1, n)]
    ).astype(np.float32)
    X[::7, 1] = np.nan
    X[3, 0], X[5, 2] = RICHEST, WORST
    odds = 0.5 * np.log(X[:, 0]) - 3.5 + 0.6 * np.minimum(X[:, 2], 5) + X[:, 3]
    outcome = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    outcome[[3, 5]] = 1  # both stand out, and are worth an item of their own
    return X, outcome


def numbers(text: str) -> set[str]:
    """Every number of a file, to nine digits: as close as two people's values never are by chance."""
    return {f"{float(word):.9g}" for word in re.findall(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?", text)}


def values_of(X: Matrix) -> set[str]:
    """What the attacker looks for: each value with decimals, and the middle of each two neighbours."""
    found: set[str] = set()
    for column in (0, 1, 3):
        known = np.unique(X[~np.isnan(X[:, column]), column]).astype(np.float64)
        found |= {f"{value:.9g}" for value in (*known, *((known[1:] + known[:-1]) / 2))}
    return found | {f"{value:.9g}" for value in (RICHEST, WORST, (WORST + np.sort(X[:, 2])[-2]) / 2)}


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.kind)
def test_attack_reading_anybodys_value_out_of_a_saved_learner(learner: Learner, tmp_path: Path) -> None:
    X, outcome = people()
    columns = [place for place, name in enumerate(NAMES) if learner.inputs is None or name in learner.inputs]
    names = tuple(NAMES[place] for place in columns)
    made = fitted(learner, np.ascontiguousarray(X[:, columns]), outcome, names)
    made.save(tmp_path)
    held = numbers("\n".join(path.read_text() for path in tmp_path.iterdir()))
    assert len(held) > 5
    assert not held & values_of(X)
    assert leaks(tmp_path) == ()


def test_the_attack_works_on_trees_as_the_library_writes_them() -> None:
    import lightgbm

    X, outcome = people()
    data = lightgbm.Dataset(X, outcome)
    text = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 40).model_to_string()
    assert len(numbers(text) & values_of(X)) > 50
    assert f"{RICHEST:.9g}" in numbers(text)


def test_attack_reading_anybodys_value_out_of_a_survival_model() -> None:
    X, outcome = people()
    rng = stream(2, "survival")
    days = np.floor(rng.uniform(1, 700, len(X)))
    rows = SurvivalRows(X[:, :3], NAMES[:3], days, outcome.astype(np.int64), np.arange(len(X)))
    made = fit_survival(rows, DiscreteTime(TREES))
    held = numbers(json.dumps(made.document()))
    assert len(held) > 50
    assert not held & values_of(X)


def test_attack_reading_a_persons_score_and_outcome_out_of_a_saved_model(tmp_path: Path) -> None:
    """The calibration and the bands of similar cases: no number in them is anybody's probability or one row's."""
    X, outcome = people()
    quarters = np.datetime64("2019-01-01", "us") + np.arange(6) * np.timedelta64(91, "D")
    table = {name: X[:, place] for place, name in enumerate(NAMES[:3])}
    ids = {"entity_id": np.arange(len(X)), "as_of": quarters[np.arange(len(X)) % 6], "outcome": outcome.astype(np.int8)}
    training = TrainingSet.of(pa.table({**ids, **table}), horizon=Duration(days=60))
    model = fit(training, TREES, comparators=(), replicates=100, capacity=(0.1,))
    model.without_rows().save(tmp_path)
    held = numbers((tmp_path / "model.json").read_text())
    scored = np.concatenate(
        [model.evaluation.predictions["p"].to_numpy(), model.score(X[:, :3]), model.predict(X[:, :3])]
    )
    own = {f"{p:.9g}" for p, count in zip(*np.unique(scored, return_counts=True), strict=True) if count < 10}
    assert len(own) > 100
    assert not held & own
    calibration = json.loads((tmp_path / "model.json").read_text())["calibration"]
    assert min(calibration["rows"]) >= 10
    assert leaks(tmp_path) == ()


# --- files that somebody else wrote --------------------------------------------------------------------------------


class Harm:
    """Runs on loading, in formats that run things."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"open({str(self.mark)!r}, 'w').close()",)


@pytest.mark.parametrize("file", ["learner.json", "model.json", "booster.txt", "evaluation.json", "roc.parquet"])
def test_attack_a_pickle_in_place_of_any_file(file: str, tmp_path: Path, saved: Path) -> None:
    mark = tmp_path / "ran"
    payload = pickle.dumps(Harm(mark))
    pickle.loads(payload)  # noqa: S301 - the attack works where pickles are loaded
    assert mark.exists()
    mark.unlink()
    (saved / file).write_bytes(payload)
    with pytest.raises(RiskmodelError):
        RiskModel.load(saved).predict(np.zeros((2, 3), np.float32))
    assert not mark.exists()
    assert any(leak.code == "pickle" for leak in leaks(saved))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "os.system"},
        {"kind": "__import__('os').system('true')"},
        {"files": ["../../../etc/passwd"]},
        {"state": {"booster": "/etc/passwd"}},
        {"names": {"__class__": "subprocess.Popen"}},
    ],
)
def test_attack_a_document_that_names_code_or_other_files(change: dict[str, object], saved: Path) -> None:
    path = saved / "learner.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RiskmodelError):
        load_fitted(saved).predict(np.zeros((2, 3), np.float32))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    X, outcome = people()
    ids = {"entity_id": np.arange(len(X)), "as_of": np.full(len(X), np.datetime64("2019-01-01", "us"))}
    as_of = {"as_of": np.datetime64("2019-01-01", "us") + (np.arange(len(X)) % 6) * np.timedelta64(91, "D")}
    columns = {name: X[:, place] for place, name in enumerate(NAMES[:3])}
    table = pa.table({**ids, **as_of, "outcome": outcome.astype(np.int8), **columns})
    training = TrainingSet.of(table, horizon=Duration(days=60))
    fit(training, LightGBM(rounds=3, leaves=4), comparators=(), replicates=100, capacity=(0.1,), calibrate=None).save(
        tmp_path / "model"
    )
    return tmp_path / "model"
