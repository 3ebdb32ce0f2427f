"""Times and causes, worked by hand."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.cohorts.outcome import Outcome
from riskmodel.cohorts.time_to_event import Competing, time_to_event
from riskmodel.dates import days, years
from riskmodel.errors import DeclarationError
from riskmodel.histories.store import Histories

INJURY = Outcome("injury", within=years(1), settles_after=days(30))
CUSTODY = Competing("custody", ("custody_start",))


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def histories(*events: tuple[int, str, str, str]) -> Histories:
    """Events as (entity, kind, happened, known)."""
    table = pa.table(
        {
            "entity_id": pa.array([event[0] for event in events], pa.int64()),
            "happened_at": pa.array([at(event[2]) for event in events], pa.timestamp("us")),
            "known_at": pa.array([at(event[3]) for event in events], pa.timestamp("us")),
            "known_until": pa.nulls(len(events), pa.timestamp("us")),
            "agency": ["health" if event[1] == "injury" else "courts" for event in events],
            "kind": [event[1] for event in events],
            "role": ["subject"] * len(events),
            "event_id": pa.array(range(len(events)), pa.int64()),
        }
    )
    ends = {"health": dt.date(2021, 3, 2), "courts": dt.date(2022, 1, 1)}
    return Histories.of(events=table, covered_until=ends)


def found(seen: Histories, *rows: tuple[int, str], competing: tuple[Competing, ...] = (CUSTODY,)):
    asked = pa.table({"entity_id": [entity for entity, _ in rows], "as_of": [at(when) for _, when in rows]})
    table = time_to_event(seen, INJURY, asked, competing)
    return list(zip(table["days"].to_pylist(), table["cause"].to_pylist(), strict=True))


def test_what_comes_first_counts() -> None:
    seen = histories(
        (1, "injury", "2020-01-11", "2020-01-12"),
        (1, "custody_start", "2020-02-01", "2020-02-01"),
        (2, "custody_start", "2020-01-06T12:00", "2020-01-07"),
        (2, "injury", "2020-03-01", "2020-03-01"),
        (3, "injury", "2019-12-31", "2020-01-01"),  # before: no part of it
    )
    rows = ((1, "2020-01-01"), (2, "2020-01-01"), (3, "2020-01-01"), (4, "2020-01-01"))
    # 2020 is a leap year: a year is 366 days
    assert found(seen, *rows) == [(10.0, 1), (5.5, 2), (366.0, 0), (366.0, 0)]


def test_at_the_same_moment_the_outcome_counts() -> None:
    seen = histories(
        (1, "injury", "2020-01-11", "2020-01-12"), (1, "custody_start", "2020-01-11", "2020-01-11"),
    )  # fmt: skip
    assert found(seen, (1, "2020-01-01")) == [(10.0, 1)]


def test_follow_up_ends_when_records_no_longer_settle() -> None:
    # Delivered until 2 March 2021, 30 days to settle: followed until 31 January 2021.
    seen = histories(
        (1, "injury", "2021-01-30", "2021-02-20"),
        (2, "injury", "2021-02-05", "2021-02-06"),  # known, but beyond the end of follow-up
        (3, "injury", "2021-01-30", "2021-03-02"),  # known only at the very end: too late
        (3, "custody_start", "2021-06-01", "2021-06-01"),
    )
    rows = ((1, "2021-01-01"), (2, "2021-01-01"), (3, "2021-01-01"), (1, "2021-01-31"), (1, "2021-05-01"))
    assert found(seen, *rows) == [(29.0, 1), (30.0, 0), (30.0, 0), (None, None), (None, None)]


def test_kinds_that_nobody_records_are_refused() -> None:
    seen = histories((1, "injury", "2020-01-11", "2020-01-12"))
    with pytest.raises(DeclarationError, match="nobody records: death"):
        found(seen, (1, "2020-01-01"), competing=(Competing("death", ("death",)),))
    with pytest.raises(DeclarationError, match="each name once"):
        found(seen, (1, "2020-01-01"), competing=(Competing("a", ("injury",)), Competing("a", ("injury",))))
