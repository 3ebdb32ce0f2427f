"""Shapley values of trees against a background of people: what changes when a feature alone is set, all else as it was.

The path-dependent values of `contributions` let correlated features share the credit. These do not: a feature that the
trees never split on gets nothing, however well it goes along with one that they do (Janzing, Minorics and Bloebaum
2020). Which is right depends on the question: what the model does with a value (these), or what a value tells (those).
Where the two order the features differently, a report should show both. The only importer of shap.
"""

from __future__ import annotations

import warnings

import numpy as np

from riskmodel.errors import DataRefused
from riskmodel.explain.contributions import must_add_up
from riskmodel.models.boosting import FittedLightGBM
from riskmodel.models.fitted import Matrix
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel

MOST = 1000
"""People in the background; the cost grows with their number, and a mean settles long before."""


def interventional(model: RiskModel, X: Matrix, background: Matrix) -> Numbers:
    """What each feature adds to the log-odds of each row, measured against a background.

    Parameters
    ----------
    model : RiskModel of trees
    X : (n_rows, n_features) float32, NaN where missing
    background : (n_background, n_features) float32, people of the training set, at most `MOST`

    Returns
    -------
    (n_rows, n_features + 1) float64; the last column is the mean log-odds of the background, and a row sums to the
    log-odds before calibration

    Raises
    ------
    DataRefused : a model of another kind, or a background that is empty or too large
    EvidenceError : values that do not add up
    """
    fitted = model.fitted
    if not isinstance(fitted, FittedLightGBM):
        raise DataRefused(
            "contributions-unknown",
            found=f"a model of the kind {fitted.kind!r}",
            expected="trees",
            repair="Use `contributions`: for sums of curves and lines the two are the same but for the base.",
        )
    fitted.must_fit(X)
    fitted.must_fit(background)
    if not 0 < len(background) <= MOST:
        raise DataRefused(
            "background-size",
            found=f"{len(background)} rows in the background",
            expected=f"1 to {MOST}",
            repair="Draw a sample of the training set.",
        )
    with warnings.catch_warnings():  # it warns of its own dependencies' coming changes; what it returns is checked
        warnings.simplefilter("ignore")
        import shap

        explainer = shap.TreeExplainer(fitted.booster, background, feature_perturbation="interventional")
        values = np.asarray(explainer.shap_values(X, check_additivity=False), np.float64)
    base = float(np.ravel(explainer.expected_value)[-1])
    made = np.column_stack([values, np.full(len(X), base)])
    must_add_up(made, fitted.log_odds(X))
    return made
