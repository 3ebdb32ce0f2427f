"""The simplest model within the noise is preferred; one that is clearly behind is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import months
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, LightGBM, Logistic, PointsScore
from riskmodel.models.selection import preferred
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
