"""How good are the probabilities: discrimination, calibration and yield at capacity, as plain formulas.

Every rank metric is a function of two counts per distinct score, so one formula serves the exact value and, column
by column, thousands of bootstrap replicates. Rows with the same score are never ordered by chance: at the edge of a
list they are shared in expectation. A metric that cannot be computed is NaN, never 0. Nothing here draws a random
number or knows a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = "npt.NDArray[np.float64]"

NEAREST_TO_CERTAIN = 1e-9
"""Probabilities are held this far from 0 and 1 where a logit is taken."""
SMALLER_IS_BETTER = ("brier", "log_loss", "missed_per_100")
"""Metrics of which less is better."""
YIELDS = ("precision", "recall", "lift", "missed_per_100")
"""Metrics of a list at a capacity; their names end in ``@`` and the capacity."""


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """Rows and positives at each distinct score, ascending: all that a rank metric needs.

    Attributes
    ----------
    rows, positives : (n_scores,) or (n_scores, n_replicates) float64
    """

    rows: Numbers
    positives: Numbers

    @classmethod
    def of(cls, outcome: Numbers, probability: Numbers) -> ScoreCounts:
        """Counts of (n,) outcomes 0/1 by (n,) scores."""
        _, group = np.unique(probability, return_inverse=True)
        rows = np.bincount(group).astype(np.float64)
        return cls(rows, np.asarray(np.bincount(group, weights=outcome, minlength=len(rows)), np.float64))


@dataclass(frozen=True, slots=True)
class AtCapacity:
    """What a list of the `capacity` highest scores would have held.

    Attributes
    ----------
    capacity : places on the list
    found : people on it with the outcome; a fraction where ties are shared
    precision : found of all on the list
    recall : found of all with the outcome
    lift : precision over the base rate
    missed_per_100 : of 100 people with the outcome, how many are not on the list
    """

    capacity: Numbers
    found: Numbers
    precision: Numbers
    recall: Numbers
    lift: Numbers
    missed_per_100: Numbers


def auroc(outcome: Numbers, probability: Numbers) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Examples
    --------
    >>> auroc(np.array([0.0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]))   # 3.5 of 4 pairs
    0.875
    """
    return float(auroc_of(ScoreCounts.of(outcome, probability)))


def auroc_either_way(outcome: Numbers, values: Numbers) -> float:
    """AUROC of values whichever way they point: at least a half."""
    area = auroc(outcome, values)
    return max(area, 1 - area)


def average_precision(outcome: Numbers, probability: Numbers) -> float:
    """Area under the precision-recall curve by steps (no interpolation).

    Examples
    --------
    >>> round(average_precision(np.array([0.0, 1, 0, 1]), np.array([0.1, 0.2, 0.4, 0.8])), 4)  # (1/1 + 2/3) / 2
    0.8333
    """
    return float(average_precision_of(ScoreCounts.of(outcome, probability)))


def brier(outcome: Numbers, probability: Numbers) -> float:
    """Mean squared difference of probability and outcome (Brier 1950)."""
    return float(np.mean((probability - outcome) ** 2)) if len(outcome) else np.nan


def scaled_brier(outcome: Numbers, probability: Numbers) -> float:
    """1 minus the Brier score over that of the base rate: 1 is perfect, 0 is no better than the base rate."""
    base = float(np.mean(outcome)) if len(outcome) else np.nan
    return 1 - brier(outcome, probability) / (base * (1 - base)) if 0 < base < 1 else np.nan


def log_loss(outcome: Numbers, probability: Numbers) -> float:
    """Mean negative log-likelihood, natural logarithm."""
    return float(np.mean(log_losses(outcome, probability))) if len(outcome) else np.nan


def log_losses(outcome: Numbers, probability: Numbers) -> Numbers:
    """Each row's negative log-likelihood; probabilities are held one rounding step from 0 and 1."""
    step = np.finfo(np.float64).eps
    held = np.clip(probability, step, 1 - step)
    return np.asarray(-np.where(outcome == 1, np.log(held), np.log1p(-held)))


def expected_observed(outcome: Numbers, probability: Numbers) -> float:
    """Expected over observed number of positives: above 1, the model says too much."""
    observed = float(np.sum(outcome))
    return float(np.sum(probability)) / observed if observed else np.nan


def calibration_in_the_large(outcome: Numbers, probability: Numbers) -> float:
    """Log-odds to add to every prediction to make the mean right (Cox 1958): 0 is right, below 0 it says too much."""
    return float(recalibration(outcome, probability, with_slope=False)[0])


def calibration_slope(outcome: Numbers, probability: Numbers) -> float:
    """Slope of the outcome on the predicted log-odds (Cox 1958): below 1, predictions are too extreme."""
    return float(recalibration(outcome, probability, with_slope=True)[1])


def logit(probability: Numbers) -> Numbers:
    """Log-odds, held finite."""
    held = np.clip(probability, NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN)
    return np.asarray(np.log(held) - np.log1p(-held))


