"""The learners pass scikit-learn's own checks of estimators and work in its pipelines and searches."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from riskmodel.models.estimators import RiskClassifier
from riskmodel.models.learners import ExplainableBoosting, LightGBM, Logistic, PointsScore, fitted

SMALL = LightGBM(rounds=20, min_rows_per_leaf=2, min_information_per_leaf=0.1)


@parametrize_with_checks(
    [
        RiskClassifier(Logistic()),
        RiskClassifier(SMALL),
        RiskClassifier(PointsScore()),
        RiskClassifier(ExplainableBoosting(bags=1, bins=8, min_rows_per_leaf=2)),
    ]
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def drawn(n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n, 3))
    return X, np.where(X[:, 0] + generator.normal(size=n) > 0.5, "yes", "no")


def test_the_coat_changes_nothing():
    X, y = drawn()
    made = RiskClassifier(Logistic()).fit(X, y)
    bare = fitted(Logistic(), X.astype(np.float32), (y == "yes").astype(float))
    assert made.predict_proba(X)[:, 1].tobytes() == bare.predict(X.astype(np.float32)).tobytes()
    assert list(made.classes_) == ["no", "yes"]
    assert set(made.predict(X)) == {"no", "yes"}


def test_in_a_pipeline_and_a_search():
    X, y = drawn()
    scored = cross_val_score(make_pipeline(StandardScaler(), RiskClassifier(Logistic())), X, y, scoring="roc_auc", cv=3)
    assert scored.min() > 0.7
    search = GridSearchCV(
        RiskClassifier(), {"learner": [Logistic(penalty=1.0), Logistic(penalty=1e6)]}, scoring="neg_log_loss", cv=3
    ).fit(X, y)
    assert search.best_params_["learner"] == Logistic(penalty=1.0)


def test_three_classes_are_refused():
    X, _ = drawn(30)
    with pytest.raises(ValueError, match="Only binary"):
        RiskClassifier().fit(X, np.arange(30) % 3)
