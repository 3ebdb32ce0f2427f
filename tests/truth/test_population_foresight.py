"""A planted society in which only two agencies together can see harm coming: the replay finds it, and how early."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import months, years
from riskmodel.errors import DeclarationError
from riskmodel.features.language import count, days_since
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.histories.store import Histories
from riskmodel.models.coalitions import Replay, first_place, replayed
from riskmodel.models.fewest_fields import fewest_fields
from riskmodel.models.learners import CurrentPractice, Logistic
from riskmodel.models.splits import ForwardFolds
from riskmodel.population.foresight import Foreseen

PEOPLE, LEAD = 4_000, 200
"""Whoever has a mark of agency a and a sign of agency b is harmed so many days after the later of the two."""
FEATURES = (
    *(count(kind, within=years(1)) for kind in ("mark", "sign", "noise")),
    *(days_since(kind) for kind in ("mark", "sign", "noise")),
)


@pytest.fixture(scope="module")
def planted() -> Histories:
    draw = np.random.default_rng(3)
    first = np.datetime64("2016-01-01", "us")
    rows: list[tuple[int, np.datetime64, str, str]] = []
    for person in range(1, PEOPLE + 1):
        days = {kind: int(draw.integers(0, 1800)) for kind in ("mark", "sign", "noise") if draw.random() < 0.6}
        agency = {"mark": "a", "sign": "b", "noise": "d"}
        rows += [(person, first + np.timedelta64(day, "D"), agency[kind], kind) for kind, day in days.items()]
        both = "mark" in days and "sign" in days and abs(days["mark"] - days["sign"]) < 300
        if both:
            rows.append((person, first + np.timedelta64(max(days["mark"], days["sign"]) + LEAD, "D"), "c", "harm"))
        elif draw.random() < 0.02:
            rows.append((person, first + np.timedelta64(int(draw.integers(0, 1800)), "D"), "c", "harm"))
    who, when, agencies, kinds = zip(*rows, strict=True)
    times = pa.array(np.array(when))
    events = pa.table(
        {"entity_id": who, "happened_at": times, "known_at": times, "agency": agencies, "kind": kinds,
         "event_id": range(len(rows))}
    )  # fmt: skip
    began = pa.array([first.astype(dt.datetime) - dt.timedelta(days=1)] * PEOPLE, pa.timestamp("us"))
    persons = pa.table({"entity_id": range(1, PEOPLE + 1), "known_at": began})
    covered = dict.fromkeys("abcd", dt.date(2021, 12, 1))
    return Histories.of(events=events, persons=persons, covered_until=covered)


@pytest.fixture(scope="module")
def training(planted: Histories) -> TrainingSet:
    cohort = Cohort(between=("2017-01-01", "2020-10-01"), every=months(3))
    return build_training_set(planted, cohort, Outcome("harm", within=years(1)), FEATURES, groups=())


@pytest.fixture(scope="module")
def replay(planted: Histories, training: TrainingSet) -> Replay:
    return Replay.of(planted, training, Logistic(), ForwardFolds(2), capacity=0.03)


@pytest.fixture(scope="module")
def views(replay: Replay) -> dict[tuple[str, ...], Foreseen]:
    made, when = replayed(replay)
    assert when == "lists from October 2018 to July 2020"
    return {view.agencies: view for view in made}


def test_the_harm_that_two_agencies_foretell_is_found_by_them_together_and_hardly_by_one(replay, views):
    assert replay.agencies == ("a", "b", "d")
    assert len(views) == 7  # three alone, three pairs, all
    pair, everybody = views["a", "b"], views["a", "b", "d"]
    alone = max(views[name,].found for name in "abd")
    assert pair.found > 1.3 * alone
    assert everybody.found == pytest.approx(pair.found, rel=0.1)  # noise tells nothing
    # and not by pointing to more people: every list has as many places
    assert pair.pointed_to < min(views[name,].pointed_to for name in "ab")


def test_the_lead_is_the_planted_one(views):
    """Harm comes 200 days after the later record, and lists are made each quarter: a lead of 109 to 199 days."""
    days = views["a", "b"].days
    days = days[np.isfinite(days)]
    assert np.median(days) == pytest.approx(LEAD - 46, abs=10)
    assert np.mean((days >= LEAD - 93) & (days <= LEAD)) > 0.7


def test_the_fewest_records_are_those_that_were_planted(replay):
    made = fewest_fields(replay)
    assert {(field.kinds, field.agencies) for field in made.kept} == {(("mark",), ("a",)), (("sign",), ("b",))}
    assert [field.kinds for field in made.left_out] == [("noise",)]
    both, small_only, all_only, _ = made.confirmed
    assert both > 5 * (small_only + all_only)


def test_whom_an_agency_never_recorded_has_no_place_on_its_list(replay):
    seen = replay.columns(("a",))
    listed = replay.places(seen)
    people = replay.training.people()
    events = replay.histories.events
    of_a = set(events.filter(pc.equal(events["agency"], "a"))["entity_id"].to_pylist())
    for fold in replay.split:
        assert set(people[replay.scored(fold)][listed[fold.number]].tolist()) <= of_a
    assert not any(made.any() for made in replay.places(replay.columns(())).values())


def test_one_case_looked_back_on_is_told_by_models_that_learned_nothing_of_it(replay, views):
    judged = replay.judged()
    found = np.isfinite(views["a", "b", "d"].days) & ~np.isfinite(views["a",].days)
    person = int(judged.who[np.flatnonzero(found)[0]])
    together, alone = first_place(replay, replay.agencies, person), first_place(replay, ("a",), person)
    assert together.day is not None
    assert together.day < judged.when[np.searchsorted(judged.who, person)].astype(dt.datetime).date()
    assert alone.day is None
    assert together.lists == alone.lists == 8
    assert first_place(replay, replay.agencies, 10**9).lists == 0


def test_a_learner_that_reads_a_column_of_its_own_is_refused(planted, training):
    with pytest.raises(DeclarationError, match="replay-without-features"):
        Replay.of(planted, training, CurrentPractice("score"), ForwardFolds(2), capacity=0.1)
