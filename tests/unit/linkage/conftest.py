"""Registers of made-up people, written in a few words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from riskmodel.feeds.intake import Intake
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose
from riskmodel.tables import FEED_EVENTS, FEED_RELATIONS, PERSON_RECORDS, conform

AGENCIES = ("education", "health", "housing", "police")
Register = Callable[..., pa.Table]


@pytest.fixture
def register() -> Register:
    """Rows of (agency, key, given, family, birth date, sex, address, postcode) as PERSON_RECORDS."""

    def made(*rows: Sequence[Any], known_at: dt.datetime = dt.datetime(2020, 1, 1)) -> pa.Table:
        names = ("agency", "person_key", "given_name", "family_name", "birth_date", "sex", "address", "postcode")
        found = []
        for row in rows:
            one = dict(zip(names, row, strict=False))
            one["birth_date"] = dt.date.fromisoformat(one["birth_date"]) if one.get("birth_date") else None
            found.append({"feed": f"{one['agency']}.people", "known_at": known_at, **one})
        columns = {field.name: pa.array([row.get(field.name) for row in found], field.type) for field in PERSON_RECORDS}
        return conform(pa.table(columns), PERSON_RECORDS)

    return made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store for a purpose of four agencies."""
    fields = ("given_name", "family_name", "birth_date", "sex", "address", "postcode")
    law = "Crime and Disorder Act 1998, section 115"
    purpose = Purpose("early-support", "To offer help early.", law, AGENCIES, fields, dt.date(9999, 1, 1))
    return connect(f"duckdb:///{tmp_path / 'run'}", purpose)


@pytest.fixture
def received(store: Store) -> Callable[[pa.Table], Intake]:
    """An intake of the given people, with no events."""

    def made(people: pa.Table) -> Intake:
        tables = {"people": people, "events": FEED_EVENTS.empty_table(), "relations": FEED_RELATIONS.empty_table()}
        with store.writing("received", {"made": "by hand", "rows": people.num_rows}) as draft:
            for name, table in tables.items():
                draft.write(name, table, [])
            draft.write_document("report", {"coverage": {"agencies": dict.fromkeys(AGENCIES, "2021-01-01")}})
        return Intake(store, store.result("received"))

    return made
