"""The form of a training table: its columns, their types, and which may be missing. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused
from riskmodel.features.feature import Feature
from riskmodel.features.manifest import CARRIED
from riskmodel.histories.store import Histories

GROUP: Final = "group:"
KEYS: Final = ("entity_id", "as_of", "outcome")


def table_of(
    histories: Histories,
    rows: pa.Table,
    outcome: pa.Array,
    groups: Sequence[str],
    features: Sequence[Feature],
    carry: Sequence[Feature],
    matrix: Sequence[npt.NDArray[np.float32]],
) -> pa.Table:
    """The table of rows, their outcome and groups, and a column for each feature and each carried feature."""
    place = pc.index_in(rows["entity_id"], value_set=histories.persons["entity_id"].combine_chunks())
    columns = {
        "entity_id": rows["entity_id"],
        "as_of": rows["as_of"],
        "outcome": outcome,
        **{GROUP + name: histories.persons[name].take(place).cast(pa.string()) for name in groups},
        **{feature.name: pa.array(matrix[number]) for number, feature in enumerate(features)},
        **{CARRIED + one.name: pa.array(matrix[len(features) + number]) for number, one in enumerate(carry)},
    }
    return pa.table(columns, schema=pa.schema([_field(name, column.type) for name, column in columns.items()]))


def _field(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=name == "outcome" or name.startswith(GROUP))


def formed(table: pa.Table) -> pa.Table:
    """A table that came from elsewhere in this form.

    Raises
    ------
    DataRefused : a key column is missing, or an outcome is neither 1 nor 0 nor missing
    """
    absent = [name for name in KEYS if name not in table.column_names]
    if absent:
        raise DataRefused(
            "columns-missing",
            found=f"a table without {', '.join(absent)}",
            expected=f"the columns {', '.join(KEYS)}",
            repair="Give every row an entity, an as-of date and an outcome (missing where unknown).",
        )
    kinds = {"entity_id": pa.int64(), "as_of": pa.timestamp("us"), "outcome": pa.int8()}
    columns = {}
    for name in table.column_names:
        column = table[name]
        if name == "outcome":
            column = pc.if_else(pc.is_nan(column.cast(pa.float64())), None, column.cast(pa.float64()))
            strange = pc.sum(pc.invert(pc.is_in(column.drop_null(), value_set=pa.array([0.0, 1.0])))).as_py() or 0
            if strange:
                raise DataRefused(
                    "outcome-invalid",
                    found=f"{strange} outcomes that are neither 1 nor 0",
                    expected="1 (yes), 0 (no) or missing (unknown)",
                    repair="Code the outcome as 1, 0 or missing.",
                )
        kind = kinds.get(name) or (pa.string() if name.startswith(GROUP) else pa.float32())
        column = column.cast(kind, safe=False)
        columns[name] = column.fill_null(np.nan) if kind == pa.float32() else column
    return pa.table(columns, schema=pa.schema([_field(name, column.type) for name, column in columns.items()]))
