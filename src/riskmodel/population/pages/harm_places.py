"""Where harm is: the map, the funnel, how concentrated it is, and the rates of small areas."""

from __future__ import annotations

from collections.abc import Mapping

from riskmodel.population.harm import HARM
from riskmodel.population.harm_figures import Places
from riskmodel.population.inequality import Concentration
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Grid,
    Picture,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import Drawing, percent
from riskmodel.population.pages.charts import Point
from riskmodel.population.pages.harm_words import HarmWords
from riskmodel.population.pages.place_charts import Tile, funnel, lorenz, tiles
from riskmodel.population.publication import Publication
from riskmodel.population.small_areas import Funnel


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
    blocks: list[Block] = [
        Text(found.concentration.sentence, lead=True),
        Picture(
            "Rate of harm by area",
            _map(found, words, name),
            note="Equal tiles, not a map of distances. Five classes of equal numbers of areas; dark is high.",
        ),
        Picture("How concentrated harm is", _curve(found.concentration)),
        grid(
            "Concentration",
            [Column("What"), Column("Share", "share")],
            [
                ("Areas that hold half of all harm", found.concentration.half),
                ("Gini coefficient over areas (0: all the same; 1: all in one)", found.concentration.gini),
            ],
        ),
        _funnel(found, found.funnel, name),
        _area_grid(found, name),
    ]
    if found.hidden:
        said = f"{found.hidden} areas have too few people or events to be shown; they are part of all totals."
        blocks.append(Callout(said))
    return Section("places", "Where", tuple(blocks))


def _curve(concentration: Concentration) -> Drawing:
    least, most = (percent(round(end, 2)) for end in concentration.half_by_chance)
    by_chance = (
        f"Dashed: every area the same. By chance alone half of all events would lie in {least} to {most} of the areas."
    )
    return lorenz(concentration.curve, by_chance, concentration.sentence)


def _funnel(found: Places, limits: Funnel, name: Mapping[str, str]) -> Picture:
    points = [
        Point(name[one.area], float(one.resident_years or 0), one.crude.value, one.outside) for one in found.areas
    ]
    outside = ", ".join(name[one.area] for one in found.areas if one.outside) or "none"
    alt = f"{len(points)} areas; beyond the outer limits: {outside}."
    axes = ("Resident-years", "Events per 1,000 resident-years")
    return Picture(
        "Areas beside what their size explains",
        funnel(points, limits.limits, limits.centre, axes, alt),
        note="Dashed: 95% limits, dotted: 99.8% limits of chance, widened for how much areas differ as a whole "
        f"(dispersion {limits.dispersion:.1f}). Orange marks lie outside.",
    )


def _area_grid(found: Places, name: Mapping[str, str]) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            name[one.area],
            "outside" if one.outside else "inside",
            one.events,
            one.crude,
            one.standardised,
            one.shrunk,
            "not given" if one.index is None else _range(one.index),
        )
        for one in sorted(found.areas, key=lambda area: -(area.crude.value or 0))
    ]
    columns = [
        Column("Area"),
        Column("99.8% limits", filter=True),
        Column("Events", "count"),
        Column("Rate per 1,000", "number"),
        Column("Standardised for age", "number"),
        Column("Shrunk estimate", "number"),
        Column("Harm-weighted per 1,000"),
    ]
    note = (
        "A shrunk estimate borrows from all areas what the area's own events do not settle; it is an estimate, not a "
        "count. A range in the last column: a small count is hidden."
    )
    return grid("Harm by area", columns, rows, note=note)


def _range(index: tuple[float, float]) -> str:
    low, high = (f"{end:.0f}" for end in index)
    return low if low == high else f"{low} to {high}"


def _map(found: Places, words: HarmWords, name: Mapping[str, str]) -> Drawing:
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
