"""Tables of a real PostgreSQL server and of SQLite as deliveries, against the same rows in a CSV file."""

from __future__ import annotations

import datetime as dt
import sqlite3
import sys
from contextlib import closing

import pytest

from riskmodel.errors import DataRefused, NotInstalled
from riskmodel.feeds import postgresql as tables
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.intake import receive
from riskmodel.feeds.postgresql import table_delivery

WHEN = {"received_at": dt.datetime(2021, 1, 10, 12), "covers_from": dt.date(2019, 1, 1),
        "covers_until": dt.date(2021, 1, 10)}  # fmt: skip
ROWS = [
    ("b", "Birch", dt.date(2003, 6, 5), "2", dt.datetime(2019, 2, 1, 9), "left out"),
    ("a", "Ash", dt.date(2001, 4, 3), "1", dt.datetime(2019, 2, 1, 9), "left out"),
    ("c", "Cedar", dt.date(1900, 1, 1), "9", None, "left out"),
    ("d", "Damson", dt.date(2001, 4, 3), "7", None, "left out"),  # 7 is in no code list
]


@pytest.fixture
def database(postgresql):
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS patients, visits")
        connection.execute(
            "CREATE TABLE patients (id text, name text, born date, sex char(1), changed timestamp, private text)"
        )
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO patients VALUES (%s, %s, %s, %s, %s, %s)", ROWS)
        yield connection


@pytest.mark.usefixtures("database")
def test_a_table_is_received_like_a_file(postgresql, store, contract, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 2)  # several blocks
    feed = contract.feed("people")
    first = table_delivery(feed, postgresql, tmp_path / "one", **WHEN)
    intake = receive(store, [first], contracts=[contract])
    assert intake.people.select(["person_key", "family_name", "birth_date", "sex"]).to_pylist() == [
        {"person_key": "a", "family_name": "Ash", "birth_date": dt.date(2001, 4, 3), "sex": "male"},
        {"person_key": "b", "family_name": "Birch", "birth_date": dt.date(2003, 6, 5), "sex": "female"},
        {"person_key": "c", "family_name": "Cedar", "birth_date": None, "sex": None},
    ]
    assert intake.people.column("known_at").to_pylist()[0] == dt.datetime(2019, 2, 1, 9)
    assert intake.quarantine.column("code").to_pylist() == ["unknown-code"]
    assert b"left out" not in first.path.read_bytes()  # a column that nobody declared is not even copied
    again = table_delivery(feed, postgresql, tmp_path / "two", **WHEN)
    assert again.path.read_bytes() == first.path.read_bytes()
    assert receive(store, [first, again], contracts=[contract]).result.parts == intake.result.parts


def test_what_the_database_does_not_give_is_said(postgresql, database, contract, tmp_path):
    with pytest.raises(DataRefused, match="table-missing"):
        table_delivery(contract.feed("visits"), postgresql, tmp_path, **WHEN)
    database.execute("ALTER TABLE patients DROP COLUMN born")
    with pytest.raises(DataRefused, match="column-missing") as refusal:
        table_delivery(contract.feed("people"), postgresql, tmp_path, **WHEN)
    assert "born" in str(refusal.value)
    nowhere = "postgresql://reader:hidden-word@127.0.0.1:1/none?connect_timeout=2"
    with pytest.raises(DataRefused, match="database-refused") as refusal:
        table_delivery(contract.feed("people"), nowhere, tmp_path, **WHEN)
    assert "hidden-word" not in str(refusal.value)
    assert list(tmp_path.glob("clinic_*")) == []  # nothing half-copied stays


def test_without_the_library_a_sentence_says_so(contract, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NotInstalled, match="psycopg-missing"):
        table_delivery(contract.feed("people"), "postgresql://nobody@127.0.0.1/none", tmp_path, **WHEN)


def test_a_sqlite_table_is_received_like_a_file(store, contract, tmp_path):
    path = tmp_path / "clinic.sqlite"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE patients (id TEXT, name TEXT, born TEXT, sex INTEGER, changed TEXT)")
        made.execute("INSERT INTO patients VALUES ('a', 'Ash', '03/04/2001', 1, '01/02/2019 09:00')")
        made.commit()
    intake = receive(store, [Delivery("clinic.people", path, **WHEN)], contracts=[contract])
    assert intake.people.column("birth_date").to_pylist() == [dt.date(2001, 4, 3)]
