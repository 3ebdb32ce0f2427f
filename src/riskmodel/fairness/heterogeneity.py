"""Do the groups differ at all? One test over all groups, and how far their true values are spread.

The largest minus the smallest of several noisy figures is large by chance alone: six groups with the same true rate
show a gap. So a gap is not what is tested. The test asks whether the groups differ more than people drawn at random
would, allows for rows that belong to one person, and loses no grip with small groups because the noise of a share
is taken from the rate that all groups would share. The spread is the standard deviation between the groups' true
values with the noise taken off; it can be 0. Nothing here looks at a group that cannot be estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from riskmodel.fairness.measures import Measure, added, auroc_influences, influences_of, value_of
from riskmodel.models.metrics import Numbers

_BORROWED = 50.0
"""A group's own clustering counts as so many people's worth against that of all groups together."""


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """The test of equal figures over the groups, and the spread of their true values.

    Attributes
    ----------
    groups : int, groups that could be compared
    statistic, df_groups, df_people : Welch's F and its degrees of freedom
    p : float, chance of groups this different or more when all are alike
    spread, low, high : float, standard deviation between true values (random effects), with its interval; NaN for
        two groups, for which the difference says all
    variances : sampling variance of each group compared, if all were alike
    """

    groups: int
    statistic: float
    df_groups: float
    df_people: float
    p: float
    spread: float
    low: float
    high: float
    variances: tuple[float, ...]


def heterogeneity(
    measure: Measure, sums: Numbers, blocks: Numbers, people: Numbers, kept: Sequence[int], confidence: float
) -> Heterogeneity | None:
    """Compare the groups on one figure; None when fewer than two can be compared.

    Parameters
    ----------
    sums : (n_sums, n_groups)
    blocks : (n_sums, n_blocks, n_groups)
    people : (n_groups,), the people each figure rests on
    kept : the groups that can be estimated; no other is looked at
    """
    if len(kept) < 2:
        return None
    parts = auroc_influences(sums, blocks) if measure.kind == "auroc" else (influences_of(measure, sums, blocks),)
    squares = [_squares(part)[kept] for part in (sum(parts[1:], parts[0]), *parts)]
    sums, people = sums[:, kept], people[kept]
    value = value_of(measure, sums)
    own = under_null = _corrected(squares[0], people)
    if measure.kind == "auroc":
        under_null = _null_variance_of_auroc(sums, squares, people)
    elif measure.kind in ("share", "ratio"):
        under_null = _null_variance(measure, sums, own, people)
    if not np.isfinite(value).all() or not np.all(under_null > 0):
        return None
    statistic, df_people = _welch(value, under_null, people)
    if not np.isfinite([statistic, df_people]).all():
        return None
    df_groups = float(len(value) - 1)
    p = float(stats.f.sf(statistic, df_groups, df_people))
    spread, low, high = between_groups(value, np.where(own > 0, own, under_null), confidence)
    return Heterogeneity(
        len(value), statistic, df_groups, df_people, p, spread, low, high, tuple(map(float, under_null))
    )


def allowed_for(p_values: Sequence[float]) -> list[float]:
    """P values that allow for how many were looked at (Holm 1979).

    Examples
    --------
    >>> allowed_for([0.01, 0.04, 0.03])        # 3 x 0.01; 2 x 0.03; then no smaller than the one before
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    made, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, float(p_values[position]) * (len(p_values) - rank)))
        made[int(position)] = largest
    return made


def between_groups(value: Numbers, variance: Numbers, confidence: float) -> tuple[float, float, float]:
    """Standard deviation of the groups' true values with the noise taken off (Paule and Mandel 1982).

    The interval is that of the Q profile (Viechtbauer 2007).

    Examples
    --------
    >>> between_groups(np.array([0.30, 0.31, 0.29]), np.array([0.01, 0.01, 0.01]), 0.95)[:2]
    (0.0, 0.0)
    """
    df = len(value) - 1
    if df < 2:
        return np.nan, np.nan, np.nan
    tail = (1 - confidence) / 2
    levels = (float(df), float(stats.chi2.ppf(1 - tail, df)), float(stats.chi2.ppf(tail, df)))
    estimate, low, high = (_spread_at(value, variance, level) for level in levels)
    return estimate, low, high


