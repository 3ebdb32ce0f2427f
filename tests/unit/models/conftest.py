"""A small set of people seen every quarter, whose true risk is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import Duration
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, CurrentPractice, LightGBM, Logistic
from riskmodel.models.risk_model import RiskModel


def quarterly_set(people: int = 400, dates: int = 12, seed: int = 0) -> TrainingSet:
    """Three counts that matter, one that is often missing, one constant; outcomes unknown in the last quarter."""
    generator = np.random.default_rng(seed)
    quarters = np.datetime64("2019-01-01", "us") + np.arange(dates) * np.timedelta64(91, "D")
    n = people * dates
    counts = generator.poisson([0.6, 0.4, 1.0], (n, 3)).astype(np.float32)
    level = generator.normal(size=n).astype(np.float32)
    log_odds = -2.2 + 0.9 * counts[:, 0] + 0.5 * counts[:, 1] + 0.4 * level
    outcome = (generator.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    as_of = np.tile(quarters, people)
    missing = generator.random(n) < 0.2
    return TrainingSet.of(
        pa.table(
            {
                "entity_id": np.repeat(np.arange(people) + 1_000_000, dates),
                "as_of": as_of,
                "outcome": pa.array(outcome, mask=as_of == quarters[-1]),
                "group:sex": pa.array(np.where(np.arange(n) // dates % 2, "female", "male")),
                "arrests": counts[:, 0],
                "injuries": counts[:, 1],
                "moves": counts[:, 2],
                "level": np.where(missing, np.float32(np.nan), level),
                "constant": np.ones(n, np.float32),
                "carried:old_score": (2 * counts[:, 0] + counts[:, 2]).astype(np.float32),
            }
        ),
        horizon=Duration(months=12, days=30),
    )


SMALL_TREES = LightGBM(seed=7, rounds=20, leaves=4)


@pytest.fixture(scope="session")
def quarterly() -> TrainingSet:
    return quarterly_set()


@pytest.fixture(scope="session")
def fitted_model(quarterly: TrainingSet) -> RiskModel:
    rivals = (BaseRate(), BestCount(), Logistic(), CurrentPractice("old_score"))
    return fit(quarterly, SMALL_TREES, comparators=rivals, capacity=(0.05, 40), replicates=300)
