"""How unequally harm falls: along the gradient of deprivation, and over places.

The slope and the relative index of inequality use all groups, each at the middle of its share of the population, not
only the two ends. A share of places that "hold half of all harm" says little alone: rare events pile up by chance, so
what chance alone would give stands beside it, and what the same places hold of harm that did not choose them.
None of this says what made the difference, nor anything about one person who lives there.

Sources: Mackenbach and Kunst 1997 (both indices); Sergeant and Firth 2006 (intervals); Bernasco and Steenbeek 2017
(the Gini coefficient where events are fewer than places).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from riskmodel.errors import DeclarationError
from riskmodel.population.estimate import IMPRECISE, OK, Estimate, Numbers, checked, critical_value, same_length
from riskmodel.population.rates import LEAST_TO_STANDARDISE
from riskmodel.seeds import stream

Scale = Literal["linear", "log"]

_STRAIGHT = 0.01
"""Below that p value the groups are said not to lie on the line."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """Inequality along an ordered population.

    Attributes
    ----------
    slope : Estimate, the fitted figure at the most deprived end minus that at the least deprived end
    relative : Estimate, the one over the other; above 1 when the deprived have more
    departure_p : float, chance of groups this far off the line by sampling alone; NaN with fewer than three groups
    """

    slope: Estimate
    relative: Estimate
    departure_p: float


def gradient_of_rates(
    counts: npt.ArrayLike,
    population: npt.ArrayLike,
    *,
    per: float = 1000,
    scale: Scale = "linear",
    confidence: float = 0.95,
) -> Gradient:
    """The gradient of rates of events.

    Parameters
    ----------
    counts : (k,) whole numbers, events of each group, the most deprived first (decile 1 of the English indices)
    population : (k,) above 0
    scale : "linear" or "log": what is taken to change evenly from one end to the other

    Returns
    -------
    Gradient; not estimable with fewer than ten events in all, or, on the log scale, with a group without any

    Examples
    --------
    >>> made = gradient_of_rates([40, 30, 20, 10], [1000] * 4)
    >>> round(made.slope.value, 3), round(made.relative.value, 3)     # falls by 10 a quarter, 45 to 5 end to end
    (40.0, 9.0)
    """
    events, people = checked("counts", counts, whole=True), checked("population", population, above=0)
    same_length(counts=events, population=people)
    total = int(events.sum())
    if total < LEAST_TO_STANDARDISE or (scale == "log" and not events.all()):
        why = f"fewer than {LEAST_TO_STANDARDISE} events, or a group without any where logarithms are taken"
        return Gradient(Estimate.none(total, _method(scale), why), Estimate.none(total, _method(scale), why), np.nan)
    # a group without events is not known exactly: the variance is that of the rate all groups share
    variance = np.where(events > 0, events, people * total / people.sum())
    values, errors = events / people * per, np.sqrt(variance) / people * per
    return gradient(values, errors, people, n=total, scale=scale, confidence=confidence)


def gradient(
    values: npt.ArrayLike,
    errors: npt.ArrayLike,
    population: npt.ArrayLike,
    *,
    n: int,
    scale: Scale = "linear",
    confidence: float = 0.95,
) -> Gradient:
    """The gradient of any figure with a standard error.

    Parameters
    ----------
    values, errors : (k,) the figure of each group and its standard error (above 0), the most deprived group first
    population : (k,) above 0, the weights
    n : the events or people that all rests on

    Notes
    -----
    Least squares weighted by population on the mid-ranks of the cumulative population. The interval carries the
    sampling errors of the groups' figures, not the scatter about the line; where that is more than sampling would
    give, the note says so.
    """
    level, spread = checked("values", values), checked("errors", errors, above=0)
    people = checked("population", population, above=0)
    same_length(values=level, errors=spread, population=people)
    _must_be_groups(len(level), scale)
    if scale == "log":
        checked("values", values, above=0)
        level, spread = np.log(level), spread / level
    share = people / people.sum()
    rank = np.cumsum(share) - share / 2
    design = np.column_stack([1 - rank, rank])  # its coefficients are the figures at both ends
    solver = np.linalg.solve((design * share[:, None]).T @ design, (design * share[:, None]).T)
    ends, covariance = solver @ level, (solver * spread**2) @ solver.T
    departure = _departure(level, spread, design @ solver)
    note = "" if not departure < _STRAIGHT else "the groups do not lie on the fitted line: read the groups themselves"
    method = _method(scale)
    return Gradient(
        _slope(ends, covariance, scale, n, confidence, method, note),
        _relative(ends, covariance, scale, n, confidence, method, note),
        departure,
    )


def _must_be_groups(groups: int, scale: str) -> None:
    if groups < 2 or scale not in ("linear", "log"):
        raise DeclarationError.of(
            "gradient-invalid",
            where="gradient",
            found=f"{groups} groups on the scale {scale!r}",
            expected='at least 2 groups and the scale "linear" or "log"',
            repair="Give the ordered groups, such as ten deciles.",
        )


def _method(scale: Scale) -> str:
    return f"weighted least squares on mid-ranks, {scale} scale (Mackenbach and Kunst 1997)"


def _slope(
    ends: Numbers, covariance: Numbers, scale: Scale, n: int, confidence: float, method: str, note: str
) -> Estimate:
    weights = np.array([1.0, -1.0]) if scale == "linear" else np.exp(ends) * [1, -1]
    value = float(weights @ ends) if scale == "linear" else float(weights.sum())
    half = critical_value(confidence) * float(np.sqrt(weights @ covariance @ weights))
    level = float(np.mean(ends if scale == "linear" else np.exp(ends)))
    state = OK if half <= abs(level) else IMPRECISE  # a slope may be 0, so its bounds are held against the level
    return Estimate(value, value - half, value + half, n, state, method, note)


def _relative(
    ends: Numbers, covariance: Numbers, scale: Scale, n: int, confidence: float, method: str, note: str
) -> Estimate:
    if scale == "linear" and ends.min() <= 0:
        return Estimate.none(n, method, "the line meets 0 before the end: use the log scale")
    ratio = float(ends[0] / ends[1] if scale == "linear" else np.exp(ends[0] - ends[1]))
    weights = np.array([1.0, -1.0]) / (ends if scale == "linear" else 1.0)
    factor = float(np.exp(critical_value(confidence) * np.sqrt(weights @ covariance @ weights)))
    return Estimate.of(ratio, ratio / factor, ratio * factor, n, method, note)


def _departure(level: Numbers, spread: Numbers, hat: Numbers) -> float:
    """Chance of residuals this large when the groups lie on the line and differ from it by sampling only."""
    if len(level) < 3:
        return float("nan")
    left = np.eye(len(level)) - hat
    residual = left @ level
    inverse = np.linalg.pinv((left * spread**2) @ left.T, rcond=1e-10, hermitian=True)
    return float(stats.chi2.sf(residual @ inverse @ residual, len(level) - 2))


@dataclass(frozen=True, slots=True)
class Concentration:
    """How far harm is concentrated in few places.

    Attributes
    ----------
    half : Estimate, share of the places that hold half of all events, the fullest first
    half_by_chance : (low, high) that share when every place has the same rate and only chance differs, 95 % of draws
    half_foreseen : float, the share needed when the places are chosen by one random half of the events and judged
        by the other half
    gini : Estimate, 0 even and 1 all in one place; where events are fewer than places, against the most even spread
    gini_by_chance : (low, high)
    curve : ((share of places, share of events), ...) of the Lorenz curve, fullest places first, at each tenth
    beyond_chance : bool, whether half the harm lies in fewer places than chance alone would give
    """

    half: Estimate
    half_by_chance: tuple[float, float]
    half_foreseen: float
    gini: Estimate
    gini_by_chance: tuple[float, float]
    curve: tuple[tuple[float, float], ...]

    @property
    def beyond_chance(self) -> bool:
        return self.half.value is not None and self.half.value < self.half_by_chance[0]

    @property
    def sentence(self) -> str:
        """What a reader may take from it."""
        if self.half.value is None:
            return f"Not estimable: {self.half.note}."
        low, high = (f"{100 * share:.0f}" for share in self.half_by_chance)
        return (
            f"Half of all events lie in {100 * self.half.value:.0f} % of the places. If all places had the same rate, "
            f"chance alone would put them in {low} to {high} %. Places chosen by one half of the events need "
            f"{100 * self.half_foreseen:.0f} % to hold half of the others."
        )


def concentration(
    counts: npt.ArrayLike,
    *,
    exposure: npt.ArrayLike | None = None,
    draws: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
) -> Concentration:
    """Concentration of events over places, beside what chance gives.

    Parameters
    ----------
    counts : (places,) whole numbers; places without events belong in it
    exposure : (places,) above 0, what the expected events are in proportion to (people, premises); all alike if None
    draws : int, of the simulations and of the bootstrap over places
    """
    events = checked("counts", counts, whole=True)
    weight = np.ones(len(events)) if exposure is None else checked("exposure", exposure, above=0)
    same_length(counts=events, exposure=weight)
    total, places, method = int(events.sum()), len(events), "bootstrap over places"
    if total < LEAST_TO_STANDARDISE or places < LEAST_TO_STANDARDISE:
        made = Estimate.none(total, method, f"fewer than {LEAST_TO_STANDARDISE} events or places")
        return Concentration(made, (np.nan, np.nan), np.nan, made, (np.nan, np.nan), ())
    draw = stream(seed, "concentration", places, total)
    chance = draw.multinomial(total, weight / weight.sum(), size=draws).astype(float)
    again = events[draw.integers(0, places, size=(draws, places))]
    again = again[again.sum(axis=1) > 0]
    chosen = draw.binomial(events.astype(np.int64), 0.5, size=(draws, places)).astype(float)
    foreseen = [_share_holding_half(one, events - one) for one in chosen if one.sum() < total]
    half = [_share_holding_half(one, one) for one in again]
    spread = [gini(one) for one in again]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    half_low, half_high = np.quantile(half, tails)
    gini_low, gini_high = np.quantile(spread, tails)
    chance_half = np.quantile([_share_holding_half(one, one) for one in chance], [0.025, 0.975])
    chance_gini = np.quantile([gini(one) for one in chance], [0.025, 0.975])
    return Concentration(
        Estimate.of(_share_holding_half(events, events), half_low, half_high, total, method),
        (float(chance_half[0]), float(chance_half[1])),
        float(np.mean(foreseen)),
        Estimate.of(gini(events), gini_low, gini_high, total, method),
        (float(chance_gini[0]), float(chance_gini[1])),
        _curve(events),
    )


def gini(counts: npt.ArrayLike) -> float:
    """The Gini coefficient; with fewer events than places, 0 is the most even spread there can be.

    ``max(1/c, 1/n) (2 sum(i y_i) - n - 1) - max(n/c, 1) + 1`` (Bernasco and Steenbeek 2017, equation 5).

    Examples
    --------
    >>> gini([5, 5, 5, 5]), gini([0, 0, 0, 20])
    (0.0, 0.75)
    >>> gini([1, 1, 0, 0])            # two events cannot be spread more evenly over four places
    0.0
    """
    events = np.sort(checked("counts", counts))
    total, places = float(events.sum()), len(events)
    if total == 0:
        return float("nan")
    moment = float(2 * np.arange(1, places + 1) @ (events / total) - places - 1)
    return max(1 / total, 1 / places) * moment - max(places / total, 1.0) + 1


def _share_holding_half(order_by: Numbers, events: Numbers) -> float:
    """Share of places, by falling `order_by`, that hold half of `events`; within a place taken in proportion.

    Places with the same `order_by` are taken together, each with their mean, so that no order among them matters.
    """
    _, tie = np.unique(-order_by, return_inverse=True)
    size = np.bincount(tie)
    held = np.concatenate([[0.0], np.cumsum(np.bincount(tie, weights=events))])
    places = np.concatenate([[0.0], np.cumsum(size)])
    half = held[-1] / 2
    at = int(np.searchsorted(held, half, side="left"))
    return float(places[at - 1] + (half - held[at - 1]) / (held[at] - held[at - 1]) * size[at - 1]) / len(events)


def _curve(events: Numbers) -> tuple[tuple[float, float], ...]:
    held = np.concatenate([[0.0], np.cumsum(np.sort(events)[::-1])]) / events.sum()
    at = np.linspace(0, 1, 11)
    shares = np.interp(at * len(events), np.arange(len(events) + 1), held)
    return tuple((round(float(one), 10), float(other)) for one, other in zip(at, shares, strict=True))
