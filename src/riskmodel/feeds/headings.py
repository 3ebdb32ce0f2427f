"""The headings of a delivered file beside those of its contract: which are there, missing or extra, and why.

What stands in a file's first lines may be about people, so no refusal quotes it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.feeds.feed import Column, Feed

_FIRST: Final = 1 << 20
_LINES: Final = 50
DELIMITERS: Final = ",;\t|"


def headings_of(path: Path, written: Iterable[str]) -> dict[str, str]:
    """Heading without surrounding space -> heading as written; refuses one that stands there twice.

    A column without a heading, as spreadsheets leave at the right, is no column.
    """
    listed = [name for name in written if name.strip()]
    names = [name.strip() for name in listed]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataRefused(
            "column-twice",
            found=f"{path.name} with {len(twice)} headings that stand there twice",
            expected="each heading once",
            repair="Ask the agency to name each column differently.",
        )
    return dict(zip(names, listed, strict=True))


def present(path: Path, headings: Mapping[str, str], columns: Sequence[Column], *, hint: str = "") -> list[Column]:
    """The columns that the file has; refuses a file without one that every file must have."""
    missing = [column.name for column in columns if column.name not in headings and not column.may_be_absent]
    if missing:
        raise DataRefused(
            "column-missing",
            found=f"{path.name} without {', '.join(missing)}{hint}",
            expected=f"the columns {', '.join(column.name for column in columns)}",
            repair="Ask the agency for the missing column, or correct its name or the delimiter in the contract.",
        )
    return [column for column in columns if column.name in headings]


def undeclared(feed: Feed, headings: Iterable[str]) -> tuple[str, ...]:
    """Headings that the contract does not name."""
    declared = {column.name for column in feed.columns} | set(feed.ignored)
    return tuple(name for name in headings if name not in declared)


def under_headings(table: pa.Table, columns: Sequence[Column], n: int | None = None) -> pa.Table:
    """The cells under the contract's headings and order; a column that the file lacks is all null."""
    rows = table.num_rows if n is None else n
    there = set(table.column_names)
    cells = [table.column(one.name) if one.name in there else pa.nulls(rows, pa.string()) for one in columns]
    return pa.table(cells, names=[column.name for column in columns])


def first_lines(path: Path, encoding: str) -> list[str]:
    """The first lines of a text file, with their ends; a heading of a megabyte is no heading."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        return file.read(_FIRST).splitlines(keepends=True)[:_LINES]


def heading_in(lines: Sequence[str], delimiter: str, line: int = 1) -> list[str]:
    """The cells of the heading: the first line with anything in it, from `line` on."""
    return next((cells for cells in csv.reader(lines[line - 1 :], delimiter=delimiter) if cells), [])


def numbered(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record among some lines, with the number of the line in which it ends."""
    reader = csv.reader(lines, delimiter=delimiter)
    for cells in reader:
        yield reader.line_num, cells


def why_missing(lines: Sequence[str], feed: Feed, columns: Sequence[Column]) -> str:
    """What the first lines of a file seem to be, where they are not the headings of the contract; "" if unclear."""
    heading = heading_in(lines, feed.delimiter, feed.heading_line)
    first, there = "".join(lines[:1]), {_plain(cell) for cell in heading}
    if first.startswith("PK"):
        return ": it is a spreadsheet or an archive under the name of a text file; it has to be saved as CSV"
    if "\0" in first:
        return ': every second letter is nothing, as in UTF-16; write encoding = "utf-16-le" in the contract'
    likely = max(DELIMITERS, key="".join(heading).count)
    if len(heading) == 1 and likely in heading[0] and likely != feed.delimiter:
        return f": its heading is one cell, which looks as if divided by {likely!r} and not by {feed.delimiter!r}"
    needed = {column.name for column in columns if not column.may_be_absent}
    for number, cells in numbered(lines, feed.delimiter):
        if needed <= {cell.strip() for cell in cells}:
            return f": these stand in its line {number}; write heading_line = {number} in the contract"
    if {_plain(name) for name in needed} <= there:
        return ": it has them in other capitals or with other spaces"
    return ""


def _plain(heading: str) -> str:
    return "".join(heading.lower().split()).replace("_", "")
