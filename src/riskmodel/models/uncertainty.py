"""How sure: intervals by resampling whole people, and what became of those with a similar score.

Rows of one person go together, so people are drawn, not rows (the cluster bootstrap; Field and Welsh 2007). A
replicate is a weight on each person, and every metric is computed from sums: counts of rows and positives in fine
score bins, and a few totals. Nothing is fitted again, so the intervals cover the sampling of the people judged; they
do not cover the training of the model, wrong labels, wrong linkage or change over time. A card has to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from riskmodel.models import metrics
from riskmodel.models.metrics import Numbers, ScoreCounts
from riskmodel.seeds import stream

SCORE_BINS = 1024
_CELLS_AT_ONCE = 2_000_000
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the bootstrap draws.

    Parameters
    ----------
    replicates : int
    seed : int
    confidence : float, 0.95 for a 95 % interval
    """

    replicates: int = 1000
    seed: int = 0
    confidence: float = 0.95

    def interval(self, values: Numbers) -> tuple[float, float]:
        """Percentile interval of replicate values, NaN replicates left out."""
        known = values[np.isfinite(values)]
        if not len(known):
            return np.nan, np.nan
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)


def person_weights(n_people: int, resampling: Resampling, name: str) -> Iterator[Numbers]:
    """How often each person is drawn: blocks of (n_people, n_replicates in the block) float64."""
    generator = stream(resampling.seed, "cluster-bootstrap", name)
    at_once = max(1, min(resampling.replicates, _CELLS_AT_ONCE // max(1, n_people)))
    for start in range(0, resampling.replicates, at_once):
        size = min(at_once, resampling.replicates - start)
        drawn = generator.integers(0, n_people, size=(size, n_people), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * np.int32(n_people)
        counts = np.bincount(drawn.ravel(), minlength=size * n_people).reshape(size, n_people)
        yield np.ascontiguousarray(counts.T, dtype=np.float64)


def metric_replicates(
    outcome: Numbers,
    probabilities: Mapping[str, Numbers],
    people: npt.NDArray[np.int64],
    capacities: Mapping[str, float],
    resampling: Resampling,
    name: str = "all",
) -> dict[str, dict[str, Numbers]]:
    """Bootstrap replicates of every metric for several models on the same rows, with the same draws.

    Parameters
    ----------
    outcome : (n,) float64, 0 or 1, at least one row
    probabilities : model name -> (n,) float64
    people : (n,) int64, the cluster of each row
    capacities : label -> places on the list among these n rows
    resampling : Resampling
    name : str, names the random stream

    Returns
    -------
    dict, model -> metric -> (n_replicates,) float64; the same draw at the same place for every model, so that
    differences between models are paired

    Notes
    -----
    Score bins make rank metrics approximate, so replicates are moved by the (tiny) difference between the exact value
    and the binned one. Recalibration metrics take one Newton step from their full-sample value in each replicate.
    """
    _, person = np.unique(people, return_inverse=True)
    n_people = int(person.max()) + 1
    models = {model: _Sums.of(outcome, p, person, n_people) for model, p in probabilities.items()}
    row_count = sparse.csr_array((np.ones(len(outcome)), (np.zeros(len(outcome), int), person)), shape=(1, n_people))
    blocks: dict[str, list[dict[str, Numbers]]] = {model: [] for model in models}
    for weights in person_weights(n_people, resampling, name):
        rows = np.asarray(row_count @ weights)[0]
        for model, sums in models.items():
            blocks[model].append(sums.replicates(weights, rows, capacities, len(outcome)))
    return {
        model: {metric: np.concatenate([block[metric] for block in made]) for metric in made[0]}
        for model, made in blocks.items()
    }


@dataclass(frozen=True, slots=True)
class _Sums:
    """One model's sums by person: from them and person weights, every metric of a replicate."""

    bin_rows: sparse.csr_array
    bin_positives: sparse.csr_array
    totals: Numbers
    intercept: float
    line: Numbers
    exact: ScoreCounts
    binned: ScoreCounts

    @classmethod
    def of(cls, outcome: Numbers, probability: Numbers, person: npt.NDArray[np.int64], n_people: int) -> _Sums:
        group = score_bins(outcome, probability)
        shape = (int(group.max()) + 1, n_people)
        rows = sparse.csr_array((np.ones(len(outcome)), (group, person)), shape=shape)
        yes = outcome == 1
        positives = sparse.csr_array((np.ones(int(yes.sum())), (group[yes], person[yes])), shape=shape)
        log_odds = metrics.logit(probability)
        intercept = metrics.calibration_in_the_large(outcome, probability)
        line = metrics.recalibration(outcome, probability, with_slope=True)
        per_row = _recalibration_terms(outcome, log_odds, intercept, line)
        per_row += [(probability - outcome) ** 2, metrics.log_losses(outcome, probability), probability, outcome]
        totals = np.array([np.bincount(person, weights=term, minlength=n_people) for term in per_row], np.float64)
        binned = ScoreCounts(np.asarray(rows.sum(axis=1), np.float64), np.asarray(positives.sum(axis=1), np.float64))
        exact = ScoreCounts.of(outcome, probability)
        return cls(rows, positives, totals, intercept, line, exact, binned)

    def replicates(
        self, weights: Numbers, rows: Numbers, capacities: Mapping[str, float], n: int
    ) -> dict[str, Numbers]:
        counts = ScoreCounts(self.bin_rows @ weights, self.bin_positives @ weights)
        sums = self.totals @ weights
        error, weight, u0, u1, i00, i01, i11, squares, losses, expected, observed = sums
        base = observed / rows
        made = {
            "auroc": self._ranked(metrics.auroc_of, counts),
            "auprc": self._ranked(metrics.average_precision_of, counts),
            "brier": squares / rows,
            "scaled_brier": 1 - metrics.divided(squares / rows, base * (1 - base)),
            "log_loss": losses / rows,
            "calibration_in_the_large": self.intercept + metrics.divided(error, weight),
            "calibration_slope": self.line[1] + metrics.divided(i00 * u1 - i01 * u0, i00 * i11 - i01 * i01),
            "expected_observed": metrics.divided(expected, observed),
        }
        for label, places in capacities.items():
            whole = metrics.at_capacity_of(self.exact, np.float64(places))
            coarse = metrics.at_capacity_of(self.binned, np.float64(places))
            drawn = metrics.at_capacity_of(counts, places / n * rows)
            for metric in metrics.YIELDS:
                moved = getattr(drawn, metric) + (getattr(whole, metric) - getattr(coarse, metric))
                made[f"{metric}@{label}"] = moved
        return made

    def _ranked(self, formula: Callable[[ScoreCounts], Numbers], counts: ScoreCounts) -> Numbers:
        return np.asarray(formula(counts) + (formula(self.exact) - formula(self.binned)))


def score_bins(outcome: Numbers, probability: Numbers) -> npt.NDArray[np.int64]:
    """The score bin of each row, ascending, at most `SCORE_BINS`; equal scores are never parted.

    Positives and negatives weigh the same in total, so bins are fine where the few positives are.
    """
    scores, group = np.unique(probability, return_inverse=True)
    if len(scores) <= SCORE_BINS:
        return np.asarray(group, np.int64)
    positives = max(float(outcome.sum()), 1.0)
    negatives = max(len(outcome) - float(outcome.sum()), 1.0)
    mass = np.bincount(group, weights=np.where(outcome == 1, 0.5 / positives, 0.5 / negatives))
    middle = np.cumsum(mass) - mass / 2
    _, compact = np.unique(np.floor(middle * SCORE_BINS), return_inverse=True)
    return np.asarray(compact[group], np.int64)


def _recalibration_terms(outcome: Numbers, log_odds: Numbers, intercept: float, line: Numbers) -> list[Numbers]:
    """Each row's part in the Newton step of the intercept, and of intercept and slope together."""
    start = intercept if np.isfinite(intercept) else 0.0
    fixed = metrics.expit(start + log_odds)
    a, b = line if np.isfinite(line).all() else (0.0, 1.0)
    free = metrics.expit(a + b * log_odds)
    weight = free * (1 - free)
    return [
        outcome - fixed,
        fixed * (1 - fixed),
        outcome - free,
        (outcome - free) * log_odds,
        weight,
        weight * log_odds,
        weight * log_odds**2,
    ]


def rate_interval(
    outcome: Numbers, people: npt.NDArray[np.int64], confidence_z: float = _NORMAL_95
) -> tuple[float, float]:
    """Interval of a share among rows of which some belong to the same person.

    Wilson's (1927) interval at the effective number of rows: n over the design effect of the person clusters
    (Rao and Scott 1992), never more than n, and the number of people when every row has the same outcome.

    Parameters
    ----------
    outcome : (n,) float64, 0 or 1
    people : (n,) int64

    Examples
    --------
    >>> low, high = rate_interval(np.array([0.0] * 8 + [1.0] * 2), np.arange(10))     # ten people, 2 of 10
    >>> round(low, 3), round(high, 3)
    (0.057, 0.51)
    """
    n = len(outcome)
    if not n:
        return np.nan, np.nan
    _, person = np.unique(people, return_inverse=True)
    rate = float(outcome.mean())
    n_people = int(person.max()) + 1
    effective = float(n_people)
    if 0 < rate < 1:
        totals = np.bincount(person, weights=outcome - rate)
        spread = float(totals @ totals)
        effective = n / max(1.0, spread / (n * rate * (1 - rate)))
    return wilson(rate, effective, confidence_z)


def wilson(rate: float, n: float, z: float = _NORMAL_95) -> tuple[float, float]:
    """Wilson's (1927) interval for a share `rate` of `n`."""
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))
