"""Bad input: each kind is refused or quarantined with file, row and code, counted, and never a traceback."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.checks import check
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.intake import receive
from riskmodel.feeds.quarantine import CODES, DeliveriesRefused
from riskmodel.feeds.reading import read_rows

CLINIC = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8").split('"""\\\n')[1].split('"""')[0]
HEAD = "no,id,why,at,left,points,seen_on\n"
GOOD = "v1,a,INJ,10/03/2020 22:15,11/03/2020 01:00,3,12/03/2020\n"

ROWS = {
    "wrong-type": ("v2,a,INJ,01/04/2020,,three,", "points"),
    "wrong-type ": ("v2,a,INJ,01/04/2020,,nan,", "points"),
    "value-out-of-range": ("v2,a,INJ,01/04/2020,,11,", "points"),
    "value-missing": ("v2,a,INJ,,,,", "at"),
    "value-missing ": (",a,INJ,01/04/2020,,,", "no"),
    "date-invalid": ("v2,a,INJ,31/02/2020,,,", "at"),
    "date-invalid ": ("v2,a,INJ,2020-04-01,,,", "at"),
    "date-out-of-range": ("v2,a,INJ,01/04/0202,,,", "at"),
    "date-in-future": ("v2,a,INJ,11/01/2021,,,", "at"),  # received on 10 January
    "date-in-future ": ("v2,a,INJ,01/04/2020,,,11/01/2021", "seen_on"),
    "end-before-start": ("v2,a,INJ,01/04/2020 10:00,01/04/2020 09:59,,", None),
    "unknown-code": ("v2,a,ZZ,01/04/2020,,,", "why"),
    "code-out-of-date": ("v2,a,MH,31/12/2014,,,", "why"),  # MH holds from 2015
    "person-unknown": ("v2,nobody,INJ,01/04/2020,,,", "id"),
    "duplicate-row": (GOOD.strip(), None),
    "key-conflict": ("v1,a,INJ,10/03/2020 22:15,11/03/2020 01:00,4,12/03/2020", None),
    "row-unreadable": ("v2,a,INJ", None),
    "row-unreadable ": ("v2,a,INJ,01/04/2020,,,,too,many", None),
    "cell-too-long": (f"v2,{'a' * 21},INJ,01/04/2020,,,", "id"),
    "cell-too-long ": (f"v2,{'a' * 10_000_000},INJ,01/04/2020,,,", "id"),
}


@pytest.mark.parametrize("code", ROWS)
def test_a_bad_row_is_quarantined_with_its_number_and_code(store, clinic, contract, code):
    row, column = ROWS[code]
    intake = receive(store, clinic(visits=HEAD + GOOD + row + "\nv5,b,INJ,01/05/2020,,,\n"), contracts=[contract])
    assert intake.quarantine.to_pylist() == [
        {"feed": "clinic.visits", "file": "visits.csv", "row": 2, "code": code.strip(), "column": column}
    ]
    assert sorted(intake.events.column("event_key").to_pylist()) == ["v1", "v5"]
    feed = intake.report["feeds"]["clinic.visits"]
    assert (feed["delivered"], feed["accepted"], feed["quarantined"]) == (3, 2, {code.strip(): 1})


def test_every_code_has_a_bad_row_here():
    assert {code.strip() for code in ROWS} == set(CODES)


def _refusal(store, deliveries, contract):
    with pytest.raises(DataRefused) as refused:
        receive(store, deliveries, contracts=[contract])
    return refused.value


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "file-empty", "0 bytes"),
        (HEAD.encode(), "file-empty", "no rows"),
        (b"no,id,at\nv1,a,01/01/2020\n", "column-missing", "why, left, points, seen_on"),
        (b"no;id;why;at;left;points;seen_on\nv1;a;INJ;;;;\n", "column-missing", "divided by ';'"),
        (b"no,no,id,why,at,left,points,seen_on\n", "column-twice", "1 headings"),
        (HEAD.encode("utf-16"), "file-empty", "no rows"),
        (HEAD.encode("utf-16")[:-1], "encoding-unknown", "utf-16"),
        (HEAD.encode() + b"v1,\x81\x8d,INJ,01/01/2020,,,\n", "encoding-unknown", "UTF-8"),
    ],
)
def test_a_bad_csv_is_refused_as_a_whole(store, clinic, contract, content, code, words):
    refusal = _refusal(store, clinic(visits=content), contract)
    assert refusal.code == code
    assert "visits.csv" in str(refusal)
    assert words in str(refusal)


def test_a_truncated_parquet_is_refused(store, clinic, contract, tmp_path):
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"no": ["v1"], "id": ["a"]}), whole)
    refusal = _refusal(store, [clinic()[0], *clinic(None, whole.read_bytes()[:-9], suffix=".parquet")], contract)
    assert refusal.code == "file-unreadable"
    assert "visits.parquet" in str(refusal)


def test_all_bad_files_are_named_at_once_and_nothing_is_stored(store, clinic, contract):
    files = clinic(people="id,name\na,Ash\n", visits=b"")
    files[0].path.with_name("gone.csv")
    refusal = _refusal(store, files, contract)
    assert isinstance(refusal, DeliveriesRefused)
    assert [error.code for _, error in refusal.refusals] == ["column-missing", "file-empty"]
    assert "people.csv" in str(refusal)
    assert "visits.csv" in str(refusal)
    assert not (store.folder / "received").exists()


def test_a_missing_file_is_refused_by_name(store, clinic, contract):
    files = clinic()
    files[1].path.unlink()
    assert _refusal(store, files, contract).code == "file-missing"


def test_what_is_left_can_be_received_when_asked(store, clinic, contract):
    intake = receive(store, clinic(visits=b""), contracts=[contract], accept_partial=True)
    assert intake.people.num_rows == 3
    assert intake.report["refused"] == [{"feed": "clinic.visits", "file": "visits.csv", "code": "file-empty"}]
    assert "refused: visits.csv of clinic.visits [file-empty]" in intake.report_lines()


def test_windows_1252_is_read_and_reported(store, clinic, contract):
    people = "id,name,born,sex,changed\na,Zoë O’Neil,03/04/2001,2,\n".encode("cp1252")
    intake = receive(store, clinic(people=people, visits=HEAD + GOOD), contracts=[contract])
    assert intake.people.column("family_name").to_pylist() == ["Zoë O’Neil"]
    assert intake.report["feeds"]["clinic.people"]["files"][0]["encoding"] == "windows-1252"
    assert intake.report["feeds"]["clinic.visits"]["files"][0]["encoding"] == "utf-8"


@pytest.mark.parametrize(
    ("declared", "sent", "suffix"),
    [
        ("iso-8859-15", "iso-8859-15", ".csv"),
        ("iso-8859-15", "utf-8", ".csv"),  # UTF-8 may come whatever the contract says
        ("utf-16-le", "utf-16-le", ".csv"),  # without a mark, as some databases export
        ("utf-8", "utf-16", ".csv"),  # with the mark, as spreadsheets export
        ("cp850", "cp850", ".jsonl"),
        ("windows-1252", "utf-32", ".jsonl"),
    ],
)
def test_any_encoding_that_the_contract_or_the_file_itself_names(open_store, clinic, tmp_path, declared, sent, suffix):
    path = tmp_path / "declared.toml"
    path.write_text(CLINIC.replace("[feeds.people]", f'encoding = "{declared}"\n\n[feeds.people]'), encoding="utf-8")
    people = "id,name,born,sex,changed\na,Žoë Nuñez,03/04/2001,2,\n"
    if suffix == ".jsonl":
        people = '{"id": "a", "name": "Zoé Nuñez", "born": "03/04/2001", "sex": "2", "changed": null}\n'
    files = clinic(people.encode(sent), None, suffix=suffix)
    intake = receive(open_store(), files, contracts=[Contract.load(path)])
    assert intake.people.column("family_name").to_pylist() == ["Žoë Nuñez" if suffix == ".csv" else "Zoé Nuñez"]
    assert intake.report["feeds"]["clinic.people"]["files"][0]["encoding"] == sent


def test_an_encoding_that_does_not_exist_is_a_fault_of_the_contract(tmp_path):
    path = tmp_path / "declared.toml"
    path.write_text('encoding = "klingon"\n' + CLINIC, encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"'klingon'.*iso-8859-15"):
        Contract.load(path)


def test_a_byte_order_mark_spaces_and_blank_lines_do_no_harm(store, clinic, contract):
    rows = (
        b"\xef\xbb\xbf no , id,why,at,left,points,seen_on",
        b" v1 , a ,INJ, 10/03/2020 22:15 ,, 3 ,",
        b"",
        b"v2,b,ZZ,01/01/2020,,,",
    )
    visits = b"".join(row + b"\r\n" for row in rows)
    intake = receive(store, clinic(visits=visits), contracts=[contract])
    assert intake.events.select(["event_key", "person_key", "value"]).to_pylist() == [
        {"event_key": "v1", "person_key": "a", "value": 3.0}
    ]
    assert intake.quarantine.column("row").to_pylist() == [2]  # the blank line is no row


def test_an_open_quote_loses_no_row_from_the_count(store, clinic, contract):
    visits = HEAD + GOOD + 'v2,"a,INJ,01/04/2020,,,\nv3,b,INJ,01/04/2020,,,\nv4,b,INJ,01/04/2020,,,\n'
    intake = receive(store, clinic(visits=visits), contracts=[contract])
    feed = intake.report["feeds"]["clinic.visits"]
    assert feed["quarantined"] == {"row-unreadable": 3}
    assert (feed["delivered"], feed["accepted"]) == (4, 1)
    assert intake.quarantine.column("row").to_pylist() == [2, 3, 4]


def test_json_lines_with_bad_lines(store, clinic, contract):
    visits = (
        '{"no": "v1", "id": "a", "why": "INJ", "at": "10/03/2020", "left": null, "points": 3, "seen_on": null}\n'
        '{"no": "v2", "id": \n'
        "[1, 2]\n"
        '{"no": "v4", "id": "b", "why": "INJ", "at": "10/03/2020", "points": "three"}\n'
        '{"no": 5, "id": "b", "why": "INJ", "at": "10/03/2020", "points": 2.5, "shoe": 44}\n'
    )
    intake = receive(store, [clinic()[0], *clinic(None, visits, suffix=".jsonl")], contracts=[contract])
    assert intake.quarantine.select(["row", "code"]).to_pylist() == [
        {"row": 2, "code": "row-unreadable"},
        {"row": 3, "code": "row-unreadable"},
        {"row": 4, "code": "wrong-type"},
    ]
    assert intake.events.select(["event_key", "value"]).to_pylist() == [
        {"event_key": "5", "value": 2.5},
        {"event_key": "v1", "value": 3.0},
    ]
    assert intake.report["feeds"]["clinic.visits"]["undeclared_columns"] == ["shoe"]


def test_parquet_keeps_its_types_and_one_bad_cell_costs_one_row(store, clinic, contract, tmp_path):
    day = dt.datetime(2020, 3, 10, 22, 15)
    table = pa.table(
        {
            "no": pa.array([1.0, 2.0, 3.0, 4.0]),  # a whole number that some tool made a float
            "id": ["a", "b", "a", "a"],
            "why": pa.array(["INJ"] * 4).dictionary_encode(),
            "at": pa.array([day, day, None, day], pa.timestamp("ns")),
            "left": pa.nulls(4),
            "points": pa.array([3, 11, 4, float("inf")]),
            "seen_on": pa.array([dt.date(2020, 3, 12)] * 4),
        }
    )
    path = tmp_path / "visits.parquet"
    pq.write_table(table, path)
    intake = receive(store, [clinic()[0], *clinic(None, path.read_bytes(), suffix=".parquet")], contracts=[contract])
    assert intake.events.select(["event_key", "happened_at", "known_at", "value"]).to_pylist() == [
        {"event_key": "1", "happened_at": day, "known_at": dt.datetime(2020, 3, 12), "value": 3.0}
    ]
    assert intake.quarantine.select(["row", "code", "column"]).to_pylist() == [
        {"row": 2, "code": "value-out-of-range", "column": "points"},
        {"row": 3, "code": "value-missing", "column": "at"},
        {"row": 4, "code": "wrong-type", "column": "points"},
    ]


def test_a_moment_with_a_zone_becomes_wall_clock_time(store, clinic, contract, tmp_path):
    at = pa.array([dt.datetime(2020, 7, 1, 10)], pa.timestamp("us", "UTC"))
    cells = {
        "no": ["v1"],
        "id": ["a"],
        "why": ["INJ"],
        "at": at,
        "left": pa.nulls(1),
        "points": ["1"],
        "seen_on": pa.nulls(1),
    }
    path = tmp_path / "visits.parquet"
    pq.write_table(pa.table(cells), path)
    intake = receive(store, [clinic()[0], *clinic(None, path.read_bytes(), suffix=".parquet")], contracts=[contract])
    assert intake.events.column("happened_at").to_pylist() == [dt.datetime(2020, 7, 1, 11)]  # British summer time


cells = st.one_of(
    st.sampled_from(
        ["", "a", "b", "v1", "v2", "INJ", "X", "MH", "1", "11", "01/01/2020", "31/02/2020", "02/01/2020 10:00"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
)
rows = st.lists(st.lists(cells, min_size=5, max_size=8), min_size=1, max_size=12)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_dirty_rows_are_all_accounted_for(contract, tmp_path, dirty):
    path = tmp_path / "dirty.csv"
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in dirty]
    path.write_text(HEAD + "\n".join(quoted) + "\n", encoding="utf-8", newline="\n")
    feed = contract.feed("visits")
    columns = feed.read_columns()
    raw = read_rows(feed, path, columns)
    checked = check(feed, raw, columns, frozenset({"value"}), dt.datetime(2021, 1, 10), "dirty.csv")
    assert checked.delivered >= len(dirty)  # an unreadable row with line ends in it counts as its lines
    assert checked.rows.num_rows + checked.unchanged + checked.quarantine.num_rows == checked.delivered
    assert sum(checked.counts.values()) == checked.quarantine.num_rows
    numbers = checked.quarantine.column("row").to_pylist() + checked.rows.column("row_").to_pylist()
    assert len(set(numbers)) == len(numbers)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read_never_a_traceback(contract, tmp_path, content):
    feed = contract.feed("visits")
    columns = feed.read_columns()
    for suffix in (".csv", ".jsonl", ".parquet"):
        path = tmp_path / f"any{suffix}"
        path.write_bytes((HEAD.encode() if suffix == ".csv" else b"") + content)
        try:
            raw = read_rows(feed, path, columns)
        except DataRefused:
            continue
        checked = check(feed, raw, columns, frozenset(), dt.datetime(2021, 1, 10), path.name)
        assert checked.rows.num_rows + checked.unchanged + checked.quarantine.num_rows == checked.delivered


def test_files_that_may_be_empty_and_files_of_bad_lines_only(store, clinic, contract):
    ties = clinic(None, None, "id,tie,to,since,until\n")
    lines = clinic(None, "not json\n[]\n", suffix=".jsonl", stem="_bad")
    intake = receive(store, [clinic()[0], *ties, *lines], contracts=[contract])
    assert intake.relations.num_rows == intake.events.num_rows == 0
    assert intake.report["feeds"]["clinic.ties"]["alarms"] == ["no-rows: ties.csv holds no row."]
    feed = intake.report["feeds"]["clinic.visits"]
    assert (feed["delivered"], feed["quarantined"], feed["last"]) == (2, {"row-unreadable": 2}, None)


def test_a_placeholder_date_in_a_parquet_file_is_not_a_date(store, clinic, contract, tmp_path):
    table = pa.table(
        {
            "id": ["a", "b"],
            "name": ["Ash", "Birch"],
            "born": [dt.date(1900, 1, 1), dt.date(2003, 6, 5)],  # the contract writes it 01/01/1900
            "sex": pa.array([1, 2], pa.int8()),
            "changed": pa.nulls(2),
        }
    )
    path = tmp_path / "people.parquet"
    pq.write_table(table, path)
    intake = receive(store, clinic(path.read_bytes(), None, suffix=".parquet"), contracts=[contract])
    assert intake.people.column("birth_date").to_pylist() == [None, dt.date(2003, 6, 5)]
    assert intake.people.column("sex").to_pylist() == ["male", "female"]


def test_a_sqlite_table_is_read_like_a_file(store, clinic, contract, tmp_path):
    path = tmp_path / "clinic.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE visits (no INTEGER, id TEXT, why TEXT, at TEXT, left TEXT, points REAL, seen_on TEXT)"
        )
        rows = [(1, "a", "INJ", "10/03/2020", None, 2.5, None), (2, "b", "ZZ", "10/03/2020", None, None, None)]
        database.executemany("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    visits = replace(clinic()[1], path=path)
    intake = receive(store, [clinic()[0], visits], contracts=[contract])
    assert intake.events.select(["event_key", "value"]).to_pylist() == [{"event_key": "1", "value": 2.5}]
    assert intake.quarantine.select(["row", "code"]).to_pylist() == [{"row": 2, "code": "unknown-code"}]
    ties = Delivery("clinic.ties", path, visits.received_at, visits.covers_from, visits.covers_until)
    assert "without the table ties" in str(_refusal(store, [clinic()[0], ties], contract))
    path.write_bytes(path.read_bytes()[:5000])
    assert _refusal(store, [clinic()[0], visits], contract).code == "file-unreadable"


def test_a_number_without_end_in_a_text_column_costs_no_other_row(store, clinic, contract, tmp_path):
    cells = {
        "id": [1.0, float("inf"), None],
        "name": pa.nulls(3),
        "born": pa.nulls(3),
        "sex": pa.nulls(3),
        "changed": pa.nulls(3),
    }
    path = tmp_path / "people.parquet"
    pq.write_table(pa.table(cells), path)
    intake = receive(store, clinic(path.read_bytes(), None, suffix=".parquet"), contracts=[contract])
    assert intake.people.column("person_key").to_pylist() == ["1", "inf"]
    assert intake.quarantine.select(["row", "code"]).to_pylist() == [{"row": 3, "code": "value-missing"}]


@pytest.mark.slow
def test_three_hundred_feeds_in_one_run(open_store, clinic, tmp_path):
    head, rest = CLINIC.split("[feeds.visits]")
    visits, lists = (
        rest.split("[feeds.ties]")[0],
        rest.split("[codes.sex]")[1].replace('[codes.tie]\nP = "parent"\nC = "child_of"\n', ""),
    )
    text = head + "".join(f"[feeds.visits{n}]" + visits.replace("feeds.visits", f"feeds.visits{n}") for n in range(299))
    path = tmp_path / "many.toml"
    path.write_text(text + "[codes.sex]" + lists, encoding="utf-8")
    people, one = clinic()
    files = [people, *(replace(one, feed=f"clinic.visits{n}") for n in range(299))]
    intake = receive(open_store(), files, contracts=[Contract.load(path)])
    assert len(intake.report["feeds"]) == 300
    assert intake.report["totals"] == {"delivered": 3 * 300, "accepted": 3 * 300, "stored": 3 * 300}
