"""The attacks on a saved model's memory: they catch one that learned by heart, and do not cry wolf."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import Duration
from riskmodel.errors import DataRefused, EvidenceError, NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import Learner, LightGBM, Logistic
from riskmodel.models.membership import AUC, BESIDE, FILE, MADE_WITHOUT, NEVER_SEEN, OWN, TPR, Membership
from riskmodel.models.membership_attack import membership_attack, told_apart
from riskmodel.models.refits import Refits, refits
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

BY_HEART = LightGBM(
    rounds=60, leaves=31, min_rows_per_leaf=2, min_information_per_leaf=0.01, penalty=0.1, learning_rate=0.2
)
HALF = 200
"""Of the 400 people of the quarterly set, those who teach; the others are people whom the model never saw."""


@dataclass(frozen=True)
class Taught:
    training: TrainingSet
    strangers: TrainingSet
    model: RiskModel
    others: Refits

    def attacked(self, **how: object) -> Membership:
        return membership_attack(self.model, self.training, refits=self.others, replicates=100, **how)  # type: ignore[arg-type]


def taught(quarterly: TrainingSet, learner: Learner) -> Taught:
    first = pa.array(quarterly.people() < np.unique(quarterly.people())[HALF])
    horizon = Duration(months=12, days=30)
    training = TrainingSet.of(quarterly.table.filter(first), horizon=horizon)
    strangers = TrainingSet.of(quarterly.table.filter(pa.compute.invert(first)), horizon=horizon)
    model = fit(training, learner, ForwardFolds(2), comparators=(), replicates=100, capacity=(0.1,), calibrate=None)
    return Taught(training, strangers, model, refits(model, training, members=10))


@pytest.fixture(scope="module")
def by_heart(quarterly: TrainingSet) -> Taught:
    return taught(quarterly, BY_HEART)


@pytest.fixture(scope="module")
def found(by_heart: Taught) -> Membership:
    return by_heart.attacked(by=("sex",), strangers=by_heart.strangers)


@pytest.fixture(scope="module")
def plain(quarterly: TrainingSet) -> Taught:
    return taught(quarterly, Logistic())


@pytest.mark.parametrize("beside", [MADE_WITHOUT, NEVER_SEEN])
def test_attack_a_model_that_learned_by_heart_is_caught_overall_and_in_each_group(
    found: Membership, beside: str
) -> None:
    assert found.told == "clearly"
    assert found.sides == (MADE_WITHOUT, NEVER_SEEN)
    for group in (("all", "all"), ("sex", "female"), ("sex", "male")):
        figure = found.figure(BESIDE, AUC, *group, beside=beside)
        assert figure["state"] == "ok"
        assert 0.6 < figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert found.figure(OWN, beside=beside)["low"] > 0.6
    # who can be attacked: those whom two of ten models never saw, .62 of 200; and the strangers, all 200 of them
    people = found.figure(BESIDE, beside=beside)["n"] - (HALF if beside == NEVER_SEEN else 0)
    assert 100 <= people == found.settings["people"] <= 150


def test_the_same_people_seen_by_other_models_stand_for_people_it_never_saw(found: Membership) -> None:
    """Where there are real strangers, both ways of asking agree as far as the people of a small test can tell."""
    for attack in (OWN, BESIDE):
        without, strangers = (found.figure(attack, beside=beside) for beside in (MADE_WITHOUT, NEVER_SEEN))
        assert abs(without["value"] - strangers["value"]) < 0.08
        assert without["low"] <= strangers["high"]
        assert strangers["low"] <= without["high"]


def test_attack_a_value_that_only_the_model_remembers(found: Membership, plain: Taught) -> None:
    """Everything of a person is known but one value: by heart it is told far more often of those who taught."""
    worst = found.values.to_pylist()[0]
    assert found.value_told != "not shown"
    assert worst["gain"] == pytest.approx(worst["with_model"] - worst["without"], abs=1e-5)
    assert worst["gain"] > 0.05
    assert worst["gain"] > 2 * plain.attacked().values.to_pylist()[0]["gain"]


def test_a_regularised_model_is_not_caught(plain: Taught) -> None:
    made = plain.attacked(strangers=plain.strangers)
    assert made.told != "clearly"
    assert made.figure(BESIDE)["high"] < 0.65
    assert made.figure(OWN, beside=NEVER_SEEN)["low"] < 0.5 < made.figure(OWN, beside=NEVER_SEEN)["high"]


def test_people_who_taught_it_are_no_strangers(plain: Taught) -> None:
    with pytest.raises(DataRefused, match="strangers-taught"):
        plain.attacked(strangers=plain.training)


def test_refits_of_another_model_are_refused(plain: Taught, by_heart: Taught) -> None:
    with pytest.raises(DataRefused, match="refits-of-another-model"):
        membership_attack(plain.model, plain.training, refits=by_heart.others)


def test_no_false_alarm_where_membership_has_nothing_to_do_with_the_score() -> None:
    wrong = 0
    for draw in range(60):
        rng = stream(draw, "null")
        auc, _ = told_apart(*rng.normal(size=(2, 150)), rng.poisson(1.0, (200, 300)))
        wrong += not auc["low"] <= 0.5 <= auc["high"]
    assert wrong <= 8  # 3 expected of 60; 9 or more has a chance below 1 in 200


def test_a_rise_of_known_size_is_found_and_covered() -> None:
    # scores of members normal around 1, of others around 0: AUC = Phi(1 / sqrt 2) = .760, TPR = 1 - Phi(2.326 - 1)
    covered = np.zeros(2)
    for draw in range(25):
        rng = stream(draw, "planted")
        members, others = rng.normal(size=(2, 400)) + np.array([[1.0], [0.0]])
        figures = told_apart(members, others, rng.poisson(1.0, (100, 800)))
        covered += [one["low"] <= true <= one["high"] for one, true in zip(figures, (0.7602, 0.0924), strict=True)]
    assert covered.min() >= 20  # of 25; fewer has a chance below 1 in 500


def test_equal_scores_are_told_together() -> None:
    auc, tpr = told_apart(np.zeros(100), np.zeros(100), np.ones((2, 200), np.int64))
    assert (auc["value"], tpr["state"]) == (0.5, "not_estimable")  # 100 outside: 1 in 100 is one person


def test_few_people_are_not_estimated(plain: Taught) -> None:
    auc, tpr = told_apart(np.zeros(30), np.zeros(30), np.ones((2, 60), np.int64))
    assert (auc["state"], tpr["state"]) == ("not_estimable", "not_estimable")
    with pytest.raises(DataRefused, match="too-few-to-attack"):
        plain.attacked(most_people=60)


def test_part_of_many_people(plain: Taught) -> None:
    made = plain.attacked(most_people=150, by=("sex",))
    assert made.figure(OWN)["n"] == made.settings["people"] < 150
    assert sum(made.figure(OWN, AUC, "sex", group)["n"] for group in ("female", "male")) == made.settings["people"]


def test_it_is_kept_and_altered_files_are_refused(found: Membership, tmp_path: Path) -> None:
    found.save(tmp_path)
    assert Membership.load(tmp_path).fingerprint == found.fingerprint
    assert repr(found) == f"Membership(members told: clearly, {found.settings['people']} people)"
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace('"models_made_again": 10', '"models_made_again": 12'))
    with pytest.raises(EvidenceError, match="membership-damaged"):
        Membership.load(tmp_path)
    with pytest.raises(NotFound, match="figure-missing"):
        found.figure(OWN, AUC, "sex", "unheard of")


def test_the_same_seed_gives_the_same_figures(plain: Taught) -> None:
    one, two = (plain.attacked(seed=3) for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert one.figure(BESIDE, TPR)["state"] == "not_estimable"  # fewer than 200 on the other side
