"""The promises of an audit by simulation: false alarms and coverage. (Planted gaps are in `power.py`.)

    python benchmarks/fairness/simulations.py [--simulations 1000] [--first-seed 0] [--only alarms|coverage]

Three null worlds (no true gap; one and five rows a person; a rare outcome), and coverage with one and with five rows a
person against a truth from 4,000,000 rows. Every line is printed with the range that chance alone allows at that number
of simulations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.rules import Rules
from riskmodel.seeds import stream

SHARES = (0.6, 0.2, 0.1, 0.06, 0.04)
"""Five groups, the smallest of a few dozen people."""
NULL_WORLDS = ((1500, 1, 0.1), (400, 5, 0.2), (3000, 1, 0.02))
"""People, rows a person, base rate."""
TESTS = 7
"""Headline figures, which an audit of one attribute tests."""


@dataclass(frozen=True)
class World:
    """Rows drawn from a known law."""

    score: np.ndarray
    outcome: np.ndarray
    group: np.ndarray
    person: np.ndarray


def world(seed: int, people: int, rows: int, base: float, shares: tuple[float, ...], gap: float = 0.0) -> World:
    """People with several rows each; the last group's outcomes come `gap` log-odds more often than the scores say."""
    generator = stream(seed, "simulations", people, rows)
    group = generator.choice(len(shares), people, p=shares)
    own = generator.normal(size=people)
    person = np.repeat(np.arange(people), rows)
    level = np.log(base / (1 - base)) - 0.5 + 1.2 * (0.8 * own[person] + 0.6 * generator.normal(size=len(person)))
    shift = 0.5 * own[person] + gap * (group[person] == len(shares) - 1)
    outcome = generator.random(len(person)) < 1 / (1 + np.exp(-level - shift))
    return World(1 / (1 + np.exp(-level)), outcome.astype(float), group[person].astype(str), person)


def audited(drawn: World, rules: Rules, seed: int, **how: object) -> Audit:
    """The audit of one draw."""
    return audit_scores(
        drawn.score, drawn.outcome, {"g": drawn.group}, people=drawn.person, rules=rules, seed=seed, **how
    )


def alarms(simulations: int, first: int) -> Iterator[str]:
    """How often an audit of alike groups says of any figure that they differ."""
    for people, rows, base in NULL_WORLDS:
        hits, single = 0, 0
        for seed in range(first, first + simulations):
            made = audited(world(seed, people, rows, base, SHARES), Rules(replicates=50), seed, capacity=0.1)
            hits += any(one.says == "differs" for one in made.finding_list)
            single += sum(p is not None and p < 0.05 for p in made.heterogeneity["p"].to_pylist())
        name = f"{people} people x {rows} rows, base rate {base}"
        yield f"false alarms  {name:38s} {share(hits, simulations)}  single tests {single / simulations / TESTS:.4f}"


def coverage(simulations: int, first: int) -> Iterator[str]:
    """How often intervals hold the truth, by rows a person; the worst figure is named."""
    groups, base, gap = (0.75, 0.25), 0.15, 0.4
    for rows in (1, 5):
        people = 1500 // rows
        big = world(10**6, 4_000_000 // rows, rows, base, groups, gap)
        cut = float(np.quantile(big.score, 0.8))
        truth = audited(big, Rules(replicates=2), 0, decisions=big.score >= cut)
        value = {(row["group"], row["metric"]): row["value"] for row in truth.table.to_pylist()}
        gaps = {row["metric"]: row["difference"] for row in truth.disparities.to_pylist()}
        held: dict[tuple[str, str], list[bool]] = {}
        for seed in range(first, first + simulations):
            drawn = world(seed, people, rows, base, groups, gap)
            made = audited(drawn, Rules(replicates=1000), seed, decisions=drawn.score >= cut)
            for row in made.table.to_pylist():
                key = row["group"], row["metric"]
                held.setdefault(key, []).append(row["low"] <= value[key] <= row["high"])
            for row in made.disparities.to_pylist():
                key = "gap", row["metric"]
                held.setdefault(key, []).append(row["low"] <= gaps[row["metric"]] <= row["high"])
        shares = {key: float(np.mean(hits)) for key, hits in held.items()}
        mean = np.mean(list(shares.values()))
        worst, best = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        outside = {" ".join(key): round(value, 3) for key, value in shares.items() if not 0.93 <= value <= 0.97}
        yield (
            f"coverage      {people} people x {rows} rows: {len(shares)} figures, mean {mean:.4f}, "
            f"lowest {shares[worst]:.3f} ({' '.join(worst)}), highest {shares[best]:.3f} ({' '.join(best)}); "
            f"outside 93-97: {outside or 'none'}"
        )


def share(hits: int, of: int) -> str:
    """A share of simulations with its exact 95 % interval."""
    reach = stats.binomtest(hits, of).proportion_ci()
    return f"{hits / of:.4f} ({reach.low:.4f} to {reach.high:.4f})"


def main() -> None:
    """Run what is asked for and print it line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", choices=("alarms", "coverage"), default=None)
    given = parser.parse_args()
    for name, run in (("alarms", alarms), ("coverage", coverage)):
        if given.only in (None, name):
            began = time.process_time()
            for line in run(given.simulations, given.first_seed):
                print(line, flush=True)
            print(
                f"              {given.simulations} simulations a line, {time.process_time() - began:.0f} CPU s",
                flush=True,
            )


if __name__ == "__main__":
    main()
