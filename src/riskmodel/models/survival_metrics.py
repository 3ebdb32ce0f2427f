"""How good are chances by a day, when not everybody was followed that long: weighted by the chance of being followed.

A row that was censored before the day is neither a yes nor a no. The others stand for it: each is weighted by one
over its chance of not having been censored (Graf et al. 1999; for competing causes Schoop et al. 2011; for ranking
Blanche, Dartigues and Jacqmin-Gadda 2013). Censoring is taken to say nothing about the risk; a card has to say so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodel.models.judging import Figure, state_of
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import Resampling, person_weights


@dataclass(frozen=True, slots=True)
class AtDay:
    """Figures at one day: AUROC, Brier score and expected over observed, each with n and the outcomes seen by then."""

    day: float
    auroc: Figure
    brier: Figure
    expected_observed: Figure


def observed_incidence(
    days: Numbers, cause: npt.NDArray[np.int64], at: float, wanted: int = 1, weights: Numbers | None = None
) -> float:
    """Share to whom `wanted` has come first by day `at` (Aalen and Johansen 1978).

    Examples
    --------
    >>> days, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 2, 1, 0])
    >>> observed_incidence(days, cause, 3.0)           # 1/4 on day 1; on day 3 one of the two of 4 still free: 1/4
    0.5
    """
    given = np.ones(len(days)) if weights is None else weights
    at_days, which, at_risk = _at_risk(days, given)
    of_wanted = np.bincount(which, weights=given * (cause == wanted))
    of_any = np.bincount(which, weights=given * (cause > 0))
    safe = np.maximum(at_risk, 1e-300)
    free = np.append(1.0, np.cumprod(1 - of_any / safe))[:-1]
    return float(np.sum((free * of_wanted / safe)[at_days <= at]))


def at_day(
    days: Numbers,
    cause: npt.NDArray[np.int64],
    chance: Numbers,
    people: npt.NDArray[np.int64],
    at: float,
    resampling: Resampling = Resampling(200),  # noqa: B008 - frozen settings, safe to share
) -> AtDay:
    """Figures of (n,) chances that the outcome has come first by day `at`.

    Parameters
    ----------
    days, cause : (n,), as in `survival.SurvivalRows`
    chance : (n,) float64
    people : (n,) int64, drawn as wholes for the intervals
    at : float, days
    """
    _, person = np.unique(people, return_inverse=True)
    exact = _figures(days, cause, chance, at, np.ones(len(days)))
    drawn = [
        _figures(days, cause, chance, at, block[person, column])
        for block in person_weights(int(person.max()) + 1, resampling, "survival")
        for column in range(block.shape[1])
    ]
    seen = int(np.sum((cause == 1) & (days <= at)))
    made = {}
    for place, metric in enumerate(("auroc", "brier", "expected_observed")):
        value = exact[place]
        if not np.isfinite(value):
            made[metric] = Figure(metric, np.nan, np.nan, np.nan, len(days), seen, "not_estimable")
            continue
        low, high = resampling.interval(np.array([row[place] for row in drawn]))
        made[metric] = Figure(metric, value, low, high, len(days), seen, state_of(metric, low, high, len(days), seen))
    return AtDay(at, **made)


def _figures(
    days: Numbers, cause: npt.NDArray[np.int64], chance: Numbers, at: float, given: Numbers
) -> tuple[float, float, float]:
    """AUROC, Brier and expected over observed, each row counted `given` times."""
    weight = given * _weights(days, cause, at, given)
    case = (cause == 1) & (days <= at)
    total = weight.sum()
    brier = float(weight @ (chance - case) ** 2 / total) if total else np.nan
    observed = observed_incidence(days, cause, at, weights=given)
    expected = float(given @ chance / given.sum())
    return _auroc(chance, weight * case, weight * ~case), brier, expected / observed if observed else np.nan


def _at_risk(days: Numbers, given: Numbers) -> tuple[Numbers, npt.NDArray[np.int64], Numbers]:
    """Each distinct day, which of them is each row's, and the weight of those still followed when it begins."""
    at_days, which = np.unique(days, return_inverse=True)
    left = np.cumsum(np.bincount(which, weights=given))
    return at_days, which, given.sum() - np.append(0.0, left)[:-1]


def _weights(days: Numbers, cause: npt.NDArray[np.int64], at: float, given: Numbers) -> Numbers:
    """One over the chance of not having been censored by then; 0 for rows censored before the day."""
    at_days, which, at_risk = _at_risk(days, given)
    ended = np.bincount(which, weights=given * (cause > 0))
    censored = np.bincount(which, weights=given * (cause == 0))
    # At one moment events come before censoring, so those censored are at risk without those who had an event.
    left = np.cumprod(1 - censored / np.maximum(at_risk - ended, 1e-300))
    chance = np.append(1.0, left)
    before = chance[np.searchsorted(at_days, np.minimum(days, at), side="left")]
    # Whoever had an event by the day is known, and so is whoever was followed at least until the day.
    followed = np.where((cause > 0) | (days >= at), before, np.inf)
    return np.where(followed > 0, 1 / np.maximum(followed, 1e-300), 0.0)


def _auroc(chance: Numbers, cases: Numbers, others: Numbers) -> float:
    """Weighted chance that a case has the higher value, ties half."""
    _, group = np.unique(chance, return_inverse=True)
    yes, no = np.bincount(group, weights=cases), np.bincount(group, weights=others)
    pairs = yes.sum() * no.sum()
    return float(np.sum(yes * (np.cumsum(no) - no / 2)) / pairs) if pairs else np.nan