def expit(log_odds: Numbers) -> Numbers:
    """Probability of log-odds, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)))


def recalibration(
    outcome: Numbers, probability: Numbers, *, with_slope: bool, weights: Numbers | None = None
) -> Numbers:
    """Maximum-likelihood (intercept, slope) of the outcome on the predicted log-odds, by Newton's method.

    Parameters
    ----------
    outcome : (n,) float64 in [0, 1]; values between are allowed (Platt's softened targets)
    probability : (n,) float64
    with_slope : bool; without, the slope is held at 1
    weights : (n,) float64 or None

    Returns
    -------
    (2,) float64, NaN where it does not exist: one class only, one distinct score, or perfect separation
    """
    unknown = np.array([np.nan, np.nan])
    given = np.ones_like(outcome) if weights is None else weights
    line = logit(probability)
    if not 0 < float(given @ outcome) < float(given.sum()) or (with_slope and np.ptp(line) < 1e-12):
        return unknown
    centre = float(given @ line / given.sum()) if with_slope else 0.0
    at = line - centre
    base = float(given @ outcome / given.sum())
    step = np.array([float(logit(np.array([base]))[0]), 0.0]) if with_slope else np.array([0.0, 1.0])
    loss = _recalibration_loss(step, at, outcome, given)
    for _ in range(100):
        q = expit(step[0] + step[1] * at)
        error, weight = given * (outcome - q), given * q * (1 - q)
        if with_slope:
            information = np.array([[weight.sum(), weight @ at], [weight @ at, weight @ (at * at)]])
            if np.linalg.det(information) < 1e-300:
                return unknown
            move = np.linalg.solve(information, np.array([error.sum(), error @ at]))
        else:
            move = np.array([error.sum() / weight.sum(), 0.0])
        # Newton can overshoot where predictions are extreme: halve the step until the likelihood rises.
        while (new_loss := _recalibration_loss(step + move, at, outcome, given)) > loss + 1e-9 * abs(loss):
            move = move / 2
        step, loss = step + move, new_loss
        if np.abs(move).max() < 1e-12 * (1 + np.abs(step).max()):
            break
        if np.abs(step[1]) > 1e6:
            return unknown
    return np.array([step[0] - step[1] * centre if with_slope else step[0], step[1]])


def at_capacity(outcome: Numbers, probability: Numbers, capacity: float) -> AtCapacity:
    """Yield of a list of the `capacity` highest scores; at the edge, ties share the places in expectation.

    Examples
    --------
    >>> made = at_capacity(np.array([1.0, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1]), 2)   # 1 sure, half of one tie
    >>> float(made.found), float(made.precision), float(made.recall), float(made.missed_per_100)
    (1.5, 0.75, 0.75, 25.0)
    """
    return at_capacity_of(ScoreCounts.of(outcome, probability), np.float64(capacity))


def every_metric(outcome: Numbers, probability: Numbers, capacities: Mapping[str, float]) -> dict[str, float]:
    """Every metric of one model by name; yields end in ``@`` and the label of the capacity.

    Parameters
    ----------
    outcome, probability : (n,) float64
    capacities : label -> places on the list
    """
    made = {
        "auroc": auroc(outcome, probability),
        "auprc": average_precision(outcome, probability),
        "brier": brier(outcome, probability),
        "scaled_brier": scaled_brier(outcome, probability),
        "log_loss": log_loss(outcome, probability),
        "calibration_in_the_large": calibration_in_the_large(outcome, probability),
        "calibration_slope": calibration_slope(outcome, probability),
        "expected_observed": expected_observed(outcome, probability),
    }
    for label, places in capacities.items():
        on_list = at_capacity(outcome, probability, places)
        made |= {f"{metric}@{label}": float(getattr(on_list, metric)) for metric in YIELDS}
    return made


def auroc_of(counts: ScoreCounts) -> Any:
    """AUROC of each column of counts (Mann-Whitney with midranks)."""
    negatives = counts.rows - counts.positives
    below = np.cumsum(negatives, axis=0) - negatives
    won = np.sum(counts.positives * (below + 0.5 * negatives), axis=0)
    return divided(won, counts.positives.sum(axis=0) * negatives.sum(axis=0))


def average_precision_of(counts: ScoreCounts) -> Any:
    """Average precision of each column of counts."""
    positives = counts.positives[::-1]
    listed = np.cumsum(counts.rows[::-1], axis=0)
    found = np.cumsum(positives, axis=0)
    return divided(np.sum(positives * divided(found, listed, 0.0), axis=0), positives.sum(axis=0))


def at_capacity_of(counts: ScoreCounts, capacity: Any) -> AtCapacity:
    """Yield at `capacity` (one number, or one per column) of each column of counts."""
    listed = np.cumsum(counts.rows[::-1], axis=0)
    found = np.cumsum(counts.positives[::-1], axis=0)
    rows, positives = listed[-1], found[-1]
    places = np.minimum(capacity, rows)
    edge = np.argmax(listed >= places, axis=0)[None, ...]
    group_rows = np.take_along_axis(counts.rows[::-1], edge, axis=0)[0]
    group_positives = np.take_along_axis(counts.positives[::-1], edge, axis=0)[0]
    before_rows = np.take_along_axis(listed, edge, axis=0)[0] - group_rows
    before_found = np.take_along_axis(found, edge, axis=0)[0] - group_positives
    on_list = before_found + divided((places - before_rows) * group_positives, group_rows, 0.0)
    precision, recall = divided(on_list, places), divided(on_list, positives)
    return AtCapacity(
        capacity=places,
        found=on_list,
        precision=precision,
        recall=recall,
        lift=divided(precision, divided(positives, rows)),
        missed_per_100=100 * (1 - recall),
    )


def divided(above: Any, below: Any, otherwise: float = np.nan) -> Any:
    """Quotient, `otherwise` where the divisor is 0."""
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, otherwise), where=below != 0)


def _recalibration_loss(step: Numbers, at: Numbers, outcome: Numbers, weights: Numbers) -> float:
    line = step[0] + step[1] * at
    return float(weights @ (np.logaddexp(0, line) - outcome * line))
