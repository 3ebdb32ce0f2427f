"""What a page is made of: sections of texts, tables and pictures, as plain values without markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from riskmodel.population.estimate import NOT_ESTIMABLE, SUPPRESSED, Estimate
from riskmodel.population.pages.canvas import Drawing

Unit = Literal["text", "count", "number", "share"]
Cell: TypeAlias = "str | float | int | Estimate | None"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the unit of its cells, and whether a reader may filter by it."""

    heading: str
    unit: Unit = "text"
    filter: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it is set to the right."""
        return self.unit != "text"

    def words(self, cell: Cell) -> tuple[str, str]:
        """The cell and, apart from it, its interval.

        Examples
        --------
        >>> Column("Rate", "number").words(Estimate(2.0, 1.5, 2.6, 40, "ok", "exact"))
        ('2.00', '1.50 to 2.60')
        >>> Column("People", "count").words(None), Column("Share", "share").words(0.123)
        (('suppressed', ''), ('12.3%', ''))
        """
        if isinstance(cell, Estimate):
            if cell.state in (SUPPRESSED, NOT_ESTIMABLE) or cell.value is None:
                return cell.state.replace("_", " "), ""
            interval = (
                "" if cell.low is None or cell.high is None else f"{self._one(cell.low)} to {self._one(cell.high)}"
            )
            return self._one(cell.value), interval + (", imprecise" if cell.state == "imprecise" and interval else "")
        if cell is None:
            return ("suppressed" if self.unit == "count" else "not given"), ""
        return (cell if isinstance(cell, str) else self._one(cell)), ""

    def _one(self, value: float) -> str:
        if math.isinf(value):
            return "no upper bound"
        if self.unit == "share":
            return f"{100 * value:.1f}%"
        if self.unit == "count":
            return f"{value:,.0f}"
        size = abs(value)
        return f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: str
    lead: bool = False
    kind: str = field(default="text", init=False)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    words: str
    kind: str = field(default="heading", init=False)


@dataclass(frozen=True, slots=True)
class Callout:
    """What a reader must not miss."""

    words: str
    warning: bool = False
    kind: str = field(default="callout", init=False)


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    lines: tuple[str, ...]
    kind: str = field(default="points", init=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """Short terms with their values."""

    rows: tuple[tuple[str, str], ...]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `folded` puts it behind a line that opens it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: bool = False
    kind: str = field(default="grid", init=False)

    @property
    def filtered(self) -> bool:
        """Whether a reader may filter it."""
        return any(column.filter for column in self.columns)

    def choices(self) -> list[tuple[int, str, list[str]]]:
        """For each column to filter by: its place, its heading, and the different words in it."""
        return [
            (place, column.heading, sorted({str(row[place]) for row in self.rows}))
            for place, column in enumerate(self.columns)
            if column.filter
        ]

    def worded(self) -> list[list[tuple[str, str]]]:
        """The rows as a reader sees them."""
        return [[column.words(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its caption; the table with the same figures stands beside it."""

    caption: str
    drawing: Drawing
    note: str = ""
    kind: str = field(default="picture", init=False)


Block: TypeAlias = "Text | Heading | Callout | Points | Facts | Grid | Picture"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its title, what it is for in a sentence, its sections, and what stands at its foot."""

    kind: str
    title: str
    summary: str
    organisation: str
    sections: tuple[Section, ...]
    foot: tuple[str, ...] = ()
    band: str = "About groups and places. Never about one person."


def grid(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], **more: object) -> Grid:
    """A table from any sequences."""
    return Grid(caption, tuple(columns), tuple(tuple(row) for row in rows), **more)  # type: ignore[arg-type] # note, folded
