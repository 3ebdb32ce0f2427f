"""Rates of many small places side by side: a funnel that chance keeps to, and rates shrunk towards all.

The smallest places always have the highest and the lowest rates. A funnel says which lie beyond what their size
explains; a shrunk rate borrows from all places what the place's own events do not settle. A shrunk rate is an
estimate, is always called one, and is never shown without the plain rate beside it.

Sources: Spiegelhalter 2005 (funnel plots and their over-dispersion); Clayton and Kaldor 1987, Marshall 1991 (gamma
prior by moments).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from riskmodel.population.estimate import Estimate, Numbers, checked, same_length
from riskmodel.population.rates import LEAST_TO_STANDARDISE

SHRUNK = "shrunk towards all places (gamma prior by moments, Marshall 1991)"
_BANDS = (0.001, 0.025, 0.975, 0.999)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Places beside what chance allows for their size.

    Attributes
    ----------
    centre : float, the rate of all places together
    dispersion : float, how much more places differ than chance (1 at least); the limits are widened by its root
    limits : tuple of (size, low 99.8 %, low 95 %, high 95 %, high 99.8 %)
    outside : (places,) bool, beyond the 99.8 % limits of its size
    """

    centre: float
    dispersion: float
    limits: tuple[tuple[float, float, float, float, float], ...]
    outside: tuple[bool, ...]


def funnel(counts: npt.ArrayLike, exposure: npt.ArrayLike, *, per: float = 1000) -> Funnel:
    """Limits for rates of places of any size.

    Parameters
    ----------
    counts, exposure : (places,) events, and people or person-years above 0
    per : the exposure that a rate is for

    Examples
    --------
    >>> made = funnel([50, 52, 48, 51, 120], [1000] * 5)
    >>> made.outside
    (False, False, False, False, True)
    """
    events, people = checked("counts", counts), checked("exposure", exposure, above=0)
    same_length(counts=events, exposure=people)
    centre = float(events.sum() / people.sum())
    dispersion = _dispersion(events, people * centre)
    sizes = np.geomspace(people.min() * 0.7, people.max() * 1.1, 40)
    limits = tuple((float(size), *_limits(float(size), centre, dispersion, per)) for size in sizes)
    outside = []
    for count, size in zip(events, people, strict=True):
        low, _, _, high = _limits(float(size), centre, dispersion, per)
        outside.append(not low <= count / size * per <= high)
    return Funnel(centre * per, dispersion, limits, tuple(outside))


def _limits(size: float, centre: float, dispersion: float, per: float) -> tuple[float, float, float, float]:
    """Poisson limits about the expected count, the distances widened by the root of the dispersion."""
    expected, root = size * centre, float(np.sqrt(dispersion))
    ends = [max(0.0, expected + root * (float(stats.poisson.ppf(band, expected)) - expected)) for band in _BANDS]
    low_far, low, high, high_far = (end / size * per for end in ends)
    return low_far, low, high, high_far


def _dispersion(events: Numbers, expected: Numbers) -> float:
    """Mean squared z value, a tenth of the places at each end drawn in (Spiegelhalter 2005)."""
    z = 2 * (np.sqrt(events + 0.375) - np.sqrt(expected + 0.375))
    drawn_in = np.clip(z, *np.quantile(z, [0.1, 0.9]))
    mean = float(np.mean(drawn_in**2))
    # Spiegelhalter keeps the plain limits unless the excess is beyond chance
    return mean if mean > 1 + 2 * np.sqrt(2 / len(z)) else 1.0


def shrunk_rates(
    counts: npt.ArrayLike, exposure: npt.ArrayLike, *, per: float = 1000, confidence: float = 0.95
) -> tuple[Estimate, ...]:
    """The rate of each place, shrunk towards that of all as far as its own events leave it open.

    Examples
    --------
    A place without any event is not said to be without risk, and one with many hardly moves:

    >>> made = shrunk_rates([0, 10, 30, 400], [50, 500, 1000, 10_000])
    >>> [round(one.value) for one in made]
    [37, 35, 36, 40]
    """
    events, people = checked("counts", counts), checked("exposure", exposure, above=0)
    same_length(counts=events, exposure=people)
    total = int(events.sum())
    if total < LEAST_TO_STANDARDISE or len(events) < 3:
        none = Estimate.none(total, SHRUNK, "fewer than ten events or three places")
        return tuple(none for _ in events)
    mean = float(events.sum() / people.sum())
    rates = events / people
    scatter = float(people @ (rates - mean) ** 2 / people.sum())
    between = max(0.0, scatter - mean * len(people) / float(people.sum()))
    if between == 0:
        between = 1e-9 * mean**2  # the places do not differ beyond chance: all get the common rate
    shape, rate = mean**2 / between, mean / between
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    made = []
    for count, size in zip(events, people, strict=True):
        own = stats.gamma(shape + count, scale=1 / (rate + size))
        low, high = (float(own.ppf(tail)) * per for tail in tails)
        value = float((shape + count) / (rate + size)) * per
        made.append(Estimate.of(value, low, high, int(count), SHRUNK, "an estimate: borrows from all places"))
    return tuple(made)
