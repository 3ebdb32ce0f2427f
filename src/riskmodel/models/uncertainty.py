"""How sure: intervals by resampling whole people, and what became of those with a similar score.

Rows of one person go together, so people are drawn, not rows (the cluster bootstrap; Field and Welsh 2007). A
replicate is a weight on each person, and every metric is computed from sums: counts of rows and positives in fine
score bins, and a few totals. Nothing is fitted again, so the intervals cover the sampling of the people judged; they
do not cover the training of the model, wrong labels, wrong linkage or change over time. A card has to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from riskmodel.models import metrics
from riskmodel.models.metrics import Numbers, ScoreCounts
from riskmodel.seeds import stream

SCORE_BINS = 1024
LINE_BINS = 128
_NEWTON_STEPS = 4
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
    and the binned one. Recalibration metrics take a few Newton steps on coarser bins in each replicate.
    """
    _, person = np.unique(people, return_inverse=True)
    models = {model: _Sums.of(outcome, p, person, capacities) for model, p in probabilities.items()}
    blocks: dict[str, list[dict[str, Numbers]]] = {model: [] for model in models}
    for weights in person_weights(int(person.max()) + 1, resampling, name):
        for model, sums in models.items():
            blocks[model].append(sums.replicates(weights))
    return {
        model: {metric: np.concatenate([block[metric] for block in made]) for metric in made[0]}
        for model, made in blocks.items()
    }


@dataclass(frozen=True, slots=True)
class _Sums:
    """One model's sums by person: from them and person weights, every metric of a replicate.

    Attributes
    ----------
    bin_rows, bin_positives : (n_bins, n_people)
    totals : (4, n_people), squared errors, log losses, probabilities, outcomes
    log_odds : (n_line_bins,)
    lines : the full sample's recalibration: intercept with slope 1, then intercept and slope
    places : label -> share of the rows that have a place on the list
    moved : metric -> exact value minus binned value
    """

    bin_rows: sparse.csr_array
    bin_positives: sparse.csr_array
    totals: Numbers
    log_odds: Numbers
    lines: tuple[float, float, float]
    places: Mapping[str, float]
    moved: Mapping[str, float]

    @classmethod
    def of(
        cls,
        outcome: Numbers,
        probability: Numbers,
        person: npt.NDArray[np.int64],
        capacities: Mapping[str, float],
    ) -> _Sums:
        group = score_bins(outcome, probability)
        shape = (int(group.max()) + 1, int(person.max()) + 1)
        rows = sparse.csr_array((np.ones(len(outcome)), (group, person)), shape=shape)
        yes = outcome == 1
        positives = sparse.csr_array((np.ones(int(yes.sum())), (group[yes], person[yes])), shape=shape)
        per_row = [(probability - outcome) ** 2, metrics.log_losses(outcome, probability), probability, outcome]
        totals = np.array([np.bincount(person, weights=term, minlength=shape[1]) for term in per_row], np.float64)
        groups = _coarse(shape[0])
        weighted = np.bincount(group, weights=metrics.logit(probability), minlength=shape[0])
        log_odds = np.add.reduceat(weighted, groups) / np.add.reduceat(np.bincount(group), groups)
        a, b = metrics.recalibration(outcome, probability, with_slope=True)
        lines = (metrics.calibration_in_the_large(outcome, probability), float(a), float(b))
        shares = {label: places / len(outcome) for label, places in capacities.items()}
        made = cls(rows, positives, totals, log_odds, lines, shares, {})
        binned = made.replicates(np.ones((shape[1], 1)))
        exact = metrics.every_metric(outcome, probability, capacities)
        return replace(made, moved={name: exact[name] - float(binned[name][0]) for name in exact})

    def replicates(self, weights: Numbers) -> dict[str, Numbers]:
        """Every metric for (n_people, n_replicates) weights."""
        counts = ScoreCounts(self.bin_rows @ weights, self.bin_positives @ weights)
        rows = counts.rows.sum(axis=0)
        squares, losses, expected, observed = self.totals @ weights
        base = observed / rows
        alone, slope = _lines(counts, self.log_odds, self.lines)
        made = {
            "auroc": metrics.auroc_of(counts),
            "auprc": metrics.average_precision_of(counts),
            "brier": squares / rows,
            "scaled_brier": 1 - metrics.divided(squares / rows, base * (1 - base)),
            "log_loss": losses / rows,
            "calibration_in_the_large": alone,
            "calibration_slope": slope,
            "expected_observed": metrics.divided(expected, observed),
        }
        for label, share in self.places.items():
            on_list = metrics.at_capacity_of(counts, share * rows)
            made |= {f"{metric}@{label}": getattr(on_list, metric) for metric in metrics.YIELDS}
        return {name: values + self.moved.get(name, 0.0) for name, values in made.items()}


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


def _coarse(n_bins: int) -> npt.NDArray[np.int64]:
    """First bin of each group of neighbouring bins, at most `LINE_BINS` groups."""
    return np.arange(0, n_bins, -(-n_bins // LINE_BINS), dtype=np.int64)


def _lines(counts: ScoreCounts, log_odds: Numbers, start: tuple[float, float, float]) -> tuple[Numbers, Numbers]:
    """Recalibration of each replicate by Newton's method on binned log-odds, from the full sample's own solution.

    Parameters
    ----------
    counts : rows and positives, (n_bins, n_replicates)
    log_odds : (n_line_bins,) mean log-odds of each group of bins
    start : the full sample's intercept with slope 1, and its intercept and slope together

    Returns
    -------
    intercepts with slope 1 and free slopes, (n_replicates,) each; NaN where there is none
    """
    groups = _coarse(len(counts.rows))
    rows, positives = np.add.reduceat(counts.rows, groups), np.add.reduceat(counts.positives, groups)
    line = log_odds[:, None]
    alone, a, b = (np.full(rows.shape[1], value) for value in start)
    for _ in range(_NEWTON_STEPS):
        q = metrics.expit(alone + line)
        alone = alone + metrics.divided((positives - rows * q).sum(axis=0), (rows * q * (1 - q)).sum(axis=0))
        q = metrics.expit(a + b * line)
        error, weight = positives - rows * q, rows * q * (1 - q)
        u0, u1 = error.sum(axis=0), (error * line).sum(axis=0)
        i0, i1, i2 = weight.sum(axis=0), (weight * line).sum(axis=0), (weight * line * line).sum(axis=0)
        determinant = i0 * i2 - i1 * i1
        a = a + metrics.divided(i2 * u0 - i1 * u1, determinant)
        b = b + metrics.divided(i0 * u1 - i1 * u0, determinant)
    return alone, np.where(np.abs(b) < 1e3, b, np.nan)


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
