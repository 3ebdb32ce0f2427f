"""Planted leaks that only histories or two numbers for one person can show; a clean study is not accused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, months
from riskmodel.features.language import count
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.histories.store import Histories
from riskmodel.models.checks import referee
from riskmodel.models.fit import fit
from riskmodel.models.leaks import (
    no_feature_is_filled_in_later,
    no_person_twice_across_folds,
    records_have_their_own_time,
)
from riskmodel.models.learners import Logistic
from riskmodel.models.splits import ForwardFolds, PersonFolds

DAY = dt.timedelta(days=1)
START = dt.datetime(2020, 1, 1)


def histories(*, filled_in_later: bool, people: int = 600, delay: int = 3) -> Histories:
    """Calls to police foretell an injury a little; a note of the school is written late, for the injured only."""
    generator = np.random.default_rng(4)
    rows = []
    for person in range(1, people + 1):
        calls = generator.poisson(0.8)
        for _ in range(calls):
            when = START - generator.integers(1, 300) * DAY
            rows.append((person, "call", "police", when, when + delay * DAY))
        hurt = generator.random() < 0.12 + 0.1 * calls
        if hurt:
            when = START + int(generator.integers(1, 80)) * DAY
            rows.append((person, "injury", "health", when, when + DAY))
        noted = START - generator.integers(1, 100) * DAY
        if generator.random() < (0.7 if hurt and filled_in_later else 0.1):
            rows.append((person, "note", "school", noted, START + 120 * DAY if filled_in_later else noted + 5 * DAY))
    table = pa.table(
        {
            "entity_id": pa.array([row[0] for row in rows], pa.int64()),
            "kind": [row[1] for row in rows],
            "agency": [row[2] for row in rows],
            "happened_at": pa.array([row[3] for row in rows], pa.timestamp("us")),
            "known_at": pa.array([row[4] for row in rows], pa.timestamp("us")),
            "event_id": pa.array(range(len(rows)), pa.int64()),
        }
    )
    until = dt.date(2021, 1, 1)
    return Histories.of(events=table, covered_until=dict.fromkeys(("police", "health", "school"), until))


def training(seen: Histories) -> TrainingSet:
    cohort = Cohort(every=months(1), between=("2020-01-01", "2020-01-02"))
    outcome = Outcome("injury", within=days(90))
    return build_training_set(seen, cohort, outcome, [count("call"), count("note")], groups=())


def test_notes_written_after_the_injury_are_found():
    seen = histories(filled_in_later=True)
    made = training(seen)
    assert np.nan_to_num(made.table["note_count"].to_numpy()).max() == 0  # as built, it saw none of them
    found = no_feature_is_filled_in_later(made, seen)
    assert found.answer == "review"
    assert "note_count" in found.evidence
    assert "call_count" not in found.evidence


def test_records_that_are_only_late_are_not_accused():
    seen = histories(filled_in_later=False)
    assert no_feature_is_filled_in_later(training(seen), seen).answer == "pass"


def test_an_agency_without_a_time_of_knowing_is_named():
    assert records_have_their_own_time(histories(filled_in_later=False)).answer == "pass"
    found = records_have_their_own_time(histories(filled_in_later=False, delay=0))
    assert found.answer == "review"
    assert "police" in found.evidence
    assert "2 of 3 agencies do" in found.evidence


def test_the_referee_puts_the_questions_when_it_has_the_histories():
    seen = histories(filled_in_later=True)
    made = training(seen)
    model = fit(made, Logistic(), PersonFolds(2), comparators=(), replicates=100)
    names = {check.name: check.answer for check in referee(model, made, seen)}
    assert names["filled-in-later"] == "review"
    assert "own-time" in names
    assert "own-time" not in {check.name for check in referee(model, made)}


def table(copies: bool, people: int = 300) -> TrainingSet:
    """Nine features; with copies, whoever is judged late has the values of somebody who taught early."""
    generator = np.random.default_rng(6)
    early = generator.normal(size=(people, 9)).astype(np.float32)
    late = early if copies else generator.normal(size=(people, 9)).astype(np.float32)
    X = np.concatenate([early, late])
    columns = {
        "entity_id": np.arange(2 * people),
        "as_of": np.repeat(np.array(["2019-01-01", "2019-06-01"], "datetime64[us]"), people),
        "outcome": (generator.random(2 * people) < 0.4).astype(np.int8),
        **{f"x{place}": X[:, place] for place in range(9)},
    }
    return TrainingSet.of(pa.table(columns), horizon=days(30))


@pytest.mark.parametrize(("copies", "answer"), [(True, "fail"), (False, "pass")])
def test_one_person_under_two_numbers(copies, answer):
    made = table(copies)
    model = fit(made, Logistic(), ForwardFolds(1), calibrate=None, comparators=(), replicates=100)
    found = no_person_twice_across_folds(model, made)
    assert found.answer == answer
    assert found.evidence.startswith("300 of 300" if copies else "0 of 300")
