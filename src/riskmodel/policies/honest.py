"""What if trends were not parallel? Bounds on the effect under stated departures (Rambachan and Roth 2023).

Two ways to say how wrong parallel trends may be. *Relative magnitudes*: from one period to the next, treated and
comparison units drift apart after the start at most `m` times as much as they ever did before it. *Smoothness*: their
drift bends by at most `m` a period. For each the interval that still holds the effect, and the largest `m` at which an
effect is still shown. Event-study estimates must stand against the last untreated period (a "universal" base).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from riskmodel.errors import DeclarationError
from riskmodel.policies.checks import Check
from riskmodel.policies.effects import Asked, Effect, State
from riskmodel.policies.group_time import Comparison, group_time
from riskmodel.policies.panel import Numbers, Panel

MAGNITUDES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The interval for the average effect after the start, under one size of departure."""

    m: float
    low: float
    high: float

    @property
    def shows(self) -> bool:
        """Whether 0 is left out."""
        return bool(self.low > 0 or self.high < 0)


@dataclass(frozen=True, repr=False, eq=False)
class EventStudy:
    """Event-study estimates, in order of time, without the period -1 that they stand against.

    Attributes
    ----------
    times : (k,) int, periods since the start
    estimates : (k,)
    covariance : (k, k)
    """

    times: np.ndarray
    estimates: Numbers
    covariance: Numbers

    @classmethod
    def of(cls, effect: Effect) -> EventStudy:
        """What an effect says by time; refuses one without a known period before and after the start."""
        known = [i for i, event in enumerate(effect.by_event_time) if np.isfinite(event.estimate)]
        times = np.asarray([effect.by_event_time[i].event_time for i in known], np.int64)
        if not (times < -1).any() or not (times >= 0).any():
            raise DeclarationError.of(
                "event-study-short", where="honest bounds", found=f"{int((times < -1).sum())} earlier period(s)",
                expected="a period before the last untreated one, and one after the start",
                repair="Begin the panel earlier.",
            )  # fmt: skip
        estimates = np.asarray([effect.by_event_time[i].estimate for i in known])
        kept = np.asarray(known)[times != -1]
        return cls(times[times != -1], estimates[times != -1], effect.covariance[np.ix_(kept, kept)])


def relative_magnitudes(study: EventStudy, m: float, confidence: float = 0.95) -> Bounds:
    """Bounds if later steps are at most `m` times the largest step before the start.

    The largest earlier step is taken at the upper end of its interval, and the effect at the ends of its own, each at
    half the alarm (Bonferroni): simple, and somewhat wider than the authors' conditional intervals, never narrower than
    the promise.

    Notes
    -----
    With steps of at most D a period, the departure h periods after the start is at most ``(h + 1) D``; averaged over
    the periods after the start it is at most the average of these.
    """
    before, after = study.times < 0, study.times >= 0
    share = after / after.sum()
    estimate, se = float(share @ study.estimates), float(np.sqrt(share @ study.covariance @ share))
    far = float(stats.norm.ppf(1 - (1 - confidence) / 4))
    drift = m * _largest_step(study, before, (1 - confidence) / 2) * float((study.times[after] + 1).mean())
    return Bounds(m, estimate - far * se - drift, estimate + far * se + drift)


def smoothness(study: EventStudy, m: float, confidence: float = 0.95) -> Bounds:
    """Bounds if the drift bends by at most `m` a period: the shortest interval of fixed length (FLCI).

    A straight-line drift found before the start is carried on; how the earlier periods are best used is worked out from
    the covariance (their section 3.1, after Armstrong and Kolesar 2018). With ``m = 0`` drift is a straight line.
    """
    before, after = study.times < 0, study.times >= 0
    share = after / after.sum()
    distance = study.times + 1.0  # periods from the base; a straight line is proportional to it
    bends = _bends(study.times)
    n_before = int(before.sum())

    def weights(free: Numbers) -> Numbers:
        """Weights of all estimates: those before the start undo a straight line exactly."""
        used = np.append(free, 0.0)
        used[-1] = (-float(share @ distance) - float(used[:-1] @ distance[before][:-1])) / distance[before][-1]
        made: Numbers = share.astype(np.float64)
        made[before] = used
        return made

    def half_length(free: Numbers) -> float:
        made = weights(free)
        se = float(np.sqrt(max(float(made @ study.covariance @ made), 1e-300)))
        return float(se * _folded_quantile(m * float(np.abs(bends @ made).sum()) / se, confidence))

    free = np.zeros(n_before - 1)
    if n_before > 1:
        start = _least_variance(study, weights, n_before - 1)
        found = [
            optimize.minimize(half_length, at, method="Powell", options={"xtol": 1e-7, "ftol": 1e-10})
            for at in (start, free)
        ]
        free = np.atleast_1d(min(found, key=lambda each: float(each.fun)).x)
    centre = float(weights(free) @ study.estimates)
    return Bounds(m, centre - half_length(free), centre + half_length(free))


