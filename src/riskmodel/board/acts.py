"""What people do in the reading room, and who may: submit, ask, answer, propose, vote, take into use, withdraw.

An act is on one card, named by the fingerprint that was on the page, and is written down with the role that did it. A
decision is made by the vote that fills the quorum, in the same breath; it is an approval like any other, sealed and in
the ledger, and the registry's aliases follow it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from riskmodel.board.accounts import Account
from riskmodel.board.motions import CHOICES, Motion, motions, must_mean_something
from riskmodel.board.records import Kind, Record
from riskmodel.board.room import Board
from riskmodel.board.shelf import Item, Shelf
from riskmodel.cards.states import must_be_ready
from riskmodel.errors import DeclarationError, Fault, NotFound, NotPermitted, RiskmodelError
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decide
from riskmodel.governance.limits import Limits, limit_faults
from riskmodel.governance.standings import State
from riskmodel.tracking.cards import MODEL, PURPOSE

MAY: Final[Mapping[str, tuple[str, ...]]] = {
    "submit": ("clerk",),
    "ask": ("member", "chair"),
    "answer": ("data scientist",),
    "propose": ("member", "chair"),
    "vote": ("member", "chair"),
    "use": ("chair", "clerk"),
    "withdraw": ("chair",),
}
"""Which roles may do what; everybody of the board may read."""
LONGEST_TEXT = 4000
LEAST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody with a card before them.

    Attributes
    ----------
    account : Account
    board : Board
    shelf : Shelf
    item : Item, the version
    """

    account: Account
    board: Board
    shelf: Shelf
    item: Item

    def may(self, act: str) -> bool:
        """Whether the role allows it."""
        return self.account.role in MAY[act]

    def must(self, act: str) -> None:
        """Refuse a role that may not.

        Raises
        ------
        NotPermitted : with the roles that may
        """
        if not self.may(act):
            raise NotPermitted(
                "role-may-not",
                found=f"the role {self.account.role!r}",
                expected=" or ".join(MAY[act]),
                repair="Ask somebody with that role.",
            )

    def must_be_ready(self, state: State, today: dt.date) -> None:
        """Refuse a card that lacks what the state asks for, or whose content does not hold together.

        Raises
        ------
        EvidenceError : with everything that holds it back; also a card that is not as it was recorded
        """
        must_be_ready(self.shelf.card(self.item.version), state, today)

    @property
    def card(self) -> str:
        """The fingerprint of the card."""
        return self.item.version.card

    def write(self, kind: Kind, **holds: Any) -> Record:
        """Write a record about this card; only inside `records.writing`."""
        version = self.item.version
        facts: dict[str, str | int] = {"model": version.tags.get(MODEL, ""), "version": version.number}
        return self.shelf.records.add(kind, self.card, self.account.name, self.account.role, facts, **holds)


def submit(desk: Desk, note: str) -> Record:
    """Put a card before the board.

    Raises
    ------
    DeclarationError : it is before the board already, or approved
    EvidenceError : the card has questions that a person must still answer
    """
    desk.must("submit")
    text = said(note, "note")
    desk.must_be_ready("reviewed", dt.datetime.now(dt.UTC).date())
    with desk.shelf.records.writing():
        state = desk.shelf.followed.now().standing(desk.card).state
        if state not in ("draft", "retired"):
            raise _out_of_turn(f"a card that is {state.replace('_', ' ')}", "a card that is not before the board")
        made = desk.write("submitted", note=text)
    _follow(desk)
    return made


def ask(desk: Desk, section: str, question: str) -> Record:
    """Ask about one section of the card."""
    desk.must("ask")
    text = said(question, "question")
    names = [part["name"] for part in desk.shelf.card(desk.item.version)["sections"]]
    if section not in names:
        raise _fault("section", "a section the card has not", f"one of {', '.join(names)}")
    with desk.shelf.records.writing():
        return desk.write("asked", section=section, text=text)


def answer(desk: Desk, question: str, words: str) -> Record:
    """Answer a question; several answers may be given, none is taken back."""
    desk.must("answer")
    text = said(words, "answer")
    with desk.shelf.records.writing():
        if question not in {record.id for record in desk.shelf.records.about(desk.card) if record.kind == "asked"}:
            raise _fault("question", "a question nobody asked", "one of the questions on this card")
        return desk.write("answered", question=question, text=text)


def propose(
    desk: Desk,
    choice: str,
    reason: str,
    *,
    conditions: str = "",
    limits: Mapping[str, Any] | None = None,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
    today: dt.date,
) -> Approval | None:
    """Propose a decision and vote for it; returns the decision when that fills the quorum.

    Parameters
    ----------
    choice : one of `CHOICES`
    reason : str, in the proposer's words
    conditions : str, in the board's words
    limits : what a machine is to check (`riskmodel.governance.limits`)
    valid_from, valid_until : of an approval

    Raises
    ------
    DeclarationError : it is no decision that could be recorded; all faults at once
    """
    desk.must("propose")
    given = dict(limits or {})
    if given and desk.item.is_evaluation:
        raise _fault("conditions", "a condition on lists of people", "none, since an evaluation makes no list")
    if faults := limit_faults(given):
        raise DeclarationError("motion-invalid", faults=faults)
    holds: dict[str, Any] = {
        "choice": choice,
        "reason": said(reason, "reason"),
        "conditions": conditions.strip(),
        "limits": Limits.from_mapping(given).document(),
        "valid_from": valid_from.isoformat() if valid_from else None,
        "valid_until": valid_until.isoformat() if valid_until else None,
    }
    must_mean_something(holds, today)
    with desk.shelf.records.writing():
        stands = desk.shelf.followed.now().standing(desk.card)
        if stands.state in ("draft", "retired"):
            raise _out_of_turn("a card that is not before the board", "a card that was submitted")
        record = desk.write("proposed", **holds)
        return _vote(desk, record.id, holds["reason"], today, in_favour=True)


