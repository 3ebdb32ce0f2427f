"""The engine for scale: Spark, on this machine or on a cluster. The only module that imports pyspark.

It starts sessions, runs a function on the partitions of a table, and says what is missing where Spark cannot run. It
knows no feature: what a partition holds and what is done with it are the caller's.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from riskmodel.errors import DataRefused, DeclarationError, NotInstalled

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Batches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
Likeness = Callable[[pa.Array, pa.Array], pa.Array]

_ADDRESS: Final = re.compile(r"local(\[(\*|[1-9]\d*)(,[1-9]\d*)?\])?|spark://[^\s/]+|yarn|k8s://\S+")
_OLDEST_JAVA: Final = 17
_WAYS: Final = (
    "On Debian and Ubuntu: apt install openjdk-17-jre-headless; elsewhere from adoptium.net. "
    "Then point JAVA_HOME to it."
)

_ON_THE_MACHINE: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "8",
}
_WHEN_STARTED: Final = {
    "spark.app.name": "riskmodel",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",  # failures come back as our own errors; Spark's log of them could quote rows
}
_IN_EVERY_QUERY: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.ansi.enabled": "true",
}


def is_address(text: str) -> bool:
    """Whether the text names a Spark: ``local[2]``, ``local[*]``, ``spark://HOST:PORT``, ``yarn``, ``k8s://...``.

    Examples
    --------
    >>> [is_address(text) for text in ("local[2]", "spark://server:7077", "duckdb")]
    [True, True, False]
    """
    return _ADDRESS.fullmatch(text) is not None


def session(address: str) -> SparkSession:
    """A session at the address; of a Spark that runs in this process already, a session of its own in that one.

    Parameters
    ----------
    address : as `is_address`. On this machine the driver listens on loopback only

    Raises
    ------
    NotInstalled : no pyspark, no Java, or one that is too old
    DeclarationError : no such address, or a Spark of another address runs in this process
    """
    if not is_address(address):
        raise DeclarationError.of(
            "engine-unknown",
            where="engine",
            found=repr(address),
            expected="duckdb, local[2], local[*], spark://HOST:PORT, yarn or k8s://...",
            repair="Leave it out to compute in this process.",
        )
    found = _pyspark()
    running = found.SparkSession.getActiveSession() or found.SparkSession._instantiatedSession
    if running is not None and running.sparkContext._jsc is not None:
        _must_be_at(running.sparkContext.master, address)
    else:
        running = _started(found, address)
    made: SparkSession = running.newSession()
    for name, value in _IN_EVERY_QUERY.items():
        made.conf.set(name, value)
    return made


def read(session: SparkSession, paths: Iterable[Path]) -> DataFrame:
    """Parquet files as one table; columns that only some of them have are null in the others."""
    plain = (str(Path(path).absolute()) for path in paths)
    places = [re.sub(r"([\\{}\[\]*?])", r"\\\1", path) for path in plain]  # Spark would expand these signs
    return session.read.option("mergeSchema", str(len(places) > 1)).parquet(*(f"file://{place}" for place in places))


def failures() -> tuple[type[Exception], ...]:
    """What Spark raises when a query fails."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return (PySparkException, Py4JError)


def answers(table: DataFrame, function: Batches, columns: str) -> list[dict[str, Any]]:
    """The function run on every partition of the table, where the data lies; only what it returns comes here.

    Parameters
    ----------
    function : takes the partition as Arrow batches and yields Arrow batches of `columns`
    columns : in Spark's words, such as "part int, rows long"

    Raises
    ------
    DataRefused : a task failed, also when it was tried again
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ResourceWarning
            )  # pyspark leaves its sockets to be closed as they are freed
            return [row.asDict() for row in table.mapInArrow(function, columns).collect()]
    except failures() as error:
        told = re.search(r"riskmodel\.errors\.\w+: (Found .*)", str(error))
        raise DataRefused(
            "spark-task-failed",
            found=f"a task that failed on Spark ({type(error).__name__})",
            expected="every partition computed",
            repair=f"It said: {told[1]}" if told else "Look into the logs of the executors; nothing was written.",
        ) from None  # what Spark quotes of a failure may hold rows


@contextmanager
def sockets_let_go() -> Iterator[None]:
    """Around work on Spark: pyspark leaves its sockets to be closed as they are freed, and they are freed here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()


def sent(session: SparkSession, table: pa.Table) -> DataFrame:
    """A table of this process as one of Spark's, column by column in Arrow: what is missing stays missing."""
    return session.createDataFrame(table)


def fetched(session: SparkSession, sql: str) -> pa.Table:
    """The answer to a query, brought here."""
    return session.sql(sql).toArrow()


def add_text_function(session: SparkSession, name: str, function: Likeness) -> None:
    """Let queries of the session call a function of two texts that gives a number; it runs where the data lies.

    Parameters
    ----------
    function : takes two Arrow columns of text and gives one of float64; importable on the executors
    """
    from pyspark.sql.functions import pandas_udf

    def called(left: Any, right: Any) -> Any:
        texts = (pa.array(side.to_numpy(dtype=object, na_value=None), pa.string()) for side in (left, right))
        return function(*texts).to_pandas()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pyspark asks for type hints of pandas
        session.udf.register(name, pandas_udf(lambda left, right: called(left, right), "double"))


def partition_number() -> int:
    """Inside a task: the number of its partition."""
    from pyspark import TaskContext

    return int(TaskContext.get().partitionId())


def cores(session: SparkSession) -> int:
    """How many tasks run at a time."""
    return int(session.sparkContext.defaultParallelism)


def plan_text(table: DataFrame) -> str:
    """The physical plan, in words."""
    return str(table._jdf.queryExecution().executedPlan().toString())


def _pyspark() -> Any:
    try:
        import pyspark.sql
    except ImportError as error:
        raise NotInstalled(
            "spark-not-installed",
            found="no pyspark on this machine",
            expected="the extra [spark]",
            repair="Install it with: pip install 'riskmodel-advisory[spark]'.",
        ) from error
    return pyspark.sql


def _started(found: Any, address: str) -> SparkSession:
    _must_have_java()
    local = address.startswith("local")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings: Mapping[str, str] = _WHEN_STARTED | (_ON_THE_MACHINE if local else {})
    building = found.SparkSession.builder.master(address)
    for name, value in settings.items():
        building = building.config(name, value)
    made: SparkSession = building.getOrCreate()
    return made


def _must_be_at(running: str, address: str) -> None:
    if running != address:
        raise DeclarationError.of(
            "spark-elsewhere",
            where="engine",
            found=f"a Spark at {running} in this process already",
            expected=f"one at {address}",
            repair=f"Ask for the engine {running!r}, or stop that session first.",
        )


def _must_have_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        where = f"no Java in JAVA_HOME ({home})" if home else "no Java on this machine"
        raise NotInstalled(
            "java-not-installed",
            found=where,
            expected=f"Java {_OLDEST_JAVA} or later, which Spark runs on",
            repair=_WAYS,
        )
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        raise NotInstalled(
            "java-too-old",
            found=f"Java {version[1]}" if version else f"{java}, which does not say its version",
            expected=f"Java {_OLDEST_JAVA} or later, which Spark runs on",
            repair=_WAYS,
        )
