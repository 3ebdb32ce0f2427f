"""Panels from records: counts of several agencies' events in each unit and period, as they were known.

A cell is counted once, at one moment: `settles_after` after its period ends, or at the day up to which everything is
known when there is no such delay, and with the package's time rule. So a late period is not counted with less hindsight
than an early one. A cell that cannot be judged is NaN, never 0: its agency had not delivered so far, or had recorded
nothing yet. Outcomes are opened only for a plan that stands in the ledger; before that, only the periods before the
first start can be counted.

A worked example: quarters, settling 30 days. What happened on 5 March 2020 and became known on 20 April is in the first
quarter's count (judged on 1 May, as 30 days after 1 April); had it become known on 2 May, it would not be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Duration, Moments, moments
from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.design import Plan, PlannedOutcome, UnitKind
from riskmodel.policies.facts import counts_of_dyads, counts_of_people, dyad_members, facts_of, first_day
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.registration import open_outcomes
from riskmodel.policies.roll_out import Starts

Size = TypeVar("Size", np.float32, np.float64)
DAYS, RESIDENTS = "days", "residents"
"""Exposures: the length of the period; how many people were known to live in the place or area when it began."""
PERSON_DAYS = "resident_days"
"""Exposure of a person: the days of the period with a known address."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How cells are counted.

    Parameters
    ----------
    unit : "person", "dyad", "place" or "area"
    calendar : Calendar
    settles_after : Duration, from a period's end until its count is taken; None counts every period on `known_by`
    known_by : date, nothing that became known on or after it is counted; None is the day up to which all the
        outcomes' agencies have delivered
    covered_from : mapping of agency to the day since which it recorded; by default the day of its first event
    """

    unit: UnitKind
    calendar: Calendar
    settles_after: Duration | None = None
    known_by: dt.date | None = None
    covered_from: Mapping[str, dt.date] | None = None

    @property
    def when(self) -> str:
        """When the cells are counted, in words."""
        if self.settles_after is not None:
            return f"{self.settles_after} after each period"
        return "all at once" if self.known_by is None else f"all on {self.known_by}"


def open_panel(histories: Histories, plan: Plan, ledger: Ledger, *, known_by: dt.date | None = None) -> Panel:
    """The panel of a registered plan; that its outcomes are opened is written into the ledger first.

    Parameters
    ----------
    known_by : date or None, as of which everything is counted (see `Counting`)

    Raises
    ------
    EvidenceError : the plan does not stand in the ledger
    DeclarationError : an outcome that no agency records
    """
    counting = Counting(plan.unit, plan.calendar, plan.settles_after, known_by)
    must_be_recorded(histories, plan.outcomes)
    _must_be_known(histories, plan.unit, plan.units)
    open_outcomes(plan, ledger, histories.fingerprint)
    return count_panel(histories, counting, plan.outcomes, plan.units, plan.first_treated())


def panel_before(histories: Histories, plan: Plan) -> Panel:
    """The periods before anybody's start, for power and for checks: it opens no outcome and needs no ledger.

    Nothing that became known on or after the first start's period is in it, so the last periods, whose records had not
    settled by then, are left out. Every unit is untreated here; which of them will be treated is in the plan.

    Raises
    ------
    DeclarationError : fewer than two periods had settled before the first start
    """
    edges = plan.calendar.edges()
    start = edges[int(plan.first_treated().min())]
    settled = int((plan.settles_after.after(edges[1:]) <= start).sum())
    begins, ends, known_by = (day.astype("datetime64[D]").astype(dt.date) for day in (edges[0], edges[settled], start))
    counting = Counting(plan.unit, Calendar(begins, ends, plan.every), plan.settles_after, known_by)
    return count_panel(histories, counting, plan.outcomes, plan.units, np.full(len(plan.units), NEVER))


def count_panel(
    histories: Histories,
    counting: Counting,
    outcomes: Sequence[PlannedOutcome],
    units: Sequence[int | str],
    starts: Starts,
) -> Panel:
    """Count each outcome in each unit and period, and the exposures beside it.

    Parameters
    ----------
    units : (n,) entity ids, place ids or area names: all of them are in the panel, also those without any event
    starts : (n,) first treated period of each unit

    Returns
    -------
    Panel; its measures are the outcomes' names, "days", and "residents" (places and areas) or "resident_days" (persons)

    Raises
    ------
    DeclarationError : an outcome that its agency does not record
    DataRefused : a unit that is in no record, or an outcome of which no fact has a place or an address
    """
    must_be_recorded(histories, outcomes)
    _must_be_known(histories, counting.unit, units)
    order = np.argsort(np.asarray(units), kind="stable")
    names = np.asarray(units)[order]
    judged = _judged(histories, counting, outcomes)
    grid = _Grid(counting, names, judged)
    counted = {outcome.name: _counts(histories, grid, outcome) for outcome in outcomes}
    measures = {name: counts for name, (counts, _) in counted.items()} | _exposures(histories, grid)
    uncounted = {name: lost for name, (_, lost) in counted.items()}
    labels = counting.calendar.edges()[:-1].astype("datetime64[D]")
    return Panel(names, labels, np.asarray(starts, np.int64)[order], measures, counting.when, uncounted)


def must_be_recorded(histories: Histories, outcomes: Sequence[PlannedOutcome]) -> None:
    """Refuse outcomes whose agency records no such kind, all at once."""
    faults = [
        Fault(
            f"outcome {outcome.name}",
            f"{outcome.kind!r}, which {outcome.agency} does not record",
            f"a kind in the histories: {', '.join(sorted(histories.kinds))}",
            "Name the agency that records it.",
        )
        for outcome in outcomes
        if not histories.kinds.get(outcome.kind, {}).get(outcome.agency)
    ]
    if faults:
        raise DeclarationError("outcome-not-recorded", faults=faults)


def _must_be_known(histories: Histories, unit: UnitKind, units: Sequence[int | str]) -> None:
    """Refuse units that are in no record: their zeros would be silence, not calm."""
    known = {
        "person": lambda: histories.persons["entity_id"],
        "dyad": lambda: histories.persons["entity_id"],
        "place": lambda: pa.chunked_array(
            [*histories.residences["place_id"].chunks, *histories.events["place_id"].chunks], pa.int64()
        ),
        "area": lambda: histories.residences["area"],
    }[unit]()
    named = dyad_members(units) if unit == "dyad" else units
    there = pc.is_in(pa.array(named), value_set=pc.unique(known))
    if strangers := len(named) - pc.sum(there).as_py():
        raise DataRefused(
            "units-unknown",
            found=f"{strangers:,} of {len(named):,} units that are in no record",
            expected=f"each {unit} known to the histories",
            repair="Correct the units, or leave out those that no agency knows.",
        )


@dataclass(frozen=True, repr=False, eq=False)
class _Grid:
    """Units (sorted) by periods, and the moment at which each period is judged."""

    counting: Counting
    units: npt.NDArray[np.int64] | npt.NDArray[np.str_]
    judged: Moments

    @property
    def edges(self) -> Moments:
        return self.counting.calendar.edges()

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.units), len(self.edges) - 1

    def unit_table(self) -> pa.Table:
        return pa.table({"unit": pa.array(self.units), "row": np.arange(len(self.units))})

    def period_table(self) -> pa.Table:
        opens, closes = self.edges[:-1], self.edges[1:]
        return pa.table({"period": np.arange(len(opens)), "opens": opens, "closes": closes, "judged_at": self.judged})

    def filled(self, table: pa.Table, value: str, size: type[Size]) -> npt.NDArray[Size]:
        """(n, T) the table's values at (row, period), 0 where it has no row."""
        made = np.zeros(self.shape, size)
        made[table["row"].to_numpy(), table["period"].to_numpy()] = table[value].to_numpy()
        return made


