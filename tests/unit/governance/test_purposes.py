"""A purpose says all its faults at once, goes out of force on its day, and covers only whom it names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DeclarationError, NotFound, NotPermitted
from riskmodel.governance.purposes import Purpose

GIVEN: dict[str, Any] = {
    "name": "early-support",
    "statement": "To offer help early.",
    "lawful_basis": "Crime and Disorder Act 1998, section 115",
    "controllers": ["police", "childrens_services"],
    "fields": ["birth_date", "kind"],
    "expires": dt.date(2027, 1, 1),
}


def where(refused: pytest.ExceptionInfo[DeclarationError]) -> list[str]:
    return [fault.where for fault in refused.value.faults]


def test_a_purpose_and_its_document_are_the_same() -> None:
    purpose = Purpose.from_mapping(GIVEN)
    assert Purpose.from_mapping(purpose.document()) == purpose
    assert purpose.expires == dt.date(2027, 1, 1)
    assert purpose.scope() == {
        "name": "early-support",
        "controllers": ["childrens_services", "police"],
        "fields": ["birth_date", "kind"],
    }


def test_all_faults_are_said_at_once_with_the_name_that_was_meant() -> None:
    given = {**GIVEN, "name": "Early Support", "controllers": "police", "fields": [], "expires": "2026-02-30"}
    given["lawful_bassis"] = given.pop("lawful_basis")
    with pytest.raises(DeclarationError) as refused:
        Purpose.from_mapping(given)
    assert where(refused) == [
        "purpose.lawful_bassis",
        "purpose.lawful_basis",
        "purpose.name",
        "purpose.controllers",
        "purpose.fields",
        "purpose.expires",
    ]
    assert "Did you mean lawful_basis?" in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"statement": "  "}, "purpose.statement"),
        ({"statement": 3}, "purpose.statement"),
        ({"controllers": ["police", "police"]}, "purpose.controllers"),
        ({"controllers": ["Police Force"]}, "purpose.controllers"),
        ({"fields": ["birth_date", 4]}, "purpose.fields"),
        ({"expires": None}, "purpose.expires"),
        ({"expires": 20270101.5}, "purpose.expires"),
    ],
)
def test_each_fault_alone(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Purpose.from_mapping({**GIVEN, **change})
    assert where(refused) == [fault]


def test_a_purpose_made_in_python_is_held_to_the_same() -> None:
    with pytest.raises(DeclarationError) as refused:
        Purpose("", "x", "y", ("police",), ("kind",), dt.date(2027, 1, 1))
    assert where(refused) == ["purpose.name"]


def test_it_ends_on_the_day_it_expires() -> None:
    purpose = Purpose.from_mapping(GIVEN)
    purpose.must_be_in_force(dt.date(2026, 12, 31))
    with pytest.raises(NotPermitted, match="purpose-expired"):
        purpose.must_be_in_force(dt.date(2027, 1, 1))


def test_it_covers_only_the_controllers_it_names() -> None:
    purpose = Purpose.from_mapping(GIVEN)
    purpose.must_cover(["police"])
    with pytest.raises(NotPermitted, match="without health, housing") as refused:
        purpose.must_cover(["police", "housing", "health"])
    assert refused.value.exit_code == 4


def test_it_covers_only_the_fields_it_names() -> None:
    purpose = Purpose.from_mapping(GIVEN)
    purpose.must_cover_fields(["birth_date"])
    with pytest.raises(NotPermitted, match="without the field address, value"):
        purpose.must_cover_fields(["value", "kind", "address"])


def test_it_is_read_from_a_file_at_the_top_or_in_a_table(tmp_path: Path) -> None:
    text = (
        'name = "early-support"\nstatement = "To offer help early."\nlawful_basis = "section 115"\n'
        'controllers = ["police"]\nfields = ["kind"]\nexpires = 2027-01-01\n'
    )
    (tmp_path / "top.toml").write_text(text)
    (tmp_path / "table.toml").write_text("[purpose]\n" + text)
    assert Purpose.load(tmp_path / "top.toml") == Purpose.load(tmp_path / "table.toml")


def test_a_file_that_cannot_be_read_says_the_line(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('name = "x"\nexpires = 2026-02-30\n')
    with pytest.raises(DeclarationError, match=r"line 2.*purpose-not-toml"):
        Purpose.load(tmp_path / "p.toml")
    (tmp_path / "p.toml").write_bytes(b'name = "\xff"\n')
    with pytest.raises(DeclarationError, match="not UTF-8"):
        Purpose.load(tmp_path / "p.toml")
    with pytest.raises(NotFound, match="purpose-file-missing"):
        Purpose.load(tmp_path / "none.toml")
