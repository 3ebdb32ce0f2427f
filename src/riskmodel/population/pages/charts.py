"""The pictures of the pages: each draws a table that stands beside it.

A figure that cannot be estimated or may not leave is written in words where its mark would be, never drawn at nought.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.canvas import (
    BLUE,
    GREY,
    LETTER,
    ORANGE,
    WIDE,
    Drawing,
    Scale,
    Sheet,
    below_axis,
    drawn,
    left_axis,
    number,
    short,
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
                sheet.text(left - 6, y + 5, short(label, 30), at="end")
            else:
                sheet.text(0, y - 13, short(label, 44))
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
                sheet.text(left - 2, y + 16, short(label, 33), at="end")
            else:
                sheet.text(0, y + 12, short(label, 46))
                y += 18
            if value is None:
                sheet.text(scale.start + 2, y + 15, "suppressed", colour=GREY, size=13)
                continue
            sheet.box(scale.start, y + 3, scale.at(value) - scale.start, 16)
            sheet.text(scale.at(value) + 5, y + 16, said(value), size=13)
        sheet.line(scale.start, 4, scale.start, 8 + step * len(rows), GREY)
        sheet.text(scale.start, 24 + step * len(rows), axis, colour=GREY, size=13) if width == WIDE else sheet.text(
            0, 24 + step * len(rows), short(axis, 46), colour=GREY, size=13
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
        _series(sheet, across, up, points)
        sheet.line(left, height - 48, width - 4, height - 48, GREY)
        wanted = 6 if width == WIDE else 3
        for at in range(0, len(points), max(1, math.ceil(len(points) / wanted))):
            sheet.text(
                across.at(at), height - 28, points[at].label, at="middle" if at else "start", colour=GREY, size=13
            )
        sheet.height = height - 14
        return sheet

    return drawn(draw, alt)


def _series(sheet: Sheet, across: Scale, up: Scale, points: Sequence[Point]) -> None:
    """The line through the points; a marked one is a diamond."""
    sheet.path([(across.at(at), up.at(p.value)) for at, p in enumerate(points) if p.value is not None], BLUE, 1.8)
    for at, point in enumerate(points):
        if point.value is None:
            continue
        x, y = across.at(at), up.at(point.value)
        if not point.marked:
            sheet.dot(x, y, 2.6 if len(points) > 30 else 4, BLUE, said=f"{point.label}: {number(point.value)}")
            continue
        corners = f"M{x:.1f} {y - 7:.1f}L{x + 7:.1f} {y:.1f}L{x:.1f} {y + 7:.1f}L{x - 7:.1f} {y:.1f}Z"
        sheet.parts.append(f'<path d="{corners}" fill="{ORANGE}"/>')
