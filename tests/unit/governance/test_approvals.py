"""Approvals: every refusal says what to do; what was changed after signing off, or never recorded, does not count."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DeclarationError, NotFound, NotPermitted
from riskmodel.governance.approvals import Approval, Limits, approval_missing, draft_approval, sign_off
from riskmodel.governance.ledger import Ledger, verify

MODEL, CARD = "a" * 64, "b" * 64
DAY = dt.date(2026, 6, 1)
GIVEN: dict[str, Any] = {
    "model": MODEL,
    "card": CARD,
    "purpose": "early-support",
    "decision": "approved",
    "decided_by": ["chair of the ethics committee"],
    "decided_on": dt.date(2026, 3, 12),
    "valid_from": dt.date(2026, 4, 1),
    "valid_until": dt.date(2027, 4, 1),
    "conditions": "none",
}


def sealed(**change: Any) -> Approval:
    approval = Approval.from_mapping({**GIVEN, **change})
    return replace(approval, seal=approval.fingerprint)


def filled_in(path: Path) -> Path:
    """A draft as the board's secretary would fill it in."""
    text = draft_approval(path, MODEL, CARD, "early-support").read_text()
    text = text.replace('decision = "pending"', 'decision = "approved"').replace("# decided_on", "decided_on")
    text = text.replace("# valid_from", "valid_from").replace("# valid_until", "valid_until")
    text = text.replace("decided_by = []", 'decided_by = ["chair of the ethics committee"]')
    text = text.replace('conditions = ""', 'conditions = "Reviewed by two people."').replace(
        "# people_per", "people_per"
    )
    path.write_text(text)
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def test_a_draft_is_pending_and_allows_nothing(tmp_path: Path) -> None:
    approval = Approval.load(draft_approval(tmp_path / "board" / "a.toml", MODEL, CARD, "early-support"))
    assert (approval.decision, approval.decided_by, approval.valid_until) == ("pending", (), None)
    with pytest.raises(NotPermitted, match="approval-pending"):
        approval.must_allow(MODEL, CARD, "early-support", DAY)


def test_a_draft_is_never_written_over_what_is_there(tmp_path: Path) -> None:
    path = filled_in(tmp_path / "a.toml")
    with pytest.raises(DeclarationError, match="approval-exists"):
        draft_approval(path, MODEL, CARD, "early-support")


def test_filled_in_and_signed_off_it_allows(tmp_path: Path, ledger: Ledger) -> None:
    path = filled_in(tmp_path / "a.toml")
    with pytest.raises(NotPermitted, match="approval-not-signed-off"):
        Approval.load(path).must_allow(MODEL, CARD, "early-support", DAY)
    signed = sign_off(path, ledger)
    assert Approval.load(path) == signed
    assert signed.limits == Limits(people_per_list=200)
    signed.must_allow(MODEL, CARD, "early-support", DAY)
    signed.must_be_recorded(ledger)
    (entry,) = ledger.entries()
    assert entry.action == "approval"
    assert entry.facts["approval"] == signed.fingerprint
    assert entry.facts["decision"] == "approved"
    assert sign_off(path, ledger) == signed  # signing the same text again changes nothing


def test_a_pending_decision_cannot_be_signed_off(tmp_path: Path, ledger: Ledger) -> None:
    path = draft_approval(tmp_path / "a.toml", MODEL, CARD, "early-support")
    with pytest.raises(DeclarationError, match="approval-pending"):
        sign_off(path, ledger)
    assert list(ledger.entries()) == []


def test_a_file_without_a_line_for_the_seal_gets_one(tmp_path: Path, ledger: Ledger) -> None:
    path = filled_in(tmp_path / "a.toml")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("seal")))
    sign_off(path, ledger).must_allow(MODEL, CARD, "early-support", DAY)


