"""One treated unit, or a block treated at once: synthetic difference-in-differences, and plain DiD beside it.

Synthetic DiD (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021) weighs the comparison units so that together they
move as the treated did before the start, weighs the periods before so that they foretell the periods after, and takes
the difference of differences under both. Chance is judged by placebos: the same done to units that were not treated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.policies.effects import Asked, Effect, EventEffect, effect, event_effects
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.simplex import exact_weights, frank_wolfe_weights
from riskmodel.seeds import stream

_FEW_PLACEBOS = 20
Solver = Literal["exact", "frank_wolfe"]


@dataclass(frozen=True, repr=False, eq=False)
class SyntheticWeights:
    """The weights behind a synthetic DiD.

    Attributes
    ----------
    units : (n_comparison,) sum to 1
    periods : (n_before,) sum to 1
    """

    units: Numbers
    periods: Numbers


def synthetic_did(
    panel: Panel, asked: Asked, *, placebos: int = 200, seed: int = 0, solver: Solver = "exact"
) -> Effect:
    """The effect on the treated, averaged over the periods since the start.

    The standard error is the placebo variance (algorithm 4). One treated unit: every comparison unit is the placebo
    once, without chance. Several: `placebos` draws of as many comparison units. Effects by time since the start use the
    same weights.

    Parameters
    ----------
    solver : "exact" weights, or the "frank_wolfe" steps of the authors' program (placebos are always exact)

    Raises
    ------
    DeclarationError : the treated do not all start together, nobody is never treated, or weights were asked for
    DataRefused : unknown cells
    """
    return _block(panel, asked, "synthetic_did", placebos, seed, solver)


def single_did(panel: Panel, asked: Asked, *, placebos: int = 200, seed: int = 0) -> Effect:
    """Plain difference-in-differences of means, with the placebo standard error: fit for one treated unit."""
    return _block(panel, asked, "single_did", placebos, seed)


def synthetic_weights(
    before: Numbers, after: Numbers, n_treated: int, treated_before: Numbers, solver: Solver = "exact"
) -> SyntheticWeights:
    """Unit and period weights (algorithm 1).

    Parameters
    ----------
    before, after : (n_comparison, T0) and (n_comparison, T1) outcomes of the comparison units
    n_treated : how many units are treated
    treated_before : (T0,) their mean outcome before the start
    """
    noise = float(np.diff(before, axis=1).std(ddof=1)) if before.shape[1] > 1 else 0.0
    problems = (
        (before.T, treated_before, (n_treated * after.shape[1]) ** 0.25 * noise),
        (before, after.mean(axis=1), 1e-6 * noise),
    )
    if solver == "exact":
        units, periods = (exact_weights(a, b, ridge) for a, b, ridge in problems)
    else:
        units, periods = (frank_wolfe_weights(a, b, ridge, 1e-5 * noise) for a, b, ridge in problems)
    return SyntheticWeights(units, periods)


def _block(panel: Panel, asked: Asked, estimator: str, placebos: int, seed: int, solver: Solver = "exact") -> Effect:
    panel.must_allow(single=True)
    start = one_start(panel, asked, estimator)
    outcome = panel.measure(asked.outcome)
    treated, others = outcome[panel.treated], outcome[~panel.treated]
    estimate, path = _effect_of(treated, others, start, estimator, solver)
    drawn = _placebos(others, len(treated), start, estimator, placebos, seed)
    conduct = asked.conduct(panel, estimator)
    if len(drawn) == 0:
        nan, why = float("nan"), f"{len(others)} comparison units are too few for placebos"
        return effect(panel, asked, conduct, estimate, nan, reason=why, single=True)
    # the square root of the mean squared departure, as in the paper; with one treated unit a t interval would pretend
    se, spread = float(drawn[:, 0].std()), drawn[:, 1:].std(axis=0)
    events: tuple[EventEffect, ...] = event_effects(range(len(path)), path, spread, [len(treated)] * len(path), asked)
    few = f"only {len(others)} comparison units as placebos" if len(others) < _FEW_PLACEBOS else ""
    covariance = np.cov(drawn[:, 1:], rowvar=False, ddof=0).reshape(len(path), len(path))
    return effect(
        panel, asked, conduct, estimate, se, events=events, covariance=covariance, single=True, reason=few
    )  # fmt: skip


def _effect_of(
    treated: Numbers, others: Numbers, start: int, estimator: str, solver: Solver = "exact"
) -> tuple[float, Numbers]:
    """The average effect and the effect in each period since the start."""
    mean, before, after = treated.mean(axis=0), others[:, :start], others[:, start:]
    weights = SyntheticWeights(np.full(len(others), 1 / len(others)), np.full(start, 1 / start))
    if estimator == "synthetic_did":
        weights = synthetic_weights(before, after, len(treated), mean[:start], solver)
    gap = mean - weights.units @ others
    path = gap[start:] - weights.periods @ gap[:start]
    return float(path.mean()), path


def _placebos(others: Numbers, n_treated: int, start: int, estimator: str, draws: int, seed: int) -> Numbers:
    """(draws, 1 + T1) effects on comparison units that were never treated; none when there are too few of them."""
    n = len(others)
    if n <= n_treated + 1:
        return np.zeros((0, 1 + others.shape[1] - start))
    chance = stream(seed, "policies", "placebo")
    sets = [np.array([i]) for i in range(n)] if n_treated == 1 else [
        chance.choice(n, n_treated, replace=False) for _ in range(draws)
    ]  # fmt: skip
    made = []
    for chosen in sets:
        kept = np.ones(n, bool)
        kept[chosen] = False
        estimate, path = _effect_of(others[chosen], others[kept], start, estimator)
        made.append(np.concatenate([[estimate], path]))
    return np.stack(made)


def one_start(panel: Panel, asked: Asked, estimator: str) -> int:
    starts = set(panel.starts[panel.treated].tolist())
    if len(starts) > 1 or asked.weights is not None:
        raise DeclarationError.of(
            "block-needed",
            where=estimator,
            found="weights" if len(starts) == 1 else f"{len(starts)} different starts",
            expected="treated units that start together, unweighted",
            repair="Use group_time or imputation for a staggered roll-out.",
        )
    return int(starts.pop())
