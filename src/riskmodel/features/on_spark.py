"""Features on Spark: one shuffle brings each partition's people together, executors compute and write their own files.

The driver brings no events together. It says what has to be (`spark_reach`) and what an executor does with it
(`spark_task`), takes up the files of the attempts that counted, and refuses a result from which a row is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.engines import spark
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.features.areas import of_areas
from riskmodel.features.build import Matrix, Progress, asked_of, filled
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import Age
from riskmodel.features.pieces import EventFiles, Whole, needs_of
from riskmodel.features.spark_reach import Reach, gathering, reach_of
from riskmodel.features.spark_task import ANSWER, Task
from riskmodel.features.steps import compiled
from riskmodel.histories.overlaid import Overlaid
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS

if TYPE_CHECKING:
    from riskmodel.histories.store import Kept

PARTITION_ROWS: Final = 1 << 17
"""About how many rows of features one task holds and writes at most."""
PARTITION_EVENTS: Final = 1 << 21
"""About how many events of all histories there are for each task, at most."""
_TIMES: Final = ("happened_at", "ended_at", "known_at", "known_until")


@dataclass(frozen=True, slots=True)
class Job:
    """A table that Spark will bring together, and what is done with each of its partitions.

    Attributes
    ----------
    table : Spark's DataFrame, split by the person whom a row is for
    task : for the executors
    rows : how many rows are asked for
    """

    table: Any
    task: Task
    rows: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The files of a finished job: ``part-00000.parquet`` ... in a folder, one a partition that had rows."""

    files: tuple[Path, ...]
    rows: int
    ties_left_out: Mapping[str, int]


def filled_on_spark(
    address: str,
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    *,
    partitions: int | None = None,
    progress: Progress | None = None,
) -> tuple[Matrix, Mapping[str, int]]:
    """As `build.filled`, on Spark. Measures of areas, few numbers from everybody's rows, are computed in this process.

    Parameters
    ----------
    address : as `engines.spark.session`
    partitions : tasks to split the people among; by cores, rows and events when None. The answer is the same
    """
    areas = of_areas(features)
    people = [column for column in range(len(features)) if column not in areas]
    matrix = np.empty((len(features), rows.num_rows), np.float32)
    left_out: dict[str, int] = {}
    if people:
        with _scratch(histories) as folder:
            chosen = [features[column] for column in people]
            taken = run(job(address, histories, rows, chosen, folder, partitions=partitions), folder)
            _read_into(matrix, people, rows, taken.files)
        left_out |= taken.ties_left_out
    if areas:
        matrix[list(areas)], more = filled(histories, rows, [features[column] for column in areas])
        left_out |= more
    if progress is not None:
        progress(rows.num_rows, rows.num_rows)
    return matrix, left_out


def written_on_spark(
    address: str,
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    folder: Path,
    *,
    progress: Progress | None = None,
) -> Mapping[str, int]:
    """Compute features into files of a folder that the driver and every executor see; how many tie rows were left out.

    Raises
    ------
    DeclarationError : a measure of areas, which needs everybody's rows in one place
    DataRefused, EvidenceError : a task failed, or a row is missing
    """
    areas = of_areas(features)
    if areas:
        raise DeclarationError.of(
            "areas-on-spark",
            where="features",
            found=f"{features[areas[0]].name}, a measure of areas",
            expected="features of people and households",
            repair="Write the measures of areas in process, or build a training set, where both go together.",
        )
    work = folder / ".work"
    work.mkdir()
    taken = run(job(address, histories, rows, features, work), work)
    for file in taken.files:
        file.rename(folder / file.name)
    shutil.rmtree(work)
    if progress is not None:
        progress(taken.rows, rows.num_rows)
    return taken.ties_left_out


def job(
    address: str,
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    folder: Path,
    *,
    partitions: int | None = None,
) -> Job:
    """What Spark is asked; tables that lie in memory are put into the folder as Parquet first. Nothing runs yet.

    Parameters
    ----------
    folder : an empty one that every executor sees
    partitions : tasks to split the people among; by cores, rows and events when None. The answer is the same
    """
    asked_of(rows)  # refuses rows without a date, and times with a zone
    session = spark.session(address)
    paths, held = _events_of(histories, folder)
    sizes = {"kind": len(histories.kinds), "agency": len(histories.agencies), "place": 1}
    program = compiled(features, sizes)
    births = program.reads_births or any(isinstance(feature, Age) for feature in features)
    needs = needs_of(program, sorted(histories.kinds), histories.agencies)
    reach = reach_of(program, needs, held, births=births)
    if needs.ordered and reach.ties and "event_id" not in held:
        raise DataRefused(
            "events-unnumbered",
            found="events without event_id, asked for through ties in an order that it settles",
            expected="a number for each event",
            repair="Give the files a column event_id, or map one to it.",
        )
    many = partitions or max(
        spark.cores(session),
        rows.num_rows // PARTITION_ROWS + 1,
        int(histories.result.rows.get("events", 0)) // PARTITION_EVENTS + 1,
    )
    _views(session, histories, rows, reach, paths, folder)
    table = session.sql(gathering(reach, held, many)).repartition(many, "target")
    (folder / "attempts").mkdir()
    documents = tuple(feature.document() for feature in features)
    return Job(table, Task(documents, dict(histories.coverage), str((folder / "attempts").absolute())), rows.num_rows)


