"""On Spark as in this process: the same bytes for any partitions, one shuffle, and no half file of a task that died."""

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, months, years
from riskmodel.engines import spark
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.features.build import filled
from riskmodel.features.language import age, area_rate, count, count_distinct, days_since, household_size, rate, total
from riskmodel.features.on_spark import ANSWER, filled_on_spark, job, run, taken_up
from riskmodel.features.pieces import EventFiles
from riskmodel.features.training_set import build_training_set
from riskmodel.features.writing import write_features
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import SORTED_BY, Histories
from riskmodel.tables import EVENTS, RELATIONS, RESIDENCES, ROWS

OWN = [age(), count("violence", role="victim"), total("violence", within=years(1)), rate("violence", within=days(300))]
TIED = [
    count("arson", through="parent"),
    days_since("violence", through="co_resident"),
    count("violence", through="former_occupant"),
    count("arson", through="own_address"),
    count_distinct("kind", through=["parent", "co_resident"]),
    household_size(under=18),
]
EVERYBODY = range(1, 41)


def at(text):
    return dt.datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def society():
    """Forty people in ten homes; each is the child of the one before; events end in odd microseconds."""
    events, odd = [], dt.timedelta(microseconds=1)
    for who in EVERYBODY:
        for number in range(who % 4):
            happened = at("2020-01-01") + dt.timedelta(days=50 * number + who) + odd * (who % 3)
            event = {"entity_id": who, "event_id": who * 10 + number, "kind": ("violence", "arson")[number % 2]}
            event |= {"happened_at": happened, "known_at": happened + dt.timedelta(days=who % 9), "value": who / 4}
            events.append(event | {"agency": "police", "role": (None, "victim")[who % 2], "place_id": 100 + who % 10})
    relations = [
        {"entity_id": who, "other_id": other, "kind": kind, "known_at": at("2019-06-01")}
        for who in EVERYBODY
        for other, kind in ((who - 1, "parent"), ((who + 9) % 40 + 1, "co_resident"))
    ]
    moved = at("2020-03-01")  # everybody up to 20 moved out, and the others in
    residences = [
        {"entity_id": who, "place_id": 100 + who % 10, "area": f"E{who % 2}", "known_at": at("2020-03-02"),
         "starts_at": moved if who > 20 else at("2010-01-01"), "ends_at": None if who > 20 else moved}
        for who in EVERYBODY
    ]  # fmt: skip
    persons = [
        {"entity_id": who, "birth_date": dt.date(2000 + who % 12, 2, 28), "sex": ("female", "male")[who % 2],
         "known_at": at("2019-01-01")}
        for who in EVERYBODY
    ]  # fmt: skip
    return Histories.of(
        events=pa.Table.from_pylist(events, schema=EVENTS),
        relations=pa.Table.from_pylist(relations, schema=RELATIONS),
        residences=pa.Table.from_pylist(residences, schema=RESIDENCES),
        persons=pa.Table.from_pylist(persons, schema=Histories.of(events=EVENTS.empty_table()).persons.schema),
        covered_until={"police": dt.date(2022, 1, 1)},
    )


@pytest.fixture(scope="module")
def rows():
    made = [{"entity_id": who, "as_of": at(day)} for who in EVERYBODY for day in ("2020-04-01", "2021-01-01")]
    made.append({"entity_id": 1, "as_of": at("2020-01-02") + dt.timedelta(microseconds=2)})
    return pa.Table.from_pylist(made, schema=ROWS)


def bits(matrix):
    return np.where(np.isnan(matrix), np.float32(np.nan), matrix).view(np.uint32)


@pytest.mark.parametrize(("partitions", "features"), [(1, OWN + TIED[:1]), (7, OWN + TIED)], ids=["one", "seven"])
def test_partitions_and_the_order_of_rows_cannot_be_seen(local_spark, society, rows, partitions, features):
    order = np.random.default_rng(3).permutation(rows.num_rows)
    here, left_out = filled(society, rows, features)
    there, missing = filled_on_spark(local_spark, society, rows.take(pa.array(order)), features, partitions=partitions)
    assert (bits(there) == bits(here)[:, order]).all()
    assert dict(missing) == dict(left_out)
    assert all(len(np.unique(column)) > 1 for column in bits(here))


