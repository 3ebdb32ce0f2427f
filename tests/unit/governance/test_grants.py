"""Grants: a role may do what it was granted, for that purpose, until that day; every refusal says what to do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.governance.access import connect
from riskmodel.governance.grants import FILE, LEVELS, ROLE, Caller, Grant, Grants
from riskmodel.governance.purposes import Purpose

DAY = dt.date(2026, 6, 1)
END = dt.date(2027, 1, 1)
GRANTS = Grants(
    (
        Grant("analyst", "early-support", "rows", END),
        Grant("lead", "early-support", "aggregates", END),
        Grant("lead", "early-support", "scores", dt.date(2026, 1, 1)),
        Grant("reviewer", "early-support", "scores", END),
        Grant("former", "early-support", "scores", dt.date(2025, 1, 1)),
    )
)


@pytest.mark.parametrize(
    ("role", "level"),
    [("analyst", "aggregates"), ("analyst", "rows"), ("lead", "aggregates"), *(("reviewer", each) for each in LEVELS)],
)
def test_a_level_includes_those_below(role: str, level: str) -> None:
    GRANTS.must_allow(role, "early-support", level, DAY)


@pytest.mark.parametrize(
    ("role", "purpose", "level", "code"),
    [
        ("analyst", "early-support", "scores", "grant-too-low"),
        ("lead", "early-support", "rows", "grant-too-low"),  # the higher one has ended
        ("former", "early-support", "aggregates", "grant-expired"),
        ("analyst", "enforcement", "aggregates", "grant-missing"),
        ("stranger", "early-support", "aggregates", "grant-missing"),
    ],
)
def test_every_refusal_says_what_to_do(role: str, purpose: str, level: str, code: str) -> None:
    with pytest.raises(NotPermitted) as refused:
        GRANTS.must_allow(role, purpose, level, DAY)
    assert refused.value.code == code
    assert refused.value.repair.startswith("Ask the data protection lead")


def test_a_grant_ends_on_its_day() -> None:
    GRANTS.must_allow("analyst", "early-support", "rows", dt.date(2026, 12, 31))
    with pytest.raises(NotPermitted, match="grant-expired"):
        GRANTS.must_allow("analyst", "early-support", "rows", END)


def test_grants_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "grants.toml").write_text(
        '[[grant]]\nrole = "analyst"\npurpose = "early-support"\nlevel = "rows"\nexpires = 2027-01-01\n'
    )
    assert Grants.load(tmp_path / "grants.toml") == Grants((Grant("analyst", "early-support", "rows", END),))


def test_all_faults_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "grants.toml").write_text(
        'owner = "x"\n[[grant]]\nroles = "a"\npurpose = "p"\nlevel = "all"\nexpires = "2027-01-01"\n[[grant]]\n'
    )
    with pytest.raises(DeclarationError) as refused:
        Grants.load(tmp_path / "grants.toml")
    assert [fault.where for fault in refused.value.faults] == [
        "grants.owner",
        *("grant 1.roles", "grant 1.role", "grant 1.level", "grant 1.expires"),
        *("grant 2.role", "grant 2.purpose", "grant 2.level", "grant 2.expires"),
    ]
    (tmp_path / "grants.toml").write_text("")
    with pytest.raises(DeclarationError, match="no grant"):
        Grants.load(tmp_path / "grants.toml")


def test_attack_reading_rows_with_a_grant_for_counts_is_refused_and_leaves_a_trace(tmp_path: Path) -> None:
    purpose = Purpose("early-support", "To help.", "section 115", ("police",), ("kind",), dt.date(9999, 1, 1))
    forever = dt.date(9999, 1, 1)
    grants = Grants(
        (Grant("analyst", "early-support", "rows", forever), Grant("lead", "early-support", "aggregates", forever))
    )
    url = f"duckdb:///{tmp_path / 'run'}"
    store = connect(url, purpose, Caller("analyst", grants))
    with store.writing("histories", {}) as draft:
        draft.write("events", pa.table({"entity_id": [1]}), ["entity_id"])
    assert store.result("histories").rows == {"events": 1}
    with pytest.raises(NotPermitted, match="grant-too-low"):
        connect(url, purpose, Caller("lead", grants))
    last = list(store.ledger.entries())[-1]
    assert (last.action, last.facts["code"], last.facts["role"]) == ("refused", "grant-too-low", "lead")


def test_a_store_that_holds_grants_asks_everybody_for_a_role_and_knows_no_other_grants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    purpose = Purpose("support", "To help.", "A law.", ("police",), ("birth_date",), dt.date(9999, 1, 1))
    address = f"duckdb:///{tmp_path / 'run'}"
    monkeypatch.delenv(ROLE, raising=False)
    connect(address, purpose)  # before there are grants nobody is asked
    held = "[[grant]]\nrole = 'analyst'\npurpose = 'support'\nlevel = 'rows'\nexpires = 9999-01-01\n"
    (tmp_path / "run" / FILE).write_text(held)
    with pytest.raises(NotPermitted, match="role-missing"):
        connect(address, purpose)
    made_up = Grants((Grant("director", "support", "scores", dt.date(9999, 1, 1)),))
    with pytest.raises(NotPermitted, match="grant-missing"):
        connect(address, purpose, Caller("director", made_up))
    monkeypatch.setenv(ROLE, "analyst")
    store = connect(address, purpose)
    assert store.caller == Caller("analyst", Grants.load(tmp_path / "run" / FILE))
    codes = [entry.facts.get("code") for entry in store.ledger.entries() if entry.action == "refused"]
    assert codes == ["role-missing", "grant-missing"]
    (tmp_path / "run" / FILE).write_text(held.replace("9999", "2020"))
    with pytest.raises(NotPermitted, match="grant-expired"):
        connect(address, purpose)
