"""What an executor of Spark does with one partition: the same preparation, the same kernel, its own file.

A partition arrives as rows of several tables, told apart by a column. They become histories of just these people, and
from there on everything is what it is in process. The file goes to a folder of this attempt alone: the driver takes up
the files of the attempts that Spark counted, so a task that died, or ran twice, leaves nothing in the result.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.spark import partition_number
from riskmodel.features import spark_reach
from riskmodel.features.build import prepared
from riskmodel.features.feature import from_document
from riskmodel.features.part_writer import PartWriter
from riskmodel.histories.store import HeldTables, Histories
from riskmodel.tables import EVENTS, PERSONS, RELATIONS, RESIDENCES, ROWS, conform

ANSWER: Final = "part int, rows long, file string, ties_left_out string"
"""What a task returns: its number, its rows, its file below the folder, and the ties beyond the bound."""

_SCHEMAS: Final = {
    spark_reach.RELATION: ("relations", RELATIONS),
    spark_reach.RESIDENCE: ("residences", RESIDENCES),
    spark_reach.PERSON: ("persons", PERSONS),
}
_CALLED: Final = {
    spark_reach.RELATION: {"other_id": "place_id", "starts_at": "happened_at", "ends_at": "ended_at"},
    spark_reach.RESIDENCE: {"area": "kind", "starts_at": "happened_at", "ends_at": "ended_at"},
    spark_reach.PERSON: {"birth_date": "happened_at"},
}


@dataclass(frozen=True, slots=True)
class Task:
    """Everything an executor has to be told; sent to it once.

    Attributes
    ----------
    features : documents of the features
    coverage : the coverage of all histories, which numbers kinds and agencies the same way everywhere
    folder : where attempts write; the same place for the driver and every executor
    """

    features: tuple[Mapping[str, Any], ...]
    coverage: Mapping[str, Any]
    folder: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Compute and write the partition; yields one row of `ANSWER`, none for a partition without rows."""
        held = list(batches)
        if not held:
            return
        rows, histories = told(pa.Table.from_batches(held), self.coverage)
        held.clear()
        if not rows.num_rows:
            return
        number, attempt = partition_number(), uuid.uuid4().hex
        features = [from_document(document) for document in self.features]
        sweeping, _ = prepared(histories, rows, features, threads=1)
        place = Path(self.folder) / attempt
        place.mkdir()
        whole = sweeping.blocks(rows.num_rows + 1)
        written = PartWriter(sweeping, features, place).write(number, *whole)
        file = next(place.iterdir()).relative_to(self.folder).as_posix()
        left_out = json.dumps(dict(sweeping.plan.ties_left_out))
        columns = [
            pa.array([number], pa.int32()),
            pa.array([written], pa.int64()),
            pa.array([file]),
            pa.array([left_out]),
        ]
        yield pa.RecordBatch.from_arrays(columns, ["part", "rows", "file", "ties_left_out"])


def told(partition: pa.Table, coverage: Mapping[str, Any]) -> tuple[pa.Table, Histories]:
    """The rows asked about, in order, and the histories of the people in them."""
    part = partition["part"]
    if "entity_id" not in partition.column_names:
        partition = partition.append_column("entity_id", partition["target"])
    by_part = {number: partition.filter(pc.equal(part, number)) for number in pc.unique(part).to_pylist()}
    none = partition.slice(0, 0)
    asked = by_part.get(spark_reach.ASKED, none)
    rows = _ordered(pa.table({"entity_id": asked["entity_id"], "as_of": asked["happened_at"]}).cast(ROWS))
    tables = {name: _table(by_part.get(number, none), number) for number, (name, _) in _SCHEMAS.items()}
    tables["persons"] = tables["persons"].sort_by("entity_id")
    events = by_part.get(spark_reach.EVENT, none).drop_columns(["target", "part"])
    if set(EVENTS.names) <= set(events.column_names):
        events = conform(events, EVENTS)
    return rows, Histories(None, HeldTables({"events": events} | tables, {"coverage": coverage}))


def _table(given: pa.Table, number: int) -> pa.Table:
    _, schema = _SCHEMAS[number]
    columns = {column: _CALLED[number].get(column, column) for column in schema.names}
    found = {column: given[there] for column, there in columns.items() if there in given.column_names}
    made = pa.table({name: array.cast(schema.field(name).type) for name, array in found.items()})
    return conform(made, schema) if made.num_rows else schema.empty_table()


def _ordered(rows: pa.Table) -> pa.Table:
    """By entity and date: a partition's rows arrive in any order, and its file shall be the same to the byte."""
    order = np.lexsort((rows["as_of"].cast(pa.int64()).to_numpy(), rows["entity_id"].to_numpy()))
    return rows.take(pa.array(order))
