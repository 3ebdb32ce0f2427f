"""Codes in the place of names: what they show, what they hide, and that linkage does not need to see through them."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.encoded import sidecar_of
from riskmodel.feeds.intake import DeliveriesRefused, receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import assemble
from riskmodel.linkage.encoding import LENGTH, PLACES, WORDS, Key, decoded, encoded
from riskmodel.linkage.identity import link, matched
from riskmodel.linkage.pseudonymise import pseudonymise

SECRET = bytes(range(7, 71)).hex()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return key_at(tmp_path / "partnership.key")


def key_at(path: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def key(path: Path, purpose: str = "early-support", salt: str = "2026-a") -> Key:
    return Key.read(path, purpose=purpose, salt=salt)


def codes(register, path: Path, *rows) -> np.ndarray:
    people = register(*[("police", str(n), *row) for n, row in enumerate(rows)])
    return decoded(encoded(people, key(path)))


def dice(codes: np.ndarray, place: str) -> float:
    one, other = codes[:2, PLACES[place] : PLACES[place] + WORDS]
    return 2 * np.bitwise_count(one & other).sum() / (np.bitwise_count(one).sum() + np.bitwise_count(other).sum())


OAK = ("14 Oak Street", "QX1 2AB")


def test_a_misspelt_name_stays_alike_and_another_name_does_not(register, key_file):
    """katherine and kathrine share 8 of 10 and 9 letter pairs: Dice 16/19 = .84, less what folding hides."""
    close = codes(register, key_file, ("Katherine", "Hill", "1987-03-09"), ("Kathrine", "Hill", "1987-03-09"))
    apart = codes(register, key_file, ("Katherine", "Hill", "1987-03-09"), ("Mohammed", "Hill", "1987-03-09"))
    assert 0.7 < dice(close, "given_md") < 0.95
    assert dice(apart, "given_md") < 0.4
    assert dice(apart, "family_md") == 1.0


def test_one_name_under_two_birthdays_shows_nothing_in_common(register, key_file):
    found = codes(register, key_file, ("Katherine", "Hill", "1987-03-09"), ("Katherine", "Hill", "1990-11-21"))
    assert dice(found, "given_md") < 0.4
    single = {
        place for place in ("md", "ym", "yd", "birth", "roots") if found[0, PLACES[place]] == found[1, PLACES[place]]
    }
    assert single == set()
    assert found[0, PLACES["name"]] == found[1, PLACES["name"]]  # only the whole name has a token without a birthday


@pytest.mark.parametrize(
    ("other", "shared"),
    [("1987-03-08", True), ("1978-03-09", True), ("1987-03-19", True), ("1987-04-08", False), ("1990-11-21", False)],
)
def test_birth_dates_share_a_token_exactly_when_one_slip_parts_them(register, key_file, other, shared):
    found = codes(register, key_file, ("A", "B", "1987-03-09"), ("A", "B", other))
    slips = found[:, PLACES["slips"] : PLACES["slips"] + 15].tolist()
    assert bool(set(slips[0]) & set(slips[1])) == shared


def test_nothing_known_is_no_word_at_all(register, key_file):
    assert not codes(register, key_file, (None, None, None)).any()
    assert codes(register, key_file, ("Anna", None, None)).shape == (1, LENGTH)


def test_another_key_salt_or_purpose_gives_other_codes(tmp_path, key_file, register):
    other = key_at(tmp_path / "other.key", SECRET[::-1])
    keys = [key(key_file), key(other), key(key_file, salt="2026-b"), key(key_file, purpose="other-purpose")]
    assert len({one.check for one in keys}) == 4
    people = register(("police", "1", "Anna", "Hill", "1987-03-09", "female", *OAK))
    assert len({encoded(people, one)[0].as_py() for one in keys}) == 4
    assert SECRET not in repr(keys[0]) + keys[0].check


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ("q9zx7", 0o600, "key-short"),
        ("a" * 64, 0o600, "key-short"),
        (SECRET, 0o644, "key-open"),
        (SECRET, 0o640, "key-open"),
    ],
)
def test_a_key_that_protects_nobody_is_refused(tmp_path, text, mode, code):
    with pytest.raises(DeclarationError, match=code) as refusal:
        key(key_at(tmp_path / "k", text, mode))
    assert text not in str(refusal.value)


def test_no_key_and_no_salt_are_refused(tmp_path, key_file):
    with pytest.raises(DeclarationError, match="key-missing"):
        key(tmp_path / "nowhere")
    with pytest.raises(DeclarationError, match="salt-missing"):
        key(key_file, salt=" ")


def veiled(people: pa.Table, path: Path) -> pa.Table:
    """A register as it arrives when it was encoded."""
    hidden = ("given_name", "family_name", "birth_date", "address", "postcode")
    clear = [pa.nulls(people.num_rows, field.type) if field.name in hidden else people.column(field.name)
             for field in people.schema]  # fmt: skip
    table = pa.table(clear, schema=people.schema)
    return table.set_column(table.schema.get_field_index("encoded"), "encoded", encoded(people, key(path)))


def together(people: pa.Table) -> set[frozenset[str]]:
    found = matched(people)
    groups: dict[int, set[str]] = {}
    for name, cluster in zip(found.records["person_key"].to_pylist(), found.cluster.tolist(), strict=True):
        groups.setdefault(cluster, set()).add(name)
    return {frozenset(group) for group in groups.values()}


HOMES = {
    "one": (("Wilhelmina", "Featherstone", "1987-03-09"), ("Wilhelmina", "Featherstone", "1987-03-09"), True),
    "misspelt": (("Leopoldina", "Ravenscroft", "1975-06-21"), ("Leopodlina", "Ravenscrft", "1975-06-21"), True),
    "day and month": (("Bartholomew", "Quarles", "1991-04-08"), ("Bartholomew", "Quarles", "1991-08-04"), True),
    "names swapped": (("Genevieve", "Lancaster", "1969-11-30"), ("Lancaster", "Genevieve", "1969-11-30"), True),
    "short name": (("Kate", "Abernathy", "1983-02-17"), ("Catherine", "Abernathy", "1983-02-17"), True),
    "twins": (("Oliver", "Hill", "2010-05-05"), ("Jack", "Hill", "2010-05-05"), False),
    "father and son": (("Mohammed", "Chaudhry", "1971-05-25"), ("Mohammed", "Chaudhry", "2001-02-19"), False),
    "a couple": (("Edmund", "Yates", "1980-09-12"), ("Anna", "Yates", "1982-01-13"), False),
}
"""Who lives at a home: one person by two agencies' records, another record there, and whether it is the same person."""


