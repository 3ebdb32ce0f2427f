"""A CSV file in parts: each record with its number in the file, whole or as one that cannot be read.

Parts are cut by the size of blocks of text, and nothing that comes out depends on where. A record longer than a block
is read with larger blocks, up to `LONGEST`; a quote that is never closed makes such a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from riskmodel.errors import DataRefused
from riskmodel.feeds.encodings import encoding_of, for_reading
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.headings import (
    first_lines,
    heading_in,
    headings_of,
    present,
    undeclared,
    under_headings,
    why_missing,
)
from riskmodel.feeds.raw import RawRows

LONGEST: Final = 1 << 28
"""Bytes of the longest record that is read."""
_BYTES_A_ROW: Final = 64

Numbers = npt.NDArray[np.int64]


def csv_parts(feed: Feed, path: Path, columns: Sequence[Column], size: int) -> Iterator[RawRows]:
    """The cells of the given columns, about `size` bytes of the file at a time; at least one part."""
    encoding = encoding_of(path, feed.encoding)
    lines = first_lines(path, for_reading(encoding))
    headings = headings_of(path, heading_in(lines, feed.delimiter, feed.heading_line))
    there = present(path, headings, columns, hint=why_missing(lines, feed, columns))
    extra = undeclared(feed, headings)
    written = [headings[column.name] for column in there]
    for cells, row, lost in _records(feed, path, encoding, written, size):
        named = cells.rename_columns([column.name for column in there])
        yield RawRows(under_headings(named, columns), row, lost, encoding, extra)


def _records(
    feed: Feed, path: Path, encoding: str, written: Sequence[str], size: int
) -> Iterator[tuple[pa.Table, Numbers, Numbers]]:
    """Cells, row numbers, and numbers of unreadable rows; begun again, repeating none, when a block is too small."""
    told = _Told()
    largest = max(size, min(path.stat().st_size + 1, LONGEST))
    for block in (size, largest):
        told.begin_again()
        try:
            yield from _blocks(feed, path, encoding, written, block, told)
            return
        except pa.ArrowInvalid as error:
            if block < largest:
                continue
            if "straddling" not in str(error):
                raise
    raise DataRefused(
        "file-unreadable",
        found=f"{path.name} with a record longer than {LONGEST >> 20} MiB after {told.handed_on:,} rows",
        expected="records that end: a quote that is opened is closed",
        repair="Ask the agency to look at the row after these, and to send the file again.",
    )


def _blocks(
    feed: Feed, path: Path, encoding: str, written: Sequence[str], block: int, told: _Told
) -> Iterator[tuple[pa.Table, Numbers, Numbers]]:
    types = dict.fromkeys(written, pa.string())
    above = feed.heading_line - 1
    numbering = Numbering(above)
    with pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=block, encoding=encoding, skip_rows=above),
        parse_options=pacsv.ParseOptions(
            delimiter=feed.delimiter, newlines_in_values=True, invalid_row_handler=numbering.unreadable
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=list(written),
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ) as reader:
        for batch in reader:
            table = pa.Table.from_batches([batch])
            for start in range(0, max(table.num_rows, 1), rows := max(block // _BYTES_A_ROW, 1)):
                piece = table.slice(start, rows)
                row, lost = numbering.next(piece.num_rows)
                yield told.new(piece, row, lost)
        row, lost = numbering.rest()
        yield told.new(reader.schema.empty_table(), row, lost)


class _Told:
    """How much was handed on already: a file that is begun again hands on only what comes after it."""

    def __init__(self) -> None:
        self.handed_on = self._lost = self._skip = self._skip_lost = 0

    def begin_again(self) -> None:
        self._skip, self._skip_lost = self.handed_on, self._lost

    def new(self, cells: pa.Table, row: Numbers, lost: Numbers) -> tuple[pa.Table, Numbers, Numbers]:
        known, known_lost = min(self._skip, row.size), min(self._skip_lost, lost.size)
        self._skip -= known
        self._skip_lost -= known_lost
        self.handed_on += row.size - known
        self._lost += lost.size - known_lost
        return cells.slice(known), row[known:], lost[known_lost:]


class Numbering:
    """Row numbers of the records that are read, among those that could not be.

    An unreadable record that runs over several lines (a quote that was never closed) counts as that many rows, so
    that what it swallowed is counted too.

    Examples
    --------
    >>> numbering = Numbering()
    >>> numbering.note(2, lines=1)
    >>> numbering.note(4, lines=2)
    >>> row, lost = numbering.next(3)
    >>> row.tolist(), lost.tolist()
    ([1, 3, 6], [2, 4, 5])
    """

    def __init__(self, above: int = 0) -> None:
        self._above = above  # lines above the heading, which Arrow counts
        self._record = 1  # the next one
        self._shift = 0  # rows so far beyond one a record
        self._bad: list[tuple[int, int]] = []

    def unreadable(self, record: pacsv.InvalidRow) -> str:
        """Arrow's handler of a record with too many or too few cells; the heading is its first record."""
        self.note(record.number - 1 - self._above, lines=record.text.count("\n") + 1)
        return "skip"

    def note(self, record: int, *, lines: int) -> None:
        """A record that cannot be read; records are noted in their order, before the good ones after them."""
        self._bad.append((record, lines))

    def next(self, good: int) -> tuple[Numbers, Numbers]:
        """Numbers of the next `good` rows that were read, and of the unreadable ones before the last of them."""
        if not good:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        bad = np.array([record for record, _ in self._bad], np.int64)
        ahead = np.arange(self._record, self._record + good + bad.size, dtype=np.int64)
        records = ahead[~np.isin(ahead, bad)][:good]
        count = int(np.searchsorted(bad, records[-1]))
        gone, self._bad = self._bad[:count], self._bad[count:]
        self._record = int(records[-1]) + 1
        return self._numbered(records, gone)

    def rest(self) -> tuple[Numbers, Numbers]:
        """No row that was read, and the numbers of the unreadable ones at the end."""
        gone, self._bad = self._bad, []
        return self._numbered(np.empty(0, np.int64), gone)

    def _numbered(self, records: Numbers, gone: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
        number = np.array([record for record, _ in gone], np.int64)
        lines = np.array([count for _, count in gone], np.int64)
        shift = self._shift + np.concatenate([[0], np.cumsum(lines - 1)]).astype(np.int64)
        self._shift = int(shift[-1])
        lost = [
            np.arange(count, dtype=np.int64) + first for first, count in zip(number + shift[:-1], lines, strict=True)
        ]
        return records + shift[np.searchsorted(number, records)], np.concatenate([np.empty(0, np.int64), *lost])
