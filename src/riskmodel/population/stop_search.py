"""Stop and search: how often whom, beside who lives there, with what the records leave open.

The rate of a group is a rate of searches, not of people searched, and resident people are not those who were about.
Three things are never passed over: searches without a stated ethnicity (bounds), groups that a table leaves out where
they were never searched (their people still belong under the line), and where the searches were made (standardised
for place). A disparity here is a disparity; what made it is not in these tables.

Sources: Mantel and Haenszel 1959, Rothman, Greenland and Lash 2008, ch. 15 (ratio over strata); Miller 1974 and Lipsitz
et al. 1990 (leaving out one cluster at a time); Manski 2003 (bounds for what is missing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from scipy import stats

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.disclosure import RULES, RuleSet, released
from riskmodel.governance.ledger import Ledger
from riskmodel.population.estimate import Estimate, Numbers, critical_value
from riskmodel.population.rates import rate, rate_ratio

UNKNOWN = "Unknown"

_WEIGHTY = 0.1
"""A place without which the logarithm of the ratio moves by that much is named as weighty."""


@dataclass(frozen=True, repr=False, eq=False)
class Searches:
    """Searches and residents by place and group.

    Attributes
    ----------
    places, groups : tuple of str, sorted; the unstated group is not among `groups`
    counts : (places, groups) float64, searches
    unstated : (places,) float64, searches without a stated ethnicity
    people : (places, groups) float64, residents; where the table leaves a group out, a share of the rest of the place
    people_low, people_high : (places, groups) float64, what the residents are at least and at most
    put_back : float, residents of groups that the table left out
    years : float, the length of the period
    """

    places: tuple[str, ...]
    groups: tuple[str, ...]
    counts: Numbers
    unstated: Numbers
    people: Numbers
    people_low: Numbers
    people_high: Numbers
    put_back: float
    years: float

    @classmethod
    def of(
        cls, table: pa.Table, residents: Mapping[str, float] | None = None, *, years: float, unstated: str = UNKNOWN
    ) -> Searches:
        """From a long table of ``place``, ``group``, ``searches`` and ``people``; several rows of a pair are added up.

        Parameters
        ----------
        residents : all people of each place. A table made from searches has no row for a group that was never searched
            in a place; without the residents its people would be missing under the line and its rate too high. What a
            place's rows leave over is given to the groups it does not name, in proportion to their size elsewhere.
            None says that the table names every group everywhere.
        years : float, length of the period
        unstated : the word for searches without a stated ethnicity

        Raises
        ------
        DataRefused : a pair with two different numbers of people, or missing values
        """
        rows = _rows(table)
        if years <= 0:
            raise DeclarationError.of(
                "years-invalid",
                where="years",
                found=f"{years:g}",
                expected="a period longer than nothing",
                repair="Say how many years the table covers, such as 3 for 36 months.",
            )
        places = tuple(sorted({place for place, _ in rows}))
        groups = tuple(sorted({group for _, group in rows} - {unstated}))
        counts, people = np.zeros((len(places), len(groups))), np.full((len(places), len(groups)), np.nan)
        none_stated = np.zeros(len(places))
        for (place, group), (searches, size) in rows.items():
            if group == unstated:
                none_stated[places.index(place)] = searches
            else:
                counts[places.index(place), groups.index(group)] = searches
                people[places.index(place), groups.index(group)] = size
        filled, least, most = _with_left_out(people, places, residents)
        put_back = float(filled.sum() - np.nansum(people))
        return cls(places, groups, counts, none_stated, filled, least, most, put_back, years)

    def __repr__(self) -> str:
        return f"Searches({len(self.places)} places, {len(self.groups)} groups, {int(self.counts.sum()):,} searches)"


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group's searches.

    Attributes
    ----------
    group : str
    searches : int
    people : float, residents
    rate : Estimate, searches per 1,000 residents and year; its interval is that of independent searches
    rate_bounds : (low, high) that rate when the group's residents are as many, or as few, as the tables allow, and
        when none, or all, of the searches without a stated ethnicity were of this group
    relative : Estimate, the rate over that of the reference group
    relative_bounds : (low, high) the same when all searches without a stated ethnicity were of the reference group,
        or all of this group, each with the residents that go with it
    within_places : Estimate, the ratio of the rates inside the same places (Mantel and Haenszel), its interval from
        leaving out one place at a time, so that it holds how differently places search
    """

    group: str
    searches: int
    people: float
    rate: Estimate
    rate_bounds: tuple[float, float]
    relative: Estimate
    relative_bounds: tuple[float, float]
    within_places: Estimate


