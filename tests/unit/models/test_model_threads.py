"""Trees that learn and predict in several threads at once: what comes out is what one after the other gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from riskmodel.models.learners import LightGBM
from riskmodel.seeds import stream


def test_learning_and_predicting_side_by_side_changes_nothing() -> None:
    random = stream(3, "side by side")
    X = random.normal(size=(2_000, 12)).astype(np.float32)
    outcome = (random.random(2_000) < 1 / (1 + np.exp(2 - X[:, 0]))).astype(float)
    names = tuple(f"x{number}" for number in range(12))

    def learned(seed: int) -> bytes:
        made = LightGBM(seed=seed, rounds=30).fitted(X, outcome, names, threads=seed % 3)
        return made.text.encode() + made.predict(X).tobytes()

    alone = [learned(seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(learned, range(12))) == alone
