"""Reading a delivered file: every cell as text first, every record counted, no guess at what a cell means.

A file that cannot be read as a whole is refused. A record that cannot be read is counted and numbered, and the rest of
the file is read. Parquet keeps the dates and numbers that it already has.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused
from riskmodel.feeds.feed import Column, Feed

_BLOCK = 1 << 25
_LARGEST_BLOCK = (1 << 31) - (1 << 16)
_CHUNK = 1 << 22
_ROWS = 50_000
ZONE = "Europe/London"
"""The wall clock of the partnership, to which moments that carry a zone are converted."""


@dataclass(frozen=True, slots=True, repr=False)
class RawRows:
    """A file's cells under the contract's headings, before anything is judged.

    Attributes
    ----------
    cells : Arrow table, one column for each column asked for (all null where the file may lack it)
    row : (n,) int64, the number of each record in the file
    unreadable : (m,) int64, numbers of records that could not be read
    encoding : str, of a text file; else the kind of file
    undeclared : tuple of headings that the contract does not name
    """

    cells: pa.Table
    row: npt.NDArray[np.int64]
    unreadable: npt.NDArray[np.int64]
    encoding: str
    undeclared: tuple[str, ...]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; refuses a file that is not there or cannot be opened."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataRefused(
            "file-missing",
            found=f"no file {path.name} that can be opened ({error.strerror})",
            expected="the file that the delivery names",
            repair="Check the name, the folder and the permissions.",
        ) from error


def read_rows(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    """The cells of the given columns.

    Raises
    ------
    DataRefused : codes "file-missing", "file-empty", "file-unreadable", "encoding-unknown", "column-missing",
        "column-twice"
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise _empty(path, "0 bytes")
        raw = _READERS[_format(path, feed)](feed, path, columns)
    except DataRefused:
        raise
    except Exception as error:  # whatever a reader cannot stand in a file is that file's refusal, not a traceback
        raise DataRefused(
            "file-unreadable",
            found=f"{path.name}, which cannot be read as {_format(path, feed)} ({type(error).__name__})",
            expected=f"a whole {_format(path, feed)} file",
            repair="Ask the agency to send the file again.",
        ) from error
    if not raw.row.size and not raw.unreadable.size and not feed.may_be_empty:
        raise _empty(path, "no rows")
    return raw


def _format(path: Path, feed: Feed) -> str:
    ending = path.suffix.lower().lstrip(".")
    return {"ndjson": "jsonl", "pq": "parquet", "txt": "csv", "tsv": "csv", "db": "sqlite", "sqlite3": "sqlite"}.get(
        ending, ending if ending in _READERS else feed.format
    )


def _empty(path: Path, found: str) -> DataRefused:
    return DataRefused(
        "file-empty",
        found=f"{path.name} with {found}",
        expected="at least one row",
        repair="Ask the agency whether there was nothing to send; if so, set may_be_empty in the contract.",
    )