@dataclass(frozen=True, slots=True)
class SearchRates:
    """The rates of all groups against one of them.

    Attributes
    ----------
    reference : str
    groups : tuple of GroupRate
    unstated : int, searches without a stated ethnicity
    unstated_share : float
    left_out : float, residents of groups that the table did not name where they lived
    cautions : tuple of str, what a reader has to know beside the figures
    """

    reference: str
    groups: tuple[GroupRate, ...]
    unstated: int
    unstated_share: float
    left_out: float
    cautions: tuple[str, ...]

    def of(self, group: str) -> GroupRate:
        """The rate of one group."""
        return next(made for made in self.groups if made.group == group)

    def released(self, *, rules: RuleSet = RULES["hes"], ledger: Ledger | None = None) -> pa.Table:
        """Searches and rates as they may leave: small counts hidden, rates made again from rounded counts."""
        rows = [(made.group, made.searches, round(made.people)) for made in self.groups]
        names, searches, people = (list(column) for column in zip(*rows, strict=True))
        table = pa.table({"group": names, "searches": searches, "people": people})
        return released(
            table.append_column("searches_per_resident", pa.nulls(len(rows), pa.float64())),
            ["searches", "people"],
            ratios={"searches_per_resident": ("searches", "people")},
            rules=rules,
            ledger=ledger,
            name="stop and search by group",
        )


def search_rates(
    searches: Searches, *, reference: str = "White", per: float = 1000, confidence: float = 0.95
) -> SearchRates:
    """Each group's rate, its ratio to the reference group's, and the same within places.

    Raises
    ------
    DeclarationError : a reference group that is not in the table
    """
    if reference not in searches.groups:
        raise DeclarationError.of(
            "group-unknown",
            where="reference",
            found=repr(reference),
            expected=f"one of {', '.join(searches.groups)}",
            repair="Name a group of the table to compare with.",
        )
    made = tuple(_group(searches, place, reference, per, confidence) for place in range(len(searches.groups)))
    unstated = int(searches.unstated.sum())
    share = unstated / (unstated + float(searches.counts.sum()))
    return SearchRates(reference, made, unstated, share, searches.put_back, _cautions(share, searches.put_back))


def _group(searches: Searches, at: int, reference: str, per: float, confidence: float) -> GroupRate:
    base = searches.groups.index(reference)
    counts, people = searches.counts.sum(axis=0), searches.people.sum(axis=0) * searches.years
    unstated = float(searches.unstated.sum())
    least, most = (part.sum(axis=0) * searches.years for part in (searches.people_low, searches.people_high))
    relative = rate_ratio(counts[at], people[at], counts[base], people[base], confidence=confidence)
    bounds = (
        counts[at] / most[at] / ((counts[base] + unstated) / least[base]) if least[base] else 0.0,
        (counts[at] + unstated) / least[at] / (counts[base] / most[base]) if counts[base] and least[at] else np.inf,
    )
    if at == base:
        relative, bounds = replace(relative, value=1.0, low=1.0, high=1.0, state="ok", method="the reference"), (1, 1)
    return GroupRate(
        searches.groups[at],
        int(counts[at]),
        float(people[at] / searches.years),
        rate(counts[at], people[at], per=per, confidence=confidence),
        (float(counts[at] / most[at] * per), float((counts[at] + unstated) / least[at] * per) if least[at] else np.inf),
        relative,
        (float(bounds[0]), float(bounds[1])),
        relative if at == base else ratio_within_places(searches, searches.groups[at], reference, confidence),
    )


