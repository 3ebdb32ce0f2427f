"""The learners with scikit-learn's face, for pipelines, searches and checks of that world.

A thin coat: settings and what is learned stay those of `learners`; here are only the names and manners that
scikit-learn expects. `predict` gives the likelier class, as that world demands; nothing else in the package does.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from riskmodel.models.learners import Learner, LightGBM, fitted


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types here
    """A learner as a binary scikit-learn classifier.

    Parameters
    ----------
    learner : frozen settings that read features, such as ``Logistic()``; None is ``LightGBM()``

    Attributes
    ----------
    classes_ : (2,), the second is the outcome
    fitted_ : what was learned
    """

    def __init__(self, learner: Learner | None = None) -> None:
        self.learner = learner

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from (n, p) features, NaN where missing, and (n,) labels of two classes."""
        X, y = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan", ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, number = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is multiclass: "
                f"{len(self.classes_)} classes."
            )
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: {len(self.classes_)} class.")
        names = tuple(getattr(self, "feature_names_in_", [f"x{column}" for column in range(X.shape[1])]))
        settings = LightGBM() if self.learner is None else self.learner
        self.fitted_ = fitted(settings, X, number.astype(np.float64), names)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of both classes: (n, 2) float64."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False)
        p = self.fitted_.predict(X)
        return np.stack([1 - p, p], axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class of each row."""
        likelier = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[likelier.astype(int)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
