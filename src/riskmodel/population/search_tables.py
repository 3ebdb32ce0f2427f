"""Searches as counts that may leave, from a partnership's own histories, and searches by area from what left.

Searches are counted by the home and the recorded ethnicity of the person searched, and go through the partnership's
rules. A find is what is declared as one: a record that followed within days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.population.cube import ALL, UNKNOWN, Cube, counted, sliced, thinned
from riskmodel.population.estimate import Estimate
from riskmodel.population.periods import AGES, Period, age_at_sql, age_sql, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.population.search_outcomes import Stops, outcome_tests
from riskmodel.population.stop_search import Searches, ratio_within_places

SEARCHES, SEARCHED_RESIDENTS, OUTCOMES, SEARCHED_AGAIN, FINDS = (
    "searches",
    "search_residents",
    "search_outcomes",
    "people_searched_again",
    "search_finds",
)


NO_ACTION: Final = "No Action"


@dataclass(frozen=True, slots=True)
class SearchPeriod:
    """What the tables cover: its words, its length in years, the names of its years in order, and within how many days
    after a search a record counts as a find."""

    words: str
    years: float
    labels: tuple[str, ...]
    found_within_days: int | None = None


def own_searches(
    publication: Publication,
    reading: Reading,
    period: Period,
    *,
    kind: str = "stop_search",
    found_kinds: tuple[str, ...] = (),
    found_within_days: int = 2,
    reference: str = "white",
) -> SearchPeriod:
    """Count a partnership's own searches into a publication.

    Parameters
    ----------
    kind : the event that is a search of a person
    found_kinds : kinds of event of the same person that, within `found_within_days` after, count as something found
    reference : the group whose bar for searching others are set beside
    """
    _keep_searched(reading, period, kind, found_kinds, found_within_days)
    _leave_searches(publication, reading, period)
    _leave_residents(publication, reading, period)
    _searched_again(publication, reading)
    stops = _stops(reading)
    if stops is not None and reference in stops.groups:
        _within_areas(publication, stops, reference, period)
    if found_kinds:
        _finds(publication, reading, stops, reference)
    return SearchPeriod(period.words, float(period.years), tuple(period.labels), found_within_days)


def _keep_searched(
    reading: Reading, period: Period, kind: str, found_kinds: Sequence[str], found_within_days: int
) -> None:
    """Every search with whom, when, where they lived, and whether something was found soon after."""
    found = ", ".join(text_sql(name) for name in found_kinds) or "''"
    reading.keep(
        "finds",
        f"SELECT entity_id, happened_at FROM events WHERE kind IN ({found}) AND {period.inside_sql('happened_at')}",
    )
    reading.keep(
        "searched",
        f"""WITH picked AS (SELECT entity_id, happened_at FROM events WHERE kind = {text_sql(kind)}
                AND entity_id IS NOT NULL AND {period.inside_sql("happened_at")})
            SELECT e.entity_id, {period.label_sql("e.happened_at")} AS year, p.ethnicity AS "group",
                   {age_sql(age_at_sql("e.happened_at"), AGES)} AS age,
                   CASE WHEN h.ends_at IS NULL OR e.happened_at < h.ends_at THEN h.area END AS place,
                   EXISTS (SELECT 1 FROM finds o WHERE o.entity_id = e.entity_id AND o.happened_at >= e.happened_at
                       AND o.happened_at < e.happened_at + INTERVAL {int(found_within_days)} DAY) AS found
            FROM picked e ASOF LEFT JOIN homes h ON e.entity_id = h.entity_id AND e.happened_at >= h.starts_at
            LEFT JOIN persons p ON p.entity_id = e.entity_id""",
    )


def _leave_searches(publication: Publication, reading: Reading, period: Period) -> None:
    cube = Cube(
        ("place", "group", "year", "age"),
        (("place", "group"), ("group", "year"), ("age", "group")),
        {"searches": "count(*)", "people": "count(DISTINCT entity_id)"},
        of_people=("searches",),
    )
    publication.leave(
        SEARCHES,
        f"Searches by area of residence, ethnicity, age and year, {period.words}",
        thinned(
            counted(reading, "searched", cube, publication.rules), cube, "people", publication.rules.smallest_shown
        ),
        keys=cube.dimensions,
        counts=("searches", "people"),
        of_people=cube.of_people,
        totals=cube.totals,
        whole_rows=True,
    )


def _leave_residents(publication: Publication, reading: Reading, period: Period) -> None:
    at_home = Cube(("place", "group"), (("place", "group"),), {"residents": "count(*)"})
    last = period.labels[-1]
    reading.keep("home_rows", f"""SELECT area AS place, ethnicity AS "group" FROM residents WHERE year = '{last}'""")
    publication.leave(
        SEARCHED_RESIDENTS,
        f"Residents by area and ethnicity, {last}",
        counted(reading, "home_rows", at_home),
        keys=at_home.dimensions,
        counts=("residents",),
        totals=at_home.totals,
    )


def within_areas(publication: Publication, group: str, reference: str) -> Estimate | None:
    """The ratio inside the same areas that was worked out before the counts left, if there is one."""
    what = _WITHIN.format(reference=reference, group=group)
    return next((made.estimate for made in publication.figures if made.what == what), None)


_WITHIN: Final = "rate over {reference} within areas, from the counts themselves, {group}"


def _within_areas(publication: Publication, stops: Stops, reference: str, period: Period) -> None:
    """The ratio of rates inside the same areas, which needs every area and is worked out before they leave.

    It is one number over many areas and gives no area's count away.
    """
    rows = [
        {
            "place": place,
            "group": group,
            "searches": int(stops.searched[at, of]),
            "people": float(stops.stopped[at, of]),
        }
        for at, place in enumerate(stops.places)
        for of, group in enumerate(stops.groups)
        if stops.stopped[at, of]
    ]
    searches = Searches.of(pa.Table.from_pylist(rows), None, years=float(period.years))
    for group in stops.groups:
        if group != reference:
            made = ratio_within_places(searches, group, reference)
            what = _WITHIN.format(reference=reference, group=group)
            publication.figure(SEARCHES, what, replace(made, n=publication.rules.rounded(made.n)))


def _searched_again(publication: Publication, reading: Reading) -> None:
    reading.keep(
        "again",
        """SELECT entity_id, CASE WHEN times >= 5 THEN '5 or more' ELSE times::VARCHAR END AS times
           FROM (SELECT entity_id, count(*) OVER (PARTITION BY entity_id) AS times FROM searched)""",
    )
    counts = {"people": "count(DISTINCT entity_id)", "searches": "count(*)"}
    cube = Cube(("times",), (("times",),), counts, of_people=("searches",))
    publication.leave(
        SEARCHED_AGAIN,
        "People by how often they were searched",
        counted(reading, "again", cube, publication.rules),
        keys=cube.dimensions,
        counts=tuple(counts),
        of_people=cube.of_people,
        totals=cube.totals,
        whole_rows=True,
    )


def searches_of(publication: Publication, period: SearchPeriod, *, people: str = "residents") -> Searches:
    """Searches and people by area and group from what left; a hidden count is filled with what its area leaves over.

    Parameters
    ----------
    people : "residents", or another count of the table of residents, such as "workday"
    """
    table = publication.tables[SEARCHES].table
    held = publication.tables[SEARCHED_RESIDENTS].table.to_pylist()
    size = {(row["place"], row["group"]): row[people] for row in held}
    rows, smallest = [], publication.rules.smallest_shown
    if not sliced(table, "place", "group"):  # too few in most areas: all areas as one
        return _as_one_place(table, size, period)
    for (place, group), count in _filled_counts(table, smallest).items():
        known = size.get((place, group))
        if group == UNKNOWN:
            rows.append({"place": place, "group": "Unknown", "searches": count, "people": 0.0})
        elif known:
            rows.append({"place": place, "group": group, "searches": count, "people": float(known)})
    places = {row["place"] for row in rows}
    whole = {
        place: float(count) for (place, group), count in size.items() if group == ALL and count and place in places
    }
    made = pa.Table.from_pylist(rows)
    return Searches.of(made, whole if len(whole) == len(places) else None, years=period.years)


def _as_one_place(table: pa.Table, size: dict[tuple[str, str], int | None], period: SearchPeriod) -> Searches:
    rows = []
    for row in sliced(table, "group"):
        group, count = str(row["group"]), row["searches"]
        people = 0 if group == UNKNOWN else size.get((ALL, group)) or 0
        if count is not None and (people or group == UNKNOWN):
            label = "Unknown" if group == UNKNOWN else group
            rows.append({"place": "all areas", "group": label, "searches": int(str(count)), "people": float(people)})
    return Searches.of(pa.Table.from_pylist(rows), None, years=period.years)


def _filled_counts(table: pa.Table, smallest: int) -> dict[tuple[str, str], int]:
    """(area, group) -> searches; a hidden one is an equal part of what the area's total leaves, 1 to below smallest."""
    totals = {str(row["place"]): row["searches"] for row in sliced(table, "place")}
    cells: dict[str, dict[str, int | None]] = {}
    for row in sliced(table, "place", "group"):
        count = row["searches"]
        cells.setdefault(str(row["place"]), {})[str(row["group"])] = None if count is None else int(str(count))
    made = {}
    for place, groups in cells.items():
        if place == UNKNOWN:
            continue
        hidden = [group for group, count in groups.items() if count is None]
        total = totals.get(place)
        rest = 0 if total is None else int(str(total)) - sum(count or 0 for count in groups.values())
        part = int(np.clip(round(rest / len(hidden)), 1, max(1, smallest - 1))) if hidden else 0
        for group, count in groups.items():
            made[place, group] = part if count is None else count
    return made


