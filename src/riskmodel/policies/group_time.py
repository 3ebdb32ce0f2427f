"""Group-time effects (Callaway and Sant'Anna 2021): each cohort of starters against units that are not treated.

For units that start in period g, the effect in period t is the change of their outcome since the period before the
start, less the change of the comparison units over the same time. No already treated unit is ever a comparison. The
averages (over all treated cells, or by time since the start) weigh cohorts by their size; standard errors come from
influence functions, one number a unit, and so allow for any correlation in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.panel import Mask, Numbers, Panel
from riskmodel.seeds import stream

Comparison = Literal["never_treated", "not_yet_treated"]
Base = Literal["varying", "universal"]


@dataclass(frozen=True, repr=False, eq=False)
class GroupTime:
    """One cell: starters of period index `group` in period index `period`.

    Attributes
    ----------
    att : float, NaN when there is no comparison unit
    influence : (n,) float64; the variance of att is its sum of squares
    """

    group: int
    period: int
    att: float
    influence: Numbers


def group_time(
    panel: Panel,
    asked: Asked,
    *,
    comparison: Comparison = "never_treated",
    base: Base = "varying",
    event_times: tuple[int, int] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> Effect:
    """The average effect over all treated cells, and the effects by time since the start.

    Parameters
    ----------
    comparison : whose change is subtracted: the never treated, or also those not treated until later
    base : before the start, compare with the period before ("varying", as in R's did) or always with the last
        untreated one ("universal"); after the start both are the same
    event_times : first and last time since the start to keep, None for all
    bootstrap : draws of the multiplier bootstrap (Rademacher weights) for standard errors and a simultaneous band of
        the event times; 0 for analytic ones
    weights (in `asked`) : a measure that must not change in time

    Raises
    ------
    DeclarationError : the roll-out allows no comparison, or weights change in time
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=comparison == "not_yet_treated")
    weights = unit_weights(panel, asked.weights)
    cells = group_time_cells(panel, asked, weights, comparison=comparison, base=base)
    if event_times is not None:
        cells = [cell for cell in cells if event_times[0] <= cell.period - cell.group <= event_times[1]]
    overall = _average(panel, weights, [cell for cell in cells if cell.period >= cell.group])
    times = sorted({cell.period - cell.group for cell in cells})
    averaged = [
        _average(panel, weights, [cell for cell in cells if cell.period - cell.group == time]) for time in times
    ]
    estimates = np.asarray([estimate for estimate, _ in averaged], np.float64)
    influences = (
        np.stack([influence for _, influence in averaged], axis=1) if averaged else np.zeros((panel.n_units, 0))
    )
    se, critical = np.sqrt((influences**2).sum(axis=0)), None
    total_se = float(np.sqrt(overall[1] @ overall[1]))
    if bootstrap:
        both = np.column_stack([overall[1], influences])
        errors, critical = multiplier_bootstrap(both, asked.confidence, bootstrap, seed)
        total_se, se = float(errors[0]), errors[1:]
    sizes = {group: int((panel.starts == group).sum()) for group in {cell.group for cell in cells}}
    n_treated = [
        sum(sizes[c.group] for c in cells if c.period - c.group == time and np.isfinite(c.att)) for time in times
    ]
    return effect(
        panel,
        asked,
        asked.conduct(panel, "group_time", comparison=comparison),
        overall[0],
        total_se,
        events=event_effects(times, estimates, se, n_treated, asked, critical),
        covariance=influences.T @ influences,
        influence=overall[1],
    )


def group_time_cells(
    panel: Panel, asked: Asked, weights: Numbers, *, comparison: Comparison, base: Base
) -> list[GroupTime]:
    """Every cohort in every period but its base, in order; equation 2.8 of the paper without covariates."""
    outcome, made = panel.measure(asked.outcome), []
    for group in sorted({start for start in panel.starts.tolist() if 1 <= start < panel.n_periods}):
        for period in range(panel.n_periods):
            before = _base_of(group, period, base)
            if before is None:
                continue
            clean = panel.starts == NEVER
            if comparison == "not_yet_treated":
                clean = clean | ((panel.starts > max(period, before)) & (panel.starts != group))
            att, influence = _difference(outcome[:, period] - outcome[:, before], panel.starts == group, clean, weights)
            made.append(GroupTime(group, period, att, influence))
    return made


def unit_weights(panel: Panel, name: str | None) -> Numbers:
    """(n,) weights of the units, 1 without a name; refuses weights that change in time."""
    if name is None:
        return np.ones(panel.n_units)
    values = panel.measure(name)
    if not np.allclose(values, values[:, :1], rtol=1e-9, atol=0):
        raise _weights_change(name)
    return values[:, 0]


def multiplier_bootstrap(influences: Numbers, confidence: float, draws: int, seed: int) -> tuple[Numbers, float]:
    """Standard errors of each column and the critical value of a band over all but the first column.

    Rademacher signs, one a unit; standard errors from the interquartile range, as in the paper's algorithm 1.
    """
    signs = stream(seed, "policies", "multiplier").integers(0, 2, (draws, influences.shape[0])) * 2.0 - 1.0
    drawn = signs @ influences
    quartiles = np.quantile(drawn, [0.25, 0.75], axis=0)
    se = np.asarray((quartiles[1] - quartiles[0]) / 1.3489795003921634, np.float64)
    usable = se[1:] > 0
    if not usable.any():
        return se, float("nan")
    largest = np.abs(drawn[:, 1:][:, usable] / se[1:][usable]).max(axis=1)
    return se, float(np.quantile(largest, confidence))


def _base_of(group: int, period: int, base: Base) -> int | None:
    """The period that `period` is compared with: none for a period that is its own base, or has none before it."""
    if period >= group:
        return group - 1
    before = group - 1 if base == "universal" else period - 1
    return None if before in (-1, period) else before


def _difference(change: Numbers, starters: Mask, clean: Mask, weights: Numbers) -> tuple[float, Numbers]:
    """Difference of weighted mean changes and its influence function."""
    treated, others = weights * starters, weights * clean
    if treated.sum() <= 0 or others.sum() <= 0:
        return float("nan"), np.full(len(change), np.nan)
    treated, others = treated / treated.sum(), others / others.sum()
    one, two = float(treated @ change), float(others @ change)
    return one - two, treated * (change - one) - others * (change - two)


def _average(panel: Panel, weights: Numbers, cells: Sequence[GroupTime]) -> tuple[float, Numbers]:
    """Cells averaged by cohort size; the influence function counts that the sizes, too, were drawn (section 4.2)."""
    known = [cell for cell in cells if np.isfinite(cell.att)]
    if not known:
        return float("nan"), np.full(panel.n_units, np.nan)
    share = weights / weights.sum()
    members = np.stack([panel.starts == cell.group for cell in known], axis=1)
    sizes = share @ members
    att = np.asarray([cell.att for cell in known])
    estimate = float(sizes @ att / sizes.sum())
    influence = np.stack([cell.influence for cell in known], axis=1) @ (sizes / sizes.sum())
    influence = influence + (share[:, None] * (members - sizes)) @ (att - estimate) / sizes.sum()
    return estimate, influence


def _weights_change(name: str) -> DeclarationError:
    return DeclarationError.of(
        "weights-change",
        where=f"weights {name}",
        found="weights that differ between periods",
        expected="one weight a unit",
        repair="Weigh by the mean or by the value before the first start.",
    )
