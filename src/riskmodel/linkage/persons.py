"""Scoring pairs of records with Splink on DuckDB. The only module that knows Splink.

Splink compares the pairs and adds up the evidence, with the frequency of each name; which pairs, and the parameters,
come from `blocking` and `training`. What comes back is record numbers and probabilities, cut to six decimals and in
order, so that the number of threads cannot show. Splink's own messages are kept quiet: they can quote the data.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from riskmodel import seeds
from riskmodel.engines.duckdb import connect
from riskmodel.errors import RiskmodelError
from riskmodel.linkage import encoded_records
from riskmodel.linkage.comparisons import Comparison, Level, comparisons_for
from riskmodel.linkage.records import IDENTIFIERS
from riskmodel.linkage.training import Codes, Numbers, Parameters, Patterns, trained

RANDOM_PAIRS: Final = 300_000
TRAINING_PAIRS: Final = 300_000
WORTH_KEEPING: Final = 0.01
"""Pairs below this probability are not kept: no use for links, histograms or draws of linked worlds."""
RAREST: Final = 0.0001
"""A name shared by fewer than one in ten thousand counts as if by one in ten thousand: it may be a misspelling."""


def scored(records: pa.Table, pairs: pa.Table, *, seed: int, threads: int | None = None) -> tuple[pa.Table, Parameters]:
    """The probability that the two records of each pair are of one person.

    Parameters
    ----------
    records : see `records.prepared`
    pairs : Arrow table of record numbers l < r, sorted, that share a blocking key
    seed : int, of the random pairs

    Returns
    -------
    Arrow table (l, r, probability) of the pairs worth keeping, sorted by l, r; and the learned parameters
    """
    with _quiet():
        engine = _Engine(records, threads)
        try:
            comparisons = _comparisons(records)
            random = engine.levels(comparisons, random_pairs(len(records), seed))
            step = max(1, -(-pairs.num_rows // TRAINING_PAIRS))
            sample = pairs.take(pa.array(np.arange(0, pairs.num_rows, step)))
            blocked = Patterns.of(engine.levels(comparisons, sample), each=step)
            learned = trained(comparisons, Patterns.of(random), blocked, records=len(records))
            return engine.probabilities(learned, pairs), learned
        finally:
            engine.close()


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
        ends = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0)
        left, right = ends[:, 0], ends[:, 1]
    return pa.table({"l": left.astype(np.int64), "r": right.astype(np.int64)})


class _Engine:
    """One DuckDB connection with the records in it, and Splink on top."""

    def __init__(self, records: pa.Table, threads: int | None) -> None:
        from splink import DuckDBAPI

        self._connection = connect(threads=threads)
        self._connection.register("given_records", records)
        self._connection.execute("CREATE TABLE records AS SELECT * FROM given_records")
        self._api = DuckDBAPI(self._connection)
        self._made = 0

    def close(self) -> None:
        self._connection.close()

    def levels(self, comparisons: tuple[Comparison, ...], pairs: pa.Table) -> Codes:
        """The level codes of pairs, (n_pairs, n_comparisons) int64, in no particular order.

        Splink hands out codes only together with the names they come from; weights it hands out alone. So each level
        is given its own number, plus one, as its weight, and zero then is "missing".
        """
        counted: list[Numbers] = [np.exp2(np.arange(len(one.levels), dtype=np.float64) - 59.0) for one in comparisons]
        numbered = Parameters(comparisons, tuple(counted), tuple(np.full(len(m), 2.0**-60) for m in counted), 0.5)
        names = ", ".join(f"mw_{one.name}" for one in comparisons)
        found = self._predict(_settings(numbered, frequencies=False), pairs, f"SELECT {names} FROM {{scores}}")
        if not found.num_rows:
            return np.zeros((0, len(comparisons)), np.int64)
        return np.column_stack([np.rint(column.to_numpy()).astype(np.int64) - 1 for column in found.columns])

    def probabilities(self, parameters: Parameters, pairs: pa.Table) -> pa.Table:
        """The pairs worth keeping with their probability."""
        sql = f"""SELECT least(record_l, record_r) AS l, greatest(record_l, record_r) AS r,
                  round(match_probability, 6) AS probability
                  FROM {{scores}} WHERE match_probability >= {WORTH_KEEPING} ORDER BY 1, 2"""
        return self._predict(_settings(parameters, frequencies=True), pairs, sql)

    def _predict(self, settings: dict[str, Any], pairs: pa.Table, sql: str) -> pa.Table:
        from splink import Linker
        from splink.internals.exceptions import SplinkException

        self._made += 1
        name = f"pairs_{self._made}"
        self._connection.register("given_pairs", pairs)
        self._connection.execute(
            f"CREATE TABLE {name} AS SELECT l AS join_key_l, r AS join_key_r, '0' AS match_key FROM given_pairs"
        )
        try:
            table = self._api.register("records", table_name=f"records_{self._made}")
            linker = Linker(table, settings, log_level=None, validate_settings=False)
            linker.table_management.register_blocked_pairs_for_predict(
                self._api.register(name, table_name=f"known_{name}")
            )
            scores = linker.inference.predict(warning_mode="never")
            found = self._connection.sql(sql.format(scores=scores.physical_name)).to_arrow_table()
            self._api.delete_tables_created_by_splink_from_db()
        except SplinkException:
            # Splink's text quotes SQL and may quote cells: none of it goes on
            raise RiskmodelError(
                "linkage-failed",
                found=f"{pairs.num_rows} pairs that the linkage engine could not compare",
                expected="records with text names, dates of birth and addresses",
                repair="Check the people feeds' contracts; if they are right, report this with the code.",
            ) from None
        return found


def _settings(parameters: Parameters, *, frequencies: bool) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": parameters.match_rate,
        "comparisons": [
            _comparison(one, parameters.m[column], parameters.u[column], frequencies)
            for column, one in enumerate(parameters.comparisons)
        ],
        "blocking_rules_to_generate_predictions": ["l.record = r.record"],  # never used: the pairs are given
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": not frequencies,
    }


def _comparison(one: Comparison, m: np.ndarray, u: np.ndarray, frequencies: bool) -> dict[str, Any]:
    missing = {"sql_condition": _columns(one.missing), "label_for_charts": "missing", "is_null_level": True}
    levels = [
        _level(level, float(m[code]), float(u[code]), frequencies)
        for level, code in zip(one.levels, range(len(one.levels) - 1, -1, -1), strict=True)
    ]
    return {"output_column_name": one.name, "comparison_levels": [missing, *levels]}


def _level(level: Level, m: float, u: float, frequencies: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "sql_condition": _columns(level.condition),
        "label_for_charts": level.name,
        "m_probability": m,
        "u_probability": u,
    }
    if frequencies and level.frequency:
        settings |= {
            "tf_adjustment_column": level.frequency,
            "tf_minimum_u_value": RAREST,
            "disable_tf_exact_match_detection": True,
        }
    return settings


def _columns(condition: str) -> str:
    """Splink writes l.name as name_l inside conditions."""
    return re.sub(r"\b([lr])\.([a-z_]+)\b", r"\2_\1", condition)


@contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("splink")
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]
