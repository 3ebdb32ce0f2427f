"""Events from files in any order, features to parts on disk: the same answers as in memory, the same bytes always."""

import datetime as dt
import hashlib

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskmodel.dates import days, years
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.features.build import feature_matrix
from riskmodel.features.language import age, count, count_distinct, days_since, rate, total
from riskmodel.features.pieces import EventFiles
from riskmodel.features.writing import write_features
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, ROWS

FEATURES = [
    age(),
    count("violence", role="victim"),
    total("violence", within=years(1)),
    count_distinct("agency"),
    days_since("injury"),
    rate("violence", within=days(300)),
    count("arson", through="parent"),
]


@pytest.fixture
def rows():
    made = [{"entity_id": who, "as_of": dt.datetime(year, 1, 1)} for who in (2, 1, 9) for year in (2020, 2021, 2022)]
    return pa.Table.from_pylist(made, schema=ROWS)


@pytest.fixture
def from_files(events, persons, relations, tmp_path):
    """The events in two files, backwards, in row groups of one or two, under other names."""
    shuffled = events.take(pa.array(range(events.num_rows - 1, -1, -1))).rename_columns(
        ["who" if name == "entity_id" else name for name in EVENTS.names]
    )
    for number, part in enumerate((shuffled.slice(0, 2), shuffled.slice(2))):
        pq.write_table(part, tmp_path / f"{number}.parquet", row_group_size=2 - number)
    paths = tuple(sorted(tmp_path.glob("*.parquet")))
    return Histories(None, EventFiles(paths, {"entity_id": "who"}, {"persons": persons, "relations": relations}))


def test_files_give_the_same_answers_as_tables(histories, from_files, rows):
    assert from_files.kinds == histories.kinds
    one, other = (feature_matrix(each, rows, FEATURES) for each in (histories, from_files))
    assert str(one.to_pydict()) == str(other.to_pydict())
    assert from_files.result.rows["events"] == 5


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_are_the_same_to_the_byte_for_any_cores(histories, rows, tmp_path, threads):
    def digests(folder):
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.parquet"))]

    first = write_features(histories, rows, FEATURES, tmp_path / "one", threads=2, part_rows=3)
    again = write_features(histories, rows, FEATURES, tmp_path / "two", threads=threads, part_rows=3)
    assert digests(first.folder) == digests(again.folder)
    assert (first.rows, first.parts) == (9, 3)
    assert first.fingerprint == again.fingerprint
    whole = pa.concat_tables([pq.read_table(path) for path in sorted(first.folder.glob("*.parquet"))])
    assert str(whole.drop_columns(["entity_id", "as_of"]).to_pydict()) == str(
        feature_matrix(histories, rows, FEATURES).to_pydict()
    )
    assert whole["entity_id"].to_pylist() == rows["entity_id"].to_pylist()


def test_rows_that_are_not_together_are_written_in_order(histories, rows, tmp_path):
    mixed = rows.take(pa.array([0, 3, 1, 4, 2, 5, 8, 7, 6]))
    written = write_features(histories, mixed, [count("violence")], tmp_path / "out")
    table = pq.read_table(written.folder / "part-00000.parquet")
    assert table["entity_id"].to_pylist() == [1, 1, 1, 2, 2, 2, 9, 9, 9]
    assert table["violence_count"].to_pylist() == [0, 2, 2, 0, 1, 1, 0, 0, 0]


def test_a_folder_that_is_there_is_refused_and_bad_features_leave_none(histories, rows, tmp_path):
    with pytest.raises(DataRefused, match="there already"):
        write_features(histories, rows, FEATURES, tmp_path)
    with pytest.raises(DeclarationError, match="Did you mean 'arson'"):
        write_features(histories, rows, [count("arsen")], tmp_path / "out")
    assert not list(tmp_path.glob("*"))


def test_files_without_a_column_are_refused(events, tmp_path):
    path = tmp_path / "events.parquet"
    pq.write_table(events.drop_columns(["known_at", "kind"]), path)
    with pytest.raises(DataRefused, match="without kind, known_at"):
        EventFiles((path,))


def test_rows_are_counted_as_they_are_done(histories, rows):
    seen = []
    feature_matrix(histories, rows, FEATURES, block_rows=3, progress=lambda done, all_: seen.append((done, all_)))
    assert seen == [(3, 9), (6, 9), (9, 9)]


def test_times_with_a_zone_and_rows_without_a_date_are_refused(histories, rows, events, tmp_path):
    zoned = rows.set_column(1, "as_of", rows["as_of"].cast(pa.timestamp("us", "Europe/London")))
    with pytest.raises(DataRefused, match="Europe/London"):
        feature_matrix(histories, zoned, FEATURES)
    holed = pa.table({"entity_id": [1, 2], "as_of": pa.array([dt.datetime(2021, 1, 1), None], pa.timestamp("us"))})
    with pytest.raises(DataRefused, match="1 rows without"):
        feature_matrix(histories, holed, FEATURES)
    path = tmp_path / "events.parquet"
    pq.write_table(events.set_column(3, "known_at", events["known_at"].cast(pa.timestamp("us", "UTC"))), path)
    with pytest.raises(DataRefused, match="known_at in the zone UTC"):
        EventFiles((path,))


def test_a_person_with_very_many_events(rows):
    number = 200_000
    moments = pa.array(range(number), pa.int64()).cast(pa.timestamp("us"))
    events = pa.table(
        {"entity_id": [1] * number, "happened_at": moments, "known_at": moments, "agency": ["police"] * number,
         "kind": ["violence"] * number, "value": [0.25] * number, "event_id": range(number, 0, -1)}
    )  # fmt: skip
    backwards = events.take(pa.array(range(number - 1, -1, -1)))
    found = feature_matrix(Histories.of(events=backwards), rows, [count("violence"), total("violence")])
    assert found["violence_count"].to_pylist() == [0, 0, 0, number, number, number, 0, 0, 0]
    assert found["violence_value_total"][3].as_py() == number / 4


def test_ties_that_reach_nobody_give_zeros(histories, rows):
    features = [
        count_distinct("kind", through="parent"),
        count_distinct("agency", within=days(1), through="parent"),
        count_distinct("place", "arson", through="former_address"),
    ]
    nobody = rows.filter(pc.equal(rows["entity_id"], 2))
    assert [column.to_pylist() for column in feature_matrix(histories, nobody, features).columns] == [[0, 0, 0]] * 3


def test_only_ties_that_reach_nobody(histories, rows):
    """Nothing at all is swept, yet different values are to be counted."""
    nobody = rows.filter(pc.equal(rows["entity_id"], 2))
    assert feature_matrix(histories, nobody, [count_distinct("kind", through="parent")])[0].to_pylist() == [0, 0, 0]
