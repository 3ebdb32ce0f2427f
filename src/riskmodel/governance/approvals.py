"""What the board said: an approval is for one model, one card and one purpose, for a time, decided by named roles.

The board fills in a small TOML file. `sign_off` then seals it (a hash over all it says) and writes the seal into the
ledger, so a word changed afterwards is seen: the seal no longer fits, and a new seal is not in the ledger. Nothing
here decides; without an approval in force nothing is scored. Roles are written down, not people's names.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, EvidenceError, Fault, NotPermitted
from riskmodel.governance.declarations import read_declaration, text_faults, unknown_key_faults
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.limits import Limits, limit_faults
from riskmodel.governance.purposes import Purpose
from riskmodel.tables import fingerprint_document

DECISIONS = ("pending", "approved", "refused", "deferred", "withdrawn")
_DATES = ("decided_on", "valid_from", "valid_until")
_KEYS = ("model", "card", "purpose", "decision", "decided_by", *_DATES, "conditions", "limits", "seal")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SEAL_LINE = re.compile(r"^seal[ \t]*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Approval:
    """A recorded decision of the board.

    Parameters
    ----------
    model, card : str, the fingerprints of what was decided on
    purpose : str, the name of the purpose
    decision : str, "approved", "refused", "deferred", "withdrawn", or "pending" while nobody has decided
    decided_by : tuple of roles, such as "chair of the ethics committee"
    decided_on, valid_from, valid_until : date; valid_until is the first day on which it no longer holds
    conditions : str, in the board's words
    limits : Limits, the conditions that a machine checks
    seal : str, the fingerprint at signing off; empty before
    """

    model: str
    card: str
    purpose: str
    decision: str = "pending"
    decided_by: tuple[str, ...] = ()
    decided_on: dt.date | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    conditions: str = ""
    limits: Limits = field(default_factory=Limits)
    seal: str = ""

    def __post_init__(self) -> None:
        if faults := _faults({name: getattr(self, name) for name in _KEYS if name != "limits"}):
            raise DeclarationError("approval-invalid", faults=faults)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Approval:
        """An approval from a TOML table with the same names; all faults at once."""
        limits = given.get("limits", {})
        faults = [*unknown_key_faults("approval", given, _KEYS), *_faults(given), *limit_faults(limits)]
        if faults:
            raise DeclarationError("approval-invalid", faults=faults)
        values = {**given, "decided_by": tuple(given.get("decided_by", ())), "limits": Limits.from_mapping(limits)}
        return cls(**values)

    @classmethod
    def load(cls, path: str | Path) -> Approval:
        """An approval from a TOML file, at the top or under ``[approval]``."""
        given = read_declaration(path, "approval")
        return cls.from_mapping(given.get("approval", given))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything it says, the seal left out."""
        return fingerprint_document(self.document())

    def document(self) -> dict[str, Any]:
        """What it says as JSON-able values, without the seal."""
        return {
            "model": self.model,
            "card": self.card,
            "purpose": self.purpose,
            "decision": self.decision,
            "decided_by": list(self.decided_by),
            **{name: _iso(getattr(self, name)) for name in _DATES},
            "conditions": self.conditions,
            "limits": self.limits.document(),
        }

    def must_allow(self, model_fingerprint: str, card_fingerprint: str, purpose: str | Purpose, on: dt.date) -> None:
        """Refuse unless this approval, as signed off, covers exactly this model, card and purpose on the day.

        Raises
        ------
        NotPermitted : with one sentence that says what to do
        """
        self._must_be_approved()
        wanted = purpose.name if isinstance(purpose, Purpose) else purpose
        if self.purpose != wanted:
            raise _refused(
                "approval-other-purpose",
                f"an approval for the purpose {self.purpose!r}",
                f"one for the purpose {wanted!r}",
                "Ask the board to decide on this purpose.",
            )
        if self.model != model_fingerprint:
            raise _refused(
                "approval-other-model",
                f"an approval for model {self.model[:12]}",
                f"one for model {model_fingerprint[:12]}",
                "Score with the approved model, or put this model's card before the board.",
            )
        if self.card != card_fingerprint:
            raise _refused(
                "approval-other-card",
                f"an approval given on card {self.card[:12]}",
                f"one given on card {card_fingerprint[:12]}",
                "Use the card the board saw, or put this card before the board.",
            )
        self._must_be_in_force(on)

    def must_be_recorded(self, ledger: Ledger) -> None:
        """Refuse an approval whose signing off is not in the ledger, or was followed by another decision there."""
        held = [entry.facts for entry in ledger.entries(self.model) if entry.action == "approval"]
        about = [facts for facts in held if facts.get("model") == self.model and facts.get("purpose") == self.purpose]
        if not any(facts.get("approval") == self.fingerprint for facts in about):
            raise _refused(
                "approval-not-recorded",
                "an approval that was never written into this ledger",
                "the board's decision on record",
                "Have it signed off into this ledger: riskmodel approval sign-off.",
            )
        if about[-1].get("approval") != self.fingerprint:
            raise _refused(
                "approval-superseded",
                f"an approval that a later decision ({about[-1].get('decision')}) replaced",
                "the board's newest decision on this model and purpose",
                "Use the approval file of the newest decision.",
            )

    def _must_be_approved(self) -> None:
        if self.decision != "approved":
            raise _refused(
                f"approval-{self.decision}",
                f"an approval whose decision is {self.decision!r}",
                "the decision 'approved'",
                "Wait for the board's decision and use the file it signed off.",
            )
        if not self.seal:
            raise _refused(
                "approval-not-signed-off",
                "an approval that was filled in and not signed off",
                "an approval with its seal",
                "Have it signed off: riskmodel approval sign-off.",
            )
        if self.seal != self.fingerprint:
            raise _refused(
                "approval-altered",
                "an approval that was changed after it was signed off",
                "the text the board signed off",
                "Put the signed text back, or ask the board to sign off the change.",
            )

    def _must_be_in_force(self, on: dt.date) -> None:
        start, end = self.valid_from, self.valid_until
        if start is not None and on < start:
            raise _refused(
                "approval-not-yet-valid", f"an approval that begins on {start}", "one in force", f"Wait until {start}."
            )
        if end is not None and on >= end:
            raise _refused(
                "approval-expired", f"an approval that ended on {end}", "one in force", "Ask the board to renew it."
            )


