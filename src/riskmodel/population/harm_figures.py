"""Rates, indices and concentration of harm, worked out from what has left and from nothing else.

So no figure here can give away more than the published counts do. Where a small count is hidden, a figure that needs it
is given as a range, or filled from the totals that are shown, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskmodel.population.cube import UNKNOWN, sliced
from riskmodel.population.estimate import Estimate, Numbers
from riskmodel.population.harm import HARM, RESIDENTS, Harm
from riskmodel.population.inequality import Concentration, concentration
from riskmodel.population.publication import Publication
from riskmodel.population.rates import rate, standardised_rate
from riskmodel.population.small_areas import Funnel, funnel, shrunk_rates

METHOD = "from the figures as published"


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """Harm of one group: its published counts and its rate per 1,000 resident-years."""

    group: str
    events: int | None
    people: int | None
    resident_years: int | None
    rate: Estimate


def rates_by(publication: Publication, dimension: str, **fixed: str) -> list[GroupFigure]:
    """The rate of each group of a dimension ("sex", "age", "ethnicity", "area"), largest residents' groups and all.

    `fixed` narrows the events (such as ``kind="robbery"``), never the residents.
    """
    residents = {str(row[dimension]): row for row in sliced(publication.tables[RESIDENTS].table, dimension)}
    made = []
    for row in sliced(publication.tables[HARM].table, dimension, **fixed):
        group = str(row[dimension])
        held = residents.get(group)
        made.append(
            GroupFigure(
                group,
                _whole(row["events"]),
                _whole(row["people"]),
                None if held is None else _whole(held["resident_years"]),
                _rate(row["events"], None if held is None else held["resident_years"]),
            )
        )
    return sorted(made, key=lambda one: (one.group == UNKNOWN, one.group))


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _rate(events: object, resident_years: object) -> Estimate:
    if events is None or resident_years is None:
        return Estimate.hidden(METHOD)
    if not resident_years:
        return Estimate.none(int(str(events)), METHOD, "nobody lives there")
    return rate(float(str(events)), float(str(resident_years)))


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """Harm in one area.

    Attributes
    ----------
    area : str
    events, resident_years : int or None, as published
    crude, standardised, shrunk : Estimate, per 1,000 resident-years; standardised for age, to all residents
    index : (low, high), the harm-weighted events per 1,000 resident-years; apart where a count is hidden; None if a
        count of residents is
    outside : bool, beyond the 99.8 % limits of the funnel
    """

    area: str
    events: int | None
    resident_years: int | None
    crude: Estimate
    standardised: Estimate
    shrunk: Estimate
    index: tuple[float, float] | None
    outside: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Harm over the areas: their figures, the funnel, and how concentrated harm is."""

    areas: tuple[AreaFigure, ...]
    funnel: Funnel | None
    concentration: Concentration | None
    hidden: int


def places(publication: Publication, harms: Sequence[Harm]) -> Places:
    """The figures of all areas whose residents may be counted."""
    found = [one for one in rates_by(publication, "area") if one.group != UNKNOWN]
    shown = [one for one in found if one.events is not None and one.resident_years]
    hidden = len(found) - len(shown)
    counts = [float(one.events or 0) for one in shown]
    years = [float(one.resident_years or 0) for one in shown]
    enough = len(shown) >= 5 and sum(counts) >= 10
    limits = funnel(counts, years) if enough else None
    shrunk = shrunk_rates(counts, years) if enough else ()
    spread = concentration(counts, draws=200) if enough else None
    areas = tuple(
        AreaFigure(
            one.group,
            one.events,
            one.resident_years,
            one.rate,
            standardised_of(publication, one.group),
            shrunk[at] if enough else Estimate.none(0, METHOD, "too few areas"),
            index_of(publication, one, harms),
            bool(limits and limits.outside[at]),
        )
        for at, one in enumerate(shown)
    )
    return Places(areas, limits, spread, hidden)


