"""The headings of a delivered file beside those of its contract: which are there, missing or extra."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.feeds.feed import Column, Feed


def headings_of(path: Path, written: Iterable[str]) -> dict[str, str]:
    """Heading without surrounding space -> heading as written; refuses one that stands there twice."""
    listed = list(written)
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
