"""Which events a feature looks at: kinds, roles, agencies, and through whom they reach the person.

A selection only names events. It knows nothing of windows, measures or tables, and it never sees a row of data
beyond the three words (kind, role, agency) that it is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from riskmodel.errors import Fault

_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")

PERSON_TIES: Final = {
    "co_resident": "someone who lived at the same address",
    "parent": "a parent",
    "child": "a child of theirs",
    "partner": "a partner",
    "sibling": "a brother or sister",
    "carer": "a carer",
    "cared_for": "someone they care for",
    "former_occupant": "someone who lived at their address before them",
    "co_offender": "someone suspected of the same offence",
}
"""Ties to another person whose events may reach this one, and how a reader is told of them."""

PLACE_TIES: Final = {
    "own_address": "their address while they lived there",
    "former_address": "an address they had left",
}
"""Ties to a place: events recorded at the place itself."""


@dataclass(frozen=True, slots=True)
class Events:
    """A choice of events.

    Parameters
    ----------
    kinds : tuple of event kinds; empty is every kind
    roles : tuple of roles the person had in the event; empty is any role, also none
    agencies : tuple of the agencies that recorded it; empty is every agency
    through : tuple of ties; empty is the person's own events. An event that reaches somebody through several ties
        at once counts once
    """

    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    through: tuple[str, ...] = ()

    def faults(self) -> list[Fault]:
        """What is wrong with the choice, all of it."""
        found = []
        for part in ("kinds", "roles", "agencies", "through"):
            words = getattr(self, part)
            found += [_word_fault(part, word) for word in words if not _is_word(word)]
            if len(set(words)) != len(words):
                found.append(Fault(f"feature.{part}", "a word twice", "each word once", "Remove the second one."))
        places, people = _split(self.through)
        if places and people:
            found.append(
                Fault(
                    "feature.through",
                    f"a place ({places[0]}) and a person ({people[0]}) together",
                    "ties to people or ties to places",
                    "Make two features, one for each.",
                )
            )
        return found

    def holds(self, kind: str, role: str | None, agency: str) -> bool:
        """Whether an event of this kind, role and agency is chosen."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.roles or role in self.roles)
            and (not self.agencies or agency in self.agencies)
        )

    @property
    def about(self) -> str:
        """The tag of what such events are about: about_person, about_relation or about_place."""
        if not self.through:
            return "about_person"
        return "about_place" if self.through[0] in PLACE_TIES else "about_relation"

    @property
    def label(self) -> str:
        """The head of a column name: ``domestic_abuse_victim``."""
        kinds = "_or_".join(self.kinds) or "any_event"
        return "_".join([kinds, *(["_or_".join(self.roles)] if self.roles else [])])

    @property
    def ending(self) -> str:
        """The end of a column name: ``_by_police_through_co_resident``."""
        by = f"_by_{'_or_'.join(self.agencies)}" if self.agencies else ""
        return by + (f"_through_{'_or_'.join(self.through)}" if self.through else "")

    @property
    def words(self) -> str:
        """A phrase for readers: ``domestic abuse events as victim, recorded by police, of a parent``."""
        kinds = " or ".join(kind.replace("_", " ") for kind in self.kinds)
        text = f"{kinds} events" if kinds else "recorded events of any kind"
        if self.roles:
            text += f" as {' or '.join(role.replace('_', ' ') for role in self.roles)}"
        if self.agencies:
            text += f", recorded by {' or '.join(agency.replace('_', ' ') for agency in self.agencies)}"
        if self.through:
            joined = " or ".join(_tie_words(tie) for tie in self.through)
            text += f", {'at' if self.about == 'about_place' else 'of'} {joined}"
        return text

    def document(self) -> dict[str, Any]:
        """The choice as JSON; empty parts are left out."""
        parts = {part: list(getattr(self, part)) for part in ("kinds", "roles", "agencies", "through")}
        return {part: words for part, words in parts.items() if words}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Events:
        """The choice that `document` describes."""
        return cls(**{part: tuple(document.get(part, ())) for part in ("kinds", "roles", "agencies", "through")})


def words_of(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """One word, several or none, as a tuple."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _tie_words(tie: str) -> str:
    return PERSON_TIES.get(tie) or PLACE_TIES.get(tie) or f"a person tied to them as {tie.replace('_', ' ')}"


def _split(through: tuple[str, ...]) -> tuple[list[str], list[str]]:
    return [tie for tie in through if tie in PLACE_TIES], [tie for tie in through if tie not in PLACE_TIES]


def _is_word(word: object) -> bool:
    return isinstance(word, str) and _WORD.fullmatch(word) is not None


def _word_fault(part: str, word: object) -> Fault:
    return Fault(
        f"feature.{part}",
        repr(word)[:60],
        "a word of small letters, digits and underscores",
        "Use the standard word that the contract gives, such as domestic_abuse.",
    )
