"""One part of a feature matrix as a Parquet file: what threads of this process and executors of Spark alike write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.features.build import Matrix, Sweeping
from riskmodel.features.columns import arrow
from riskmodel.features.feature import Feature
from riskmodel.features.pieces import Whole
from riskmodel.tables import MOMENT


class PartWriter:
    """Fills and writes one part at a time on each thread, in a buffer that the thread keeps."""

    def __init__(self, sweeping: Sweeping, features: Sequence[Feature], folder: Path) -> None:
        keys = [pa.field("entity_id", pa.int64(), nullable=False), pa.field("as_of", MOMENT, nullable=False)]
        columns = [pa.field(feature.name, pa.float32(), nullable=False) for feature in features]
        self.schema = pa.schema(keys + columns)
        self.sweeping = sweeping
        self.folder = folder
        self.held = threading.local()

    def write(self, number: int, block: Whole) -> int:
        """Write one part; how many rows it has."""
        begin, end = self.sweeping.span(block)
        matrix = self._buffer(end - begin)
        self.sweeping.fill(block, matrix, 0)
        asked = self.sweeping.asked
        keys = [arrow(asked.entity[begin:end]), arrow(asked.as_of[begin:end].view("datetime64[us]"))]
        table = pa.Table.from_arrays([*keys, *(arrow(column) for column in matrix)], schema=self.schema)
        pq.write_table(
            table,
            self.folder / f"part-{number:05d}.parquet",
            row_group_size=len(table),
            compression="snappy",
            use_dictionary=False,
            write_batch_size=len(table),
            write_statistics=["entity_id", "as_of"],
        )
        return end - begin

    def _buffer(self, rows: int) -> Matrix:
        columns = len(self.schema) - 2
        held: Matrix | None = getattr(self.held, "buffer", None)
        if held is None or held.size < columns * rows:
            held = self.held.buffer = np.empty(columns * rows, np.float32)
        return held[: columns * rows].reshape(columns, rows)
