"""The embedded engine answers in order, keeps no table from one question to the next, and serves several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pytest

from riskmodel.engines.duckdb import query


def test_rows_keep_their_order():
    table = pa.table({"a": list(range(300_000))})
    assert query("SELECT a FROM t WHERE a % 3 = 0", t=table).column("a").to_pylist() == list(range(0, 300_000, 3))


def test_a_table_is_seen_by_its_own_question_only():
    query("SELECT * FROM seen_once", seen_once=pa.table({"a": [1]}))
    with pytest.raises(duckdb.CatalogException):
        query("SELECT * FROM seen_once")


def test_threads_do_not_see_each_other():
    def total(number: int) -> int:
        return query("SELECT sum(a) AS s FROM t", t=pa.table({"a": [number] * 1000})).to_pylist()[0]["s"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(total, range(40))) == [1000 * number for number in range(40)]
