"""Calibration as a smooth curve, and by how much it misses: the integrated calibration index.

The observed chance is modelled on the predicted log-odds with a restricted cubic spline (Harrell 2015), and the index
is the mean distance of that curve from the probabilities people were given (Austin and Steyerberg 2019). A table by
tenths hides what happens inside a tenth; this does not. Intervals come from draws of whole people.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.models.judging import FEW, Figure, state_of
from riskmodel.models.metrics import Numbers, expit, logit
from riskmodel.models.uncertainty import Resampling, person_weights, score_bins

KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of the log-odds at which the spline's pieces meet (Harrell's five)."""
POINTS = 60
_RIDGE = 1e-6
_STEPS = 30


@dataclass(frozen=True)
class SmoothCalibration:
    """The curve and how far it lies from the diagonal.

    Attributes
    ----------
    curve : Arrow, rows {predicted, observed, low, high}; empty where it cannot be drawn
    figures : ici (mean distance), e50 (median), e90 (90th percentile), emax (largest), each with its interval
    """

    curve: pa.Table = field(repr=False)
    figures: tuple[Figure, ...]

    def figure(self, metric: str) -> Figure:
        """One of the figures by name."""
        return next(figure for figure in self.figures if figure.metric == metric)


def smooth_calibration(
    outcome: Numbers,
    probability: Numbers,
    people: npt.NDArray[np.int64],
    resampling: Resampling = Resampling(200),  # noqa: B008 - frozen settings, safe to share
) -> SmoothCalibration:
    """The curve of (n,) outcomes 0/1 on (n,) probabilities, rows of one person together.

    With fewer than five distinct probabilities, or fewer than `FEW` rows of either outcome, there is no curve and the
    figures are not estimable.
    """
    n, positives = len(outcome), int(outcome.sum())
    group = score_bins(outcome, probability)
    rows = np.bincount(group).astype(np.float64)
    at = np.bincount(group, weights=logit(probability)) / rows
    if min(positives, n - positives) < FEW or len(np.unique(at)) < len(KNOTS):
        nothing = pa.table({name: pa.array([], pa.float64()) for name in ("predicted", "observed", "low", "high")})
        return SmoothCalibration(nothing, tuple(_nothing(name, n, positives) for name in _SUMMARIES))
    knots = np.unique(np.quantile(np.repeat(at, rows.astype(np.int64)), KNOTS))
    first, last = (float(end) for end in np.quantile(logit(probability), [0.01, 0.99]))
    design, grid = _spline(at, knots), np.linspace(first, last, POINTS)
    lines = _spline(grid, knots)
    found = np.bincount(group, weights=outcome).astype(np.float64)
    # From what was said: the curve of a model that is right.
    start = _fitted(design, rows, found, np.append([0.0, 1.0], np.zeros(design.shape[1] - 2)))
    given = expit(at)
    drawn = [
        (expit(lines @ made), _summaries(given, expit(design @ made), weight))
        for weight, positive in _replicates(outcome, group, people, resampling)
        for made in [_fitted(design, weight, positive, start)]
    ]
    exact = _summaries(given, expit(design @ start), rows)
    low, high = np.quantile(np.stack([curve for curve, _ in drawn]), [0.025, 0.975], axis=0)
    curve = {"predicted": expit(grid), "observed": expit(lines @ start), "low": low, "high": high}
    figures = tuple(
        _figure(name, exact[name], np.array([summary[name] for _, summary in drawn]), n, positives, resampling)
        for name in _SUMMARIES
    )
    return SmoothCalibration(pa.table(curve), figures)


_SUMMARIES = ("ici", "e50", "e90", "emax")
"""All are distances of the curve from what people were given, as probabilities: 0 is right."""


def _summaries(given: Numbers, observed: Numbers, rows: Numbers) -> dict[str, float]:
    """Mean, median, 90th percentile and largest of the distances, each bin counting for its rows."""
    distance = np.abs(given - observed)
    order = np.argsort(distance, kind="stable")
    below = np.cumsum(rows[order]) / rows.sum()
    ranked = distance[order]
    median, ninth = (float(ranked[int(np.searchsorted(below, share - 1e-12))]) for share in (0.5, 0.9))
    return {
        "ici": float(distance @ rows / rows.sum()),
        "e50": median,
        "e90": ninth,
        "emax": float(distance[rows > 0].max()),
    }


def _figure(name: str, value: float, replicates: Numbers, n: int, positives: int, resampling: Resampling) -> Figure:
    """A distance is never below 0, so its draws lie above it: the interval is moved back by their bias."""
    low, high = resampling.interval(replicates - (float(np.mean(replicates)) - value))
    low, high = float(f"{max(0.0, min(low, value)):.9g}"), float(f"{max(high, value):.9g}")
    return Figure(name, value, low, high, n, positives, state_of(name, low, high, n, positives))


def _nothing(name: str, n: int, positives: int) -> Figure:
    return Figure(name, np.nan, np.nan, np.nan, n, positives, "not_estimable")


def _replicates(
    outcome: Numbers, group: npt.NDArray[np.int64], people: npt.NDArray[np.int64], resampling: Resampling
) -> list[tuple[Numbers, Numbers]]:
    """Rows and positives in each bin for each draw of people."""
    _, person = np.unique(people, return_inverse=True)
    made = []
    for weights in person_weights(int(person.max()) + 1, resampling, "smooth-calibration"):
        for column in range(weights.shape[1]):
            weight = weights[person, column]
            made.append(
                (
                    np.bincount(group, weights=weight).astype(np.float64),
                    np.bincount(group, weights=weight * outcome).astype(np.float64),
                )
            )
    return made


def _spline(at: Numbers, knots: Numbers) -> Numbers:
    """Columns of a restricted cubic spline: 1, x, and one for each knot but two; straight beyond the outer knots."""
    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2

    def cubed(knot: float) -> Numbers:
        return np.maximum(at - knot, 0.0) ** 3

    bends = [
        (
            cubed(knot)
            - cubed(before) * (last - knot) / (last - before)
            + cubed(last) * (before - knot) / (last - before)
        )
        / scale
        for knot in knots[:-2]
    ]
    return np.column_stack([np.ones(len(at)), at, *bends])


def _fitted(design: Numbers, rows: Numbers, positives: Numbers, start: Numbers) -> Numbers:
    """Coefficients of the logistic regression of positives among rows, by Newton's method from `start`.

    A step that does not lower the loss is halved: where the outcome is rare a full one can leap far beyond.
    """
    ridge = _RIDGE * rows.sum() * np.append(0.0, np.square(design[:, 1:]).mean(axis=0))
    made = start.copy()
    loss = _loss(design, rows, positives, ridge, made)
    for _ in range(_STEPS):
        p = expit(design @ made)
        curvature = (design * (rows * p * (1 - p))[:, None]).T @ design + np.diag(ridge + 1e-12)
        move = np.linalg.solve(curvature, design.T @ (positives - rows * p) - ridge * made)
        new = _loss(design, rows, positives, ridge, made + move)
        while new > loss + 1e-12 * abs(loss) and np.abs(move).max() > 1e-12:
            move = move / 2
            new = _loss(design, rows, positives, ridge, made + move)
        made, done, loss = made + move, loss - new < 1e-10 * abs(loss), new
        if done:
            break
    return made


def _loss(design: Numbers, rows: Numbers, positives: Numbers, ridge: Numbers, at: Numbers) -> float:
    line = design @ at
    return float(rows @ np.logaddexp(0, line) - positives @ line + 0.5 * ridge @ (at * at))
