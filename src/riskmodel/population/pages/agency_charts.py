"""The pictures of agencies: which know the same people, and who knew what when; each stands beside its table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

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
    drawn,
    number,
    short,
)


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
                f'transform="rotate(-60 {x + 4:.1f} {top - 16:.1f})">{escape(short(name, 18), quote=False)}</text>'
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
                sheet.text(left - 4, y + 5, short(name, 22), at="end")
            else:
                sheet.text(0, y - 14, short(name, 40))
        for lane, happened, known, words in events:
            y = top + step * (lane + 0.5)
            if known is not None:
                sheet.line(across.at(happened), y, across.at(known), y, BLUE, 3)
                sheet.dot(across.at(known), y, 4.5, BLUE, said=words)
            sheet.dot(across.at(happened), y, 4.5, "#fff", BLUE, words)
        _days(sheet, across, marks, width, bottom)
        for year in range(math.ceil(span[0]), math.floor(span[1]) + 1, 1 if width == WIDE else 3):
            sheet.text(across.at(year), bottom + 18, str(year), at="middle", colour=GREY, size=13)
        sheet.line(across.start, bottom, across.end, bottom, GREY)
        sheet.height = bottom + 28
        return sheet

    return drawn(draw, alt)


def _days(sheet: Sheet, across: Scale, marks: Sequence[tuple[float, str]], width: float, bottom: float) -> None:
    """Days with a name, drawn through all lanes, one name below the other."""
    for place, (at, words) in enumerate(marks):
        x, y = across.at(at), 16 + 17.0 * place
        sheet.line(x, y + 3, x, bottom, ORANGE, 2)
        end = x > width - len(words) * 6.8 - 10
        sheet.text(x - 5 if end else x + 5, y, words, at="end" if end else "start", colour=ORANGE, size=13)