def test_codes_join_whom_names_would(register, key_file):
    rows, expected = [], set()
    for number, (home, (one, other, same)) in enumerate(HOMES.items()):
        at = (None, f"{number + 11} Oak Street", f"QX{number + 1} 2AB")
        for agency, record in (("police", one), ("health", other), ("housing", one)):
            rows.append((agency, f"{home} {agency}", *record, *at))
        names = [f"{home} {agency}" for agency in ("police", "housing", "health")]
        expected |= {frozenset(names)} if same else {frozenset(names[:2]), frozenset(names[2:])}
    assert together(veiled(register(*rows), key_file)) == expected


CONTRACT = """\
agency = "{agency}"
title = "Agency"
controller = "The agency"
legal_regime = "UK GDPR"
purposes = ["early-support"]
{flag}

[feeds.people]
holds = "people"
file = "people"
key = ["No"]

[feeds.people.columns]
No = {{ type = "integer", means = "person_key", required = true }}
First = {{ type = "text", means = "given_name" }}
Last = {{ type = "text", means = "family_name" }}
Born = {{ type = "date", means = "birth_date" }}
Street = {{ type = "text", means = "address" }}
Code = {{ type = "text", means = "postcode" }}
Note = {{ type = "text", caveat = "Free text: nobody knows what stands there." }}
Seen = {{ type = "date", means = "recorded_at" }}

[feeds.calls]
holds = "events"
file = "calls"
key = ["Call"]
constants = {{ kind = "domestic_abuse", role = "victim" }}

[feeds.calls.columns]
Call = {{ type = "text", means = "event_key", required = true }}
No = {{ type = "integer", means = "person_key" }}
At = {{ type = "date", means = "happened_at", required = true }}
Street = {{ type = "text", means = "address" }}
Code = {{ type = "text", means = "postcode" }}
"""
PEOPLE = """\
No,First,Last,Born,Street,Code,Note,Seen
17,Wilhelmina,Featherstone,1987-03-09,14 Oak Street,QX1 2AB,sister of Zebedee,2024-01-02
18,Bilal,Ahmed,1999-12-09,3 Elm Road,QX4 9ZZ,,2024-01-02
19,Anna,Hill,not a date,3 Elm Road,QX4 9ZZ,,2024-01-02
"""
CALLS = "Call,No,At,Street,Code\nC1,17,2024-01-05,14 OAK ST,QX12AB\n"
SECRETS = (
    b"ilhelmina",
    b"eatherstone",
    b"Bilal",
    b"Ahmed",
    b"Oak",
    b"OAK",
    b"QX1",
    b"1987",
    b"Zebedee",
    SECRET.encode(),
)


