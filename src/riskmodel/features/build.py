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
from riskmodel.errors import DataRefused
from riskmodel.features import kernel
from riskmodel.features.areas import AreaColumns, area_columns, of_areas
from riskmodel.features.arrange import Plan, planned
from riskmodel.features.columns import arrow, numbers
from riskmodel.features.declared import checked
from riskmodel.features.exposures import EVERY_TIE, MOST_TIES
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import Age
from riskmodel.features.pieces import Whole, naive
from riskmodel.features.places import HomeArea
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import NULL_TIME, known
from riskmodel.tables import MOMENT

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
    return pa.table([arrow(column) for column in matrix], schema=pa.schema(fields))


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
    sweeping, order = prepared(histories, rows, features, threads=threads or cores())
    matrix = swept(sweeping, threads=threads or cores(), block_rows=block_rows, progress=progress)
    if order is not None:
        unsorted = np.empty_like(matrix)
        unsorted[:, order] = matrix
        matrix = unsorted
    return matrix, sweeping.plan.ties_left_out


def swept(
    sweeping: Sweeping, *, threads: int, block_rows: int = BLOCK_ROWS, progress: Progress | None = None
) -> Matrix:
    """The (p, n) matrix of what was prepared, rows in the order in which they are swept."""
    rows = len(sweeping.asked.entity)
    matrix = np.empty((sweeping.columns, rows), np.float32)
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        work = [pool.submit(sweeping.fill, block, matrix, int(block[0, 0])) for block in sweeping.blocks(block_rows)]
        for one in work:
            done += one.result()
            if progress is not None:
                progress(done, rows)
    return matrix


def prepared(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    *,
    threads: int,
    most_ties: int = MOST_TIES,
) -> tuple[Sweeping, Whole | None]:
    """Everything that the blocks share, and the order that sorted the rows (None when they came together already)."""
    kernel.compiled_sweep()  # before any thread asks for it: two would compile it twice
    asked, order = asked_of(rows)
    entities = asked.entity[asked.starts]
    aged = tuple(column for column, feature in enumerate(features) if isinstance(feature, Age))
    plan = planned(histories, features, entities, threads=threads, most_ties=most_ties)
    born: Moments = np.broadcast_to(np.datetime64("NaT", "us"), len(asked.entity))
    if aged or plan.program.reads_births:
        born = born_by(histories, asked.entity, asked.as_of.view("datetime64[us]"))
    dates, date = dates_of(asked.as_of)
    opens, closes = bounds(plan, dates)
    groups = _groups(asked, date, opens, closes)
    areas = _areas(histories, features, asked, dates, date, threads) if of_areas(features) else None
    return Sweeping(plan, asked, born, date, opens, closes, groups, aged, areas, len(features)), order


def _areas(
    histories: Histories, features: Sequence[Feature], asked: Asked, dates: Whole, date: Whole, threads: int
) -> AreaColumns:
    """What is asked of areas: first where each row's person lives, then the measures of those areas."""

    def filling(of: Histories, rows: pa.Table, wanted: Sequence[Feature]) -> Matrix:
        sweeping, order = prepared(of, rows, wanted, threads=threads, most_ties=EVERY_TIE)
        found = swept(sweeping, threads=threads)
        return found if order is None else found[:, np.argsort(order)]

    rows = pa.table({"entity_id": asked.entity, "as_of": asked.as_of.view("datetime64[us]")})
    return area_columns(histories, features, filling(histories, rows, [HomeArea()])[0], date, dates, filling)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ages(born: Moments, as_of: Moments) -> Matrix:
    """Completed years: (n,) float32, NaN where the date of birth is NaT or later.

    The day comes round as `dates.years` says: born on 29 February, one year older on 28 February of a common year.
    """
    at = as_of
    found = np.full(len(born), np.nan, np.float32)
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
    """Rows with the rows of an entity together and in as-of order; ``starts`` is the first row of each entity."""

    entity: Whole
    as_of: Whole
    starts: Whole


