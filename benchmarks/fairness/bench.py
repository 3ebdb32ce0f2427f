"""The audit beside fairlearn's MetricFrame on the same rows, groups and figures, in one run.

    python benchmarks/fairness/bench.py [--rows 100000] [--peer-rows 10000] [--peer-replicates 5] [--peer-crossings 7]

The audit does all of its work (twenty figures of every group, contrasts, tests, curves, ranking across groups, and the
intervals). MetricFrame does the six figures that both have, for the same attributes and intersections, with its own
bootstrap. Because its bootstrap is slow, it is run on fewer rows and replicates and told per replicate; how its cost
grows with rows is printed, nothing is extrapolated silently. Times are CPU seconds of the process and wall seconds.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.figures import Rules
from riskmodel.seeds import stream

ATTRIBUTES = {"sex": 3, "ethnicity": 6, "area": 5}
REPLICATES = 1000


def society(rows: int) -> pd.DataFrame:
    """Three rows a person, three attributes, scores that mean what they say."""
    generator = stream(1, "bench", rows)
    person = np.arange(rows) // 3
    people = int(person[-1]) + 1
    frame = pd.DataFrame({name: generator.integers(0, size, people)[person] for name, size in ATTRIBUTES.items()})
    frame = frame.astype(str).astype("category")
    frame["person"] = person
    frame["score"] = np.round(generator.beta(1, 9, rows), 4)
    frame["outcome"] = (generator.random(rows) < frame["score"]).astype(int)
    frame["listed"] = (frame["score"] >= frame["score"].quantile(0.95)).astype(int)
    return frame


def crossings() -> list[tuple[str, ...]]:
    """Every attribute and every intersection."""
    return [names for size in (1, 2, 3) for names in itertools.combinations(ATTRIBUTES, size)]


def ours(frame: pd.DataFrame, replicates: int) -> int:
    """The whole audit; returns the number of figures."""
    made = audit_scores(
        frame["score"],
        frame["outcome"],
        frame[list(ATTRIBUTES)],
        people=frame["person"],
        by=[names[0] if len(names) == 1 else names for names in crossings()],
        capacity=0.05,
        rules=Rules(replicates=replicates),
    )
    return made.table.num_rows


def theirs(frame: pd.DataFrame, replicates: int, named: list[tuple[str, ...]]) -> int:
    """MetricFrame on the six figures of decisions that both have, for the crossings named."""
    from fairlearn import metrics
    from sklearn.metrics import precision_score, recall_score

    def precision(y_true: Any, y_pred: Any) -> float:
        return float(precision_score(y_true, y_pred, zero_division=0))

    def recall(y_true: Any, y_pred: Any) -> float:
        return float(recall_score(y_true, y_pred, zero_division=0))

    figures: dict[str, Callable[..., float]] = {
        "selection_rate": metrics.selection_rate,
        "tpr": recall,
        "fnr": metrics.false_negative_rate,
        "fpr": metrics.false_positive_rate,
        "ppv": precision,
        "base_rate": lambda y_true, y_pred: float(np.mean(y_true)) + 0 * len(y_pred),
    }
    cells = 0
    for names in named:
        settings = {"n_boot": replicates, "ci_quantiles": [0.025, 0.975], "random_state": 0} if replicates else {}
        made = metrics.MetricFrame(
            metrics=figures,
            y_true=frame["outcome"],
            y_pred=frame["listed"],
            sensitive_features=frame[list(names)],
            **settings,
        )
        cells += made.by_group.size
    return cells


def timed(work: Callable[[pd.DataFrame, int], int], frame: pd.DataFrame, replicates: int) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds, figures."""
    wall, cpu = time.perf_counter(), time.process_time()
    figures = work(frame, replicates)
    return time.perf_counter() - wall, time.process_time() - cpu, figures


def main() -> None:
    """Run both and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--peer-rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--peer-replicates", type=int, default=5)
    parser.add_argument("--peer-crossings", type=int, default=7, help="only the last so many, to spare it time")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print("what                rows  replicates  figures   wall s    cpu s  cpu s a replicate  peak GB")
    ours(society(3000), 100)  # first calls load libraries
    for rows in given.rows:
        report("riskmodel", rows, REPLICATES, timed(ours, society(rows), REPLICATES))
    for rows in given.peer_rows:
        frame = society(rows)
        named = crossings()[-given.peer_crossings :]
        peer = partial(theirs, named=named)
        alone = timed(peer, frame, 0)
        report(f"fairlearn {len(named)}/7", rows, 0, alone)
        both = timed(peer, frame, given.peer_replicates)
        report(f"fairlearn {len(named)}/7", rows, given.peer_replicates, both, without=alone[1])


def report(what: str, rows: int, replicates: int, took: tuple[float, float, int], without: float = 0.0) -> None:
    """One line; `without` is the cost of the same without a bootstrap."""
    wall, cpu, figures = took
    each = f"{(cpu - without) / replicates:18.4f}" if replicates else " " * 18
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{what:16s} {rows:8,d} {replicates:11,d} {figures:8,d} {wall:8.2f} {cpu:8.2f} {each} {peak:8.2f}", flush=True
    )


if __name__ == "__main__":
    main()
