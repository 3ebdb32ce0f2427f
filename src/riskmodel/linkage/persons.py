"""How probable it is that two records are of one person: learned from the records, then worked out for each pair.

Which pairs come from `blocking`, what is compared from `comparisons`, the parameters from `training`; Splink compares
(`splink_engines`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel import seeds
from riskmodel.linkage import encoded_records
from riskmodel.linkage.comparisons import Comparison, comparisons_for
from riskmodel.linkage.records import IDENTIFIERS
from riskmodel.linkage.splink_engines import engine_at
from riskmodel.linkage.training import Parameters, Patterns, trained

RANDOM_PAIRS: Final = 300_000
TRAINING_PAIRS: Final = 300_000
WORTH_KEEPING: Final = 0.01
"""Pairs below this probability are no use for links and histograms, and are not kept."""


def scored(
    records: pa.Table,
    pairs: pa.Table,
    *,
    seed: int,
    least: float = WORTH_KEEPING,
    threads: int | None = None,
    engine: str = "duckdb",
) -> tuple[pa.Table, Parameters]:
    """The probability that the two records of each pair are of one person.

    Parameters
    ----------
    records : see `records.prepared`
    pairs : Arrow table of record numbers l < r, sorted, that share a blocking key
    seed : int, of the random pairs
    least : float, probability from which pairs are returned
    engine : "duckdb", or the address of a Spark (`engines.spark.session`): the same numbers come out

    Returns
    -------
    Arrow table (l, r, probability) of the pairs at least so probable, sorted by l, r; and the learned parameters
    """
    comparisons = _comparisons(records)
    with engine_at(engine, records, threads) as on:
        step = max(1, -(-pairs.num_rows // TRAINING_PAIRS))
        sample = pairs.take(pa.array(np.arange(0, pairs.num_rows, step)))
        random, blocked = on.levels(comparisons, random_pairs(len(records), seed), sample)
        learned = trained(comparisons, Patterns.of(random), Patterns.of(blocked, each=step), records=len(records))
        return on.probabilities(learned, pairs, least), learned


def _comparisons(records: pa.Table) -> tuple[Comparison, ...]:
    agencies = len(records.column("agency").unique())
    if "slips" in records.column_names:  # codes, not text
        return encoded_records.comparisons_for(len(records), agencies)
    filled = [name for name in IDENTIFIERS if records.column(name).null_count < len(records)]
    return comparisons_for(filled, len(records), agencies)


def random_pairs(records: int, seed: int) -> pa.Table:
    """Up to `RANDOM_PAIRS` distinct pairs of record numbers l < r, sorted; all pairs when there are no more."""
    if records * (records - 1) // 2 <= RANDOM_PAIRS:
        left, right = np.triu_indices(records, k=1)
    else:
        random = seeds.stream(seed, "linkage", "random pairs")
        ends = np.sort(random.integers(0, records, (RANDOM_PAIRS, 2)), axis=1)
        left, right = np.divmod(np.unique(ends[ends[:, 0] < ends[:, 1]] @ np.array([records, 1])), records)
    return pa.table({"l": left.astype(np.int64), "r": right.astype(np.int64)})
