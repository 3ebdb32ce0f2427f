"""Few units: p-values that do not trust a standard error (wild cluster bootstrap), and units that nothing was done to.

With ten or twenty units a clustered error is too small. The wild cluster bootstrap (Cameron, Gelbach and Miller 2008)
keeps the panel as if the policy did nothing, flips the residuals of whole units at random, and asks how often so large
a ratio comes out.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from riskmodel.policies.calendar import NEVER
from riskmodel.policies.checks import Check, ratio
from riskmodel.policies.effects import Asked, State
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.two_way import TwoWay
from riskmodel.seeds import stream

_ALL_SIGNS_UP_TO = 12
_WEBB = np.sqrt(np.asarray([0.5, 1.0, 1.5]))


def wild_cluster_bootstrap(panel: Panel, asked: Asked, *, draws: int = 999, seed: int = 0) -> Check:
    """The p-value of no effect in the two-way regression, by flipping the residuals of whole units under no effect.

    Up to 12 units every combination of signs is taken (no chance is left); beyond, signs are drawn, and with fewer than
    20 units six-valued weights (Webb 2023) instead of signs.

    Raises
    ------
    DeclarationError : the roll-out allows no comparison
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=True)
    weights = np.ones((panel.n_units, panel.n_periods)) if asked.weights is None else panel.measure(asked.weights)
    two_way = TwoWay.of(weights)
    y = two_way.residual(panel.measure(asked.outcome))
    x = two_way.residual(panel.under_treatment.astype(np.float64))
    real = _ratio(two_way, x, y)
    flips = _flips(panel.n_units, draws, seed)
    drawn = [_ratio(two_way, x, two_way.residual(y * flip[:, None])) for flip in flips]
    reached = int((np.abs(drawn) >= abs(real) * (1 - 1e-9)).sum())
    complete = panel.n_units <= _ALL_SIGNS_UP_TO
    p_value = reached / len(flips) if complete else (1 + reached) / (1 + len(flips))
    counted = f"{reached:,} of {len(flips):,} panels"
    sentence = (
        f"With whole units' residuals flipped as if nothing had been done, {counted} give as large a ratio for "
        f"{asked.outcome} (p = {p_value:.3f})."
    )
    nan = float("nan")
    return Check("few_clusters", asked.outcome, real, float(p_value), nan, "ok", sentence)


def placebo_units(panel: Panel, asked: Asked, estimate: Estimator, *, draws: int = 199, seed: int = 0) -> Check:
    """How often the same dates, dealt to units that were never treated, seem to have an effect.

    The treated units are left out, so the true effect is 0; a method that fits these data finds one in about 1 less the
    confidence of the draws. The p-value is that of finding as many or more.
    """
    others = panel.keeping(~panel.treated)
    dates = panel.starts[panel.treated]
    most = others.n_units // 2
    if most < 2:
        nan, why = float("nan"), f"{others.n_units} comparison units are too few to pretend that some were treated."
        return Check("placebo_units", asked.outcome, nan, nan, nan, "not_estimable", why)
    chance, found, made = stream(seed, "policies", "placebo units"), 0, 0
    for _ in range(draws):
        starts = np.full(others.n_units, NEVER, np.int64)
        chosen = chance.choice(others.n_units, min(most, len(dates)), replace=False)
        starts[chosen] = chance.choice(dates, len(chosen), replace=False)
        effect = estimate(others.starting(starts), asked)
        if np.isfinite(ratio(effect)):
            made, found = made + 1, found + (effect.p_value < 1 - asked.confidence)
    share = found / made if made else float("nan")
    p_value = float(binom.sf(found - 1, made, 1 - asked.confidence)) if made else float("nan")
    said = "more than it should" if p_value < 0.01 else "as chance allows"
    sentence = (
        f"In units that nothing was done to, an effect on {asked.outcome} seemed to appear in {share:.0%} of {made} "
        f"pretended roll-outs, {said}."
    )
    state: State = "ok" if made else "not_estimable"
    return Check("placebo_units", asked.outcome, share, p_value, float("nan"), state, sentence)


def _ratio(two_way: TwoWay, x: Numbers, y: Numbers) -> float:
    """The coefficient over its clustered standard error; `x` and `y` without unit and period effects."""
    weights = two_way.weights
    squares = float((weights * x * x).sum())
    slope = float((weights * x * y).sum()) / squares
    score = (weights * x * (y - x * slope)).sum(axis=1)
    return slope / max(float(np.sqrt(score @ score)) / squares, 1e-300)


def _flips(n: int, draws: int, seed: int) -> Numbers:
    """(draws, n) signs or weights of the units."""
    if n <= _ALL_SIGNS_UP_TO:
        return np.asarray([[1.0 if code >> i & 1 else -1.0 for i in range(n)] for code in range(2**n)])
    chance = stream(seed, "policies", "wild")
    signs = chance.integers(0, 2, (draws, n)) * 2.0 - 1.0
    return np.asarray(signs if n >= 20 else signs * chance.choice(_WEBB, (draws, n)), np.float64)