def ratio_within_places(searches: Searches, group: str, reference: str, confidence: float = 0.95) -> Estimate:
    """The ratio of two groups' rates inside the same places, over all places (Mantel and Haenszel 1959).

    The interval is from the jackknife over places: Student's t with one degree of freedom less than places.
    """
    one, base = searches.groups.index(group), searches.groups.index(reference)
    critical_value(confidence)
    people, base_people = searches.people[:, one], searches.people[:, base]
    both = people + base_people
    held = both > 0
    over = searches.counts[held, one] * base_people[held] / both[held]
    under = searches.counts[held, base] * people[held] / both[held]
    n, method = int(searches.counts[:, [one, base]].sum(axis=0).min()), "Mantel-Haenszel, jackknife over places"
    places = int(held.sum())
    without_over, without_under = over.sum() - over, under.sum() - under
    if places < 10 or not (without_over > 0).all() or not (without_under > 0).all():
        return Estimate.none(n, method, "fewer than ten places, or all searches in one of them")
    logs = np.log(without_over / without_under)
    without = float(np.exp(logs[np.argmax(np.abs(logs - np.log(over.sum() / under.sum())))]))
    error = np.sqrt((places - 1) / places * np.sum((logs - logs.mean()) ** 2))
    value = float(over.sum() / under.sum())
    factor = float(np.exp(stats.t.ppf((1 + confidence) / 2, places - 1) * error))
    note = "" if abs(np.log(without / value)) < _WEIGHTY else f"without one single place it would be {without:.2f}"
    return Estimate.of(value, value / factor, value * factor, n, method, note)


def _cautions(share: float, left_out: float) -> tuple[str, ...]:
    said = [
        "Residents are not the people who were in the street: visitors, workers and students are searched too.",
        "One person can be searched several times: the intervals of the rates suppose that searches are independent.",
        (
            "The ratio within places takes out where searches are made. That is a choice too, so it may take out part "
            "of what is in question: read it beside the ratio over all, not in its stead."
        ),
    ]
    if share > 0:
        said.append(f"{100 * share:.1f} % of the searches have no stated ethnicity: see the bounds.")
    if left_out > 0:
        said.append(
            f"{left_out:,.0f} residents belong to groups that the table does not name where they live, because nobody "
            "of the group was searched there; they were put back in proportion, and the bounds hold what is left open."
        )
    return tuple(said)


def _rows(table: pa.Table) -> dict[tuple[str, str], tuple[float, float]]:
    """Searches and people of each place and group; searches of several rows are added up."""
    absent = [name for name in ("place", "group", "searches", "people") if name not in table.column_names]
    nulls = 0 if absent else sum(table.column(name).null_count for name in ("place", "group", "searches", "people"))
    if absent or nulls or not table.num_rows:
        raise DataRefused(
            "searches-invalid",
            found=f"{table.num_rows} rows, {nulls} empty values, without the columns: {', '.join(absent) or 'none'}",
            expected="rows with place, group, searches and people, none empty",
            repair="Give every row all four; name searches without a stated ethnicity by the word for it.",
        )
    made: dict[tuple[str, str], tuple[float, float]] = {}
    columns = (table.column(name).to_pylist() for name in ("place", "group", "searches", "people"))
    differing = 0
    for place, group, searches, people in zip(*columns, strict=True):
        before = made.get((place, group), (0.0, people))
        differing += before[1] != people
        made[place, group] = (before[0] + searches, float(people))
    if differing:
        raise DataRefused(
            "people-differ",
            found=f"{differing} rows with another number of people than an earlier row of their place and group",
            expected="one number of people for each place and group",
            repair="Use the population of one date for the whole period.",
        )
    return made


def _with_left_out(
    people: Numbers, places: tuple[str, ...], residents: Mapping[str, float] | None
) -> tuple[Numbers, Numbers, Numbers]:
    """People with the groups left out put back: in proportion, at least, and at most.

    What a place leaves over is known exactly when one group only is absent there.
    """
    named = ~np.isnan(people)
    least = np.where(named, people, 0.0)
    if residents is None:
        return least, least, least
    missing = [place for place in places if place not in residents]
    if missing:
        raise DataRefused(
            "residents-missing",
            found=f"{len(missing)} places without a number of residents",
            expected="the residents of every place in the table",
            repair="Give all places, or None when the table names every group everywhere.",
        )
    rest = np.maximum(np.array([residents[place] for place in places]) - least.sum(axis=1), 0)
    size = np.nanmean(people, axis=0)
    wanted = np.where(named, 0.0, size)
    share = np.divide(wanted, wanted.sum(axis=1, keepdims=True), out=np.zeros_like(wanted), where=~named)
    filled = least + share * rest[:, None]
    alone = (~named).sum(axis=1) == 1
    most = least + np.where(named, 0.0, rest[:, None])
    return filled, np.where(alone[:, None], most, least), most
