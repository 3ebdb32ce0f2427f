"""Below every threshold, above the joint one: what adds up only when the records are put together.

Each agency acts from a threshold of its own, written down as a dated rule. A person can stay below all of them and
still have more records in all than any agency would let pass. How many such people there are is counted here, and what
a joint rule would cost: those it would point to who do not come to harm. A count of people is no list of people: none
is made here, and no rule here decides about anybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cohorts.outcome import Outcome, outcome_of
from riskmodel.dates import Duration, Moments, moments, parse_date
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.disclosure import RULES, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import times_of, visible_rows
from riskmodel.population.contact import coded, moment_of, people_in_question
from riskmodel.population.estimate import Estimate
from riskmodel.population.rates import share
from riskmodel.tables import ROWS

ALL = "all"
BELOW, JOINT_ONLY, OWN = "below every rule", "above the joint rule only", "above an agency's own threshold"


@dataclass(frozen=True, slots=True)
class Threshold:
    """From when on an agency acts: so many of its own records within so long.

    Parameters
    ----------
    agency : str
    count : int, records from which on it acts, at least 1
    within : Duration, how far back it looks
    kinds : tuple of str, which of its records count; empty for all
    least_value : float or None, count only records of at least this value (points, days, pounds)
    valid_from, valid_until : date or ISO text, half-open; when the rule is in force; None without limit
    source : str, where the rule is written
    """

    agency: str
    count: int
    within: Duration
    kinds: tuple[str, ...] = ()
    least_value: float | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, parse_date(getattr(self, name), f"threshold.{name}"))
        faults = _faults(f"threshold of {self.agency}", self.count, self.within)
        if self.valid_from is not None and self.valid_until is not None and self.valid_from >= self.valid_until:
            found = f"from {self.valid_from} until {self.valid_until}"
            faults.append(Fault("threshold", found, "an end after the beginning", "Correct the dates of the rule."))
        if faults:
            raise DeclarationError("threshold-invalid", faults=faults)

    def in_force(self, day: dt.date) -> bool:
        """Whether the rule held on a day."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class JointRule:
    """So many records of all agencies together within so long, from at least so many of them."""

    count: int
    within: Duration
    agencies: int = 2

    def __post_init__(self) -> None:
        faults = _faults("joint rule", self.count, self.within)
        if self.agencies < 1 or self.agencies > self.count:
            expected = "between 1 and the count"
            faults.append(Fault("joint rule", f"{self.agencies} agencies", expected, "Ask for fewer agencies."))
        if faults:
            raise DeclarationError("threshold-invalid", faults=faults)


def _faults(where: str, count: int, within: Duration) -> list[Fault]:
    faults = []
    if count < 1:
        faults.append(Fault(where, f"{count} records", "at least 1", "Say how many records the rule asks for."))
    if within.nominal_days <= 0:
        faults.append(Fault(where, "no time", "a length of time", "Say how far back the rule looks, such as 1y."))
    return faults