def _judged(histories: Histories, counting: Counting, outcomes: Sequence[PlannedOutcome]) -> Moments:
    """When each period is judged: after its settling time, or all at once."""
    closes = counting.calendar.edges()[1:]
    if counting.settles_after is not None:
        return counting.settles_after.after(closes)
    delivered = min(histories.covered_until[outcome.agency] for outcome in outcomes)
    at = delivered if counting.known_by is None else min(counting.known_by, delivered)
    return np.full(len(closes), moments([at])[0])


def _counts(histories: Histories, grid: _Grid, outcome: PlannedOutcome) -> tuple[npt.NDArray[np.float32], int]:
    """(n, T) counts of the outcome's facts, NaN in periods that cannot be judged; and the facts that are of no unit."""
    facts = facts_of(histories, outcome.agency, outcome.kind, outcome.role)
    judged = _can_be_judged(histories, grid, outcome.agency)
    if grid.counting.unit == "person":
        counted, nobody = counts_of_people(facts, grid.units.astype(np.int64), grid.edges, grid.judged)
        counted[:, ~judged] = np.nan
        return counted, int(nobody[judged].sum())
    if grid.counting.unit == "dyad":
        pairs = grid.filled(counts_of_dyads(facts, grid.unit_table(), grid.period_table()), "n", np.float32)
        pairs[:, ~judged] = np.nan
        return pairs, 0
    unit, joined = _LOCATED[outcome.where]
    sql = _COUNTED.format(unit=unit.format(**_COLUMNS[grid.counting.unit]), joined=joined)
    tables = {"units": grid.unit_table(), "periods": grid.period_table(), "residences": histories.residences}
    found = query(sql, facts=facts, **tables)
    inside = found.filter(pc.is_valid(found["row"]))
    counts = grid.filled(inside, "n", np.float32)
    counts[:, ~judged] = np.nan
    of_none = found.filter(pc.invert(found["located"]))
    lost = int(of_none["n"].to_numpy()[judged[of_none["period"].to_numpy()]].sum())
    if lost and not found["located"].to_numpy(zero_copy_only=False).any():
        raise _placeless(outcome, lost, grid.counting.unit)
    return counts, lost


