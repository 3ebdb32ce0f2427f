"""The checks of delivered rows: typed by the contract, put into the standard fields, each row judged once.

A row is judged by what stands in it alone; then, among all rows of its file with the same key, whether it only repeats
another. What needs other files (is the person in a register, was the row sent before) is judged when the records are
settled. Accepted plus quarantined is always all that was delivered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.feeds.cells import typed
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.full_names import FULL_NAME, cut_each
from riskmodel.feeds.quarantine import Verdict, quarantined
from riskmodel.feeds.raw import RawRows
from riskmodel.feeds.repeats import refuse_repeats
from riskmodel.feeds.standard import FIELDS, NEEDED, SPAN, STRUCTURAL
from riskmodel.tables import MOMENT

ALWAYS_KNOWN = dt.datetime(1900, 1, 1)
"""Stands for "known throughout" in a register without dates."""
_ARROW = {"text": pa.string(), "date": pa.date32(), "moment": MOMENT, "number": pa.float64(), "flag": pa.bool_()}


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """Rows of one file after their checks.

    Attributes
    ----------
    rows : Arrow table of the accepted rows: the standard fields, known_at, key_ (text), cells_ (uint64, the same for
        rows that are alike in every cell) and row_ (number in the file)
    quarantine : QUARANTINE table
    counts : code -> rows refused
    delivered : int, rows of the feed, accepted and refused
    unchanged : int, accepted rows that say nothing new beside another row of the file, which are not among `rows`
    set_aside : int, rows that the contract says are not this feed's
    """

    rows: pa.Table
    quarantine: pa.Table
    counts: dict[str, int]
    delivered: int
    unchanged: int
    set_aside: int


def judged(
    feed: Feed, raw: RawRows, columns: Sequence[Column], kept: frozenset[str], received_at: dt.datetime, file: str
) -> Checked:
    """Judge every row of a file, or of a part of one, by itself.

    Parameters
    ----------
    feed : Feed
    raw : RawRows, as read
    columns : the contract's columns that were read, in the order of the cells
    kept : standard fields that may be kept beside the structural ones
    received_at : datetime, when the file came
    file : str, its name for the quarantine
    """
    cells, row = _selected(feed, raw)
    table, verdict = typed(cells, columns, frozenset(NEEDED[feed.holds]), received_at)
    standard = _standard(feed, table, kept, received_at, verdict)
    _check_span(feed, standard, verdict)
    keys = _keys(feed, cells, verdict)
    unreadable = Verdict.clear(raw.unreadable.size)
    unreadable.refuse(np.ones(raw.unreadable.size, bool), "row-unreadable")
    names = [column.name for column in columns]
    refused = [
        quarantined(feed.name, file, numbers, found, names)
        for numbers, found in ((row, verdict), (raw.unreadable, unreadable))
    ]
    rows = pa.table({**standard, "key_": keys, "cells_": _alike(cells), "row_": pa.array(row)})
    return Checked(
        rows=rows.filter(pa.array(verdict.accepted)),
        quarantine=pa.concat_tables(refused),
        counts=verdict.counts() | unreadable.counts(),
        delivered=int(row.size + raw.unreadable.size),
        unchanged=0,
        set_aside=int(raw.row.size - row.size),
    )


def check(
    feed: Feed, raw: RawRows, columns: Sequence[Column], kept: frozenset[str], received_at: dt.datetime, file: str
) -> Checked:
    """Judge every row of a whole file, by itself and among the rows with its key; parameters as of `judged`."""
    one = judged(feed, raw, columns, kept, received_at, file)
    verdict = Verdict.clear(one.rows.num_rows)
    again = refuse_repeats(one.rows, verdict)
    refused = quarantined(feed.name, file, one.rows.column("row_").to_numpy(), verdict, ())
    return Checked(
        rows=one.rows.filter(pa.array(verdict.accepted & ~again)),
        quarantine=pa.concat_tables([one.quarantine, refused]),
        counts=one.counts | verdict.counts(),
        delivered=one.delivered,
        unchanged=int(again.sum()),
        set_aside=one.set_aside,
    )


def _selected(feed: Feed, raw: RawRows) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The rows that belong to the feed."""
    if feed.rows is None:
        return raw.cells.combine_chunks(), raw.row
    words = pc.utf8_trim_whitespace(raw.cells.column(feed.rows.column).cast(pa.string()))
    mine = pc.fill_null(pc.is_in(words, value_set=pa.array(feed.rows.values, pa.string())), False)
    return raw.cells.filter(mine).combine_chunks(), raw.row[mine.to_numpy()]


