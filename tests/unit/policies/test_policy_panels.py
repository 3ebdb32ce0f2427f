"""Panels from records, cell by cell: what is counted where, when it was known, and what nobody can know."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days, months
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.design import Plan, PlannedOutcome
from riskmodel.policies.panels import Counting, count_panel, open_panel, panel_before
from riskmodel.policies.registration import register

INJURY = PlannedOutcome("injuries", "health", "injury_by_violence")
CALLS = PlannedOutcome("calls", "police", "domestic_abuse", role="victim", meaning="demand")
QUARTERS = Calendar(dt.date(2020, 1, 1), dt.date(2021, 1, 1), months(3))


def at(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def event(number, person, place, agency, kind, happened, known, until=None, role=None):
    return {
        "event_id": number, "entity_id": person, "place_id": place, "agency": agency, "kind": kind, "role": role,
        "happened_at": at(happened), "known_at": at(known), "known_until": at(until),
    }  # fmt: skip


EVENTS = [
    event(1, 1, 10, "health", "injury_by_violence", "2020-01-05", "2020-01-06"),
    event(2, 1, 10, "health", "injury_by_violence", "2020-03-31T23:59", "2020-04-20"),  # settles in 30 days
    event(3, 2, 20, "health", "injury_by_violence", "2020-03-10", "2020-05-02"),  # does not: judged on 1 May
    event(4, 2, 20, "health", "injury_by_violence", "2020-04-01", "2020-04-01"),  # the second quarter's first moment
    # One fact in two versions: first believed in June, from 20 July on in July.
    event(5, 1, 10, "health", "injury_by_violence", "2020-06-30", "2020-07-02", until="2020-07-20"),
    event(5, 1, 10, "health", "injury_by_violence", "2020-07-01", "2020-07-20"),
    event(6, 1, 10, "police", "domestic_abuse", "2020-05-05", "2020-05-05", role="victim"),
    event(7, 2, 10, "police", "domestic_abuse", "2020-05-05", "2020-05-05", role="suspect"),
    event(8, None, 20, "police", "domestic_abuse", "2020-05-06", "2020-05-06", role="victim"),  # at a place only
]
RESIDENCES = {
    "entity_id": [1, 2, 3], "place_id": [10, 20, 20], "area": ["North", "South", "South"],
    "starts_at": [at("2019-01-01"), at("2020-04-01"), at("2020-02-01")], "ends_at": [None, None, at("2020-05-01")],
    "known_at": [at("2019-01-02"), at("2020-04-02"), at("2020-02-02")],
}  # fmt: skip


@pytest.fixture(scope="module")
def histories() -> Histories:
    covered = {"health": dt.date(2021, 3, 1), "police": dt.date(2020, 11, 1)}
    return Histories.of(events=pa.Table.from_pylist(EVENTS), residences=pa.table(RESIDENCES), covered_until=covered)


def counted(histories, unit, units, *outcomes, calendar=QUARTERS, **other):
    counting = Counting(unit, calendar, **({"settles_after": days(30)} | other))
    return count_panel(histories, counting, outcomes, units, np.full(len(units), NEVER))


def test_persons_by_quarter_after_thirty_days(histories):
    panel = counted(histories, "person", (2, 1), INJURY)
    assert panel.units.tolist() == [1, 2]
    assert panel.labels == ("2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01")
    # On 30 July the fact 5 is a fact of July. Person 2's injury of March was not known on 1 May.
    assert panel.measures["injuries"].tolist() == [[2, 0, 1, 0], [0, 1, 0, 0]]
    assert panel.measures["days"][0].tolist() == [91, 91, 92, 92]


def test_at_the_end_of_the_period_less_is_known(histories):
    panel = counted(histories, "person", (1, 2), INJURY, settles_after=days(0))
    assert panel.measures["injuries"].tolist() == [[1, 0, 1, 0], [0, 1, 0, 0]]
    # In the first half of July the fact 5 was still one of June: seen 15 days after the quarter's end.
    panel = counted(histories, "person", (1, 2), INJURY, settles_after=days(15))
    assert panel.measures["injuries"].tolist() == [[1, 1, 1, 0], [0, 1, 0, 0]]


def test_all_at_once_on_one_day(histories):
    everything = counted(histories, "person", (1, 2), INJURY, settles_after=None)
    assert everything.measures["injuries"].tolist() == [[2, 0, 1, 0], [1, 1, 0, 0]]
    early = counted(histories, "person", (1, 2), INJURY, settles_after=None, known_by=dt.date(2020, 7, 10))
    assert np.array_equal(early.measures["injuries"], [[2, 1, np.nan, np.nan], [1, 1, np.nan, np.nan]], equal_nan=True)


def test_what_was_not_delivered_is_unknown(histories):
    # The police delivered until 1 November: the third quarter settles on 31 October, the fourth does not.
    panel = counted(histories, "person", (1, 2), CALLS)
    unknown = np.nan
    expected = [[unknown, 1, 0, unknown], [unknown, 0, 0, unknown]]  # before their first event they recorded nothing
    assert np.array_equal(panel.measures["calls"], expected, equal_nan=True)
    with pytest.raises(DataRefused, match="4 unknown cell\\(s\\) of calls"):
        panel.measure("calls")
    told = counted(histories, "person", (1, 2), CALLS, covered_from={"police": dt.date(2020, 1, 1)})
    assert told.between(0, 3).measure("calls").tolist() == [[0, 1, 0], [0, 0, 0]]


def test_places_and_areas_count_events_there_and_people_who_live_there(histories):
    places = counted(histories, "place", (10, 20), INJURY, CALLS)
    assert places.measures["injuries"].tolist() == [[2, 0, 1, 0], [0, 1, 0, 0]]
    assert places.measures["calls"][:, 1].tolist() == [1, 1]
    areas = counted(histories, "area", ("South", "North"), INJURY, CALLS)
    assert areas.units.tolist() == ["North", "South"]
    assert np.array_equal(areas.measures["calls"], places.measures["calls"], equal_nan=True)
    # On 1 January only person 1 lives anywhere; on 1 April 2 (just then) and 3 live in the South; by July 3 has left.
    assert areas.measures["residents"].tolist() == [[1, 1, 1, 1], [0, 2, 1, 1]]


def test_days_with_an_address_are_the_exposure_of_a_person(histories):
    # Person 3 from 1 February (29 + 31 days of the first quarter) until 1 May (30 of the second).
    panel = counted(histories, "person", (1, 2, 3), INJURY)
    assert panel.measures["resident_days"].tolist() == [[91, 91, 92, 92], [0, 91, 92, 92], [60, 30, 0, 0]]


def test_units_without_a_record_and_kinds_without_an_agency_are_refused(histories):
    with pytest.raises(DataRefused, match="2 of 3 units that are in no record"):
        counted(histories, "person", (1, 77, 78), INJURY)
    with pytest.raises(DeclarationError, match="which police does not record"):
        counted(histories, "person", (1,), PlannedOutcome("x", "police", "injury_by_violence"))


def test_a_record_without_a_place_is_counted_where_the_person_lived_or_said_to_be_lost(histories):
    moved = [
        event(1, 1, None, "health", "injury_by_violence", "2020-01-05", "2020-01-06"),
        event(2, 2, None, "health", "injury_by_violence", "2020-03-31", "2020-04-01"),  # the day before an address
        event(3, 2, None, "health", "injury_by_violence", "2020-05-05", "2020-05-06"),
    ]
    records = Histories.of(
        events=pa.Table.from_pylist([*moved, *EVENTS[6:]]),
        residences=pa.table(RESIDENCES),
        covered_until=histories.covered_until,
    )
    with pytest.raises(DataRefused, match="3 facts of injuries, none of them with a place") as refused:
        counted(records, "area", ("North", "South"), INJURY)
    assert refused.value.code == "outcome-without-place"
    at_home = dataclasses.replace(INJURY, where="home")
    for unit, units in (("area", ("North", "South")), ("place", (10, 20))):
        panel = counted(records, unit, units, at_home)
        assert panel.measures["injuries"].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
        assert panel.uncounted == {"injuries": 1}
    assert counted(records, "person", (1, 2), at_home).uncounted == {"injuries": 0}


def test_an_address_that_was_not_known_yet_places_nothing(histories):
    # Person 2 lives at place 20 since April, but that became known only in August, after the quarter was judged.
    late = RESIDENCES | {"known_at": [at("2019-01-02"), at("2020-08-01"), at("2020-02-02")]}
    records = Histories.of(
        events=pa.Table.from_pylist(EVENTS), residences=pa.table(late), covered_until=histories.covered_until
    )
    panel = counted(records, "place", (10, 20), dataclasses.replace(INJURY, where="home"))
    assert panel.measures["injuries"].tolist() == [[2, 0, 1, 0], [0, 0, 0, 0]]
    assert panel.uncounted == {"injuries": 1}


def plan(**other) -> Plan:
    given = {
        "question": "Does it?", "unit": "person", "units": (1, 2, 3), "starts": ((2, dt.date(2020, 9, 9)),),
        "begins": dt.date(2020, 1, 1), "ends": dt.date(2020, 10, 1), "every": months(3),
        "outcomes": (INJURY, CALLS), "primary": "injuries", "estimator": "single_did",
    }  # fmt: skip
    return Plan(**(given | other))


def test_outcomes_are_opened_only_for_a_registered_plan_and_it_is_written_down(histories, tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(EvidenceError, match="plan-not-registered"):
        open_panel(histories, plan(), ledger)
    register(plan(), ledger)
    panel = open_panel(histories, plan(), ledger)
    assert panel.starts.tolist() == [NEVER, 2, NEVER]
    assert panel.roll_out == plan().roll_out
    opened = list(ledger.entries())[-1]
    assert opened.action == "outcomes-opened"
    assert opened.facts == {"plan": plan().fingerprint, "histories": histories.fingerprint}


def test_the_panel_before_opens_nothing_and_ends_before_the_first_start(histories):
    before = panel_before(histories, plan())
    assert before.labels == ("2020-01-01", "2020-04-01")
    assert not before.treated.any()
    assert before.measures["injuries"].tolist() == [[1, 0], [0, 1], [0, 0]]
    with pytest.raises(DeclarationError, match="between 2 and"):  # only the first quarter settles by 1 July
        panel_before(histories, plan(settles_after=days(30)))


def test_what_becomes_known_later_changes_no_settled_cell(histories):
    later = [*EVENTS, event(9, 2, 20, "health", "injury_by_violence", "2020-02-02", "2020-05-01")]
    grown = Histories.of(
        events=pa.Table.from_pylist(later), residences=pa.table(RESIDENCES), covered_until=histories.covered_until
    )
    one, two = (counted(which, "person", (1, 2), INJURY).measures["injuries"] for which in (histories, grown))
    assert one.tolist() == two.tolist()
