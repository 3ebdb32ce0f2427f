"""The people on no list, for a partnership: which records make a list, who is on which, and what that says of the rest.

The combinations of lists leave as a table of counts. The estimate needs the counts themselves, hidden ones too, so that
it leaves rounded; beside it always stand the stepwise choice and the average over models, what missed links would
change, and the published criticism.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from riskmodel.dates import Duration, moments
from riskmodel.errors import DataRefused, DeclarationError, Fault, NotFound
from riskmodel.governance.disclosure import RuleSet, Total
from riskmodel.population.cube import ALL
from riskmodel.population.estimate import Estimate
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.missed_links import WithMissedLinks, by_missed_links
from riskmodel.population.periods import text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.population.unseen import Unseen, averaged, stepwise

LISTS = "on_which_lists"
MISSED_LINKS = (0.0, 0.02, 0.05, 0.1)
"""Shares of missed links for which the estimate is given; which one holds, the quality of the linkage says."""


@dataclass(frozen=True, slots=True)
class KnownBy:
    """One list: the people of whom an agency holds a record of some kinds.

    Parameters
    ----------
    name : str
    agency : str
    kinds : tuple of str
    role : str or None, narrows the records
    """

    name: str
    agency: str
    kinds: tuple[str, ...]
    role: str | None = None

    def sql(self) -> str:
        """Whether a row of events puts its person on the list."""
        kinds = ", ".join(text_sql(kind) for kind in self.kinds)
        role = "" if self.role is None else f" AND role = {text_sql(self.role)}"
        return f"agency = {text_sql(self.agency)} AND kind IN ({kinds}){role}"


@dataclass(frozen=True, slots=True)
class UnseenPlan:
    """Who is asked about, and the lists they may be on.

    Parameters
    ----------
    title : str, such as "People harmed by violence within a year"
    lists : tuple of KnownBy, three to ten (two cannot tell whether they hang together)
    within : Duration, how far back a record counts
    missed_links : tuple of float, shares of missed links to give the estimate for
    """

    title: str
    lists: tuple[KnownBy, ...]
    within: Duration
    missed_links: tuple[float, ...] = MISSED_LINKS


@dataclass(frozen=True, slots=True)
class UnseenFound:
    """What the lists say, as it may leave.

    Attributes
    ----------
    title : str, who is asked about
    lists : tuple of str
    seen : int or None, people on at least one list, as released
    average, chosen : Unseen or None, over all models and by stepwise choice; None where the lists do not settle one
    by_links : tuple of WithMissedLinks
    why_not : str, why there is no estimate; empty when there is one
    """

    title: str
    lists: tuple[str, ...]
    seen: int | None
    average: Unseen | None
    chosen: Unseen | None
    by_links: tuple[WithMissedLinks, ...]
    why_not: str = ""


def must_be_lists(plan: UnseenPlan, kinds: dict[str, dict[str, int]]) -> None:
    """Refuse fewer than three lists, a name twice, and kinds that the agency does not record."""
    faults: list[Fault] = []
    names = [one.name for one in plan.lists]
    if not 3 <= len(names) <= 10 or len(set(names)) < len(names):
        found = f"{len(names)} lists, {len(set(names))} with different names"
        faults.append(Fault("unseen.list", found, "three to ten lists with different names", "Name each list once."))
    for one in plan.lists:
        strange = sorted(kind for kind in one.kinds if one.agency not in kinds.get(kind, {}))
        if strange or not one.kinds:
            found = f"{one.name}: {', '.join(strange) or 'no kind'}"
            faults.append(Fault("unseen.list", found, f"kinds that {one.agency} records", "Name what it records."))
    if faults:
        raise DeclarationError("lists-invalid", faults=faults)


def measure_unseen(publication: Publication, reading: Reading, plan: UnseenPlan) -> UnseenFound:
    """Count who is on which of the plan's lists, and estimate how many are on none."""
    since = plan.within.before(moments([reading.as_of]))[0]
    flags = ", ".join(f"bool_or({one.sql()})::INT AS l{at}" for at, one in enumerate(plan.lists))
    columns = ", ".join(f"l{at}" for at in range(len(plan.lists)))
    some = " OR ".join(f"({one.sql()})" for one in plan.lists)
    found = reading.query(
        f"""SELECT {columns}, count(*) AS people FROM (
                SELECT entity_id, {flags} FROM events WHERE entity_id IS NOT NULL AND ({some})
                AND happened_at >= TIMESTAMP '{since}' GROUP BY entity_id) GROUP BY ALL ORDER BY ALL"""
    )
    member = np.column_stack([found.column(at).to_numpy() for at in range(len(plan.lists))])
    counts = ListCounts.of(tuple(one.name for one in plan.lists), member, found.column("people").to_numpy())
    return leave_unseen(publication, counts, plan.title, plan.missed_links)


