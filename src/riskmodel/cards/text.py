"""What people must write on a card, because no run can know it: use, limits, review, challenge, owner, ending.

A required text that is empty, or that only holds its place ("to be confirmed"), stops the card. All such texts are
named at once. This module never fills a gap with words of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from riskmodel.dates import parse_date
from riskmodel.errors import DeclarationError, EvidenceError, Fault

REQUIRED: Mapping[str, str] = {
    "title": "what the card is about, in a few words",
    "summary": "what this is, in one or two sentences for any reader",
    "intended_use": "who uses it, for what help, at which point",
    "not_for": "what it must never be used for",
    "label_is": "what event the model predicts, as it is recorded",
    "label_is_not": "what that event must not be taken for",
    "human_review": "who looks at each case, with what power to disagree",
    "challenge_route": "how a person finds out, objects, and has a record put right",
    "owner": "the role that answers for it",
    "contact": "where questions go",
    "review_by": "the day by which it is looked at again",
    "decommission": "when and how it is switched off, and what happens to the data",
}
"""Each text without which there is no card, and what it answers."""

STANDARDS = ("atrs", "algo_care", "tripod_ai", "probast_ai", "duties")
"""Tables under [card] with answers to the questions of others."""
_HOLDING = re.compile(
    r"^\W*(tbc|tbd|todo|to do|xxx+|n/?a|none|\?+|lorem ipsum.*|to be (confirmed|decided|written|added).*|"
    r"more information needed.*|placeholder.*)\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CardText:
    """The texts of one card.

    Attributes
    ----------
    people : str, what the people in question are called ("young people")
    outcome_words : str, the outcome as the end of a sentence ("were injured by violence within a year")
    fairness_choice : str, which fairness measure was put first, by whom and why
    synthetic : bool, whether the people are made up
    triggers : tuple of str, what sends the model back to the board
    limits_extra : tuple of str, limits of this model beyond the standing ones
    whose : mapping, agency -> what a reader knows it as, where no contract gives a title
    source_mix : mapping, agency -> how its records come about ("reported", "discovered", "health")
    equality, impact_assessment, training, oversight, incidents : str, what later states ask for (`cards.states`)
    atrs, algo_care, tripod_ai, probast_ai, duties : mappings, answers by field id: a text, or a table with answer,
        evidence, owner and date
    """

    title: str
    summary: str
    intended_use: str
    not_for: str
    label_is: str
    label_is_not: str
    human_review: str
    challenge_route: str
    owner: str
    contact: str
    review_by: dt.date
    decommission: str
    organisation: str = ""
    people: str = "people"
    outcome_words: str = ""
    benefits: str = ""
    alternatives: str = ""
    legal: str = ""
    children: str = ""
    synthetic: bool = False
    participation: str = ""
    fairness_choice: str = ""
    data_notes: str = ""
    whose: Mapping[str, str] = field(default_factory=dict)
    source_mix: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()
    limits_extra: tuple[str, ...] = ()
    equality: str = ""
    impact_assessment: str = ""
    training: str = ""
    oversight: str = ""
    incidents: str = ""
    atrs: Mapping[str, Any] = field(default_factory=dict)
    algo_care: Mapping[str, Any] = field(default_factory=dict)
    tripod_ai: Mapping[str, Any] = field(default_factory=dict)
    probast_ai: Mapping[str, Any] = field(default_factory=dict)
    duties: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> CardText:
        """The texts from a ``[card]`` table.

        Raises
        ------
        EvidenceError : required texts are missing, empty or only hold their place; all of them are named
        DeclarationError : keys that no card has, or values of the wrong kind
        """
        _refuse_unknown(given)
        empty = [name for name in REQUIRED if is_empty(given.get(name))]
        if empty:
            raise EvidenceError(
                "card-incomplete",
                found=f"no usable text for {', '.join(empty)}",
                expected=f"every required text ({'; '.join(f'{name}: {REQUIRED[name]}' for name in empty)})",
                repair="Write them under [card]. A card with gaps is not published.",
            )
        words = {name: _value(name, value) for name, value in given.items()}
        return cls(**words)

    def document(self) -> dict[str, Any]:
        """The texts as JSON."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: _plain(value) for name, value in given.items()}


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    known = {each.name: each for each in fields(CardText)}
    faults = [
        Fault(f"card.{name}", "a text that no card has", f"one of {', '.join(sorted(known))}", "Correct the name.")
        for name in given
        if name not in known
    ]
    for name in ("triggers", "limits_extra"):
        if name in given and not _is_texts(given[name]):
            faults.append(Fault(f"card.{name}", type(given[name]).__name__, "a list of texts", 'Write ["..."].'))
    if not isinstance(given.get("synthetic", False), bool):
        faults.append(Fault("card.synthetic", repr(given["synthetic"]), "true or false", "Write true or false."))
    for name in (*STANDARDS, "source_mix", "whose"):
        if name in given and not isinstance(given[name], Mapping):
            faults.append(Fault(f"card.{name}", type(given[name]).__name__, "a table", f"Write [card.{name}]."))
    if faults:
        raise DeclarationError("card-text", faults=faults)


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def is_empty(value: object) -> bool:
    """Whether a text says nothing, or only holds its place."""
    if value is None:
        return True
    text = str(value).strip()
    return not text or bool(_HOLDING.match(text))


def _value(name: str, value: Any) -> Any:
    if name == "review_by":
        return parse_date(value, "card.review_by")
    if name == "synthetic":
        return bool(value)
    if name in ("triggers", "limits_extra"):
        return tuple(value)
    return _answers(value) if isinstance(value, Mapping) else str(value).strip()


def _answers(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by field; a table's parts as texts, so that a day reads as it is written."""
    return {
        name: {part: str(held) for part, held in value.items()} if isinstance(value, Mapping) else str(value)
        for name, value in given.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
