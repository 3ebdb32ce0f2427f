"""The simplest model within the noise is preferred; one that is clearly behind is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import months
from riskmodel.errors import NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.evaluation import figures_table
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, LightGBM, Logistic, PointsScore
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.selection import preferred, regrets
from riskmodel.models.splits import ForwardFolds


def made(log_odds, people: int = 900, seed: int = 1) -> TrainingSet:
    generator = np.random.default_rng(seed)
    n = people * 8
    X = generator.normal(size=(n, 2)).astype(np.float32)
    arrests = generator.poisson(0.8, n).astype(np.float32)
    outcome = generator.random(n) < 1 / (1 + np.exp(-log_odds(arrests, X[:, 0], X[:, 1])))
    quarters = np.datetime64("2019-01-01", "us") + np.arange(8) * np.timedelta64(91, "D")
    columns = {"entity_id": np.repeat(np.arange(people), 8), "as_of": np.tile(quarters, people)}
    columns |= {"outcome": outcome.astype(np.int8), "arrests": arrests, "a": X[:, 0], "b": X[:, 1]}
    return TrainingSet.of(pa.table(columns), horizon=months(6))


@pytest.mark.parametrize(
    ("log_odds", "name"),
    [
        (lambda n, _a, _b: -2 + 1.0 * n, "best_count"),  # the count is all there is
        (lambda n, a, b: -2 + 1.5 * (n >= 2) + 1.5 * (a > 0) + 0 * b, "points"),  # steps
        (lambda n, a, b: -1.5 + 0.5 * n + 1.2 * a - 1.2 * b, "logistic"),  # slopes
        (lambda n, a, b: -1.5 + 0 * n + 3 * np.sign(a * b), "model"),  # only trees see it
    ],
)
def test_the_simplest_that_is_enough(log_odds, name):
    rivals = (BaseRate(), BestCount(), PointsScore(items=6, cuts=7), Logistic())
    trees = LightGBM(seed=1, rounds=60, feature_share=1.0)
    model = fit(made(log_odds), trees, ForwardFolds(2), comparators=rivals, replicates=300)
    found = preferred(model)
    assert found.model == name, found.reason
    assert "AUROC" in found.reason


def test_nothing_simpler_was_judged():
    model = fit(made(lambda n, a, b: -2 + n + a - b), PointsScore(), ForwardFolds(2), comparators=(BaseRate(),),
                calibrate=None, replicates=100)  # fmt: skip
    assert preferred(model).reason == "No simpler model was judged beside it."


def periods(fitted_model: RiskModel, metric: str, **values: list[float]):
    """The evaluation of a model with figures by period as given."""
    rows = [
        {"model": model, "fold": str(fold), "metric": metric, "value": value, "low": value, "high": value, "n": 100,
         "positives": 30, "state": "ok"}
        for model, found in values.items()
        for fold, value in enumerate(found, start=1)
    ]  # fmt: skip
    return replace(fitted_model.evaluation, metrics=figures_table(rows))


def test_a_model_that_is_never_far_from_the_best_beats_the_winner_of_one_period(fitted_model):
    found = regrets(periods(fitted_model, "auroc", model=[0.80, 0.60, 0.66], logistic=[0.79, 0.69, 0.67])).to_pylist()
    assert [row["model"] for row in found] == ["logistic", "model"]
    # by hand: logistic is .01 behind once; the model is .09 and .01 behind
    assert found[0]["mean"] == pytest.approx(0.01 / 3)
    assert found[1]["worst"] == pytest.approx(0.09)
    assert (found[0]["won"], found[1]["won"]) == pytest.approx((2 / 3, 1 / 3))
    assert found[0]["near"] == pytest.approx(1.0)


def test_of_errors_less_is_better_and_a_tie_goes_to_the_simpler(fitted_model):
    found = regrets(periods(fitted_model, "brier", model=[0.10, 0.12], points=[0.12, 0.10]), "brier").to_pylist()
    assert [row["model"] for row in found] == ["points", "model"]
    assert found[0]["worst"] == pytest.approx(0.02)


def test_what_has_no_best_is_refused(fitted_model):
    with pytest.raises(NotFound, match="by period"):
        regrets(fitted_model.evaluation, "calibration_slope")
    assert {row["periods"] for row in regrets(fitted_model.evaluation).to_pylist()} == {4}
