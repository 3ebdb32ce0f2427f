"""Least squares with an effect for each unit and each period, exactly, without making a column for either.

Units are eliminated one by one (their block is diagonal), which leaves one small system over the periods. Weights may
differ from cell to cell and may be 0 (the cell is then not in the fit). It knows no treatment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskmodel.policies.panel import Numbers


@dataclass(frozen=True, repr=False, eq=False)
class TwoWay:
    """The normal equations of ``x[i, t] = unit[i] + period[t]`` under weights, factorised once.

    Attributes
    ----------
    weights : (n, T)
    unit_weight : (n,) sums of weights; a unit with 0 has no effect to find
    inverse : (T, T) pseudo-inverse of the system over the periods (units and periods share one constant)
    """

    weights: Numbers
    unit_weight: Numbers
    inverse: Numbers

    @classmethod
    def of(cls, weights: Numbers) -> TwoWay:
        unit_weight = weights.sum(axis=1)
        share = weights / np.where(unit_weight > 0, unit_weight, 1.0)[:, None]
        system = np.diag(weights.sum(axis=0)) - weights.T @ share
        return cls(weights, unit_weight, np.asarray(np.linalg.pinv(system, rcond=1e-12, hermitian=True), np.float64))

    def solve(self, unit_totals: Numbers, period_totals: Numbers) -> Numbers:
        """(n, T) sum of the unit and period effects whose normal equations have these right-hand sides."""
        safe = np.where(self.unit_weight > 0, self.unit_weight, 1.0)
        scaled = np.where(self.unit_weight > 0, unit_totals / safe, 0.0)
        period = self.inverse @ (period_totals - self.weights.T @ scaled)
        unit = scaled - (self.weights @ period) / safe
        return np.asarray(unit[:, None] + period[None, :])

    def fitted(self, values: Numbers) -> Numbers:
        """(n, T) fitted values of `values`; also for cells of weight 0, where they are extrapolated."""
        weighted = np.where(self.weights > 0, self.weights * values, 0.0)
        return self.solve(weighted.sum(axis=1), weighted.sum(axis=0))

    def residual(self, values: Numbers) -> Numbers:
        """(n, T) what is left of `values`."""
        return values - self.fitted(values)
