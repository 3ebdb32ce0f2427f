"""The point-in-time rule, written once: what could have been seen at a moment.

A row counts at an as-of moment only if it *happened* strictly before that moment, was *known* strictly before it,
and was *not yet superseded* when it came. Features, cohorts, outcomes and timelines all ask here; no other module
may compare ``known_at`` or ``known_until`` with an as-of date by itself. The rule exists three times - for one row in
plain Python, for arrays in NumPy, as a condition in SQL - and tests hold the three together.

A worked example. A victim reports on 3 May 2021 that she was hurt on 1 May; the police correct the record on 10 June
(it was on 30 April). The history holds two versions of one fact:

=========  ============  ============  =============
version    happened_at   known_at      known_until
=========  ============  ============  =============
first      2021-05-01    2021-05-03    2021-06-10
second     2021-04-30    2021-06-10    null
=========  ============  ============  =============

At 2 May nothing is visible (it happened, nobody knew). At 3 May, midnight, still nothing: known at that very moment is
not known before it. At 4 May and until 10 June, midnight, the first version is visible; from the moment after, only
the second is. An outcome or a score of 1 June therefore never sees the correction of 10 June.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import FOREVER, Moments

Times: TypeAlias = "npt.NDArray[np.datetime64] | npt.NDArray[np.int64]"
"""datetime64[us] (null: NaT) or whole microseconds since 1970 (null: `NULL_TIME`, which is NaT's bit pattern)."""

Mask: TypeAlias = "npt.NDArray[np.bool_]"

NULL_TIME: Final = np.iinfo(np.int64).min
"""A missing time as a whole number: what ``NaT`` looks like when read as int64."""

_FOREVER: Final = int(FOREVER.astype(np.int64))


def is_known(known_at: dt.datetime | None, known_until: dt.datetime | None, as_of: dt.datetime) -> bool:
    """Whether a version was known, and not yet superseded, at the as-of moment."""
    return known_at is not None and known_at < as_of and (known_until is None or as_of <= known_until)


def is_visible(
    happened_at: dt.datetime | None, known_at: dt.datetime | None, known_until: dt.datetime | None, as_of: dt.datetime
) -> bool:
    """Whether one version of an event could be seen at the as-of moment: the rule in plain words.

    Parameters
    ----------
    happened_at, known_at : datetime; a version without either is never visible
    known_until : datetime or None, when a later version took its place; None while nothing did
    as_of : datetime, the moment asked about; what happened or became known at that very moment is not visible

    Examples
    --------
    >>> from datetime import datetime
    >>> hurt, told, corrected = datetime(2021, 5, 1), datetime(2021, 5, 3), datetime(2021, 6, 10)
    >>> asked = [datetime(2021, 5, 3), datetime(2021, 5, 4), datetime(2021, 6, 10), datetime(2021, 6, 11)]
    >>> [is_visible(hurt, told, corrected, as_of) for as_of in asked]
    [False, True, True, False]
    """
    return happened_at is not None and happened_at < as_of and is_known(known_at, known_until, as_of)


def known(known_at: Times, known_until: Times, as_of: Times | np.datetime64 | int) -> Mask:
    """`is_known` for arrays: (n,) times and one as-of, or as many, give an (n,) mask."""
    at, seen, closed = _whole(as_of), _whole(known_at), _whole(known_until)
    return np.asarray((seen != NULL_TIME) & (seen < at) & (at <= np.where(closed == NULL_TIME, _FOREVER, closed)))


def visible(
    happened_at: Times,
    known_at: Times,
    known_until: Times,
    as_of: Times | np.datetime64 | int,
    *,
    agency: npt.NDArray[np.object_] | npt.NDArray[np.str_] | None = None,
    coalition: Collection[str] | None = None,
) -> Mask:
    """`is_visible` for arrays.

    Parameters
    ----------
    happened_at, known_at, known_until : (n,) datetime64[us], or int64 microseconds with `NULL_TIME` for a missing time
    as_of : one moment, or (n,) moments, in either form
    agency : (n,) names of the agencies that hold the rows; needed with `coalition`
    coalition : agencies whose records may be looked at; None is all of them, an empty one sees nothing

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> from riskmodel.dates import moments
    >>> hurt, told = moments(["2021-05-01", "2021-04-30"]), moments(["2021-05-03", "2021-06-10"])
    >>> until = moments(["2021-06-10", "NaT"])
    >>> visible(hurt, told, until, np.datetime64("2021-06-10")).tolist()
    [True, False]
    >>> visible(hurt, told, until, np.datetime64("2021-06-11")).tolist()
    [False, True]
    """
    happened = _whole(happened_at)
    mask = (happened != NULL_TIME) & (happened < _whole(as_of)) & known(known_at, known_until, as_of)
    if coalition is None:
        return np.asarray(mask)
    if agency is None:
        raise TypeError("visible() needs the agency of each row to look through a coalition")
    return np.asarray(mask & np.isin(np.asarray(agency, dtype=str), sorted(coalition)))


def visible_rows(
    table: pa.Table, as_of: dt.datetime, *, agencies: Collection[str] | None = None, begins: str = "happened_at"
) -> pa.Table:
    """The rows of an Arrow table (events, residences) that could be seen at one moment, in their order.

    Parameters
    ----------
    table : with ``known_at``, ``known_until``, the column `begins`, and ``agency`` if `agencies` are given
    begins : the column that says when a row begins: ``happened_at`` of events, ``starts_at`` of residences
    """
    mask = visible(
        times_of(table, begins),
        times_of(table, "known_at"),
        times_of(table, "known_until"),
        np.datetime64(as_of, "us"),
    )
    if agencies is not None:
        wanted = pc.is_in(table.column("agency"), value_set=pa.array(sorted(agencies), pa.string()))
        mask &= wanted.to_numpy(zero_copy_only=False)
    return table.filter(pa.array(mask))


def visible_sql(as_of: str, row: str = "", *, begins: str = "happened_at") -> str:
    """`is_visible` as an SQL condition that is never null.

    Parameters
    ----------
    as_of : SQL expression of the as-of moment
    row : alias of the table that holds the versions, empty for none

    Examples
    --------
    >>> visible_sql("?")
    'coalesce(happened_at < ? AND known_at < ? AND (known_until IS NULL OR ? <= known_until), false)'
    """
    of = f"{row}." if row else ""
    return (
        f"coalesce({of}{begins} < {as_of} AND {of}known_at < {as_of} "
        f"AND ({of}known_until IS NULL OR {as_of} <= {of}known_until), false)"
    )


def times_of(table: pa.Table, column: str) -> Moments:
    """A time column of an Arrow table as (n,) datetime64[us], NaT where null."""
    return np.asarray(table.column(column).cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")


def _whole(times: Times | np.datetime64 | int) -> npt.NDArray[np.int64]:
    """Times of either form as int64 microseconds."""
    array = np.asarray(times)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]").view(np.int64)
    return array.astype(np.int64, copy=False)