def leave_unseen(
    publication: Publication, counts: ListCounts, title: str, missed_links: Sequence[float] = MISSED_LINKS
) -> UnseenFound:
    """Release who is on which lists, and the estimates rounded as the rules round counts."""
    left = publication.leave(
        LISTS,
        f"{title}, by the lists they are on",
        _combinations(counts),
        keys=("lists",),
        counts=("people",),
        totals=[Total("lists", ALL)],
    )
    seen = next(row["people"] for row in left.to_pylist() if row["lists"] == ALL)
    try:
        average, chosen = averaged(counts), stepwise(counts)
        by_links = by_missed_links(counts, missed_links)
    except DataRefused as refusal:
        return UnseenFound(title, counts.lists, seen, None, None, (), refusal.found)
    rules = publication.rules
    made = [_leaving(one, rules) for one in (average, chosen)]
    for one, name in zip(made, ("average over models", "one model, chosen stepwise"), strict=True):
        publication.figure(LISTS, f"people on a list or on none, {name}", one.total)
    corrected = tuple(replace(one, seen=rules.rounded(one.seen), total=_rounded(one.total, rules)) for one in by_links)
    for link in corrected:
        publication.figure(LISTS, f"people on a list or on none, {link.missed:.0%} of links missed", link.total)
    return UnseenFound(title, counts.lists, seen, made[0], made[1], corrected)


def lists_in(path: str | Path, joined: Sequence[str] = ()) -> ListCounts:
    """Who is on which list, from an open CSV: a column of 0 and 1 a list, and a last one with the people.

    Parameters
    ----------
    joined : pairs of lists to be taken as one, such as "PF+NCA"

    Raises
    ------
    NotFound : no such file
    DataRefused : a cell that is no whole number, or too few lists
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(
            "lists-missing",
            found=f"no file {path.name}",
            expected="a CSV with a column of 0 and 1 for each list, and a last one with the people",
            repair="Give the path of the table.",
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = list(csv.reader(file))
    try:
        table = np.array([[int(cell) for cell in row] for row in rows if row], dtype=np.int64)
    except ValueError as error:
        raise DataRefused(
            "lists-invalid",
            found=f"{path.name} with a cell that is no whole number",
            expected="0 or 1 in the columns of lists, and people in the last",
            repair="Correct the table.",
        ) from error
    made = ListCounts.of(tuple(head[:-1]), table[:, :-1], table[:, -1])
    for pair in joined:
        one, _, other = pair.partition("+")
        if one not in made.lists or other not in made.lists or one == other:
            raise DeclarationError.of(
                "lists-invalid",
                where="join",
                found=repr(pair),
                expected=f"two of {', '.join(made.lists)} with a + between",
                repair="Write the names as they stand in the first line of the table.",
            )
        made = made.joined(one, other)
    return made


def _combinations(counts: ListCounts) -> pa.Table:
    labels = [" + ".join(name for name, on in zip(counts.lists, cell, strict=True) if on) for cell in counts.cells]
    people = counts.counts.astype(np.int64)
    return pa.table({"lists": [*labels, ALL], "people": [*people.tolist(), int(people.sum())]})


def _leaving(made: Unseen, rules: RuleSet) -> Unseen:
    models = tuple(
        replace(one, total=_near(one.total, rules), low=_near(one.low, rules), high=_near(one.high, rules))
        for one in made.models
    )
    return replace(made, total=_rounded(made.total, rules), seen=rules.rounded(made.seen), models=models)


def _rounded(made: Estimate, rules: RuleSet) -> Estimate:
    value, low, high = (None if end is None else _near(end, rules) for end in (made.value, made.low, made.high))
    return replace(made, n=rules.rounded(made.n), value=value, low=low, high=high)


def _near(value: float, rules: RuleSet) -> float:
    """To twice what counts are rounded to: coarser than any count it was worked out from."""
    step = 1 if rules.round_to == 1 else 2 * rules.round_to
    return float(step * round(value / step)) if np.isfinite(value) else value
