"""Does a score mean the same in each group: observed shares at the same score, and the slope of outcome on score.

Bands are cut once over everybody, so that groups are compared at the same scores. A band of a group with too few
people is said to be so. Nothing here recalibrates: that is a choice for people, and group-wise it uses the attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.intervals import critical_values, interval
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import Scored
from riskmodel.features.kernel import compiled_loop
from riskmodel.models.metrics import Numbers, expit, logit, recalibration

BANDS: Final = 10
SLOPE_HALF_WIDTH: Final = 0.25
"""Half the interval's width above which a slope is imprecise: it cannot tell 1 from a quarter too much."""


def score_bands(scored: Scored, bands: int = BANDS) -> npt.NDArray[np.int64]:
    """The band of each row: tenths of the rows with a known outcome, by score; equal scores stay together."""
    known = scored.score[np.isfinite(scored.outcome)]
    places = (np.arange(1, bands) * len(known)) // bands
    edges = np.unique(known[places]) if len(known) else np.empty(0)
    starts = np.searchsorted(scored.score, edges)  # rows are in the order of their scores
    band = np.zeros(len(scored.score), np.int64)
    np.add.at(band, starts[starts < len(band)], 1)
    return np.cumsum(band)


def calibration_curves(scored: Scored, grouping: Grouping, band: npt.NDArray[np.int64], rules: Rules) -> list[Row]:
    """Observed share and mean score of every group in every band.

    Parameters
    ----------
    band : (n,) int64, of `score_bands`

    Returns
    -------
    rows {attribute, group, band, from_score, until_score, predicted, observed, low, high, n, people, positives, state}
    """
    known, person, score, outcome = scored.known_by_person
    n_bands, n_groups = int(band.max(initial=0)) + 1, len(grouping.names)
    cell = (grouping.codes * n_bands + band)[known]
    n = np.bincount(cell, minlength=n_groups * n_bands).astype(np.float64)
    yes = np.bincount(cell, weights=outcome, minlength=len(n))
    expected = np.bincount(cell, weights=score, minlength=len(n))
    observed = np.divide(yes, n, out=np.full(len(n), np.nan), where=n > 0)
    people, error = _clustered(cell, person, outcome - observed[cell], n)
    low, high = interval(MEASURE["base_rate"], observed, error, n, people, critical_values(rules.confidence, people))
    edges = _edges(scored, band)
    number = {b: at + 1 for at, b in enumerate(sorted(edges))}
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
                "band": number[b],
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


def _edges(scored: Scored, band: npt.NDArray[np.int64]) -> dict[int, tuple[float, float]]:
    """Lowest and highest score with a known outcome in each band that has one."""
    known = np.flatnonzero(np.isfinite(scored.outcome))
    there, first = np.unique(band[known], return_index=True)
    last = np.concatenate([first[1:], [len(known)]])[: len(first)] - 1
    ends = zip(scored.score[known[first]], scored.score[known[last]], strict=True)
    return {int(b): (float(low), float(high)) for b, (low, high) in zip(there, ends, strict=True)}


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
    intercept, slope = _by_distinct_score(score, outcome)
    if not np.isfinite([intercept, slope]).all():
        return float("nan"), float("nan")
    line = logit(score)
    fitted = expit(intercept + slope * line)
    weight, error = fitted * (1 - fitted), outcome - fitted
    information = np.array([[weight.sum(), weight @ line], [weight @ line, weight @ (line * line)]])
    if np.linalg.det(information) < 1e-12:
        return float("nan"), float("nan")
    moments = np.stack([np.bincount(person, weights=error), np.bincount(person, weights=error * line)])
    people = np.count_nonzero(np.bincount(person))
    bread = np.linalg.inv(information)
    variance = bread @ (moments @ moments.T) @ bread * people / max(people - 1, 1)
    return float(slope), float(np.sqrt(variance[1, 1]))


def _by_distinct_score(score: Numbers, outcome: Numbers) -> tuple[float, float]:
    """Intercept and slope of ascending scores; rows with one score are told together, which changes nothing."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(score) > 0]))
    rows = np.diff([*starts, len(score)]).astype(np.float64)
    share = np.add.reduceat(outcome, starts) / rows
    intercept, slope = recalibration(share, score[starts], with_slope=True, weights=rows)
    return float(intercept), float(slope)


def _clustered(
    cell: npt.NDArray[np.int64], person: npt.NDArray[np.int64], error: Numbers, n: Numbers
) -> tuple[Numbers, Numbers]:
    """Different people in each cell, and the standard error of its mean with a person's rows together.

    Rows come with those of one person together.
    """
    people, squares = np.zeros(len(n)), np.zeros(len(n))
    compiled_pass()(cell, person, error, people, squares)
    spread = np.sqrt(squares * people / np.maximum(people - 1, 1))
    return people, np.divide(spread, n, out=np.full(len(n), np.nan), where=n > 0)


def _by_person(cell: Any, person: Any, error: Any, people: Any, squares: Any) -> None:
    """Add to each cell, for every person with rows in it, 1 and the square of the sum of the person's errors there."""
    total = np.zeros(len(people))
    seen = np.full(len(people), -1)
    start = 0
    while start < len(cell):
        end = start
        while end < len(cell) and person[end] == person[start]:
            total[cell[end]] += error[end]
            end += 1
        for row in range(start, end):
            at = cell[row]
            if seen[at] != start:
                seen[at] = start
                people[at] += 1
                squares[at] += total[at] * total[at]
        for row in range(start, end):
            total[cell[row]] = 0.0
        start = end


@cache
def compiled_pass() -> Callable[..., None]:
    """The pass as machine code."""
    import numba

    types = numba.types
    whole, real = (types.Array(kind, 1, "C", readonly=True) for kind in (types.int64, types.float64))
    out = types.float64[::1]
    return compiled_loop(_by_person, types.void(whole, whole, real, out, out))
