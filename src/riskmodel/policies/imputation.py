"""Imputation (Borusyak, Jaravel and Spiess 2024): what the treated cells would have been, from the untreated ones.

Unit and period effects are fitted on untreated cells only and carried over to the treated ones; the effect of a cell is
what was observed less what was imputed. It uses all untreated periods, so it is sharper than `group_time` where trends
are parallel throughout, and more wrong where they are not. It says nothing of the periods before the start.
"""

from __future__ import annotations

import numpy as np

from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.panel import Mask, Numbers, Panel
from riskmodel.policies.two_way import TwoWay


def imputation(panel: Panel, asked: Asked, *, leave_out: bool = False) -> Effect:
    """The average over treated cells, and the averages by time since the start.

    Standard errors are the paper's conservative ones, clustered by unit (equation 8): the residual of a treated cell is
    its effect less the average effect of its cohort in that period, and untreated cells keep their own residuals. There
    is no small-sample factor.

    Parameters
    ----------
    leave_out : take a unit's own effect out of the average that it is held against (the paper's section 4.3), and read
        the interval from Student's t with as many degrees of freedom as treated units beyond cohorts: without it, small
        cohorts look surer than they are. A cohort of one unit is held against all cohorts at the same time since start

    Raises
    ------
    DeclarationError : the roll-out allows no comparison
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=True)
    weights = np.ones((panel.n_units, panel.n_periods)) if asked.weights is None else panel.measure(asked.weights)
    treated = panel.under_treatment
    if lost := periods_without_untreated(weights, treated):
        return not_estimable(panel, asked, "imputation", lost)
    two_way = TwoWay.of(np.where(treated, 0.0, weights))
    outcome = panel.measure(asked.outcome)
    gap = outcome - two_way.fitted(outcome)
    around = _left_out(panel, gap, weights) if leave_out else gap - _cohort_averages(panel, gap, weights)
    residual = np.where(treated, around, gap)
    event_time = np.arange(panel.n_periods)[None, :] - panel.starts[:, None]
    times = sorted({int(time) for time in event_time[treated].tolist()})
    targets = [treated, *(event_time == time for time in times)]
    averaged = [average_of(two_way, np.where(target, weights, 0.0), gap, residual, treated) for target in targets]
    estimates = np.asarray([estimate for estimate, _ in averaged])
    influences = np.stack([influence for _, influence in averaged], axis=1)
    se = np.sqrt((influences**2).sum(axis=0))
    n_treated = [int((event_time == time).any(axis=1).sum()) for time in times]
    return effect(
        panel,
        asked,
        asked.conduct(panel, "imputation"),
        float(estimates[0]),
        float(se[0]),
        events=event_effects(times, estimates[1:], se[1:], n_treated, asked),
        covariance=influences[:, 1:].T @ influences[:, 1:],
        influence=influences[:, 0],
        freedom=_freedom(panel) if leave_out else np.inf,
    )


def _freedom(panel: Panel) -> float:
    """Treated units beyond the cohorts of more than one, at least 1."""
    _, sizes = np.unique(panel.starts[panel.treated], return_counts=True)
    return float(max(int(sizes.sum()) - int((sizes > 1).sum()), 1))


def _left_out(panel: Panel, gap: Numbers, weights: Numbers) -> Numbers:
    """(n, T) each gap less the average of the other units of its cohort in that period."""
    cohorts, of = np.unique(panel.starts, return_inverse=True)
    amount = np.zeros((len(cohorts), panel.n_periods))
    np.add.at(amount, of, weights)
    rest = amount[of] - weights
    alone = rest <= 1e-12 * amount[of]
    around = (gap - _cohort_averages(panel, gap, weights)) * np.where(alone, 1.0, amount[of]) / np.where(alone, 1, rest)
    if not (alone & panel.under_treatment).any():
        return around
    event_time = np.where(panel.under_treatment, np.arange(panel.n_periods)[None, :] - panel.starts[:, None], -1)
    for time in np.unique(event_time[alone & panel.under_treatment]).tolist():
        cells = event_time == time
        around[cells & alone] = (gap - np.average(gap[cells], weights=weights[cells]))[cells & alone]
    return around


def average_of(
    two_way: TwoWay, target: Numbers, gap: Numbers, residual: Numbers, treated: Mask
) -> tuple[float, Numbers]:
    """The weighted average of the gaps and its influence function: each cell's weight in it, times its residual."""
    share = target / target.sum()
    imputed = two_way.solve(share.sum(axis=1), share.sum(axis=0))
    cell = np.where(treated, share, -two_way.weights * imputed)
    return float((share * gap).sum()), np.asarray((cell * residual).sum(axis=1))


def _cohort_averages(panel: Panel, gap: Numbers, weights: Numbers) -> Numbers:
    """(n, T) the weighted average gap of the cell's cohort in its period."""
    cohorts, of = np.unique(panel.starts, return_inverse=True)
    total, amount = np.zeros((len(cohorts), panel.n_periods)), np.zeros((len(cohorts), panel.n_periods))
    np.add.at(total, of, weights * gap)
    np.add.at(amount, of, weights)
    return np.asarray((total / np.where(amount > 0, amount, 1.0))[of])


def periods_without_untreated(weights: Numbers, treated: Mask) -> int:
    """Periods with a treated cell but no untreated one: nothing can be imputed there."""
    untreated = np.where(treated, 0.0, weights).sum(axis=0) > 0
    return int((treated.any(axis=0) & ~untreated).sum())


def not_estimable(panel: Panel, asked: Asked, estimator: str, lost: int) -> Effect:
    """No effect, because nothing can be imputed in so many periods."""
    reason = f"{lost} period(s) in which every unit is treated; keep the periods before (panel.between)"
    nan = float("nan")
    return effect(panel, asked, asked.conduct(panel, estimator), nan, nan, reason=reason)
