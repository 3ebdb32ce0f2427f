"""Scoring pairs of records with Splink, on DuckDB or on Spark. The only module that knows Splink.

Splink compares the pairs and adds up the evidence, with the frequency of each name; which pairs, and the parameters,
come from `blocking` and `training`. What comes back is record numbers and probabilities, cut to six decimals and in
order, so that neither the number of threads nor the engine can show. Splink's own messages are kept quiet: they can
quote the data.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from riskmodel import seeds
from riskmodel.engines import spark
from riskmodel.engines.duckdb import connect
from riskmodel.errors import RiskmodelError
from riskmodel.linkage import encoded_records, spark_words
from riskmodel.linkage.comparisons import Comparison, Level, comparisons_for
from riskmodel.linkage.records import IDENTIFIERS
from riskmodel.linkage.training import Codes, Numbers, Parameters, Patterns, trained

RANDOM_PAIRS: Final = 300_000
TRAINING_PAIRS: Final = 300_000
WORTH_KEEPING: Final = 0.01
"""Pairs below this probability are not kept: no use for links, histograms or draws of linked worlds."""
RAREST: Final = 0.0001
"""A name shared by fewer than one in ten thousand counts as if by one in ten thousand: it may be a misspelling."""


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
    with _quiet(), nullcontext() if engine == "duckdb" else spark.sockets_let_go():
        on = _engine_at(engine, records, threads)
        try:
            comparisons = _comparisons(records)
            random = on.levels(comparisons, random_pairs(len(records), seed))
            step = max(1, -(-pairs.num_rows // TRAINING_PAIRS))
            sample = pairs.take(pa.array(np.arange(0, pairs.num_rows, step)))
            blocked = Patterns.of(on.levels(comparisons, sample), each=step)
            learned = trained(comparisons, Patterns.of(random), blocked, records=len(records))
            return on.probabilities(learned, pairs, least), learned
        finally:
            on.close()


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


class _Engine(ABC):
    """The records in an engine, and Splink on top."""

    api: Any

    def levels(self, comparisons: tuple[Comparison, ...], pairs: pa.Table) -> Codes:
        """The level codes of pairs, (n_pairs, n_comparisons) int64, in no particular order.

        Splink hands out codes only together with the names they come from; weights it hands out alone. So each level
        is given its own number, plus one, as its weight, and zero then is "missing".
        """
        counted: list[Numbers] = [np.exp2(np.arange(len(one.levels), dtype=np.float64) - 59.0) for one in comparisons]
        numbered = Parameters(comparisons, tuple(counted), tuple(np.full(len(m), 2.0**-60) for m in counted), 0.5)
        names = ", ".join(f"mw_{one.name}" for one in comparisons)
        found = self._predict(numbered, pairs, f"SELECT {names} FROM {{scores}}", frequencies=False)
        if not found.num_rows:
            return np.zeros((0, len(comparisons)), np.int64)
        return np.column_stack([np.rint(column.to_numpy()).astype(np.int64) - 1 for column in found.columns])

    def probabilities(self, parameters: Parameters, pairs: pa.Table, least: float) -> pa.Table:
        """The pairs at least so probable, with their probability."""
        sql = f"""SELECT least(record_l, record_r) AS l, greatest(record_l, record_r) AS r,
                  round(match_probability, 6) AS probability
                  FROM {{scores}} WHERE round(match_probability, 6) >= {least} ORDER BY 1, 2"""
        return self._predict(parameters, pairs, sql, frequencies=True)

    def _predict(self, parameters: Parameters, pairs: pa.Table, sql: str, *, frequencies: bool) -> pa.Table:
        from splink import Linker

        settings = _settings(parameters, self.words, frequencies=frequencies)
        known = pa.table(
            {"join_key_l": pairs.column("l"), "join_key_r": pairs.column("r"), "match_key": ["0"] * pairs.num_rows}
        )
        try:
            linker = Linker(self.registered_records(), settings, log_level=None, validate_settings=False)
            linker.table_management.register_blocked_pairs_for_predict(self.registered(known))
            scores = linker.inference.predict(warning_mode="never")
            found = self.answer(sql.format(scores=scores.physical_name))
            self.forget(scores.physical_name)
        except self.failures():
            # what an engine says of a failure quotes SQL and may quote cells: none of it goes on
            raise RiskmodelError(
                "linkage-failed",
                found=f"{pairs.num_rows} pairs that the linkage engine could not compare",
                expected="records with text names, dates of birth and addresses",
                repair="Check the people feeds' contracts; if they are right, report this with the code.",
            ) from None
        return found

    @abstractmethod
    def words(self, condition: str) -> str:
        """A condition in the engine's dialect."""

    @abstractmethod
    def registered(self, table: pa.Table) -> Any:
        """A table made known to Splink."""

    @abstractmethod
    def registered_records(self) -> Any:
        """The records, made known to Splink."""

    @abstractmethod
    def answer(self, sql: str) -> pa.Table:
        """The answer to a query over what Splink made."""

    @abstractmethod
    def forget(self, scores: str) -> None:
        """Drop what Splink made."""

    @abstractmethod
    def failures(self) -> tuple[type[Exception], ...]:
        """What the engine raises when it cannot compare."""

    @abstractmethod
    def close(self) -> None:
        """Let the engine go."""


