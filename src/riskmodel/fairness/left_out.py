"""What the scores lose when features go: the model fitted again without them, on the same folds of people.

The cost of leaving out an attribute and its strongest proxies is measured, not guessed; each row is judged by a model
that never saw it, and the difference has an interval by people. What is worth its cost is for people to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.bootstrap import drawing
from riskmodel.fairness.capacity import listed
from riskmodel.fairness.proxies import FOLDS, folds_of_people
from riskmodel.fairness.rules import Row
from riskmodel.fairness.scored import numbers, refused
from riskmodel.models.metrics import Numbers, auroc, brier

if TYPE_CHECKING:
    import pandas as pd


def cost_of_leaving_out(
    model: Any,
    features: pd.DataFrame,
    outcomes: Any,
    leave_out: Sequence[Sequence[str]],
    *,
    people: Any = None,
    capacity: float = 0.1,
    replicates: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """What the scores lose when features go: the model fitted again without them, on the same folds of people.

    Parameters
    ----------
    model : scikit-learn classifier, not fitted; it is cloned
    features : (n, d) DataFrame
    outcomes : (n,) 0 or 1, None or NaN where unknown
    leave_out : lists of features; each is left out in turn, such as [["ethnicity"], ["ethnicity", "ward"]]
    people, seed : as of `audit_scores`
    capacity : how long the list is
    replicates : draws of whole people for the intervals

    Returns
    -------
    DataFrame, one row a list of features and figure: left_out, metric (auroc, brier, found), value, lost, low, high.
    `lost` is positive where the model without them is worse.

    Raises
    ------
    DataRefused : a feature that is not there, or fewer people than folds
    """
    import pandas as pd

    missing = {name for names in leave_out for name in names} - set(features.columns)
    if missing:
        raise refused(f"{len(missing)} features to leave out that are not among the {features.shape[1]} given")
    outcome = numbers(outcomes)
    known = np.isfinite(outcome)
    person = np.arange(len(outcome)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    fold = folds_of_people(person, seed)
    full = _crossfitted(model, features, outcome, known, fold)
    who = np.unique(person[known], return_inverse=True)[1]
    weights = drawing(who, int(who.max()) + 1, replicates, seed)
    rows: list[Row] = []
    for names in leave_out:
        less = _crossfitted(model, features.drop(columns=list(names)), outcome, known, fold)
        for metric, better, figure in _FIGURES:
            values = [figure(outcome[known], score[known], capacity) for score in (full, less)]
            lost = better * (values[0] - values[1])
            part = _parts(metric, outcome[known], full[known], less[known], capacity)
            error = better * _spread(part, weights.block, weights.weights)
            half = 1.959964 * abs(error)
            row: Row = {"left_out": ", ".join(names), "metric": metric, "value": values[1], "lost": lost}
            rows.append(row | {"low": lost - half, "high": lost + half})
    return pd.DataFrame(rows)


_FIGURES: Final[tuple[tuple[str, int, Callable[[Numbers, Numbers, float], float]], ...]] = (
    ("auroc", 1, lambda outcome, score, _: auroc(outcome, score)),
    ("brier", -1, lambda outcome, score, _: brier(outcome, score)),
    ("found", 1, lambda outcome, score, capacity: float(outcome @ listed(score, capacity) / outcome.sum())),
)


def _parts(metric: str, outcome: Numbers, full: Numbers, less: Numbers, capacity: float) -> Numbers:
    """Each row's part in the error of the difference of a figure of two scores on the same rows."""
    if metric == "brier":
        error = (full - outcome) ** 2 - (less - outcome) ** 2
        return np.asarray((error - error.mean()) / len(error))
    if metric == "found":
        gap = outcome * (listed(full, capacity) - listed(less, capacity))
        return np.asarray((gap - outcome * gap.sum() / outcome.sum()) / outcome.sum())
    made = np.zeros(len(outcome))
    for sign, score in ((1, full), (-1, less)):
        yes, no = np.sort(score[outcome == 1]), np.sort(score[outcome == 0])
        area = auroc(outcome, score)
        for mark, other, up in ((1, no, True), (0, yes, False)):
            own = score[outcome == mark]
            below = (np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")) / (2 * len(other))
            made[outcome == mark] += sign * ((below if up else 1 - below) - area) / len(own)
    return made


def _spread(part: Numbers, block: npt.NDArray[np.int64], weights: Numbers) -> float:
    """Standard error with a person's rows together, by the draws of whole people."""
    sums = np.bincount(block, part, weights.shape[1])
    return float(np.std((weights - 1) @ sums, ddof=1))


def _crossfitted(model: Any, features: pd.DataFrame, outcome: Numbers, known: Any, fold: Any) -> Numbers:
    from sklearn.base import clone

    made = np.zeros(len(outcome))
    for number in range(FOLDS):
        fit, test = known & (fold != number), fold == number
        fitted = clone(model).fit(features[fit], outcome[fit].astype(int))
        made[test] = fitted.predict_proba(features[test])[:, 1]
    return made
