"""A table of a PostgreSQL database as a delivery: copied once, block by block, into a file that is received.

A table changes under the reader; a file does not. So what is received is always a file, whose bytes are proof of what
came: the same rows give the same bytes, and delivering them again changes nothing. The database is opened for reading
only, and only columns that the contract declares are read. The only module that knows psycopg.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, NotInstalled
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.feed import Feed

ROWS: Final = 50_000
"""Rows in memory at a time."""
_TYPES: Final = {
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "bigint": pa.int64(),
    "real": pa.float64(),
    "double precision": pa.float64(),
}
"""Column types that keep their kind; all others are copied as PostgreSQL writes them as text."""


def table_delivery(
    feed: Feed, address: str, folder: str | Path, *, received_at: dt.datetime, covers_from: dt.date,
    covers_until: dt.date, schema: str = "public",
) -> Delivery:  # fmt: skip
    """Copy the table named like the feed's ``file`` into a Parquet file, and return its delivery.

    Parameters
    ----------
    feed : Feed
    address : str, such as ``postgresql://reader@host:5432/name``; a password is better kept in ``~/.pgpass``
    folder : where the file goes; it is made when it is not there
    received_at, covers_from, covers_until : as in `Delivery`
    schema : str, the schema that the table is in

    Raises
    ------
    NotInstalled : there is no psycopg
    DataRefused : codes "database-refused", "table-missing", "column-missing"
    """
    psycopg = _psycopg()
    path = Path(folder) / f"{feed.agency}_{feed.file}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    try:
        with psycopg.connect(address) as connection:
            connection.read_only = True
            columns = _columns(connection, feed, schema)
            arrow = pa.schema([(name, _TYPES.get(kind, pa.string())) for name, kind in columns])
            with pq.ParquetWriter(aside, arrow, compression="snappy") as writer:
                for block in _blocks(connection, feed, schema, columns):
                    writer.write_table(pa.Table.from_pylist(block, schema=arrow))
    except psycopg.Error as error:
        raise DataRefused(
            "database-refused",
            found=f"a database that does not give the table of {feed.name} ({type(error).__name__})",
            expected="a PostgreSQL server that this account may read from",
            repair="Check the address, the account and its rights; nothing was received.",
        ) from None  # the server's words may quote the address or cells
    else:
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return Delivery(feed.name, path, received_at, covers_from, covers_until)


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise NotInstalled(
            "psycopg-missing",
            found="no psycopg",
            expected="the library that reads PostgreSQL",
            repair="Install it: pip install 'psycopg[binary]'. Or ask the agency for a file.",
        ) from None
    return psycopg


def _columns(connection: Any, feed: Feed, schema: str) -> list[tuple[str, str]]:
    """The declared columns that the table has, with their types, in the contract's order."""
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        (schema, feed.file),
    ).fetchall()
    kinds = {str(name).strip(): (str(name), str(kind)) for name, kind in found}
    if not kinds:
        raise DataRefused(
            "table-missing",
            found=f"no table {schema}.{feed.file} that this account may read",
            expected="a table named like the feed's file",
            repair="Correct `file` in the contract or the schema, or ask for the right to read it.",
        )
    missing = [one.name for one in feed.columns if one.name not in kinds and not one.may_be_absent]
    if missing:
        raise DataRefused(
            "column-missing",
            found=f"{schema}.{feed.file} without {', '.join(missing)}",
            expected=f"the columns {', '.join(one.name for one in feed.columns)}",
            repair="Ask the agency for the missing column, or correct its name in the contract.",
        )
    return [kinds[one.name] for one in feed.columns if one.name in kinds]


def _blocks(
    connection: Any, feed: Feed, schema: str, columns: Sequence[tuple[str, str]]
) -> Iterator[list[dict[str, Any]]]:
    """The rows in an order of their own, so that the same rows give the same file; a server-side cursor holds them."""
    from psycopg import sql

    picked = [
        sql.Identifier(name) if kind in _TYPES else sql.SQL("{}::text").format(sql.Identifier(name))
        for name, kind in columns
    ]
    order = sql.SQL(", ").join(sql.SQL(str(at)) for at in range(1, len(picked) + 1))
    asked = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(picked), sql.Identifier(schema, feed.file), order
    )
    names = [name for name, _ in columns]
    with connection.cursor(name="delivery") as cursor:
        cursor.execute(asked)
        while rows := cursor.fetchmany(ROWS):
            yield [dict(zip(names, row, strict=True)) for row in rows]
