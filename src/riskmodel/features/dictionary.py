"""The dictionary of features: what each column is, in words that an ethics board can read. No figures of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.features.declared import sources_of
from riskmodel.features.feature import Feature
from riskmodel.histories.store import Histories

_ABOUT = {
    "about_person": "the person's own record",
    "about_relation": "other people tied to the person",
    "about_place": "a place or household, not the person",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One column.

    Attributes
    ----------
    name : the column
    says : what it holds, as a phrase
    means : what the word of the language means
    about : whom or what it is about, in words
    agencies : whose records it rests on; empty means whichever agency records the kinds
    needs : the standard fields that a purpose has to allow
    """

    name: str
    says: str
    means: str
    about: tuple[str, ...]
    agencies: tuple[str, ...]
    needs: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "name": self.name,
            "says": self.says,
            "means": self.means,
            "about": list(self.about),
            "agencies": list(self.agencies),
            "needs": list(self.needs),
        }


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The entries of a list of features; printed, it reads as text."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        return "\n\n".join(_text(entry) for entry in self.entries)

    def document(self) -> list[dict[str, Any]]:
        """All entries as JSON."""
        return [entry.document() for entry in self.entries]

    def markdown(self) -> str:
        """A table for a card or a page."""
        lines = ["| Column | What it holds | About | Agencies |", "|---|---|---|---|"]
        for entry in self.entries:
            agencies = ", ".join(entry.agencies) or "any that records it"
            lines.append(f"| `{entry.name}` | {entry.says} | {'; '.join(entry.about)} | {agencies} |")
        return "\n".join(lines) + "\n"


def describe(features: Sequence[Feature], histories: Histories | None = None) -> Dictionary:
    """The dictionary of these features; with histories it names the agencies that record what they look at.

    Examples
    --------
    >>> from riskmodel.features.language import age
    >>> print(describe([age()]))
    age
      holds:    age
      meaning:  completed years of age
      about:    the person's own record
      agencies: any that records it
      needs:    birth_date
    """
    return Dictionary(tuple(_entry(feature, histories) for feature in features))


def _entry(feature: Feature, histories: Histories | None) -> Entry:
    agencies = feature.sources if histories is None else tuple(sources_of(histories, feature))
    about = tuple(_ABOUT[tag] for tag in feature.tags)
    return Entry(feature.name, str(feature.sentence), feature.says, about, agencies, feature.needs)


def _text(entry: Entry) -> str:
    parts = {
        "holds": entry.says,
        "meaning": entry.means,
        "about": "; ".join(entry.about),
        "agencies": ", ".join(entry.agencies) or "any that records it",
        "needs": ", ".join(entry.needs),
    }
    return "\n".join([entry.name, *(f"  {part + ':':<9} {words}" for part, words in parts.items())])
