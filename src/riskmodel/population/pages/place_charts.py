"""The pictures of places: a funnel, a curve of concentration, a map of equal tiles; each stands beside its table."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.population.pages.canvas import (
    BLUE,
    GREY,
    INK,
    LINE,
    ORANGE,
    WIDE,
    Drawing,
    Scale,
    Sheet,
    below_axis,
    drawn,
    left_axis,
    number,
    percent,
    short,
    wrapped,
)
from riskmodel.population.pages.charts import Point


def funnel(
    points: Sequence[Point],
    limits: Sequence[tuple[float, float, float, float, float]],
    centre: float,
    axes: tuple[str, str],
    alt: str,
) -> Drawing:
    """Rates of places over their size; `limits` are (size, low 99.8, low 95, high 95, high 99.8)."""
    largest = max([point.x for point in points] or [1.0]) * 1.04
    smallest = min([point.x for point in points] or [0.0]) * 0.9
    inside = [row for row in limits if smallest <= row[0] <= largest]
    highest = max([point.value or 0 for point in points] + [row[4] for row in inside[:1]] + [centre]) * 1.08

    def draw(width: float) -> Sheet:
        height, left = (340.0 if width == WIDE else 280.0), 52.0
        sheet = Sheet(width, height)
        across, up = Scale(smallest, largest, left, width - 14), Scale(0, highest, height - 56, 30)
        left_axis(sheet, up, left, width - 4, axes[1], number)
        for place, dash in ((1, "2 3"), (2, "6 4"), (3, "6 4"), (4, "2 3")):
            sheet.path([(across.at(row[0]), up.at(row[place])) for row in inside], GREY, 1.3, dash)
        sheet.line(left, up.at(centre), width - 4, up.at(centre), ORANGE, 1.8)
        for point in points:
            if point.value is None:
                continue
            fill = ORANGE if point.marked else BLUE
            sheet.dot(across.at(point.x), up.at(point.value), 5 if point.marked else 3.6, fill, said=point.label)
        for point in [point for point in points if point.marked and point.value is not None][:6]:
            assert point.value is not None
            end = across.at(point.x) > width - 130
            shift = -8 if end else 8
            sheet.text(
                across.at(point.x) + shift,
                up.at(point.value) + 5,
                short(point.label, 22),
                size=12,
                at="end" if end else "start",
            )
        below_axis(sheet, across, height - 56, height - 56, axes[0], number)
        return sheet

    return drawn(draw, alt)


def lorenz(curve: Sequence[tuple[float, float]], even: str, alt: str) -> Drawing:
    """Share of harm over share of places, fullest first, with where half of it lies."""

    def draw(width: float) -> Sheet:
        side = 330.0 if width == WIDE else 280.0
        sheet = Sheet(width, side)
        across, up = Scale(0, 1, 56, 56 + side - 80), Scale(0, 1, side - 56, 30)
        left_axis(sheet, up, 56, across.end, "Share of all harm", percent)
        sheet.path([(across.at(0), up.at(0)), (across.at(1), up.at(1))], GREY, 1.3, "5 4")
        sheet.path([(across.at(x), up.at(y)) for x, y in curve], BLUE, 2.6)
        half = next((x for x, y in curve if y >= 0.5), None)
        if half is not None:
            exact = _where_half(curve)
            sheet.line(across.at(exact), up.at(0), across.at(exact), up.at(0.5), ORANGE, 2)
            sheet.line(across.at(0), up.at(0.5), across.at(exact), up.at(0.5), ORANGE, 2)
            sheet.text(across.at(exact) + 6, up.at(0.06), f"half in {percent(round(exact, 2))}", colour=ORANGE, size=13)
        if width == WIDE:
            for place, line in enumerate(wrapped(even, 34)):
                sheet.text(across.end + 30, 60 + 20 * place, line, colour=GREY)
        for tick in (0, 0.25, 0.5, 0.75, 1):
            sheet.text(across.at(tick), side - 36, percent(tick), at="middle", colour=GREY, size=13)
        sheet.text((across.start + across.end) / 2, side - 16, "Share of places, most harm first", at="middle")
        sheet.height = side - 6
        return sheet

    return drawn(draw, alt)


def _where_half(curve: Sequence[tuple[float, float]]) -> float:
    for (x, y), (next_x, next_y) in itertools.pairwise(curve):
        if next_y >= 0.5:
            return x + (0.5 - y) / (next_y - y) * (next_x - x) if next_y > y else next_x
    return 1.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One place on a tile map: where it stands, its label, its value, and its class (0 lowest); None is not shown."""

    label: str
    column: int
    row: int
    value: float | None
    level: int | None


SHADES = ("#eef3f7", "#bcd0e0", "#7fa5c4", "#3f739d", "#12436d")


def tiles(cells: Sequence[Tile], classes: Sequence[str], alt: str) -> Drawing:
    """A map of equal tiles, each with its name and value; five classes, dark is high; hatched may not leave."""
    columns = max((cell.column for cell in cells), default=0) + 1

    def draw(width: float) -> Sheet:
        across = columns if width == WIDE else min(columns, 4)
        side = min(88.0, (width - 4) / across)
        tall = max(46.0, side * 0.62)
        sheet = Sheet(width, 0)
        placed = (
            cells
            if across == columns
            else [Tile(cell.label, at % across, at // across, cell.value, cell.level) for at, cell in enumerate(cells)]
        )
        letters = max(4, int((side - 6) / 6.2))
        for cell in placed:
            x, y = cell.column * side, cell.row * tall
            fill = "#fff" if cell.level is None else SHADES[cell.level]
            ink = "#fff" if cell.level is not None and cell.level >= 3 else INK
            sheet.box(x + 1, y + 1, side - 3, tall - 3, fill, LINE if cell.level in (None, 0) else "none")
            sheet.text(x + side / 2, y + tall / 2 - 4, short(cell.label, letters), at="middle", colour=ink, size=11)
            value = "hidden" if cell.value is None else number(cell.value)
            sheet.text(x + side / 2, y + tall / 2 + 13, value, at="middle", colour=ink, size=13, bold=True)
        y = (max((cell.row for cell in placed), default=0) + 1) * tall + 10
        x = 0.0
        for shade, words in zip(SHADES, classes, strict=False):
            room = 24 + len(words) * 7.0 + 14
            if x + room > width:
                x, y = 0.0, y + 24
            sheet.box(x, y, 16, 16, shade, LINE)
            sheet.text(x + 22, y + 13, words, size=13)
            x += room
        sheet.height = y + 26
        return sheet

    return drawn(draw, alt)
