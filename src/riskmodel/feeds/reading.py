"""Reading a delivered file in parts: every cell as text first, every record counted, no guess at what a cell means.

A file that cannot be read as a whole is refused. A record that cannot be read is counted and numbered, and the rest of
the file is read. Parquet keeps the dates and numbers that it already has. Never is more of a file in memory than one
part, and what comes out does not depend on where the parts are cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from riskmodel.errors import DataRefused
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.raw import RawRows, joined
from riskmodel.feeds.reading_csv import csv_parts
from riskmodel.feeds.reading_json import json_parts
from riskmodel.feeds.reading_tables import parquet_parts, sqlite_parts

PART: Final = 1 << 24
"""Bytes of a file that are read at a time."""

_READERS: Final = MappingProxyType[str, Callable[[Feed, Path, Sequence[Column], int], Iterator[RawRows]]](
    {"csv": csv_parts, "jsonl": json_parts, "parquet": parquet_parts, "sqlite": sqlite_parts}
)
_KINDS: Final = MappingProxyType(
    {"ndjson": "jsonl", "pq": "parquet", "txt": "csv", "tsv": "csv", "db": "sqlite", "sqlite3": "sqlite"}
)
ENDINGS: Final = tuple(f".{ending}" for ending in (*_READERS, *_KINDS) if "sqlite" not in ending and ending != "db")
"""How the names of files end that hold one feed's records each, as databases do not."""


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


def read_parts(feed: Feed, path: Path, columns: Sequence[Column], size: int = PART) -> Iterator[RawRows]:
    """The cells of the given columns, part by part; a file without rows is one part without rows.

    Parameters
    ----------
    size : int, about how many bytes of a text file (or of rows of a table) a part holds

    Raises
    ------
    DataRefused : codes "file-missing", "file-empty", "file-unreadable", "encoding-unknown", "column-missing",
        "column-twice"; some show only at the end of the file, after parts were handed on
    """
    kind = _format(path, feed)
    found = False
    nothing = None
    try:
        if path.stat().st_size == 0:
            raise _empty(path, "0 bytes")
        for part in _READERS[kind](feed, path, columns, size):
            if part.row.size or part.unreadable.size:
                found = True
                yield part
            else:
                nothing = part
    except DataRefused:
        raise
    except Exception as error:  # whatever a reader cannot stand in a file is that file's refusal, not a traceback
        raise DataRefused(
            "file-unreadable",
            found=f"{path.name}, which cannot be read as {kind} ({type(error).__name__})",
            expected=f"a whole {kind} file",
            repair="Ask the agency to send the file again.",
        ) from error
    if not found and not feed.may_be_empty:
        raise _empty(path, "no rows")
    if not found and nothing is not None:
        yield nothing


def read_rows(feed: Feed, path: Path, columns: Sequence[Column]) -> RawRows:
    """The cells of the given columns, all at once; raises as `read_parts` does."""
    return joined(read_parts(feed, path, columns))


def _format(path: Path, feed: Feed) -> str:
    ending = path.suffix.lower().lstrip(".")
    return _KINDS.get(ending, ending if ending in _READERS else feed.format)


def _empty(path: Path, found: str) -> DataRefused:
    return DataRefused(
        "file-empty",
        found=f"{path.name} with {found}",
        expected="at least one row",
        repair="Ask the agency whether there was nothing to send; if so, set may_be_empty in the contract.",
    )
