"""Two-stage differences in differences (Gardner 2022): the same question as `imputation`, with another standard error.

Stage one fits unit and period effects on untreated cells; stage two averages what is left of the treated ones. The
averages are those of `imputation`. The error counts the first stage and lets every treated cell differ from the one
average, not from that of its cohort: it is the wider the more cohorts differ.
"""

from __future__ import annotations

import numpy as np

from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.imputation import average_of, not_estimable, periods_without_untreated
from riskmodel.policies.panel import Panel
from riskmodel.policies.two_way import TwoWay


def two_stage(panel: Panel, asked: Asked) -> Effect:
    """The average over treated cells and by time since the start, clustered by unit (GMM, no small-sample factor).

    Raises
    ------
    DeclarationError : the roll-out allows no comparison
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=True)
    weights = np.ones((panel.n_units, panel.n_periods)) if asked.weights is None else panel.measure(asked.weights)
    treated = panel.under_treatment
    if lost := periods_without_untreated(weights, treated):
        return not_estimable(panel, asked, "two_stage", lost)
    two_way, outcome = TwoWay.of(np.where(treated, 0.0, weights)), panel.measure(asked.outcome)
    gap = outcome - two_way.fitted(outcome)
    event_time = np.arange(panel.n_periods)[None, :] - panel.starts[:, None]
    times = sorted({int(time) for time in event_time[treated].tolist()})
    made = []
    for target in (treated, *(event_time == time for time in times)):
        share = np.where(target, weights, 0.0)
        mean = float((share * gap).sum() / share.sum())
        made.append(average_of(two_way, share, gap, np.where(treated, gap - mean, gap), treated))
    estimates, influences = np.asarray([each for each, _ in made]), np.stack([each for _, each in made], axis=1)
    se = np.sqrt((influences**2).sum(axis=0))
    counts = [int((event_time == time).any(axis=1).sum()) for time in times]
    return effect(
        panel,
        asked,
        asked.conduct(panel, "two_stage"),
        float(estimates[0]),
        float(se[0]),
        events=event_effects(times, estimates[1:], se[1:], counts, asked),
        covariance=influences[:, 1:].T @ influences[:, 1:],
        influence=influences[:, 0],
    )
