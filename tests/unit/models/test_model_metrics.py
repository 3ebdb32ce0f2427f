"""Metrics: worked by hand, equal to scikit-learn, and empty where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from riskmodel.models import metrics
from riskmodel.models.metrics import ScoreCounts


def drawn(seed: int, digits: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    p = np.clip(np.round(generator.beta(1, 8, n), digits), 0.001, 0.999)
    return (generator.random(n) < p).astype(float), p


@pytest.mark.parametrize("digits", [1, 2, 8])  # many ties, some, none
def test_equal_to_scikit_learn(digits):
    y, p = drawn(digits, digits)
    assert metrics.auroc(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert metrics.average_precision(y, p) == pytest.approx(average_precision_score(y, p), abs=1e-12)
    assert metrics.brier(y, p) == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert metrics.log_loss(y, p) == pytest.approx(log_loss(y, p), abs=1e-12)


def test_recalibration_equals_an_unpenalised_logistic_regression():
    y, p = drawn(3, 2)
    other = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(metrics.logit(p)[:, None], y)
    intercept, slope = metrics.recalibration(y, p, with_slope=True)
    assert slope == pytest.approx(other.coef_[0, 0], abs=1e-7)
    assert intercept == pytest.approx(other.intercept_[0], abs=1e-7)


def test_recalibration_worked_by_hand():
    # Half of the rows at p = .5 with 1 of 4 positive, half at p = .5: the offset that makes the mean 1/4 is
    # log(1/3), because logit(.5) = 0.
    y = np.array([1.0, 0, 0, 0])
    p = np.full(4, 0.5)
    assert metrics.calibration_in_the_large(y, p) == pytest.approx(np.log(1 / 3), abs=1e-12)
    # Two scores, .2 with 1 of 4 and .8 with 3 of 4: a line through two points is exact. Its slope is
    # (log 3 - log(1/3)) / (log 4 - log(1/4)) = log 3 / log 4.
    y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    p = np.repeat([0.2, 0.8], 4)
    assert metrics.calibration_slope(y, p) == pytest.approx(np.log(3) / np.log(4), abs=1e-10)
    assert metrics.calibration_in_the_large(y, p) == pytest.approx(0, abs=1e-12)


def test_small_sums_by_hand():
    y, p = np.array([1.0, 0, 0, 1]), np.array([0.5, 0.5, 0.25, 1.0])
    assert metrics.brier(y, p) == pytest.approx((0.25 + 0.25 + 0.0625 + 0) / 4, abs=1e-15)
    assert metrics.scaled_brier(y, p) == pytest.approx(1 - 0.140625 / 0.25, abs=1e-15)
    assert metrics.expected_observed(y, p) == pytest.approx(2.25 / 2, abs=1e-15)


def test_capacity_shares_ties_in_expectation():
    # Scores 9 | 5 5 5 5 | 1; positives: 9, two of the 5s. Three places: the 9 and two of four 5s -> 1 + 2 * 2/4 = 2.
    y = np.array([1.0, 1, 1, 0, 0, 0])
    p = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1])
    made = metrics.at_capacity(y, p, 3)
    assert made.found == pytest.approx(2)
    assert made.precision == pytest.approx(2 / 3)
    assert made.recall == pytest.approx(2 / 3)
    assert made.lift == pytest.approx((2 / 3) / 0.5)
    assert made.missed_per_100 == pytest.approx(100 / 3)
    everybody = metrics.at_capacity(y, p, 100)
    assert everybody.capacity == 6
    assert everybody.recall == 1


def test_capacity_equals_the_mean_over_orders_of_the_ties():
    generator = np.random.default_rng(5)
    y = (generator.random(40) < 0.3).astype(float)
    p = np.round(generator.random(40), 1)
    found = []
    for _ in range(20_000):
        order = np.lexsort((generator.random(40), -p))
        found.append(y[order[:13]].sum())
    assert metrics.at_capacity(y, p, 13).found == pytest.approx(np.mean(found), abs=0.03)


@pytest.mark.parametrize("y", [np.zeros(5), np.ones(5)])
def test_one_outcome_only_has_no_value(y):
    p = np.linspace(0.1, 0.9, 5)
    made = metrics.every_metric(y, p, {"2": 2})
    for name in ("auroc", "scaled_brier", "calibration_in_the_large", "calibration_slope"):
        assert np.isnan(made[name])
    assert np.isfinite(made["brier"])
    assert np.isfinite(made["precision@2"])
    assert np.isnan(made["recall@2"]) == (y.sum() == 0)
    assert np.isnan(made["auprc"]) == (y.sum() == 0)


def test_a_slope_that_does_not_exist_has_no_value():
    assert np.isnan(metrics.calibration_slope(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])))  # separated
    assert np.isnan(metrics.calibration_slope(np.array([0.0, 1, 0, 1]), np.full(4, 0.3)))  # one score


def test_extreme_probabilities_stay_finite():
    y, p = np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 1, 0])
    assert np.isfinite(metrics.log_loss(y, p))
    assert np.isfinite(metrics.calibration_slope(y, p))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
def test_columns_of_counts_give_what_single_counts_give(rows):
    y = np.array([float(yes) for yes, _ in rows])
    p = np.array([score / 8 + 0.05 for _, score in rows])
    one = ScoreCounts.of(y, p)
    two = ScoreCounts(np.stack([one.rows, 2 * one.rows], 1), np.stack([one.positives, 2 * one.positives], 1))
    for formula in (metrics.auroc_of, metrics.average_precision_of):
        assert np.allclose(formula(two), formula(one), equal_nan=True, atol=1e-12)
    single, double = metrics.at_capacity_of(one, 3.0), metrics.at_capacity_of(two, np.array([3.0, 6.0]))
    assert np.allclose(double.precision, single.precision, equal_nan=True)
    if 0 < y.sum() < len(y):
        assert metrics.auroc(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
        assert metrics.auroc(1 - y, p) == pytest.approx(1 - metrics.auroc(y, p), abs=1e-12)
