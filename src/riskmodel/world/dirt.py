"""Rows that no intake may let in, put into clean deliveries, each counted under the code by which it must be found.

The truth: a few rows in a thousand. Each is a copy of a good row under a new key with exactly one thing wrong, so
that the quarantine of a correct intake holds exactly as many rows of each code as were planted (where the purpose
lets the faulty column be read at all). A naive analyst who drops what does not parse never learns that it was there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.feeds.feed import Feed

RATE: Final = 0.0006
"""Rows of each kind planted for each clean row; the first block has at least one of each."""
_AHEAD_DAYS: Final = 400
_STARTS: Final = {"people": "birth_date", "events": "happened_at", "relations": "starts_at"}
_CODED: Final = {"people": "sex", "events": "kind", "relations": "kind"}
_KEYS: Final = {"people": "person_key", "events": "event_key"}
NO_CODE: Final = "??"
NOBODY: Final = "X-NOBODY"


def soiled(
    random: np.random.Generator, feed: Feed, rows: pa.Table, block: int, end_day: int
) -> tuple[pa.Table, dict[str, int]]:
    """Standard rows with faulty copies among them, in the agency's own columns.

    Parameters
    ----------
    rows : Arrow table of standard fields, all of them good
    block : int, makes the keys of the copies unique
    end_day : int, the last day of the world, in days since 1970-01-01

    Returns
    -------
    table : as `Feed.render` gives it, in the order of `rows`, the faulty rows at random places
    planted : quarantine code -> number of rows planted
    """
    clean = feed.render(rows)
    parts, planted = [clean], {}
    faults: dict[str, Callable[[pa.Table], pa.Table]] = {
        "unknown-code": lambda copies: _without_code(feed, feed.render(copies)),
        "date-in-future": lambda copies: feed.render(_ahead(feed, copies, end_day)),
    }
    if feed.holds != "people" and feed.meaning("person_key") is not None:
        stranger = "other_person_key" if feed.holds == "relations" else "person_key"
        faults["person-unknown"] = lambda copies: feed.render(_filled(copies, stranger, NOBODY))
    if feed.meaning("ended_at") is not None:
        faults["end-before-start"] = lambda copies: feed.render(_backwards(copies))
    for code, make in faults.items():
        count = _how_many(random, rows, block)
        if count:
            chosen = rows.take(pa.array(random.integers(0, rows.num_rows, count)))
            parts.append(make(_under_new_keys(feed, chosen, code, block)))
            planted[code] = count
    count = min(_how_many(random, rows, block), rows.num_rows)
    if count:
        parts.append(clean.take(pa.array(random.permutation(rows.num_rows)[:count])))
        planted["duplicate-row"] = count
    table = pa.concat_tables(parts)
    place = np.arange(table.num_rows, dtype=np.float64)
    place[rows.num_rows :] = random.random(table.num_rows - rows.num_rows) * rows.num_rows
    return table.take(pa.array(np.argsort(place, kind="stable"))), planted


def _how_many(random: np.random.Generator, rows: pa.Table, block: int) -> int:
    return int(random.poisson(RATE * rows.num_rows)) + (block == 0 and rows.num_rows > 0)


def _under_new_keys(feed: Feed, rows: pa.Table, code: str, block: int) -> pa.Table:
    """Copies under keys that are nobody's: the fault is then all that can be wrong with them."""
    if feed.holds == "relations":
        return rows
    initials = "".join(word[0] for word in code.split("-")).upper()
    keys = [f"X{initials}{block:04d}{place:06d}" for place in range(rows.num_rows)]
    return _with(rows, _KEYS[feed.holds], pa.array(keys, pa.string()))


def _with(rows: pa.Table, field: str, column: pa.Array) -> pa.Table:
    at = rows.schema.get_field_index(field)
    return rows.set_column(at, field, column.cast(rows.schema.field(at).type))


def _filled(rows: pa.Table, field: str, text: str) -> pa.Table:
    return _with(rows, field, pa.array([text] * rows.num_rows, pa.string()))


def _without_code(feed: Feed, cells: pa.Table) -> pa.Table:
    column = feed.meaning(_CODED[feed.holds])
    assert column is not None  # every contract of the package says what its records are
    return cells.set_column(
        cells.column_names.index(column.name), column.name, pa.array([NO_CODE] * cells.num_rows, pa.string())
    )


def _ahead(feed: Feed, rows: pa.Table, end_day: int) -> pa.Table:
    field = _STARTS[feed.holds]
    kind = rows.schema.field(field).type
    day = pa.array([end_day + _AHEAD_DAYS] * rows.num_rows, pa.int32()).cast(pa.date32()).cast(kind)
    rows = _with(rows, field, day)
    if "ended_at" in rows.column_names:
        rows = _with(rows, "ended_at", pa.nulls(rows.num_rows, pa.timestamp("us")))
    return rows


def _backwards(rows: pa.Table) -> pa.Table:
    three_days = pa.scalar(3 * 86_400_000_000, pa.duration("us"))
    return _with(rows, "ended_at", pc.subtract(rows.column("happened_at").combine_chunks(), three_days))
