"""Did the policy narrow or widen the gap? Effects where need is greatest and least, their difference, and the slope.

Units are ranked (by deprivation, say) and cut into groups of equal size; in each group the treated are compared with
untreated units of the same group, so that a swing that only poor areas feel is not taken for the policy. The slope is
the change of the slope index of inequality: how the effect changes from the bottom of the ranking to its top.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.policies.effects import Asked, Effect, interval
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.panel import Numbers, Panel


@dataclass(frozen=True, slots=True)
class Change:
    """A number with its interval; NaN when it cannot be estimated."""

    estimate: float
    se: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class InequalityEffect:
    """What a policy did to a gap.

    Attributes
    ----------
    outcome : str
    groups : tuple of Effect, from the least in need (lowest rank) to the most
    levels : tuple of float, mean outcome of the treated in each group before they started
    gap : Change, the effect on the most less that on the least in need: below 0 the gap narrows where less is better
    slope : Change, of the slope index: the effect at the top of the ranking less that at its bottom
    gap_before : float, the gap of the levels
    sentence : str
    """

    outcome: str
    groups: tuple[Effect, ...] = field(repr=False)
    levels: tuple[float, ...]
    gap: Change
    slope: Change
    gap_before: float
    sentence: str


def inequality_effect(
    panel: Panel, rank: Numbers, asked: Asked, estimate: Estimator, *, groups: int = 3
) -> InequalityEffect:
    """The effect on inequality.

    Parameters
    ----------
    rank : (n,) any number that orders units, the neediest highest
    groups : how many, at least 2

    Raises
    ------
    DeclarationError : unknown ranks, or a group without treated or without untreated units
    """
    of = _cut(rank, groups)
    _must_be_mixed(panel, of, groups)
    made = tuple(estimate(panel.keeping(of == group), asked) for group in range(groups))
    values = panel.measure(asked.outcome)
    before = panel.treated[:, None] & ~panel.under_treatment
    levels = tuple(float(values[before & (of == group)[:, None]].mean()) for group in range(groups))
    estimates, errors = np.asarray([each.estimate for each in made]), np.asarray([each.se for each in made])
    apart = np.zeros(groups)
    apart[0], apart[-1] = -1.0, 1.0
    place = (np.arange(groups) + 0.5) / groups  # ridit: the middle of the group on a scale from 0 to 1
    slope = (place - place.mean()) / ((place - place.mean()) ** 2).sum()
    gap = _combined(apart, estimates, errors, asked.confidence)
    slid = _combined(slope, estimates, errors, asked.confidence)
    gap_before = levels[-1] - levels[0]
    return InequalityEffect(
        asked.outcome, made, levels, gap, slid, gap_before, _sentence(asked.outcome, gap, gap_before, asked.confidence)
    )


def _cut(rank: Numbers, groups: int) -> np.ndarray:
    rank = np.asarray(rank, np.float64)
    if groups < 2 or not np.isfinite(rank).all():
        raise DeclarationError.of(
            "rank-unusable",
            where="inequality",
            found=f"{int((~np.isfinite(rank)).sum())} unit(s) without a rank, {groups} groups",
            expected="a rank of every unit and at least two groups",
            repair="Rank every unit of the study, or do not judge inequality.",
        )
    order = np.argsort(np.argsort(rank, kind="stable"), kind="stable")
    return np.asarray(order * groups // len(rank))


def _must_be_mixed(panel: Panel, of: np.ndarray, groups: int) -> None:
    lacking = [
        group + 1
        for group in range(groups)
        if min(int(panel.treated[of == group].sum()), int((~panel.treated[of == group]).sum())) < 2
    ]
    if lacking:
        raise DeclarationError.of(
            "rank-groups-empty",
            where="inequality",
            found=f"group(s) {', '.join(map(str, lacking))} of {groups} with fewer than two treated or untreated units",
            expected="both in every group",
            repair="Use fewer groups; where only the neediest were treated, a change of the gap cannot be learnt.",
        )


def _combined(shares: np.ndarray, estimates: np.ndarray, errors: np.ndarray, confidence: float) -> Change:
    """A weighted sum of effects of different units, which are independent."""
    estimate, se = float(shares @ estimates), float(np.sqrt((shares**2) @ (errors**2)))
    return Change(estimate, se, *interval(estimate, se, confidence))


def _sentence(outcome: str, gap: Change, before: float, confidence: float) -> str:
    if not np.isfinite(gap.low):
        return f"Whether the gap in {outcome} changed cannot be estimated."
    figures = f"{gap.estimate:+.3g}, {confidence:.0%} interval {gap.low:+.3g} to {gap.high:+.3g}"
    start = f"Before the start those most in need had {abs(before):.3g} {'more' if before > 0 else 'fewer'} {outcome}"
    if gap.low <= 0 <= gap.high:
        return f"{start} a period than those least in need; no change of that gap is shown ({figures})."
    narrower = (gap.estimate < 0) == (before > 0)
    return (
        f"{start} a period than those least in need; the gap became {'narrower' if narrower else 'wider'} ({figures})."
    )
