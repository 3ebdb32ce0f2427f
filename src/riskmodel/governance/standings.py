"""How far a card has come: draft, reviewed, approved, in use, retired. Worked out from the ledger and nothing else.

What counts is what was written down, in its order: that the card was put before the board, what the board decided,
that it was taken into use. Whoever asks on a day also learns whether an approval has ended by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from riskmodel.governance.entries import Entry

BOARD = "board"
"""The action of the entries that the board's application writes beside decisions; their fact ``step`` says which."""
SUBMITTED, INTO_USE = "submitted", "into-use"
State = Literal["draft", "reviewed", "approved", "in_use", "retired"]
STATES: tuple[State, ...] = ("draft", "reviewed", "approved", "in_use", "retired")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one card stands.

    Attributes
    ----------
    state : one of `STATES`; "reviewed" is before the board
    decision : str, the newest decision on it ("approved", "refused", "deferred", "withdrawn", "replaced"), or empty
    approval : str, the fingerprint of the newest decision, or empty
    since : str, when the state began (UTC, ISO 8601), or empty
    valid_from, valid_until : date or None, of an approval
    """

    state: State = "draft"
    decision: str = ""
    approval: str = ""
    since: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None

    @property
    def allowed(self) -> bool:
        """Whether the newest decision is an approval, in force or not."""
        return self.state in ("approved", "in_use")

    def ended(self, today: dt.date) -> bool:
        """Whether it was approved and the approval has run out by the day."""
        return self.allowed and self.valid_until is not None and today >= self.valid_until

    def in_force(self, today: dt.date) -> bool:
        """Whether an approval holds on the day."""
        begun = self.valid_from is None or self.valid_from <= today
        return self.allowed and begun and not self.ended(today)


def standings(entries: Iterable[Entry]) -> dict[str, Standing]:
    """Where each card stands, by its fingerprint; a card that is not in it is a draft.

    A later decision on the same model and purpose under another card replaces the approval of an earlier card.

    Parameters
    ----------
    entries : of a ledger, in their order; those of other actions are passed over
    """
    found: dict[str, Standing] = {}
    decided_under: dict[tuple[object, object], str] = {}
    for entry in entries:
        follow(entry, found, decided_under)
    return found


def follow(entry: Entry, found: dict[str, Standing], decided_under: dict[tuple[object, object], str]) -> None:
    """Take one more entry into account.

    Parameters
    ----------
    entry : Entry
    found : where each card stood before; changed in place
    decided_under : the card of the newest decision on each model and purpose; changed in place
    """
    if entry.action not in (BOARD, "approval"):
        return
    facts = entry.facts
    card = str(facts.get("card"))
    before = found.get(card, Standing())
    if entry.action == BOARD:
        state: State | None = _STEPS.get(str(facts.get("step")))
        moves = {"reviewed": not before.allowed, "in_use": before.state == "approved"}
        if state is not None and moves[state]:
            found[card] = replace(before, state=state, since=entry.at)
        return
    about = (facts.get("model"), facts.get("purpose"))
    earlier = decided_under.get(about)
    if earlier not in (None, card) and found[str(earlier)].allowed:
        found[str(earlier)] = replace(found[str(earlier)], state="retired", decision="replaced", since=entry.at)
    decided_under[about] = card
    decision = str(facts.get("decision"))
    found[card] = Standing(
        state="in_use" if decision == "approved" and before.state == "in_use" else _DECIDED.get(decision, "draft"),
        decision=decision,
        approval=str(facts.get("approval")),
        since=entry.at,
        valid_from=_date(facts.get("valid_from")),
        valid_until=_date(facts.get("valid_until")),
    )


_STEPS: dict[str, State] = {SUBMITTED: "reviewed", INTO_USE: "in_use"}
_DECIDED: dict[str, State] = {"approved": "approved", "withdrawn": "retired"}


def _date(fact: object) -> dt.date | None:
    return dt.date.fromisoformat(fact) if isinstance(fact, str) else None
