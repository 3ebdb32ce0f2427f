"""Where the true probability is known, the model's probabilities are right, and what is said of similar cases holds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import Duration
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, LightGBM, Logistic
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds

PEOPLE, QUARTERS = 3000, 10


@pytest.fixture(scope="module")
def society() -> tuple[TrainingSet, np.ndarray]:
    """A training set and the true probability of each of its rows."""
    generator = np.random.default_rng(20)
    n = PEOPLE * QUARTERS
    counts = generator.poisson([0.5, 0.8, 0.3], (n, 3)).astype(np.float32)
    days = generator.exponential(400, n).astype(np.float32)
    days[counts[:, 1] == 0] = np.nan  # nothing ever happened: no days since
    line = -3.2 + 0.7 * counts[:, 0] + 0.5 * np.minimum(counts[:, 1], 2) + 0.8 * (days < 90) + 0.6 * counts[:, 2]
    p = 1 / (1 + np.exp(-line))
    quarters = np.datetime64("2018-01-01", "us") + np.arange(QUARTERS) * np.timedelta64(91, "D")
    table = pa.table(
        {
            "entity_id": np.repeat(np.arange(PEOPLE), QUARTERS),
            "as_of": np.tile(quarters, PEOPLE),
            "outcome": (generator.random(n) < p).astype(np.int8),
            "arrests": counts[:, 0],
            "referrals": counts[:, 1],
            "injuries": counts[:, 2],
            "days_since_referral": days,
        }
    )
    return TrainingSet.of(table, horizon=Duration(months=12)), p


@pytest.fixture(scope="module", params=["isotonic", "sigmoid"])
def model(request: pytest.FixtureRequest, society: tuple[TrainingSet, np.ndarray]) -> RiskModel:
    rivals = (BaseRate(), BestCount(), Logistic())
    method = request.param
    return fit(society[0], LightGBM(seed=1), ForwardFolds(3), calibrate=method, comparators=rivals, replicates=300)


def true_of_predictions(model: RiskModel, p: np.ndarray) -> np.ndarray:
    rows = model.evaluation.predictions
    start = np.datetime64("2018-01-01", "us")
    quarter = (rows["as_of"].to_numpy() - start) // np.timedelta64(91, "D")
    return p[rows["entity_id"].to_numpy() * QUARTERS + quarter.astype(int)]


def test_predictions_lie_near_the_true_probability(model, society):
    truth = true_of_predictions(model, society[1])
    p = model.evaluation.predictions["p"].to_numpy()
    assert np.abs(p - truth).mean() < 0.03  # the base rate is 12 %; probabilities go from 4 to 70 %
    assert p.mean() == pytest.approx(truth.mean(), abs=0.005)
    for tenth in np.array_split(np.argsort(p), 10):
        assert p[tenth].mean() == pytest.approx(truth[tenth].mean(), abs=0.025)


def test_calibration_figures_hold_their_ideal(model):
    figure = model.evaluation.figure
    assert figure("expected_observed").low < 1 < figure("expected_observed").high
    assert figure("calibration_in_the_large").low < 0 < figure("calibration_in_the_large").high
    assert figure("calibration_slope").value == pytest.approx(1, abs=0.1)


def test_the_model_comes_near_the_best_that_is_possible_and_beats_the_comparators(model, society):
    truth = true_of_predictions(model, society[1])
    y = model.evaluation.predictions["outcome"].to_numpy()
    best = np.mean((truth - y) ** 2)
    assert model.evaluation.figure("brier").value - best < 0.0015
    for rival in ("base_rate", "best_count"):
        assert model.evaluation.difference("auroc", rival).low > 0
        assert model.evaluation.difference("brier", rival).high < 0


def test_what_is_said_of_similar_cases_holds_the_mean_true_probability(model, society):
    truth = true_of_predictions(model, society[1])
    p = model.evaluation.predictions["p"].to_numpy()
    band = model.similar.band(p)
    inside = [
        model.similar.low[number] <= truth[band == number].mean() <= model.similar.high[number]
        for number in np.unique(band)
    ]
    assert np.mean(inside) >= 0.85  # 95 % intervals of about twenty bands


@pytest.mark.slow
def test_without_calibration_overfitted_trees_are_too_sure_and_calibration_mends_it(society):
    training, _ = society
    wild = LightGBM(seed=1, leaves=60, learning_rate=0.15, min_rows_per_leaf=3, min_information_per_leaf=0,
                    feature_share=0.8, penalty=5.0)  # fmt: skip
    slopes = {
        method: fit(training, wild, ForwardFolds(2), calibrate=method, comparators=(), replicates=100)
        .evaluation.figure("calibration_slope")
        .value
        for method in (None, "isotonic", "sigmoid")
    }
    assert slopes[None] < 0.6
    assert slopes["isotonic"] == pytest.approx(1, abs=0.2)
    assert slopes["sigmoid"] == pytest.approx(1, abs=0.2)
