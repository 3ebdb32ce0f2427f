"""Counting over histories too large for memory: one embedded engine that sees only what could be seen on a day.

Counts of a whole population touch every event there is, so the tables are scanned where they lie (the Parquet files of
a stored result, or Arrow tables in memory) and never read as a whole. The time rule stands in the views: a query
written against ``events`` or ``homes`` cannot reach a row that was not known on the as-of date. Nothing leaves from
here; what is counted goes through `publication`.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from riskmodel.engines import duckdb as engine
from riskmodel.engines.folders import Result
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql

if TYPE_CHECKING:
    import duckdb

MEMORY = "3GB"
"""What the engine may hold before it uses the disk."""


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """An open engine with the views ``events``, ``homes`` and ``persons`` as of one moment."""

    connection: duckdb.DuckDBPyConnection
    as_of: dt.datetime

    def query(self, sql: str, **tables: pa.Table) -> pa.Table:
        """The Arrow answer to `sql` over the views and the given tables."""
        for name, table in tables.items():
            self.connection.register(name, table)
        try:
            return self.connection.sql(sql).to_arrow_table()
        finally:
            for name in tables:
                self.connection.unregister(name)

    def keep(self, name: str, sql: str) -> None:
        """Hold the answer to `sql` as a table of the engine, for several questions about the same rows."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")

    def __repr__(self) -> str:
        return f"Reading(as of {self.as_of:%Y-%m-%d})"


@contextmanager
def reading(
    histories: Histories, as_of: dt.datetime, *, memory: str = MEMORY, threads: int | None = None
) -> Iterator[Reading]:
    """Open the histories for counting, as of a moment.

    Parameters
    ----------
    memory : such as "3GB"; beyond it the engine writes to a folder that is removed at the end
    threads : None for as many as the machine has
    """
    with tempfile.TemporaryDirectory(prefix="riskmodel-count-") as spill:
        connection = engine.connect(threads=threads, memory=memory, spill=spill)
        try:
            connection.execute("SET preserve_insertion_order = false")
            for name in ("events", "persons", "residences"):
                _view(connection, histories, name)
            at = f"TIMESTAMP '{as_of.isoformat(sep=' ')}'"
            seen, lived = visible_sql(at), visible_sql(at, begins="starts_at")
            connection.execute(f"CREATE VIEW events AS SELECT * FROM kept_events WHERE {seen}")
            connection.execute(f"CREATE VIEW homes AS SELECT * FROM kept_residences WHERE {lived}")
            connection.execute(f"CREATE VIEW persons AS SELECT * FROM kept_persons WHERE known_at < {at}")
            yield Reading(connection, as_of)
        finally:
            connection.close()


def _view(connection: duckdb.DuckDBPyConnection, histories: Histories, name: str) -> None:
    if isinstance(histories.result, Result):
        path = str(histories.result.path(f"{name}.parquet")).replace("'", "''")
        connection.execute(f"CREATE VIEW kept_{name} AS SELECT * FROM read_parquet('{path}')")
    else:
        connection.register(f"kept_{name}", getattr(histories, name))
