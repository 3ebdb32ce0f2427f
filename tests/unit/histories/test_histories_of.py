"""Histories built from tables in memory: conformed, sorted, checked, and silent about people."""

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, PERSONS


def at(day: int) -> dt.datetime:
    return dt.datetime(2021, 5, day)


EVENTS_BY_HAND = pa.table(
    {
        "entity_id": [7, None, 3],
        "happened_at": [at(2), at(1), at(4)],
        "known_at": [at(3), at(9), at(5)],
        "agency": ["police", "housing", "police"],
        "kind": ["arson", "arson", "violence"],
        "event_id": [1, 2, 3],
    }
)


def test_tables_are_conformed_and_sorted():
    histories = Histories.of(events=EVENTS_BY_HAND)
    assert histories.events.schema == EVENTS
    assert histories.events["entity_id"].to_pylist() == [None, 3, 7]
    assert histories.residences.num_rows == histories.relations.num_rows == 0
    assert histories.events is histories.events


def test_persons_are_made_from_what_is_there():
    ties = pa.table({"entity_id": [3], "other_id": [8], "kind": ["parent"], "known_at": [at(1)]})
    histories = Histories.of(events=EVENTS_BY_HAND, relations=ties)
    assert histories.persons.schema == PERSONS
    assert histories.persons.select(["entity_id", "known_at"]).to_pylist() == [
        {"entity_id": 3, "known_at": at(1)},
        {"entity_id": 7, "known_at": at(3)},
        {"entity_id": 8, "known_at": at(1)},
    ]


def test_coverage_and_kinds():
    histories = Histories.of(events=EVENTS_BY_HAND)
    assert histories.covered_until == {"housing": dt.date(2021, 5, 10), "police": dt.date(2021, 5, 6)}
    assert histories.kinds == {"arson": {"housing": 1, "police": 1}, "violence": {"police": 1}}
    assert histories.agencies == ("housing", "police")
    told = Histories.of(
        events=EVENTS_BY_HAND, covered_until={"police": dt.date(2022, 1, 1), "vet": dt.date(2022, 1, 1)}
    )
    assert told.covered_until["police"] == dt.date(2022, 1, 1)
    assert told.agencies == ("housing", "police", "vet")


def test_the_fingerprint_follows_the_content_not_the_order():
    one = Histories.of(events=EVENTS_BY_HAND)
    other = Histories.of(events=EVENTS_BY_HAND.take([2, 0, 1]))
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != Histories.of(events=EVENTS_BY_HAND.slice(0, 2)).fingerprint


def test_a_person_twice_is_refused_and_the_repr_shows_counts_only():
    persons = pa.table({"entity_id": [3, 3], "known_at": [at(1), at(2)]})
    with pytest.raises(DataRefused, match="persons-repeated"):
        Histories.of(events=EVENTS_BY_HAND, persons=persons)
    assert repr(Histories.of(events=EVENTS_BY_HAND)) == "Histories(3 events, 2 persons, 0 residences, 0 relations)"
