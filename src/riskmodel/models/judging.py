"""One model's figures on the rows it was judged on: value, interval, how many it rests on, and its state.

The state says how far a figure carries: "ok"; "imprecise" when it rests on few positives or its interval is wide;
"not_estimable" when it has no value at all. A figure without a value is null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.models import metrics
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import Resampling, metric_replicates, wilson

State: TypeAlias = Literal["ok", "imprecise", "not_estimable"]

FEW = 20
"""With fewer positives, or fewer negatives, a figure is imprecise whatever its interval says."""
WIDEST = {
    "auroc": 0.15,
    "auprc": 0.2,
    "scaled_brier": 0.2,
    "calibration_in_the_large": 0.7,
    "calibration_slope": 0.5,
    "precision": 0.2,
    "recall": 0.2,
    "missed_per_100": 20.0,
}
"""Widest 95 % interval of a figure that is still "ok", in its own unit."""
WIDEST_RATIO = {"expected_observed": 2.0, "lift": 2.0}
"""The same for ratios: high over low."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one model on one set of rows."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    positives: int
    state: State

    def row(self, **first: Any) -> dict[str, Any]:
        """A row of a table; what has no value is null."""
        numbers = {name: _or_null(getattr(self, name)) for name in ("value", "low", "high")}
        rests_on = {"n": self.n, "positives": self.positives, "state": self.state}
        return {**first, "metric": self.metric, **numbers, **rests_on}


@dataclass(frozen=True, slots=True)
class Judged:
    """All figures of all models on one set of rows, and the leads of the first model over the others."""

    figures: Mapping[str, tuple[Figure, ...]]
    leads: Mapping[str, tuple[Figure, ...]]


def capacity_label(capacity: float) -> str:
    """``1%`` for a share of the rows, ``200`` for places.

    Examples
    --------
    >>> capacity_label(0.01), capacity_label(0.125), capacity_label(200)
    ('1%', '12.5%', '200')
    """
    return f"{100 * capacity:g}%" if capacity < 1 else f"{capacity:g}"


def places(capacities: Sequence[float], n: int, lists: int = 1) -> dict[str, float]:
    """Places on the list for each capacity among n rows: a share is rounded to whole places, at least one."""
    return {
        capacity_label(capacity): float(max(1, round(capacity * n)) if capacity < 1 else min(n, capacity * lists))
        for capacity in capacities
    }


def share_of_a_place(scores: Numbers, number: float) -> Numbers:
    """The part of a place that each of (n,) scores has on one list of `number` places, at most n.

    Whoever stands above the edge is on the list, those at it share what is left.
    """
    last = int(np.ceil(number)) - 1
    edge = -np.partition(-scores, last)[last]
    above, tied = scores > edge, scores == edge
    share = min(max((number - above.sum()) / tied.sum(), 0.0), 1.0)
    return np.asarray(above + tied * share, np.float64)


def judge(
    outcome: Numbers,
    probabilities: Mapping[str, Numbers],
    people: npt.NDArray[np.int64],
    on_list: Mapping[str, float],
    resampling: Resampling,
    name: str = "all",
) -> Judged:
    """Figures of several models on the same rows; the first model is compared with each of the others.

    Parameters
    ----------
    outcome : (n,) float64, 0 or 1
    probabilities : model -> (n,) float64
    people : (n,) int64
    on_list : label -> places, as made by `places`
    resampling : Resampling
    name : str, names the random stream
    """
    drawn = metric_replicates(outcome, probabilities, people, on_list, resampling, name)
    exact = {model: metrics.every_metric(outcome, p, on_list) for model, p in probabilities.items()}
    figures = {
        model: tuple(
            _figure(metric, value, drawn[model][metric], outcome, on_list, resampling)
            for metric, value in exact[model].items()
        )
        for model in probabilities
    }
    first, *others = probabilities
    leads = {
        other: tuple(
            _lead(metric, exact[first][metric] - exact[other][metric], drawn[first][metric] - drawn[other][metric],
                  outcome, resampling)
            for metric in exact[first]
        )
        for other in others
    }  # fmt: skip
    return Judged(figures, leads)


def _figure(
    metric: str,
    value: float,
    replicates: Numbers,
    outcome: Numbers,
    on_list: Mapping[str, float],
    resampling: Resampling,
) -> Figure:
    n, positives = len(outcome), int(outcome.sum())
    if not np.isfinite(value):
        return Figure(metric, np.nan, np.nan, np.nan, n, positives, "not_estimable")
    low, high = resampling.interval(replicates)
    if np.isclose(low, high, rtol=0, atol=1e-12):
        low, high = _interval_at_the_edge(metric, value, n, positives, on_list)
    low, high = (float(f"{bound:.9g}") for bound in (low, high))
    return Figure(metric, value, low, high, n, positives, state_of(metric, low, high, n, positives))


def _lead(metric: str, value: float, replicates: Numbers, outcome: Numbers, resampling: Resampling) -> Figure:
    n, positives = len(outcome), int(outcome.sum())
    if not np.isfinite(value):
        return Figure(metric, np.nan, np.nan, np.nan, n, positives, "not_estimable")
    low, high = (float(f"{bound:.9g}") for bound in resampling.interval(replicates))
    few = min(positives, n - positives) < FEW
    return Figure(metric, value, low, high, n, positives, "imprecise" if few else "ok")


def state_of(metric: str, low: float, high: float, n: int, positives: int) -> State:
    """The state of a figure that has a value."""
    name = metric.split("@")[0]
    if min(positives, n - positives) < FEW or not np.isfinite([low, high]).all():
        return "imprecise"
    if name in WIDEST_RATIO:
        return "imprecise" if low <= 0 or high / low > WIDEST_RATIO[name] else "ok"
    return "imprecise" if high - low > WIDEST.get(name, np.inf) else "ok"


def _interval_at_the_edge(
    metric: str, value: float, n: int, positives: int, on_list: Mapping[str, float]
) -> tuple[float, float]:
    """The interval where every replicate is the same, as with nobody found: resampling cannot see beyond its rows.

    Shares take Wilson's (1927) interval. An AUROC of 1 takes the bound for m independent pairs, all in order, with m
    the fewer of positives and negatives: A**m = 0.025.
    """
    name, _, label = metric.partition("@")
    if name in metrics.YIELDS:
        rests_on = on_list[label] if name in ("precision", "lift") else max(positives, 1)
        unit = {"lift": positives / n, "missed_per_100": 0.01}.get(name, 1.0)
        low, high = wilson(value * unit, rests_on)
        return low / unit, high / unit
    if name == "auroc" and value in (0.0, 1.0):
        bound = 0.025 ** (1 / min(positives, n - positives))
        return (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
    return value, value


def _or_null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
