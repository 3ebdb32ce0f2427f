"""Probabilities on Spark are those of this process to the bit, whatever the files and partitions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused
from riskmodel.models.on_spark import predicted, predicted_on_spark


@pytest.fixture
def files(quarterly, tmp_path):
    table = quarterly.table
    third = table.num_rows // 3
    made = []
    for number, (start, length) in enumerate(((0, third), (third, third), (2 * third, table.num_rows - 2 * third))):
        made.append(tmp_path / f"features-{number}.parquet")
        pq.write_table(table.slice(start, length), made[-1], row_group_size=500)
    return made


def test_the_same_to_the_bit(local_spark, fitted_model, quarterly, files, tmp_path):
    here = predicted(fitted_model, quarterly.table)
    parts = predicted_on_spark(local_spark, fitted_model, files, tmp_path / "out")
    there = pa.concat_tables(pq.read_table(part) for part in parts)
    order = [("entity_id", "ascending"), ("as_of", "ascending")]
    assert there.sort_by(order).equals(here.sort_by(order))
    assert here["probability"].to_numpy().tobytes() == fitted_model.predict(quarterly.matrix()).tobytes()
    assert (np.asarray(here["low"]) <= np.asarray(here["high"])).all()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [part.name for part in parts]


def test_what_cannot_be_predicted_leaves_nothing(local_spark, fitted_model, quarterly, files, tmp_path):
    less = tmp_path / "less.parquet"
    pq.write_table(quarterly.table.drop_columns(["arrests"]), less)
    with pytest.raises(DataRefused, match="without arrests"):
        predicted_on_spark(local_spark, fitted_model, [less], tmp_path / "out")
    (tmp_path / "there").mkdir()
    with pytest.raises(DataRefused, match="there already"):
        predicted_on_spark(local_spark, fitted_model, files, tmp_path / "there")
    endless = tmp_path / "endless.parquet"
    column = quarterly.table.column_names.index("arrests")
    values = pa.array(np.full(quarterly.table.num_rows, np.inf, np.float32))
    pq.write_table(quarterly.table.set_column(column, "arrests", values), endless)
    with pytest.raises(DataRefused, match="infinite"):
        predicted_on_spark(local_spark, fitted_model, [endless], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
