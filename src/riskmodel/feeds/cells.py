"""From cells of text to typed values, by the contract, so that one bad cell costs one row.

One pass of SQL types every column and notes what is wrong with each cell; codes are turned into standard words
after it. Nothing is dropped here: a faulty cell becomes null and the row is marked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.feeds.feed import Column
from riskmodel.feeds.quarantine import NUMBER, Verdict

EARLIEST: Final = "1850-01-01"
_WHOLE: Final = r"[+-]?[0-9]{1,18}(\.0+)?"
_DECIMAL: Final = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


def typed(
    cells: pa.Table, columns: Sequence[Column], needed: frozenset[str], received_at: dt.datetime
) -> tuple[pa.Table, Verdict]:
    """Typed values under the same headings, and the first fault of each row.

    Parameters
    ----------
    cells : (n rows) Arrow table as read
    columns : the contract's columns, in the order of `cells`
    needed : standard fields that every row must fill whatever the contract says
    received_at : datetime; later dates are refused unless the column may be in the future

    Returns
    -------
    table : text and codes as string, dates as date32, moments as timestamp[us], numbers as float64, integers as int64
    verdict : of the rows, from the cells alone
    """
    names = [f"c{at}" for at in range(len(columns))]
    numbered = cells.rename_columns(names).append_column("row_", pa.array(np.arange(cells.num_rows)))
    native = [str(kind) if not pa.types.is_string(kind) else "" for kind in cells.schema.types]
    spare = {column.name: (name, kind) for column, name, kind in zip(columns, names, native, strict=True)}
    clean = ", ".join(
        _clean(column, name, kind, spare.get(column.or_else or ""))
        for column, name, kind in zip(columns, names, native, strict=True)
    )
    value = ", ".join(_value(column, name, kind) for column, name, kind in zip(columns, names, native, strict=True))
    fault = ", ".join(
        _fault(column, name, kind, required=column.required or column.means in needed, received_at=received_at)
        for column, name, kind in zip(columns, names, native, strict=True)
    )
    values = ", ".join(f"v{at}" for at in range(len(columns)))
    # the row is refused for its first faulty column: coalesce keeps column * 100 + code
    first = ", ".join(f"{at} * 100 + nullif(f{at}, 0)" for at in range(len(columns)))
    done = query(
        f"""
        WITH cleaned AS (SELECT row_, {clean} FROM cells_),
             valued AS (SELECT *, {value} FROM cleaned),
             judged AS (SELECT row_, {values}, {fault} FROM valued)
        SELECT row_, {values}, CAST(coalesce({first}, -1) AS INTEGER) AS fault_ FROM judged
        """,
        cells_=numbered,
    )
    place = done.column("row_").to_numpy()
    if not np.array_equal(place, np.arange(cells.num_rows)):  # the engine kept no order: restore it
        done = done.take(pa.array(np.argsort(place, kind="stable")))
    fault_of = done.column("fault_").to_numpy()
    verdict = Verdict.clear(cells.num_rows)
    verdict.code[:] = np.where(fault_of < 0, 0, fault_of % 100)
    verdict.column[:] = np.where(fault_of < 0, -1, fault_of // 100)
    table = done.select([f"v{at}" for at in range(len(columns))]).rename_columns([column.name for column in columns])
    return table, verdict


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _among(expression: str, texts: Sequence[str]) -> str:
    return f"{expression} IN ({', '.join(_quoted(text) for text in texts)})"


def _clean(column: Column, name: str, kind: str, other: tuple[str, str] | None) -> str:
    """The cell without surrounding space; empty, "not known" and "not ended" cells are null, or another column's."""
    kept = _kept(column, name, kind)
    if other is not None:
        kept = f"coalesce({kept}, {_kept(column, *other)})"
    length = "0" if kind else f"length({name})"
    return f"{kept} AS {name}, {length} AS l{name}"


def _kept(column: Column, name: str, kind: str) -> str:
    """The cell, or null where it says that nothing is known or nothing has ended."""
    blanks = (*column.unknown_when, *column.open_when)
    kept = name if kind else f"nullif(trim({name}, ' \t\r\n'), '')"
    if not blanks:
        return kept
    if kind.startswith(("date", "timestamp")):  # the contract may write such a date in its own way or as 2020-01-01
        written = ("%Y-%m-%d", *column.written)
        says = " OR ".join(_among(f"strftime(CAST({name} AS TIMESTAMP), {_quoted(way)})", blanks) for way in written)
    elif kind:
        says = f"CAST({name} AS DOUBLE) IN ({', '.join(_number(text) for text in blanks)})"
    else:
        says = _among(f"trim({name})", blanks)
    return f"CASE WHEN {says} THEN NULL ELSE {kept} END"


def _number(text: str) -> str:
    return f"try_cast({_quoted(text)} AS DOUBLE)"


def _value(column: Column, name: str, native: str) -> str:
    """The typed value, null where the cell cannot be one."""
    patterns = ", ".join(_quoted(pattern) for pattern in column.written)
    whole = name if native else f"CASE WHEN regexp_full_match({name}, {_quoted(_WHOLE)}) THEN {name} END"
    real = name if native else f"CASE WHEN regexp_full_match({name}, {_quoted(_DECIMAL)}) THEN {name} END"
    float_ = f"try_cast({whole} AS DOUBLE)"
    integer = f"try_cast(CASE WHEN {float_} = floor({float_}) THEN {float_} END AS BIGINT)"
    number = f"try_cast({real} AS DOUBLE)"
    moment = f"CAST({name} AS TIMESTAMP)" if native else f"try_strptime({name}, [{patterns}])"
    expression = {
        "text": name,
        "code": name,
        "date": f"CAST({moment} AS DATE)",
        "moment": moment,
        "integer": integer,
        "number": f"CASE WHEN isfinite({number}) THEN {number} END",
        "year": f"CASE WHEN {integer} BETWEEN 1000 AND 9999 THEN make_date(CAST({integer} AS INTEGER), 7, 2) END",
    }[column.type]
    return f"{expression} AS v{name[1:]}"


def _fault(column: Column, name: str, native: str, *, required: bool, received_at: dt.datetime) -> str:
    """The number of the first code that the cell deserves, 0 for none."""
    value = f"v{name[1:]}"
    dated = column.type in ("date", "moment", "year")
    cases = [] if native else [(f"l{name} > {column.longest}", "cell-too-long")]
    if required:
        cases.append((f"{name} IS NULL", "value-missing"))
    if column.type not in ("text", "code"):
        cases.append((f"{name} IS NOT NULL AND {value} IS NULL", "date-invalid" if dated else "wrong-type"))
    if dated:
        cases.append((f"{value} < DATE '{EARLIEST}'", "date-out-of-range"))
    if dated and not column.may_be_future:
        limit = received_at.isoformat(sep=" ")
        if column.type == "year":
            cases.append((f"year({value}) > {received_at.year}", "date-in-future"))
        else:
            cases.append((f"{value} > TIMESTAMP '{limit}'", "date-in-future"))
    bounds = ((column.at_least, "<"), (column.at_most, ">"))
    cases += [(f"{value} {compare} {bound!r}", "value-out-of-range") for bound, compare in bounds if bound is not None]
    whens = " ".join(f"WHEN {condition} THEN {NUMBER[code]}" for condition, code in cases)
    return f"CASE {whens} ELSE 0 END AS f{name[1:]}" if whens else f"0 AS f{name[1:]}"
