"""What a card is made of: sections of blocks (paragraphs, lists, tables, figures, facts), as plain data.

The same blocks are rendered as web page and as Markdown, and stored in ``card.json``. Blocks hold values, not
markup: nothing here knows HTML, and a table keeps its numbers as numbers so that a machine can read the card too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from riskmodel.cards.evidence import count_words, interval_words, number_words, share_words

Kind = Literal[
    "text", "code", "link", "count", "number", "share", "number_interval", "share_interval", "hundred_interval"
]
Cell: TypeAlias = "str | float | int | Mapping[str, Any] | None"
"""A text, a number, nothing, ``{"value", "low", "high", "state"}`` of an interval, ``{"text", "href"}`` of a link."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading, and how its cells are worded."""

    heading: str
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        """Whether the cells are figures (set to the right)."""
        return self.kind not in ("text", "code", "link")

    def words(self, cell: Cell) -> str:
        """One cell as a reader sees it.

        Examples
        --------
        >>> Column("n", "count").words(1234)
        '1,234'
        >>> Column("AUC", "number_interval").words({"value": 0.7, "low": 0.6, "high": 0.8, "state": "ok"})
        '0.700 (0.600 to 0.800)'
        """
        if isinstance(cell, str):
            return cell
        if isinstance(cell, Mapping) and self.kind == "link":
            return str(cell["text"])
        if isinstance(cell, Mapping):
            unit = self.kind.removesuffix("_interval")
            return interval_words(cell.get("value"), cell.get("low"), cell.get("high"), cell.get("state", "ok"), unit)
        if self.kind == "count":
            return count_words(cell)
        if self.kind in ("share", "share_interval"):
            return share_words(cell)
        if self.kind in ("number", "number_interval"):
            return number_words(cell)
        return "" if cell is None else str(cell)

    def parts(self, cell: Cell) -> tuple[str, str, str]:
        """The figure and, apart from it, its interval and a remark; of a link, its words and where it leads.

        Examples
        --------
        >>> Column("AUC", "number_interval").parts({"value": 0.7, "low": 0.6, "high": 0.8, "state": "ok"})
        ('0.700', '(0.600 to 0.800)', '')
        """
        if not isinstance(cell, Mapping):
            return self.words(cell), "", ""
        if self.kind == "link":
            return self.words(cell), str(cell["href"]), ""
        text, _, remark = self.words(cell).partition(", ")
        figure, _, interval = text.partition(" (")
        return figure, f"({interval}" if interval else "", remark


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences of running text."""

    text: str
    lead: bool = False

    def document(self) -> dict[str, Any]:
        """The block as JSON."""
        return {"block": "paragraph", "text": self.text, "lead": self.lead}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str

    def document(self) -> dict[str, Any]:
        """The block as JSON."""
        return {"block": "heading", "text": self.text}


@dataclass(frozen=True, slots=True)
class Callout:
    """A short text set apart: what a reader must not miss."""

    text: str
    tone: Literal["note", "warning"] = "note"

    def document(self) -> dict[str, Any]:
        """The block as JSON."""
        return {"block": "callout", "text": self.text, "tone": self.tone}


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences; one with a text in `folded` is shown behind that text, which opens it."""

    items: tuple[str, ...]
    numbered: bool = False
    folded: str = ""

    def document(self) -> dict[str, Any]:
        """The block as JSON."""
        return {"block": "bullets", "items": list(self.items), "numbered": self.numbered, "folded": self.folded}


@dataclass(frozen=True, slots=True)
class Facts:
    """Short terms with their values."""

    rows: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """The block as JSON."""
        return {"block": "facts", "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption, the artefact it came from, and a note.

    Attributes
    ----------
    caption : str
    columns : tuple of Column
    rows : tuple of tuples of cells, one cell a column
    source : str, the name of the artefact
    note : str
    folded : bool, shown behind a line that opens it (long tables)
    marked : tuple of int, rows that are set in bold (the model of the card)
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str = ""
    note: str = ""
    folded: bool = False
    marked: tuple[int, ...] = ()

    def worded(self) -> list[list[str]]:
        """The rows as a reader sees them."""
        return [[column.words(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]

    def in_parts(self) -> list[list[tuple[str, str, str]]]:
        """The rows as a reader sees them, each figure apart from its interval."""
        return [[column.parts(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]

    def document(self) -> dict[str, Any]:
        """The block as JSON; numbers stay numbers."""
        return {
            "block": "table",
            "caption": self.caption,
            "columns": [{"heading": column.heading, "kind": column.kind} for column in self.columns],
            "rows": [[dict(cell) if isinstance(cell, Mapping) else cell for cell in row] for row in self.rows],
            "source": self.source,
            "note": self.note,
            "folded": self.folded,
            "marked": list(self.marked),
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot: which drawing, its data, and the words that stand for it. The table beside it holds the same figures."""

    drawing: str
    caption: str
    alt: str
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def document(self) -> dict[str, Any]:
        """The block as JSON: the data of the drawing, never the drawing."""
        return {
            "block": "figure",
            "drawing": self.drawing,
            "caption": self.caption,
            "alt": self.alt,
            "data": dict(self.data),
            "source": self.source,
        }


Block: TypeAlias = "Paragraph | Heading | Callout | Bullets | Facts | Table | Figure"


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the card."""

    name: str
    title: str
    blocks: tuple[Block, ...]

    def document(self) -> dict[str, Any]:
        """The section as JSON."""
        return {"name": self.name, "title": self.title, "blocks": [block.document() for block in self.blocks]}


def section_from(document: Mapping[str, Any]) -> Section:
    """A section from its JSON."""
    return Section(document["name"], document["title"], tuple(_block_from(given) for given in document["blocks"]))


def text_blocks(text: str) -> list[Block]:
    """People's own text as blocks: lines that begin with ``- `` become a list, the rest paragraphs.

    Examples
    --------
    >>> [block.document()["block"] for block in text_blocks("Two uses:\\n- one\\n- two")]
    ['paragraph', 'bullets']
    """
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", text.strip()):
        prose: list[str] = []
        items: list[str] = []
        for line in (line.strip() for line in chunk.splitlines()):
            if line.startswith("- "):
                items.append(line[2:].strip())
            elif items:
                items[-1] += f" {line}"
            else:
                prose.append(line)
        blocks += [Paragraph(" ".join(prose))] if any(prose) else []
        blocks += [Bullets(tuple(items))] if items else []
    return blocks


def _block_from(given: Mapping[str, Any]) -> Block:
    fields: dict[str, Any] = {name: value for name, value in given.items() if name != "block"}
    for name in ("items", "marked"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "columns" in fields:
        fields["columns"] = tuple(Column(**column) for column in fields["columns"])
    if "rows" in fields:
        fields["rows"] = tuple(tuple(row) for row in fields["rows"])
    block: Block = _BLOCKS[given["block"]](**fields)
    return block


_BLOCKS: Mapping[str, type[Any]] = {
    "paragraph": Paragraph,
    "heading": Heading,
    "callout": Callout,
    "bullets": Bullets,
    "facts": Facts,
    "table": Table,
    "figure": Figure,
}


def cells(rows: Sequence[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of a table from any sequences."""
    return tuple(tuple(row) for row in rows)