def approval_missing() -> NotPermitted:
    """The refusal when there is no approval at all."""
    return _refused(
        "approval-missing",
        "no approval",
        "the board's approval of this model and card for this purpose",
        "Put the model card before the board and give the approval file it signs off.",
    )


def draft_approval(path: str | Path, model_fingerprint: str, card_fingerprint: str, purpose: str | Purpose) -> Path:
    """Write an approval for the board to fill in, its decision "pending"; never over a file that is there."""
    path = Path(path)
    if path.exists():
        raise DeclarationError.of(
            "approval-exists",
            where=path.name,
            found="an approval that is already there",
            expected="a new file",
            repair="Move that file to another place first: what a board has written is not overwritten.",
        )
    name = purpose.name if isinstance(purpose, Purpose) else purpose
    held = {"model": model_fingerprint, "card": card_fingerprint, "purpose": name}
    Approval.from_mapping(held)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEMPLATE.format(**{key: json.dumps(value) for key, value in held.items()}), encoding="utf-8")
    return path


def sign_off(path: str | Path, ledger: Ledger) -> Approval:
    """Seal an approval that the board has filled in, and write its seal into the ledger.

    Signing off a changed file is a new decision: it is written down as one, and replaces the one before.

    Raises
    ------
    DeclarationError : it is incomplete, or its decision is still pending
    """
    path = Path(path)
    approval = Approval.load(path)
    if approval.decision == "pending":
        raise DeclarationError.of(
            "approval-pending",
            where=path.name,
            found="the decision 'pending'",
            expected=f"one of {', '.join(DECISIONS[1:])}",
            repair="Fill in the decision, who took it and when.",
        )
    text = path.read_text(encoding="utf-8")
    line = f'seal = "{approval.fingerprint}"'
    sealed = _SEAL_LINE.sub(line, text, count=1) if _SEAL_LINE.search(text) else f"{line}\n{text}"
    aside = path.with_name(f".{path.name}.signing")
    aside.write_text(sealed, encoding="utf-8")
    signed = Approval.load(aside)
    if signed.seal != approval.fingerprint or signed.fingerprint != approval.fingerprint:
        aside.unlink()
        raise EvidenceError(
            "approval-not-sealed",
            found="an approval file into which the seal could not be written",
            expected='a line `seal = ""` at the top of the file, before any [table]',
            repair="Put that line at the top and sign off again.",
        )
    write_down(approval, ledger)
    os.replace(aside, path)
    return signed


def write_down(approval: Approval, ledger: Ledger) -> str:
    """Write a decision that was signed off into the ledger; returns the hash of its entry."""
    return ledger.append(
        "approval",
        approval=approval.fingerprint,
        decision=approval.decision,
        model=approval.model,
        card=approval.card,
        purpose=approval.purpose,
        valid_from=_iso(approval.valid_from),
        valid_until=_iso(approval.valid_until),
        roles=len(approval.decided_by),
    )


