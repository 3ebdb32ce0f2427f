"""Intervals that stay inside what is possible: for shares, means, ratios, and for differences and ratios of two groups.

A share never gets an interval of no width: Wilson's interval is used with the number of independent people that
would give the bootstrap's standard error (Wilson 1927; Korn and Graubard 1998; Dean and Pagano 2015). Two groups are
compared from their own intervals (Newcombe 1998; Zou and Donner 2008), so that a gap keeps their asymmetry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from riskmodel.fairness.measures import Measure
from riskmodel.models.metrics import Numbers


def critical_values(confidence: float, people: Numbers) -> Numbers:
    """Student's t for each group's number of people (normal for many), two-sided."""
    return np.asarray(stats.t.ppf((1 + confidence) / 2, np.maximum(people - 1, 1)))


def interval(
    measure: Measure, value: Numbers, error: Numbers, below: Numbers, people: Numbers, critical: Numbers
) -> tuple[Numbers, Numbers]:
    """Lower and upper bound of each group's figure.

    Parameters
    ----------
    value, error : (g,) float64, the figure and its bootstrap standard error
    below : (g,) float64, the sum under the line
    people : (g,) float64, the different people it rests on
    critical : (g,) float64, such as 1.96
    """
    if measure.kind == "ratio":
        return _ratio(value, error, below, critical)
    share, spread = value / measure.per, error / measure.per
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = share * (1 - share) / spread**2
    # At 0 and at 1 the replicates do not vary (but for rounding) and tell nothing: each person counts as one.
    inside = (spread > 1e-12) & (share > 1e-12) & (share < 1 - 1e-12) & np.isfinite(worth)
    worth = np.where(inside, worth, np.minimum(people, below) if measure.kind == "share" else people)
    if measure.kind == "share":  # a share is never surer than that many independent rows would make it
        worth = np.minimum(worth, below)
    low, high = wilson(share, worth, critical)
    return measure.per * low, measure.per * high


def wilson(share: Any, n: Any, critical: Any) -> tuple[Numbers, Numbers]:
    """Wilson's score interval for a share of `n` independent people.

    Examples
    --------
    >>> low, high = wilson(0.0, 10, 1.96)
    >>> round(float(low), 3), round(float(high), 3)      # 1.96**2 / (10 + 1.96**2)
    (0.0, 0.278)
    """
    share, n, squared = np.asarray(share, float), np.asarray(n, float), np.asarray(critical, float) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (share + squared / (2 * n)) / (1 + squared / n)
        half = np.sqrt(squared * (share * (1 - share) / n + squared / (4 * n**2))) / (1 + squared / n)
    low = np.where(share <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(share >= 1, 1.0, np.minimum(middle + half, 1.0))
    unknown = np.isnan(share) | ~(n > 0)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _ratio(value: Numbers, error: Numbers, expected: Numbers, critical: Numbers) -> tuple[Numbers, Numbers]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.exp(critical * error / value)
        # With nothing observed, the exact upper bound of a Poisson mean (Garwood 1936).
        nothing = -np.log(stats.norm.sf(critical)) / expected
        low = np.where(value > 0, value / factor, 0.0)
        high = np.where(value > 0, value * factor, nothing)
    unknown = np.isnan(value)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


Bounds = tuple[float, float, float]
"""A figure and its lower and upper bound."""


def difference(one: Bounds, other: Bounds, correlation: float = 0.0) -> Bounds:
    """One minus the other, from their own intervals (Zou and Donner 2008, equation 6).

    Examples
    --------
    >>> gap = difference((0.5, 0.4, 0.6), (0.3, 0.2, 0.4))
    >>> [round(part, 4) for part in gap]                  # 0.2 -+ sqrt(0.1**2 + 0.1**2)
    [0.2, 0.0586, 0.3414]
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    down, up = _reach(a - a_low, b_high - b, correlation), _reach(a_high - a, b - b_low, correlation)
    return a - b, a - b - down, a - b + up


def quotient(one: Bounds, other: Bounds, correlation: float = 0.0) -> Bounds | None:
    """One over the other, by the difference of logarithms; None when either is 0 or below."""
    if one[0] <= 0 or other[0] <= 0 or other[1] <= 0:
        return None
    with np.errstate(divide="ignore"):
        value, low, high = difference(_logarithms(one), _logarithms(other), correlation)
    return float(np.exp(value)), float(np.exp(low)), float(np.exp(high))


def _logarithms(bounds: Bounds) -> Bounds:
    value, low, high = (float(np.log(part)) for part in bounds)
    return value, low, high


def _reach(one: float, other: float, correlation: float) -> float:
    if not np.isfinite([one, other]).all():
        return float("inf")
    return float(np.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0)))