def standardised_of(publication: Publication, area: str) -> Estimate:
    """The area's rate if its residents had the ages of all residents (Dobson 1991), from the published counts."""
    harm, residents = publication.tables[HARM].table, publication.tables[RESIDENTS].table
    own = {str(row["age"]): row for row in sliced(residents, "age", area=area)}
    whole = {str(row["age"]): row for row in sliced(residents, "age")}
    events = {str(row["age"]): _whole(row["events"]) for row in sliced(harm, "age", area=area)}
    bands = [
        band
        for band in whole
        if band != UNKNOWN and whole[band]["resident_years"] and own.get(band, {}).get("resident_years")
    ]
    (total,) = [_whole(row["events"]) for row in sliced(harm, area=area)] or [None]
    lost = [band for band in whole if band not in bands and band != UNKNOWN and whole[band]["resident_years"]]
    if not events:
        return Estimate.none(0, METHOD, "harm by area and age was too small to be published")
    if total is None or not bands or lost:
        return Estimate.hidden(METHOD)
    time = np.array([float(str(own[band]["resident_years"])) for band in bands])
    standard = np.array([float(str(whole[band]["resident_years"])) for band in bands])
    known = [events.get(band, 0) for band in bands]
    unknown_age = events.get(UNKNOWN, 0)
    filled, gaps = _filled(known, total - (unknown_age or 0), time, publication.rules.smallest_shown)
    made = standardised_rate(filled, time, standard)
    note = made.note or ("hidden counts of some ages filled from the area's total" if gaps else "")
    return Estimate(made.value, made.low, made.high, made.n, made.state, made.method, note)


def _filled(counts: Sequence[int | None], total: int, time: Numbers, smallest: int) -> tuple[list[int], int]:
    """The counts with the hidden ones filled with what the total leaves over, by time at risk, 1 to below smallest."""
    gaps = [at for at, count in enumerate(counts) if count is None]
    rest = max(0, total - sum(count or 0 for count in counts))
    made = [count or 0 for count in counts]
    share = time[gaps] / time[gaps].sum() if gaps else np.array([])
    for at, part in zip(gaps, share, strict=True):
        made[at] = int(np.clip(round(rest * float(part)), 1, max(1, smallest - 1)))
    return made, len(gaps)


def index_of(publication: Publication, one: GroupFigure, harms: Sequence[Harm]) -> tuple[float, float] | None:
    """The harm-weighted events of an area per 1,000 resident-years: lowest and highest that the hidden counts allow."""
    if not one.resident_years:
        return None
    low = high = 0.0
    rows = {
        str(row["kind"]): _whole(row["events"])
        for row in sliced(publication.tables[HARM].table, "kind", area=one.group)
    }
    if not rows:  # kinds by area were too small to be published
        return None
    most = publication.rules.smallest_shown - 1
    for harm in harms:
        events = rows.get(harm.kind, 0)
        low += harm.weight * (1 if events is None else events)
        # hidden to protect another count, it may be as large as the area's total leaves room for
        high += harm.weight * (_most_hidden(rows, one.events, most) if events is None else events)
    return low / one.resident_years * 1000, high / one.resident_years * 1000


def _most_hidden(rows: dict[str, int | None], total: int | None, most: int) -> int:
    shown = sum(count for count in rows.values() if count is not None)
    return most if total is None else max(1, total - shown)


def index_by_year(publication: Publication, harms: Sequence[Harm]) -> list[tuple[str, float | None, float | None]]:
    """Year, weighted events per 1,000 residents, plain events per 1,000; None where a count is hidden."""
    harm, residents = publication.tables[HARM].table, publication.tables[RESIDENTS].table
    people = {str(row["year"]): _whole(row["resident_years"]) for row in sliced(residents, "year")}
    by_kind = {
        harm_.kind: {str(r["year"]): _whole(r["events"]) for r in sliced(harm, "year", kind=harm_.kind)}
        for harm_ in harms
    }
    made = []
    for row in sliced(harm, "year"):
        year, events = str(row["year"]), _whole(row["events"])
        size = people.get(year)
        counts = [by_kind[one.kind].get(year, 0) for one in harms]
        weighted = None
        if size and all(count is not None for count in counts):
            weighted = sum(one.weight * (count or 0) for one, count in zip(harms, counts, strict=True)) / size * 1000
        made.append((year, weighted, None if not size or events is None else events / size * 1000))
    return made
