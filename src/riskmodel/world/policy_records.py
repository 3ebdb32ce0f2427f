"""A policy's world as linked records: events with the day they became known, homes, and who is whose parent.

The tables have the package's schemas, so that a study counts them like anybody else's. Every agency writes down late,
health and social care later than the police; nobody in them lives or lived.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.seeds import stream
from riskmodel.tables import EVENTS, RELATIONS, RESIDENCES
from riskmodel.world.policy import NEVER, QUARTERS, SOURCES, PolicyWorld

BEGINS: Final = np.datetime64("2018-01-01", "M")
_DELAY: Final = {"police": 3, "health": 25, "childrens_services": 20, "education": 10, "housing": 7, "justice": 5}
"""The longest delay of each agency's records, in days (times two for one record in ten)."""
_ADULT: Final = 1_000_000
"""Added to a child's number gives its parent's."""

Moments = npt.NDArray[np.datetime64]


def area_name(area: int) -> str:
    """The name of an area.

    Examples
    --------
    >>> area_name(7)
    'area-007'
    """
    return f"area-{area:03d}"


def opens(quarter: int) -> dt.date:
    """The first day of a quarter of the world."""
    day: dt.date = (BEGINS + 3 * quarter).astype("datetime64[D]").astype(dt.date)
    return day


def events(world: PolicyWorld) -> pa.Table:
    """Everything the agencies recorded, EVENTS; events of areas are at the area's one place, exclusions of children."""
    chance = stream(world.seed, "policy-world", "records")
    parts, first = [], 0
    for name, (agency, kind, _) in SOURCES.items():
        area, quarter = _repeated(world.counts[name])
        parts.append(_events(chance, agency, kind, quarter, place=area, first=first))
        first += len(area)
    child, quarter = _repeated(world.exclusions)
    parts.append(_events(chance, "education", "exclusion", quarter, person=child, first=first))
    first += len(child)
    inside = np.flatnonzero(world.child_starts != NEVER)
    parts.append(_events(chance, "justice", "custody", world.child_starts[inside], person=inside + _ADULT, first=first))
    return pa.concat_tables(parts).sort_by([("entity_id", "ascending"), ("happened_at", "ascending")])


def residences(world: PolicyWorld) -> pa.Table:
    """Where every child and its parent live, all the time, RESIDENCES; area k is place k."""
    child = np.arange(len(world.child_area))
    person, place = np.concatenate([child, child + _ADULT]), np.concatenate([world.child_area] * 2)
    since = np.full(len(person), _moment(opens(0)) - np.timedelta64(365, "D"))
    table = {
        "entity_id": person,
        "place_id": place,
        "area": [area_name(each) for each in place.tolist()],
        "starts_at": since,
        "ends_at": pa.nulls(len(person), pa.timestamp("us")),
        "known_at": since,
        "known_until": pa.nulls(len(person), pa.timestamp("us")),
    }
    return pa.table(table).cast(RESIDENCES)


def relations(world: PolicyWorld) -> pa.Table:
    """Each child's parent, RELATIONS."""
    child = np.arange(len(world.child_area))
    since = np.full(len(child), _moment(opens(0)) - np.timedelta64(365, "D"))
    table = {
        "entity_id": child,
        "other_id": child + _ADULT,
        "kind": ["parent"] * len(child),
        "starts_at": since,
        "ends_at": pa.nulls(len(child), pa.timestamp("us")),
        "known_at": since,
        "known_until": pa.nulls(len(child), pa.timestamp("us")),
    }
    return pa.table(table).cast(RELATIONS)


def roll_out(world: PolicyWorld) -> pa.Table:
    """Area, the day its policy began (null for none), and how deprived it is."""
    starts = [None if start == NEVER else opens(start) for start in world.starts.tolist()]
    names = [area_name(area) for area in range(len(starts))]
    table = {"area": names, "starts": pa.array(starts, pa.date32()), "deprivation": world.rank}
    return pa.table(table)


def write_records(world: PolicyWorld, folder: str | Path) -> None:
    """Write events, residences, relations and the roll-out as Parquet files into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for make in (events, residences, relations, roll_out):
        pq.write_table(make(world), folder / f"{make.__name__}.parquet")


def _repeated(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of every event in a matrix of counts."""
    row, column = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), QUARTERS)
    return row, column


def _events(
    chance: np.random.Generator,
    agency: str,
    kind: str,
    quarter: npt.NDArray[np.int64],
    *,
    first: int,
    person: npt.NDArray[np.int64] | None = None,
    place: npt.NDArray[np.int64] | None = None,
) -> pa.Table:
    count = len(quarter)
    edges = np.asarray([_moment(opens(each)) for each in range(QUARTERS + 1)])
    within = chance.random(count) * (edges[quarter + 1] - edges[quarter]).astype(np.int64)
    happened = edges[quarter] + within.astype("timedelta64[us]")
    longest = _DELAY[agency] * np.where(chance.random(count) < 0.1, 2, 1)
    known = happened + (chance.random(count) * longest * 86_400e6).astype("timedelta64[us]")
    table = {
        "entity_id": pa.nulls(count, pa.int64()) if person is None else person,
        "happened_at": happened,
        "ended_at": pa.nulls(count, pa.timestamp("us")),
        "known_at": known,
        "known_until": pa.nulls(count, pa.timestamp("us")),
        "agency": [agency] * count,
        "kind": [kind] * count,
        "role": ["subject"] * count,
        "value": pa.nulls(count, pa.float64()),
        "place_id": pa.nulls(count, pa.int64()) if place is None else place,
        "event_id": np.arange(first, first + count),
    }
    return pa.table(table).cast(EVENTS)


def _moment(day: dt.date) -> np.datetime64:
    return np.datetime64(day, "us")
