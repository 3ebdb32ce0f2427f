"""How often would a study drift? Whole towns put through the loop, over worlds that were declared before any was drawn.

    python benchmarks/fairness/drift.py [--towns 20] [--first-seed 300]

A town has two halves with the same law of need and so the same risk; half b begins with twice as much on record. Every
combination of what is declared below is run on as many towns as asked for, each with five histories of eight periods. A
town drifts when the interval of the change of b's share of the list, against a loop whose discovery does not look at
the list, leaves out 0. A share of towns has its exact 95 % interval; the change is the mean over towns, in 100 places.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression

from riskmodel.fairness.feedback import Fit, Recording, simulate_feedback
from riskmodel.seeds import stream

PEOPLE, PERIODS, RUNS, CAPACITY = 1500, 8, 5, 0.1
REPORTED = (0.1, 0.4, 0.8)
DISCOVERED = ((0.9, 0.1), (0.6, 0.3))
"""Share of what is not reported that comes to light among those listed, and among everybody else."""
EFFECTS = (1.0, 0.7)
"""What being listed multiplies the risk by: nothing, and three in ten prevented."""


def counted(*_: Any) -> Callable[[Any], Any]:
    """A points score: as much as there is on record."""
    return lambda table: table["history"]


def _logistic(columns: list[str]) -> Fit:
    def fit(features: Any, outcome: Any, weight: Any) -> Callable[[Any], Any]:
        if len(np.unique(outcome)) < 2:
            return lambda table: np.zeros(len(table))
        model = LogisticRegression().fit(features[columns], outcome, sample_weight=weight)
        return lambda table: model.predict_proba(table[columns])[:, 1]

    return fit


MODELS: dict[str, Fit] = {
    "counts what is on record": counted,
    "refitted, need and record": _logistic(["need", "history"]),
    "refitted, need alone": _logistic(["need"]),
}


@dataclass(frozen=True)
class Town:
    """People, their chance of the event, and their half of the town."""

    features: pd.DataFrame
    risk: np.ndarray
    half: np.ndarray


def town(seed: int) -> Town:
    """One town: the same law in both halves, twice as much on record in b, need seen with noise."""
    generator = stream(seed, "drift", "town")
    half = np.where(np.arange(PEOPLE) % 2 == 0, "a", "b")
    need = generator.normal(size=PEOPLE)
    history = generator.poisson(np.exp(0.4 * need) * np.where(half == "b", 1.0, 0.5)).astype(float)
    features = pd.DataFrame({"need": need + generator.normal(size=PEOPLE), "history": history})
    return Town(features, 1 / (1 + np.exp(1.4 - 0.8 * need)), half)


def one_world(fit: Fit, recording: Recording, seeds: range) -> tuple[int, float, float]:
    """Towns that drift, and the mean change of b's share with feedback and corrected."""
    drifted, moved, corrected = 0, [], []
    for seed in seeds:
        of = town(seed)
        made = simulate_feedback(
            fit, of.features, of.risk, of.half, recording,
            capacity=CAPACITY, periods=PERIODS, runs=RUNS, history="history", seed=seed,
        )  # fmt: skip
        drifted += made.drifts
        change = made.drift.set_index(["loop", "group"])["change"]
        moved.append(change["feedback", "b"])
        corrected.append(change["corrected", "b"])
    return drifted, 100 * float(np.mean(moved)), 100 * float(np.mean(corrected))


def main() -> None:
    """Run every world and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towns", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=300)
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.towns)
    print("| model | reported | found if listed, if not | effect | towns that drift | change of b | corrected |")
    print("|---|---|---|---|---|---|---|")
    totals: dict[str, list[int]] = {}
    for (name, fit), reported, found, effect in itertools.product(MODELS.items(), REPORTED, DISCOVERED, EFFECTS):
        recording = Recording(reported, *found, effect)
        drifted, moved, corrected = one_world(fit, recording, seeds)
        totals.setdefault(name, []).append(drifted)
        world = f"| {name} | {reported} | {found[0]}, {found[1]} | {effect}"
        print(f"{world} | {share(drifted, len(seeds))} | {moved:+.1f} | {corrected:+.1f} |", flush=True)
    for name, hits in totals.items():
        print(f"\n{name}: {share(sum(hits), len(hits) * len(seeds))} of {len(hits) * len(seeds)} towns drift")


def share(hits: int, of: int) -> str:
    """A share with its exact interval."""
    reach = stats.binomtest(hits, of).proportion_ci()
    return f"{hits / of:.2f} ({reach.low:.2f} to {reach.high:.2f})"


if __name__ == "__main__":
    main()