def test_a_training_set_has_the_same_fingerprint(local_spark, society):
    cohort = Cohort(aged=(8, 25), every=months(3), between=("2020-06-01", "2021-01-01"))
    outcome = Outcome("violence", within=days(90), settles_after=days(1))
    features = [*OWN, TIED[0], area_rate("violence", within=years(1), fewest=1)]
    here, there = (
        build_training_set(society, cohort, outcome, features, engine=engine) for engine in ("duckdb", local_spark)
    )
    assert there.fingerprint == here.fingerprint
    assert str(there.table.to_pydict()) == str(here.table.to_pydict())
    assert (here.manifest["engine"], there.manifest["engine"]) == ("duckdb", local_spark)


def test_executors_write_the_parts_and_the_driver_the_manifest(local_spark, society, rows, tmp_path):
    seen = []
    here = write_features(society, rows, OWN, tmp_path / "here")
    there = write_features(
        society, rows, OWN, tmp_path / "there", engine=local_spark, progress=lambda *done: seen.append(done)
    )
    assert (there.rows, there.fingerprint) == (here.rows, here.fingerprint)
    assert sorted(path.name for path in there.folder.iterdir()) == [
        "manifest.json", *(f"part-0000{number}.parquet" for number in range(there.parts))
    ]  # fmt: skip
    one, other = (
        pa.concat_tables([pq.read_table(path) for path in sorted(made.folder.glob("*.parquet"))])
        for made in (here, there)
    )
    keys = [("entity_id", "ascending"), ("as_of", "ascending")]
    assert str(other.sort_by(keys).to_pydict()) == str(one.sort_by(keys).to_pydict())
    assert other.schema == one.schema
    assert seen == [(81, 81)]
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_measures_of_areas_are_not_written_by_executors(local_spark, society, rows, tmp_path):
    with pytest.raises(DeclarationError, match="Write the measures of areas in process"):
        write_features(society, rows, [area_rate("violence", within=years(1))], tmp_path / "out", engine=local_spark)
    assert not list(tmp_path.iterdir())


def test_one_shuffle_by_person_and_no_other(local_spark, society, rows, tmp_path):
    plan = spark.plan_text(job(local_spark, society, rows, OWN, tmp_path).table)
    assert plan.count("Exchange") == 1
    assert "Exchange hashpartitioning(target" in plan
    assert "Sort" not in plan


def test_ties_are_brought_together_and_still_sent_once(local_spark, society, rows, tmp_path):
    """Beside the last shuffle by person, the joins of the relations step need theirs; nothing is ordered or ranked."""
    plan = spark.plan_text(job(local_spark, society, rows, TIED[:1], tmp_path).table)
    assert plan.count("REPARTITION_BY_NUM") == 1
    assert "Window" not in plan
    assert "RangePartitioning" not in plan
    assert "SinglePartition" not in plan


def test_attempts_that_died_leave_nothing_in_the_result(local_spark, society, rows, tmp_path):
    asked = job(local_spark, society, rows, OWN, tmp_path, partitions=3)
    task = asked.task

    def dying(batches):
        from pyspark import TaskContext

        made = list(task(batches))
        if TaskContext.get().attemptNumber() == 0:  # the file of this attempt is written
            if TaskContext.get().partitionId() == 0:
                os._exit(1)
            raise RuntimeError("the network went down")
        yield from made

    answers = spark.answers(asked.table, dying, ANSWER)
    assert len(list(Path(task.folder).glob("*/part-*.parquet"))) == 6
    taken = taken_up(answers, asked, tmp_path)
    assert [file.name for file in taken.files] == [f"part-0000{number}.parquet" for number in range(3)]
    assert not Path(task.folder).exists()
    found = pa.concat_tables([pq.read_table(file) for file in taken.files])
    assert found.num_rows == rows.num_rows
    assert len(set(zip(*(found[name].to_pylist() for name in ("entity_id", "as_of")), strict=True))) == rows.num_rows


