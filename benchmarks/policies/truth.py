"""The five planted policies over 200 worlds each: coverage, false alarms and what was found, beside the targets.

python benchmarks/policies/truth.py [WORLDS] [ESTIMATOR] [FIRST SEED]
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

HARNESS = Path(__file__).parents[2] / "tests" / "truth" / "test_policies.py"


def main(worlds: int = 200, name: str = "imputation", first: int = 1) -> None:
    """Print one line for each kind of world."""
    spec = importlib.util.spec_from_file_location("test_policies", HARNESS)
    harness = importlib.util.module_from_spec(spec)
    sys.modules["test_policies"] = harness
    spec.loader.exec_module(harness)
    began = time.process_time()
    print(f"{name}, {worlds} worlds of each kind from seed {first}; targets: coverage 95 %, false alarms 5 %")
    print("world | coverage of all intervals (worst outcome) | recovered or refused | false claims | recording rings")
    for kind in harness.KINDS:
        made = [harness.judged(kind, seed, name) for seed in range(first, first + worlds)]
        covered = {each: np.mean([one.covered[each] for one in made]) for each in made[0].covered}
        worst = min(covered, key=covered.get)
        right, wrong = RIGHT[kind], WRONG[kind]
        print(
            f"{kind} | {np.mean(list(covered.values())):.1%} ({worst} {covered[worst]:.1%})"
            f" | {np.mean([right(one) for one in made]):.1%} | {np.mean([wrong(one) for one in made]):.1%}"
            f" | {np.mean([one.recording_rings for one in made]):.1%}"
        )
    print(f"{time.process_time() - began:.0f} CPU s")


RIGHT = {
    "works": lambda one: one.answer == "fell" and not one.harmed and not one.moved,
    "moves_demand": lambda one: one.moved and one.answer == "no change shown" and one.net_holds_0,
    "harms_children": lambda one: one.harmed and not one.works,
    "records_only": lambda one: one.answer == "recording changed",
    "null": lambda one: not one.claims,
}
WRONG = {
    "works": lambda one: bool(set(one.claims) - {"violence", "injuries"}),
    "moves_demand": lambda one: bool(set(one.claims) - {"calls", "referrals"}),
    "harms_children": lambda one: bool(set(one.claims) - {"violence", "injuries", "children of those imprisoned"}),
    "records_only": lambda one: one.answer == "fell" or bool(set(one.claims) - {"violence"}),
    "null": lambda one: bool(one.claims),
}

if __name__ == "__main__":
    main(*(int(given) if given.isdigit() else given for given in sys.argv[1:]))
