"""Deliveries as the agencies would send them: block after block appended to one file a feed, then moved into view.

Blocks may be made by several processes; what they made is appended in the order of the blocks, so the bytes are the
same however many there are. The contracts decide the columns, codes and file formats. A killed process leaves no half
file under a final name.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.feeds.delivery import Delivery, write_file
from riskmodel.feeds.feed import Feed
from riskmodel.world.blocks import Plan, block_of, new_block
from riskmodel.world.parcels import parcels
from riskmodel.world.sheet import SHEET

_KEPT = 6  # a world of no more blocks is kept in memory between its deliveries and its truth
_AHEAD = 2  # blocks under way for each process: more would wait in memory for the files


class FeedFile:
    """One feed's file while it grows: tables in the agency's own columns go in, and it comes into view when closed."""

    def __init__(self, feed: Feed, folder: Path) -> None:
        self.feed = feed
        self.path = folder / f"{feed.agency}_{feed.file}{feed.suffix}"
        self.partial = folder / f".partial-{self.path.name}"
        self.rows = 0
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> FeedFile:
        for left in (self.partial, *self.path.parent.glob(f".piece-*-{self.path.name}")):  # by a killed process
            left.unlink(missing_ok=True)
        return self

    def piece(self, table: pa.Table, name: object = "") -> pa.Table | bytes:
        """Rows as they will stand in the file: bytes, or a table where the file is Parquet.

        `name` tells pieces apart that are made at the same time.
        """
        if self.feed.format == "parquet":
            return table
        path = self.path.with_name(f".piece-{name}-{self.path.name}")
        write_file(self.feed, table, path)
        data = path.read_bytes()
        path.unlink()
        return data

    def append(self, table: pa.Table) -> None:
        """Write more rows, already in the agency's own columns."""
        self.add(self.piece(table), table.num_rows)

    def add(self, piece: pa.Table | bytes, rows: int) -> None:
        """Write a piece that holds so many rows."""
        if isinstance(piece, bytes):
            if self.feed.format == "csv" and self.partial.exists():  # the heading stands there already
                piece = piece[piece.index(b"\n") + 1 :]
            with self.partial.open("ab") as file:
                file.write(piece)
        else:
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self.partial, piece.schema, compression="snappy")
            self._parquet.write_table(piece)
        self.rows += rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._parquet is not None:
            self._parquet.close()
        if kind is None:
            os.replace(self.partial, self.path)
        else:
            self.partial.unlink(missing_ok=True)


Pieces = list[tuple[pa.Table | bytes, int]]
"""For each file the piece of one block, and how many rows it holds."""


def pieces(plan: Plan, feeds: Sequence[Feed], folder: Path, number: int) -> Pieces:
    """What one block puts into each file."""
    block = (block_of if len(plan.sizes()) <= _KEPT else new_block)(plan, number)
    made = zip(feeds, parcels(plan, block, feeds), strict=True)
    return [(FeedFile(feed, folder).piece(one.rows, number), one.rows.num_rows) for feed, one in made]


def all_pieces(plan: Plan, feeds: Sequence[Feed], folder: Path, workers: int) -> Iterator[Pieces]:
    """The pieces of every block, in order, made by so many processes."""
    numbers = range(len(plan.sizes()))
    if workers == 1:
        for number in numbers:
            yield pieces(plan, feeds, folder, number)
        return
    waiting: deque[Future[Pieces]] = deque()
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for number in numbers:
            waiting.append(pool.submit(pieces, plan, feeds, folder, number))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def delivered(files: Iterable[FeedFile], start: str, end: str) -> list[Delivery]:
    """The deliveries of finished files: received ten days after the last day they cover, in order of feed name."""
    last = dt.date.fromisoformat(end)
    received = dt.datetime.combine(last, dt.time(9)) + dt.timedelta(days=10)
    covers = dt.date.fromisoformat(start), last
    listed = [(name, file.path) for file in files for name in _feeds_in(file)]
    return [Delivery(name, path, received, *covers) for name, path in sorted(listed)]


def _feeds_in(file: FeedFile) -> tuple[str, ...]:
    return SHEET if file.feed.name in SHEET else (file.feed.name,)
