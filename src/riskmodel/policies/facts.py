"""The recorded facts of one kind, from where the histories are kept: read from disk one kind at a time, or filtered.

Histories of tens of millions of events are not held in memory to count a few kinds of them. Which facts there are does
not depend on the way they are read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Moments
from riskmodel.engines.duckdb import query
from riskmodel.engines.folders import Result
from riskmodel.errors import DeclarationError
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import times_of, visible, visible_sql

_DYADS = f"""
WITH seen AS (
    SELECT f.event_id, f.entity_id, p.period
    FROM facts f JOIN periods p ON p.opens <= f.happened_at AND f.happened_at < p.closes
    WHERE f.entity_id IS NOT NULL AND {visible_sql("p.judged_at", "f")}
)
SELECT u.row, a.period, count(DISTINCT a.event_id)::DOUBLE AS n
FROM seen a JOIN seen b ON a.event_id = b.event_id AND a.period = b.period AND a.entity_id < b.entity_id
JOIN units u ON u.unit = a.entity_id || '-' || b.entity_id
GROUP BY ALL
"""
_COLUMNS = "entity_id, happened_at, known_at, known_until, place_id, event_id"


def facts_of(histories: Histories, agency: str, kind: str, role: str | None = None) -> pa.Table:
    """The versions of all facts of that agency, kind and role: when, known when, of whom, where."""
    if isinstance(histories.result, Result):
        return query(f"SELECT {_COLUMNS} FROM {_stored(histories.result)} WHERE {_chosen(agency, kind, role)}")
    events = histories.events
    mask = pc.and_(pc.equal(events["kind"], kind), pc.equal(events["agency"], agency))
    if role is not None:
        mask = pc.and_(mask, pc.fill_null(pc.equal(events["role"], role), False))
    return events.filter(mask).select(_COLUMNS.split(", "))


def first_day(histories: Histories, agency: str) -> dt.date:
    """The day of the agency's first event."""
    if isinstance(histories.result, Result):
        where = f"agency = {_quoted(agency)}"
        found = query(f"SELECT min(happened_at) AS first FROM {_stored(histories.result)} WHERE {where}")["first"][0]
    else:
        own = histories.events.filter(pc.equal(histories.events["agency"], agency))
        found = pc.min(own["happened_at"])
    moment = found.as_py()
    assert isinstance(moment, dt.datetime)
    return moment.date()


def counts_of_people(
    facts: pa.Table, people: npt.NDArray[np.int64], edges: Moments, judged: Moments
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Facts of each person in each period that were visible when the period was judged.

    The same counts as the package's SQL gives for places, in the time of a few passes: nothing is joined, because the
    period of a moment and the row of a person are found in sorted lists. A fact counts once, in whatever roles.

    Parameters
    ----------
    facts : as `facts_of` gives them
    people : (n,) entity ids, ascending
    edges : (T + 1,) of the periods
    judged : (T,) as-of moment of each period

    Returns
    -------
    counts : (n, T)
    nobody : (T,) facts of no person
    """
    happened = times_of(facts, "happened_at")
    period = np.searchsorted(edges, happened, side="right") - 1
    inside = np.flatnonzero((period >= 0) & (period < len(judged)))
    period = period[inside]
    known, until = times_of(facts, "known_at")[inside], times_of(facts, "known_until")[inside]
    seen = visible(happened[inside], known, until, judged[period])
    inside, period = inside[seen], period[seen]
    person, event = facts["entity_id"].take(pa.array(inside)), facts["event_id"].to_numpy()[inside]
    named = pc.is_valid(person).to_numpy(zero_copy_only=False)
    who = pc.fill_null(person, -1).to_numpy()
    row = np.minimum(np.searchsorted(people, who), len(people) - 1)
    cell = row.astype(np.int64) * len(judged) + period
    own = named & (people[row] == who)
    counts = np.bincount(_once(cell[own], event[own]), minlength=len(people) * len(judged)).astype(np.float32)
    nobody = np.bincount(_once(period[~named], event[~named]), minlength=len(judged))
    return counts.reshape(len(people), len(judged)), nobody


def counts_of_dyads(facts: pa.Table, units: pa.Table, periods: pa.Table) -> pa.Table:
    """Facts in which both people of a pair stand, in whatever roles: columns row, period, n.

    Parameters
    ----------
    facts : as `facts_of` gives them
    units : unit ("3-17", the smaller id first) and row
    periods : period, opens, closes, judged_at
    """
    return query(_DYADS, facts=facts, units=units, periods=periods)


def dyad_members(units: Sequence[int | str]) -> list[int]:
    """The people of pairs written "3-17"; refuses a pair that is not written so.

    Examples
    --------
    >>> dyad_members(["3-17", "3-20"])
    [3, 17, 3, 20]
    """
    pairs = [str(unit).split("-") for unit in units]
    wrong = sum(
        len(pair) != 2 or not all(part.isdigit() for part in pair) or int(pair[0]) >= int(pair[1]) for pair in pairs
    )
    if wrong:
        raise DeclarationError.of(
            "dyads-invalid", where="plan.units", found=f"{wrong} pair(s) not written as two ids",
            expected="two different ids, the smaller first, such as 3-17", repair="Write each pair so, once.",
        )  # fmt: skip
    return [int(part) for pair in pairs for part in pair]


def _once(cell: npt.NDArray[np.int64], event: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The cells, each event counted once in a cell."""
    order = np.argsort(event, kind="stable")
    ordered = event[order]
    if not (ordered[1:] == ordered[:-1]).any():
        return cell
    return np.unique(np.column_stack([event, cell]), axis=0)[:, 1]


def _stored(result: Result) -> str:
    return f"read_parquet({_quoted(str(result.path('events.parquet')))})"


def _chosen(agency: str, kind: str, role: str | None) -> str:
    of_role = "" if role is None else f" AND role = {_quoted(role)}"
    return f"agency = {_quoted(agency)} AND kind = {_quoted(kind)}{of_role}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
