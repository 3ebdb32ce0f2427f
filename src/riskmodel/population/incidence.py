"""How often something happens to the people at risk: rates per person-time, straight from histories.

At risk is who has a known address in the area, for as long as it is known; an event counts if it happened to somebody
at risk, in the period, and could be seen on the as-of date. A rate by group leaves only where the people behind it may
be counted, and is made from the rounded counts. It is the rate of a group, never a person's risk.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import parse_date
from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.disclosure import RULES, SHOWN, RuleSet, released
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import times_of, visible_rows
from riskmodel.population.contact import moment_of
from riskmodel.population.estimate import Estimate
from riskmodel.population.rates import person_years, rate

By = Literal["sex", "ethnicity"]
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Incidence:
    """Events per person-time at risk, by group.

    Attributes
    ----------
    table : Arrow, one row a group: ``group``, ``people`` with an event, ``events``, ``person_years`` at risk, and
        ``disclosure``; a row whose people may not be counted shows neither of its two counts
    rates : tuple of (group, Estimate), per `per` person-years, from the rounded counts
    per : float
    """

    table: pa.Table
    rates: tuple[tuple[str, Estimate], ...]
    per: float

    def of(self, group: str) -> Estimate:
        """The rate of one group."""
        return dict(self.rates)[group]

    def __repr__(self) -> str:
        return f"Incidence({len(self.rates)} groups)"


def incidence(
    histories: Histories,
    kind: str,
    between: tuple[dt.date | str, dt.date | str],
    *,
    as_of: dt.datetime | dt.date | str,
    by: By | None = None,
    role: str | None = None,
    per: float = 1000,
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
) -> Incidence:
    """The rate of a kind of event among the people at risk.

    Parameters
    ----------
    between : (first, last), half-open, not beyond `as_of`
    as_of : only what could be seen before that moment counts, addresses too
    by : "sex" or "ethnicity"; None for everybody in one group, "all". Who has none recorded is the group "unknown".
    role : count only events with this role

    Raises
    ------
    DeclarationError : an unknown kind, or a period that is empty or not over on the as-of date
    """
    at = moment_of(as_of)
    first, last = (parse_date(day, "between") for day in between)
    _must_be_over(histories, kind, first, last, at)
    group_of = _groups(histories, by)
    spells = visible_rows(histories.residences, at, begins="starts_at")
    events = _events_at_risk(visible_rows(histories.events, at), spells, kind, role, first, last)
    ids = spells.column("entity_id").to_numpy()
    groups = np.array([group_of.get(person, UNKNOWN if by else "all") for person in ids.tolist()], dtype=object)
    names = sorted({*group_of.values(), *groups.tolist()}) or ["all"]
    rows = [_row(name, events, ids, groups, spells, group_of, first, last) for name in names]
    made = released(
        pa.Table.from_pylist(rows), ["people", "events"], rules=rules, ledger=ledger, name=f"rate of {kind}"
    )
    table = _whole_rows_only(made)
    rates = tuple((row["group"], _rate(row, per)) for row in table.to_pylist())
    return Incidence(table, rates, per)


def _must_be_over(histories: Histories, kind: str, first: dt.date, last: dt.date, at: dt.datetime) -> None:
    faults = []
    if kind not in histories.kinds:
        faults.append(
            Fault("kind", kind, f"one of {', '.join(histories.kinds)}", "Name a kind that the histories hold.")
        )
    if not first < last or dt.datetime.combine(last, dt.time()) > at:
        expected = "a first day before the last, and a last day not after the as-of date"
        faults.append(Fault("between", f"{first} to {last} as of {at:%Y-%m-%d}", expected, "Correct the period."))
    if faults:
        raise DeclarationError("incidence-invalid", faults=faults)


def _groups(histories: Histories, by: By | None) -> dict[int, str]:
    persons = histories.persons
    ids = persons.column("entity_id").to_pylist()
    words = persons.column(by).to_pylist() if by else ["all"] * len(ids)
    return {person: word or UNKNOWN for person, word in zip(ids, words, strict=True)}


def _events_at_risk(
    events: pa.Table, spells: pa.Table, kind: str, role: str | None, first: dt.date, last: dt.date
) -> npt.NDArray[np.int64]:
    """Whose the events are that happened in the period to people with an address at that moment."""
    held = events.filter(pc.equal(events.column("kind"), kind))
    if role is not None:
        held = held.filter(pc.equal(held.column("role"), role))
    moments_of = times_of(held, "happened_at")
    inside = (moments_of >= np.datetime64(first)) & (moments_of < np.datetime64(last))
    held = held.filter(pa.array(inside)).select(["entity_id", "happened_at"])
    found = query(
        """
        SELECT e.entity_id FROM events e WHERE EXISTS (
            SELECT 1 FROM spells s WHERE s.entity_id = e.entity_id AND s.starts_at <= e.happened_at
            AND (s.ends_at IS NULL OR e.happened_at < s.ends_at)
        ) ORDER BY e.entity_id
        """,
        events=held,
        spells=spells.select(["entity_id", "starts_at", "ends_at"]),
    )
    return np.asarray(found.column("entity_id").to_numpy(), dtype=np.int64)


def _row(
    name: str,
    events: npt.NDArray[np.int64],
    ids: npt.NDArray[np.int64],
    groups: npt.NDArray[np.object_],
    spells: pa.Table,
    group_of: dict[int, str],
    first: dt.date,
    last: dt.date,
) -> dict[str, object]:
    mine = groups == name
    own = [person for person in events.tolist() if group_of.get(person, UNKNOWN) == name or name == "all"]
    starts, ends = times_of(spells, "starts_at")[mine], times_of(spells, "ends_at")[mine]
    at_risk = round(person_years(ids[mine], starts, ends, first, last))
    return {"group": name, "people": len(set(own)), "events": len(own), "person_years": at_risk}


def _whole_rows_only(table: pa.Table) -> pa.Table:
    """Neither count of a row of which one is hidden: many events of few people tell of those people."""
    shown = np.asarray(table.column("disclosure").to_pylist()) == SHOWN
    for name in ("people", "events"):
        column = pc.if_else(pa.array(shown), table.column(name).combine_chunks(), pa.scalar(None, pa.int64()))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _rate(row: dict[str, int | None], per: float) -> Estimate:
    if row["events"] is None or row["people"] is None:
        return Estimate.hidden("from rounded counts")
    if not row["person_years"]:
        return Estimate.none(row["events"], "from rounded counts", "less than half a person-year at risk")
    return rate(row["events"], row["person_years"], per=per)