def _finds(publication: Publication, reading: Reading, stops: Stops | None, reference: str) -> None:
    """Finds by group, and the bars of the threshold test, which needs every area and is worked out before they leave.

    A bar is a parameter of a model over all areas and gives no count away; it leaves only for groups whose finds do.
    """
    cube = Cube(
        ("group",),
        (("group",),),
        {
            "searches": "count(*)",
            "found": "count(*) FILTER (WHERE found)",
            "nothing": "count(*) FILTER (WHERE NOT found)",
        },
    )
    left = publication.leave(
        FINDS,
        "Searches that were followed by a find, by ethnicity",
        counted(reading, "searched", cube),
        keys=("group",),
        counts=tuple(cube.counts),
        totals=cube.totals,
        within_counts={"searches": ["found", "nothing"]},
        whole_rows=True,
    )
    shown = {row["group"]: row for row in left.to_pylist() if row["found"] is not None}
    if stops is None or reference not in stops.groups:
        return
    made = outcome_tests(stops, reference=reference)
    for group, bar, gap in zip(made.groups, made.bars, made.bar_difference, strict=True):
        if group in shown:
            n = int(shown[group]["searches"])
            publication.figure(FINDS, f"bar for searching, {group}", replace(bar, n=n))
            publication.figure(FINDS, f"bar less that of {reference}, {group}", replace(gap, n=n))


def _stops(reading: Reading) -> Stops | None:
    """Residents, searches and finds of every area and group, inside the engine only."""
    rows = reading.query(
        """SELECT place, "group", sum(people)::BIGINT AS people, sum(searched)::BIGINT AS searched,
                  sum(found)::BIGINT AS found FROM (
               SELECT place, "group", 1 AS people, 0 AS searched, 0 AS found FROM home_rows UNION ALL
               SELECT place, "group", 0, 1, found::INT FROM searched)
           WHERE place IS NOT NULL AND "group" IS NOT NULL GROUP BY 1, 2"""
    ).to_pylist()
    places, groups = sorted({row["place"] for row in rows}), sorted({row["group"] for row in rows})
    if not places or len(groups) < 2:
        return None
    shape = (len(places), len(groups))
    people, searched, found = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row in rows:
        at = places.index(row["place"]), groups.index(row["group"])
        people[at], searched[at], found[at] = row["people"], row["searched"], row["found"]
    return Stops(tuple(places), tuple(groups), np.maximum(people, searched), searched, found)
