"""The embedded engine: DuckDB in the process, plain SQL over Arrow tables. Scan, filter, join, sort - no meaning."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb


def connect(
    *, threads: int | None = None, memory: str | None = None, spill: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A private in-memory connection; `memory` such as "2GB", `spill` a folder for what does not fit."""
    import duckdb as engine

    connection = engine.connect(":memory:")
    for fetched in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"):
        connection.execute(f"SET {fetched} = false")  # what SQL names is never code from elsewhere
    connection.execute("SET preserve_insertion_order = true")
    for setting, value in (("threads", threads), ("memory_limit", memory), ("temp_directory", spill)):
        if value is not None:
            connection.execute(f"SET {setting} = ?", [value])
    return connection


def query(sql: str, **tables: pa.Table) -> pa.Table:
    """The Arrow answer to `sql` over the given Arrow tables, each under its own name.

    Examples
    --------
    >>> query("SELECT count(*) AS n FROM t", t=pa.table({"a": [1, 2]})).to_pylist()
    [{'n': 2}]
    """
    connection = cursor()
    try:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()
    finally:
        connection.close()


def cursor() -> duckdb.DuckDBPyConnection:
    """A connection of its own to this process's engine."""
    return _instance(os.getpid()).cursor()


@cache
def _instance(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001 - a forked process must not share one
    """One engine a process: starting one costs 20 ms, a cursor of it 1 ms; each cursor sees only its own tables."""
    return connect()