def _read_csv(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    encoding = _encoding(path)
    headings = _headings(path, encoding, feed.delimiter)
    present = _present(path, headings, columns)
    bad: list[tuple[int, int]] = []

    def unreadable(record: pacsv.InvalidRow) -> str:
        bad.append((record.number - 1, record.text.count("\n") + 1))
        return "skip"

    types = {headings[column.name]: pa.string() for column in present}
    table = None
    for block in (_BLOCK, min(max(path.stat().st_size + 1, _BLOCK), _LARGEST_BLOCK)):
        bad.clear()
        try:
            table = pacsv.read_csv(
                path,
                read_options=pacsv.ReadOptions(use_threads=False, block_size=block, encoding=encoding),
                parse_options=pacsv.ParseOptions(
                    delimiter=feed.delimiter, newlines_in_values=True, invalid_row_handler=unreadable
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=list(types),
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            break
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
    if table is None:
        raise pa.ArrowInvalid("a record longer than 2 GiB")
    cells = _named(table.rename_columns([column.name for column in present]), columns)
    row, lost = _numbered(table.num_rows, bad)
    return RawRows(cells, row, lost, encoding, _undeclared(feed, headings))


def _numbered(good: int, bad: Sequence[tuple[int, int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row numbers of the records read and of those that could not be.

    An unreadable record that runs over several lines (a quote that was never closed) counts as that many rows, so
    that what it swallowed is counted too.

    Examples
    --------
    >>> read, lost = _numbered(3, [(2, 1), (4, 2)])
    >>> read.tolist(), lost.tolist()
    ([1, 3, 6], [2, 4, 5])
    """
    number, lines = (np.array([pair[at] for pair in bad], np.int64) for at in (0, 1))
    shift = np.concatenate([[0], np.cumsum(lines - 1)]).astype(np.int64)
    record = np.setdiff1d(np.arange(1, good + len(bad) + 1, dtype=np.int64), number, assume_unique=True)
    lost = [np.arange(lines[at], dtype=np.int64) + number[at] + shift[at] for at in range(len(bad))]
    return record + shift[np.searchsorted(number, record)], np.concatenate([np.empty(0, np.int64), *lost])


def _read_jsonl(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    encoding = _encoding(path)
    text = path.read_bytes().decode(encoding).removeprefix("\ufeff")
    kept = [line for line in text.split("\n") if line.strip()]
    lines = pa.table(
        {"row_": pa.array(range(1, len(kept) + 1), pa.int64()), "line_": pa.array(kept, pa.large_string())}
    )
    whole = query(
        "SELECT row_, CASE WHEN json_valid(line_) THEN json_type(line_) = 'OBJECT' ELSE false END AS good FROM lines_",
        lines_=lines,
    )
    good = pc.fill_null(whole.sort_by("row_").column("good"), False)
    readable = lines.filter(good)
    found = query("SELECT DISTINCT unnest(json_keys(line_)) AS name FROM lines_ ORDER BY name", lines_=readable)
    headings = {name: name for name in found.column("name").to_pylist()}
    present = _present(path, headings, columns) if readable.num_rows else []
    picked = ", ".join(
        f"json_extract_string(line_, {_pointer(column.name)}) AS c{at}" for at, column in enumerate(present)
    )
    cells = query(f"SELECT row_{', ' * bool(picked)}{picked} FROM lines_ ORDER BY row_", lines_=readable)
    cells = cells.drop_columns(["row_"]).rename_columns([column.name for column in present])
    numbers = lines.column("row_").to_numpy()
    mask = good.to_numpy()
    table = _named(cells, columns) if present else _named(pa.table({}), columns)
    return RawRows(table, numbers[mask], numbers[~mask], encoding, _undeclared(feed, headings))


def _pointer(name: str) -> str:
    pointed = "/" + name.replace("~", "~0").replace("/", "~1")
    return "'" + pointed.replace("'", "''") + "'"


def _read_parquet(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    schema = pq.read_schema(path)
    headings: dict[str, str] = {}
    for name in schema.names:
        headings.setdefault(name.strip(), name)
    _refuse_twice(path, [name.strip() for name in schema.names])
    present = _present(path, headings, columns)
    table = pq.read_table(path, columns=[headings[column.name] for column in present])
    cells = {column.name: _settled(table.column(headings[column.name]), column) for column in present}
    row = np.arange(1, table.num_rows + 1, dtype=np.int64)
    named = _named(pa.table(cells), columns, table.num_rows)
    return RawRows(named, row, np.empty(0, np.int64), "parquet", _undeclared(feed, headings))


def _read_sqlite(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    """The table named like the feed's file, opened for reading only, every cell as SQLite shows it as text."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise ValueError("a truncated database reads as rows of nulls: SQLite itself says nothing")
        known = [name for (_, name, *_) in database.execute(f"PRAGMA table_info({_named_in_sql(feed.file)})")]
        if not known:
            raise DataRefused(
                "file-unreadable",
                found=f"{path.name} without the table {feed.file}",
                expected="a table named like the feed's file",
                repair="Correct `file` in the contract, or ask the agency for the table.",
            )
        headings = {name.strip(): name for name in known}
        present = _present(path, headings, columns)
        picked = ", ".join(f"CAST({_named_in_sql(headings[column.name])} AS TEXT)" for column in present)
        cursor = database.execute(f"SELECT {picked} FROM {_named_in_sql(feed.file)} ORDER BY rowid")
        blocks = [list(zip(*block, strict=True)) for block in iter(lambda: cursor.fetchmany(_ROWS), [])]
    cells = {
        column.name: pa.chunked_array([pa.array(block[at], pa.string()) for block in blocks], pa.string())
        for at, column in enumerate(present)
    }
    n = sum(len(block[0]) for block in blocks)
    row = np.arange(1, n + 1, dtype=np.int64)
    return RawRows(
        _named(pa.table(cells), columns, n), row, np.empty(0, np.int64), "sqlite", _undeclared(feed, headings)
    )


def _named_in_sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_READERS = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet, "sqlite": _read_sqlite}


def _settled(column: pa.ChunkedArray, declared: Column) -> pa.ChunkedArray:
    """A Parquet column as date32, timestamp, float64 or int64 where the contract expects one; else as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _settled(column.cast(kind.value_type), declared)
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = pc.local_timestamp(column.cast(pa.timestamp(kind.unit, ZONE)))
        column = pc.cast(column, pa.timestamp("us"), safe=False)
        return column if declared.type in ("date", "moment") else column.cast(pa.string())
    if pa.types.is_date(kind):
        column = column.cast(pa.date32())
        return column if declared.type in ("date", "moment") else column.cast(pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
        if declared.type in ("number", "integer", "year"):
            return column
        small = pc.less(pc.abs(column), pa.scalar(2.0**53))  # infinities and rounded numbers stay as they are shown
        whole = pc.all(pc.and_(small, pc.equal(pc.floor(column), column))).as_py() is not False
        return column.cast(pa.int64()).cast(pa.string()) if whole else column.cast(pa.string())
    if pa.types.is_integer(kind) and declared.type in ("number", "integer", "year"):
        return column.cast(pa.int64())
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_nested(kind):
        return pa.chunked_array(
            [pa.array([None if one is None else str(one) for one in column.to_pylist()], pa.string())]
        )
    return column.cast(pa.string())


def _named(table: pa.Table, columns: Sequence[Column], n: int | None = None) -> pa.Table:
    """The cells under the contract's headings and order; a column that the file lacks is all null."""
    rows = table.num_rows if n is None else n
    there = set(table.column_names)
    cells = [table.column(one.name) if one.name in there else pa.nulls(rows, pa.string()) for one in columns]
    return pa.table(cells, names=[column.name for column in columns])


def _present(path: Path, headings: dict[str, str], columns: Sequence[Column]) -> list[Column]:
    missing = [column.name for column in columns if column.name not in headings and not column.may_be_absent]
    if missing:
        raise DataRefused(
            "column-missing",
            found=f"{path.name} without {', '.join(missing)}",
            expected=f"the columns {', '.join(column.name for column in columns)}",
            repair="Ask the agency for the missing column, or correct its name or the delimiter in the contract.",
        )
    return [column for column in columns if column.name in headings]


def _undeclared(feed: Feed, headings: dict[str, str]) -> tuple[str, ...]:
    declared = {column.name for column in feed.columns} | set(feed.ignored)
    return tuple(name for name in headings if name not in declared)


def _headings(path: Path, encoding: str, delimiter: str) -> dict[str, str]:
    """Heading without surrounding space -> heading as written."""
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        first = next((line for line in csv.reader(_short(file), delimiter=delimiter) if line), [])
    _refuse_twice(path, [name.strip() for name in first])
    return {name.strip(): name for name in first}


def _short(file: io.TextIOBase) -> list[str]:
    """The start of a file as lines, enough for a heading; a heading of a megabyte is no heading."""
    return file.read(1 << 20).splitlines(keepends=True)[:50]


def _refuse_twice(path: Path, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataRefused(
            "column-twice",
            found=f"{path.name} with {len(twice)} headings that stand there twice",
            expected="each heading once",
            repair="Ask the agency to name each column differently.",
        )


def _encoding(path: Path) -> str:
    """UTF-8 when the whole file is valid UTF-8, else Windows-1252 when it can be that; refuses anything else."""
    for encoding in ("utf-8", "windows-1252"):
        if _decodes(path, encoding):
            return encoding
    raise DataRefused(
        "encoding-unknown",
        found=f"{path.name} in neither UTF-8 nor Windows-1252",
        expected="UTF-8, or Windows-1252",
        repair="Ask the agency to save the file as UTF-8.",
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        start = True
        try:
            while chunk := file.read(_CHUNK):
                if start and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    return False
                start = False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
