"""What every drawing is made of: a sheet in one of two widths, an axis, lines, dots and words, as SVG text.

A drawing comes in two widths, for a page and for a telephone, so that lettering is never scaled down. Nothing is told
by colour alone. No drawing computes a figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

WIDE: Final = 720.0
NARROW: Final = 343.0
BLUE, ORANGE, TEAL, GREY, PALE, LINE, INK = "#12436d", "#a8430a", "#1b7a70", "#505a5f", "#e3e8ec", "#b1b4b6", "#0b0c0c"
LETTER: Final = 8.3
"""Width of a letter at 14 px, on average."""


@dataclass(slots=True)
class Sheet:
    """A sheet of a width that grows as things are put on it."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = LINE, wide: float = 1, dash: str = ""
    ) -> None:
        """A straight line."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{wide:g}"{dashes}/>'
        )

    def path(self, points: Sequence[tuple[float, float]], colour: str = BLUE, wide: float = 2, dash: str = "") -> None:
        """A line through points."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        steps = " ".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
        self.parts.append(f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{wide:g}"{dashes}/>')

    def box(self, x: float, y: float, width: float, height: float, fill: str = BLUE, edge: str = "none") -> None:
        """A filled rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}" '
            f'fill="{fill}" stroke="{edge}"/>'
        )

    def dot(self, x: float, y: float, radius: float = 5, fill: str = BLUE, edge: str = "none", said: str = "") -> None:
        """A round mark; `said` shows when the pointer rests on it."""
        title = f"<title>{escape(said)}</title>" if said else ""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{edge}" stroke-width="1.5">'
            f"{title}</circle>"
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        at: str = "start",
        colour: str = INK,
        size: float = 14,
        bold: bool = False,
    ) -> None:
        """One line of words; `at` is which end of it stands at x."""
        weight = ' font-weight="700"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{at}" fill="{colour}" font-size="{size:g}"{weight}>'
            f"{escape(words)}</text>"
        )

    def svg(self, alt: str, name: str) -> str:
        """The sheet as an element with its alternative text."""
        return (
            f'<svg class="drawing {name}" viewBox="0 0 {self.width:g} {math.ceil(self.height)}" role="img" '
            f'aria-label="{escape(alt, quote=True)}">{"".join(self.parts)}</svg>'
        )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture in both widths, and the words that stand for it."""

    wide: str
    narrow: str
    alt: str


def drawn(draw: Callable[[float], Sheet], alt: str) -> Drawing:
    """The picture in both widths."""
    return Drawing(draw(WIDE).svg(alt, "wide"), draw(NARROW).svg(alt, "narrow"), alt)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where on a sheet a value stands; on a logarithmic scale all values are above 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value, kept inside the scale."""
        low, high, held = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, held = math.log(low), math.log(high), math.log(held)
        share = (held - low) / (high - low) if high > low else 0.0
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values inside the scale."""
        if self.log:
            candidates = [step * 10.0**power for power in range(-4, 7) for step in (1, 2, 5)]
            inside = [value for value in candidates if self.low <= value <= self.high]
            return inside if len(inside) <= wanted + 2 else [v for v in inside if math.log10(v) % 1 < 1e-9] or inside
        span = (self.high - self.low) or 1.0
        rough = span / max(1, wanted)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [round(place * step, 10) for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A tick or label: whole numbers with separators, small ones with the digits they need.

    Examples
    --------
    >>> [number(value) for value in (12000, 2.5, 0.05, 3)]
    ['12,000', '2.5', '0.05', '3']
    """
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    """A share as per cent.

    Examples
    --------
    >>> percent(0.125), percent(0.5)
    ('12.5%', '50%')
    """
    return f"{100 * value:.3g}%"


def wrapped(words: str, letters: int) -> list[str]:
    """Words in lines of at most so many letters."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def below_axis(sheet: Sheet, scale: Scale, top: float, bottom: float, words: str, said: Callable[[float], str]) -> None:
    """Ticks with faint lines from top to bottom, their values, and the name of the axis; the sheet ends below."""
    for tick in scale.ticks(6 if sheet.width == WIDE else 4):
        x = scale.at(tick)
        sheet.line(x, top, x, bottom, PALE)
        sheet.text(x, bottom + 18, said(tick), at="middle", colour=GREY, size=13)
    sheet.line(scale.start, bottom, scale.end, bottom, GREY)
    y = bottom + 38
    for line in wrapped(words, int((sheet.width - 10) / LETTER)):
        sheet.text((scale.start + scale.end) / 2 if sheet.width == WIDE else sheet.width / 2, y, line, at="middle")
        y += 18
    sheet.height = max(sheet.height, y - 8)


def left_axis(sheet: Sheet, scale: Scale, left: float, right: float, words: str, said: Callable[[float], str]) -> None:
    """Ticks with faint lines from left to right, and the name of the axis above it."""
    for tick in scale.ticks(5):
        y = scale.at(tick)
        sheet.line(left, y, right, y, PALE)
        sheet.text(left - 6, y + 5, said(tick), at="end", colour=GREY, size=13)
    sheet.text(0, scale.end - 12, words)


def short(words: str, letters: int) -> str:
    """At most so many letters of the words, with an ellipsis if more are left out."""
    return words if len(words) <= letters else words[: letters - 1].rstrip(" ,&") + "…"
