"""Rows of one file that have the same key: copies, conflicts, and such as say the same once more.

The first row is accepted. A row with the very same cells is a copy. One with the same key and the same date of
recording either says the same in other letters (accepted, and nothing new) or something else (a conflict).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.feeds.quarantine import Verdict

MARKS: Final = ("key_", "cells_", "row_", "delivery_", "received_")
"""Columns of rows on their way that are no standard fields."""

Codes = npt.NDArray[np.int64]


def refuse_repeats(rows: pa.Table, verdict: Verdict) -> npt.NDArray[np.bool_]:
    """Refuse copies and conflicts; returns the mask of the rows that only say once more what another says.

    Parameters
    ----------
    rows : (n,) accepted rows of one feed with the marks key_, cells_, row_, and, where they are of several files,
        delivery_
    verdict : of the same rows
    """
    again = np.zeros(rows.num_rows, bool)
    among = np.flatnonzero(with_others(codes_of(rows.column("key_"))))
    if not among.size:
        return again
    several = rows.take(pa.array(among))
    key = codes_of(several.column("key_"))
    row = several.column("row_").to_numpy()
    file = several.column("delivery_").to_numpy() if "delivery_" in rows.column_names else np.zeros(row.size, np.int64)
    copy = ~_first_of(row, key, file, several.column("cells_").to_numpy())
    known = integers(several.column("known_at"))
    first = _heads(row, key, file, known, copy)
    content = contents(several)
    repeated = ~copy & (first != np.arange(row.size))
    for mask, code in ((copy, "duplicate-row"), (repeated & (content != content[first]), "key-conflict")):
        refused = np.zeros(rows.num_rows, bool)
        refused[among[mask]] = True
        verdict.refuse(refused, code)
    again[among[repeated & (content == content[first])]] = True
    return again


def codes_of(keys: pa.ChunkedArray) -> Codes:
    """(n,) whole numbers, the same for the same text."""
    whole = keys.combine_chunks()
    return np.asarray(whole.dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def with_others(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which of (n,) codes occur more than once."""
    return np.asarray(np.bincount(codes)[codes] > 1) if codes.size else np.zeros(0, bool)


def integers(column: pa.ChunkedArray) -> Codes:
    """The microseconds of (n,) moments."""
    return np.array(column.combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False))


def contents(rows: pa.Table) -> npt.NDArray[np.uint64]:
    """A number for what each row says, its dates of knowledge left out."""
    said = [name for name in rows.column_names if name not in (*MARKS, "known_at")]
    table = pa.table({f"c{at}": rows.column(name) for at, name in enumerate(said)} | {"at_": np.arange(rows.num_rows)})
    columns = ", ".join(f"c{at}" for at in range(len(said)))
    hashed = query(f"SELECT at_, hash({columns}) AS said FROM rows_", rows_=table).sort_by("at_")
    return np.asarray(hashed.column("said").to_numpy(), np.uint64)


def _first_of(row: Codes, *groups: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Which rows are the first of those that agree in all `groups`, by row number."""
    return np.asarray(_heads(row, *groups) == np.arange(row.size))


def _heads(row: Codes, *groups: npt.NDArray[np.generic]) -> Codes:
    """For each row, the place of the first row of those that agree with it in all `groups`."""
    order = np.lexsort((row, *groups))
    starts = np.ones(row.size, bool)
    starts[1:] = np.logical_or.reduce([group[order][1:] != group[order][:-1] for group in groups])
    heads = np.empty(row.size, np.int64)
    heads[order] = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    return heads
