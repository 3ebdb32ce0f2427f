"""Deliveries as the agencies would send them: block after block appended to one file a feed, then moved into view.

The contracts decide the columns, codes and file formats; nothing here knows an agency. A killed process leaves no
half file under a final name.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.feeds.delivery import Delivery, write_file
from riskmodel.feeds.feed import Feed


class FeedFile:
    """One feed's file while it grows: tables in the agency's own columns go in, and it comes into view when closed."""

    def __init__(self, feed: Feed, folder: Path) -> None:
        self.feed = feed
        self.path = folder / f"{feed.agency}_{feed.file}{feed.suffix}"
        self.partial = folder / f".partial-{self.path.name}"
        self.piece = folder / f".piece-{self.path.name}"
        self.rows = 0
        self._parquet: pq.ParquetWriter | None = None
        self._headed = False

    def __enter__(self) -> FeedFile:
        self.partial.unlink(missing_ok=True)
        return self

    def append(self, table: pa.Table) -> None:
        """Write more rows, already in the agency's own columns."""
        self.rows += table.num_rows
        if self.feed.format == "parquet":
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self.partial, table.schema, compression="snappy")
            self._parquet.write_table(table)
            return
        write_file(self.feed, table, self.piece)
        data = self.piece.read_bytes()
        if self.feed.format == "csv" and self._headed:
            data = data[data.index(b"\n") + 1 :]
        self._headed = True
        with self.partial.open("ab") as file:
            file.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._parquet is not None:
            self._parquet.close()
        self.piece.unlink(missing_ok=True)
        if kind is None:
            os.replace(self.partial, self.path)
        else:
            self.partial.unlink(missing_ok=True)


def delivered(files: Iterable[FeedFile], start: str, end: str) -> list[Delivery]:
    """The deliveries of finished files: received ten days after the last day they cover, in order of feed name."""
    last = dt.date.fromisoformat(end)
    received = dt.datetime.combine(last, dt.time(9)) + dt.timedelta(days=10)
    return [
        Delivery(file.feed.name, file.path, received, dt.date.fromisoformat(start), last)
        for file in sorted(files, key=lambda file: file.feed.name)
    ]
