"""A small society for the features' tests: two people of fourteen, two agencies, a parent."""

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, PERSONS, RELATIONS


def at(text):
    return dt.datetime.fromisoformat(text)


@pytest.fixture
def events():
    rows = [
        (1, "2020-02-01", "police", "violence", "victim", 2.0),
        (1, "2020-08-01", "police", "violence", "suspect", 3.0),
        (1, "2021-02-01", "health", "injury", None, None),
        (2, "2020-05-01", "police", "violence", "victim", 1.0),
        (3, "2020-06-01", "police", "arson", None, None),
    ]
    made = [
        {"entity_id": who, "happened_at": at(when), "known_at": at(when), "agency": agency, "kind": kind, "role": role,
         "value": value, "event_id": number}
        for number, (who, when, agency, kind, role, value) in enumerate(rows)
    ]  # fmt: skip
    return pa.Table.from_pylist(made, schema=EVENTS)


@pytest.fixture
def persons():
    rows = [(1, dt.date(2006, 5, 1), "female"), (2, dt.date(2006, 7, 1), None), (3, dt.date(1980, 1, 1), "male")]
    made = [{"entity_id": who, "birth_date": born, "sex": sex, "known_at": at("2019-01-01")} for who, born, sex in rows]
    return pa.Table.from_pylist(made, schema=PERSONS)


@pytest.fixture
def relations():
    row = {"entity_id": 1, "other_id": 3, "kind": "parent", "known_at": at("2020-01-01")}
    return pa.Table.from_pylist([row], schema=RELATIONS)


@pytest.fixture
def histories(events, persons, relations):
    covered = {"police": dt.date(2022, 1, 1), "health": dt.date(2021, 9, 1)}
    return Histories.of(events=events, persons=persons, relations=relations, covered_until=covered)
