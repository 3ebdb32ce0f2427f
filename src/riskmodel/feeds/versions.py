"""Versions: what is sent again is either nothing new or a correction, and a correction never rewrites the past.

A row sent again unchanged changes nothing. A row with a known key and other content is a new version from the moment it
was recorded; when the agency did not say a later moment than before, from the moment the partnership received it. So
what could be seen on a past day stays what it was.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.feeds.feed import Feed
from riskmodel.feeds.repeats import codes_of, contents, integers, with_others


def with_ends_known_later(feed: Feed, rows: pa.Table) -> pa.Table:
    """For a feed whose ends become known when they come: an open version at the start, a closed one at the end."""
    if feed.ends_known != "at_end" or "ended_at" not in rows.column_names:
        return rows
    end, known = rows.column("ended_at"), rows.column("known_at")
    later = pc.fill_null(pc.greater(end, known), False)
    come = pc.and_(later, pc.fill_null(pc.less_equal(end, rows.column("received_")), False))
    opened = rows.set_column(
        rows.schema.get_field_index("ended_at"),
        "ended_at",
        pc.if_else(later, pa.scalar(None, end.type), end),
    )
    closed = rows.filter(come)
    closed = closed.set_column(rows.schema.get_field_index("known_at"), "known_at", closed.column("ended_at"))
    return pa.concat_tables([opened, closed])


def history(rows: pa.Table) -> pa.Table:
    """The versions of every record of one feed, each once, with strictly increasing known_at for one key.

    Parameters
    ----------
    rows : standard fields, known_at, and the marks key_, row_, delivery_ (order of receipt), received_ (timestamp)
    """
    several = np.flatnonzero(with_others(codes_of(rows.column("key_"))))
    if not several.size:
        return rows
    rows = rows.combine_chunks()
    chosen, seen = _versions(rows.take(pa.array(several)))
    known = integers(rows.column("known_at"))
    known[several[chosen]] = seen
    place = np.ones(rows.num_rows, bool)
    place[several] = False
    place[several[chosen]] = True
    stamped = rows.set_column(
        rows.schema.get_field_index("known_at"), "known_at", pa.array(known).view(rows.schema.field("known_at").type)
    )
    return stamped.filter(pa.array(place))


def _versions(rows: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of the rows that are versions of their own, and since when each could be seen."""
    key = codes_of(rows.column("key_"))
    known, received = (integers(rows.column(name)) for name in ("known_at", "received_"))
    delivery, row = (rows.column(name).to_numpy() for name in ("delivery_", "row_"))
    content = contents(rows)
    order = np.lexsort((row, known, delivery, key))
    last = _last_of_delivery(key[order], delivery[order])
    once = _first_said(key[order], known[order], content[order])
    order, last = order[once], last[once]
    changed = ~_same_as_before(key[order], content[order])
    order, last = order[changed], last[changed]
    known[order] = _seen_from(key[order], delivery[order], known[order], received[order], last)
    order = order[np.lexsort((row[order], delivery[order], known[order], key[order]))]
    order = order[~(_same_as_before(key[order], content[order]) | _same_as_before(key[order], known[order]))]
    return order, known[order]


def _last_of_delivery(key: npt.NDArray[np.int64], delivery: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which rows are what their delivery says last of their key (rows in order of key, delivery, known_at)."""
    last = np.ones(key.size, bool)
    last[:-1] = (key[1:] != key[:-1]) | (delivery[1:] != delivery[:-1])
    return last


def _first_said(
    key: npt.NDArray[np.int64], known: npt.NDArray[np.int64], content: npt.NDArray[np.uint64]
) -> npt.NDArray[np.bool_]:
    """Which rows are the first to say this of this key with this date."""
    place = np.arange(key.size)
    order = np.lexsort((place, content, known, key))
    first = np.ones(key.size, bool)
    same = (np.diff(key[order]) == 0) & (np.diff(known[order]) == 0) & (content[order][1:] == content[order][:-1])
    first[order[1:][same]] = False
    return first


def _same_as_before(key: npt.NDArray[np.int64], said: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    same = np.zeros(key.size, bool)
    same[1:] = (key[1:] == key[:-1]) & (said[1:] == said[:-1])
    return same


def _seen_from(
    key: npt.NDArray[np.int64],
    delivery: npt.NDArray[np.int64],
    known: npt.NDArray[np.int64],
    received: npt.NDArray[np.int64],
    last: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """known_at of each version: a correction that claims no later date than what it corrects counts from its receipt.

    Example: recorded 3 March, received 10 March; sent again on 10 April with other content, still "recorded 3 March":
    the second version is known from 10 April. One row at a time, because each date depends on the one before it.
    """
    seen = known.tolist()
    latest, first = 0, 0
    keys, deliveries, receipts, lasts = key.tolist(), delivery.tolist(), received.tolist(), last.tolist()
    for at, one in enumerate(keys):
        if at == 0 or one != keys[at - 1]:
            latest, first = seen[at], deliveries[at]
            continue
        if lasts[at] and deliveries[at] > first and seen[at] <= latest:
            seen[at] = max(receipts[at], latest + 1)
        latest = max(latest, seen[at])
    return np.array(seen, np.int64)
