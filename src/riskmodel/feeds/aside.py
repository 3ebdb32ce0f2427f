"""Rows put aside on disk between being judged and being settled, and brought back in order with little memory.

A file may be larger than memory. Its accepted rows are written to a pile, part by part; DuckDB sorts piles beyond
memory and gives them back in batches. The folder goes away with the intake; what a killed one leaves is swept with the
store's other half-written results.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.engines.duckdb import connect, cursor
from riskmodel.engines.folders import refusals_of_the_disk

if TYPE_CHECKING:
    import duckdb

MEMORY: Final = "640MB"
"""What DuckDB may hold while it sorts; the rest it writes to disk."""
BATCH: Final = 1 << 17
"""Rows that come back at a time."""
SMALL: Final = 1 << 24
"""Bytes of piles that are sorted without an engine of their own."""


class Pile:
    """Rows in one file; there is no file while there are no rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Put rows on the pile."""
        if rows.num_rows:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, rows.schema, compression="snappy", write_statistics=False)
            self._writer.write_table(rows)

    def close(self) -> None:
        """Nothing more comes."""
        if self._writer is not None:
            self._writer.close()

    def discard(self) -> None:
        """Throw the pile away."""
        self.close()
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class Aside:
    """The folder of piles, and the engine with little memory that sorts large ones; it is started when it is needed."""

    folder: Path
    _engine: duckdb.DuckDBPyConnection | None = None

    def pile(self) -> Pile:
        """A new pile."""
        return Pile(self.folder / f"{uuid.uuid4().hex}.parquet")

    def ordered(
        self,
        piles: Sequence[Pile],
        by: Sequence[str],
        *,
        columns: str = "r.*",
        joined: str = "",
        beside: Sequence[Pile] = (),
    ) -> Iterator[pa.Table]:
        """The rows of all piles in the order of some columns, nulls first, some at a time.

        Parameters
        ----------
        columns, joined : SQL of what to give of the rows ``r``, and of tables to join to them
        beside : the piles that are joined
        """
        source = rows_of(piles)
        if source is None:
            return
        order = ", ".join(f"r.{name} ASC NULLS FIRST" for name in by)
        found = self._cursor((*piles, *beside)).sql(f"SELECT {columns} FROM {source} r {joined} ORDER BY {order}")
        for batch in found.to_arrow_reader(BATCH):
            yield pa.Table.from_batches([batch])

    def close(self) -> None:
        """Stop the engine and remove the folder."""
        if self._engine is not None:
            self._engine.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _cursor(self, piles: Sequence[Pile]) -> duckdb.DuckDBPyConnection:
        if sum(pile.path.stat().st_size for pile in piles if pile.path.exists()) < SMALL:
            return cursor()
        if self._engine is None:
            self._engine = connect(memory=MEMORY, spill=str(self.folder / "spill"))
        return self._engine.cursor()


def rows_of(piles: Sequence[Pile]) -> str | None:
    """The rows of piles as a table of SQL; None when there are none."""
    there = ["'" + str(pile.path).replace("'", "''") + "'" for pile in piles if pile.path.exists()]
    return f"read_parquet([{', '.join(there)}], union_by_name = true)" if there else None


def whole_keys(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Batches in order of key_ cut anew, so that all rows of a key come together."""
    held: list[pa.Table] = []
    for batch in (one for one in batches if one.num_rows):
        last = batch.column("key_")[batch.num_rows - 1]
        if held and held[-1].column("key_")[0] == last:  # the key of the rows held goes on
            held.append(batch)
            continue
        cut = pc.index(batch.column("key_"), last).as_py()
        if held or cut:
            yield pa.concat_tables([*held, batch.slice(0, cut)])
        held = [batch.slice(cut)]
    if held:
        yield pa.concat_tables(held)


@contextmanager
def put_aside(store: Path) -> Iterator[Aside]:
    """A place for piles inside the store's folder, for the time of one intake."""
    folder = store / f".partial-intake-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    aside = Aside(folder)
    try:
        with refusals_of_the_disk("received"):
            yield aside
    finally:
        aside.close()