def run(asked: Job, folder: Path) -> Taken:
    """Run the job and take up its files."""
    return taken_up(spark.answers(asked.table, asked.task, ANSWER), asked, folder)


def taken_up(answers: Sequence[Mapping[str, Any]], asked: Job, folder: Path) -> Taken:
    """Move the files of the attempts that Spark counted into view; what other attempts left is removed.

    Raises
    ------
    EvidenceError : a row is missing
    """
    rows = sum(answer["rows"] for answer in answers)
    if rows != asked.rows:
        raise EvidenceError(
            "rows-lost",
            found=f"{rows:,} rows from Spark",
            expected=f"all {asked.rows:,}",
            repair="Run it again; if it comes back, compute in process and report it.",
        )
    whole = folder / "whole"
    whole.mkdir()
    attempts, left_out, files = Path(asked.task.folder), Counter[str](), []
    for answer in sorted(answers, key=lambda answer: int(answer["part"])):
        file = attempts / answer["file"]
        os.replace(file, whole / file.name)
        files.append(whole / file.name)
        left_out.update(json.loads(answer["ties_left_out"]))
    shutil.rmtree(attempts, ignore_errors=True)
    return Taken(tuple(files), rows, dict(left_out))


def _views(
    session: Any, histories: Histories, rows: pa.Table, reach: Reach, paths: Sequence[Path], folder: Path
) -> None:
    """The tables by the names that `gathering` uses."""
    given = {"asked": rows.select(["entity_id", "as_of"])}
    if not reach.plain:
        given |= {"relations": histories.relations, "residences": histories.residences}
    if reach.births or not reach.plain:
        given["persons"] = histories.persons
    for name, table in given.items():
        pq.write_table(table, folder / f"{name}.parquet", coerce_timestamps="us")
        spark.read(session, [folder / f"{name}.parquet"]).createOrReplaceTempView(name)
    spark.read(session, paths).createOrReplaceTempView("events")


def _events_of(histories: Histories, folder: Path) -> tuple[Sequence[Path], dict[str, str]]:
    """The files of the events, and what these call the columns that they hold."""
    result: Kept = histories.result
    while isinstance(result, Overlaid) and "events" not in result.tables:
        result = result.base
    if isinstance(result, EventFiles):
        schemas = [pq.read_schema(path) for path in result.paths]
        _must_be_in_microseconds(schemas, result.columns)
        named = {column: result.columns.get(column, column) for column in EVENTS.names}
        there = {name for schema in schemas for name in schema.names}
        return result.paths, {column: name for column, name in named.items() if name in there}
    same = {column: column for column in EVENTS.names}
    path = getattr(result, "path", None)
    if path is not None:
        return [path("events.parquet")], same
    pq.write_table(histories.events, folder / "events.parquet")
    return [folder / "events.parquet"], same


def _must_be_in_microseconds(schemas: Sequence[pa.Schema], columns: Mapping[str, str]) -> None:
    names = {columns.get(column, column) for column in _TIMES}
    finer = sorted(
        {one.name for schema in schemas for one in schema if one.name in names and one.type == pa.timestamp("ns")}
    )
    if finer:
        raise DataRefused(
            "times-in-nanoseconds",
            found=f"times in nanoseconds in {', '.join(finer)}",
            expected="microseconds or coarser, which is what Spark reads",
            repair="Write the files with coerce_timestamps='us'.",
        )


@contextmanager
def _scratch(histories: Histories) -> Iterator[Path]:
    """A folder for a job: in the store, which a cluster shares, or a temporary one."""
    where = None if histories.store is None else histories.store.folder
    folder = Path(tempfile.mkdtemp(prefix=".partial-spark-", dir=where))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_into(matrix: Matrix, columns: Sequence[int], rows: pa.Table, files: Sequence[Path]) -> None:
    """Fill the columns with what the files hold, in the order of `rows`."""
    order = _sorted(rows)
    keys = pa.concat_tables(
        [pq.read_table(file, columns=["entity_id", "as_of"]) for file in files] or [rows.slice(0, 0)]
    )
    place = np.empty(rows.num_rows, np.int64)
    place[_sorted(keys)] = order
    begin = 0
    for file in files:
        part = pq.read_table(file)
        there = place[begin : begin + len(part)]
        for number, column in enumerate(columns, 2):
            matrix[column, there] = part.column(number).to_numpy()
        begin += len(part)


def _sorted(rows: pa.Table) -> Whole:
    return np.lexsort(
        (rows["as_of"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(), rows["entity_id"].to_numpy())
    )
