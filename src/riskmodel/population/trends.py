"""Counts over time: what varies as counts do, what lies outside, and where the level changed.

A chart of counts has limits that chance alone keeps to; they widen when the months vary more than independent events
would. A change of level is looked for at every month at once, and its p value is that of the largest of them, so that
looking everywhere is paid for. A change of level is a change of *records*: of harm, of reporting, or of recording.

Sources: Shewhart 1931 and Laney 2002 (limits); Scott and Knott 1974 (binary segmentation); Hinkley 1970 (one change,
its null distribution by simulation); McCullagh and Nelder 1989, ch. 6 (quasi-Poisson trend).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from riskmodel.population.estimate import Estimate, Numbers, checked, critical_value
from riskmodel.population.rates import LEAST_TO_STANDARDISE
from riskmodel.seeds import stream

LEAST_MONTHS = 6
"""A level has to hold at least that long."""
_DRAWS = 499


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a chart of counts.

    Attributes
    ----------
    centre : float, the mean
    low, high : float, three standard deviations away, not below 0
    dispersion : float, the variance from one month to the next over that of independent counts; 1 at least
    outside : tuple of int, places of counts outside the limits
    """

    centre: float
    low: float
    high: float
    dispersion: float
    outside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One change of level: the place of the first count of the new level, the levels, and the p value."""

    place: int
    before: float
    after: float
    p: float


def control_limits(counts: npt.ArrayLike) -> Limits:
    """Limits of a series of counts, widened by the moving range where months vary more than chance (Laney 2002).

    Examples
    --------
    >>> made = control_limits([20, 24, 18, 22, 60, 21, 19])
    >>> made.outside, made.centre > 20
    ((4,), True)
    """
    values = checked("counts", counts)
    # the middle, so that what lies outside does not move the line it is judged by
    centre = float(np.median(values))
    ranges = np.abs(np.diff(values))
    spread = float(np.median(ranges)) / 0.9539 if len(ranges) else 0.0  # median of the range of two normals
    dispersion = max(1.0, spread**2 / centre) if centre > 0 else 1.0
    half = 3 * float(np.sqrt(centre * dispersion))
    low, high = max(0.0, centre - half), centre + half
    outside = tuple(int(place) for place in np.flatnonzero((values < low) | (values > high)))
    return Limits(centre, low, high, dispersion, outside)


def level_changes(counts: npt.ArrayLike, *, p_below: float = 0.01, seed: int = 0) -> tuple[LevelChange, ...]:
    """Where the level of a series changed, by splitting it again and again.

    Parameters
    ----------
    counts : (months,) in order of time
    p_below : a split is kept when chance alone gives as good a one less often

    Examples
    --------
    >>> [(made.place, round(made.before), round(made.after)) for made in level_changes([30] * 12 + [45] * 12)]
    [(12, 30, 45)]
    >>> level_changes([30, 33, 28, 31] * 6)
    ()
    """
    values = checked("counts", counts)
    found: list[LevelChange] = []
    _split(values, 0, p_below, max(1.0, _dispersion(values)), seed, found)
    return tuple(sorted(found, key=lambda change: change.place))


def _split(values: Numbers, start: int, p_below: float, dispersion: float, seed: int, found: list[LevelChange]) -> None:
    if len(values) < 2 * LEAST_MONTHS or values.sum() < 2 * LEAST_TO_STANDARDISE:
        return
    place, gain = _best(values)
    draw = stream(seed, "level changes", start, len(values))
    total, months = int(values.sum()), len(values)
    even = draw.multinomial(total, np.full(months, 1 / months), size=_DRAWS).astype(float)
    chance = np.array([_best(one)[1] for one in even]) * dispersion
    p = (1 + int((chance >= gain).sum())) / (_DRAWS + 1)
    if p >= p_below:
        return
    found.append(LevelChange(start + place, float(values[:place].mean()), float(values[place:].mean()), p))
    _split(values[:place], start, p_below, dispersion, seed, found)
    _split(values[place:], start + place, p_below, dispersion, seed, found)


def _best(values: Numbers) -> tuple[int, float]:
    """The split that raises the Poisson likelihood most, and twice by how much."""
    months = len(values)
    at = np.arange(LEAST_MONTHS, months - LEAST_MONTHS + 1)
    held, total = np.cumsum(values)[at - 1], float(values.sum())
    gain = 2 * (
        special.xlogy(held, held / at)
        + special.xlogy(total - held, (total - held) / (months - at))
        - special.xlogy(total, total / months)
    )
    best = int(np.argmax(gain))
    return int(at[best]), float(gain[best])


def _dispersion(values: Numbers) -> float:
    """Variance from month to month over the mean: a change of level moves one difference only."""
    mean = float(values.mean())
    return float(np.median(np.diff(values) ** 2) / 0.4549 / 2 / mean) if len(values) > 2 and mean > 0 else 1.0


def yearly_change(counts: npt.ArrayLike, *, per_year: int = 12, confidence: float = 0.95) -> Estimate:
    """By what factor counts change from one year to the next: a log-linear trend, its interval widened for dispersion.

    Parameters
    ----------
    counts : (periods,) in order of time
    per_year : periods in a year

    Examples
    --------
    >>> made = yearly_change([100, 110, 121, 133], per_year=1)
    >>> round(made.value, 2)
    1.1
    """
    values = checked("counts", counts)
    method, total = "quasi-Poisson trend (McCullagh and Nelder 1989)", int(values.sum())
    if len(values) < 3 or total < LEAST_TO_STANDARDISE:
        return Estimate.none(total, method, "fewer than three periods, or than ten events")
    time = np.arange(len(values)) / per_year
    design = np.column_stack([np.ones(len(values)), time - time.mean()])
    beta = np.array([np.log(values.mean()), 0.0])
    for _ in range(50):
        mean = np.exp(design @ beta)
        step = np.linalg.solve((design * mean[:, None]).T @ design, design.T @ (values - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    mean = np.exp(design @ beta)
    dispersion = max(1.0, float(np.sum((values - mean) ** 2 / mean)) / (len(values) - 2))
    error = float(np.sqrt(dispersion * np.linalg.inv((design * mean[:, None]).T @ design)[1, 1]))
    factor = float(np.exp(critical_value(confidence) * error))
    value = float(np.exp(beta[1]))
    return Estimate.of(value, value / factor, value * factor, total, method)
