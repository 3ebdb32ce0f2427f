"""fairlearn's mitigations, and the only module that imports them: a constraint on decisions while a model is fitted.

The reductions constrain decisions at a probability of one half. Where the outcome is rare nobody has that, every group
is treated alike by being left out, and the constraint holds without doing anything. So those with the outcome are
repeated until one half lies where the list ends.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.models.metrics import Numbers

if TYPE_CHECKING:
    import pandas as pd

Constraint = Literal["selection_rate", "tpr", "error_rates"]

_MOMENTS: Final = {
    "selection_rate": "DemographicParity",
    "tpr": "TruePositiveRateParity",
    "error_rates": "EqualizedOdds",
}


def constrained_scores(
    model: Any,
    features: pd.DataFrame,
    outcome: Numbers,
    group: Any,
    new_features: pd.DataFrame,
    *,
    constraint: Constraint,
    capacity: float,
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
    capacity : share of the rows that are listed
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
        rows = _repeated(model, features, outcome, capacity)
        mixed.fit(features.iloc[rows], outcome[rows].astype(int), sensitive_features=np.asarray(group)[rows])
        made = np.zeros(len(new_features))
        for weight, one in zip(mixed.weights_, mixed.predictors_, strict=True):
            if weight > 0:
                made += weight * one.predict_proba(new_features)[:, 1]
    return np.clip(made, 0.0, 1.0)


def _repeated(model: Any, features: pd.DataFrame, outcome: Numbers, capacity: float) -> npt.NDArray[np.int64]:
    """Rows with those of the outcome repeated as often as the odds at the end of the list are against it."""
    from sklearn.base import clone

    fitted = clone(model).fit(features, outcome.astype(int)).predict_proba(features)[:, 1]
    edge = float(np.clip(np.quantile(fitted, 1 - capacity), 0.01, 0.5))
    yes, often = np.flatnonzero(outcome == 1), (1 - edge) / edge
    # Whole repeats of all, and one more of an even spread of them for the part that is left.
    extra = yes[np.linspace(0, len(yes) - 1, round((often % 1) * len(yes))).astype(np.int64)]
    return np.sort(np.concatenate([np.flatnonzero(outcome == 0), np.tile(yes, int(often)), extra]))