def honest_bounds(
    panel: Panel, asked: Asked, *, comparison: Comparison = "never_treated", sizes: Sequence[float] = MAGNITUDES
) -> tuple[Check, tuple[Bounds, ...]]:
    """Bounds by relative magnitudes at several sizes, and the largest size at which an effect is still shown.

    Returns
    -------
    check : its statistic is that largest size (0 when even parallel trends show no effect)
    bounds : one for each of `sizes`, ascending
    """
    made = group_time(panel, asked, comparison=comparison, base="universal")
    try:
        study = EventStudy.of(made)
    except DeclarationError as error:
        nan = float("nan")
        why = f"How far trends could differ cannot be said for {asked.outcome}: {error.found}."
        return Check("honest_bounds", asked.outcome, nan, nan, nan, "not_estimable", why, (made,)), ()
    bounds = tuple(relative_magnitudes(study, size, asked.confidence) for size in sorted(sizes))
    largest = breakdown(study, asked.confidence)
    if largest == 0:
        said = "already without any drift no effect on it is shown when earlier periods are allowed for"
    else:
        said = f"it is still shown if drift after the start was up to {largest:.2g} times the largest seen before it"
    sentence = f"The effect on {asked.outcome}: {said}."
    state: State = "imprecise" if made.state == "imprecise" else "ok"
    nan = float("nan")
    return Check("honest_bounds", asked.outcome, largest, nan, nan, state, sentence, (made,)), bounds


def breakdown(study: EventStudy, confidence: float = 0.95) -> float:
    """The largest relative magnitude at which 0 is left out, 0 when there is none."""
    if not relative_magnitudes(study, 0.0, confidence).shows:
        return 0.0
    unit = relative_magnitudes(study, 1.0, confidence)
    zero = relative_magnitudes(study, 0.0, confidence)
    drift = unit.high - zero.high  # what a magnitude of 1 adds at either end
    near = zero.low if zero.low > 0 else -zero.high
    return float(near / drift) if drift > 0 else float("inf")


def _largest_step(study: EventStudy, before: np.ndarray, alarm: float) -> float:
    """The upper end of the interval for the largest step between neighbouring earlier periods, the base among them."""
    times = np.append(study.times[before], -1)
    steps, rows = [], []
    for i in range(len(times) - 1):
        row = np.zeros(len(study.times))
        row[i] -= 1.0 / (times[i + 1] - times[i])
        if i + 1 < len(times) - 1:
            row[i + 1] += 1.0 / (times[i + 1] - times[i])
        rows.append(row)
        steps.append(abs(float(row @ study.estimates)))
    se = np.sqrt([max(float(row @ study.covariance @ row), 0.0) for row in rows])
    far = float(stats.norm.ppf(1 - alarm / (2 * len(rows))))
    return float((np.asarray(steps) + far * se).max())


def _bends(times: np.ndarray) -> Numbers:
    """(j, k) such that ``bends @ weights`` are the weights of each bend of the drift in a weighted sum of it.

    A drift that is 0 at the base and bends by b at time s is ``b * max(t - s, 0)`` for s at or after the base, and
    ``b * max(s - t, 0)`` for s before it, besides a straight line.
    """
    low, high = int(times.min()), int(times.max())
    rows = [np.maximum(times - s, 0.0) for s in range(-1, high)]
    rows += [np.maximum(s - times, 0.0) * (times < -1) for s in range(low + 1, -1)]
    return np.asarray(rows)


def _least_variance(study: EventStudy, weights: Callable[[Numbers], Numbers], size: int) -> Numbers:
    def variance(free: Numbers) -> float:
        made = weights(free)
        return float(made @ study.covariance @ made)

    return np.asarray(optimize.minimize(variance, np.zeros(size), method="BFGS").x)


def _folded_quantile(bias: float, confidence: float) -> float:
    """The quantile of ``|N(bias, 1)|``."""
    if bias > 50:
        return bias + float(stats.norm.ppf(confidence))
    if bias <= 0:
        return float(stats.norm.ppf(0.5 + confidence / 2))
    return float(np.sqrt(stats.ncx2.ppf(confidence, 1, bias**2)))
