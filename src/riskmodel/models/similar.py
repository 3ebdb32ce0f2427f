"""What became of people with a similar probability: "of 412 similar, 37 had the outcome".

The rows on which the model was judged, none of which it had seen, are laid in bands of similar probability. The
interval is that of the band's observed share, with whole people as the unit. It is a statement on a group in the
past: it does not say how sure the model is of one person, and it does not cover wrong labels or change over time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.governance.rules import RULES
from riskmodel.governance.thresholds import plain_between
from riskmodel.models.fitted import floats, rounded
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import rate_interval

LEAST_ROWS, LEAST_PEOPLE, MOST_BANDS = 100, 50, 20


@dataclass(frozen=True, slots=True)
class NaturalFrequency:
    """Of `similar` rows of `people` people, `with_outcome` had the outcome, each to the nearest five; `low` and `high`
    bound the share."""

    similar: int
    people: int
    with_outcome: int
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """In words.

        Examples
        --------
        >>> NaturalFrequency(400, 30, 35, 0.067, 0.127).sentence
        'Of 400 past cases of 30 people with a similar score, 35 had the outcome: of 100 like these about 9 (7 to 13).'
        """
        about = min(max(self.with_outcome / self.similar, self.low), self.high)
        of_100 = [f"{100 * share:.{0 if share >= 0.0095 else 1}f}" for share in (about, self.low, self.high)]
        return (
            f"Of {self.similar} past cases of {self.people} people with a similar score, {self.with_outcome} had the"
            f" outcome: of 100 like these about {of_100[0]} ({of_100[1]} to {of_100[2]})."
        )

    def beyond(self, probability: float) -> str:
        """That a probability lies outside what was seen among similar cases, in words; empty where it does not.

        Examples
        --------
        >>> seen = NaturalFrequency(400, 300, 37, 0.067, 0.127)
        >>> seen.beyond(0.1), seen.beyond(0.3)
        ('', 'The probability is higher than was seen among them: do not lean on how high it is.')
        """
        if self.low <= probability <= self.high:
            return ""
        way = "higher" if probability > self.high else "lower"
        return f"The probability is {way} than was seen among them: do not lean on how {way.removesuffix('er')} it is."


@dataclass(frozen=True)
class SimilarCases:
    """Bands of similar probability and what became of them. Holds counts only, no rows, and no small count: a band ends
    where eight rows have the outcome and eight have not, and counts are to the nearest five.

    Attributes
    ----------
    upper : (n_bands,) float64, ascending, where each band ends: a plain number, nobody's probability
    rows, people, positives : (n_bands,) int64
    low, high : (n_bands,) float64, interval of the share of positives
    """

    upper: Numbers
    rows: npt.NDArray[np.int64]
    people: npt.NDArray[np.int64]
    positives: npt.NDArray[np.int64]
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, probability: Numbers, outcome: Numbers, people: npt.NDArray[np.int64]) -> SimilarCases:
        """Bands over rows that the model had not seen, each of at least 100 rows and 50 people where there are.

        Where all rows together have fewer than eight of one outcome there is one band, and its counts are rounded.
        """
        band = _bands(probability, outcome, people)
        members = [np.flatnonzero(band == number) for number in range(int(band.max()) + 1)]
        bounds = np.array([rate_interval(outcome[rows], people[rows]) for rows in members])
        return cls(
            upper=_ends([probability[rows] for rows in members]),
            rows=_shown([len(rows) for rows in members]),
            people=_shown([len(np.unique(people[rows])) for rows in members]),
            positives=_shown([outcome[rows].sum() for rows in members]),
            low=rounded(bounds[:, 0], 4),
            high=rounded(bounds[:, 1], 4),
        )

    def band(self, probability: Numbers) -> npt.NDArray[np.int64]:
        """The band of each probability."""
        return np.minimum(np.searchsorted(self.upper, probability, side="left"), len(self.upper) - 1)

    def interval(self, probability: Numbers) -> tuple[Numbers, Numbers]:
        """Lowest and highest share that fits each probability and its band; never leaves the probability outside."""
        band = self.band(probability)
        return np.minimum(self.low[band], probability), np.maximum(self.high[band], probability)

    def natural_frequency(self, probability: float) -> NaturalFrequency:
        """The counts of the band of one probability."""
        band = int(self.band(np.array([probability]))[0])
        return NaturalFrequency(
            int(self.rows[band]),
            int(self.people[band]),
            int(self.positives[band]),
            float(self.low[band]),
            float(self.high[band]),
        )

    def document(self) -> dict[str, Any]:
        """The bands as JSON."""
        counts = {name: [int(n) for n in getattr(self, name)] for name in ("rows", "people", "positives")}
        return {**counts, **{name: floats(getattr(self, name)) for name in ("upper", "low", "high")}}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SimilarCases:
        """From its document."""
        upper, low, high = (np.array(document[name], np.float64) for name in ("upper", "low", "high"))
        rows, people, positives = (np.array(document[name], np.int64) for name in ("rows", "people", "positives"))
        return cls(upper, rows, people, positives, low, high)

    def __repr__(self) -> str:
        return f"SimilarCases({len(self.upper)} bands, {int(self.rows.sum())} rows)"


def _shown(counts: Sequence[float]) -> npt.NDArray[np.int64]:
    return np.array([RULES["hes"].rounded(int(count)) for count in counts], np.int64)


def _ends(bands: list[Numbers]) -> Numbers:
    inner = [plain_between(float(one.max()), float(other.min())) for one, other in pairwise(bands)]
    return np.array([*inner, 1.0])


def _bands(probability: Numbers, outcome: Numbers, people: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Band of each row: equal probabilities together, positives and negatives weighing the same, thin ones joined."""
    _, group = np.unique(probability, return_inverse=True)
    yes = max(float(outcome.sum()), 1.0)
    no = max(len(outcome) - float(outcome.sum()), 1.0)
    mass = np.cumsum(np.bincount(group, weights=np.where(outcome == 1, 0.5 / yes, 0.5 / no)))
    fine = np.minimum((mass * MOST_BANDS - 1e-9).astype(np.int64), MOST_BANDS - 1)[group]
    made = np.zeros(len(outcome), np.int64)
    number, waiting = 0, np.zeros(len(outcome), bool)
    for part in range(MOST_BANDS):
        waiting |= fine == part
        made[fine >= part] = number
        told = float(outcome[waiting].sum())
        small = RULES["hes"].smallest_shown > min(told, waiting.sum() - told)
        if waiting.sum() >= LEAST_ROWS and len(np.unique(people[waiting])) >= LEAST_PEOPLE and not small:
            number, waiting = number + 1, np.zeros(len(outcome), bool)
            made[fine > part] = number
    if waiting.any() and number:  # what is left over at the top joins the band below it
        made[made == number] = number - 1
    return made
