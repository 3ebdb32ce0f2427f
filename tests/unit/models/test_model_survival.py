"""Discrete-time survival with competing causes, against sums by hand, known truths and published coefficients."""

from __future__ import annotations

import json

import numpy as np
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.models.learners import ExplainableBoosting, LightGBM, Logistic
from riskmodel.models.survival import DiscreteTime, FittedSurvival, SurvivalRows, _person_periods, cox, fit_survival
from riskmodel.models.survival_metrics import at_day, observed_incidence
from riskmodel.models.uncertainty import Resampling


def rows(days, cause, X=None) -> SurvivalRows:
    n = len(days)
    matrix = np.zeros((n, 1), np.float32) if X is None else np.asarray(X, np.float32)
    names = tuple(f"x{column}" for column in range(matrix.shape[1]))
    return SurvivalRows(matrix, names, np.asarray(days, float), np.asarray(cause), np.arange(n))


def drawn(n: int = 6000, seed: int = 0) -> tuple[SurvivalRows, np.ndarray, np.ndarray]:
    """Constant hazards a day: the outcome's rises with the feature, custody's falls; censoring at random."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=n)
    outcome, custody = 0.0006 * np.exp(0.8 * x), 0.0004 * np.exp(-0.5 * x)
    first = generator.exponential(1 / (outcome + custody))
    cause = np.where(generator.random(n) < outcome / (outcome + custody), 1, 2)
    censored = np.minimum(generator.exponential(2000, n), 730)
    made = rows(np.minimum(first, censored), np.where(first <= censored, cause, 0), x[:, None])
    return made, outcome, custody


def true_incidence(outcome: np.ndarray, custody: np.ndarray, day: float) -> np.ndarray:
    return outcome / (outcome + custody) * (1 - np.exp(-(outcome + custody) * day))


def test_the_lines_at_risk_by_hand():
    # Periods end on days 10 and 20: an event on day 10 is of the first, one on 15 of the second; censored on day 15,
    # it was seen through the first only; followed to day 20, through both.
    row, period, cause = _person_periods(rows([10, 15, 15, 20, 25, 3], [1, 2, 0, 0, 1, 0]), np.array([10.0, 20.0]))
    lines = list(zip(row.tolist(), period.tolist(), cause.tolist(), strict=True))
    assert lines == [(0, 0, 1), (1, 0, 0), (1, 1, 2), (2, 0, 0), (3, 0, 0), (3, 1, 0), (4, 0, 0), (4, 1, 0)]


@pytest.mark.parametrize(
    "learner",
    [Logistic(penalty=1.0), LightGBM(rounds=60, seed=1), ExplainableBoosting(bags=2, bins=32)],
    ids=lambda learner: learner.kind,
)
def test_incidence_is_that_of_the_society(learner):
    made, outcome, custody = drawn()
    fitted = fit_survival(made, DiscreteTime(learner, every=73, until=730))
    found = fitted.by(made.X, 365)
    truth = true_incidence(outcome, custody, 365)
    assert found.mean() == pytest.approx(truth.mean(), abs=0.012)
    assert np.corrcoef(found, truth)[0, 1] > 0.93
    both = fitted.incidence(made.X, 1) + fitted.incidence(made.X, 2)
    assert (np.diff(fitted.incidence(made.X), axis=1) >= 0).all()
    assert both.max() <= 1 + 1e-9


def test_taking_custody_for_censored_would_overstate_the_risk():
    made, outcome, custody = drawn()
    naive = SurvivalRows(made.X, made.names, made.days, np.where(made.cause == 1, 1, 0), made.people)
    alone = fit_survival(naive, DiscreteTime(Logistic(penalty=1.0), every=73, until=730)).by(made.X, 730)
    assert alone.mean() > true_incidence(outcome, custody, 730).mean() + 0.03


def test_it_reads_back_to_the_same_bits():
    made, _, _ = drawn(1500)
    fitted = fit_survival(made, DiscreteTime(LightGBM(rounds=10), every=182.5, until=730))
    again = FittedSurvival.from_document(json.loads(json.dumps(fitted.document())))
    assert again.incidence(made.X).tobytes() == fitted.incidence(made.X).tobytes()


def test_incidence_by_hand():
    days, cause = np.array([1.0, 2, 3, 4, 5]), np.array([1, 0, 2, 1, 0])
    # day 1: 1/5; day 3: custody takes 1 of 3; day 4: free 4/5 * 2/3, 1 of 2
    assert observed_incidence(days, cause, 4) == pytest.approx(1 / 5 + 4 / 5 * 2 / 3 / 2)
    assert observed_incidence(days, cause, 4, wanted=2) == pytest.approx(4 / 5 / 3)


def test_figures_by_hand_when_nobody_is_censored_early():
    days, cause = np.array([5.0, 8, 10, 10]), np.array([1, 2, 0, 0])
    chance = np.array([0.6, 0.2, 0.3, 0.1])
    made = at_day(days, cause, chance, np.arange(4), 10, Resampling(50))
    assert made.auroc.value == 1.0  # the one case lies above all others
    assert made.brier.value == pytest.approx((0.16 + 0.04 + 0.09 + 0.01) / 4)
    assert made.expected_observed.value == pytest.approx(0.3 / 0.25)
    assert made.auroc.positives == 1


def test_figures_by_hand_with_censoring():
    # Censored on day 2 with three others left: their chance of being followed is 3/4, so each stands for 4/3.
    days, cause = np.array([2.0, 5, 10, 12]), np.array([0, 1, 0, 0])
    made = at_day(days, cause, np.array([0.9, 0.5, 0.2, 0.4]), np.arange(4), 10, Resampling(50))
    assert made.brier.value == pytest.approx((0.25 + 0.04 + 0.16) / 3)
    assert made.auroc.value == 1.0


def test_weighting_puts_right_what_censoring_hides():
    made, outcome, custody = drawn(20_000, seed=4)
    truth = true_incidence(outcome, custody, 600)
    found = at_day(made.days, made.cause, truth, made.people, 600, Resampling(60))
    assert found.expected_observed.low < 1 < found.expected_observed.high
    # The true AUROC, from the truth itself: cases weighted by their chance, others by what is left.
    order = np.argsort(truth)
    no = np.cumsum((1 - truth)[order])
    area = float(np.sum(truth[order] * (no - (1 - truth)[order] / 2)) / (truth.sum() * (1 - truth).sum()))
    assert found.auroc.low < area < found.auroc.high


def test_bad_rows_are_refused():
    with pytest.raises(DataRefused, match="1 without a time"):
        rows([1.0, np.nan], [1, 0])
    with pytest.raises(DataRefused, match="none with the outcome"):
        fit_survival(rows([1.0, 2.0], [0, 2]))
    with pytest.raises(DeclarationError, match="periods of 0 days"):
        DiscreteTime(every=0)
    made, _, _ = drawn(1500)
    fitted = fit_survival(made, DiscreteTime(Logistic(), every=365, until=730))
    with pytest.raises(DataRefused, match="day 900"):
        fitted.by(made.X, 900)
    with pytest.raises(DataRefused, match="rows by 1 features"):
        fitted.incidence(np.zeros((2, 3), np.float32))
    with pytest.raises(DataRefused, match="missing values in x0"):
        cox(rows([1.0, 2.0], [1, 0], [[np.nan], [1.0]]))
