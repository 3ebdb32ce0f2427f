"""Contracts: read whole, refused whole, and turned round for writing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.feeds.codes import CodeList, Meaning
from riskmodel.feeds.contract import Contract, agency_contracts, contracts_in
from riskmodel.feeds.standard import VOCABULARY

CLINIC = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8").split('"""\\\n')[1].split('"""')[0]


def load(tmp_path, text):
    path = tmp_path / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return Contract.load(path)


def faults(tmp_path, text):
    with pytest.raises(DeclarationError) as refused:
        load(tmp_path, text)
    return [str(fault) for fault in refused.value.faults]


def test_every_agency_has_a_register_and_events_and_standard_words():
    for contract in agency_contracts().values():
        if contract.agency == "charity":
            continue  # its one sheet has no ethnicity and no area
        assert [feed.holds for feed in contract.feeds][:2] == ["people", "events"]
        assert contract.feed("people").gives() == (
            "person_key", "given_name", "family_name", "birth_date", "sex", "ethnicity", "address", "postcode", "area",
            "address_from", "recorded_at",
        )  # fmt: skip
        ethnicity = contract.feed("people").meaning("ethnicity")
        assert {meaning.value for meaning in ethnicity.codes.meanings} <= VOCABULARY["ethnicity"] | {"unknown"}
    assert agency_contracts()["police"].legal_regime == "DPA 2018 Part 3"
    assert agency_contracts()["health"].legal_regime == "UK GDPR"


def test_agencies_write_differently():
    feeds = [contract.feed("events") for contract in agency_contracts().values()]
    assert {feed.format for feed in feeds} == {"csv", "jsonl", "parquet"}
    assert {feed.delimiter for feed in feeds} == {",", ";", "|", "\t"}
    headings = [feed.meaning("happened_at").name for feed in feeds]
    assert len(set(headings)) == len(headings)


def test_the_kinds_that_an_agency_records():
    health = agency_contracts()["health"].feed("events")
    assert health.kinds() == (
        ("injury_by_violence", "subject"),
        ("self_harm", "subject"),
        ("overdose", "subject"),
        ("mental_health_contact", "subject"),
    )


def test_all_faults_of_a_contract_are_named_with_their_lines(tmp_path):
    text = (
        CLINIC.replace('legal_regime = "UK GDPR"', 'legal_regime = "none"')
        .replace('holds = "events"', 'holds = "events"\nkeys = ["no"]')
        .replace('means = "value", at_least = 0', 'means = "value", at_least = "0"')
        .replace('1 = "male"', '1 = "man"')
        .replace('born = { type = "date"', 'born = { type = "dat"')
        .replace('key = ["no"]', 'key = ["number"]')
    )
    found = faults(tmp_path, text)
    lines = dict(enumerate(text.splitlines(), 1))
    line_of = {line.split(" =")[0]: number for number, line in lines.items()}
    expected = [
        (line_of["legal_regime"], "'none'", "UK GDPR"),
        (line_of["keys"], "unknown key 'keys'", "Did you mean 'key'?"),
        (line_of["points"], "'0'", "a number"),
        (line_of["sex"], "'man'", "female, male"),
        (line_of["born"], "'dat'", "text, date"),
        (next(number for number, line in lines.items() if '"number"' in line), "'number'", "a declared column"),
    ]
    for number, what, wanted in expected:
        assert any(f"clinic.toml line {number}," in one and what in one and wanted in one for one in found), (
            number,
            what,
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('agency = "clinic"', 'agency = "the clinic"'), "plain name"),
        (('agency = "clinic"\n', ""), "no 'agency'"),
        (('means = "person_key", required', 'means = "person", required'), "'person'"),
        (('codes = "sex"', 'codes = "gender"'), "'gender'"),
        (('means = "sex", codes = "sex"', 'means = "sex"'), "codes exactly for type code"),
        (('means = "happened_at"', 'means = "ended_at"'), "2 columns that mean ended_at"),
        (('at = { type = "moment", means = "happened_at"', 'at = { type = "moment"'), "nothing that means happened_at"),
        (("[codes.gone]", '[codes.spare]\n1 = "x"\n\n[codes.gone]'), "no column uses"),
        (("valid_from = 2018-01-01", "valid_from = 2017-01-01"), "twice for one day"),
        (('file = "visits"', 'file = "visits"\nknown_at = "no"'), "a date or moment column"),
        (('date_format = "%d/%m/%Y"', 'date_format = "%d/%m/%y"'), "1916 or 2016"),
        (('file = "visits"', 'file = "visits"\ndelimiter = ";;"'), "one character"),
        (('file = "visits"', 'file = "visits"\nconstants = { kind = "x" }'), "a constant and a column"),
        (('file = "visits"', 'file = "visits"\nconstants = { happened_at = "x" }'), "happened_at = 'x'"),
        (('file = "visits"', 'file = "visits"\nrows = { column = "kind", one_of = [] }'), "no values"),
        (('Y = "true"', 'Y = true'), "a word or a table"),
        (('Y = "true"', 'Y = "yes"'), "'yes'"),
        (('1 = "male"', '1 = { means = "male", role = "subject" }'), "roles only for kinds"),
        (('type = "date", means = "birth_date"', 'type = "number", means = "birth_date"'), "date or moment or year"),
    ],
)  # fmt: skip
def test_a_contract_that_cannot_mean_anything_is_refused(tmp_path, change, words):
    assert change[0] in CLINIC
    assert any(words in one for one in faults(tmp_path, CLINIC.replace(*change, 1)))


def test_a_code_listed_twice_is_refused_with_its_line(tmp_path):
    found = faults(tmp_path, CLINIC.replace('2 = "female"', '1 = "female"'))
    assert "line" in found[0]
    assert "overwrite" in found[0]


def test_a_missing_contract_and_two_of_one_agency(tmp_path):
    with pytest.raises(NotFound, match=r"nothing\.toml"):
        Contract.load(tmp_path / "nothing.toml")
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(CLINIC, encoding="utf-8")
    with pytest.raises(DeclarationError, match="in two files"):
        contracts_in(tmp_path)


def test_codes_change_their_meaning_on_a_day():
    listed = CodeList(
        "why",
        (
            Meaning("X", "overdose", valid_until=dt.date(2018, 1, 1)),
            Meaning("X", "self_harm", valid_from=dt.date(2018, 1, 1)),
            Meaning("OLD", "overdose", valid_until=dt.date(2010, 1, 1)),
        ),
    )
    codes = pa.array(["X", "X", "OLD", "?"])
    when = pa.array([dt.date(2017, 12, 31), dt.date(2018, 1, 1), dt.date(2010, 1, 1), None])
    decoded = listed.decode(codes, when)
    assert decoded.values.to_pylist() == ["overdose", "self_harm", None, None]
    assert decoded.out_of_date.tolist() == [False, False, True, False]
    assert decoded.unknown.tolist() == [False, False, False, True]
    kinds = pa.array(["overdose", "overdose", "self_harm", "self_harm"])
    days = pa.array([dt.date(2009, 1, 1), dt.date(2019, 1, 1), dt.date(2019, 1, 1), dt.date(2009, 1, 1)])
    assert listed.encode(kinds, pa.nulls(4, pa.string()), days).to_pylist() == ["X", None, "X", None]


def test_rendering_refuses_what_no_code_says(contract):
    rows = {"event_key": ["1"], "kind": ["arson"], "happened_at": pa.array([0], pa.timestamp("us"))}
    with pytest.raises(DataRefused, match=r"1 rows of clinic\.visits that cannot be written in the column why"):
        contract.feed("visits").render(pa.table(rows))
    with pytest.raises(DataRefused, match="required-empty"):
        contract.feed("visits").render(pa.table({**rows, "kind": ["self_harm"], "event_key": pa.nulls(1, pa.string())}))


def test_a_contract_says_the_same_twice_and_another_one_says_otherwise(tmp_path, contract):
    assert load(tmp_path, CLINIC).fingerprint == contract.fingerprint
    assert load(tmp_path, CLINIC.replace("longest = 50", "longest = 51")).fingerprint != contract.fingerprint
