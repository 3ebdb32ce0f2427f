"""What each feature adds to one score: exact Shapley values of the model itself, checked to add up.

For trees they are the path-dependent values of TreeSHAP (Lundberg et al. 2020): what is not known of a feature is
averaged along the trees' own branches, so correlated features share the credit. For a logistic regression they are
measured from a person with the median of every feature. They are in log-odds, before calibration, which never turns
their direction round. Trees are asked for them in their own library: shap's explainer returns the same bits after
reading the whole model a second time. A model that cannot be explained exactly is refused, never approximated.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.explain.families import FAMILY, FEATURE, added_up, told
from riskmodel.explain.refits import BAG, refits_of
from riskmodel.explain.stability import Overlap, overlap
from riskmodel.explain.summary import Explanation, importance_table, swarm
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.boosting import FittedLightGBM
from riskmodel.models.comparators import FittedRate, FittedScore
from riskmodel.models.curves import FittedCurves
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.logistic import FittedLogistic
from riskmodel.models.metrics import Numbers, logit
from riskmodel.models.points import FittedPoints
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.stack import FittedStack
from riskmodel.seeds import stream

__all__ = ["Explanation", "contributions", "contributions_of", "explanation"]

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
    made, margin = _exact(fitted, np.ascontiguousarray(X, np.float32))
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


def explanation(
    model: RiskModel,
    training: TrainingSet,
    *,
    rows: int = 1000,
    refits: int = 2,
    seed: int = 0,
) -> Explanation:
    """What the model leans on, over a sample of the rows of its training set.

    Parameters
    ----------
    model, training : the model and the set on which it was fitted
    rows : how many rows are explained, drawn with the seed
    refits : how many models are fitted again, each on 80 % of the people with a seed of its own, to see whether the
        top reasons stay; below 2 nothing is measured, and the document says so
    seed : int, of the rows and of the models fitted again
    """
    X = _matrix(model, training)
    chosen = np.sort(stream(seed, "explain", "rows").permutation(len(X))[:rows])
    sample = np.ascontiguousarray(X[chosen])
    made, margin = _exact(model.fitted, sample)
    error = must_add_up(made, margin)
    parts, columns = made[:, :-1], told(model.feature_names, model.features)
    again = refits_of(model, training, refits, seed) if refits > 1 else []
    others = [contributions_of(one, sample)[:, :-1] for one in again]
    levels = (FEATURE, FAMILY)
    overlaps: list[Overlap] = []
    if others:
        overlaps = [overlap(level, [added_up(one, columns, level)[1] for one in others], margin) for level in levels]
    # The cloud is a sample of the rows in random order, not the first people by number.
    mixed = stream(seed, "explain", "swarm").permutation(len(sample))
    settings: dict[str, Any] = {
        "model": model.fingerprint,
        "training": training.fingerprint,
        "rows": len(sample),
        "of_rows": len(X),
        "seed": seed,
        "kind": model.fitted.kind,
        "method": METHODS.get(model.fitted.kind, "the one thing the model reads"),
        "unit": "log-odds before calibration",
        "base": float(made[0, -1]),
        "largest_error_below": ERROR_ALLOWED if error > 0 else 0.0,
        "refits": len(others),
        "refit_share_of_people": BAG,
        "refit_top": 3,
    }
    values = sample.astype(np.float64)
    cloud = swarm(parts[mixed], values[mixed], columns)
    return Explanation(importance_table(parts, values, columns), tuple(cloud), tuple(overlaps), settings)


def _matrix(model: RiskModel, training: TrainingSet) -> Matrix:
    columns = [training.table.column(name).cast("float").fill_null(np.nan) for name in model.feature_names]
    X = np.empty((training.table.num_rows, len(columns)), np.float32, order="F")
    for place, column in enumerate(columns):
        X[:, place] = column.to_numpy()
    if not len(X):
        raise DataRefused(
            "nothing-to-explain",
            found="a training set without rows",
            expected="rows to explain",
            repair="Give the training set on which the model was fitted.",
        )
    return X


def _exact(fitted: Fitted, X: Matrix) -> tuple[Numbers, Numbers]:
    """Contributions with the base as last column, and the model's own log-odds."""
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
        made += weight * _exact(part, X)[0]
    made[:, -1] += fitted.intercept
    return made


def _on_one(X: Matrix, column: int | None, part: Numbers, base: Numbers) -> Numbers:
    made = np.zeros((len(X), X.shape[1] + 1))
    made[:, -1] = base
    if column is not None:
        made[:, column] = part
    return made
