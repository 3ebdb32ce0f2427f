"""The interval of one person's probability holds that person's true chance as often as it promises.

The models are of the right form here; what the interval covers is what another draw of the people would have taught.
A model of a wrong form has an interval around something else, which the second test shows.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.arbitrariness import ensemble
from riskmodel.models.fit import fit
from riskmodel.models.learners import Logistic
from riskmodel.models.splits import PersonFolds


def drawn(seed: int, people: int = 400, bend: float = 0.0) -> tuple[TrainingSet, np.ndarray, np.ndarray]:
    """Two rows a person; the features of new people, and their true chances."""
    generator = np.random.default_rng([seed, 5])
    X = generator.normal(size=(people + 200, 3)).astype(np.float32)
    line = -1.2 + 0.9 * X[:, 0] - 0.5 * X[:, 1] + bend * (X[:, 2] ** 2 - 1)
    chance = 1 / (1 + np.exp(-line))
    outcome = (generator.random((people, 2)) < chance[:people, None]).astype(np.int8).ravel()
    table = {
        "entity_id": np.repeat(np.arange(people), 2),
        "as_of": np.tile(np.array(["2019-01-01", "2019-04-01"], "datetime64[us]"), people),
        "outcome": outcome,
        **{name: np.repeat(X[:people, place], 2) for place, name in enumerate("abc")},
    }
    return TrainingSet.of(pa.table(table), horizon=days(30)), X[people:], chance[people:]


def coverage(rounds: int, bend: float = 0.0) -> float:
    inside = []
    for seed in range(rounds):
        training, asked, chance = drawn(seed, bend=bend)
        model = fit(training, Logistic(penalty=1.0), PersonFolds(2), calibrate=None, comparators=(), replicates=100)
        low, high = ensemble(model, training, members=20, seed=seed).interval(asked)
        inside.append(((low <= chance) & (chance <= high)).mean())
    return float(np.mean(inside))


@pytest.mark.nightly
def test_the_interval_of_a_probability_holds_the_true_chance():
    # 40 draws; the rows of one draw hang together, so the share is known to about 3 points either way.
    assert 0.91 <= coverage(40) <= 0.98


def test_a_model_of_the_wrong_form_is_sure_of_something_else():
    assert coverage(8, bend=0.8) < 0.8