def _spread_at(value: Numbers, variance: Numbers, level: float) -> float:
    """The spread at which the weighted squares equal `level`; 0 when they are below it without any spread."""

    def excess(squared: float) -> float:
        weight = 1 / (variance + squared)
        return float(weight @ (value - weight @ value / weight.sum()) ** 2) - level

    if excess(0.0) <= 0:
        return 0.0
    upper = float(np.ptp(value) ** 2 + variance.max())
    while excess(upper) > 0:
        upper *= 4
    return float(np.sqrt(optimize.brentq(excess, 0.0, upper, xtol=1e-14, rtol=1e-12)))


def _squares(influence: Numbers) -> Numbers:
    return np.asarray(np.einsum("bg,bg->g", influence, influence))


def _corrected(squares: Numbers, people: Numbers) -> Numbers:
    return np.asarray(squares * people / np.maximum(people - 1, 1))


def _null_variance(measure: Measure, sums: Numbers, own: Numbers, people: Numbers) -> Numbers:
    """Each group's sampling variance if all groups were alike.

    For a share it is that of independent rows at the common rate, times how much the rows of one person go together:
    at least 1, and for a small group mostly what all groups together show.
    """
    above, below = added(sums, measure.above), added(sums, measure.below)
    common = float(above.sum() / below.sum())
    if measure.kind == "share":
        independent = measure.per**2 * common * (1 - common) / below
        at_own = measure.per**2 * (above / below) * (1 - above / below) / below
    else:
        doubt = added(sums, {"doubt": 1})
        independent = common * doubt / below**2
        at_own = (above / below) * doubt / below**2
    usable = at_own > 0
    own_effect = np.where(usable, own / np.where(usable, at_own, 1.0), 1.0)
    return np.asarray(independent * np.maximum(_borrowing(own_effect, people), 1.0))


def _null_variance_of_auroc(sums: Numbers, squares: Sequence[Numbers], people: Numbers) -> Numbers:
    """The same for the AUROC: the scatter of placements, for a small group mostly that of all groups together.

    `squares` are those of the whole influence, of the part of those with the outcome, and of those without.
    """
    total = np.zeros(len(people))
    marks: tuple[dict[str, int], ...] = ({"yes": 1}, {"known": 1, "yes": -1})
    for part, mark in zip(squares[1:], marks, strict=True):
        rows = added(sums, mark)
        total += _borrowing(_corrected(part, people) * rows, people) / rows
    # One person can have rows of both sorts, whose errors partly cancel.
    apart = squares[1] + squares[2]
    kept = np.divide(squares[0], apart, out=np.ones_like(apart), where=apart > 0)
    return np.asarray(total * float(np.average(kept, weights=people)))


def _borrowing(own: Numbers, people: Numbers) -> Numbers:
    """A group's own value and that of all groups together, weighed by its people."""
    shared = float(np.average(own, weights=people))
    return np.asarray((people * own + _BORROWED * shared) / (people + _BORROWED))


def _welch(value: Numbers, variance: Numbers, people: Numbers) -> tuple[float, float]:
    """Welch's F of unequal variances and its second degrees of freedom (Welch 1951)."""
    k = len(value)
    weight = 1 / variance
    share = weight / weight.sum()
    uneven = float(((1 - share) ** 2 / np.maximum(people - 1, 1)).sum()) / (k**2 - 1)
    squares = float(weight @ (value - share @ value) ** 2) / (k - 1)
    return squares / (1 + 2 * (k - 2) * uneven), 1 / (3 * uneven)