@pytest.mark.parametrize(
    ("approval", "day", "code", "says"),
    [
        (sealed(decision="refused"), DAY, "approval-refused", "Wait for the board"),
        (sealed(decision="withdrawn"), DAY, "approval-withdrawn", "Wait for the board"),
        (sealed(purpose="enforcement"), DAY, "approval-other-purpose", "decide on this purpose"),
        (sealed(model="c" * 64), DAY, "approval-other-model", "Score with the approved model"),
        (sealed(card="c" * 64), DAY, "approval-other-card", "Use the card the board saw"),
        (sealed(), dt.date(2026, 3, 31), "approval-not-yet-valid", "Wait until 2026-04-01"),
        (sealed(), dt.date(2027, 4, 1), "approval-expired", "Ask the board to renew"),
        (Approval.from_mapping(GIVEN), DAY, "approval-not-signed-off", "sign-off"),
    ],
)
def test_every_refusal_says_what_to_do(approval: Approval, day: dt.date, code: str, says: str) -> None:
    with pytest.raises(NotPermitted) as refused:
        approval.must_allow(MODEL, CARD, "early-support", day)
    assert refused.value.code == code
    assert says in refused.value.repair
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 4


def test_it_holds_from_its_first_day_to_the_day_before_its_end() -> None:
    for day in (dt.date(2026, 4, 1), dt.date(2027, 3, 31)):
        sealed().must_allow(MODEL, CARD, "early-support", day)


def test_no_approval_at_all() -> None:
    assert approval_missing().code == "approval-missing"


def test_attack_a_word_changed_after_signing_off(tmp_path: Path, ledger: Ledger) -> None:
    path = filled_in(tmp_path / "a.toml")
    sign_off(path, ledger)
    path.write_text(path.read_text().replace("valid_until = 2027-04-01", "valid_until = 2037-04-01"))
    with pytest.raises(NotPermitted, match="approval-altered"):
        Approval.load(path).must_allow(MODEL, CARD, "early-support", DAY)


def test_attack_a_forged_seal_is_not_in_the_ledger(tmp_path: Path, ledger: Ledger) -> None:
    path = filled_in(tmp_path / "a.toml")
    signed = sign_off(path, ledger)
    changed = replace(signed, valid_until=dt.date(2037, 4, 1))
    forged = replace(changed, seal=changed.fingerprint)
    forged.must_allow(MODEL, CARD, "early-support", DAY)  # the seal fits what it says
    with pytest.raises(NotPermitted, match="approval-not-recorded"):
        forged.must_be_recorded(ledger)


def test_attack_an_approval_that_was_withdrawn_since(tmp_path: Path, ledger: Ledger) -> None:
    path = filled_in(tmp_path / "a.toml")
    signed = sign_off(path, ledger)
    path.write_text(path.read_text().replace('decision = "approved"', 'decision = "withdrawn"'))
    sign_off(path, ledger)
    with pytest.raises(NotPermitted, match="approval-superseded"):
        signed.must_be_recorded(ledger)
    assert verify(ledger.path).holds


def test_another_purposes_decision_supersedes_nothing(tmp_path: Path, ledger: Ledger) -> None:
    signed = sign_off(filled_in(tmp_path / "a.toml"), ledger)
    other = filled_in(tmp_path / "b.toml")
    other.write_text(other.read_text().replace('"early-support"', '"other-purpose"'))
    sign_off(other, ledger)
    signed.must_be_recorded(ledger)


def test_all_faults_are_said_at_once() -> None:
    given = {
        **GIVEN,
        "model": "short",
        "decision": "yes",
        "decided_by": "the chair",
        "decided_on": "2026-03-12",
        "condition": "none",
        "limits": {"people_per_list": 0, "people": 3},
    }
    with pytest.raises(DeclarationError) as refused:
        Approval.from_mapping(given)
    assert [fault.where for fault in refused.value.faults] == [
        "approval.condition",
        "approval.model",
        "approval.decision",
        "approval.decided_by",
        "approval.decided_on",
        "approval.limits.people",
        "approval.limits.people_per_list",
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"decided_by": []}, "approval.decided_by"),
        ({"conditions": " "}, "approval.conditions"),
        ({"valid_until": None}, "approval.valid_until"),
        ({"valid_from": dt.date(2026, 3, 11)}, "approval.valid_from"),
        ({"valid_until": dt.date(2026, 4, 1)}, "approval.valid_until"),
        ({"limits": 3}, "approval.limits"),
        ({"limits": {"oldest_data_days": True}}, "approval.limits.oldest_data_days"),
        ({"decision": "refused", "decided_on": None}, "approval.decided_on"),
    ],
)
def test_each_fault_alone(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Approval.from_mapping({**GIVEN, **change})
    assert [fault.where for fault in refused.value.faults] == [fault]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="approval-file-missing"):
        Approval.load(tmp_path / "none.toml")
