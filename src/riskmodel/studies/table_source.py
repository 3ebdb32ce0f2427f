"""A finished table passed through its declaration: every column checked, then encoded as a training set for a round.

A cell that the declaration does not allow stops the study; it is counted, never shown and never mended. A missing
value stays missing. Judged rows never enter a training set made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.dates import years
from riskmodel.errors import DataRefused
from riskmodel.features.form import GROUP
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Matrix
from riskmodel.models.metrics import Numbers, divided
from riskmodel.studies.table_declaration import (
    ColumnTable,
    DerivedTable,
    RoundTable,
    TableDeclaration,
    derived_of,
    fields_of,
)


@dataclass(frozen=True, repr=False)
class Rows:
    """The rows of a round that teach, and those that are judged without their outcome.

    Attributes
    ----------
    training : the teaching rows only
    judged : (n, p) float32, the judged rows, columns as in `training`
    keys : (n,) int64, whose rows they are
    """

    training: TrainingSet
    judged: Matrix = field(repr=False)
    keys: npt.NDArray[np.int64] = field(repr=False)


def read_table(path: Path, declared: TableDeclaration) -> tuple[pa.Table, dict[str, Any]]:
    """The table and the report of its check.

    Raises
    ------
    DataRefused : the file cannot be read, columns are missing, keys repeat, or cells are not as declared; all columns
        are named with counts
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _refused(
            "table-unreadable", f"{path.name}, which cannot be read ({type(error).__name__})", "a Parquet file"
        ) from error
    source = declared.table
    outcomes = {name for each in declared.rounds for name in (each.outcome, *each.without)}
    truth = dict.fromkeys(sorted(outcomes), ColumnTable(truth=True))
    split = {source.split: ColumnTable(words=["0", "1"])}
    columns = source.columns | truth | split
    columns |= {
        group.column: ColumnTable(words=list(group.words))
        for group in source.groups.values()
        if group.column not in columns
    }
    absent = sorted({source.key, *columns} - set(table.column_names))
    if absent:
        raise _refused("columns-missing", f"a table without {', '.join(absent)}", "every declared column")
    if pc.count_distinct(table[source.key]).as_py() != table.num_rows or table[source.key].null_count:
        raise _refused("key-repeated", f"{source.key} repeated or missing", "one row a key")
    wrong = {name: count for name, column in columns.items() if (count := _strange(table[name], column))}
    if wrong:
        said = ", ".join(f"{name}: {count:,} cells" for name, count in wrong.items())
        raise _refused("cells-undeclared", said, "values as declared under [table.columns]")
    report = {
        "rows": table.num_rows,
        "columns": len(columns),
        "missing": {name: table[name].null_count for name in columns if table[name].null_count},
        "not_used": sorted(set(table.column_names) - set(columns) - {source.key}),
    }
    return table.select([source.key, *columns]), report


def rows_of(
    table: pa.Table, declared: TableDeclaration, round_: RoundTable, report: Mapping[str, Any] | None = None
) -> Rows:
    """The rows at risk in a round, parted into those that teach and those that are judged."""
    source = declared.table
    at_risk = risk_set(table, round_)
    teaches = np.asarray(at_risk[source.split].to_numpy() == 1)
    columns: dict[str, Any] = {}
    meanings: dict[str, Any] = {}
    for name in fields_of(declared, round_):
        for encoded, (values, says) in _encoded(name, at_risk[name], source.columns[name]).items():
            columns[encoded] = values
            missing = round(float(np.isnan(values[teaches]).mean()), 6)
            meanings[encoded] = {"says": says, "sources": [source.folder], "missing": missing}
    for name, made in derived_of(declared, round_).items():
        columns[name] = _derived(made, columns)
        missing = round(float(np.isnan(columns[name][teaches]).mean()), 6)
        meanings[name] = {"says": made.says, "sources": [source.folder], "missing": missing}
    keys = np.asarray(at_risk[source.key].to_numpy(), np.int64)
    groups = {
        GROUP + name: pa.array([group.words[value] for value in at_risk[group.column].to_pylist()], pa.string())
        for name, group in source.groups.items()
    }
    day = np.full(at_risk.num_rows, np.datetime64(source.as_of, "us"))
    laid_out = {
        "entity_id": keys,
        "as_of": day,
        "outcome": at_risk[round_.outcome].cast(pa.int8()),
        **groups,
        **columns,
    }
    training = TrainingSet.of(pa.table(laid_out).filter(pa.array(teaches)), horizon=years(1))
    manifest = {
        **training.manifest,
        "columns": meanings,
        "round": round_.number,
        "judged_rows": int((~teaches).sum()),
        "checked": dict(report or {}) | {"file": source.file, "licence": source.licence},
    }
    training = TrainingSet(training.table, horizon=years(1), manifest=manifest)
    judged = np.stack([values[~teaches] for values in columns.values()], axis=1)
    return Rows(training, np.ascontiguousarray(judged, np.float32), keys[~teaches])