@dataclass(frozen=True, slots=True, repr=False)
class Sweeping:
    """A plan and the rows it is swept for; any block of groups can be filled, by any thread, in any order."""

    plan: Plan
    asked: Asked
    born: Moments
    date: Whole
    opens: Whole
    closes: Whole
    groups: Whole
    aged: tuple[int, ...]
    areas: AreaColumns | None
    columns: int

    def blocks(self, rows: int) -> list[Whole]:
        """The groups in blocks of about so many rows; no entity is cut in two."""
        if not len(self.groups):
            return []
        cuts = np.searchsorted(self.groups[:, 0], np.arange(0, len(self.asked.entity), rows)[1:])
        return [block for block in np.split(self.groups, np.unique(cuts)) if len(block)]

    def span(self, block: Whole) -> tuple[int, int]:
        """First row and end row of a block."""
        return int(block[0, 0]), int(block[-1, 1])

    def fill(self, block: Whole, matrix: Matrix, offset: int) -> int:
        """Fill the rows of the block into a contiguous (p, n) matrix from row `offset` on; how many rows that were."""
        begin, end = self.span(block)
        first = int(block[0, 2])
        events = self.plan.events_of(first, int(block[-1, 2]) + 1)
        number = block[:, 2] - first
        local = np.stack(
            [block[:, 0] - begin, block[:, 1] - begin, events.starts[number], events.starts[number + 1]], axis=1
        )
        flat = matrix.reshape(-1)[offset:]
        program, types = self.plan.program, self.plan.types
        births = np.fmax(self.born[begin:end], EARLIEST).view(np.int64)
        if len(program.results):
            most = int((block[:, 1] - block[:, 0]).max())
            room = np.empty(len(program.integers) * most, np.int64), np.empty(len(program.numbers) * most)
            edges = np.empty((2, len(self.opens)), np.int64)
            kernel.compiled_sweep()(
                local, self.asked.as_of[begin:end], births, self.date[begin:end],
                self.opens, self.closes,
                events.happened, events.known, events.until, events.ended, events.value, events.type, events.codes,
                types.starts, types.steps, types.levels, program.results, program.integers, program.numbers, flat,
                matrix.shape[1], *room, edges,
            )  # fmt: skip
        for column in self.aged:
            as_of = self.asked.as_of[begin:end].view("datetime64[us]")
            matrix[column, offset : offset + end - begin] = ages(self.born[begin:end], as_of)
        if self.areas is not None:
            self.areas.fill(matrix, offset, begin, end)
        return end - begin


def asked_of(rows: pa.Table) -> tuple[Asked, Whole | None]:
    """The rows with those of an entity together and in as-of order, and what made them so (None: they came so)."""
    holes = max(rows["entity_id"].null_count, rows["as_of"].null_count)
    if holes:
        raise DataRefused(
            "row-incomplete",
            found=f"{holes} rows without an entity or an as-of date",
            expected="both in every row",
            repair="Leave these rows out.",
        )
    naive(rows.schema.field("as_of"))
    entity = _whole_numbers(rows["entity_id"])
    as_of = numbers(rows["as_of"].cast(MOMENT, safe=False)).view(np.int64)
    starts = _starts(entity)
    ahead = as_of[1:] >= as_of[:-1]
    ahead[starts[1:] - 1] = True
    if ahead.all() and pc.count_distinct(arrow(entity[starts])).as_py() == len(starts):
        return Asked(entity, as_of, starts), None
    order = np.lexsort((as_of, entity))
    return Asked(entity[order], as_of[order], _starts(entity[order])), order


def _whole_numbers(entity: pa.ChunkedArray) -> Whole:
    try:
        return numbers(entity.cast(pa.int64()))
    except pa.ArrowInvalid:
        raise DataRefused(
            "entity-not-a-number",
            found=f"entities of type {entity.type} that are no 64-bit whole numbers below 2^63",
            expected="the entity_id that linkage gives",
            repair="Take the entity_id of the histories, or number the people anew.",
        ) from None


def _starts(entity: Whole) -> Whole:
    return np.flatnonzero(np.append(True, entity[1:] != entity[:-1])) if len(entity) else np.empty(0, np.int64)


def dates_of(as_of: Whole) -> tuple[Whole, Whole]:
    """The distinct as-of dates, ascending, and the place of each row's date among them."""
    found = numbers(pc.unique(arrow(as_of)))
    dates = np.sort(found)
    return dates, numbers(pc.index_in(arrow(as_of), arrow(dates))).astype(np.int64)


def bounds(plan: Plan, dates: Whole) -> tuple[Whole, Whole]:
    """First moment inside and first after, of each window and distinct as-of date: two (windows, dates) int64."""
    edges = [window.bounds(dates.view("datetime64[us]")) for window in plan.program.windows]
    opens, closes = (np.stack([np.asarray(pair[side]).view(np.int64) for pair in edges]) for side in (0, 1))
    return np.ascontiguousarray(opens), np.ascontiguousarray(closes)


def _groups(asked: Asked, date: Whole, opens: Whole, closes: Whole) -> Whole:
    """(g, 3): first and end row, number of the entity. Rows of a group have window edges that never move back.

    Calendar months can move an edge back: a month before 30 March 12:00 is 29 February 12:00, a month before
    31 March 00:00 is 29 February 00:00. An entity with such rows is swept in several groups.
    """
    starts = asked.starts
    back = (np.diff(opens, axis=1) < 0).any(axis=0) | (np.diff(closes, axis=1) < 0).any(axis=0)
    number = np.arange(len(starts))
    if back.any():
        level = np.concatenate([[0], np.cumsum(back)])[date]
        starts = np.union1d(starts, np.flatnonzero(level[1:] != level[:-1]) + 1)
        number = np.searchsorted(asked.starts, starts, "right") - 1
    ends = np.append(starts[1:], len(asked.entity))[: len(starts)]
    return np.stack([starts, ends, number], axis=1).astype(np.int64)