@pytest.fixture
def agency(tmp_path: Path):
    """A contract and its two files in clear, by the agency's name."""

    def made(name: str, flag: str = "") -> tuple[Contract, dict[str, Path]]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "contract.toml").write_text(CONTRACT.format(agency=name, flag=flag))
        files = {"people": folder / "people.csv", "calls": folder / "calls.csv"}
        for feed, text in (("people", PEOPLE), ("calls", CALLS)):
            files[feed].write_text(text)
        return Contract.load(folder / "contract.toml"), files

    return made


def sent(made, key_file: Path, to: Path, *, purpose: str = "early-support", salt: str = "2026-a") -> list[Delivery]:
    contract, files = made
    found = []
    for feed, file in files.items():
        path, _ = pseudonymise(contract, feed, file, key_file=key_file, purpose=purpose, salt=salt, to=to)
        found.append(delivered(f"{contract.agency}.{feed}", path))
    return found


def delivered(feed: str, path: Path) -> Delivery:
    return Delivery(feed, path, dt.datetime(2024, 2, 1), dt.date(2024, 1, 1), dt.date(2024, 2, 1))


@pytest.fixture
def early(tmp_path: Path):
    fields = ("encoded", "address", "postcode")
    purpose = Purpose("early-support", "To test.", "consent", ("health", "police"), fields, dt.date(2999, 1, 1))
    return connect(f"duckdb:///{tmp_path / 'store'}", purpose)


def test_two_agencies_are_linked_and_nobody_handed_over_a_name(agency, key_file, tmp_path, early):
    police, health = agency("police"), agency("health", "encoded = true")
    files = [*sent(police, key_file, tmp_path / "p"), *sent(health, key_file, tmp_path / "h")]
    intake = receive(early, files, contracts=[police[0], health[0]])
    assert intake.report["totals"] == {"delivered": 6, "accepted": 6, "stored": 6}
    people = link(early, intake)
    assert people.quality["people"] == 2  # Bilal and Wilhelmina, each known to both; Anna's row stayed at the agencies
    assert people.quality["people_by_records"] == {"2": 2}
    histories = assemble(early, people)
    place = set(histories.events["place_id"].to_pylist())
    assert len(place) == 1  # both agencies' calls are at one place, and it is where she lives
    assert place <= set(histories.residences["place_id"].to_pylist())
    everything = b"".join(
        path.read_bytes() for folder in ("p", "h", "store") for path in (tmp_path / folder).rglob("*") if path.is_file()
    )
    for secret in SECRETS:
        assert secret not in everything
    sidecar = json.loads(sidecar_of(files[0].path).read_text())
    assert (sidecar["delivered"], sidecar["encoded"], sidecar["quarantined"]) == (3, 2, {"date-invalid": 1})


def refused(early, files, contracts) -> str:
    with pytest.raises((DataRefused, DeliveriesRefused)) as refusal:
        receive(early, files, contracts=contracts)
    assert not any(secret.decode() in str(refusal.value) for secret in SECRETS)
    return refusal.value.code


def test_files_encoded_with_two_keys_or_two_salts_are_refused(agency, key_file, tmp_path, early):
    police, health = agency("police"), agency("health")
    contracts = [police[0], health[0]]
    ours = sent(police, key_file, tmp_path / "p")
    other = key_at(tmp_path / "other.key", SECRET[::-1])
    assert refused(early, [*ours, *sent(health, other, tmp_path / "h1")], contracts) == "keys-differ"
    assert refused(early, [*ours, *sent(health, key_file, tmp_path / "h2", salt="2026-b")], contracts) == "keys-differ"


def test_a_register_in_clear_beside_an_encoded_one_is_refused(agency, key_file, tmp_path, early):
    police, health = agency("police"), agency("health")
    files = [*sent(police, key_file, tmp_path / "p"), delivered("health.people", health[1]["people"])]
    assert refused(early, files, [police[0], health[0]]) == "encoding-mixed"


def test_files_encoded_for_another_purpose_are_refused(agency, key_file, tmp_path, early):
    police = agency("police")
    files = sent(police, key_file, tmp_path / "p", purpose="other-purpose")
    assert refused(early, files, [police[0]]) == "encoded-for-other"


