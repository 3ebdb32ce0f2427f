"""The pictures of the pages: each draws a table that stands beside it.

A figure that cannot be estimated or may not leave is written in words where its mark would be, never drawn at nought.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.canvas import (
    BLUE,
    GREY,
    INK,
    LETTER,
    LINE,
    ORANGE,
    PALE,
    WIDE,
    Drawing,
    Scale,
    Sheet,
    below_axis,
    drawn,
    left_axis,
    number,
    percent,
    wrapped,
)


@dataclass(frozen=True, slots=True)
class Point:
    """One value at a place of a series or a plane."""

    label: str
    x: float
    value: float | None
    marked: bool = False


def dots(
    rows: Sequence[tuple[str, Estimate]],
    axis: str,
    alt: str,
    *,
    reference: tuple[float, str] | None = None,
    log: bool = False,
    said: Callable[[float], str] = number,
) -> Drawing:
    """Values with their intervals, one line each; `reference` is a value to draw a line at, and its name."""
    ends = [
        end for _, made in rows for end in (made.value, made.low, made.high) if end is not None and math.isfinite(end)
    ]
    ends += [reference[0]] if reference else []
    if log:
        ends = [end for end in ends if end > 0]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    low, high = (low / 1.15, high * 1.15) if log else (min(0.0, low), high * 1.05 or 1.0)

    def draw(width: float) -> Sheet:
        names = max(len(label) for label, _ in rows) * LETTER + 12 if rows else 0
        left = min(names, 230.0) if width == WIDE else 4.0
        step = 32.0 if width == WIDE else 48.0
        top = 24.0 if reference else 8.0
        sheet = Sheet(width, top + step * len(rows))
        scale = Scale(low, high, left + 6, width - 14, log)
        bottom = top + step * len(rows)
        below_axis(sheet, scale, top, bottom, axis, said)
        if reference:
            x = scale.at(reference[0])
            sheet.line(x, top - 6, x, bottom, ORANGE, 2)
            sheet.text(min(x + 6, width - len(reference[1]) * LETTER), top - 8, reference[1], colour=ORANGE, size=13)
        for place, (label, made) in enumerate(rows):
            y = top + step * (place + (0.5 if width == WIDE else 0.75))
            if width == WIDE:
                sheet.text(left - 6, y + 5, _short(label, 30), at="end")
            else:
                sheet.text(0, y - 13, _short(label, 44))
            _mark(sheet, scale, y, made)
        return sheet

    return drawn(draw, alt)


def _mark(sheet: Sheet, scale: Scale, y: float, made: Estimate) -> None:
    if made.value is None or (scale.log and made.value <= 0):
        sheet.text(scale.start + 4, y + 5, made.state.replace("_", " "), colour=GREY, size=13)
        return
    if made.low is not None and made.high is not None:
        sheet.line(scale.at(max(made.low, scale.low)), y, scale.at(min(made.high, scale.high)), y, BLUE, 2.5)
    faint = made.state == "imprecise"
    said = f"{number(round(made.value, 3))}"
    sheet.dot(scale.at(made.value), y, 5.5, "#fff" if faint else BLUE, BLUE, said)


def bars(
    rows: Sequence[tuple[str, float | None]], axis: str, alt: str, *, said: Callable[[float], str] = number
) -> Drawing:
    """Lengths in the given order; None is written as "suppressed"."""
    longest = max([value for _, value in rows if value is not None] or [1.0]) or 1.0

    def draw(width: float) -> Sheet:
        names = max((len(label) for label, _ in rows), default=0) * LETTER + 12
        left = min(names, 250.0) if width == WIDE else 4.0
        step = 27.0 if width == WIDE else 44.0
        sheet = Sheet(width, 8 + step * len(rows))
        scale = Scale(0, longest, left + 6, width - 70)
        for place, (label, value) in enumerate(rows):
            y = 8 + step * place
            if width == WIDE:
                sheet.text(left - 2, y + 16, _short(label, 33), at="end")
            else:
                sheet.text(0, y + 12, _short(label, 46))
                y += 18
            if value is None:
                sheet.text(scale.start + 2, y + 15, "suppressed", colour=GREY, size=13)
                continue
            sheet.box(scale.start, y + 3, scale.at(value) - scale.start, 16)
            sheet.text(scale.at(value) + 5, y + 16, said(value), size=13)
        sheet.line(scale.start, 4, scale.start, 8 + step * len(rows), GREY)
        sheet.text(scale.start, 24 + step * len(rows), axis, colour=GREY, size=13) if width == WIDE else sheet.text(
            0, 24 + step * len(rows), _short(axis, 46), colour=GREY, size=13
        )
        sheet.height = 34 + step * len(rows)
        return sheet

    return drawn(draw, alt)


def control(
    points: Sequence[Point],
    axis: str,
    alt: str,
    *,
    centre: Sequence[float | None] = (),
    limits: tuple[Sequence[float], Sequence[float]] | None = None,
    provisional: int = 0,
) -> Drawing:
    """A series in order of time, with its centre line, its limits, and the last `provisional` points shaded.

    A marked point lies outside the limits and is drawn as a diamond with its label.
    """
    values = [point.value for point in points if point.value is not None]
    top_value = max([*values, *(limits[1] if limits else ())], default=1.0) * 1.08 or 1.0

    def draw(width: float) -> Sheet:
        height, left = (300.0 if width == WIDE else 240.0), 52.0
        sheet = Sheet(width, height)
        across = Scale(0, max(1, len(points) - 1), left + 8, width - 12)
        up = Scale(0, top_value, height - 48, 30)
        if provisional:
            start = across.at(len(points) - provisional - 0.5)
            sheet.box(start, 30, width - 4 - start, height - 78, "#fdf3ea")
            sheet.text(width - 6, 26, "provisional", at="end", colour=ORANGE, size=13)
        left_axis(sheet, up, left, width - 4, axis, number)
        if limits:
            for side in limits:
                sheet.path([(across.at(at), up.at(value)) for at, value in enumerate(side)], GREY, 1.2, "4 3")
        if centre:
            steps = [(across.at(at), up.at(value)) for at, value in enumerate(centre) if value is not None]
            sheet.path(steps, ORANGE, 2)
        sheet.path([(across.at(at), up.at(p.value)) for at, p in enumerate(points) if p.value is not None], BLUE, 1.8)
        for at, point in enumerate(points):
            if point.value is None:
                continue
            x, y = across.at(at), up.at(point.value)
            if point.marked:
                sheet.parts.append(
                    f'<path d="M{x:.1f} {y - 7:.1f}L{x + 7:.1f} {y:.1f}L{x:.1f} {y + 7:.1f}L{x - 7:.1f} {y:.1f}Z" '
                    f'fill="{ORANGE}"/>'
                )
            else:
                sheet.dot(x, y, 2.6 if len(points) > 30 else 4, BLUE, said=f"{point.label}: {number(point.value)}")
        sheet.line(left, height - 48, width - 4, height - 48, GREY)
        wanted = 6 if width == WIDE else 3
        for at in range(0, len(points), max(1, math.ceil(len(points) / wanted))):
            sheet.text(
                across.at(at), height - 28, points[at].label, at="middle" if at else "start", colour=GREY, size=13
            )
        sheet.height = height - 14
        return sheet

    return drawn(draw, alt)


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
                _short(point.label, 22),
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
            sheet.text(x + side / 2, y + tall / 2 - 4, _short(cell.label, letters), at="middle", colour=ink, size=11)
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


def upset(
    sets: Sequence[tuple[str, float | None]], rows: Sequence[tuple[Sequence[str], float | None]], alt: str
) -> Drawing:
    """Combinations of sets, one line each: filled dots say which sets, the bar says how many people."""
    names = [name for name, _ in sets]
    longest = max([count for _, count in rows if count is not None] or [1.0]) or 1.0

    def draw(width: float) -> Sheet:
        gap = 30.0 if width == WIDE else 20.0
        top = 150.0
        sheet = Sheet(width, top + 26 * len(rows) + 10)
        for place, (name, _) in enumerate(sets):
            x = 14 + gap * place
            sheet.parts.append(
                f'<text x="{x + 4:.1f}" y="{top - 16:.1f}" font-size="13" fill="{INK}" '
                f'transform="rotate(-60 {x + 4:.1f} {top - 16:.1f})">{_escaped(_short(name, 18))}</text>'
            )
        bar = Scale(0, longest, 14 + gap * len(sets) + 10, width - 56)
        for line, (members, count) in enumerate(rows):
            y = top + 26 * line
            if line % 2 == 0:
                sheet.box(0, y - 13, width, 26, "#f7f9fa")
            inside = [14 + gap * at for at, name in enumerate(names) if name in members]
            if len(inside) > 1:
                sheet.line(inside[0], y, inside[-1], y, BLUE, 3)
            for at, name in enumerate(names):
                sheet.dot(14 + gap * at, y, 6, BLUE if name in members else PALE)
            if count is None:
                sheet.text(bar.start, y + 5, "suppressed", colour=GREY, size=13)
            else:
                sheet.box(bar.start, y - 8, bar.at(count) - bar.start, 16)
                sheet.text(bar.at(count) + 5, y + 5, number(count), size=13)
        return sheet

    return drawn(draw, alt)


def lanes(
    names: Sequence[str],
    events: Sequence[tuple[int, float, float | None, str]],
    span: tuple[float, float],
    marks: Sequence[tuple[float, str]],
    alt: str,
) -> Drawing:
    """Time from left to right, one lane an agency: (lane, happened, known, words); hollow is happened, full is known.

    `marks` are days with a name, drawn through all lanes; times are years as decimal numbers.
    """

    def draw(width: float) -> Sheet:
        left = min(170.0, max((len(name) for name in names), default=0) * LETTER + 14) if width == WIDE else 6.0
        step = 44.0 if width == WIDE else 58.0
        top = 26.0 + 17.0 * len(marks)
        bottom = top + step * len(names)
        sheet = Sheet(width, bottom + 40)
        across = Scale(span[0], span[1], left + 10, width - 14)
        for lane, name in enumerate(names):
            y = top + step * (lane + 0.5)
            sheet.line(across.start, y, across.end, y, LINE, 1)
            if width == WIDE:
                sheet.text(left - 4, y + 5, _short(name, 22), at="end")
            else:
                sheet.text(0, y - 14, _short(name, 40))
        for lane, happened, known, words in events:
            y = top + step * (lane + 0.5)
            if known is not None:
                sheet.line(across.at(happened), y, across.at(known), y, BLUE, 3)
                sheet.dot(across.at(known), y, 4.5, BLUE, said=words)
            sheet.dot(across.at(happened), y, 4.5, "#fff", BLUE, words)
        for place, (at, words) in enumerate(marks):
            x, y = across.at(at), 16 + 17.0 * place
            sheet.line(x, y + 3, x, bottom, ORANGE, 2)
            end = x > width - len(words) * 6.8 - 10
            sheet.text(x - 5 if end else x + 5, y, words, at="end" if end else "start", colour=ORANGE, size=13)
        for year in range(math.ceil(span[0]), math.floor(span[1]) + 1, 1 if width == WIDE else 3):
            sheet.text(across.at(year), bottom + 18, str(year), at="middle", colour=GREY, size=13)
        sheet.line(across.start, bottom, across.end, bottom, GREY)
        sheet.height = bottom + 28
        return sheet

    return drawn(draw, alt)


def _short(words: str, letters: int) -> str:
    return words if len(words) <= letters else words[: letters - 1].rstrip(" ,&") + "…"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
