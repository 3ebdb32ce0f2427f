"""As-of dates: a grid of calendar dates for everybody, or one moment per person and event.

A schedule says when the question is asked; who may be asked about is the cohort's business.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Duration, Moments, moments
from riskmodel.histories.visibility import times_of, visible
from riskmodel.tables import MOMENT, ROWS, ordered


def calendar_dates(every: Duration, between: tuple[dt.date, dt.date]) -> Moments:
    """The dates from the first of `between`, step by step, up to but not including the last.

    Steps are counted from the first date, so the month's end does not creep: from 31 January, monthly,
    come 31 January, 29 February, 31 March (in a leap year).

    Examples
    --------
    >>> from riskmodel.dates import months
    >>> [str(at)[:10] for at in calendar_dates(months(1), (dt.date(2024, 1, 31), dt.date(2024, 4, 1)))]
    ['2024-01-31', '2024-02-29', '2024-03-31']
    """
    first, last = moments(list(between))
    found = []
    step = 0
    at = first
    while at < last:
        found.append(at)
        step += 1
        at = Duration(every.months * step, every.days * step).after(moments([first]))[0]
    return moments(found)


def at_every_date(entity_ids: pa.ChunkedArray, dates: Moments) -> pa.Table:
    """Each entity at each date: ROWS."""
    ids = entity_ids.to_numpy()
    return _rows(np.repeat(ids, len(dates)), np.tile(dates, len(ids)))


def at_each_event(events: pa.Table, kind: str, offset: Duration, between: tuple[dt.date, dt.date]) -> pa.Table:
    """One row for each event of a kind: midnight of its day plus `offset`, if the event can be seen by then."""
    chosen = events.filter(pc.and_kleene(pc.equal(events["kind"], kind), pc.is_valid(events["entity_id"])))
    day = times_of(chosen, "happened_at").astype("datetime64[D]")
    as_of = offset.after(day.astype("datetime64[us]"))
    first, last = moments(list(between))
    asked = (
        visible(
            times_of(chosen, "happened_at"),
            times_of(chosen, "known_at"),
            times_of(chosen, "known_until"),
            as_of,
        )
        & (as_of >= first)
        & (as_of < last)
    )
    return _rows(chosen["entity_id"].to_numpy()[asked], as_of[asked])


def _rows(entity_ids: np.ndarray, as_of: Moments) -> pa.Table:
    table = pa.table([pa.array(entity_ids, pa.int64()), pa.array(as_of, MOMENT)], schema=ROWS)
    return ordered(table.group_by(["entity_id", "as_of"]).aggregate([]).select(ROWS.names).cast(ROWS), ROWS.names)
