"""Deliveries: written as an agency would, listed in a manifest, and read back as what was meant."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError, NotFound
from riskmodel.feeds.contract import agency_contracts
from riskmodel.feeds.delivery import Delivery, deliveries_in, deliveries_of, write_delivery, write_manifest
from riskmodel.feeds.intake import receive
from riskmodel.feeds.standard import FIELDS
from riskmodel.seeds import stream

WHEN = {
    "received_at": dt.datetime(2022, 1, 5, 6),
    "covers_from": dt.date(2010, 1, 1),
    "covers_until": dt.date(2022, 1, 5),
}
PEOPLE_FIELDS = tuple(FIELDS["people"])
EVERYTHING = tuple({field for fields in FIELDS.values() for field in fields})


def _people(n):
    draw = stream(3, "people")
    start = np.datetime64("2016-01-01", "s")
    return pa.table(
        {
            "person_key": [f"K{number:03}" for number in range(n)],
            "given_name": draw.choice(["Zoë", "Ann;e", 'O"Neil', "Jo|n", "A, B"], n),
            "family_name": draw.choice(["Müller", "Smith", "line\nbreak"], n),
            "birth_date": pa.array(np.datetime64("1950-01-01") + draw.integers(0, 20_000, n)),
            "sex": pa.array(draw.choice(["female", "male"], n), mask=draw.random(n) < 0.2),
            "ethnicity": draw.choice(["white", "black", "asian", "mixed", "other"], n),
            "address": [f"{number} High Street" for number in range(n)],
            "postcode": ["LS1 4AP"] * n,
            "area": ["Harehills"] * n,
            "address_from": pa.array(np.datetime64("2015-01-01") + draw.integers(0, 300, n)),
            "recorded_at": pa.array(start + draw.integers(0, 10_000_000, n).astype("timedelta64[s]")),
        }
    )


def _events(feed, n, people):
    draw = stream(4, feed.name)
    kinds = [feed.kinds()[at] for at in draw.integers(0, len(feed.kinds()), n)]
    start = np.datetime64("2019-01-01", "s") + draw.integers(0, 50_000_000, n).astype("timedelta64[s]")
    lag = draw.integers(60, 1_000_000, n).astype("timedelta64[s]")
    role = feed.meaning("role")
    roles = [one or (draw.choice(["victim", "suspect"]) if role else None) for _, one in kinds]
    return pa.table(
        {
            "event_key": [f"E{number:04}" for number in range(n)],
            "person_key": pa.array(people).take(pa.array(draw.integers(0, len(people), n))),
            "happened_at": start,
            "ended_at": pa.array(start + lag // 2, mask=draw.random(n) < 0.5),
            "recorded_at": start + lag,
            "kind": [kind for kind, _ in kinds],
            "role": pa.array(roles, pa.string()),
            "value": draw.integers(0, 50, n) / 2,
            "retracted": draw.random(n) < 0.1,
        }
    )


@pytest.mark.parametrize("agency", sorted(set(agency_contracts()) - {"charity"}))  # its two feeds are one sheet
def test_what_is_written_through_a_contract_comes_back_the_same(agency, tmp_path, open_store):
    contract = agency_contracts()[agency]
    people = _people(40)
    events = _events(contract.feed("events"), 200, people.column("person_key").to_pylist())
    files = [
        write_delivery(contract.feed("people"), people, tmp_path, **WHEN),
        write_delivery(contract.feed("events"), events, tmp_path, **WHEN),
    ]
    intake = receive(open_store(fields=EVERYTHING, controllers=(agency,)), files)
    assert intake.quarantine.num_rows == 0
    back = intake.people.select([name for name in people.column_names if name != "recorded_at"]).to_pylist()
    assert back == people.drop_columns(["recorded_at"]).to_pylist()
    assert intake.people.column("known_at").to_pylist() == people.column("recorded_at").to_pylist()
    gives = [field for field in contract.feed("events").gives() if field != "recorded_at"]
    shared = [field for field in gives if field in events.column_names]
    assert intake.events.select(shared).to_pylist() == events.select(shared).to_pylist()
    assert intake.events.column("known_at").to_pylist() == events.column("recorded_at").to_pylist()


def test_the_same_rows_give_the_same_bytes(tmp_path):
    feed = agency_contracts()["education"].feed("people")
    one, two = (write_delivery(feed, _people(20), tmp_path / name, **WHEN) for name in ("one", "two"))
    assert one.path.read_bytes() == two.path.read_bytes()


def test_housing_writes_windows_1252(tmp_path):
    feed = agency_contracts()["housing"].feed("people")
    written = write_delivery(feed, _people(20), tmp_path, **WHEN)
    assert "Müller".encode("cp1252") in written.path.read_bytes()


def test_the_manifest_of_a_folder_is_written_and_read(tmp_path):
    (tmp_path / "sub").mkdir()
    made = [
        Delivery(
            "police.people",
            tmp_path / "a.csv",
            dt.datetime(2022, 1, 5, 6, 30),
            dt.date(2020, 1, 1),
            dt.date(2022, 1, 5),
        ),
        Delivery(
            "health.events",
            tmp_path / "sub" / "b.csv",
            dt.datetime(2022, 1, 5),
            dt.date(2021, 1, 1),
            dt.date(2022, 1, 1),
        ),
    ]
    write_manifest(tmp_path, made)
    assert deliveries_in(tmp_path) == made


def test_a_bad_manifest_names_all_its_faults(tmp_path):
    with pytest.raises(NotFound):
        deliveries_in(tmp_path)
    (tmp_path / "deliveries.toml").write_text(
        '[[delivery]]\nfeed = "police.people"\nfile = "a.csv"\nreceived_at = 2022-01-05\ncovers_from = 2022-01-01\n'
        'covers_until = 2021-01-01\nfles = "b"\n[[delivery]]\nfeed = "police"\n',
        encoding="utf-8",
    )
    with pytest.raises(DeclarationError) as refused:
        deliveries_in(tmp_path)
    text = str(refused.value)
    assert "unknown key 'fles'" in text
    assert "2022-01-01 to 2021-01-01" in text
    assert "no 'file'" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"feed": "police"}, "AGENCY.FEED"),
        ({"covers_until": dt.date(2010, 1, 1)}, "at least a day"),
        ({"covers_until": dt.date(2022, 1, 7)}, "beyond the receipt"),
        ({"received_at": dt.datetime(2022, 1, 5, tzinfo=dt.UTC)}, "naive"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(tmp_path, change, words):
    with pytest.raises(DeclarationError, match=words):
        Delivery(**({"feed": "police.people", "path": tmp_path, **WHEN} | change))


def test_a_folder_of_source_files_by_the_names_of_the_feeds(tmp_path, contract):
    (tmp_path / "patients.csv").touch()
    (tmp_path / "visits.parquet").touch()
    made = deliveries_of([contract], tmp_path, **WHEN)
    assert [(one.feed, one.path.name) for one in made] == [
        ("clinic.people", "patients.csv"),
        ("clinic.visits", "visits.parquet"),
        ("clinic.ties", "ties.csv"),
    ]