def vote(desk: Desk, motion: str, reason: str, *, in_favour: bool, today: dt.date) -> Approval | None:
    """Vote on a proposal, once; returns the decision when the vote fills the quorum."""
    desk.must("vote")
    text = said(reason, "reason")
    with desk.shelf.records.writing():
        return _vote(desk, motion, text, today, in_favour=in_favour)


def take_into_use(desk: Desk, today: dt.date) -> Record:
    """Write down that an approved model is now used."""
    desk.must("use")
    if desk.item.is_evaluation:
        raise _out_of_turn("an evaluation, which nobody can use", "a model")
    with desk.shelf.records.writing():
        stands = desk.shelf.followed.now().standing(desk.card)
        if stands.state != "approved" or not stands.in_force(today):
            raise _out_of_turn("a card without an approval in force, or in use already", "an approval in force")
        desk.must_be_ready("in_use", today)
        made = desk.write("into-use", approval=stands.approval)
    _follow(desk)
    return made


def withdraw(desk: Desk, reason: str, today: dt.date) -> Approval:
    """End an approval at once: from the ledger's entry on, nobody is scored under it."""
    desk.must("withdraw")
    text = said(reason, "reason")
    with desk.shelf.records.writing():
        if not desk.shelf.followed.now().standing(desk.card).allowed:
            raise _out_of_turn("a card that is not approved", "an approval to withdraw")
        made = _decide(desk, "withdrawn", (desk.account.role,), today)
        desk.write("decided", approval=made.fingerprint, decision="withdrawn", reason=text)
    _follow(desk)
    return made


def said(text: str, name: str) -> str:
    """What somebody wrote, without signs that cannot be seen; refuses too little and too much."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    clean = "\n".join("".join(sign for sign in line if sign.isprintable()).rstrip() for line in lines).strip()
    if len(clean.split()) < LEAST_WORDS:
        raise _fault(name, f"{len(clean.split())} words", f"at least {LEAST_WORDS} words")
    if len(clean) > LONGEST_TEXT:
        raise _fault(name, f"{len(clean):,} characters", f"at most {LONGEST_TEXT:,}")
    return clean


def _vote(desk: Desk, motion: str, reason: str, today: dt.date, *, in_favour: bool) -> Approval | None:
    """One vote, and the decision if it fills the quorum."""
    open_now = {each.id: each for each in motions(desk.shelf, desk.card) if each.open}
    if motion not in open_now:
        raise _out_of_turn("a proposal that is decided or was never made", "a proposal still open")
    held = open_now[motion]
    if desk.account.name in held.voters:
        raise _out_of_turn("a second vote of the same account", "one vote each")
    roles = (*(vote.role for vote in held.in_favour), *([desk.account.role] if in_favour else []))
    decided = in_favour and desk.board.decides(roles)
    if decided:
        must_mean_something(held.holds, today)  # the days may have passed while votes came in
        if CHOICES[held.choice] == "approved":
            desk.must_be_ready("approved", today)
    desk.write("voted", motion=motion, in_favour=in_favour, reason=reason)
    if not decided:
        return None
    made = _decide(desk, CHOICES[held.choice], tuple(sorted(roles)), today, held)
    desk.write("decided", motion=motion, approval=made.fingerprint, decision=made.decision)
    _follow(desk)
    return made


def _decide(
    desk: Desk, decision: str, roles: tuple[str, ...], today: dt.date, motion: Motion | None = None
) -> Approval:
    version = desk.item.version
    dates: dict[str, Any] = {}
    if motion is not None and decision == "approved":
        start = max(dt.date.fromisoformat(motion.holds["valid_from"]), today)
        dates = {"valid_from": start, "valid_until": dt.date.fromisoformat(motion.holds["valid_until"])}
    approval = Approval(
        model=version.tags[MODEL],
        card=version.card,
        purpose=version.tags[PURPOSE],
        decision=decision,
        decided_by=roles,
        decided_on=today,
        conditions=motion.conditions if motion else "none",
        limits=Limits.from_mapping(motion.holds["limits"]) if motion else Limits(),
        **dates,
    )
    return decide(approval, desk.shelf.store, desk.shelf.followed.ledger)


def _follow(desk: Desk) -> None:
    """Let the registry's aliases follow; one that does not answer now follows at the next act or start."""
    try:
        followed, today = desk.shelf.followed.now(), dt.datetime.now(dt.UTC).date()
        desk.shelf.registry.follow(desk.item.version.name, followed.ledger, today, followed.stands)
    except NotFound:
        return


def _fault(part: str, found: str, expected: str) -> DeclarationError:
    return DeclarationError("form-invalid", faults=[Fault(part, found, expected, f"Correct the {part}.")])


def _out_of_turn(found: str, expected: str) -> RiskmodelError:
    return NotPermitted("out-of-turn", found=found, expected=expected, repair="Look at the page again: it has changed.")
