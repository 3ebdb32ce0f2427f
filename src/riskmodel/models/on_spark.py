"""A model's probabilities on Spark: each executor predicts the rows of its partition and writes its own file.

The model travels as the text it is saved as. A row's probability rests on that row alone, so it is the same to the bit
as in this process, whatever the partitions. What comes out are probabilities for judging a model; an advisory score
needs a purpose and an approval, and is made by `advisory.score`.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.engines import spark
from riskmodel.errors import DataRefused
from riskmodel.models.risk_model import RiskModel

KEYS: Final = ("entity_id", "as_of")
ATTEMPTS: Final = "attempts"
ANSWER: Final = pa.schema([("part", pa.int32()), ("rows", pa.int64()), ("file", pa.string())])


@dataclass(frozen=True)
class _Task:
    """What an executor does: the model's saved files by name, its features, and the folder it writes to."""

    saved: dict[str, bytes]
    names: tuple[str, ...]
    folder: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part = spark.partition_number()
        path = Path(self.folder) / ATTEMPTS / f"{part}-{uuid.uuid4().hex}.parquet"
        model, rows, writer = self._model(), 0, None
        for batch in batches:
            if not batch.num_rows:
                continue
            made = predicted(model, pa.Table.from_batches([batch]))
            writer = writer or pq.ParquetWriter(path, made.schema)
            writer.write_table(made)
            rows += made.num_rows
        if writer is not None:
            writer.close()
            answer = {"part": [part], "rows": [rows], "file": [path.name]}
            yield pa.RecordBatch.from_pydict(answer, schema=ANSWER)

    def _model(self) -> RiskModel:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.saved.items():
                (Path(folder) / name).write_bytes(content)
            return RiskModel.load(folder)


def predicted(model: RiskModel, rows: pa.Table) -> pa.Table:
    """Probability and interval of rows with the model's features: {entity_id, as_of, probability, low, high}.

    Parameters
    ----------
    rows : Arrow with entity_id, as_of and the model's features, as `write_features` writes them

    Raises
    ------
    DataRefused : a feature of the model is not there
    """
    _must_have(model, rows.column_names)
    columns = [rows[name].cast("float").fill_null(np.nan).to_numpy() for name in model.feature_names]
    X = np.stack(columns, axis=1) if columns else np.empty((rows.num_rows, 0), np.float32)
    p = model.predict(np.ascontiguousarray(X, np.float32))
    low, high = model.interval(p)
    return pa.table({**{key: rows[key] for key in KEYS}, "probability": p, "low": low, "high": high})


def predicted_on_spark(address: str, model: RiskModel, files: Sequence[Path], folder: str | Path) -> tuple[Path, ...]:
    """The same on Spark, into Parquet files of a folder that the driver and every executor see.

    Parameters
    ----------
    address : as `engines.spark.session`
    model : RiskModel
    files : Parquet with entity_id, as_of and the model's features, such as the parts of `write_features`
    folder : must not exist yet; comes into view when it is whole

    Returns
    -------
    the files, ``part-00000.parquet`` ...

    Raises
    ------
    DataRefused : the folder is there already, a feature is missing, or rows were lost
    """
    folder = Path(folder)
    if folder.exists():
        raise DataRefused(
            "folder-there",
            found="a folder that is there already",
            expected="a new one",
            repair="Choose another, or move it away.",
        )
    _must_have(model, pq.read_schema(files[0]).names)
    expected = sum(pq.read_metadata(file).num_rows for file in files)
    half = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        (half / ATTEMPTS).mkdir()
        table = spark.read(spark.session(address), files).select(*KEYS, *model.feature_names)
        task = _Task(_saved(model), model.feature_names, str(half))
        answers = spark.answers(table, task, "part int, rows long, file string")
        _must_be_whole(sum(answer["rows"] for answer in answers), expected)
        for number, answer in enumerate(sorted(answers, key=lambda answer: int(answer["part"]))):
            (half / ATTEMPTS / answer["file"]).rename(half / f"part-{number:05d}.parquet")
        shutil.rmtree(half / ATTEMPTS)  # what attempts that did not count have left
        half.rename(folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return tuple(sorted(folder.glob("part-*.parquet")))


def _saved(model: RiskModel) -> dict[str, bytes]:
    """The model's saved files, without the rows of the people it was judged on."""
    with tempfile.TemporaryDirectory() as folder:
        model.without_rows().save(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _must_have(model: RiskModel, columns: Sequence[str]) -> None:
    absent = [name for name in (*KEYS, *model.feature_names) if name not in columns]
    if absent:
        raise DataRefused(
            "features-differ",
            found=f"rows without {', '.join(absent[:5])}{' and others' if len(absent) > 5 else ''}",
            expected=f"entity_id, as_of and the {len(model.feature_names)} features of the model",
            repair="Build the rows with the features of the model.",
        )


def _must_be_whole(rows: int, expected: int) -> None:
    if rows != expected:
        raise DataRefused(
            "rows-lost",
            found=f"{rows} rows predicted of {expected}",
            expected="every row once",
            repair="Run it again; nothing was written.",
        )