@dataclass(frozen=True, slots=True, repr=False)
class SubThreshold:
    """How many people lie below every threshold and above the joint rule, as counts that may leave.

    Attributes
    ----------
    as_of : datetime
    table : Arrow, one row of people ``below every rule``, ``above the joint rule only`` and ``above an agency's own
        threshold`` and their sum ``all``: ``people``, and with an outcome ``yes``, ``no`` and ``unknown``
    joint_only : Estimate, share of all people in question who are above the joint rule only
    found : Estimate, of those with a known outcome the share who came to it; not estimable without an outcome
    in_force : tuple of str, agencies with a rule in force on the day
    without_rule : tuple of str, agencies with records and without one: nobody is above a threshold of theirs
    """

    as_of: dt.datetime
    table: pa.Table
    joint_only: Estimate
    found: Estimate
    in_force: tuple[str, ...]
    without_rule: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The finding, and its price."""
        row = next(row for row in self.table.to_pylist() if row["standing"] == JOINT_ONLY)
        if row["people"] is None:
            return "Too few people are below every threshold and above the joint rule for their number to leave."
        said = f"About {row['people']:,} people are below every agency's threshold and above the joint rule."
        if self.found.value is None:
            return said
        return f"{said} Of 100 like them {100 * self.found.value:.0f} came to the outcome; the others are false alarms."

    def __repr__(self) -> str:
        return f"SubThreshold({len(self.in_force)} thresholds in force, as of {self.as_of:%Y-%m-%d})"


def sub_threshold(
    histories: Histories,
    as_of: dt.datetime | dt.date | str,
    thresholds: Sequence[Threshold],
    joint: JointRule,
    *,
    outcome: Outcome | None = None,
    people: pa.Array | None = None,
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
) -> SubThreshold:
    """Count the people below every agency's own threshold and above the joint rule, and what became of them.

    Parameters
    ----------
    as_of : only what could be seen before that moment counts, and only thresholds in force on that day
    thresholds : the agencies' rules; several rules of one agency hold side by side
    outcome : what the joint rule is to see coming; unknown is kept apart from no
    people : int64, who is in question; None for everybody known by then

    Raises
    ------
    DeclarationError : a threshold of an agency of which the histories hold nothing, or none at all
    """
    at = moment_of(as_of)
    _must_be_agencies(histories, thresholds)
    persons = people_in_question(histories, at, people)
    seen = _Seen.of(visible_rows(histories.events, at), persons)
    current = [rule for rule in thresholds if rule.in_force(at.date())]
    own = np.zeros(len(persons), dtype=bool)
    for rule in current:
        own |= np.bincount(seen.person[seen.under(rule, at)], minlength=len(persons)) >= rule.count
    standing = np.where(own, OWN, np.where(_above_joint(seen, joint, at, len(persons)), JOINT_ONLY, BELOW))
    table = _released(_counted(histories, persons, at, standing, outcome), rules, ledger)
    in_force = tuple(sorted({rule.agency for rule in current}))
    without = tuple(sorted(set(seen.names) - set(in_force)))
    return SubThreshold(at, table, _share_joint(table), _found(table), in_force, without)


@dataclass(frozen=True, slots=True, repr=False)
class _Seen:
    """Visible records as (m,) arrays: whose (place among the people), when, by whom, of what kind and value."""

    person: npt.NDArray[np.int64]
    happened: Moments
    agency: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    names: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, events: pa.Table, persons: npt.NDArray[np.int64]) -> _Seen:
        wanted = pc.is_in(events.column("entity_id"), value_set=pa.array(persons, pa.int64()))
        events = events.filter(wanted)
        names, agency = coded(events.column("agency"))
        kinds, kind = coded(events.column("kind"))
        value = events.column("value").to_numpy(zero_copy_only=False).astype(np.float64)
        person = np.searchsorted(persons, events.column("entity_id").to_numpy())
        return cls(person, times_of(events, "happened_at"), agency, kind, value, names, kinds)

    def since(self, within: Duration, at: dt.datetime) -> npt.NDArray[np.bool_]:
        """Records inside the window that ends at the moment."""
        return np.asarray(self.happened >= within.before(moments([at]))[0])

    def under(self, rule: Threshold, at: dt.datetime) -> npt.NDArray[np.bool_]:
        """Records that count for a threshold; a record without a value is not of at least any."""
        if rule.agency not in self.names:
            return np.zeros(len(self.person), dtype=bool)
        mask = (self.agency == self.names.index(rule.agency)) & self.since(rule.within, at)
        if rule.kinds:
            mask &= np.isin(self.kind, [place for place, kind in enumerate(self.kinds) if kind in rule.kinds])
        return np.asarray(mask if rule.least_value is None else mask & (self.value >= rule.least_value))


def _must_be_agencies(histories: Histories, thresholds: Sequence[Threshold]) -> None:
    unknown = sorted({rule.agency for rule in thresholds} - set(histories.agencies))
    if unknown or not thresholds:
        raise DeclarationError.of(
            "agency-unknown",
            where="thresholds",
            found=", ".join(unknown) or "no threshold",
            expected=f"thresholds of some of {', '.join(histories.agencies)}",
            repair="Write down the threshold of each agency that has one.",
        )


def _above_joint(seen: _Seen, joint: JointRule, at: dt.datetime, persons: int) -> npt.NDArray[np.bool_]:
    recent = seen.since(joint.within, at)
    records = np.bincount(seen.person[recent], minlength=persons)
    sources = np.zeros(persons, dtype=np.int64)
    for place in range(len(seen.names)):
        sources += np.bincount(seen.person[recent & (seen.agency == place)], minlength=persons) > 0
    return np.asarray((records >= joint.count) & (sources >= joint.agencies))


def _counted(
    histories: Histories,
    persons: npt.NDArray[np.int64],
    at: dt.datetime,
    standing: npt.NDArray[np.str_],
    outcome: Outcome | None,
) -> pa.Table:
    labels = (BELOW, JOINT_ONLY, OWN)
    masks = {label: standing == label for label in labels} | {ALL: np.ones(len(persons), dtype=bool)}
    columns: dict[str, Any] = {"people": [int(mask.sum()) for mask in masks.values()]}
    if outcome is not None:
        rows = pa.table([pa.array(persons, pa.int64()), pa.array([at] * len(persons), ROWS.field("as_of").type)], ROWS)
        came = outcome_of(histories, outcome, rows).to_numpy(zero_copy_only=False).astype(np.float64)
        for name, held in (("yes", came == 1), ("no", came == 0), ("unknown", np.isnan(came))):
            columns[name] = [int((mask & held).sum()) for mask in masks.values()]
    counts = {name: pa.array(column, pa.int64()) for name, column in columns.items()}
    return pa.table({"standing": pa.array(masks, pa.string()), **counts})


def _released(table: pa.Table, rules: RuleSet, ledger: Ledger | None) -> pa.Table:
    counts = table.column_names[1:]
    return released(
        table,
        counts,
        totals=[Total("standing", ALL)],
        within_counts={"people": counts[1:]} if len(counts) > 1 else None,
        rules=rules,
        ledger=ledger,
        name="below every threshold",
    )


def _share_joint(table: pa.Table) -> Estimate:
    """From the released counts, so that it gives nothing more away."""
    people = {row["standing"]: row["people"] for row in table.to_pylist()}
    if people[JOINT_ONLY] is None or people[ALL] is None:
        return Estimate.hidden("Wilson 1927, from rounded counts")
    return share(min(people[JOINT_ONLY], people[ALL]), people[ALL])


def _found(table: pa.Table) -> Estimate:
    row = next(row for row in table.to_pylist() if row["standing"] == JOINT_ONLY)
    if "yes" not in row:
        return Estimate.none(0, "Wilson 1927", "no outcome was asked about")
    if row["yes"] is None or row["no"] is None:
        return Estimate.hidden("Wilson 1927, from rounded counts")
    return share(row["yes"], row["yes"] + row["no"])
