"""Sheets as small agencies save them: a title above the headings, columns without one, a whole name in one column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.encoded import encoded_feed
from riskmodel.feeds.intake import receive
from riskmodel.feeds.reading import read_rows

CLINIC = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8").split('"""\\\n')[1].split('"""')[0]
HEAD = "no,id,why,at,left,points,seen_on\n"
ROWS = "v1,a,INJ,10/03/2020,,3,\nv2,a\nv3,b,ZZ,10/03/2020,,3,\n"
SHEET = f"Visits of the clinic,,,,,,\n\n{HEAD}{ROWS}"


@pytest.fixture
def contract_with(tmp_path):
    def changed(old: str, new: str) -> Contract:
        path = tmp_path / "changed.toml"
        path.write_text(CLINIC.replace(old, new), encoding="utf-8")
        return Contract.load(path)

    return changed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", [1, 1 << 20])
def test_what_stands_above_the_headings_is_not_read_and_rows_are_numbered_from_them(
    store, clinic, contract_with, encoding, part
):
    contract = contract_with('file = "visits"', 'file = "visits"\nheading_line = 3')
    intake = receive(store, clinic(visits=SHEET.encode(encoding)), contracts=[contract], part_bytes=part)
    assert intake.events.column("event_key").to_pylist() == ["v1"]
    found = intake.quarantine.select(["row", "code"]).to_pylist()
    assert found == [{"row": 2, "code": "row-unreadable"}, {"row": 3, "code": "unknown-code"}]


def test_columns_without_a_heading_are_no_columns(store, clinic, contract):
    visits = f"{HEAD.strip()},,\nv1,a,INJ,10/03/2020,,3,,,\n"
    intake = receive(store, clinic(visits=visits), contracts=[contract])
    assert intake.events.column("event_key").to_pylist() == ["v1"]
    assert not [alarm for feed in intake.report["feeds"].values() for alarm in feed["alarms"] if "column" in alarm]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SHEET.encode(), "write heading_line = 3 in the contract"),
        (HEAD.replace(",", ";").encode(), "divided by ';'"),
        (HEAD.upper().encode(), "other capitals"),
        (HEAD.encode("utf-16-le"), 'encoding = "utf-16-le"'),
        (b"PK\x03\x04" + bytes(99), "a spreadsheet or an archive"),
        (b"a,b\n1,2\n", "without no, id"),
    ],
)
def test_a_file_without_its_headings_is_told_what_it_seems_to_be(clinic, contract, content, words):
    feed = contract.feed("clinic.visits")
    with pytest.raises(DataRefused, match="column-missing") as refused:
        read_rows(feed, clinic(visits=content)[1].path, feed.read_columns())
    assert words in str(refused.value)


def test_a_whole_name_fills_both_fields_as_far_as_the_purpose_names_them(open_store, clinic, contract_with):
    contract = contract_with(
        'name = { type = "text", means = "family_name"', 'name = { type = "text", means = "full_name"'
    )
    people = 'id,name,born,sex,changed\na,"Ash, Jo Ann",03/04/2001,1,\nb,Bo van der Birch,05/06/2003,2,\nc,,,9,\n'
    for fields, given in ((("given_name", "family_name"), ["Jo Ann", "Bo", None]), (("family_name",), [None] * 3)):
        intake = receive(open_store(fields=fields), clinic(people=people, visits=None), contracts=[contract])
        assert intake.people.column("given_name").to_pylist() == given
        assert intake.people.column("family_name").to_pylist() == ["Ash", "van der Birch", None]
    feed = contract.feed("clinic.people")
    assert "name" not in [column.name for column in encoded_feed(feed).columns]
    standard = pa.table({"person_key": ["a"], "given_name": ["Jo Ann"], "family_name": ["Ash"]})
    named = replace(feed, columns=(feed.column("id"), feed.column("name"))).render(standard)
    assert named.column("name").to_pylist() == ["Ash, Jo Ann"]


def test_a_whole_name_beside_its_parts_is_a_fault(contract_with):
    with pytest.raises(DeclarationError, match="2 columns that mean family_name"):
        contract_with("changed =", 'all = { type = "text", means = "full_name" }\nchanged =')
