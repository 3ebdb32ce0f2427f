"""The cohort: who is eligible on which as-of date, and how many were left out at each step.

Eligibility uses only what could be seen on the day, by the same time rule as every feature. Nobody is left out
silently: every step of the flow is counted, in people and in rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cohorts.schedule import at_each_event, at_every_date, calendar_dates
from riskmodel.dates import Duration, duration_words, moments, parse_date, years
from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql
from riskmodel.tables import ROWS, ordered


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who is in question, and when.

    Parameters
    ----------
    between : (first, last), dates or ISO texts; as-of dates lie in [first, last)
    every : Duration, a calendar grid from the first date on; or else
    at_each : str, an event kind: one as-of for each such event of a person, at midnight of its day plus `offset`
    offset : Duration, used with `at_each`; days(1) lets the record of that day itself be seen
    first_only : bool, keep only a person's first row
    aged : (low, high), completed years on the as-of date, both ends included
    resident_for : Duration, a known address in the area that began at least this long ago
    having : str, an event kind of which at least one must be visible on the as-of date

    Raises
    ------
    DeclarationError : with every fault at once
    """

    between: tuple[dt.date, dt.date]
    every: Duration | None = None
    at_each: str | None = None
    offset: Duration = Duration()
    first_only: bool = False
    aged: tuple[int, int] | None = None
    resident_for: Duration | None = None
    having: str | None = None

    def __post_init__(self) -> None:
        first, last = (parse_date(day, "cohort.between") for day in self.between)
        object.__setattr__(self, "between", (first, last))
        faults = []
        if first >= last:
            faults.append(
                Fault("cohort.between", f"{first} to {last}", "a first date before the last", "Swap or correct them.")
            )
        if (self.every is None) == (self.at_each is None):
            faults.append(
                Fault(
                    "cohort", "both or neither of `every` and `at_each`", "exactly one of them",
                    'Write every = "3m" for a calendar grid, or at_each = "screening" for one row an event.',
                )
            )  # fmt: skip
        if self.every == Duration():
            faults.append(Fault("cohort.every", "0d", "a duration of at least a day", 'Write, say, every = "3m".'))
        if self.aged is not None and not 0 <= self.aged[0] <= self.aged[1] <= 120:
            faults.append(
                Fault("cohort.aged", f"{list(self.aged)}", "ages from 0 to 120, the lower first", "Correct the ages.")
            )
        if faults:
            raise DeclarationError("cohort-invalid", faults=faults)

    def document(self) -> dict[str, Any]:
        """The declaration as a JSON-able document; the same cohort always gives the same one."""
        return {
            "between": [day.isoformat() for day in self.between],
            "every": str(self.every) if self.every else None,
            "at_each": self.at_each,
            "offset": str(self.offset),
            "first_only": self.first_only,
            "aged": list(self.aged) if self.aged else None,
            "resident_for": str(self.resident_for) if self.resident_for else None,
            "having": self.having,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Cohort:
        """The cohort that `document` describes."""
        first, last = document["between"]
        return cls(
            between=(parse_date(first, "cohort.between"), parse_date(last, "cohort.between")),
            every=Duration.parse(document["every"]) if document["every"] else None,
            at_each=document["at_each"],
            offset=Duration.parse(document["offset"]),
            first_only=document["first_only"],
            aged=tuple(document["aged"]) if document["aged"] else None,
            resident_for=Duration.parse(document["resident_for"]) if document["resident_for"] else None,
            having=document["having"],
        )


@dataclass(frozen=True, slots=True)
class Step:
    """How many people and rows were left after one step of the flow."""

    name: str
    people: int
    rows: int


@dataclass(frozen=True, slots=True, repr=False)
class Eligible:
    """The rows of a cohort and how they came about."""

    rows: pa.Table
    flow: tuple[Step, ...]

    def __repr__(self) -> str:
        return f"Eligible({self.flow[-1].people:,} people, {self.rows.num_rows:,} rows)"


def eligible(histories: Histories, cohort: Cohort) -> Eligible:
    """The cohort's rows: ROWS sorted by (entity_id, as_of), and the flow.

    Raises
    ------
    DataRefused : nobody is left
    """
    rows = _asked(histories, cohort)
    known = Step("people in the linked histories", histories.persons.num_rows, 0)
    flow = [known, _step(_asked_words(cohort), rows)]
    rows = _known_by_then(histories, rows)
    flow.append(_step("already known to an agency", rows))
    if cohort.aged is not None:
        rows = _aged(histories, rows, cohort.aged)
        flow.append(_step(f"aged {cohort.aged[0]} to {cohort.aged[1]}, date of birth known", rows))
    if cohort.resident_for is not None:
        rows = _resident(histories, rows, cohort.resident_for)
        flow.append(_step(f"at a known address for {duration_words(cohort.resident_for)}", rows))
    if cohort.having is not None:
        _must_be_recorded(histories, cohort.having, "cohort.having")
        rows = _having(histories, rows, cohort.having)
        flow.append(_step(f"with a {cohort.having.replace('_', ' ')} on record", rows))
    if cohort.first_only:
        rows = _first(rows)
        flow.append(_step("the first row of each person", rows))
    if not rows.num_rows:
        raise DataRefused(
            "cohort-empty",
            found="no eligible person: " + "; ".join(f"{step.name}: {step.rows:,} rows" for step in flow[1:]),
            expected="at least one row",
            repair="Widen the dates, the ages or the residence rule, or check what the feeds cover.",
        )
    return Eligible(ordered(rows, ROWS.names), tuple(flow))


def _asked(histories: Histories, cohort: Cohort) -> pa.Table:
    if cohort.every is not None:
        return at_every_date(histories.persons["entity_id"], calendar_dates(cohort.every, cohort.between))
    kind = str(cohort.at_each)
    _must_be_recorded(histories, kind, "cohort.at_each")
    return at_each_event(histories.events, kind, cohort.offset, cohort.between)


def _must_be_recorded(histories: Histories, kind: str, where: str) -> None:
    if kind not in histories.kinds:
        raise DeclarationError.of(
            "kind-unknown",
            where=where,
            found=repr(kind),
            expected=f"one of the kinds in the histories: {', '.join(sorted(histories.kinds))}",
            repair="Name a kind that a feed records.",
        )


def _asked_words(cohort: Cohort) -> str:
    first, last = cohort.between
    question = (
        f"every {duration_words(cohort.every)}" if cohort.every else f"at each {str(cohort.at_each).replace('_', ' ')}"
    )
    return f"asked about {question} from {first} until before {last}"


def _known_by_then(histories: Histories, rows: pa.Table) -> pa.Table:
    sql = "SELECT r.entity_id, r.as_of FROM rows r JOIN persons p USING (entity_id) WHERE p.known_at < r.as_of"
    return query(sql, rows=rows, persons=histories.persons).cast(ROWS)


def _aged(histories: Histories, rows: pa.Table, aged: tuple[int, int]) -> pa.Table:
    persons = histories.persons.filter(pc.is_valid(histories.persons["birth_date"]))
    born = moments(persons["birth_date"].to_numpy())
    span = pa.table(
        {
            "entity_id": persons["entity_id"],
            "opens": years(aged[0]).after(born),
            "closes": years(aged[1] + 1).after(born),
        }
    )
    sql = """SELECT r.entity_id, r.as_of FROM rows r JOIN span s USING (entity_id)
             WHERE s.opens <= r.as_of AND r.as_of < s.closes"""
    return query(sql, rows=rows, span=span).cast(ROWS)


def _resident(histories: Histories, rows: pa.Table, length: Duration) -> pa.Table:
    at = np.unique(rows["as_of"].to_numpy())
    since = pa.table({"as_of": at, "since": length.before(at)})
    sql = f"""SELECT r.entity_id, r.as_of FROM rows r JOIN since s USING (as_of)
              SEMI JOIN residences e ON e.entity_id = r.entity_id AND e.starts_at <= s.since
                AND {visible_sql("r.as_of", "e", begins="starts_at")}"""
    return query(sql, rows=rows, since=since, residences=histories.residences).cast(ROWS)


def _having(histories: Histories, rows: pa.Table, kind: str) -> pa.Table:
    events = histories.events.filter(pc.equal(histories.events["kind"], kind))
    sql = f"""SELECT r.entity_id, r.as_of FROM rows r
              SEMI JOIN events e ON e.entity_id = r.entity_id AND {visible_sql("r.as_of", "e")}"""
    return query(sql, rows=rows, events=events).cast(ROWS)


def _first(rows: pa.Table) -> pa.Table:
    return query("SELECT entity_id, min(as_of) AS as_of FROM rows GROUP BY entity_id", rows=rows).cast(ROWS)


def _step(name: str, rows: pa.Table) -> Step:
    return Step(name, pc.count_distinct(rows["entity_id"]).as_py(), rows.num_rows)
