"""Files that are tables already, in parts: Parquet keeps its dates and numbers, SQLite gives every cell as text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.errors import DataRefused
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.headings import headings_of, present, undeclared, under_headings
from riskmodel.feeds.raw import RawRows

ZONE: Final = "Europe/London"
"""The wall clock of the partnership, to which moments that carry a zone are converted."""
_BYTES_A_ROW: Final = 128
_NUMBERS: Final = ("number", "integer", "year")
_DATES: Final = ("date", "moment")


def parquet_parts(feed: Feed, path: Path, columns: Sequence[Column], size: int) -> Iterator[RawRows]:
    """The cells of the given columns, some rows at a time; at least one part."""
    with pq.ParquetFile(path, buffer_size=1 << 20) as file:
        headings = headings_of(path, file.schema_arrow.names)
        there = present(path, headings, columns)
        extra = undeclared(feed, headings)
        rows = max(size // _BYTES_A_ROW, 1)
        whole = {column.name: _is_whole(file, headings[column.name], column, rows) for column in there}
        done = 0
        for batch in _batches(file, rows, [headings[column.name] for column in there]):
            cells = {
                column.name: _settled(batch.column(headings[column.name]), column, whole=whole[column.name])
                for column in there
            }
            row = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
            done += batch.num_rows
            named = under_headings(pa.table(cells), columns, batch.num_rows)
            yield RawRows(named, row, np.empty(0, np.int64), "parquet", extra)


def _batches(file: pq.ParquetFile, rows: int, names: Sequence[str]) -> Iterator[pa.Table]:
    """Batches with the number of rows that they have even where no column is asked for; at least one."""
    if not names:
        yield pa.table({"": pa.nulls(file.metadata.num_rows)})
        return
    yield file.schema_arrow.empty_table().select(names)
    for batch in file.iter_batches(rows, columns=list(names), use_threads=False):
        yield pa.Table.from_batches([batch])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_fraction(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_whole(file: pq.ParquetFile, name: str, declared: Column, rows: int) -> bool:
    """Whether a column of fractions that is read as text holds whole numbers only: 1.0 is then the number 1.

    The whole column decides, so that a number looks the same in every row.
    """
    kind = file.schema_arrow.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not _is_fraction(kind) or declared.type in _NUMBERS:
        return False
    for batch in file.iter_batches(rows, columns=[name], use_threads=False):
        column = _fractions(_plain(pa.Table.from_batches([batch]).column(0)))
        small = pc.less(pc.abs(column), pa.scalar(2.0**53))  # infinities and rounded numbers stay as they are shown
        if pc.all(pc.and_(small, pc.equal(pc.floor(column), column))).as_py() is False:
            return False
    return True


def _fractions(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = column.cast(pa.float64())
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)


def _settled(column: pa.ChunkedArray, declared: Column, *, whole: bool) -> pa.ChunkedArray:
    """A Parquet column as date32, timestamp, float64 or int64 where the contract expects one; else as text."""
    column = _plain(column)
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _moments(column) if declared.type in _DATES else _moments(column).cast(pa.string())
    if pa.types.is_date(kind):
        column = column.cast(pa.date32())
        return column if declared.type in _DATES else column.cast(pa.string())
    if _is_fraction(kind):
        column = _fractions(column)
        if declared.type in _NUMBERS:
            return column
        return column.cast(pa.int64()).cast(pa.string()) if whole else column.cast(pa.string())
    if pa.types.is_integer(kind) and declared.type in _NUMBERS:
        return column.cast(pa.int64())
    if pa.types.is_nested(kind):
        texts = [None if one is None else str(one) for one in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column.cast(pa.string())


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type.tz is not None:
        column = pc.local_timestamp(column.cast(pa.timestamp(column.type.unit, ZONE)))
    return pc.cast(column, pa.timestamp("us"), safe=False)


def sqlite_parts(feed: Feed, path: Path, columns: Sequence[Column], size: int) -> Iterator[RawRows]:
    """The table or view named like the feed's file, opened for reading only, some rows at a time; at least one part."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise ValueError("a truncated database reads as rows of nulls: SQLite itself says nothing")
        table = _named_in_sql(feed.file)
        known = [name for (_, name, *_) in database.execute(f"PRAGMA table_info({table})")]
        if not known:
            raise DataRefused(
                "file-unreadable",
                found=f"{path.name} without the table {feed.file}",
                expected="a table named like the feed's file",
                repair="Correct `file` in the contract, or ask the agency for the table.",
            )
        headings = headings_of(path, known)
        there = present(path, headings, columns)
        extra = undeclared(feed, headings)
        picked = ", ".join(f"CAST({_named_in_sql(headings[column.name])} AS TEXT)" for column in there) or "NULL"
        cursor = database.execute(f"SELECT {picked} FROM {table}{_in_order(database, table)}")
        schema = pa.schema([(column.name, pa.string()) for column in there])
        done = 0
        for block in _blocks(cursor, max(size // _BYTES_A_ROW, 1)):
            cells = {one.name: pa.array([row[at] for row in block], pa.string()) for at, one in enumerate(there)}
            row = np.arange(done + 1, done + len(block) + 1, dtype=np.int64)
            done += len(block)
            named = under_headings(pa.table(cells, schema), columns, len(block))
            yield RawRows(named, row, np.empty(0, np.int64), "sqlite", extra)


def _blocks(cursor: sqlite3.Cursor, rows: int) -> Iterator[list[tuple[str | None, ...]]]:
    yield []
    while block := cursor.fetchmany(rows):
        yield block


def _in_order(database: sqlite3.Connection, table: str) -> str:
    """In the order of the table's own row numbers, where it has them: a view, or a table without them, has its own."""
    try:
        database.execute(f"SELECT rowid FROM {table} LIMIT 0")
    except sqlite3.OperationalError:
        return ""
    return " ORDER BY rowid"


def _named_in_sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
