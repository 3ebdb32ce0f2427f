"""Which features belong together: the same events seen through several windows are one family, told as one reason.

Families come from the meaning of the features, never from their correlation. A feature without a known meaning is a
family of its own, under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.dates import Window
from riskmodel.explain.contact import contact_of
from riskmodel.features.feature import Feature, window_words
from riskmodel.models.metrics import Numbers

FEATURE: Final = "feature"
FAMILY: Final = "family"
LEVELS: Final = (FAMILY, "agency", "about", "contact", "window", FEATURE)
"""By what contributions are added up: the events, who recorded them, whom they are about, whether enforcement or help
brought them on record (see `contact`), how far back; or not."""

ANY_AGENCY: Final = "any agency"
SEVERAL_AGENCIES: Final = "three or more agencies together"
_ABOUT: Final = {
    "about_person": "the person",
    "about_relation": "people tied to them",
    "about_place": "places they are tied to",
}

PROTECTED: Final = frozenset({"age", "birth", "sex", "gender", "race", "ethnicity", "ethnic", "nationality"}) | {
    *("religion", "belief", "disability", "disabled", "pregnancy", "marital", "sexuality", "orientation")
}
"""Words in a feature's name that make it one that is never shown as a reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """One column of the matrix, as it is told.

    Attributes
    ----------
    name : the column
    feature : the node, None when the meaning is not known
    family : such as "domestic abuse events as victim"
    recorded_by : the agencies whose records it can draw on, where it is known
    """

    name: str
    feature: Feature | None
    family: str
    recorded_by: tuple[str, ...] = ()

    def at(self, level: str) -> str:
        """What the column belongs to at a level of `LEVELS`."""
        if level == FEATURE:
            return self.name
        if level == FAMILY:
            return self.family
        if level == "contact" and self.feature is not None:
            return contact_of(self.feature)
        if self.feature is None:
            return "not known"
        if level == "agency":
            return _agencies(self.feature.sources or self.recorded_by)
        if level == "about":
            return " and ".join(_ABOUT.get(tag, tag) for tag in self.feature.tags)
        return ", ".join(window_words(window) for window in self.feature.windows if window != Window()) or "all history"

    def protected(self, never: Sequence[str] = ()) -> bool:
        """Whether it says something protected of the person, or is one of the columns named in `never`."""
        fields = set(self.feature.fields) if self.feature is not None else set()
        words = {part for text in (self.name, *fields) for part in text.lower().replace(":", "_").split("_")}
        return self.name in never or bool(words & PROTECTED)

    def hidden(self, never: Sequence[str] = (), *, others: bool = False) -> bool:
        """Whether it is never shown as a reason: protected, or drawn from records of other people unless `others`."""
        of_others = self.feature is not None and "about_relation" in self.feature.tags
        return self.protected(never) or (of_others and not others)

    def sentence(self, value: float) -> str:
        """The feature with its value, for a reader.

        Examples
        --------
        >>> Told("arrests_2y", None, "arrests_2y").sentence(3.0)
        'Arrests 2y: 3'
        """
        if self.feature is None:
            told = f"{self.name.replace('_', ' ')}: {'unknown' if value != value else f'{value:.6g}'}"
        elif value != value and self.feature.selections:
            told = f"{self.feature.sentence.noun}: none recorded"
        else:
            told = self.feature.sentence.with_value(value)
        return told[:1].upper() + told[1:]


def told(
    names: Sequence[str], features: Sequence[Feature], recorded_by: Mapping[str, Sequence[str]] | None = None
) -> tuple[Told, ...]:
    """The columns of a model, with their meaning and, by name, the agencies behind them, where these are known."""
    behind = recorded_by or {}
    meaning: Mapping[str, Feature] = {feature.name: feature for feature in features}
    return tuple(
        Told(name, meaning.get(name), _family(name, meaning.get(name)), tuple(behind.get(name, ()))) for name in names
    )


def added_up(contributions: Numbers, columns: Sequence[Told], level: str) -> tuple[tuple[str, ...], Numbers]:
    """Contributions of what belongs together.

    Parameters
    ----------
    contributions : (n, p) float64
    columns : p columns
    level : of `LEVELS`

    Returns
    -------
    names : what there is at that level, sorted
    sums : (n, len(names)) float64
    """
    labels = [column.at(level) for column in columns]
    names = tuple(sorted(set(labels)))
    sums = np.zeros((len(contributions), len(names)))
    for place, label in enumerate(labels):  # column after column: the same bits for one row and for many
        sums[:, names.index(label)] += contributions[:, place]
    return names, sums


def _agencies(names: Sequence[str]) -> str:
    """One agency, two, or more together, as a reader is told."""
    if len(names) > 2:
        return SEVERAL_AGENCIES
    return " or ".join(names).replace("_", " ") or ANY_AGENCY


def _family(name: str, feature: Feature | None) -> str:
    if feature is None or not feature.selections:
        return name.replace("_", " ")
    return " and ".join(events.words for events in feature.selections)
