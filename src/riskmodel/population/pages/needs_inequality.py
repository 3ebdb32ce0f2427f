"""The needs assessment's part on inequality: harm by deprivation of the area, and its gradient."""

from __future__ import annotations

import numpy as np

from riskmodel.population.cube import UNKNOWN
from riskmodel.population.estimate import Numbers
from riskmodel.population.harm import HARM
from riskmodel.population.harm_figures import rates_by
from riskmodel.population.inequality import Gradient, gradient_of_rates
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.pages.blocks import Block, Column, Picture, Section, Text, grid
from riskmodel.population.pages.charts import bars
from riskmodel.population.publication import Publication


def inequality_section(made: Assessment, plan: NeedsPlan) -> Section:
    """Harm by deprivation of the area, and its gradient."""
    decile = {area.area: area.decile for area in plan.areas if area.decile}
    if not decile:
        text = "No deprivation of the areas was declared, so no gradient is given."
        return Section("inequality", "Inequality", (Text(text),))
    events, years, left_out = _by_decile(made.publication, decile)
    held = [at for at in range(10) if years[at] > 0]
    if len(held) < 3:
        return Section("inequality", "Inequality", (Text("Fewer than three deciles with areas that may be shown."),))
    gradient = gradient_of_rates(events[held], years[held], scale="linear")
    made.publication.figure(HARM, "slope index of inequality", gradient.slope)
    made.publication.figure(HARM, "relative index of inequality", gradient.relative)
    return Section("inequality", "Inequality", (*_deciles(held, events, years), _gradient(gradient, left_out)))


def _by_decile(publication: Publication, decile: dict[str, int]) -> tuple[Numbers, Numbers, int]:
    """Events and resident-years of each decile, and how many areas are left out."""
    events, years, left_out = np.zeros(10), np.zeros(10), 0
    for one in rates_by(publication, "area"):
        place = decile.get(one.group)
        if place is None or one.events is None or not one.resident_years:
            left_out += one.group != UNKNOWN
            continue
        events[place - 1] += one.events
        years[place - 1] += one.resident_years
    return events, years, left_out


def _deciles(held: list[int], events: Numbers, years: Numbers) -> tuple[Block, ...]:
    ends = {0: " (most deprived)", 9: " (least deprived)"}
    rows = [
        (f"{at + 1}{ends.get(at, '')}", float(events[at] / years[at] * 1000), int(events[at]), int(years[at]))
        for at in held
    ]
    columns = [
        Column("Decile"),
        Column("Rate per 1,000", "number"),
        Column("Events", "count"),
        Column("Resident-years", "count"),
    ]
    alt = "Rates by decile of deprivation: " + ", ".join(f"{label} {rate:.0f}" for label, rate, _, _ in rows)
    drawing = bars([row[:2] for row in rows], "events per 1,000 resident-years", alt, said=lambda rate: f"{rate:.1f}")
    return (
        Picture("Harm per 1,000 residents and year by deprivation of the area", drawing),
        grid("Rates by decile of deprivation", columns, rows),
    )


def _gradient(gradient: Gradient, left_out: int) -> Block:
    figures = [
        ("Slope index: most less least deprived, per 1,000", gradient.slope),
        ("Relative index: most over least deprived", gradient.relative),
    ]
    crooked = "The groups do not lie on a straight line: read them, not only the indices. "
    areas = f"{left_out} areas without a decile or with hidden counts are left out. "
    note = (crooked if gradient.departure_p < 0.01 else "") + (areas if left_out else "")
    note += "Deprivation is that of the area, not of a person in it."
    return grid("The gradient", [Column("Index"), Column("Value", "number")], figures, note=note)
