"""Proposals before the board and the votes on them, read from the records.

A proposal is open until any decision on its card comes after it: a decision makes every other proposal on that card
fall. It says the whole decision beforehand: the choice, the conditions, and from when until when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from riskmodel.board.records import Record
from riskmodel.board.shelf import Shelf
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.limits import Limits

CHOICES: Final[Mapping[str, str]] = {
    "approve": "approved",
    "approve-with-conditions": "approved",
    "reject": "refused",
    "ask-for-more": "deferred",
}
"""What may be proposed, and the decision it becomes."""
CHOICE_WORDS: Final[Mapping[str, str]] = {
    "approve": "Approve",
    "approve-with-conditions": "Approve with conditions",
    "reject": "Reject",
    "ask-for-more": "Ask for more",
}
EVALUATION_WORDS: Final[Mapping[str, str]] = {
    **CHOICE_WORDS,
    "approve": "Accept for publication",
    "approve-with-conditions": "Accept for publication with conditions",
}
"""The same choices on an evaluation of a policy, which has nothing to be used."""
LONGEST = 3 * 366
"""Days: nobody approves anything for longer."""


@dataclass(frozen=True, slots=True)
class Motion:
    """One proposal.

    Attributes
    ----------
    record : Record, as proposed
    votes : tuple of Record
    open : bool
    """

    record: Record
    votes: tuple[Record, ...]
    open: bool

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def holds(self) -> Mapping[str, Any]:
        """What is proposed."""
        return self.record.holds

    @property
    def choice(self) -> str:
        """One of `CHOICES`."""
        return str(self.holds["choice"])

    @property
    def conditions(self) -> str:
        """The conditions in words; those a machine checks say themselves."""
        own = str(self.holds["conditions"])
        return own or " ".join(Limits.from_mapping(self.holds["limits"]).sentences) or "none"

    @property
    def checked(self) -> tuple[str, ...]:
        """The conditions that a machine checks, in words."""
        return Limits.from_mapping(self.holds["limits"]).sentences

    @property
    def in_favour(self) -> tuple[Record, ...]:
        """The votes in favour."""
        return tuple(vote for vote in self.votes if vote.holds["in_favour"])

    @property
    def voters(self) -> frozenset[str]:
        """Who has voted."""
        return frozenset(vote.by for vote in self.votes)


def motions(shelf: Shelf, card: str) -> list[Motion]:
    """Every proposal on a card, in the order made."""
    records = shelf.records.about(card)
    order = shelf.followed.now().about(card)
    decisions = [entry.number for entry in order if entry.action == "approval"]
    last = max(decisions, default=0)
    number = {str(entry.facts.get("record")): entry.number for entry in order}
    made = []
    for record in records:
        if record.kind == "proposed":
            votes = tuple(each for each in records if each.kind == "voted" and each.holds["motion"] == record.id)
            made.append(Motion(record, votes, number[record.trace] > last))
    return made


def must_mean_something(holds: Mapping[str, Any], today: dt.date) -> None:
    """Refuse a proposal that could not be recorded as a decision.

    Raises
    ------
    DeclarationError : all faults at once
    """
    faults = []
    if holds["choice"] not in CHOICES:
        faults.append(Fault("choice", "nothing chosen", f"one of {', '.join(CHOICES)}", "Choose one."))
    conditioned = bool(holds["conditions"] or holds["limits"])
    if holds["choice"] == "approve" and conditioned:
        wanted = "no conditions, or the choice “approve with conditions”"
        faults.append(Fault("conditions", "conditions on an approval without them", wanted, "Choose one of the two."))
    if holds["choice"] == "approve-with-conditions" and not conditioned:
        faults.append(Fault("conditions", "none", "at least one condition", "Write it, or fill in one to be checked."))
    if CHOICES.get(holds["choice"]) == "approved":
        faults += _day_faults(holds["valid_from"], holds["valid_until"], today)
    if faults:
        raise DeclarationError("motion-invalid", faults=faults)


def _day_faults(start: str | None, end: str | None, today: dt.date) -> list[Fault]:
    if start is None or end is None:
        return [Fault("valid until", "no day", "from when until when it holds", "Fill in both days.")]
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    if last <= max(first, today):
        return [Fault("valid until", f"{last}", f"a day after {max(first, today)}", "Choose a later day.")]
    if (last - today).days > LONGEST:
        return [Fault("valid until", f"{last}", "at most three years from now", "Choose an earlier day.")]
    return []