def test_a_lost_row_is_noticed(local_spark, society, rows, tmp_path):
    asked = job(local_spark, society, rows, OWN, tmp_path, partitions=3)
    answers = spark.answers(asked.table, asked.task, ANSWER)
    with pytest.raises(EvidenceError, match="expected all 81"):
        taken_up(answers[1:], asked, tmp_path)


def test_the_same_partitions_write_the_same_bytes(local_spark, society, rows, tmp_path):
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        taken = run(job(local_spark, society, rows, OWN, tmp_path / name, partitions=3), tmp_path / name)
        made.append([file.read_bytes() for file in taken.files])
    assert made[0] == made[1]


@pytest.fixture
def from_files(society, tmp_path):
    """The events in two files, backwards and under other names; only one file has a role."""
    backwards = society.events.take(pa.array(range(society.events.num_rows - 1, -1, -1)))
    backwards = backwards.rename_columns(["who" if name == "entity_id" else name for name in EVENTS.names])
    pq.write_table(backwards.slice(0, 20), tmp_path / "0.parquet", row_group_size=7)
    pq.write_table(backwards.slice(20), tmp_path / "1.parquet")
    others = {name: getattr(society, name) for name in ("persons", "relations", "residences")}
    return Histories(None, EventFiles((tmp_path / "0.parquet", tmp_path / "1.parquet"), {"entity_id": "who"}, others))


def test_files_under_other_names_give_the_same(local_spark, society, from_files, rows):
    here, _ = filled(society, rows, OWN + TIED[:1])
    there, _ = filled_on_spark(local_spark, from_files, rows, OWN + TIED[:1])
    assert (bits(there) == bits(here)).all()


def test_times_that_spark_cannot_read_and_events_without_numbers_are_refused(local_spark, society, rows, tmp_path):
    path = tmp_path / "events.parquet"
    place = EVENTS.get_field_index("happened_at")
    fine = society.events["happened_at"].cast(pa.timestamp("ns"))
    pq.write_table(society.events.set_column(place, "happened_at", fine), path)
    (tmp_path / "work").mkdir()
    with pytest.raises(DataRefused, match="nanoseconds in happened_at"):
        job(local_spark, Histories(None, EventFiles((path,))), rows, OWN, tmp_path / "work")
    pq.write_table(society.events.drop_columns(["event_id"]), path)
    unnumbered = Histories(None, EventFiles((path,), others={"relations": society.relations}))
    with pytest.raises(DataRefused, match="events without event_id"):
        job(local_spark, unnumbered, rows, [total("violence", through="parent")], tmp_path / "work")


def test_rows_with_a_zone_are_refused_before_anything_starts(local_spark, society, rows):
    zoned = rows.set_column(1, "as_of", rows["as_of"].cast(pa.timestamp("us", "Europe/London")))
    with pytest.raises(DataRefused, match="Europe/London"):
        filled_on_spark(local_spark, society, zoned, OWN)


def test_nobody_asked_gives_no_rows(local_spark, society, rows):
    found, left_out = filled_on_spark(local_spark, society, rows.slice(0, 0), OWN)
    assert (found.shape, left_out) == ((4, 0), {})


def test_stored_histories_are_read_where_they_lie(local_spark, society, tmp_path):
    purpose = Purpose("tiny", "To test.", "Nobody is real.", ("police",), ("birth_date",), expires=dt.date(2036, 1, 1))
    store = connect(f"duckdb:///{tmp_path}", purpose=purpose, engine=local_spark)  # the store's own engine
    with store.writing("histories", "given") as draft:
        for name, order in SORTED_BY.items():
            draft.write(name, getattr(society, name), order)
        draft.write_document("coverage", dict(society.coverage))
    cohort = Cohort(aged=(8, 25), every=months(6), between=("2020-06-01", "2021-01-01"))
    outcome = Outcome("violence", within=days(90), settles_after=days(1))
    made = build_training_set(Histories(store, store.result("histories")), cohort, outcome, OWN + TIED[:1])
    here = build_training_set(society, cohort, outcome, OWN + TIED[:1])
    assert str(made.table.to_pydict()) == str(here.table.to_pydict())
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["histories", "training"]
    assert store.result("training").document("record")["engine"] == local_spark