def _placeless(outcome: PlannedOutcome, lost: int, unit: UnitKind) -> DataRefused:
    lacking = "known address of the person" if outcome.where == "home" else "place"
    return DataRefused(
        "outcome-without-place",
        found=f"{lost:,} facts of {outcome.name}, none of them with a {lacking}",
        expected=f"facts that can be counted in a {unit}",
        repair='Write where = "home" to count them where the person lived, or study persons.',
    )


def _can_be_judged(histories: Histories, grid: _Grid, agency: str) -> npt.NDArray[np.bool_]:
    """(T,) whether the agency had delivered all of the period, and what became known until it was judged."""
    counting, opens, closes = grid.counting, grid.edges[:-1], grid.edges[1:]
    delivered = moments([histories.covered_until[agency]])[0]
    limit = delivered if counting.known_by is None else min(delivered, moments([counting.known_by])[0])
    since = (counting.covered_from or {}).get(agency) or first_day(histories, agency)
    return np.asarray((grid.judged <= limit) & (closes <= grid.judged) & _from(opens, closes, since, counting, agency))


def _from(opens: Moments, closes: Moments, since: dt.date, counting: Counting, agency: str) -> npt.NDArray[np.bool_]:
    """A day that was told must lie before the period; one only seen from the first event may lie inside it."""
    told = counting.covered_from is not None and agency in counting.covered_from
    return np.asarray((opens if told else closes - np.timedelta64(1, "us")) >= moments([since])[0])


def _exposures(histories: Histories, grid: _Grid) -> dict[str, Numbers]:
    """The length of each period, and the people or days at risk in it, as known when the period was judged."""
    lengths = np.diff(grid.edges) / np.timedelta64(1, "D")
    made = {DAYS: np.broadcast_to(lengths, grid.shape)}
    spells, unit = histories.residences, grid.counting.unit
    if unit == "dyad":
        return made
    tables = {"spells": spells, "units": grid.unit_table(), "periods": grid.period_table()}
    if unit == "person":
        found = query(_RESIDENT_DAYS, **tables)
        return made | {PERSON_DAYS: np.minimum(grid.filled(found, "days", np.float64), lengths)}
    column = "s.place_id" if unit == "place" else "s.area"
    return made | {RESIDENTS: grid.filled(query(_RESIDENTS.format(column=column), **tables), "n", np.float64)}


_COLUMNS: Final = {
    "place": {"home": "s.place_id", "event": "e.place_id"},
    "area": {"home": "s.area", "event": "a.area"},
}
_LOCATED: Final = {
    # which area a place lies in is geography, not knowledge of a person: it does not depend on when it was known
    "event": ("{event}", "LEFT JOIN areas a ON a.place_id = e.place_id"),
    "home": (
        "{home}",
        f"""LEFT JOIN residences s ON s.entity_id = e.entity_id AND s.starts_at <= e.happened_at
            AND (s.ends_at IS NULL OR e.happened_at < s.ends_at)
            AND {visible_sql("e.judged_at", "s", begins="starts_at")}""",
    ),
}
_COUNTED: Final = f"""
WITH areas AS (
    SELECT place_id, area FROM residences WHERE area IS NOT NULL
    GROUP BY place_id, area QUALIFY row_number() OVER (PARTITION BY place_id ORDER BY count(*) DESC, area) = 1
), seen AS (
    SELECT f.event_id, f.happened_at, f.entity_id, f.place_id, p.period, p.judged_at
    FROM facts f JOIN periods p ON p.opens <= f.happened_at AND f.happened_at < p.closes
    WHERE {visible_sql("p.judged_at", "f")}
), located AS (
    SELECT e.event_id, e.period, {{unit}} AS unit FROM seen e {{joined}}
)
SELECT u.row, l.period, l.unit IS NOT NULL AS located, count(DISTINCT l.event_id)::DOUBLE AS n
FROM located l LEFT JOIN units u ON l.unit = u.unit GROUP BY ALL
"""
_RESIDENTS: Final = f"""
SELECT u.row, p.period, count(DISTINCT s.entity_id)::DOUBLE AS n
FROM spells s JOIN units u ON {{column}} = u.unit
JOIN periods p ON s.starts_at <= p.opens AND (s.ends_at IS NULL OR p.opens < s.ends_at)
WHERE {visible_sql("p.judged_at", "s", begins="starts_at")} GROUP BY ALL
"""
_RESIDENT_DAYS: Final = f"""
SELECT u.row, p.period, sum(epoch_us(least(coalesce(s.ends_at, p.closes), p.closes))
                            - epoch_us(greatest(s.starts_at, p.opens))) / 86400000000.0 AS days
FROM spells s JOIN units u ON s.entity_id = u.unit
JOIN periods p ON s.starts_at < p.closes AND (s.ends_at IS NULL OR p.opens < s.ends_at)
WHERE {visible_sql("p.judged_at", "s", begins="starts_at")} GROUP BY ALL
"""