def _standard(
    feed: Feed, table: pa.Table, kept: frozenset[str], received_at: dt.datetime, verdict: Verdict
) -> dict[str, pa.Array]:
    """Every standard field of what the feed holds, null where it is not given or not kept; and known_at."""
    n = table.num_rows
    known_at = _known_at(feed, table, received_at)
    made = {
        field: pa.nulls(n, _ARROW[kind])
        if field not in feed.constant
        else pa.array([feed.constant[field]] * n, _ARROW[kind])
        for field, kind in FIELDS[feed.holds].items()
        if field != "recorded_at"
    }
    for column_name in table.column_names:
        column = feed.column(column_name)
        if column.means == FULL_NAME:
            made |= cut_each(table.column(column_name).combine_chunks())
        elif column.means in made and column.codes is None:
            made[column.means] = pc.cast(
                table.column(column_name).combine_chunks(), made[column.means].type, safe=False
            )
    when = made.get(SPAN[feed.holds][0] or "", known_at)
    for at, column_name in enumerate(table.column_names):
        column = feed.column(column_name)
        if column.codes is None:
            continue
        decoded = column.codes.decode(
            table.column(column_name).combine_chunks(), pc.cast(when, pa.date32(), safe=False)
        )
        verdict.refuse(decoded.unknown, "unknown-code", at)
        verdict.refuse(decoded.out_of_date, "code-out-of-date", at)
        if column.means in NEEDED[feed.holds]:
            verdict.refuse(decoded.values.is_null().to_numpy(zero_copy_only=False), "value-missing", at)
        if column.means == "retracted":
            made["retracted"] = pc.equal(decoded.values, "true")
        elif column.means in made:
            made[column.means] = decoded.values
        if column.means == "kind" and feed.meaning("role") is None and "role" in made and "role" not in feed.constant:
            made["role"] = decoded.roles
    if "retracted" in made:
        made["retracted"] = pc.fill_null(made["retracted"], False)
    allowed = STRUCTURAL[feed.holds] | kept
    masked = {field: column if field in allowed else pa.nulls(n, column.type) for field, column in made.items()}
    return {**masked, "known_at": known_at}


def _known_at(feed: Feed, table: pa.Table, received_at: dt.datetime) -> pa.Array:
    """When each row could be seen: the first filled of the contract's columns, else the receipt of the file."""
    n = table.num_rows
    if feed.known_at == ("always",):
        return pa.array([ALWAYS_KNOWN] * n, MOMENT)
    recorded = feed.meaning("recorded_at")
    sources = feed.known_at or ((recorded.name,) if recorded is not None else ())
    dates = [pc.cast(table.column(name).combine_chunks(), MOMENT) for name in sources]
    return pc.coalesce(*dates, pa.scalar(received_at, MOMENT)) if dates else pa.array([received_at] * n, MOMENT)


def _check_span(feed: Feed, standard: dict[str, pa.Array], verdict: Verdict) -> None:
    """Refuse an end before its start; an end known only to the day is compared by day, and moved up to the start."""
    start_field, end_field = SPAN[feed.holds]
    if start_field is None or end_field is None:
        return
    start, end = standard[start_field], standard[end_field]
    column = feed.meaning(end_field)
    if column is not None and column.type == "date":
        same_day = pc.equal(pc.cast(start, pa.date32(), safe=False), pc.cast(end, pa.date32(), safe=False))
        end = pc.if_else(pc.fill_null(same_day, False), start, end)
        standard[end_field] = end
    earlier = pc.fill_null(pc.less(end, start), False).to_numpy(zero_copy_only=False)
    verdict.refuse(earlier, "end-before-start")


def _keys(feed: Feed, cells: pa.Table, verdict: Verdict) -> pa.Array:
    """The key of each row as text: its key cells, joined with |; without a declared key, a hash of the row."""
    named = feed.key or _usual_key(feed)
    if not named:
        return _of_cells(cells, "md5(concat_ws(chr(31), {}))", "coalesce(CAST({} AS VARCHAR), chr(30))")
    parts = [pc.utf8_trim_whitespace(cells.column(name).combine_chunks().cast(pa.string())) for name in named]
    parts = [pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part) for part in parts]
    nothing = np.logical_and.reduce([part.is_null().to_numpy(zero_copy_only=False) for part in parts])
    verdict.refuse(nothing, "value-missing", cells.column_names.index(named[0]))
    if len(parts) == 1:
        return pc.fill_null(parts[0], "")
    escaped = [pc.replace_substring(pc.fill_null(part, ""), "|", "\\|") for part in parts]
    return pc.binary_join_element_wise(*escaped, "|")


def _alike(cells: pa.Table) -> pa.Array:
    """(n,) uint64 that are the same for rows with the same cells."""
    return _of_cells(cells, "hash({})", "{}")


def _of_cells(cells: pa.Table, whole: str, cell: str) -> pa.Array:
    """One value of all cells of each row: `whole` over `cell` of each, as SQL."""
    names = [f"c{at}" for at in range(cells.num_columns)]
    numbered = cells.rename_columns(names).append_column("row_", pa.array(np.arange(cells.num_rows)))
    made = whole.format(", ".join(cell.format(name) for name in names))
    return (
        query(f"SELECT row_, {made} AS made FROM cells_", cells_=numbered)
        .sort_by("row_")
        .column("made")
        .combine_chunks()
    )


def _usual_key(feed: Feed) -> tuple[str, ...]:
    """The columns that tell records apart where the contract names no key."""
    fields = {
        "people": ("person_key",),
        "events": ("event_key",),
        "relations": ("person_key", "other_person_key", "kind", "starts_at"),
    }[feed.holds]
    return tuple(column.name for field in fields if (column := feed.meaning(field)) is not None)
