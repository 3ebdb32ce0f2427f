"""The referee: every planted leak is caught, a clean study is not accused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.checking import Check
from riskmodel.models.checks import referee
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, Logistic
from riskmodel.models.splits import ForwardFolds, PersonFolds


def answers(training: TrainingSet, folds=None, comparators=None) -> dict[str, Check]:
    rivals = (BestCount(),) if comparators is None else comparators
    model = fit(training, Logistic(), folds or ForwardFolds(2), comparators=rivals, replicates=100)
    return {check.name: check for check in referee(model, training)}


def with_column(training: TrainingSet, name: str, values: np.ndarray) -> TrainingSet:
    return TrainingSet.of(training.table.append_column(name, pa.array(values, pa.float32())), horizon=training.horizon)


@pytest.fixture(scope="module")
def outcome(quarterly) -> np.ndarray:
    return np.nan_to_num(quarterly.outcome())


def test_a_clean_study_is_not_accused(quarterly):
    found = answers(quarterly)
    assert not [check for check in found.values() if check.answer == "fail"]
    assert {name for name, check in found.items() if check.answer == "review"} <= {"people-apart", "calibrated"}
    assert found["follow-up-complete"].evidence.startswith("400 of 4800 rows have an unknown outcome")


def test_a_feature_that_knows_the_outcome(quarterly, outcome):
    noise = np.random.default_rng(1).normal(0, 0.2, len(outcome))
    found = answers(with_column(quarterly, "closed_on", outcome + noise))["feature-knows-outcome"]
    assert found.answer == "fail"
    assert "closed_on" in found.evidence


def test_a_feature_that_is_missing_only_when_it_happened(quarterly, outcome):
    values = np.where(outcome == 1, np.nan, 1.0)
    found = answers(with_column(quarterly, "review_date", values))["feature-knows-outcome"]
    assert found.answer == "fail"
    assert "review_date being missing" in found.evidence


def test_a_feature_far_ahead_of_the_others_is_looked_at(quarterly, outcome):
    flipped = np.random.default_rng(2).random(len(outcome)) < 0.12
    found = answers(with_column(quarterly, "flag", np.where(flipped, 1 - outcome, outcome)))["feature-knows-outcome"]
    assert found.answer == "review"


def test_a_rare_value_that_is_certain_is_caught_though_the_feature_orders_little(quarterly, outcome):
    rare = (outcome == 1) & (np.random.default_rng(3).random(len(outcome)) < 0.1)
    found = answers(with_column(quarterly, "custody_reason", rare.astype(float)))
    assert found["feature-knows-outcome"].answer == "pass"
    assert found["certain-value"].answer == "fail"
    assert "custody_reason" in found["certain-value"].evidence


def test_rows_counted_twice(quarterly):
    twice = TrainingSet.of(pa.concat_tables([quarterly.table, quarterly.table.slice(0, 30)]), horizon=quarterly.horizon)
    found = answers(twice)["row-twice"]
    assert found.answer == "fail"
    assert found.evidence.startswith("30 of 4830")


def test_outcomes_that_teach_before_they_were_known(quarterly):
    assert answers(quarterly, ForwardFolds(2, gap=days(0)))["outcome-known-in-time"].answer == "review"
    assert answers(quarterly, PersonFolds(3))["outcome-known-in-time"].answer == "review"
    assert answers(quarterly)["outcome-known-in-time"].answer == "pass"


def test_outcomes_lost_in_the_middle(quarterly):
    table = quarterly.table
    lost = np.arange(table.num_rows) % 29 == 0
    gone = pa.array(quarterly.outcome(), mask=np.isnan(quarterly.outcome()) | lost).cast(pa.int8())
    changed = table.set_column(table.column_names.index("outcome"), "outcome", gone)
    found = answers(TrainingSet.of(changed, horizon=quarterly.horizon))["follow-up-complete"]
    assert found.answer == "review"


def test_too_many_features_for_the_outcomes_and_no_comparator(quarterly):
    few = quarterly.table.filter(pa.array(quarterly.people() < 1_000_040))
    generator = np.random.default_rng(4)
    for number in range(60):
        few = few.append_column(f"noise_{number}", pa.array(generator.normal(size=few.num_rows), pa.float32()))
    found = answers(TrainingSet.of(few, horizon=quarterly.horizon), comparators=(BaseRate(),))
    assert found["outcomes-per-feature"].answer == "fail"
    assert found["outcomes-judged"].answer in ("review", "fail")
    assert found["comparators"].answer == "fail"
