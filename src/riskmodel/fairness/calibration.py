"""Does a score mean the same in each group: observed shares at the same score, and the slope of outcome on score.

Bands are cut once over everybody, so that groups are compared at the same scores. A band of a group with too few
people is said to be so. Nothing here recalibrates: that is a choice for people, and group-wise it uses the attribute.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.figures import Row, Rules
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.intervals import critical_values, interval
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.scored import Scored
from riskmodel.models.metrics import Numbers, expit, logit, recalibration

BANDS: Final = 10
SLOPE_HALF_WIDTH: Final = 0.25
"""Half the interval's width above which a slope is imprecise: it cannot tell 1 from a quarter too much."""


def score_bands(scored: Scored, bands: int = BANDS) -> npt.NDArray[np.int64]:
    """The band of each row: tenths of the rows with a known outcome, by score; equal scores stay together."""
    known = np.sort(scored.score[np.isfinite(scored.outcome)])
    places = (np.arange(1, bands) * len(known)) // bands
    edges = np.unique(known[places]) if len(known) else np.empty(0)
    return np.asarray(np.searchsorted(edges, scored.score, side="right"), np.int64)


def calibration_curves(scored: Scored, grouping: Grouping, rules: Rules) -> list[Row]:
    """Observed share and mean score of every group in every band.

    Returns
    -------
    rows {attribute, group, band, from_score, until_score, predicted, observed, low, high, n, people, positives, state}
    """
    known = np.flatnonzero(np.isfinite(scored.outcome))
    band = np.unique(score_bands(scored)[known], return_inverse=True)[1]
    score, outcome, person = scored.score[known], scored.outcome[known], scored.person[known]
    n_bands, n_groups = int(band.max(initial=0)) + 1, len(grouping.names)
    cell = grouping.codes[known].astype(np.int64) * n_bands + band
    n = np.bincount(cell, minlength=n_groups * n_bands).astype(np.float64)
    yes = np.bincount(cell, weights=outcome, minlength=len(n))
    expected = np.bincount(cell, weights=score, minlength=len(n))
    observed = np.divide(yes, n, out=np.full(len(n), np.nan), where=n > 0)
    people, error = _clustered(cell, person, outcome - observed[cell], n)
    low, high = interval(MEASURE["base_rate"], observed, error, n, people, critical_values(rules.confidence, people))
    edges = [
        (float(score[band == b].min()), float(score[band == b].max())) for b in range(n_bands if len(known) else 0)
    ]
    rows: list[Row] = []
    for at in np.flatnonzero(n):
        group, b = divmod(int(at), n_bands)
        enough = rules.minimums.allow(people[at], n[at], ratio=False)
        bounds = float(observed[at]), float(low[at]), float(high[at])
        state = rules.minimums.state(*bounds, ratio=False) if enough else NOT_ESTIMABLE
        rows.append(
            {
                "attribute": grouping.attribute,
                "group": grouping.names[group],
                "band": b + 1,
                "from_score": edges[b][0],
                "until_score": edges[b][1],
                "predicted": float(expected[at] / n[at]),
                **dict(zip(("observed", "low", "high"), bounds if enough else (None,) * 3, strict=True)),
                "n": int(n[at]),
                "people": int(people[at]),
                "positives": int(yes[at]),
                "state": state,
            }
        )
    return rows


def calibration_slopes(scored: Scored, grouping: Grouping, rules: Rules) -> list[Row]:
    """Slope of the outcome on the score's log-odds in each group (Cox 1958): below 1, scores are too extreme for it.

    Returns
    -------
    rows {attribute, group, value, low, high, n, people, positives, state}; intervals by people (sandwich)
    """
    heads = scored.people(grouping)
    known = np.isfinite(scored.outcome)
    rows: list[Row] = []
    for code, name in enumerate(grouping.names):
        own = np.flatnonzero(known & (grouping.codes == code))
        outcome = scored.outcome[own]
        row: Row = {"attribute": grouping.attribute, "group": name, "value": None, "low": None, "high": None}
        row |= {"n": len(own), "people": int(heads["known"][code]), "positives": int(outcome.sum())}
        row["state"] = NOT_ESTIMABLE
        rest = float(heads["both"][code])
        if rules.minimums.allow(rest, rest, ratio=False):
            slope, error = _slope(scored.score[own], outcome, scored.person[own])
            half = float(critical_values(rules.confidence, np.array([heads["known"][code]]))[0]) * error
            if np.isfinite([slope, half]).all():
                state = "imprecise" if half > SLOPE_HALF_WIDTH else "ok"
                row |= {"value": slope, "low": slope - half, "high": slope + half, "state": state}
        rows.append(row)
    return rows


def _slope(score: Numbers, outcome: Numbers, person: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The slope and its standard error with a person's rows together (Liang and Zeger 1986)."""
    intercept, slope = recalibration(outcome, score, with_slope=True)
    if not np.isfinite([intercept, slope]).all():
        return float("nan"), float("nan")
    line = logit(score)
    fitted = expit(intercept + slope * line)
    weight, error = fitted * (1 - fitted), outcome - fitted
    information = np.array([[weight.sum(), weight @ line], [weight @ line, weight @ (line * line)]])
    if np.linalg.det(information) < 1e-12:
        return float("nan"), float("nan")
    _, who = np.unique(person, return_inverse=True)
    moments = np.stack([np.bincount(who, weights=error), np.bincount(who, weights=error * line)])
    people = moments.shape[1]
    bread = np.linalg.inv(information)
    variance = bread @ (moments @ moments.T) @ bread * people / max(people - 1, 1)
    return float(slope), float(np.sqrt(variance[1, 1]))


def _clustered(
    cell: npt.NDArray[np.int64], person: npt.NDArray[np.int64], error: Numbers, n: Numbers
) -> tuple[Numbers, Numbers]:
    """Different people in each cell, and the standard error of its mean with a person's rows together."""
    key = cell * (int(person.max(initial=0)) + 1) + person
    pairs, which = np.unique(key, return_inverse=True)
    of_cell = pairs // (int(person.max(initial=0)) + 1)
    people = np.bincount(of_cell, minlength=len(n)).astype(np.float64)
    squares = np.bincount(of_cell, weights=np.bincount(which, weights=error) ** 2, minlength=len(n))
    spread = np.sqrt(squares * people / np.maximum(people - 1, 1))
    return people, np.divide(spread, n, out=np.full(len(n), np.nan), where=n > 0)
