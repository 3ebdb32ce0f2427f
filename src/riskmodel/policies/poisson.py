"""Counts: what treated cells would have counted, if units and periods multiply (Wooldridge 2023, by imputation).

A unit's level times a period's swing is fitted to the untreated cells by Poisson likelihood, which is right for counts
of any spread as long as the mean is. Where a swing is felt in proportion to an area's level, this is right and
differences of counts are not. Effects come out as counts, or as the log of a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.imputation import not_estimable, periods_without_untreated
from riskmodel.policies.panel import Mask, Numbers, Panel

_MOST_ROUNDS, _NEAR = 2_000, 1e-12


def poisson(panel: Panel, asked: Asked, *, scale: Literal["count", "log_ratio"] = "count") -> Effect:
    """The average effect on treated cells, in counts or as ``log(counted / expected)``, and by time since the start.

    Standard errors come from the stacked estimating equations of levels, swings and average, clustered by unit.

    Raises
    ------
    DeclarationError : weights, or a roll-out that allows no comparison
    DataRefused : unknown cells, or negative counts
    """
    panel.must_allow(everyone=True)
    if asked.weights is not None:
        raise DeclarationError.of(
            "weights-unknown", where="poisson", found=f"weights {asked.weights}", expected="no weights",
            repair="Ask without weights, or use imputation on rates.",
        )  # fmt: skip
    counts, treated = panel.measure(asked.outcome), panel.under_treatment
    if (counts < 0).any():
        raise DataRefused(
            "counts-negative", found=f"{int((counts < 0).sum())} negative cell(s) of {asked.outcome}",
            expected="counts", repair="Use imputation for measures that may be negative.",
        )  # fmt: skip
    if lost := periods_without_untreated(np.ones_like(counts), treated):
        return not_estimable(panel, asked, "poisson", lost)
    fit = _Fit.of(counts, ~treated)
    event_time = np.arange(panel.n_periods)[None, :] - panel.starts[:, None]
    times = sorted({int(time) for time in event_time[treated].tolist()})
    made = [fit.average(target, scale) for target in (treated, *(event_time == time for time in times))]
    estimates, influences = np.asarray([each for each, _ in made]), np.stack([each for _, each in made], axis=1)
    se = np.sqrt((influences**2).sum(axis=0))
    members = [int((event_time == time).any(axis=1).sum()) for time in times]
    return effect(
        panel,
        asked,
        asked.conduct(panel, "poisson"),
        float(estimates[0]),
        float(se[0]),
        events=event_effects(times, estimates[1:], se[1:], members, asked),
        covariance=influences[:, 1:].T @ influences[:, 1:],
        influence=influences[:, 0],
        freedom=max(min(int(panel.treated.sum()), panel.n_units) - 1, 1),
    )


@dataclass(frozen=True, repr=False, eq=False)
class _Fit:
    """Levels of units and swings of periods, fitted to the cells where `used` is true.

    Attributes
    ----------
    counts : (n, T)
    used : (n, T) bool, untreated cells
    level : (n,)
    swing : (T,) mean 1
    """

    counts: Numbers
    used: Mask
    level: Numbers
    swing: Numbers

    @classmethod
    def of(cls, counts: Numbers, used: Mask) -> _Fit:
        """Levels and swings in turn until the margins of the used cells are met: the Poisson likelihood's maximum."""
        weights = used.astype(np.float64)
        per_unit, per_period = (counts * weights).sum(axis=1), (counts * weights).sum(axis=0)
        swing = np.ones(counts.shape[1])
        for _ in range(_MOST_ROUNDS):
            level = per_unit / np.maximum(weights @ swing, 1e-300)
            expected = weights.T @ level
            new = np.where(expected > 0, per_period / np.where(expected > 0, expected, 1.0), 0.0)
            new = new / new.mean() if new.mean() > 0 else np.ones_like(new)
            far, swing = float(np.abs(new - swing).max()), new
            if far < _NEAR:
                break
        return cls(counts, used, per_unit / np.maximum(weights @ swing, 1e-300), swing)

    def average(self, target: Mask, scale: str) -> tuple[float, Numbers]:
        """The effect in the target cells and the (n,) influence of the units."""
        expected = self.level[:, None] * self.swing[None, :]
        seen, wanted = np.where(target, self.counts, 0.0), np.where(target, expected, 0.0)
        cells, total, foreseen = float(target.sum()), float(seen.sum()), float(wanted.sum())
        through = self._through_swings(target)
        if scale == "count":
            estimate = (total - foreseen) / cells
            own = ((seen - wanted).sum(axis=1) - estimate * target.sum(axis=1)) / cells
            return estimate, own - through / cells
        if total <= 0 or foreseen <= 0:
            return float("nan"), np.full(len(self.level), np.nan)
        own = seen.sum(axis=1) / total - wanted.sum(axis=1) / foreseen
        return float(np.log(total / foreseen)), own - through / foreseen

    def _through_swings(self, target: Mask) -> Numbers:
        """(n,) how each unit moves the expected total of the target by moving the fitted swings."""
        used, level, swing = self.used.astype(np.float64), self.level, self.swing
        at_risk = np.maximum(used @ swing, 1e-300)
        score = used * (self.counts - level[:, None] * swing[None, :])
        share = level / at_risk
        curve = np.diag(used.T @ level) - swing[:, None] * (used.T @ (used * share[:, None]))
        inside = target.astype(np.float64)
        slope = inside.T @ level - (inside @ swing * share) @ used
        return np.asarray(score @ np.linalg.pinv(curve, rcond=1e-10).T @ slope)
