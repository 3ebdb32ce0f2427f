"""A suite of planted leaks: each is caught by the question meant for it, and clean studies of many shapes are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.checking import Check
from riskmodel.models.checks import referee
from riskmodel.models.encoded_leaks import no_feature_averages_the_outcome, numbers_tell_nothing
from riskmodel.models.fit import fit
from riskmodel.models.labelled import Labelled
from riskmodel.models.leaks import no_person_twice_across_folds
from riskmodel.models.learners import BestCount, Logistic
from riskmodel.models.splits import PersonFolds

SHAPES = {
    "common outcome": {"base": -0.5, "rows": 2_000},
    "rare outcome": {"base": -3.2, "rows": 6_000},
    "many rows a person": {"base": -1.5, "rows": 3_000, "each": 6},
    "much missing": {"base": -1.5, "rows": 2_000, "missing": 0.6},
    "strong features": {"base": -1.5, "rows": 2_000, "strength": 1.6},
    "no signal at all": {"base": -1.0, "rows": 2_000, "strength": 0.0},
    "many small places": {"base": -1.5, "rows": 3_000, "places": 250},
}


def study(
    seed: int, base: float, rows: int, each: int = 1, missing: float = 0.1, strength: float = 0.7, places: int = 40
) -> TrainingSet:
    """People with counts, a level, their place and its honest history: the place's rate in people of years before."""
    draw = np.random.default_rng(seed)
    people = np.repeat(np.arange(rows // each), each)
    own = draw.normal(0, 0.8, rows // each)[people]
    place = draw.integers(0, places, rows // each)[people]
    of_place = draw.normal(0, 0.6, places)
    counts = draw.poisson(np.exp(0.3 * own)[:, None] * [0.8, 0.4, 1.5], (rows, 3)).astype(np.float32)
    level = (own + draw.normal(0, 1, rows)).astype(np.float32)
    log_odds = base + strength * (0.8 * counts[:, 0] + 0.5 * counts[:, 1] + 0.5 * level + of_place[place])
    outcome = (draw.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    before = draw.binomial(60, 1 / (1 + np.exp(-(base + strength * of_place)))) / 60
    day = np.datetime64("2019-01-01", "us") + (np.arange(rows) % each) * np.timedelta64(120, "D")
    columns = {
        "entity_id": draw.permutation(rows // each)[people] + 10_000,
        "as_of": day,
        "outcome": outcome,
        "a": counts[:, 0],
        "b": counts[:, 1],
        "c": counts[:, 2],
        "level": np.where(draw.random(rows) < missing, np.float32(np.nan), level),
        "rate_before": before[place].astype(np.float32),
        "band": np.round(level * 2).astype(np.float32),
        "carried:place": place.astype(np.float32),
    }
    return TrainingSet.of(pa.table(columns), horizon=days(90))


def answers(training: TrainingSet) -> dict[str, Check]:
    model = fit(training, Logistic(), PersonFolds(3), calibrate=None, comparators=(BestCount(),), replicates=100)
    return {check.name: check for check in referee(model, training)}


def with_column(training: TrainingSet, name: str, values: np.ndarray) -> TrainingSet:
    return TrainingSet.of(training.table.append_column(name, pa.array(values, pa.float32())), horizon=training.horizon)


@pytest.mark.parametrize("shape", SHAPES)
def test_clean_studies_are_not_accused(shape: str) -> None:
    found = answers(study(11, **SHAPES[shape]))
    assert [check for check in found.values() if check.answer == "fail"] == []
    about_leaks = ("feature-knows-outcome", "certain-value", "averaged-outcome", "numbers-in-order", "person-twice")
    assert {found[name].answer for name in about_leaks} <= {"pass", "not_applicable"}


def test_two_hundred_clean_sets_have_no_averaged_outcome_and_no_order_of_numbers() -> None:
    wrong = []
    for seed in range(200):
        shape = list(SHAPES)[seed % len(SHAPES)]
        rows = Labelled.of(study(seed, **SHAPES[shape] | {"rows": 1_200}))
        names = rows.training.feature_names
        wrong += [check for check in (no_feature_averages_the_outcome(rows, names), numbers_tell_nothing(rows))
                  if check.answer in ("fail", "review")]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("smoothing", [0, 10])
@pytest.mark.parametrize("places", [30, 100])
def test_a_place_replaced_by_its_own_outcomes(places: int, smoothing: int) -> None:
    made = study(3, base=-1.5, rows=3_000, places=places)
    rows = Labelled.of(made)
    place = made.table["carried:place"].to_numpy().astype(int)
    n, events = np.bincount(place), np.bincount(place, weights=rows.outcome)
    encoded = ((events + smoothing * rows.outcome.mean()) / (n + smoothing))[place]
    found = answers(with_column(made, "place_rate", encoded))["averaged-outcome"]
    assert found.answer == "fail"
    assert "place_rate" in found.evidence
    assert "rate_before" not in found.evidence


def test_counted_on_past_the_day() -> None:
    made = study(4, base=-1.5, rows=2_000)
    outcome = made.outcome()
    later = np.random.default_rng(4).poisson(0.05, len(outcome))
    found = answers(with_column(made, "events_in_the_file", outcome + later))
    assert found["feature-knows-outcome"].answer == "fail"
    assert "events_in_the_file" in found["feature-knows-outcome"].evidence


def test_the_value_of_the_next_date_moved_up() -> None:
    # A count that rises by one after the outcome, taken from the date after: 0 only where nothing happened.
    made = study(5, base=-1.5, rows=2_000)
    outcome = made.outcome()
    after = np.minimum(made.table["b"].to_numpy(), 1) * 0.2 + outcome
    found = answers(with_column(made, "b_next", after))["feature-knows-outcome"]
    assert found.answer == "fail"
    assert "b_next" in found.evidence


def test_people_numbered_after_the_outcome() -> None:
    made = study(6, base=-1.0, rows=2_000)
    order = np.argsort(np.argsort(made.outcome() + np.random.default_rng(6).normal(0, 0.8, 2_000)))
    place = made.table.column_names.index("entity_id")
    numbered = TrainingSet.of(made.table.set_column(place, "entity_id", pa.array(order)), horizon=made.horizon)
    found = answers(numbered)["numbers-in-order"]
    assert found.answer == "review"
    assert "2000 people" in found.evidence
    # And a feature made of the number is ahead of all others.
    assert answers(with_column(made, "case_number", order))["feature-knows-outcome"].answer in ("review", "fail")


@pytest.mark.parametrize(("copied", "answer"), [(400, "fail"), (60, "review"), (0, "pass")])
def test_rows_copied_under_another_number_across_folds_of_people(copied: int, answer: str) -> None:
    draw = np.random.default_rng(7)
    X = draw.normal(size=(1_000, 9)).astype(np.float32)
    rows = np.concatenate([np.arange(1_000), np.arange(copied)])
    table = pa.table(
        {
            "entity_id": np.arange(len(rows)),
            "as_of": np.full(len(rows), np.datetime64("2019-01-01", "us")),
            "outcome": (X[rows, 0] + draw.normal(size=1_000)[rows] > 0).astype(np.int8),
            **{f"x{column}": X[rows, column] for column in range(9)},
        }
    )
    made = TrainingSet.of(table, horizon=days(30))
    model = fit(made, Logistic(), PersonFolds(4), calibrate=None, comparators=(), replicates=100)
    found = no_person_twice_across_folds(model, made)
    assert found.answer == answer
    alike = int(found.evidence.split()[0])
    # Of four folds, three in four pairs lie across: both rows of such a pair are copies of one that taught.
    assert alike == pytest.approx(2 * copied * 3 / 4, abs=4 * (copied * 3 / 16) ** 0.5 * 2 + 1e-9)
