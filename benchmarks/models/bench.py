"""What fitting adds to LightGBM's own time, and what the cluster bootstrap of all metrics costs: ratios in one run.

    python benchmarks/models/bench.py                       # the sizes of RESULTS.md
    python benchmarks/models/bench.py --rows 100000 --metric-rows 200000

CPU seconds of this process; the machine may be busy, so only ratios in one run are worth comparing.
"""

from __future__ import annotations

import argparse
import resource
import time

import lightgbm
import numpy as np

from riskmodel.models.judging import judge
from riskmodel.models.learners import LightGBM, fitted
from riskmodel.models.uncertainty import Resampling


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rows(n: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.poisson(0.5, (n, features)).astype(np.float32)
    X[:, ::3] = generator.normal(size=(n, len(range(0, features, 3)))).astype(np.float32)
    X[generator.random(n) < 0.2, 0] = np.nan
    line = -3 + np.nan_to_num(X[:, 0]) + 0.5 * X[:, 1]
    return X, (generator.random(n) < 1 / (1 + np.exp(-line))).astype(np.float64)


def fitting(n: int, features: int, rounds: int, repeats: int) -> None:
    """The same trees by LightGBM alone and by the learner, in turn."""
    X, y = rows(n, features)
    learner = LightGBM(seed=1, rounds=rounds)
    names = tuple(f"x{column}" for column in range(features))
    alone, ours = [], []
    for _ in range(repeats):
        start = cpu()
        data = lightgbm.Dataset(X, label=y, params=learner._data_parameters())
        lightgbm.train(learner._parameters(names, 1), data, num_boost_round=rounds)
        alone.append(cpu() - start)
        start = cpu()
        fitted(learner, X, y, names, 1)
        ours.append(cpu() - start)
    print(f"fit {n:,} x {features}, {rounds} trees: LightGBM {np.median(alone):.2f} CPU s, the learner "
          f"{np.median(ours):.2f} CPU s, ratio {np.median(ours) / np.median(alone):.3f}")  # fmt: skip


def bootstrap(n: int, replicates: int) -> None:
    """All metrics and their intervals over whole people, five rows each."""
    generator = np.random.default_rng(1)
    people = np.arange(n) // 5
    line = generator.normal(-3, 1, n)
    p = 1 / (1 + np.exp(-line))
    outcome = (generator.random(n) < p).astype(np.float64)
    start, wall = cpu(), time.perf_counter()
    made = judge(outcome, {"model": p}, people, {"1%": 0.01 * n, "5%": 0.05 * n}, Resampling(replicates))
    print(f"bootstrap of {len(made.figures['model'])} metrics, {n:,} rows, {replicates} replicates: "
          f"{time.perf_counter() - wall:.1f} s, {cpu() - start:.1f} CPU s")  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=200_000)
    asked.add_argument("--features", type=int, default=100)
    asked.add_argument("--rounds", type=int, default=150)
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--metric-rows", type=int, default=1_000_000)
    asked.add_argument("--replicates", type=int, default=1000)
    given = asked.parse_args()
    fitting(given.rows, given.features, given.rounds, given.repeats)
    bootstrap(given.metric_rows, given.replicates)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
