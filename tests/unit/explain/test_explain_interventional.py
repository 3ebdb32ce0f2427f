"""Values against a background: they add up, are those of the formula, and are not the path-dependent ones."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.errors import DataRefused
from riskmodel.explain.contributions import contributions
from riskmodel.explain.interventional import interventional
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import LightGBM, Logistic
from riskmodel.models.splits import PersonFolds


def drawn(n: int = 1500) -> TrainingSet:
    generator = np.random.default_rng(0)
    first = generator.normal(size=n)
    X = np.stack([first, first + generator.normal(0, 0.3, n), generator.normal(size=n)], 1).astype(np.float32)
    outcome = generator.random(n) < 1 / (1 + np.exp(-(1.5 * first + X[:, 2])))
    columns = {name: X[:, place] for place, name in enumerate(("used", "shadow", "other"))}
    return TrainingSet.of(
        pa.table(
            {
                "entity_id": np.arange(n),
                "as_of": np.full(n, np.datetime64("2020-01-01", "us")),
                "outcome": outcome.astype(np.int8),
                **columns,
            }
        ),
        horizon=days(30),
    )


@pytest.fixture(scope="module")
def model():
    trees = LightGBM(rounds=15, leaves=6, feature_share=1.0, penalty=1.0)
    return fit(drawn(), trees, PersonFolds(2), calibrate=None, comparators=(), replicates=100)


def by_hand(model, row: np.ndarray, background: np.ndarray) -> list[float]:
    """Shapley's formula over all coalitions, each with the rest of the row taken from the background."""
    p = len(row)

    def worth(kept: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(kept)] = row[list(kept)]
        return float(model.fitted.log_odds(mixed).mean())

    return [
        sum(
            factorial(len(others)) * factorial(p - len(others) - 1) / factorial(p)
            * (worth((*others, feature)) - worth(others))
            for size in range(p)
            for others in combinations([one for one in range(p) if one != feature], size)
        )
        for feature in range(p)
    ]  # fmt: skip


def test_the_values_are_those_of_the_formula(model):
    X = drawn().matrix()
    found = interventional(model, X[:3], X[100:140])
    for row, values in zip(X[:3], found, strict=True):
        assert values[:-1] == pytest.approx(by_hand(model, row, X[100:140]), abs=1e-5)
    assert found.sum(axis=1) == pytest.approx(model.fitted.log_odds(X[:3]), abs=1e-6)


def test_they_are_not_the_path_dependent_ones(model):
    X = drawn().matrix()
    assert np.abs(interventional(model, X[:50], X[100:200]) - contributions(model, X[:50])).max() > 0.01


def test_what_cannot_be_asked_is_refused(model):
    X = drawn().matrix()
    with pytest.raises(DataRefused, match="0 rows in the background"):
        interventional(model, X[:2], X[:0])
    lines = fit(drawn(), Logistic(), PersonFolds(2), calibrate=None, comparators=(), replicates=100)
    with pytest.raises(DataRefused, match="expected trees"):
        interventional(lines, X[:2], X[:10])
