"""fairlearn's mitigations, and the only module that imports them: a constraint on decisions while a model is fitted."""

from __future__ import annotations

import warnings
from typing import Any, Final, Literal

import numpy as np

from riskmodel.models.metrics import Numbers

Constraint = Literal["selection_rate", "tpr", "error_rates"]

_MOMENTS: Final = {
    "selection_rate": "DemographicParity",
    "tpr": "TruePositiveRateParity",
    "error_rates": "EqualizedOdds",
}


def constrained_scores(
    model: Any,
    features: Any,
    outcome: Numbers,
    group: Any,
    new_features: Any,
    *,
    constraint: Constraint,
    allowed: float = 0.02,
    rounds: int = 20,
) -> Numbers:
    """Scores of new rows by exponentiated gradient (Agarwal et al. 2018), which needs no group at prediction.

    Parameters
    ----------
    model : scikit-learn classifier with `sample_weight`, not fitted
    features, outcome, group : of the rows to fit on
    new_features : of the rows to score
    constraint : what may differ between groups by no more than `allowed`
    rounds : most models fitted

    Returns
    -------
    (m,) float64, the mean of the mixed models' probabilities: an order, not a probability
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import reductions

        moment = getattr(reductions, _MOMENTS[constraint])(difference_bound=allowed)
        mixed = reductions.ExponentiatedGradient(model, moment, max_iter=rounds)
        mixed.fit(features, outcome.astype(int), sensitive_features=np.asarray(group))
        made = np.zeros(len(new_features))
        for weight, one in zip(mixed.weights_, mixed.predictors_, strict=True):
            if weight > 0:
                made += weight * one.predict_proba(new_features)[:, 1]
    return np.clip(made, 0.0, 1.0)
