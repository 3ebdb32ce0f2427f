"""What searches find: the outcome test, and the threshold test without which it misleads.

The outcome test compares find rates: if those of one group find less, the bar for searching it seems lower. But a find
rate is an average over everybody searched, not the find rate of those just above the bar. Two groups held to the same
bar can have different find rates because their risk is spread differently, and a lower bar can hide behind equal ones
(infra-marginality). The threshold test estimates the bar itself, from how often each group is searched and how often
something is found, over many places. It rests on its model: who is searched first is taken to be who looks likeliest.
Neither is evidence about one search or one officer.

Sources: Knowles, Persico and Todd 2001 (outcome test); Ayres 2002 (infra-marginality); Simoiu, Corbett-Davies and Goel
2017 (threshold test); Pierson, Corbett-Davies and Goel 2018 (the discriminant distributions used here).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy import optimize, special

from riskmodel.errors import DataRefused
from riskmodel.population.estimate import IMPRECISE, OK, Estimate, Numbers, checked, critical_value
from riskmodel.population.rates import share

INFRA_MARGINALITY: Final = (
    "A find rate is an average over all who were searched, not over those just above the bar: with the same bar, "
    "groups whose risk is spread differently have different find rates, so find rates alone can accuse wrongly and "
    "acquit wrongly."
)
"""Why the outcome test alone misleads; printed with every result."""

_LEAST_PLACES = 5
_SPREAD_OF_PLACES = 1.0
_LEVEL = (-3.0, 2.0)
_CLARITY = (0.5, 0.7)
_BAR = (-1.5, 2.0)


@dataclass(frozen=True, repr=False, eq=False)
class Stops:
    """Who could be searched, who was, and where something was found, by place and group.

    Attributes
    ----------
    places, groups : tuple of str
    stopped, searched, found : (places, groups) float64; found <= searched <= stopped. For searches on foot, "stopped"
        is the people present who could have been searched, which residents stand in for badly.
    """

    places: tuple[str, ...]
    groups: tuple[str, ...]
    stopped: Numbers = field()
    searched: Numbers = field()
    found: Numbers = field()

    def __post_init__(self) -> None:
        shape = (len(self.places), len(self.groups))
        for name in ("stopped", "searched", "found"):
            checked(name, getattr(self, name).ravel(), whole=True)
        nested = (self.found <= self.searched).all() and (self.searched <= self.stopped).all()
        if self.stopped.shape != shape or self.searched.shape != shape or self.found.shape != shape or not nested:
            raise DataRefused(
                "stops-invalid",
                found="counts that do not lie in one another, or another shape than places by groups",
                expected="found <= searched <= stopped for every place and group",
                repair="Count finds among searches, and searches among those who could have been searched.",
            )

    def __repr__(self) -> str:
        return f"Stops({len(self.places)} places, {len(self.groups)} groups, {int(self.searched.sum()):,} searches)"


@dataclass(frozen=True, slots=True)
class OutcomeTests:
    """Find rates, and the bars behind them.

    Attributes
    ----------
    groups : tuple of str
    find_rates : tuple of Estimate, share of searches that found something (Wilson's interval)
    bars : tuple of Estimate, the chance of finding something above which somebody of the group is searched
    bar_difference : tuple of Estimate, each group's bar less that of the reference; below 0 means searched on less
    reference : str
    dispersion : float, Pearson's statistic by degrees of freedom; the intervals are widened by it when above 1
    cautions : tuple of str
    """

    groups: tuple[str, ...]
    find_rates: tuple[Estimate, ...]
    bars: tuple[Estimate, ...]
    bar_difference: tuple[Estimate, ...]
    reference: str
    dispersion: float
    cautions: tuple[str, ...]

    def __str__(self) -> str:
        lines = []
        for group, find, bar in zip(self.groups, self.find_rates, self.bars, strict=True):
            lines.append(f"{group}: searches find something {_percent(find)}; bar for searching {_percent(bar)}")
        return "\n".join([*lines, *(f"- {caution}" for caution in self.cautions)])


def outcome_tests(stops: Stops, *, reference: str, confidence: float = 0.95) -> OutcomeTests:
    """The outcome test and the threshold test, always together.

    Raises
    ------
    DataRefused : broken counts, or a reference that is no group of the table
    """
    if reference not in stops.groups:
        raise DataRefused(
            "group-unknown",
            found=repr(reference),
            expected=f"one of {', '.join(stops.groups)}",
            repair="Name a group of the table to compare with.",
        )
    totals = zip(stops.found.sum(axis=0), stops.searched.sum(axis=0), strict=True)
    rates = tuple(share(found, searched, confidence=confidence) for found, searched in totals)
    base = stops.groups.index(reference)
    bars, differences, dispersion = _bars(stops, base, confidence)
    cautions = [
        INFRA_MARGINALITY,
        (
            "The bar is that of a model in which the likeliest are searched first and places differ in one way for all "
            "groups; another model would give another bar."
        ),
    ]
    if dispersion > 1:
        cautions.append(
            f"The counts scatter {dispersion:.1f} times as much as the model says; the intervals are widened for it."
        )
    return OutcomeTests(stops.groups, rates, bars, differences, reference, dispersion, tuple(cautions))


def _bars(stops: Stops, base: int, confidence: float) -> tuple[tuple[Estimate, ...], tuple[Estimate, ...], float]:
    groups = len(stops.groups)
    method = "threshold test, most probable values with curvature (Simoiu, Corbett-Davies and Goel 2017)"
    searched, found = stops.searched.sum(axis=0), stops.found.sum(axis=0)
    few = len(stops.places) < _LEAST_PLACES or (found < 10).any() or (searched - found < 10).any()
    fit = None if few or groups < 2 else _most_probable(stops)
    if fit is None:
        why = f"fewer than {_LEAST_PLACES} places or two groups, or fewer than ten finds or searches without one"
        none = tuple(Estimate.none(int(count), method, why) for count in searched)
        return none, none, float("nan")
    best, covariance = fit
    dispersion = _dispersion(best, stops)
    covariance *= max(1.0, dispersion)
    critical = critical_value(confidence)
    bars, differences = [], []
    for place in range(groups):
        n, base_n = int(searched[place]), int(searched[base])
        bars.append(_bar(best, covariance, 2 * groups + place, critical, n, method))
        gap = _gap(best, covariance, (2 * groups + place, 2 * groups + base), critical, min(n, base_n), method)
        differences.append(gap)
    return tuple(bars), tuple(differences), dispersion


def _bar(best: Numbers, covariance: Numbers, at: int, critical: float, n: int, method: str) -> Estimate:
    half = critical * float(np.sqrt(covariance[at, at]))
    low, value, high = (float(special.expit(best[at] + step)) for step in (-half, 0.0, half))
    return Estimate.of(value, low, high, n, method)


def _gap(best: Numbers, covariance: Numbers, at: tuple[int, int], critical: float, n: int, method: str) -> Estimate:
    own, other = (float(special.expit(best[place])) for place in at)
    slope = np.zeros(len(best))
    slope[at[0]] += own * (1 - own)
    slope[at[1]] -= other * (1 - other)
    half = critical * float(np.sqrt(np.maximum(0.0, slope @ covariance @ slope)))
    state = OK if half <= max(own, other) else IMPRECISE
    return Estimate(own - other, own - other - half, own - other + half, n, state, method)


def _most_probable(stops: Stops) -> tuple[Numbers, Numbers] | None:
    """The values that the counts and the weak priors make most probable, and their covariance by curvature."""
    places, groups = len(stops.places), len(stops.groups)
    start = np.concatenate(
        [np.full(groups, _LEVEL[0]), np.full(groups, _CLARITY[0]), np.full(groups, _BAR[0]), np.zeros(2 * places)]
    )
    bounds = [(-9, 5)] * groups + [(-2, 2.5)] * groups + [(-8, 6)] * groups + [(-5, 5)] * places + [(-2, 2)] * places
    found = optimize.minimize(
        _surprise, start, args=(stops,), method="L-BFGS-B", jac=_slope, bounds=bounds, options={"maxiter": 2000}
    )
    if not found.success:
        return None
    best = np.asarray(found.x, dtype=np.float64)
    step = 1e-5
    curvature = np.array(
        [
            (_slope(best + step * one, stops) - _slope(best - step * one, stops)) / (2 * step)
            for one in np.eye(len(best))
        ]
    )
    curvature = (curvature + curvature.T) / 2
    if np.linalg.eigvalsh(curvature).min() <= 0:
        return None
    return best, np.linalg.inv(curvature)


def _chances(values: Numbers, stops: Stops) -> tuple[Numbers, Numbers]:
    """(places, groups) chance of being searched, and of a find given a search.

    The signal is standard normal for those who carry nothing and moved up by `clarity` for those who do; the share who
    carry is `level`. The bar on the chance of a find is one on the signal, because the one rises with the other.
    """
    level, clarity, bar = _parts(values, stops)
    cut = (bar - level) / clarity + clarity / 2
    carry = special.expit(level)
    hit, miss = carry * special.ndtr(clarity - cut), (1 - carry) * special.ndtr(-cut)
    search = np.clip(hit + miss, 1e-12, 1 - 1e-12)
    return search, np.clip(hit / search, 1e-12, 1 - 1e-12)


def _parts(values: Numbers, stops: Stops) -> tuple[Numbers, Numbers, Numbers]:
    places, groups = len(stops.places), len(stops.groups)
    level, clarity, bar = values[:groups], values[groups : 2 * groups], values[2 * groups : 3 * groups]
    level_of, clarity_of = values[3 * groups : 3 * groups + places], values[3 * groups + places :]
    return level + level_of[:, None], np.exp(clarity + clarity_of[:, None]), bar + np.zeros((places, 1))


def _surprise(values: Numbers, stops: Stops) -> float:
    """Minus the logarithm of likelihood and priors, up to a constant."""
    search, find = _chances(values, stops)
    likely = special.xlogy(stops.searched, search) + special.xlogy(stops.stopped - stops.searched, 1 - search)
    likely += special.xlogy(stops.found, find) + special.xlogy(stops.searched - stops.found, 1 - find)
    centres, spreads = _priors(stops)
    return float(-likely.sum() + 0.5 * np.sum(((values - centres) / spreads) ** 2))


def _slope(values: Numbers, stops: Stops) -> Numbers:
    """Gradient of `_surprise`, worked out by the chain rule from the two chances."""
    level, clarity, bar = _parts(values, stops)
    search, find = _chances(values, stops)
    cut = (bar - level) / clarity + clarity / 2
    carry = special.expit(level)
    hit = carry * special.ndtr(clarity - cut)
    over, under = _density(clarity - cut) * carry, _density(cut) * (1 - carry)
    by_search = stops.searched / search - (stops.stopped - stops.searched) / (1 - search)
    by_find = stops.found / find - (stops.searched - stops.found) / (1 - find)
    # the find chance is hit / search
    to_hit, to_miss = by_search + by_find * (search - hit) / search**2, by_search - by_find * hit / search**2
    tilt = carry * (1 - carry)
    cut_level, cut_clarity, cut_bar = -1 / clarity, -(bar - level) / clarity**2 + 0.5, 1 / clarity
    of_cut = -to_hit * over - to_miss * under
    of_level = of_cut * cut_level + tilt * (to_hit * special.ndtr(clarity - cut) - to_miss * special.ndtr(-cut))
    of_clarity = (of_cut * cut_clarity + to_hit * over) * clarity
    slope = np.concatenate(
        [
            of_level.sum(axis=0),
            of_clarity.sum(axis=0),
            (of_cut * cut_bar).sum(axis=0),
            of_level.sum(axis=1),
            of_clarity.sum(axis=1),
        ]
    )
    centres, spreads = _priors(stops)
    return np.asarray(-slope + (values - centres) / spreads**2, dtype=np.float64)


def _priors(stops: Stops) -> tuple[Numbers, Numbers]:
    """Weak normal priors: centres and spreads of all values, places about 0."""
    places, groups = len(stops.places), len(stops.groups)
    own = (_LEVEL, _CLARITY, _BAR)
    centres = np.concatenate([np.repeat([centre for centre, _ in own], groups), np.zeros(2 * places)])
    spreads = [spread for _, spread in own]
    of_places = [np.full(places, _SPREAD_OF_PLACES), np.full(places, _SPREAD_OF_PLACES / 2)]
    return centres, np.concatenate([np.repeat(spreads, groups), *of_places])


def _dispersion(values: Numbers, stops: Stops) -> float:
    """Pearson's statistic of searches and finds by degrees of freedom."""
    search, find = _chances(values, stops)
    total, cells = 0.0, 0
    for among, count, chance in ((stops.stopped, stops.searched, search), (stops.searched, stops.found, find)):
        expected = among * chance
        held = (expected >= 1) & (among - expected >= 1)
        total += float(np.sum((count - expected)[held] ** 2 / (expected * (1 - chance))[held]))
        cells += int(held.sum())
    return total / max(1, cells - len(values))


def _density(at: Numbers) -> Numbers:
    return np.asarray(np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), dtype=np.float64)


def _percent(made: Estimate) -> str:
    if made.value is None or made.low is None or made.high is None:
        return f"not estimable ({made.note})"
    return f"{100 * made.value:.1f} % ({100 * made.low:.1f} to {100 * made.high:.1f})"
