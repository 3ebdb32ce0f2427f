"""What a small group's figure most likely is, given how much groups differ at all: empirical-Bayes estimates.

Of many small groups, the most extreme figures are mostly noise. Each figure is moved towards the mean of all groups by
as much as its own noise deserves (Morris 1983). This is for reading a table of groups; it is not a verdict, and a
group that cannot be estimated is not given a figure by its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from riskmodel.models.metrics import Numbers

FEWEST: Final = 4
"""Groups below which the spread between them is too uncertain to shrink by."""


@dataclass(frozen=True, slots=True)
class Shrunken:
    """Moved figures.

    Attributes
    ----------
    value, low, high : (g,) float64
    kept : (g,) float64, how much of the group's own distance from the mean was kept, 0 to 1
    """

    value: Numbers
    low: Numbers
    high: Numbers
    kept: Numbers


def shrunken(value: Numbers, variance: Numbers, spread: float, confidence: float) -> Shrunken | None:
    """Empirical-Bayes estimates of groups with unequal noise; None for fewer than `FEWEST` groups.

    Parameters
    ----------
    value, variance : (g,) float64, figures and their sampling variance
    spread : float, standard deviation between the groups' true values
    confidence : float

    Examples
    --------
    >>> made = shrunken(np.array([0.1, 0.2, 0.3, 0.8]), np.array([0.01, 0.01, 0.01, 1.0]), 0.1, 0.95)
    >>> [round(float(kept), 2) for kept in made.kept]           # the noisy one keeps least of its distance
    [0.83, 0.83, 0.83, 0.67]
    """
    k = len(value)
    if k < FEWEST or not np.isfinite(spread):
        return None
    total = variance + spread**2
    weight = 1 / total
    mean = float(weight @ value / weight.sum())
    # The factor keeps the estimated spread from shrinking too much (Morris 1983, section 3).
    moved = (k - 3) / (k - 1) * variance / total if spread > 0 else np.ones(k)
    estimate = value + moved * (mean - value)
    sure = variance * (1 - (1 - weight / weight.sum()) * moved)
    unsure = 2 / (k - 3) * moved**2 * (value - mean) ** 2 * (total.mean() / total)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * np.sqrt(sure + unsure)
    return Shrunken(estimate, estimate - half, estimate + half, 1 - moved)
