"""Decisions kept in the store, and how far a card has come by what the ledger says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DeclarationError
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import approval_toml, decide, decision_in
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.governance.limits import Limits
from riskmodel.governance.standings import BOARD, INTO_USE, SUBMITTED, Standing, standings

MODEL, CARD, OTHER = "a" * 64, "b" * 64, "c" * 64
DAY = dt.date(2026, 3, 12)


def approval(decision: str = "approved", card: str = CARD, **change: Any) -> Approval:
    given: dict[str, Any] = {
        "decision": decision,
        "decided_by": ("chair", "member"),
        "decided_on": DAY,
        "valid_from": dt.date(2026, 4, 1),
        "valid_until": dt.date(2027, 4, 1),
        "conditions": 'Two people read.\nNo list\tleaves the "house" \\ \x7f ends.',
        "limits": Limits(people_per_list=20, areas=("north", "süd")),
    }
    return Approval(MODEL, card, "early-support", **{**given, **change})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def test_a_decision_is_sealed_kept_and_written_down(tmp_path: Path, ledger: Ledger) -> None:
    sealed = decide(approval(), tmp_path, ledger)
    sealed.must_allow(MODEL, CARD, "early-support", dt.date(2026, 4, 1))
    sealed.must_be_recorded(ledger)
    path = decision_in(tmp_path, ledger, MODEL, "early-support")
    assert path is not None
    assert Approval.load(path) == sealed  # every sign of the conditions comes back
    assert verify(ledger.path).holds


def test_the_newest_decision_is_found_and_no_other(tmp_path: Path, ledger: Ledger) -> None:
    assert decision_in(tmp_path, ledger, MODEL, "early-support") is None
    first = decide(approval(), tmp_path, ledger)
    second = decide(approval("withdrawn", decided_on=dt.date(2026, 5, 1)), tmp_path, ledger)
    path = decision_in(tmp_path, ledger, MODEL, "early-support")
    assert path is not None
    assert path.stem == second.fingerprint != first.fingerprint
    assert decision_in(tmp_path, ledger, MODEL, "other") is None
    ledger.append("approval", approval="d" * 64, model=MODEL, purpose="early-support", decision="approved", card=CARD)
    assert decision_in(tmp_path, ledger, MODEL, "early-support") is None  # signed off elsewhere


def test_nothing_decided_cannot_be_kept(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(DeclarationError, match="approval-pending"):
        decide(approval("pending"), tmp_path, ledger)
    assert list(ledger.entries()) == []


def test_a_draft_and_an_approval_without_dates_can_be_written() -> None:
    text = approval_toml(Approval(MODEL, CARD, "early-support"))
    assert "valid_from" not in text
    assert text.endswith("[limits]\n")


def at(ledger: Ledger, card: str = CARD) -> Standing:
    return standings(ledger.entries()).get(card, Standing())


def step(ledger: Ledger, name: str, card: str = CARD) -> None:
    ledger.append(BOARD, step=name, card=card)


def test_from_draft_to_retired(tmp_path: Path, ledger: Ledger) -> None:
    assert at(ledger).state == "draft"
    step(ledger, INTO_USE)
    assert at(ledger).state == "draft"  # nobody approved it
    step(ledger, SUBMITTED)
    assert at(ledger).state == "reviewed"
    sealed = decide(approval(), tmp_path, ledger)
    stands = at(ledger)
    assert (stands.state, stands.approval, stands.decision) == ("approved", sealed.fingerprint, "approved")
    assert not stands.in_force(dt.date(2026, 3, 31))
    assert stands.in_force(dt.date(2026, 4, 1))
    assert not stands.in_force(dt.date(2027, 4, 1))
    assert stands.ended(dt.date(2027, 4, 1))
    step(ledger, INTO_USE)
    assert at(ledger).state == "in_use"
    decide(approval(valid_until=dt.date(2028, 4, 1)), tmp_path, ledger)
    assert at(ledger).state == "in_use"  # a renewal does not stop it
    decide(approval("withdrawn"), tmp_path, ledger)
    assert (at(ledger).state, at(ledger).decision) == ("retired", "withdrawn")
    step(ledger, SUBMITTED)
    assert at(ledger).state == "reviewed"


@pytest.mark.parametrize("decision", ["refused", "deferred"])
def test_refused_and_deferred_go_back_to_draft(tmp_path: Path, ledger: Ledger, decision: str) -> None:
    step(ledger, SUBMITTED)
    decide(approval(decision), tmp_path, ledger)
    assert (at(ledger).state, at(ledger).decision) == ("draft", decision)


def test_a_decision_on_a_newer_card_replaces_the_older_approval(tmp_path: Path, ledger: Ledger) -> None:
    decide(approval(), tmp_path, ledger)
    decide(approval("approved", OTHER), tmp_path, ledger)
    assert (at(ledger).state, at(ledger).decision) == ("retired", "replaced")
    assert at(ledger, OTHER).state == "approved"


def test_submitting_an_approved_card_again_leaves_its_approval(tmp_path: Path, ledger: Ledger) -> None:
    decide(approval(), tmp_path, ledger)
    step(ledger, SUBMITTED)
    assert at(ledger).state == "approved"