def judged_rows(table: pa.Table, declared: TableDeclaration, round_: RoundTable) -> tuple[Numbers, dict[str, Any]]:
    """Outcomes and groups of the judged rows of a round: for scoring only, after the choice is in the ledger."""
    rows = risk_set(table, round_)
    rows = rows.filter(pc.equal(rows[declared.table.split], 0))
    groups = {
        name: np.array([group.words[value] for value in rows[group.column].to_pylist()])
        for name, group in declared.table.groups.items()
    }
    return np.asarray(rows[round_.outcome].cast(pa.float64()).to_numpy(), np.float64), groups


def never_seen(table: pa.Table, declared: TableDeclaration, round_: RoundTable, rows: Rows) -> TrainingSet:
    """The judged rows with their outcomes, whom a finished model never saw: for attacks on it, never to teach."""
    outcome, groups = judged_rows(table, declared, round_)
    laid_out = {
        "entity_id": rows.keys,
        "as_of": np.full(len(rows.keys), np.datetime64(declared.table.as_of, "us")),
        "outcome": pa.array(outcome).cast(pa.int8()),
        **{GROUP + name: pa.array(words.tolist(), pa.string()) for name, words in groups.items()},
        **dict(zip(rows.training.feature_names, rows.judged.T, strict=True)),
    }
    return TrainingSet.of(pa.table(laid_out), horizon=years(1))


def risk_set(table: pa.Table, round_: RoundTable) -> pa.Table:
    """Those whose risk did not end in an earlier round."""
    for earlier in round_.without:
        table = table.filter(pc.invert(table[earlier]))
    return table


def _strange(column: pa.ChunkedArray, declared: ColumnTable) -> int:
    """How many cells are not as declared."""
    missing = 0 if declared.missing else int(column.null_count)
    known = column.drop_null()
    if declared.truth:
        return missing if pa.types.is_boolean(column.type) else len(column)
    if declared.span is not None:
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            return len(column)
        low, high = declared.span
        inside = pc.and_(pc.greater_equal(known, low), pc.less_equal(known, high))
        return missing + len(known) - int(pc.sum(inside).as_py() or 0)
    allowed = pc.is_in(known.cast(pa.string()), value_set=pa.array(declared.words, pa.string()))
    return missing + len(known) - int(pc.sum(allowed).as_py() or 0)


def _encoded(
    name: str, column: pa.ChunkedArray, declared: ColumnTable
) -> dict[str, tuple[npt.NDArray[np.float32], str]]:
    """The column as numbers with what they mean: ranks, truth as 1 and 0, or one mark a word without order."""
    plain = name.replace("_", " ")
    if declared.truth or declared.span is not None:
        values = column.cast(pa.float32()).fill_null(np.nan).to_numpy()
        return {name: (np.asarray(values, np.float32), plain)}
    text = column.cast(pa.string())
    if declared.nominal:
        return {
            f"{name}={word}": (
                np.asarray(pc.fill_null(pc.equal(text, word), False).cast(pa.float32()).to_numpy(), np.float32),
                f"{plain} is {word}",
            )
            for word in declared.words
        }
    rank = pc.index_in(text, value_set=pa.array(declared.words, pa.string())).cast(pa.float32()).fill_null(np.nan)
    return {name: (np.asarray(rank.to_numpy(), np.float32), f"{plain}: {' < '.join(declared.words)}")}


def _derived(made: DerivedTable, columns: Mapping[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The sum of the parts, over another where there is one; missing where a part is, or where the divisor is 0."""
    total = np.sum([columns[name] for name in made.sum], axis=0, dtype=np.float64)
    if made.over is not None:
        total = divided(total, columns[made.over].astype(np.float64) + made.plus)
    return np.asarray(total, np.float32)


def _refused(code: str, found: str, expected: str) -> DataRefused:
    return DataRefused(code, found=found, expected=expected, repair="Correct the file, or its declaration.")