_TEMPLATE = """\
# A decision of the board. Fill it in; then have it signed off, which seals what it says.
model = {model}
card = {card}
purpose = {purpose}

decision = "pending"      # approved, refused, deferred or withdrawn
decided_by = []           # roles, at least one: ["chair of the ethics committee", "data protection officer"]
# decided_on = 2026-03-12   # remove the first sign on these three lines and write the dates
# valid_from = 2026-04-01
# valid_until = 2027-04-01  # the first day on which it no longer holds
conditions = ""           # in the board's words; write "none" if there are none
seal = ""                 # written at signing off; leave it empty

[limits]                  # conditions that are checked before every list; remove the first sign to set one
# people_per_list = 200     # the most people one list may hold
# working_capacity = 40     # how many people the team can take on from one list
# oldest_data_days = 60     # how far an agency's data may end before the as-of date
# score_valid_days = 90     # how long after its as-of date a score may be looked at
# reviewed_percent = 80     # how many of 100 people on the earlier lists must have been reviewed before the next list
# areas = ["E02001"]        # only people who live in one of these areas
"""


def _faults(given: Mapping[str, Any]) -> list[Fault]:
    faults = text_faults("approval", given, ("model", "card", "purpose"))
    for name in ("model", "card"):
        value = given.get(name)
        if isinstance(value, str) and value.strip() and not _FINGERPRINT.fullmatch(value):
            faults.append(_fault(name, "a text that is no fingerprint", "64 hexadecimal digits", "Copy it whole."))
    decision = given.get("decision", "pending")
    if decision not in DECISIONS:
        faults.append(_fault("decision", repr(decision), f"one of {', '.join(DECISIONS)}", "Correct the word."))
    if not isinstance(given.get("seal", ""), str):
        faults.append(_fault("seal", "a value that is no text", "the seal", "Sign off again."))
    return faults + _role_faults(given, decision) + _date_faults(given, decision) + _condition_faults(given, decision)


def _role_faults(given: Mapping[str, Any], decision: object) -> list[Fault]:
    roles = given.get("decided_by", ())
    if not isinstance(roles, list | tuple) or not all(isinstance(role, str) and role.strip() for role in roles):
        return [_fault("decided_by", "a value that is no list of roles", "roles in quotation marks", "Write a list.")]
    if decision != "pending" and not roles:
        return [_fault("decided_by", "nobody", "at least one role", "Write the roles of those who decided.")]
    return []


def _condition_faults(given: Mapping[str, Any], decision: object) -> list[Fault]:
    text = given.get("conditions", "")
    if not isinstance(text, str):
        return [_fault("conditions", "a value that is no text", "a text", "Put it in quotation marks.")]
    if decision == "approved" and not text.strip():
        return [_fault("conditions", "nothing", "the board's conditions", 'Write them, or "none" if there are none.')]
    return []


def _date_faults(given: Mapping[str, Any], decision: object) -> list[Fault]:
    dates = {name: given.get(name) for name in _DATES}
    wanted = {"pending": (), "approved": _DATES}.get(str(decision), ("decided_on",))
    faults = [
        _fault(name, "a value that is no date", "a date without quotation marks, such as 2026-03-12", "Correct it.")
        for name, value in dates.items()
        if value is not None and (not isinstance(value, dt.date) or isinstance(value, dt.datetime))
    ]
    faults += [_fault(name, "nothing", "a date", f"Write {name}.") for name in wanted if dates[name] is None]
    if faults or decision != "approved":
        return faults
    return _order_faults(given["decided_on"], given["valid_from"], given["valid_until"])


def _order_faults(decided: dt.date, start: dt.date, end: dt.date) -> list[Fault]:
    faults = []
    if start < decided:
        faults.append(_fault("valid_from", f"{start}", f"{decided} or later", "An approval cannot begin before it."))
    if end <= start:
        faults.append(_fault("valid_until", f"{end}", f"a day after {start}", "Correct the dates."))
    return faults


def _fault(name: str, found: str, expected: str, repair: str) -> Fault:
    return Fault(f"approval.{name}", found, expected, repair)


def _iso(date: dt.date | None) -> str | None:
    return None if date is None else date.isoformat()


def _refused(code: str, found: str, expected: str, repair: str) -> NotPermitted:
    return NotPermitted(code, found=found, expected=expected, repair=repair)
