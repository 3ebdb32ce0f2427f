"""The dashboard of stop and search: made from a publication and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskmodel.population.cube import UNKNOWN, sliced
from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Facts,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.charts import dots
from riskmodel.population.pages.searches_found import again_section, outcomes_section, tests_section
from riskmodel.population.pages.words import disclosure_lines, plain
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share
from riskmodel.population.search_tables import (
    SEARCHED_RESIDENTS,
    SEARCHES,
    SearchPeriod,
    searches_of,
    within_areas,
)
from riskmodel.population.stop_search import GroupRate, Searches, SearchRates, search_rates


@dataclass(frozen=True, slots=True)
class SearchWords:
    """How the page is called, and the group that others are set beside."""

    title: str
    summary: str
    organisation: str
    reference: str
    source: str


def search_page(publication: Publication, period: SearchPeriod, words: SearchWords) -> Page:
    """The dashboard."""
    searches = searches_of(publication, period)
    made = search_rates(searches, reference=words.reference)
    sections = [
        _rates(publication, made, period),
        _benchmarks(publication, made, period, words),
        _over_time(publication, searches, period),
        _ages(publication),
        outcomes_section(publication),
        tests_section(publication, words.reference, period.found_within_days),
        again_section(publication),
        _areas(publication),
        _method(made, period, words),
    ]
    return Page(
        "Dashboard",
        words.title,
        words.summary,
        words.organisation,
        tuple(section for section in sections if section.blocks),
        tuple(disclosure_lines(publication)),
        band="About groups and places. Nothing here is evidence about one search or one officer.",
    )


def _rates(publication: Publication, made: SearchRates, period: SearchPeriod) -> Section:
    for one in made.groups:
        publication.figure(SEARCHES, f"searches per 1,000 residents and year, {one.group}", one.rate)
        publication.figure(SEARCHES, f"rate over {made.reference}, {one.group}", one.relative)
    within = {
        one.group: _inside(publication, one, made.reference) for one in made.groups if one.group != made.reference
    }
    unstated = made.unstated_share
    said = (
        f"{100 * unstated:.1f}% of the searches have no stated ethnicity. The bounds say what that leaves open."
        if unstated > 0
        else "Every search that is counted has a stated ethnicity."
    )
    blocks = (
        Text(_lead(made, within, period), lead=True),
        *_own_rates(made),
        *_relative_rates(made, within),
        Callout(said),
    )
    return Section("rates", "Who is searched", blocks)


def _inside(publication: Publication, one: GroupRate, reference: str) -> Estimate:
    """The ratio inside the same areas: from what left, or else as it was worked out before the counts left."""
    before = within_areas(publication, one.group, reference)
    if one.within_places.value is None and before is not None:
        return before
    return publication.figure(SEARCHES, f"rate over {reference} within areas, {one.group}", one.within_places)


def _lead(made: SearchRates, within: Mapping[str, Estimate], period: SearchPeriod) -> str:
    total = sum(one.searches for one in made.groups) + made.unstated
    first = max((made.of(group) for group in within), key=lambda one: one.relative.value or 0)
    lead = f"{total:,} searches in {period.words}."
    if first.relative.value is None:
        return lead
    inside = within[first.group].value
    same = "" if inside is None else f", {inside:.1f} times as often inside the same areas"
    group, reference = plain(first.group), plain(made.reference)
    times = f"{first.relative.value:.1f} times as often as {reference} residents"
    return f"{lead} {group} residents were searched {times}{same}."


def _own_rates(made: SearchRates) -> tuple[Block, ...]:
    rows = [
        (plain(one.group), one.rate, _bounds(one.rate_bounds), one.searches, round(one.people)) for one in made.groups
    ]
    return (
        Picture(
            "Searches per 1,000 residents and year",
            dots(
                [(plain(one.group), one.rate) for one in made.groups],
                "Searches per 1,000 residents and year",
                "One line a group, with its interval; the table below holds the same figures.",
            ),
        ),
        grid(
            "Rates by ethnicity as recorded",
            [
                Column("Ethnicity"),
                Column("Per 1,000 a year", "number"),
                Column("Bounds"),
                Column("Searches", "count"),
                Column("Residents", "count"),
            ],
            rows,
            note="Bounds: what the rate can be whatever the ethnicity of searches without one, and however many "
            "residents the tables leave out. The interval holds chance only.",
        ),
    )


def _relative_rates(made: SearchRates, within: Mapping[str, Estimate]) -> tuple[Block, ...]:
    reference = plain(made.reference)
    others = [made.of(group) for group in within]
    pairs: list[tuple[str, Estimate]] = []
    for one in others:
        pairs += [(plain(one.group), one.relative), (f"{plain(one.group)}, same areas", within[one.group])]
    rows = [
        (plain(one.group), one.relative, _bounds(one.relative_bounds), within[one.group], within[one.group].note or "")
        for one in others
    ]
    return (
        Picture(
            f"Times as often as {reference} residents",
            dots(
                pairs,
                f"Rate over that of {reference} residents",
                "Two lines a group: over all areas, and inside the same areas; the table below holds the same figures.",
                reference=(1.0, "as often"),
                log=True,
            ),
        ),
        grid(
            f"Rates beside {reference} residents",
            [
                Column("Ethnicity"),
                Column("Times as often", "number"),
                Column("Bounds"),
                Column("Same areas", "number"),
                Column("Remark"),
            ],
            rows,
            note="Same areas: the ratio inside each area, over all areas (Mantel and Haenszel 1959); its interval "
            "holds how differently areas search. Where too few searches of an area may be shown, it was worked out "
            "from the counts themselves.",
        ),
    )


def _bounds(bounds: tuple[float, float]) -> str:
    low, high = bounds
    if low == high:
        return "nothing open"
    return f"{low:.1f} to {'no limit' if high == float('inf') else f'{high:.1f}'}"


def _benchmarks(publication: Publication, made: SearchRates, period: SearchPeriod, words: SearchWords) -> Section:
    """The same searches over other people: who is there by day."""
    if "workday" not in publication.tables[SEARCHED_RESIDENTS].table.column_names:
        return Section("benchmarks", "", ())
    by_day = search_rates(searches_of(publication, period, people="workday"), reference=words.reference)
    rows: list[tuple[Cell, ...]] = []
    for one in made.groups:
        other = by_day.of(one.group)
        publication.figure(SEARCHES, f"rate over {made.reference}, workday population, {one.group}", other.relative)
        rows.append((plain(one.group), one.relative, other.relative, one.within_places, other.within_places))
    columns = [
        Column("Ethnicity"),
        Column("Residents", "number"),
        Column("Workday people", "number"),
        Column("Residents, same areas", "number"),
        Column("Workday, same areas", "number"),
    ]
    return Section(
        "benchmarks",
        "Beside whom: other benchmarks",
        (
            Text(
                "A rate needs people to divide by, and residents are not who was in the street. Where the ratio "
                "changes "
                "with the benchmark, none of them is the truth: they bound what may be said."
            ),
            grid(f"Times as often as {plain(made.reference)}, by what the searches are divided by", columns, rows),
        ),
    )


def _over_time(publication: Publication, searches: Searches, period: SearchPeriod) -> Section:
    people = dict(zip(searches.groups, searches.people.sum(axis=0).tolist(), strict=True))
    table = publication.tables[SEARCHES].table
    counts = {(str(row["group"]), str(row["year"])): row["searches"] for row in sliced(table, "group", "year")}
    if not counts:  # left out because most of it would be hidden: not known, never nought
        said = Text("Most groups have too few searches in a year for a table to be shown.")
        return Section("time", "Over the years", (said,))
    rows: list[tuple[Cell, ...]] = []
    for group in [*searches.groups, UNKNOWN]:
        line: list[Cell] = [plain(group)]
        for year in period.labels:
            count = counts.get((group, year), 0)
            line.append(None if count is None else int(str(count)))
        first, last = counts.get((group, period.labels[0])), counts.get((group, period.labels[-1]))
        change = None if not first or last is None else int(str(last)) / int(str(first))
        rate = "" if group not in people or last is None else f"{int(str(last)) / people[group] * 1000:.1f}"
        line += [change, rate]
        rows.append(tuple(line))
    columns = [
        Column("Ethnicity"),
        *(Column(year, "count") for year in period.labels),
        Column("Last over first", "number"),
        Column("Per 1,000, last year"),
    ]
    return Section("time", "Over the years", (grid("Searches by year and ethnicity", columns, rows),))


def _ages(publication: Publication) -> Section:
    name = "searches_by_age" if "searches_by_age" in publication.tables else SEARCHES
    table = publication.tables[name].table
    whole = {str(row["group"]): row["searches"] for row in sliced(table, "group")}
    rows: list[tuple[Cell, ...]] = []
    for row in sorted(sliced(table, "age", "group"), key=lambda row: (str(row["age"]) == UNKNOWN, str(row["age"]))):
        group, count, total = str(row["group"]), row["searches"], whole.get(str(row["group"]))
        if count is None or not total:
            part: Cell = None if count is None else ""
        else:
            part = share(min(int(str(count)), int(str(total))), int(str(total)))
        rows.append((plain(str(row["age"])), plain(group), None if count is None else int(str(count)), part))
    if not rows:
        return Section("age", "Age", (Text("Most ages have too few searches of a group for a table to be shown."),))
    columns = [
        Column("Age", filter=True),
        Column("Ethnicity", filter=True),
        Column("Searches", "count"),
        Column("Share of the group's searches", "share"),
    ]
    return Section(
        "age",
        "Age",
        (
            Text(
                "Counts and shares only: the tables name no residents by age where nobody of that age and group was "
                "searched, so that rates by age would come out too high."
            ),
            grid("Searches by age and ethnicity", columns, rows),
        ),
    )


def _areas(publication: Publication) -> Section:
    table = publication.tables[SEARCHES].table
    size = {
        (row["place"], row["group"]): row["residents"]
        for row in publication.tables[SEARCHED_RESIDENTS].table.to_pylist()
    }
    rows: list[tuple[Cell, ...]] = []
    for row in sliced(table, "place", "group"):
        place, group, count = str(row["place"]), str(row["group"]), row["searches"]
        people = size.get((place, group))
        if count == 0 and people is None:
            continue  # no residents of the group are named there
        rows.append(
            (
                plain(place),
                plain(group),
                None if count is None else int(str(count)),
                "not known" if people is None else f"{people:,}",
            )
        )
    if not rows:
        return Section(
            "areas", "By area", (Text("Most areas have too few searches of a group for a table to be shown."),)
        )
    columns = [
        Column("Area", filter=True),
        Column("Ethnicity", filter=True),
        Column("Searches", "count"),
        Column("Residents"),
    ]
    return Section("areas", "By area", (grid("Searches by area and ethnicity", columns, rows, folded=True),))


def _method(made: SearchRates, period: SearchPeriod, words: SearchWords) -> Section:
    return Section(
        "method",
        "How it was made",
        (
            Facts((("Source", words.source), ("Period", period.words), ("Set beside", words.reference))),
            Points(
                (
                    *made.cautions,
                    "A disparity is a disparity: these tables do not say what made it.",
                    "Ethnicity is as recorded. Nothing here may be used about one person.",
                )
            ),
        ),
    )
