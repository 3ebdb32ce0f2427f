"""Splink, on DuckDB or on Spark: pairs in, their levels or their probabilities out. The only module that imports it.

Splink compares the pairs and adds up the evidence, with the frequency of each name; which pairs, and the parameters,
are given. What comes back is cut to six decimals and in order, so that neither the number of threads nor the engine can
show. Splink's own messages are kept quiet, and so is what an engine says of a failure: both can quote the data.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.engines import spark
from riskmodel.engines.duckdb import connect
from riskmodel.errors import RiskmodelError
from riskmodel.linkage import spark_words
from riskmodel.linkage.comparisons import Comparison
from riskmodel.linkage.splink_settings import settings_of
from riskmodel.linkage.training import Codes, Numbers, Parameters


@contextmanager
def engine_at(engine: str, records: pa.Table, threads: int | None) -> Iterator[Engine]:
    """The records in an engine, for as long as they are compared: "duckdb", or the address of a Spark."""
    with _quiet(), nullcontext() if engine == "duckdb" else spark.sockets_let_go():
        on = _OnDuckDB(records, threads) if engine == "duckdb" else _OnSpark(records, engine)
        try:
            yield on
        finally:
            on.close()


class Engine(ABC):
    """The records in an engine, and Splink on top."""

    api: Any

    def levels(self, comparisons: tuple[Comparison, ...], *sets: pa.Table) -> tuple[Codes, ...]:
        """The level codes of each set of pairs, (n_pairs, n_comparisons) int64, in no particular order.

        All sets are compared at once: what Splink needs to begin costs as much as a hundred thousand pairs. It hands
        out codes only together with the names they come from; weights it hands out alone. So each level is given its
        own number, plus one, as its weight, and zero then is "missing".
        """
        counted: list[Numbers] = [np.exp2(np.arange(len(one.levels), dtype=np.float64) - 59.0) for one in comparisons]
        numbered = Parameters(comparisons, tuple(counted), tuple(np.full(len(m), 2.0**-60) for m in counted), 0.5)
        names = ", ".join(f"mw_{one.name}" for one in comparisons)
        pairs = pa.concat_tables([_keyed(one, str(number)) for number, one in enumerate(sets)])
        found = self._predict(numbered, pairs, f"SELECT match_key, {names} FROM {{scores}}", frequencies=False)
        codes = np.column_stack([np.rint(column.to_numpy()).astype(np.int64) - 1 for column in found.columns[1:]])
        of = found.column("match_key").to_numpy()
        return tuple(codes[of == str(number)] for number in range(len(sets)))

    def probabilities(self, parameters: Parameters, pairs: pa.Table, least: float) -> pa.Table:
        """The pairs at least so probable, with their probability."""
        sql = f"""SELECT least(record_l, record_r) AS l, greatest(record_l, record_r) AS r,
                  round(match_probability, 6) AS probability
                  FROM {{scores}} WHERE round(match_probability, 6) >= {least} ORDER BY 1, 2"""
        return self._predict(parameters, _keyed(pairs, "0"), sql, frequencies=True)

    def _predict(self, parameters: Parameters, pairs: pa.Table, sql: str, *, frequencies: bool) -> pa.Table:
        from splink import Linker

        settings = settings_of(parameters, self.words, frequencies=frequencies)
        try:
            linker = Linker(self.registered_records(), settings, log_level=None, validate_settings=False)
            linker.table_management.register_blocked_pairs_for_predict(self.registered(pairs))
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


class _OnDuckDB(Engine):
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


class _OnSpark(Engine):
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


def _keyed(pairs: pa.Table, key: str) -> pa.Table:
    """Pairs as Splink takes them, with a word that comes back beside each."""
    columns = {"join_key_l": pairs.column("l"), "join_key_r": pairs.column("r")}
    return pa.table(columns | {"match_key": pa.repeat(key, pairs.num_rows)})


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
