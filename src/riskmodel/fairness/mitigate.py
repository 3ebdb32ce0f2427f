"""Candidates for a fairer list, each made on folds of people so that no row is judged by what learned from it.

Weights while fitting, a constraint while fitting, removal of an attribute's proxies, calibration in each group,
multicalibration, the same share found in each group at the same capacity, and levelling up: more places, so that
nobody is made worse off. None is applied by itself, and none is called fair: what each of them costs and whom it
moves is laid side by side in `frontier`. What needs the protected attribute at prediction says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.capacity import listed, places
from riskmodel.fairness.groups import groupings
from riskmodel.fairness.proxies import FOLDS, folds_of_people
from riskmodel.fairness.recalibration import ByGroup, Multicalibrated
from riskmodel.fairness.reductions import constrained_scores
from riskmodel.fairness.scored import numbers, refused
from riskmodel.models.metrics import Numbers

if TYPE_CHECKING:
    import pandas as pd

AS_IT_IS: Final = "as it is"
LEGAL: Final = "legal advice first"


@dataclass(frozen=True)
class Candidate:
    """One way to score or to list.

    Attributes
    ----------
    name : str
    scores : (n,) float64
    listed : (n,) float64 in [0, 1], the chance of each row to be listed
    needs_attribute : bool, whether the protected attribute is used when somebody is scored or listed
    probabilities : bool
    """

    name: str
    scores: Numbers = field(repr=False)
    listed: Numbers = field(repr=False)
    needs_attribute: bool
    probabilities: bool = True

    @property
    def advice(self) -> str:
        """What has to come before its use."""
        return LEGAL if self.needs_attribute else ""


@dataclass(frozen=True)
class _Folds:
    features: pd.DataFrame
    outcome: Numbers
    codes: npt.NDArray[np.int32]
    n_groups: int
    fold: npt.NDArray[np.int64]
    least: int

    def parts(self) -> list[tuple[Any, Any, Any]]:
        """Rows to fit on, rows to put right on, and rows to judge, fold by fold."""
        known = np.isfinite(self.outcome)
        return [
            (known & (self.fold != test) & (self.fold != (test + 1) % FOLDS), known & (self.fold == (test + 1) % FOLDS),
             self.fold == test)
            for test in range(FOLDS)
        ]  # fmt: skip


def mitigation_candidates(
    model: Any,
    features: pd.DataFrame,
    outcomes: Any,
    group: Any,
    *,
    people: Any = None,
    capacity: float = 0.1,
    leave_out: Sequence[Sequence[str]] = (),
    constraints: Sequence[str] = ("tpr",),
    least: int = 10,
    seed: int = 0,
) -> tuple[Candidate, ...]:
    """Make every candidate on the same folds of people.

    Parameters
    ----------
    model : scikit-learn classifier, not fitted, whose `fit` takes `sample_weight`; it is cloned
    features : (n, d) DataFrame
    outcomes : (n,) 0 or 1, None or NaN where unknown
    group : (n,) the protected attribute; missing is "unknown"
    people : (n,) or None, whose row it is
    capacity : how long the list is
    leave_out : lists of features, each of which makes a candidate without them
    constraints : of fairlearn's reductions: "selection_rate", "tpr", "error_rates"
    least : people with and without the outcome that a group must have to be put right by itself
    seed : int, of the folds

    Returns
    -------
    tuple of Candidate; the first is the model as it is

    Raises
    ------
    DataRefused : lengths that differ, or a feature that is not there
    """
    outcome = numbers(outcomes)
    (grouping,) = groupings({"group": group})
    missing = {name for names in leave_out for name in names} - set(features.columns)
    if missing or {len(outcome), len(grouping.codes)} != {len(features)}:
        raise refused(
            f"{len(features)} rows of features with outcomes or groups of another number, or unknown features"
        )
    person = np.arange(len(outcome)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    folds = _Folds(features, outcome, grouping.codes, len(grouping.names), folds_of_people(person, seed), least)

    def of(name: str, score: Numbers, *, needs: bool = False, probabilities: bool = True) -> Candidate:
        return Candidate(name, score, listed(score, capacity), needs, probabilities)

    plain = _fitted(model, folds, _unweighted)
    made = [of(AS_IT_IS, plain), of("reweighted", _fitted(model, folds, _weights))]
    for names in leave_out:
        less = _Folds(features.drop(columns=list(names)), outcome, folds.codes, folds.n_groups, folds.fold, least)
        made.append(of(f"without {', '.join(names)}", _fitted(model, less, _unweighted)))
    for constraint in constraints:
        score = _constrained(model, folds, constraint, places(capacity, len(outcome)) / len(outcome))
        made.append(of(f"constrained in {constraint}", score, probabilities=False))
    made.append(of("calibrated in each group", _put_right(model, folds, _lines), needs=True))
    made.append(of("multicalibrated", _put_right(model, folds, _patches), needs=True))
    same, up = _same_share_found(plain, folds, capacity), _levelled_up(plain, folds, capacity)
    made.append(Candidate("same share found", plain, same, needs_attribute=True))
    made.append(Candidate("levelled up", plain, up, needs_attribute=True))
    return tuple(made)


def _fitted(model: Any, folds: _Folds, weights: Callable[[Numbers, Any, int], Numbers]) -> Numbers:
    from sklearn.base import clone

    made = np.zeros(len(folds.outcome))
    for first, second, test in folds.parts():
        fit = first | second
        weight = weights(folds.outcome[fit], folds.codes[fit], folds.n_groups)
        fitted = clone(model).fit(folds.features[fit], folds.outcome[fit].astype(int), sample_weight=weight)
        made[test] = fitted.predict_proba(folds.features[test])[:, 1]
    return made


def _unweighted(outcome: Numbers, *_: Any) -> Numbers:
    return np.ones(len(outcome))


def _weights(outcome: Numbers, codes: npt.NDArray[np.int32], n_groups: int) -> Numbers:
    """Group and outcome made independent: expected over observed number of each pair (Kamiran and Calders 2012)."""
    cell = codes.astype(np.int64) * 2 + outcome.astype(np.int64)
    counts = np.bincount(cell, minlength=2 * n_groups).reshape(n_groups, 2).astype(np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
    return np.asarray((expected / np.maximum(counts, 1)).ravel()[cell])


def _constrained(model: Any, folds: _Folds, constraint: Any, share: float) -> Numbers:
    made = np.zeros(len(folds.outcome))
    for first, second, test in folds.parts():
        fit = first | second
        given = folds.features[fit], folds.outcome[fit], folds.codes[fit], folds.features[test]
        made[test] = constrained_scores(model, *given, constraint=constraint, capacity=share)
    return made


def _put_right(model: Any, folds: _Folds, learn: Callable[..., Callable[[Numbers, Any], Numbers]]) -> Numbers:
    from sklearn.base import clone

    made = np.zeros(len(folds.outcome))
    for first, second, test in folds.parts():
        fitted = clone(model).fit(folds.features[first], folds.outcome[first].astype(int))
        score = [fitted.predict_proba(folds.features[part])[:, 1] for part in (second, test)]
        right = learn(score[0], folds.outcome[second], folds.codes[second], folds)
        made[test] = right(score[1], folds.codes[test])
    return made


def _lines(score: Numbers, outcome: Numbers, codes: Any, folds: _Folds) -> Callable[[Numbers, Any], Numbers]:
    return ByGroup.fit(score, outcome, codes, folds.n_groups, folds.least).scores


def _patches(score: Numbers, outcome: Numbers, codes: Any, folds: _Folds) -> Callable[[Numbers, Any], Numbers]:
    everybody = np.arange(folds.n_groups + 1)

    def member(of: Any) -> npt.NDArray[np.bool_]:
        return np.asarray((of[:, None] == everybody) | (everybody == folds.n_groups))

    made = Multicalibrated.fit(score, outcome, member(codes))
    return lambda new, of: made.scores(new, member(of))


def _same_share_found(score: Numbers, folds: _Folds, capacity: float) -> Numbers:
    """The list at the same capacity on which each group has the same share of its outcomes found, as others' rows tell.

    Where each group's edge lies is read off the rows of the other folds; within a group the highest scores are listed.
    Edges move in steps, one an outcome: the places left below the next step are shared among those whom it would add.
    """
    made = np.zeros(len(score))
    for number in range(FOLDS):
        test, other = folds.fold == number, (folds.fold != number) & np.isfinite(folds.outcome)
        available = places(capacity, len(score)) * test.mean()
        low, high = 0.0, 1.0
        for _ in range(40):  # the share to find that fills the list
            share = (low + high) / 2
            wanted = _list_for(score, folds, test, other, np.full(folds.n_groups, share))
            low, high = (share, high) if wanted.sum() < available else (low, share)
        under, over = (_list_for(score, folds, test, other, np.full(folds.n_groups, share)) for share in (low, high))
        added = over - under
        made[test] = (under + added * min((available - under.sum()) / max(added.sum(), 1.0), 1.0))[test]
    return made


def _levelled_up(score: Numbers, folds: _Folds, capacity: float) -> Numbers:
    """The list as it is, and further places for groups of whose outcomes a smaller share is found.

    Every group's share is raised to that of the group found best, as the rows of the other folds tell; nobody leaves
    the list. Groups with too few outcomes are left as they are.
    """
    now = listed(score, capacity)
    made = now.copy()
    for number in range(FOLDS):
        test, other = folds.fold == number, (folds.fold != number) & np.isfinite(folds.outcome)
        found, yes = (
            np.bincount(folds.codes[other], part[other], folds.n_groups)
            for part in (now * np.nan_to_num(folds.outcome), np.nan_to_num(folds.outcome))
        )
        share = np.divide(found, yes, out=np.zeros_like(found), where=yes >= folds.least)
        target = np.where(yes >= folds.least, share.max(), 0.0)
        made[test] = np.maximum(now, _list_for(score, folds, test, other, target))[test]
    return made


def _list_for(score: Numbers, folds: _Folds, test: Any, other: Any, share: Numbers) -> Numbers:
    """List each group's rows above the score that held `share` of its outcomes in the other rows."""
    made = np.zeros(len(score))
    for group in range(folds.n_groups):
        if share[group] <= 0:
            continue
        found = other & (folds.outcome == 1)
        own = found & (folds.codes == group)
        # A group with too few outcomes has the edge of everybody: it is neither raised nor left out.
        yes = np.sort(score[own if own.sum() >= folds.least else found])[::-1]
        edge = yes[min(int(np.ceil(share[group] * len(yes))), len(yes)) - 1]
        made[test & (folds.codes == group) & (score >= edge)] = 1.0
    return made
