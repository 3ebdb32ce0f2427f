"""Two probabilities for one score, of which one is right on average whatever the data (Vovk and Petej 2014).

Inductive Venn-Abers prediction: add the person to the judged rows once with the outcome and once without, calibrate
isotonically each time, and read off both values at the person's own score. If people come as they came before, one
of the two is perfectly calibrated, and no form of the scores is assumed. Where the two lie far apart, there is little
to go by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from riskmodel.errors import DataRefused
from riskmodel.models.fitted import floats
from riskmodel.models.metrics import Numbers

MOST_STEPS = 400
"""Scores are joined into at most so many steps of about equal numbers of rows: what is kept is no person's row."""


@dataclass(frozen=True)
class VennAbers:
    """The two probabilities at every score.

    Attributes
    ----------
    upper : (n_steps,) float64, ascending, the highest score of each step
    without, having : (n_steps,) float64, the probability if the person were one without, or with, the outcome
    """

    upper: Numbers
    without: Numbers
    having: Numbers

    @classmethod
    def learned(cls, score: Numbers, outcome: Numbers) -> VennAbers:
        """From (n,) scores of rows that the model had not seen, and (n,) outcomes 0/1.

        Raises
        ------
        DataRefused : no rows, or outcomes of one kind only
        """
        if not len(score) or len(np.unique(outcome)) < 2:
            raise DataRefused(
                "one-outcome-only",
                found=f"{len(score)} judged rows, {int(np.sum(outcome))} with the outcome",
                expected="rows with and rows without the outcome",
                repair="Judge the model on more rows.",
            )
        scores, group = np.unique(score, return_inverse=True)
        step = _steps(np.bincount(group).astype(np.float64))
        upper = scores[np.append(np.flatnonzero(np.diff(step)), len(scores) - 1)]
        rows = np.bincount(step[group]).astype(np.float64)
        positives = np.bincount(step[group], weights=outcome).astype(np.float64)
        return cls(upper, _added(rows, positives, 0.0), _added(rows, positives, 1.0))

    def interval(self, score: Numbers) -> tuple[Numbers, Numbers]:
        """Both probabilities of each score, the lower first; a score between two steps counts as the upper."""
        step = np.minimum(np.searchsorted(self.upper, score, side="left"), len(self.upper) - 1)
        return self.without[step], self.having[step]

    def probability(self, score: Numbers) -> Numbers:
        """One value that stands for the two, with the least regret in log loss: p1 / (1 - p0 + p1)."""
        low, high = self.interval(score)
        return np.asarray(high / (1 - low + high))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"upper": floats(self.upper), "without": floats(self.without), "having": floats(self.having)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> VennAbers:
        """From its document."""
        return cls(*(np.array(document[name], np.float64) for name in ("upper", "without", "having")))

    def __repr__(self) -> str:
        return f"VennAbers({len(self.upper)} steps)"


def _steps(rows: Numbers) -> npt.NDArray[np.int64]:
    """The step of each distinct score, ascending from 0; equal scores are never parted."""
    if len(rows) <= MOST_STEPS:
        return np.arange(len(rows), dtype=np.int64)
    middle = np.cumsum(rows) - rows / 2
    return np.asarray(np.unique(np.floor(middle / rows.sum() * MOST_STEPS), return_inverse=True)[1], np.int64)


def _added(rows: Numbers, positives: Numbers, outcome: float) -> Numbers:
    """The isotonic value at each step when one more row of that outcome lies there."""
    made = np.empty(len(rows))
    for step in range(len(rows)):
        more, found = rows.copy(), positives.copy()
        more[step] += 1
        found[step] += outcome
        made[step] = isotonic_regression(found / more, weights=more, increasing=True).x[step]
    return made
