"""What a card must hold before it may go on: draft, reviewed, approved, in use, retired.

The state itself is in the ledger (`riskmodel.governance.standings`); a card never claims one. Here stands which texts
people must have written by then, and what else keeps a card back: a day that has passed, figures that contradict each
other or give few people away, a limit that was taken out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodel.cards.contents import content_faults
from riskmodel.cards.evaluation import KIND as EVALUATION
from riskmodel.cards.text import REQUIRED, is_empty
from riskmodel.cards.words import listed, plain
from riskmodel.errors import EvidenceError
from riskmodel.governance.standings import STATES, State

NEEDS: Mapping[State, Mapping[str, str]] = {
    "draft": REQUIRED,
    "reviewed": {
        "legal": "the legal regime, source by source",
        "fairness_choice": "which measure of fairness comes first, who chose it, and why",
        "triggers": "what sends it back to the board",
        "participation": "who of the people concerned was asked, when, and what was done with it",
        "children": "how children are dealt with (a card of their own, or left out)",
    },
    "approved": {
        "equality": "due regard to each protected characteristic, with its day",
        "impact_assessment": "the data protection impact assessment: name, day, and where it is",
    },
    "in_use": {
        "training": "who is trained to use it, and in what",
        "oversight": "how it is measured that people look, and disagree",
        "incidents": "where harm and mistakes are reported, and who answers",
    },
    "retired": {},
}
"""The texts that each state asks for, beyond those of the states before it, and what each answers."""


def lacking(document: Mapping[str, Any], state: State) -> dict[str, str]:
    """The texts that the card still lacks for a state, and what each has to answer.

    Evaluation cards have texts of their own, all of them asked for when they are drafted. The draft card of a run made
    elsewhere may leave questions open, as long as it says which.
    """
    if document.get("kind") == EVALUATION:
        return {}
    text = document["text"]
    asked = {name: what for step in STATES[: STATES.index(state) + 1] for name, what in NEEDS[step].items()}
    left_open = {"children"} if _grown_up(document) else set()
    if state == "draft":
        left_open |= set(document.get("unanswered", ()))
    return {
        name: what
        for name, what in asked.items()
        if name not in left_open and (not text.get(name) or is_empty(text[name]))
    }


def holds_back(document: Mapping[str, Any], state: State, today: dt.date) -> Iterator[str]:
    """Everything that keeps a card from a state, in words."""
    for name, what in lacking(document, state).items():
        yield f"nothing written for {name} ({what})"
    if state != "draft" and (still := document.get("unanswered")):
        yield f"a person must still answer {listed([plain(name) for name in still])}"
    yield from content_faults(document)
    if state in ("draft", "retired"):
        return
    for day, what in (
        (document["text"].get("review_by"), "to be looked at again"),
        (_expires(document), "its purpose ends"),
    ):
        if day is not None and dt.date.fromisoformat(str(day)[:10]) <= today:
            yield f"{what} by {str(day)[:10]}, and today is {today}"


def must_be_ready(document: Mapping[str, Any], state: State, today: dt.date) -> None:
    """Refuse a card that may not go into a state.

    Raises
    ------
    EvidenceError : with everything that holds it back
    """
    faults = list(dict.fromkeys(holds_back(document, state, today)))
    if faults:
        raise EvidenceError(
            "card-held-back",
            found=f"a card that is not ready to be {state.replace('_', ' ')}: {'; '.join(faults)}",
            expected="every text that the state asks for, figures that agree, and days that lie ahead",
            repair="Write what is missing under [card], run the study again, and submit the new card.",
        )


def _grown_up(document: Mapping[str, Any]) -> bool:
    """Whether the cohort is known to leave children out."""
    aged: list[int] | None = (document.get("cohort") or {}).get("aged")
    return aged is not None and aged[0] >= 18


def _expires(document: Mapping[str, Any]) -> str:
    return str(document["purpose"].get("expires") or dt.date.max)
