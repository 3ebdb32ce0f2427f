"""The figures of an audit: what stands above and below the line of each, as sums over rows.

Every figure is a quotient of two sums, or, for the AUROC, of sums of placements, so that one table of sums by group
gives every figure, its interval and its replicates. No threshold, interval or sentence is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.features.kernel import compiled_loop
from riskmodel.models.metrics import Numbers, divided

SUMS: Final = (
    "rows",  # all rows of the group
    "listed",  # chance to be on the list
    "score",
    "known",  # outcome is known
    "yes",  # outcome is yes
    "listed_known",
    "listed_yes",
    "expected",  # score where the outcome is known
    "expected_yes",  # score of the yes
    "doubt",  # score x (1 - score) there: the variance the scores themselves expect
    "squared_error",
    "attention",  # of a list read from the top
    "won_by_yes",  # placement of each yes among the no of its group, ties half
    "won_by_no",  # placement of each no: share of the yes of its group that lie above
)
"""What is added up over rows."""

Kind = Literal["share", "mean", "ratio", "auroc"]
Weights = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure.

    Attributes
    ----------
    name : str
    above, below : which sums, with sign, stand above and below the line
    kind : "share" (a proportion of rows), "mean" (of a bounded number), "ratio" (of two sums) or "auroc"
    rests_on : whose number decides whether it can be estimated: "rows", "known", "yes", "no", "listed", "unlisted",
        "both" (the fewer of yes and no)
    needs : "list", "ranks" (a list made from the scores) or "probability", when it means nothing without
    per : 1, or 100 for a figure told per hundred
    headline : whether groups are compared on it in a test; complements of a headline figure are not
    """

    name: str
    above: Weights
    below: Weights
    kind: Kind
    rests_on: str
    needs: frozenset[str] = frozenset()
    per: int = 1
    headline: bool = False


_LIST: Final = frozenset({"list"})
_RANKED: Final = frozenset({"list", "ranks"})
_PROBABILITY: Final = frozenset({"probability"})
_NO: Final = {"known": 1, "yes": -1}
_MISSED: Final = {"yes": 1, "listed_yes": -1}

_LISTED_NO: Final = {"listed_known": 1, "listed_yes": -1}
_UNLISTED: Final = {"known": 1, "listed_known": -1}
_UNLISTED_NO: Final = {"known": 1, "yes": -1, "listed_known": -1, "listed_yes": 1}
_RIGHT: Final = {"known": 1, "yes": -1, "listed_known": -1, "listed_yes": 2}

MEASURES: Final = (
    Measure("base_rate", {"yes": 1}, {"known": 1}, "share", "known", headline=True),
    Measure("selection_rate", {"listed": 1}, {"rows": 1}, "share", "rows", _LIST, headline=True),
    Measure("exposure", {"attention": 1}, {"rows": 1}, "mean", "rows", _RANKED),
    Measure("tpr", {"listed_yes": 1}, {"yes": 1}, "share", "yes", _LIST, headline=True),
    Measure("fnr", _MISSED, {"yes": 1}, "share", "yes", _LIST),
    Measure("missed_per_100", _MISSED, {"yes": 1}, "share", "yes", _LIST, per=100),
    Measure("fpr", _LISTED_NO, _NO, "share", "no", _LIST, headline=True),
    Measure("tnr", _UNLISTED_NO, _NO, "share", "no", _LIST),
    Measure("in_error_per_100", _LISTED_NO, {"known": 1}, "share", "known", _LIST, per=100),
    Measure("ppv", {"listed_yes": 1}, {"listed_known": 1}, "share", "listed", _LIST, headline=True),
    Measure("fdr", _LISTED_NO, {"listed_known": 1}, "share", "listed", _LIST),
    Measure("npv", _UNLISTED_NO, _UNLISTED, "share", "unlisted", _LIST),
    Measure("for", _MISSED, _UNLISTED, "share", "unlisted", _LIST),
    Measure("accuracy", _RIGHT, {"known": 1}, "share", "known", _LIST),
    Measure("observed_expected", {"yes": 1}, {"expected": 1}, "ratio", "known", _PROBABILITY, headline=True),
    Measure("mean_score", {"score": 1}, {"rows": 1}, "mean", "rows"),
    Measure("mean_score_yes", {"expected_yes": 1}, {"yes": 1}, "mean", "yes", _PROBABILITY),
    Measure("mean_score_no", {"expected": 1, "expected_yes": -1}, _NO, "mean", "no", _PROBABILITY),
    Measure("auroc", {"won_by_yes": 1}, {"yes": 1}, "auroc", "both", headline=True),
    Measure("brier", {"squared_error": 1}, {"known": 1}, "mean", "known", _PROBABILITY),
)
"""Every figure that an audit makes, in the order in which it is shown."""

MEASURE: Final = {measure.name: measure for measure in MEASURES}


def measures_for(*, with_list: bool, with_ranks: bool, with_probability: bool) -> tuple[Measure, ...]:
    """The figures that mean something for scores of this sort."""
    given = {"list": with_list, "ranks": with_ranks, "probability": with_probability}
    missing = {name for name, there in given.items() if not there}
    return tuple(measure for measure in MEASURES if not measure.needs & missing)


def added(sums: Numbers, weights: Weights) -> Numbers:
    """A signed sum of some of the sums: (n_sums, ...) in, (...) out."""
    total = np.zeros(sums.shape[1:])
    for name, sign in weights.items():
        total += sign * sums[SUMS.index(name)]
    return total


