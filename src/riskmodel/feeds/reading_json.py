"""A file of JSON lines in parts: one object a line; a line that is none is counted and numbered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused
from riskmodel.feeds.encodings import encoding_of, for_reading
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.headings import present, undeclared, under_headings
from riskmodel.feeds.raw import RawRows

LONGEST: Final = 1 << 28
"""Characters of the longest line that is read."""


def json_parts(feed: Feed, path: Path, columns: Sequence[Column], size: int) -> Iterator[RawRows]:
    """The cells of the given columns, about `size` characters of the file at a time; at least one part.

    Which columns a file has is known at its end: a column that no line has is refused then.
    """
    encoding = encoding_of(path, feed.encoding)
    seen: dict[str, str] = {}
    read = number = 0
    for kept in _lines(path, encoding, size):
        row = np.arange(number + 1, number + len(kept) + 1, dtype=np.int64)
        number += len(kept)
        lines = pa.table({"row_": pa.array(row), "line_": pa.array(kept, pa.large_string())})
        mask = _are_objects(lines)
        cells = _cells(lines.filter(pa.array(mask)), columns)
        found = _names(lines.filter(pa.array(mask)))
        seen |= found
        read += int(mask.sum())
        yield RawRows(cells, row[mask], row[~mask], encoding, undeclared(feed, found))
    if read:
        present(path, seen, columns)


def _lines(path: Path, encoding: str, size: int) -> Iterator[list[str]]:
    """Lines with anything in them, a block at a time; at least one block."""
    with path.open(encoding=for_reading(encoding), newline="\n") as file:
        left = ""
        while block := file.read(size):
            whole, end, rest = block.rpartition("\n")
            if end:
                yield [line for line in (left + whole).split("\n") if line.strip()]
                left = rest
            else:
                left += block
            if len(left) > LONGEST:
                raise DataRefused(
                    "file-unreadable",
                    found=f"{path.name} with a line longer than {LONGEST >> 20} million characters",
                    expected="JSON lines: one object a line",
                    repair="Ask the agency for one object a line, without a list around them.",
                )
        yield [left] if left.strip() else []


def _are_objects(lines: pa.Table) -> np.ndarray:
    whole = query(
        "SELECT row_, CASE WHEN json_valid(line_) THEN json_type(line_) = 'OBJECT' ELSE false END AS good FROM lines_",
        lines_=lines,
    )
    good = pc.fill_null(whole.sort_by("row_").column("good"), False)
    return np.asarray(good.to_numpy(), bool)


def _names(lines: pa.Table) -> dict[str, str]:
    found = query("SELECT DISTINCT unnest(json_keys(line_)) AS name FROM lines_ ORDER BY name", lines_=lines)
    return {name: name for name in found.column("name").to_pylist()}


def _cells(lines: pa.Table, columns: Sequence[Column]) -> pa.Table:
    picked = "".join(f", json_extract_string(line_, {_pointer(one.name)}) AS c{at}" for at, one in enumerate(columns))
    cells = query(f"SELECT row_{picked} FROM lines_ ORDER BY row_", lines_=lines).drop_columns(["row_"])
    return under_headings(cells.rename_columns([column.name for column in columns]), columns, lines.num_rows)


def _pointer(name: str) -> str:
    pointed = "/" + name.replace("~", "~0").replace("/", "~1")
    return "'" + pointed.replace("'", "''") + "'"
