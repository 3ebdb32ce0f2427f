"""What each feature adds to one score: exact Shapley values of the model itself, checked to add up.

For trees they are the path-dependent values of TreeSHAP (Lundberg et al. 2020): what is not known of a feature is
averaged along the trees' own branches, so correlated features share the credit. For a logistic regression they are
measured from a person with the median of every feature. They are in log-odds, before calibration, which never turns
their direction round. Trees are asked for them in their own library: shap's explainer returns the same bits after
reading the whole model a second time. A model that cannot be explained exactly is refused, never approximated.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.models.boosting import FittedLightGBM
from riskmodel.models.comparators import FittedRate, FittedScore
from riskmodel.models.curves import FittedCurves
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.logistic import FittedLogistic
from riskmodel.models.metrics import Numbers, logit
from riskmodel.models.points import FittedPoints
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.stack import FittedStack

ERROR_ALLOWED: Final = 1e-6
"""By how much the sum of contributions may miss the model's own log-odds."""

METHODS: Final = {
    FittedLightGBM.kind: "path-dependent TreeSHAP: what is left out is averaged along the trees' own branches",
    FittedLogistic.kind: "linear terms, measured from a person with the median of every feature",
    FittedCurves.kind: "the model's own curves, each with mean 0 over the rows that taught it",
    FittedPoints.kind: "the points of the items that hold, measured from a sheet on which none does",
    FittedStack.kind: "the weighted sum of what the features add to the stacked learners",
}


def contributions(model: RiskModel, X: Matrix) -> Numbers:
    """What each feature adds to the log-odds of each row.

    Parameters
    ----------
    model : RiskModel
    X : (n_rows, n_features) float32, NaN where missing

    Returns
    -------
    (n_rows, n_features + 1) float64; the last column is the base, and a row sums to the log-odds before calibration

    Raises
    ------
    DataRefused : a kind of model without exact contributions
    EvidenceError : contributions that do not add up to the model's own log-odds
    """
    return contributions_of(model.fitted, X)


def contributions_of(fitted: Fitted, X: Matrix) -> Numbers:
    """The same for a learner that has learned."""
    fitted.must_fit(X)
    made, margin = with_margin(fitted, np.ascontiguousarray(X, np.float32))
    must_add_up(made, margin)
    return made


def must_add_up(made: Numbers, margin: Numbers) -> float:
    """The largest error of the sums; refuses one above `ERROR_ALLOWED`."""
    error = float(np.max(np.abs(made.sum(axis=1) - margin) / (1 + np.abs(margin)), initial=0.0))
    if not error <= ERROR_ALLOWED:
        raise EvidenceError(
            "contributions-do-not-add-up",
            found=f"contributions that miss the model's own log-odds by up to {error:.2g}",
            expected=f"at most {ERROR_ALLOWED:g}",
            repair="Do not show these reasons; report the version of lightgbm.",
        )
    return error


def with_margin(fitted: Fitted, X: Matrix) -> tuple[Numbers, Numbers]:
    """Contributions with the base as last column, and the model's own log-odds, not yet held against each other."""
    if isinstance(fitted, FittedLightGBM):
        return fitted.contributions(X), fitted.log_odds(X)
    if isinstance(fitted, FittedLogistic):
        return _of_lines(fitted, X), fitted.log_odds(X)
    if isinstance(fitted, FittedStack):
        return _of_stack(fitted, X), fitted.log_odds(X)
    margin = logit(fitted.predict(X))
    if isinstance(fitted, FittedCurves):
        return np.column_stack([fitted.contributions(X), np.full(len(X), fitted.intercept)]), margin
    if isinstance(fitted, FittedPoints):
        return _of_points(fitted, X), margin
    if isinstance(fitted, FittedRate):
        return _on_one(X, None, margin, margin), margin
    if isinstance(fitted, FittedScore):
        # From the median of the rows that taught it; the only feature it reads carries all of the rest.
        taught = np.repeat(logit(fitted.steps.value), fitted.steps.rows)
        base = np.full(len(X), float(np.median(taught)))
        return _on_one(X, fitted.column, margin - base, base), margin
    raise DataRefused(
        "contributions-unknown",
        found=f"a model of the kind {fitted.kind!r}",
        expected="a learner of this package",
        repair="Explain another model, or add exact contributions for this kind.",
    )


def _of_lines(fitted: FittedLogistic, X: Matrix) -> Numbers:
    """Each feature's distance from its median times its slope, and the mark that it is missing."""
    p = X.shape[1]
    distance = np.where(np.isnan(X), 0.0, X.astype(np.float64) - fitted.medians)
    made = np.empty((len(X), p + 1))
    made[:, :p] = distance * fitted.slopes[:p]
    for place, column in enumerate(fitted.marked):
        made[:, column] += np.isnan(X[:, column]) * fitted.slopes[p + place]
    made[:, p] = fitted.intercept + float(np.einsum("j,j->", fitted.medians, fitted.slopes[:p]))
    return made


def _of_points(fitted: FittedPoints, X: Matrix) -> Numbers:
    made = np.zeros((len(X), X.shape[1] + 1))
    for item in fitted.items:
        made[:, item.column] += fitted.slope * item.points * item.holds(X)
    made[:, -1] = fitted.intercept
    return made


def _of_stack(fitted: FittedStack, X: Matrix) -> Numbers:
    made = np.zeros((len(X), X.shape[1] + 1))
    for part, weight in zip(fitted.parts, fitted.weights, strict=True):
        made += weight * with_margin(part, X)[0]
    made[:, -1] += fitted.intercept
    return made


def _on_one(X: Matrix, column: int | None, part: Numbers, base: Numbers) -> Numbers:
    made = np.zeros((len(X), X.shape[1] + 1))
    made[:, -1] = base
    if column is not None:
        made[:, column] = part
    return made