def value_of(measure: Measure, sums: Numbers) -> Numbers:
    """The figure from sums: (n_sums, ...) in, (...) out, NaN where nothing stands below the line."""
    return np.asarray(measure.per * divided(added(sums, measure.above), added(sums, measure.below)))


def replicates_of(measure: Measure, sums: Numbers, drawn: Numbers) -> Numbers:
    """The figure in each replicate.

    Parameters
    ----------
    sums : (n_sums, n_groups), the sums of the sample
    drawn : (n_sums, n_replicates, n_groups), the same of each replicate

    Notes
    -----
    The AUROC of a replicate is that of the sample plus the mean change of its placements, the first-order term of
    DeLong, DeLong and Clarke-Pearson (1988) for clusters of rows (Obuchowski 1997): placements are not ranked again.
    """
    if measure.kind != "auroc":
        return value_of(measure, drawn)
    by_yes = divided(added(drawn, {"won_by_yes": 1}), added(drawn, {"yes": 1}))
    by_no = divided(added(drawn, {"won_by_no": 1}), added(drawn, _NO))
    return np.asarray(by_yes + by_no - value_of(measure, sums))


def influences_of(measure: Measure, sums: Numbers, blocks: Numbers) -> Numbers:
    """What each block of people adds to the figure's error, to first order.

    Parameters
    ----------
    sums : (n_sums, n_groups)
    blocks : (n_sums, n_blocks, n_groups)

    Returns
    -------
    (n_blocks, n_groups), each column summing to 0
    """
    if measure.kind == "auroc":
        by_yes, by_no = auroc_influences(sums, blocks)
        return np.asarray(by_yes + by_no)
    value = value_of(measure, sums)
    error = measure.per * added(blocks, measure.above) - value * added(blocks, measure.below)
    return np.asarray(divided(error, np.broadcast_to(added(sums, measure.below), error.shape)))


def auroc_influences(sums: Numbers, blocks: Numbers) -> tuple[Numbers, Numbers]:
    """The two parts of the AUROC's error, from those with the outcome and from those without: (n_blocks, n_groups)."""
    value = value_of(MEASURE["auroc"], sums)
    parts = []
    for won, mark in (("won_by_yes", {"yes": 1}), ("won_by_no", _NO)):
        error = added(blocks, {won: 1}) - value * added(blocks, mark)
        parts.append(np.asarray(divided(error, np.broadcast_to(added(sums, mark), error.shape))))
    return parts[0], parts[1]


def placements(
    score: Numbers, outcome: Numbers, codes: npt.NDArray[np.int32], n_groups: int
) -> tuple[Numbers, Numbers]:
    """Placement of every row among the rows of its own group with the other outcome.

    Parameters
    ----------
    score : (n,) float64, ascending
    outcome : (n,) float64, 0 or 1, NaN where unknown
    codes : (n,) int32, the group of each row

    Returns
    -------
    won_by_yes, won_by_no : two (n,) float64: for a yes, the share of the group's no below it, for a no, the share of
        the group's yes above it, ties half; 0 for other rows, and where the group has no row of the other sort.
        Within a group each of them sums to the AUROC times the number of yes (of no).

    Examples
    --------
    >>> s, y, g = np.array([.1, .4, .4, .8]), np.array([0., 1, 0, 1]), np.zeros(4, np.int32)
    >>> [part.tolist() for part in placements(s, y, g, 1)]
    [[0.0, 0.75, 0.0, 1.0], [1.0, 0.0, 0.75, 0.0]]
    """
    won_by_yes, won_by_no = np.zeros(len(score)), np.zeros(len(score))
    sort = np.where(np.isnan(outcome), np.int8(-1), outcome == 1).astype(np.int8)
    compiled_sweep()(np.ascontiguousarray(score), sort, np.ascontiguousarray(codes), n_groups, won_by_yes, won_by_no)
    return won_by_yes, won_by_no


def _sweep(score: Any, sort: Any, codes: Any, n_groups: int, won_by_yes: Any, won_by_no: Any) -> None:
    """One pass over ascending scores, equal scores together; `sort` is 1 for a yes, 0 for a no, else -1."""
    below = np.zeros((2, n_groups))
    tied = np.zeros((2, n_groups))
    total = np.zeros((2, n_groups))
    for row in range(len(score)):
        if sort[row] >= 0:
            total[sort[row], codes[row]] += 1
    start = 0
    while start < len(score):
        end = start
        while end < len(score) and score[end] == score[start]:
            if sort[end] >= 0:
                tied[sort[end], codes[end]] += 1
            end += 1
        for row in range(start, end):
            group = codes[row]
            if sort[row] == 1 and total[0, group] > 0:
                won_by_yes[row] = (below[0, group] + 0.5 * tied[0, group]) / total[0, group]
            elif sort[row] == 0 and total[1, group] > 0:
                won_by_no[row] = (total[1, group] - below[1, group] - 0.5 * tied[1, group]) / total[1, group]
        for row in range(start, end):
            if sort[row] >= 0:
                below[sort[row], codes[row]] += tied[sort[row], codes[row]]
                tied[sort[row], codes[row]] = 0
        start = end


@cache
def compiled_sweep() -> Callable[..., None]:
    """The pass as machine code: ten million rows in a tenth of a second, and no sort by group."""
    import numba

    types = numba.types
    of = {kind: types.Array(kind, 1, "C", readonly=True) for kind in (types.float64, types.int8, types.int32)}
    out = types.float64[::1]
    return compiled_loop(_sweep, types.void(of[types.float64], of[types.int8], of[types.int32], types.int64, out, out))
