"""Explainable boosting and stacks: the library's own numbers, curves that can be read, weights that make sense."""

from __future__ import annotations

import numpy as np
import pytest
from interpret.glassbox import ExplainableBoostingClassifier

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.models.learners import ExplainableBoosting, LightGBM, Logistic, Stack, fitted, learner_from_document
from riskmodel.models.metrics import logit
from riskmodel.seeds import derived

NAMES = ("arrests", "level", "constant", "never_known")
SMALL = ExplainableBoosting(seed=3, bags=2, bins=16)


def drawn(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The outcome rises with arrests and is U-shaped in level, which a straight line cannot see."""
    generator = np.random.default_rng(seed)
    X = np.stack([generator.poisson(0.7, n), generator.normal(size=n), np.ones(n), np.full(n, np.nan)], 1)
    p = 1 / (1 + np.exp(-(-2.5 + 0.8 * X[:, 0] + 0.8 * X[:, 1] ** 2)))
    X[generator.random(n) < 0.1, 1] = np.nan
    return X.astype(np.float32), (generator.random(n) < p).astype(float)


def test_predictions_are_those_of_the_library():
    X, y = drawn()
    made = fitted(SMALL, X, y, NAMES)
    theirs = ExplainableBoostingClassifier(
        feature_names=["arrests", "level"],
        feature_types=["continuous"] * 2,
        interactions=0,
        outer_bags=2,
        max_bins=16,
        learning_rate=0.02,
        min_samples_leaf=30,
        random_state=derived(3, "explainable-boosting") % 2**31,
        n_jobs=1,
    ).fit(X[:, :2].astype(float), y.astype(int))
    assert made.predict(X) == pytest.approx(theirs.predict_proba(X[:, :2].astype(float))[:, 1], abs=1e-8)


def test_the_curves_show_what_is_there():
    X, y = drawn(8000)
    made = fitted(SMALL, X, y, NAMES)
    assert [curve.column for curve in made.curves] == [0, 1]  # nothing is learned from a constant, or from nothing
    asked = np.array([[0, 0, 1, np.nan], [3, 0, 1, np.nan], [0, 2, 1, np.nan], [0, -2, 1, np.nan]], np.float32)
    parts = made.contributions(asked)
    assert parts[1, 0] > parts[0, 0] + 1
    assert parts[2, 1] > parts[0, 1] + 1
    assert parts[3, 1] > parts[0, 1] + 1
    assert (parts[:, 2:] == 0).all()
    assert parts.sum(axis=1) + made.intercept == pytest.approx(logit(made.predict(asked)), abs=1e-9)


def test_without_a_feature_that_varies_it_is_the_base_rate():
    _, y = drawn(500)
    made = fitted(SMALL, np.ones((500, 2), np.float32), y, ("a", "b"))
    assert made.predict(np.ones((1, 2), np.float32))[0] == pytest.approx(y.mean(), abs=1e-12)


def test_a_stack_leans_on_the_learner_that_knows():
    X, y = drawn()
    made = fitted(Stack((SMALL, Logistic())), X, y, NAMES)
    curves, line = made.weights
    assert curves > 0.7  # a straight line does not see the U
    assert line >= 0
    expected = made.intercept + curves * logit(made.parts[0].predict(X)) + line * logit(made.parts[1].predict(X))
    assert made.log_odds(X) == pytest.approx(expected, abs=1e-12)


def test_a_stack_keeps_the_rows_of_a_person_together():
    # Every person has five equal rows and a random outcome: only a learner that met the person can know it.
    generator = np.random.default_rng(1)
    X = np.repeat(generator.normal(size=(300, 2)).astype(np.float32), 5, axis=0)
    y = np.repeat((generator.random(300) < 0.5).astype(float), 5)
    stack = Stack((LightGBM(rounds=60, min_rows_per_leaf=1, min_information_per_leaf=0, penalty=0.1), Logistic()))
    apart = fitted(stack, X, y, ("a", "b"), people=np.repeat(np.arange(300), 5))
    mixed = fitted(stack, X, y, ("a", "b"))
    assert mixed.weights[0] > 1  # rows of the same person on both sides: it seems to know everything
    assert apart.weights[0] < 0.5


def test_stacks_that_mean_nothing_are_refused():
    with pytest.raises(DeclarationError, match="at least two"):
        Stack((Logistic(),))
    with pytest.raises(DeclarationError, match="at least two of"):
        learner_from_document({"kind": "stack", "of": [{"kind": "logistic"}, {"kind": "oracle"}]})
    made = learner_from_document({"kind": "stack", "of": [{"kind": "logistic", "penalty": 2.0}, {"kind": "points"}]})
    assert made.of[0] == Logistic(penalty=2.0)


def test_a_matrix_of_another_width_is_refused():
    X, y = drawn(500)
    with pytest.raises(DataRefused, match="4 features"):
        fitted(SMALL, X, y, NAMES).predict(X[:, :2])
