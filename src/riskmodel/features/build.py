"""Features for many rows: the plan is made once, rows are cut into blocks, and the kernel sweeps them.

The answer does not depend on the order of the input, on how rows are cut into blocks, or on the number of threads.
This module decides nothing about meaning (nodes, reference) or visibility (the kernel keeps to the one rule).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import EARLIEST, Moments, moments, years
from riskmodel.features import kernel
from riskmodel.features.arrange import Plan, Whole, planned
from riskmodel.features.declared import checked
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import Age
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import NULL_TIME, known

Matrix = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

BLOCK_ROWS = 1 << 15
"""About how many rows one thread computes at a time."""


def feature_matrix(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    *,
    threads: int | None = None,
    block_rows: int = BLOCK_ROWS,
    progress: Progress | None = None,
) -> pa.Table:
    """The features of each row.

    Parameters
    ----------
    rows : (n,) Arrow table with entity_id and as_of, in any order
    features : nodes with different names
    threads : cores to use; all by default. The answer is the same for any number
    progress : called with (rows done, rows in all)

    Returns
    -------
    (n, p) Arrow table of float32 columns in the order of `features`; NaN where a feature has no answer

    Raises
    ------
    DeclarationError : unknown kinds, roles, agencies or ties, or two features with one name; all at once
    """
    checked(histories, features)
    matrix, _ = filled(histories, rows, features, threads=threads, block_rows=block_rows, progress=progress)
    return as_table(matrix, features)


def as_table(matrix: Matrix, features: Sequence[Feature]) -> pa.Table:
    """The (p, n) matrix as Arrow columns, without a copy."""
    fields = [pa.field(feature.name, pa.float32(), nullable=False) for feature in features]
    return pa.table([pa.array(column) for column in matrix], schema=pa.schema(fields))


def filled(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    *,
    threads: int | None = None,
    block_rows: int = BLOCK_ROWS,
    progress: Progress | None = None,
) -> tuple[Matrix, Mapping[str, int]]:
    """The (p, n) float32 matrix of checked features, and how many tie rows each choice of ties left out."""
    entity, as_of, order = _sorted_rows(rows)
    starts = np.flatnonzero(np.append(True, entity[1:] != entity[:-1])) if len(entity) else np.empty(0, np.int64)
    plan = planned(histories, features, entity[starts], threads=threads)
    births = np.full(len(entity), EARLIEST)
    if plan.program.reads_births:
        births = np.fmax(births, born_by(histories, entity, as_of.view("datetime64[us]")))
    matrix = np.empty((len(features), len(entity)), np.float32)
    asked = Asked(entity, as_of, births.view(np.int64), starts)
    _sweep(plan, asked, matrix, threads or cores(), block_rows, progress)
    for column, feature in enumerate(features):
        if isinstance(feature, Age):
            matrix[column] = ages(histories, entity, as_of.view("datetime64[us]"))
    if order is not None:
        unsorted = np.empty_like(matrix)
        unsorted[:, order] = matrix
        matrix = unsorted
    return matrix, plan.ties_left_out


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ages(histories: Histories, entity: Whole, as_of: Moments) -> Matrix:
    """Completed years of each (entity, as_of): (n,) float32, NaN where no date of birth was known by then.

    The day comes round as `dates.years` says: born on 29 February, one year older on 28 February of a common year.
    """
    at, born = as_of, born_by(histories, entity, as_of)
    found = np.full(len(entity), np.nan, np.float32)
    seen = np.flatnonzero(~np.isnat(born) & (born <= at))
    at, born = at[seen], born[seen]
    age = at.astype("datetime64[Y]").astype(np.int64) - born.astype("datetime64[Y]").astype(np.int64)
    for number in np.unique(age):
        turning = np.flatnonzero(age == number)
        early = years(int(number)).after(born[turning]) > at[turning]
        age[turning[early]] -= 1
    found[seen] = age
    return found


def born_by(histories: Histories, entity: Whole, as_of: Moments) -> Moments:
    """The day of birth of each (entity, as_of): (n,) datetime64[us], NaT where it was not known by then."""
    persons = histories.persons.filter(pc.is_valid(histories.persons["birth_date"]))
    ids = persons["entity_id"].to_numpy()
    born = np.full(len(entity), np.datetime64("NaT", "us"))
    if not len(ids):
        return born
    place = np.minimum(np.searchsorted(ids, entity), len(ids) - 1)
    never = np.full(len(entity), NULL_TIME)
    seen = known(moments(persons["known_at"].to_numpy())[place], never, as_of) & (ids[place] == entity)
    return np.where(seen, moments(persons["birth_date"].to_numpy())[place], born)


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """Rows sorted by entity and as-of date (microseconds); `starts` is the first row of each entity."""

    entity: Whole
    as_of: Whole
    births: Whole
    starts: Whole


def _sorted_rows(rows: pa.Table) -> tuple[Whole, Whole, Whole | None]:
    """Entities and as-of dates sorted by both, and the order that sorts them (None when they are already)."""
    entity = rows["entity_id"].to_numpy()
    as_of = np.asarray(rows["as_of"].to_numpy(), "datetime64[us]").view(np.int64)
    same = entity[1:] == entity[:-1]
    if ((entity[1:] > entity[:-1]) | (same & (as_of[1:] >= as_of[:-1]))).all():
        return entity, as_of, None
    order = np.lexsort((as_of, entity))
    return entity[order], as_of[order], order


def _sweep(plan: Plan, asked: Asked, matrix: Matrix, threads: int, block_rows: int, progress: Progress | None) -> None:
    """Fill the columns that look at events, block by block."""
    rows = len(asked.entity)
    if not len(plan.program.results) or not rows:
        return
    dates, date = np.unique(asked.as_of, return_inverse=True)
    opens, closes = bounds(plan, dates)
    groups = _groups(plan, asked, date, opens, closes)
    cuts = np.searchsorted(groups[:, 0], np.arange(0, rows, block_rows)[1:])
    blocks = [block for block in np.split(groups, np.unique(cuts)) if len(block)]
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        work = [pool.submit(_block, plan, block, asked, date, opens, closes, matrix) for block in blocks]
        for one in work:
            done += one.result()
            if progress is not None:
                progress(done, rows)


def bounds(plan: Plan, dates: Whole) -> tuple[Whole, Whole]:
    """First moment inside and first after, of each window and distinct as-of date: two (windows, dates) int64."""
    edges = [window.bounds(dates.view("datetime64[us]")) for window in plan.program.windows]
    opens, closes = (np.stack([np.asarray(pair[side]).view(np.int64) for pair in edges]) for side in (0, 1))
    return np.ascontiguousarray(opens), np.ascontiguousarray(closes)


def _groups(plan: Plan, asked: Asked, date: Whole, opens: Whole, closes: Whole) -> Whole:
    """(g, 4): first and end row, first and end event. Rows of a group have window edges that never move back.

    Calendar months can move an edge back: a month before 30 March 12:00 is 29 February 12:00, a month before
    31 March 00:00 is 29 February 00:00. An entity with such rows is swept in several groups.
    """
    starts = asked.starts
    back = (np.diff(opens, axis=1) < 0).any(axis=0) | (np.diff(closes, axis=1) < 0).any(axis=0)
    if back.any():
        level = np.concatenate([[0], np.cumsum(back)])[date]
        cut = np.flatnonzero(level[1:] != level[:-1]) + 1
        starts = np.union1d(starts, cut)
    ends = np.append(starts[1:], len(asked.entity))
    owners = asked.entity[starts]
    events = plan.events.entity
    first, last = np.searchsorted(events, owners, "left"), np.searchsorted(events, owners, "right")
    return np.stack([starts, ends, first, last], axis=1).astype(np.int64)


def _block(plan: Plan, groups: Whole, asked: Asked, date: Whole, opens: Whole, closes: Whole, matrix: Matrix) -> int:
    begin, end = int(groups[0, 0]), int(groups[-1, 1])
    local = groups.copy()
    local[:, :2] -= begin
    events, program, types = plan.events, plan.program, plan.types
    kernel.compiled_sweep()(
        local, asked.as_of[begin:end], asked.births[begin:end], np.ascontiguousarray(date[begin:end], np.int64),
        opens, closes,
        events.happened, events.known, events.until, events.ended, events.value, events.type, events.codes,
        types.starts, types.steps, types.levels, program.results, program.integers, program.numbers,
        matrix[:, begin:end],
    )  # fmt: skip
    return end - begin
