"""The attack on a model's memory: it catches one that learned by heart, and does not cry wolf."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riskmodel.dates import Duration
from riskmodel.errors import DataRefused, EvidenceError, NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.learners import BaseRate, Learner, LightGBM, Logistic
from riskmodel.models.membership import AUC, BESIDE, FILE, OWN, TPR, Membership, membership_attack, told_apart
from riskmodel.seeds import stream

BY_HEART = LightGBM(
    rounds=60, leaves=31, min_rows_per_leaf=2, min_information_per_leaf=0.01, penalty=0.1, learning_rate=0.2
)


def attacked(training: TrainingSet, learner: Learner, **how: object) -> Membership:
    return membership_attack(training, learner, models=4, replicates=100, threads=2, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_heart(quarterly: TrainingSet) -> Membership:
    return attacked(quarterly, BY_HEART, by=("sex",))


def test_attack_a_model_that_learned_by_heart_is_caught_overall_and_in_each_group(by_heart: Membership) -> None:
    assert by_heart.told == "clearly"
    for group in (("all", "all"), ("sex", "female"), ("sex", "male")):
        figure = by_heart.figure(BESIDE, AUC, *group)
        assert figure["state"] == "ok"
        assert 0.6 < figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert by_heart.figure(OWN)["low"] > 0.6
    assert by_heart.figure(BESIDE)["n"] == 400
    assert by_heart.figure(BESIDE, TPR)["low"] > 0.01


def test_a_regularised_model_is_not(quarterly: TrainingSet) -> None:
    made = attacked(quarterly, Logistic())
    assert made.told != "clearly"
    assert made.figure(BESIDE)["high"] < 0.6
    # not even a base rate is quite silent: that of the half with somebody who had the outcome is a little higher
    assert attacked(quarterly, BaseRate()).figure(BESIDE)["low"] < 0.55


def test_no_false_alarm_where_membership_has_nothing_to_do_with_the_score() -> None:
    wrong = 0
    for draw in range(60):
        rng = stream(draw, "null")
        scores, members = rng.normal(size=(1, 300)), rng.permuted(np.tile([True, False], 150))[None]
        auc, _ = told_apart(scores, members, rng.poisson(1.0, (200, 300)))
        wrong += not auc["low"] <= 0.5 <= auc["high"]
    assert wrong <= 8  # 3 expected of 60; 9 or more has a chance below 1 in 200


def test_a_rise_of_known_size_is_found_and_covered() -> None:
    # scores of members normal around 1, of others around 0: AUC = Phi(1 / sqrt 2) = .760, TPR = 1 - Phi(2.326 - 1)
    members = np.tile([True, False], 400)[None]
    covered = np.zeros(2)
    for draw in range(25):
        rng = stream(draw, "planted")
        figures = told_apart(rng.normal(size=(1, 800)) + members, members, rng.poisson(1.0, (100, 800)))
        covered += [one["low"] <= true <= one["high"] for one, true in zip(figures, (0.7602, 0.0924), strict=True)]
    assert covered.min() >= 20  # of 25; fewer has a chance below 1 in 500


def test_equal_scores_are_told_together() -> None:
    scores, members = np.zeros((1, 200)), np.tile([True, False], 100)[None]
    auc, tpr = told_apart(scores, members, np.ones((2, 200), np.int64))
    assert (auc["value"], tpr["state"]) == (0.5, "not_estimable")  # 100 outside: 1 in 100 is one person


def test_few_people_are_not_estimated(quarterly: TrainingSet) -> None:
    auc, tpr = told_apart(np.zeros((1, 60)), np.tile([True, False], 30)[None], np.ones((2, 60), np.int64))
    assert (auc["state"], tpr["state"], auc["n"]) == ("not_estimable", "not_estimable", 60)
    few = TrainingSet.of(quarterly.table.slice(0, 12 * 50), horizon=Duration(months=12, days=30))
    with pytest.raises(DataRefused, match="too-few-to-attack"):
        attacked(few, Logistic())


def test_part_of_many_people(quarterly: TrainingSet) -> None:
    made = attacked(quarterly, Logistic(), most_people=150, by=("sex",))
    assert made.figure(OWN)["n"] == made.settings["people"] == 150
    assert sum(made.figure(OWN, AUC, "sex", group)["n"] for group in ("female", "male")) == 150


def test_it_is_kept_and_altered_files_are_refused(by_heart: Membership, tmp_path: Path) -> None:
    by_heart.save(tmp_path)
    assert Membership.load(tmp_path).fingerprint == by_heart.fingerprint
    assert repr(by_heart) == "Membership(members told: clearly, 400 people)"
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace('"models": 4', '"models": 6'))
    with pytest.raises(EvidenceError, match="membership-damaged"):
        Membership.load(tmp_path)
    with pytest.raises(NotFound, match="figure-missing"):
        by_heart.figure(OWN, AUC, "sex", "unheard of")


def test_the_same_seed_gives_the_same_figures(quarterly: TrainingSet) -> None:
    one, two = (attacked(quarterly, Logistic(), seed=3) for _ in range(2))
    assert one.fingerprint == two.fingerprint
