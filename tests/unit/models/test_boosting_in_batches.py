"""Trees learned straight off the table are the trees learned from the matrix, to the byte."""

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.features.training_set import TrainingSet
from riskmodel.models.boosting import LightGBM


@pytest.mark.parametrize("number", [300, 20_000])
def test_the_same_bytes_as_from_the_matrix(number):
    rng = np.random.default_rng(7)
    columns = rng.normal(size=(4, number)).astype(np.float32)
    columns[1, rng.random(number) < 0.3] = np.nan
    columns[2] = np.round(columns[2])
    outcome = (columns[0] + rng.normal(size=number) > 1).astype(np.float64)
    outcome[rng.random(number) < 0.1] = np.nan
    table = {"entity_id": np.arange(number), "as_of": np.zeros(number, "datetime64[us]"), "outcome": outcome}
    training = TrainingSet.of(pa.table(table | {f"f{place}": column for place, column in enumerate(columns)}))
    learner, known = LightGBM(seed=3, rounds=20), ~np.isnan(outcome)
    straight = learner.fitted_in_batches(training)
    matrix = learner.fitted(training.matrix()[known], outcome[known], training.feature_names)
    assert straight.text == matrix.text
    assert straight.text.count("Tree=") >= 20