def test_clear_files_of_an_agency_that_declared_codes_are_refused(agency, early):
    contract, files = agency("police", "encoded = true")
    assert refused(early, [delivered("police.people", files["people"])], [contract]) == "file-unencoded"


@pytest.mark.parametrize("column", ["Last", "Born", "Street", "No", "encoded"])
def test_a_file_said_to_be_encoded_with_something_in_clear_is_refused(agency, key_file, tmp_path, early, column):
    police = agency("police")
    people = sent(police, key_file, tmp_path / "p")[0]
    lines = [line.split(",") for line in people.path.read_text().replace('"', "").splitlines()]
    if column in lines[0]:
        lines[1][lines[0].index(column)] = "14 Oak Street"
    else:
        lines = [[*line, "Featherstone" if at else column] for at, line in enumerate(lines)]
    people.path.write_text("\n".join(",".join(line) for line in lines) + "\n")
    assert refused(early, [people], [police[0]]) == "cells-unencoded"


def test_a_sidecar_that_is_none_is_refused(agency, key_file, tmp_path, early):
    police = agency("police")
    people = sent(police, key_file, tmp_path / "p")[0]
    sidecar_of(people.path).write_text("{}")
    assert refused(early, [people], [police[0]]) == "sidecar-invalid"


def test_a_salt_serves_one_purpose(agency, key_file, tmp_path):
    police = agency("police")
    sent(police, key_file, tmp_path / "one")
    sent(police, key_file, tmp_path / "again")  # the next month's file of the same purpose
    with pytest.raises(DeclarationError, match="salt-reused"):
        sent(police, key_file, tmp_path / "two", purpose="other-purpose")
    kept = (key_file.parent / f"{key_file.name}.salts-used.json").read_text()
    assert "2026-a" not in kept
    assert SECRET not in kept


def test_a_wrong_key_and_a_used_place_are_refused(agency, key_file, tmp_path):
    contract, files = agency("police")
    settings = {"key_file": key_file, "purpose": "early-support", "salt": "2026-a", "to": tmp_path / "p"}
    path, encoding = pseudonymise(contract, "people", files["people"], **settings)
    assert os.stat(path).st_size > 0
    with pytest.raises(DataRefused, match="encoded-exists"):
        pseudonymise(contract, "people", files["people"], **settings)
    other = key_at(tmp_path / "other.key", SECRET[::-1])
    with pytest.raises(DeclarationError, match="key-wrong"):
        pseudonymise(contract, "people", files["people"], **settings | {"key_file": other},
                     expected_check=encoding.key_check)  # fmt: skip


def test_the_size_of_the_parts_changes_nothing(agency, key_file, tmp_path):
    contract, files = agency("police")
    made = []
    for size in (40, 1 << 20):
        path, _ = pseudonymise(contract, "people", files["people"], key_file=key_file, purpose="early-support",
                               salt="2026-a", to=tmp_path / str(size), part_bytes=size)  # fmt: skip
        made.append((path.read_bytes(), sidecar_of(path).read_bytes()))
    assert made[0] == made[1]


def test_a_file_that_breaks_off_leaves_no_encoded_one(agency, key_file, tmp_path):
    contract, files = agency("police")
    table = pacsv.read_csv(files["people"])
    file = tmp_path / "people.parquet"
    pq.write_table(table, file, row_group_size=2, compression="zstd")
    second = pq.ParquetFile(file).metadata.row_group(1).column(0)
    with file.open("r+b") as broken:
        broken.seek(second.data_page_offset)
        broken.write(b"\xff" * second.total_compressed_size)
    with pytest.raises(DataRefused, match="file-unreadable"):
        pseudonymise(contract, "people", file, key_file=key_file, purpose="early-support", salt="2026-a",
                     to=tmp_path / "p", part_bytes=1)  # fmt: skip
    assert not list((tmp_path / "p").iterdir())


def test_a_key_that_is_a_name_is_refused(tmp_path, key_file):
    text = CONTRACT.format(agency="police", flag="").replace('key = ["No"]', 'key = ["Last", "Born"]')
    (tmp_path / "c.toml").write_text(text)
    (tmp_path / "people.csv").write_text(PEOPLE)
    with pytest.raises(DeclarationError, match="key-identifies"):
        pseudonymise(Contract.load(tmp_path / "c.toml"), "people", tmp_path / "people.csv", key_file=key_file,
                     purpose="early-support", salt="2026-a", to=tmp_path / "p")  # fmt: skip
