"""What every estimator of a policy's effect gives back: one type, with its uncertainty, its counts and its state.

An effect that cannot be estimated is NaN and says why; one that rests on few units says "imprecise". Nothing here
estimates: the estimators are in `twfe`, `group_time`, `imputation`, `synthetic` and `cross_section`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

from riskmodel.policies.deviations import Conduct
from riskmodel.policies.panel import Numbers, Panel

State = Literal["ok", "imprecise", "not_estimable"]
FEW = 10
"""Treated or comparison units below which a clustered standard error is not to be relied on."""


@dataclass(frozen=True, slots=True)
class EventEffect:
    """The effect `event_time` periods after the start (negative: before it, where it should be 0)."""

    event_time: int
    estimate: float
    se: float
    low: float
    high: float
    n_treated: int
    state: State


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a policy did to one outcome.

    Attributes
    ----------
    outcome, estimator : str
    estimate, se : float, in the outcome's own unit; NaN when not estimable
    low, high : float, the interval at `conduct.confidence`
    p_value : float, two-sided, of no effect
    n_units, n_treated : int, units and ever-treated units
    state : "ok", "imprecise" or "not_estimable"
    reason : str, why the state is not ok, else empty
    by_event_time : tuple of EventEffect, in order
    conduct : Conduct, how it was estimated
    covariance : (k, k) float64 of `by_event_time`, NaN where not estimable
    influence : (n_units,) float64 or None; its sum of squares is the variance, and those of two outcomes of one panel
        multiplied give their covariance
    """

    outcome: str
    estimator: str
    estimate: float
    se: float
    low: float
    high: float
    p_value: float
    n_units: int
    n_treated: int
    state: State
    reason: str
    by_event_time: tuple[EventEffect, ...] = field(repr=False)
    conduct: Conduct
    covariance: Numbers = field(repr=False)
    influence: Numbers | None = field(default=None, repr=False)

    def document(self) -> dict[str, Any]:
        """The numbers as a JSON-able document; what is not finite is null."""
        names = ("outcome", "estimator", "estimate", "se", "low", "high", "p_value", "n_units", "n_treated")
        rows = [{name: stated(getattr(event, name)) for name in EventEffect.__slots__} for event in self.by_event_time]
        made = {name: stated(getattr(self, name)) for name in (*names, "state", "reason")}
        conduct = {name: getattr(self.conduct, name) for name in Conduct.__slots__}
        return {**made, "by_event_time": rows, "conduct": conduct}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be estimated, in common to all estimators on a panel.

    Attributes
    ----------
    outcome : str, a measure of the panel
    weights : str or None, a measure that weighs the units
    confidence : float, of the intervals
    """

    outcome: str
    weights: str | None = None
    confidence: float = 0.95

    def conduct(
        self, panel: Panel, estimator: str, *, comparison: str | None = None, covariates: Sequence[str] = ()
    ) -> Conduct:
        """How it was done, for holding against a plan."""
        labels = panel.labels
        return Conduct(
            self.outcome,
            estimator,
            comparison,
            self.weights,
            tuple(covariates),
            self.confidence,
            (labels[0], labels[-1], len(labels)),
            panel.roll_out,
            panel.counted,
        )


def effect(
    panel: Panel,
    asked: Asked,
    conduct: Conduct,
    estimate: float,
    se: float,
    *,
    events: Sequence[EventEffect] = (),
    covariance: Numbers | None = None,
    influence: Numbers | None = None,
    freedom: float = np.inf,
    single: bool = False,
    reason: str = "",
) -> Effect:
    """An Effect with its interval and state worked out; `freedom` are the degrees of freedom of the t interval."""
    treated = int(panel.treated.sum())
    state, why = _state(estimate, se, treated, panel, single, reason)
    low, high, p_value = interval(estimate, se, asked.confidence, freedom)
    held = np.zeros((0, 0)) if covariance is None else covariance
    return Effect(
        asked.outcome, conduct.estimator, estimate, se, low, high, p_value, panel.n_units, treated, state, why,
        tuple(events), conduct, held, influence,
    )  # fmt: skip


def event_effects(
    times: Sequence[int],
    estimates: Numbers,
    se: Numbers,
    treated: Sequence[int],
    asked: Asked,
    critical: float | None = None,
) -> tuple[EventEffect, ...]:
    """EventEffects with intervals; `critical` replaces the normal quantile (a simultaneous band)."""
    made = []
    for time, estimate, error, n in zip(times, estimates.tolist(), se.tolist(), treated, strict=True):
        low, high, _ = interval(estimate, error, asked.confidence, critical=critical)
        known = np.isfinite(estimate) and np.isfinite(error)
        state: State = "not_estimable" if not known else "imprecise" if n < FEW else "ok"
        made.append(EventEffect(int(time), estimate, error, low, high, int(n), state))
    return tuple(made)


def interval(
    estimate: float, se: float, confidence: float, freedom: float = np.inf, critical: float | None = None
) -> tuple[float, float, float]:
    """Low, high and two-sided p-value; NaN without a standard error.

    Examples
    --------
    >>> [round(number, 3) for number in interval(1.96, 1.0, 0.95)]
    [0.0, 3.92, 0.05]
    """
    if not (np.isfinite(estimate) and np.isfinite(se) and se > 0):
        return float("nan"), float("nan"), float("nan")
    far = float(stats.t.ppf(0.5 + confidence / 2, freedom)) if critical is None else critical
    p_value = float(2 * stats.t.sf(abs(estimate) / se, freedom))
    return estimate - far * se, estimate + far * se, p_value


def _state(estimate: float, se: float, treated: int, panel: Panel, single: bool, reason: str) -> tuple[State, str]:
    others = panel.n_units - treated
    if not np.isfinite(estimate):
        return "not_estimable", reason or "the comparison that it needs is empty"
    if not np.isfinite(se) or se <= 0:
        return "not_estimable", reason or "no standard error can be worked out"
    if reason:
        return "imprecise", reason
    if treated < FEW and not single:
        return "imprecise", f"only {treated} treated units"
    if 0 < others < FEW:
        return "imprecise", f"only {others} comparison units"
    return "ok", ""


def stated(value: Any) -> Any:
    """A value as documents hold it: what is not finite is null, and a float has ten digits, the same on every machine.

    Examples
    --------
    >>> stated(float("nan")), stated(1 / 3), stated("ok")
    (None, 0.3333333333, 'ok')
    """
    if not isinstance(value, float):
        return value
    return float(f"{value:.10g}") if np.isfinite(value) else None
