"""The dashboard of serious violence, or of any harm: made from a publication and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskmodel.population.cube import sliced
from riskmodel.population.estimate import Estimate
from riskmodel.population.harm import AGAIN, CLOSE_PAIRS, HARM, TWO_SOURCES, Harm, Period
from riskmodel.population.harm_figures import Places, index_by_year, places, rates_by
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Facts,
    Grid,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import Point, Tile, bars, control, dots, funnel, lorenz, tiles
from riskmodel.population.pages.words import disclosure_lines, plain, rate_columns
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share
from riskmodel.population.trends import control_limits, level_changes, yearly_change


@dataclass(frozen=True, slots=True)
class HarmWords:
    """How the page is called and what it needs to know beside the publication."""

    title: str
    summary: str
    organisation: str
    harms: tuple[Harm, ...]
    period: Period
    area_names: Mapping[str, str]
    positions: Mapping[str, tuple[int, int]]


def harm_page(publication: Publication, words: HarmWords) -> Page:
    """The dashboard."""
    found = places(publication, words.harms)
    sections = [
        overview_section(publication, words),
        time_section(publication, words),
        people_section(publication),
        place_section(publication, words, found),
        again_section(publication),
        two_sources_section(publication),
        method_section(publication, words),
    ]
    return Page(
        "Dashboard",
        words.title,
        words.summary,
        words.organisation,
        tuple(section for section in sections if section.blocks),
        tuple(disclosure_lines(publication)),
    )


def overview_section(publication: Publication, words: HarmWords) -> Section:
    """What counts as harm, and how much of it there was, weighted and plain."""
    (whole,) = sliced(publication.tables[HARM].table)
    rows = []
    for harm in words.harms:
        by_year = {
            str(row["year"]): row["events"] for row in sliced(publication.tables[HARM].table, "year", kind=harm.kind)
        }
        (total,) = sliced(publication.tables[HARM].table, kind=harm.kind) or [{"events": 0, "people": 0}]
        last = words.period.labels[-1]
        rows.append((harm.words, harm.weight, by_year.get(last), total["events"], total["people"], harm.source))
    columns = [
        Column("Kind of harm"),
        Column("Weight", "number"),
        Column(f"Events in {words.period.labels[-1]}", "count"),
        Column(f"Events, {words.period.words}", "count"),
        Column("Different people", "count"),
        Column("Weight from"),
    ]
    yearly = index_by_year(publication, words.harms)
    index = [(year, weighted, plain_rate) for year, weighted, plain_rate in yearly]
    first = Text(
        f"From {words.period.words} the agencies recorded {_count(whole['events'])} events of harm to "
        f"{_count(whole['people'])} different people who live or were hurt in the area.",
        lead=True,
    )
    blocks: list[Block] = [
        first,
        grid(
            "What counts as harm",
            columns,
            rows,
            note="One event counts once a person harmed. The weights say how grave "
            "one event is beside another; they are declared, not estimated.",
        ),
        grid(
            "Harm-weighted index and plain rate by year, per 1,000 residents",
            [Column("Year"), Column("Harm-weighted", "number"), Column("Unweighted events", "number")],
            index,
        ),
        Picture(
            "Harm-weighted events per 1,000 residents",
            bars(
                [(year, weighted) for year, weighted, _ in yearly],
                "weighted events per 1,000 residents",
                "One bar a year: " + "; ".join(f"{y} {'hidden' if w is None else f'{w:.0f}'}" for y, w, _ in yearly),
                said=lambda value: f"{value:.0f}",
            ),
        ),
    ]
    return Section("overview", "Overview", tuple(blocks))


def _count(value: object) -> str:
    return "a number that may not be shown of" if value is None else f"about {int(str(value)):,}"


def time_section(publication: Publication, words: HarmWords) -> Section:
    """Month by month: limits, changes of level, the trend, and months that are not complete yet."""
    table = publication.tables[HARM].table
    counted = {
        (label, str(row["month"])): row["events"]
        for label in words.period.labels
        for row in sliced(table, "month", year=label)
    }
    months = [(calendar, counted.get((label, month), 0)) for label, month, calendar in words.period.months()]
    settled = months[: len(months) - words.period.provisional]
    counts = [value for _, value in settled if value is not None]
    hidden = len(settled) - len(counts)
    if len(counts) < 12 or hidden:
        text = f"{hidden} months have too few events to be shown; no limits or changes are worked out."
        return Section("time", "Over time", (Text(text), _month_grid(months, words, ())))
    values = [float(str(count)) for count in counts]
    limits, found = control_limits(values), level_changes(values)
    trend = publication.figure(HARM, "factor from one year to the next", yearly_change(values))
    centre = [_level(at, values, found) for at in range(len(settled))]
    points = [
        Point(label, at, None if value is None else float(str(value)), at in limits.outside)
        for at, (label, value) in enumerate(months)
    ]
    said = [
        f"From {settled[change.place][0]} on, about {change.after:.0f} a month instead of {change.before:.0f} "
        f"(p = {change.p:.3f} against no change anywhere)."
        for change in found
    ]
    outside = [settled[at][0] for at in limits.outside]
    blocks: list[Block] = [
        Text(_trend_words(trend)),
        Picture(
            "Events of harm by month",
            control(
                points,
                "Events a month",
                _alt(values, outside, len(found)),
                centre=centre,
                limits=([limits.low] * len(settled), [limits.high] * len(settled)),
                provisional=words.period.provisional,
            ),
            note="Orange: the level. Dashed: limits that three standard deviations give. Diamonds lie outside. A "
            "change "
            "of level may be one of harm, of reporting or of recording.",
        ),
        Points(tuple(said) or ("No change of level beyond chance.",)),
    ]
    if words.period.provisional:
        blocks.append(
            Callout(
                f"{_last_months(words.period.provisional)} provisional: 95 of 100 records are known only after "
                f"{words.period.settle_days} days. They are not part of limits or trend."
            )
        )
    blocks.append(_month_grid(months, words, outside))
    return Section("time", "Over time", tuple(blocks))


def _alt(values: Sequence[float], outside: Sequence[str], changes: int) -> str:
    beyond = ", ".join(outside) if outside else "none"
    return (
        f"{len(values)} months, from {min(values):.0f} to {max(values):.0f} events a month; outside the limits: "
        f"{beyond}; "
        f"changes of level: {changes}."
    )


def _level(at: int, values: Sequence[float], found: Sequence[object]) -> float | None:
    level = sum(values) / len(values)
    for change in found:
        place, before, after = (getattr(change, name) for name in ("place", "before", "after"))
        if at < place:
            return float(before)
        level = after
    return float(level)


def _trend_words(trend: Estimate) -> str:
    if trend.value is None or trend.low is None or trend.high is None:
        return f"No trend can be given: {trend.note}."
    change, low, high = (100 * (value - 1) for value in (trend.value, trend.low, trend.high))
    if trend.low <= 1 <= trend.high:
        return f"No clear trend: from one year to the next {change:+.1f}% ({low:+.1f}% to {high:+.1f}%)."
    return (
        f"Recorded harm {'rose' if change > 0 else 'fell'} by {abs(change):.1f}% a year ({low:+.1f}% to {high:+.1f}%)."
    )


def _last_months(number: int) -> str:
    return "The last month is" if number == 1 else f"The last {number} months are"


def _month_grid(months: Sequence[tuple[str, object]], words: HarmWords, outside: Sequence[str]) -> Grid:
    start = len(months) - words.period.provisional
    rows: list[tuple[Cell, ...]] = []
    for at, (label, value) in enumerate(months):
        remark = "provisional" if at >= start else "outside the limits" if label in outside else "final"
        rows.append((label, label[:4], None if value is None else int(str(value)), remark))
    columns = [Column("Month"), Column("Year", filter=True), Column("Events", "count"), Column("Status", filter=True)]
    return grid("Events of harm by month", columns, rows, folded=True)


def people_section(publication: Publication) -> Section:
    """Who is harmed, as rates of groups."""
    blocks: list[Block] = [
        Text(
            "Rates are of groups: events of harm per 1,000 residents and year. A group's rate says nothing about "
            "any one person in it."
        ),
    ]
    for dimension, heading in (("age", "Age"), ("sex", "Sex"), ("ethnicity", "Ethnicity")):
        found = rates_by(publication, dimension)
        for one in found:
            publication.figure(HARM, f"rate per 1,000, {dimension} {one.group}", one.rate)
        drawing = dots(
            [(plain(one.group), one.rate) for one in found],
            "Events per 1,000 residents and year",
            f"Rates of harm by {dimension}; the table below holds the same figures.",
        )
        rows = [(plain(one.group), one.rate, one.events, one.people, one.resident_years) for one in found]
        blocks += [
            Picture(f"{heading} of people harmed", drawing),
            grid(f"Harm by {dimension}", rate_columns(heading), rows),
        ]
    return Section("people", "Who is harmed", tuple(blocks))


def place_section(publication: Publication, words: HarmWords, found: Places) -> Section:
    """Where: map, funnel, concentration, and the rates of small areas."""
    if found.funnel is None or found.concentration is None:
        return Section("places", "Where", (Text("Too few areas with counts that may be shown."),))
    for one in found.areas:
        publication.figure(HARM, f"standardised rate, {one.area}", one.standardised)
        publication.figure(HARM, f"shrunk rate, {one.area}", one.shrunk)
    publication.figure(HARM, "share of areas with half of all harm", found.concentration.half)
    publication.figure(HARM, "Gini coefficient over areas", found.concentration.gini)
    name = {one.area: words.area_names.get(one.area, one.area) for one in found.areas}
    outside = [name[one.area] for one in found.areas if one.outside]
    points = [
        Point(name[one.area], float(one.resident_years or 0), one.crude.value, one.outside) for one in found.areas
    ]
    rows: list[tuple[Cell, ...]] = []
    for one in sorted(found.areas, key=lambda area: -(area.crude.value or 0)):
        index = "not given" if one.index is None else _range(one.index)
        rows.append(
            (
                name[one.area],
                "outside" if one.outside else "inside",
                one.events,
                one.crude,
                one.standardised,
                one.shrunk,
                index,
            )
        )
    columns = [
        Column("Area"),
        Column("99.8% limits", filter=True),
        Column("Events", "count"),
        Column("Rate per 1,000", "number"),
        Column("Standardised for age", "number"),
        Column("Shrunk estimate", "number"),
        Column("Harm-weighted per 1,000"),
    ]
    blocks: list[Block] = [
        Text(found.concentration.sentence, lead=True),
        Picture(
            "Rate of harm by area",
            _map(found, words, name),
            note="Equal tiles, not a map of distances. Five classes of equal numbers of areas; dark is high.",
        ),
        Picture(
            "How concentrated harm is",
            lorenz(
                found.concentration.curve,
                (
                    "Dashed: every area the same. By chance alone half of all events would lie in "
                    f"{percent(round(found.concentration.half_by_chance[0], 2))} to "
                    f"{percent(round(found.concentration.half_by_chance[1], 2))} of the areas."
                ),
                found.concentration.sentence,
            ),
        ),
        Picture(
            "Areas beside what their size explains",
            funnel(
                points,
                found.funnel.limits,
                found.funnel.centre,
                ("Resident-years", "Events per 1,000 resident-years"),
                f"{len(points)} areas; beyond the outer limits: {', '.join(outside) or 'none'}.",
            ),
            note="Dashed: 95% limits, dotted: 99.8% limits of chance, widened for how much areas differ as a whole "
            f"(dispersion {found.funnel.dispersion:.1f}). Orange marks lie outside.",
        ),
        grid(
            "Harm by area",
            columns,
            rows,
            note="A shrunk estimate borrows from all areas what the area's own events do "
            "not settle; it is an estimate, not a count. A range in the last column: a small count is hidden.",
        ),
    ]
    if found.hidden:
        blocks.append(
            Callout(f"{found.hidden} areas have too few people or events to be shown; they are part of all totals.")
        )
    return Section("places", "Where", tuple(blocks))


def _range(index: tuple[float, float]) -> str:
    low, high = (f"{end:.0f}" for end in index)
    return low if low == high else f"{low} to {high}"


def _map(found: Places, words: HarmWords, name: Mapping[str, str]):  # type: ignore[no-untyped-def] # a Drawing
    ordered = sorted(found.areas, key=lambda one: one.crude.value or 0)
    level = {one.area: min(4, 5 * at // len(ordered)) for at, one in enumerate(ordered)}
    across = max(4, min(8, round(len(ordered) ** 0.5 * 1.2)))
    places_of = words.positions or {}
    cells = []
    for at, one in enumerate(sorted(found.areas, key=lambda area: name[area.area])):
        column, row = places_of.get(one.area, (at % across, at // across))
        value = None if one.crude.value is None else round(one.crude.value, 1)
        cells.append(Tile(name[one.area], column, row, value, level[one.area]))
    values = [[one.crude.value or 0 for one in ordered if level[one.area] == place] for place in range(5)]
    classes = [f"{min(group):.1f} to {max(group):.1f}" if group else "none" for group in values]
    top = ", ".join(name[one.area] for one in ordered[-3:][::-1])
    return tiles(cells, classes, f"{len(cells)} areas by their rate of harm; the highest are {top}.")


def again_section(publication: Publication) -> Section:
    """Who was harmed again, and whether harm comes back to places sooner than chance has it."""
    table = publication.tables[AGAIN].table.to_pylist()
    total = next(row for row in table if row["times"] == "all")
    rows: list[tuple[Cell, ...]] = []
    for row in table:
        if row["times"] == "all" or None in (row["people"], row["events"], total["events"]):
            part: Cell = None
        else:
            part = publication.figure(
                AGAIN,
                f"share of events of people harmed {row['times']} times",
                share(min(row["events"], total["events"]), total["events"]),
            )
        rows.append(("everybody" if row["times"] == "all" else row["times"], row["people"], row["events"], part))
    columns = [
        Column("Times harmed"),
        Column("People", "count"),
        Column("Events", "count"),
        Column("Share of events", "share"),
    ]
    close = publication.tables[CLOSE_PAIRS].table.to_pylist()
    pairs = [
        (
            row["place"],
            row["days"],
            row["pairs"],
            row["expected"],
            None if not row["pairs"] or not row["expected"] else row["pairs"] / row["expected"],
            None if row["p"] is None else f"{row['p']:.3f}",
        )
        for row in close
    ]
    sooner = [f"{row['place']}, {row['days']} days" for row in close if row["p"] is not None and row["p"] < 0.05]
    said = (
        f"More pairs than chance gives: {'; '.join(sooner)}."
        if sooner
        else "No more pairs close in place and time than chance gives."
    )
    blocks: tuple[Block, ...] = (
        grid("People by how often they were harmed in the period", columns, rows),
        Text(said),
        grid(
            "Repeat and near-repeat: pairs of events close in place and time",
            [
                Column("Where"),
                Column("Days apart"),
                Column("Pairs", "count"),
                Column("By chance", "number"),
                Column("Ratio", "number"),
                Column("p"),
            ],
            pairs,
            note="Knox's test: the same dates dealt at random over the same places. Near is another address of the "
            "same "
            "small area, since records hold no coordinates. Pairs of one day are left out.",
        ),
    )
    return Section("again", "Harm that comes back", blocks)


def two_sources_section(publication: Publication) -> Section:
    """What one agency records and the other has no record of."""
    if TWO_SOURCES not in publication.tables:
        return Section("two-sources", "", ())
    held = publication.tables[TWO_SOURCES]
    rows: list[tuple[Cell, ...]] = []
    figures: list[tuple[str, Estimate]] = []
    for row in held.table.to_pylist():
        label = "all years" if row["year"] == "all" else row["year"]
        if row["events"] is None or row["only_here"] is None:
            part = Estimate.hidden("Wilson 1927")
        else:
            part = share(min(row["only_here"], row["events"]), row["events"])
        publication.figure(TWO_SOURCES, f"share known to the first source only, {label}", part)
        figures.append((label, part))
        rows.append((label, row["events"], row["also_known"], row["only_here"], part))
    columns = [
        Column("Year"),
        Column("Events", "count"),
        Column("Known to both", "count"),
        Column("Not known to the other", "count"),
        Column("Share not known", "share"),
    ]
    drawing = dots(
        figures,
        "Share that the other agency has no record of",
        "One line a year with its interval; the table below holds the same figures.",
        said=percent,
    )
    blocks: tuple[Block, ...] = (
        Text(
            "What one agency records and the other has no record of near the day. A rise can be less reporting, or "
            "records that were not linked."
        ),
        Picture(held.title, drawing),
        grid(held.title, columns, rows),
    )
    return Section("two-sources", "Hospital, not police", blocks)


def method_section(publication: Publication, words: HarmWords) -> Section:
    """How the figures were made, and what they are not."""
    rules = publication.rules
    lines = (
        "Recorded harm is what was reported, found or said, and recorded. Places with more police work record more.",
        (
            "Rates are per 1,000 residents at the middle of each year, one person-year each. Somebody without a known "
            "address is in the events and not among the residents."
        ),
        (
            "Intervals of rates: exact below ten events, Byar's above; of standardised rates: Dobson 1991. They "
            "hold chance, "
            "not errors of recording or linkage."
        ),
        (
            f"Counts below {rules.smallest_shown} are hidden, and more where the hidden could be worked out; the "
            f"others are "
            f"rounded to the nearest {rules.round_to} ({rules.source}). Everything on this page is worked out from the "
            "figures as published, so that it gives nothing more away."
        ),
        "No figure here may be used about one person. A group is not a person.",
    )
    facts = (
        ("Period", words.period.words),
        ("Known before", publication.as_of.strftime("%-d %B %Y")),
        ("Edition", publication.edition),
        ("Last edition", publication.earlier.edition if publication.earlier else "none: this is the first"),
    )
    return Section("method", "How it was made", (Facts(facts), Points(lines)))