class _OnDuckDB(_Engine):
    """One DuckDB connection in this process."""

    def __init__(self, records: pa.Table, threads: int | None) -> None:
        from splink import DuckDBAPI

        self._connection = connect(threads=threads)
        self._connection.register("given_records", records)
        self._connection.execute("CREATE TABLE records AS SELECT * FROM given_records")
        self.api = DuckDBAPI(self._connection)
        self._made = 0

    def words(self, condition: str) -> str:
        return condition

    def registered(self, table: pa.Table) -> Any:
        self._made += 1
        name = f"given_{self._made}"
        self._connection.register("given", table)
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        self._connection.unregister("given")
        return self.api.register(name, table_name=f"known_{name}")

    def registered_records(self) -> Any:
        self._made += 1
        return self.api.register("records", table_name=f"records_{self._made}")

    def answer(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def forget(self, scores: str) -> None:  # noqa: ARG002 - Splink keeps its own list
        self.api.delete_tables_created_by_splink_from_db()

    def failures(self) -> tuple[type[Exception], ...]:
        from splink.internals.exceptions import SplinkException

        return (SplinkException,)

    def close(self) -> None:
        self._connection.close()


class _OnSpark(_Engine):
    """A session of a Spark, with the same settings in its words."""

    def __init__(self, records: pa.Table, address: str) -> None:
        from splink.backends.spark import SparkAPI

        self._session = spark_words.session(address)
        self._records = spark.sent(self._session, records).persist()
        self.api = SparkAPI(
            spark_session=self._session, break_lineage_method="persist", register_udfs_automatically=False
        )

    def words(self, condition: str) -> str:
        return spark_words.translated(condition)

    def registered(self, table: pa.Table) -> Any:
        return self.api.register(spark.sent(self._session, table))

    def registered_records(self) -> Any:
        return self.api.register(self._records)

    def answer(self, sql: str) -> pa.Table:
        return spark.fetched(self._session, sql)

    def forget(self, scores: str) -> None:
        self._session.table(scores).unpersist()

    def failures(self) -> tuple[type[Exception], ...]:
        from splink.internals.exceptions import SplinkException

        return (SplinkException, *spark.failures())

    def close(self) -> None:
        self._records.unpersist()


def _engine_at(engine: str, records: pa.Table, threads: int | None) -> _Engine:
    return _OnDuckDB(records, threads) if engine == "duckdb" else _OnSpark(records, engine)


Words: TypeAlias = Callable[[str], str]


def _settings(parameters: Parameters, words: Words, *, frequencies: bool) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": parameters.match_rate,
        "comparisons": [
            _comparison(one, parameters.m[column], parameters.u[column], words, frequencies=frequencies)
            for column, one in enumerate(parameters.comparisons)
        ],
        "blocking_rules_to_generate_predictions": ["l.record = r.record"],  # never used: the pairs are given
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": not frequencies,
    }


def _comparison(one: Comparison, m: Numbers, u: Numbers, words: Words, *, frequencies: bool) -> dict[str, Any]:
    missing = {"sql_condition": _columns(words(one.missing)), "label_for_charts": "missing", "is_null_level": True}
    levels = [
        _level(level, float(m[code]), float(u[code]), words, frequencies=frequencies)
        for level, code in zip(one.levels, range(len(one.levels) - 1, -1, -1), strict=True)
    ]
    return {"output_column_name": one.name, "comparison_levels": [missing, *levels]}


def _level(level: Level, m: float, u: float, words: Words, *, frequencies: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "sql_condition": _columns(words(level.condition)),
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
