"""An education feed: OULAD's students and registrations through their contract, counted against the tables."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskmodel.feeds.contract import format_contract
from riskmodel.feeds.delivery import deliveries_of
from riskmodel.feeds.intake import receive
from riskmodel.feeds.oulad import lay_out_oulad

DATA = Path(os.environ.get("RISKMODEL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "oulad_education"
COVERS = {"covers_from": dt.date(2012, 1, 1), "covers_until": dt.date(2016, 1, 1)}


def received(store, folder):
    files = deliveries_of([format_contract("oulad")], folder, received_at=dt.datetime(2016, 1, 1), **COVERS)
    return receive(store, files, contracts=[format_contract("oulad")])


def test_days_become_dates(tmp_path, open_store):
    """Module AAA of October 2013: day -10 is 21 September; withdrawn on day 5, the 6th of October."""
    raw = tmp_path / "raw"
    raw.mkdir()
    module = {"code_module": ["AAA", "BBB"], "code_presentation": ["2013J", "2014B"], "id_student": [7, 7]}
    pq.write_table(pa.table(module | {"gender": ["F", "F"], "region": ["Wales", "Wales"]}), raw / "student.parquet")
    days = {"date_registration": ["-10", "0"], "date_unregistration": ["5", None]}
    pq.write_table(pa.table(module | days), raw / "student_registration.parquet")
    intake = received(open_store(fields=("sex",), controllers=("oulad",)), lay_out_oulad(raw, tmp_path / "out"))
    assert intake.people.select(["person_key", "sex"]).to_pylist() == [{"person_key": "7", "sex": "female"}]
    found = intake.events.select(["kind", "happened_at"]).sort_by("happened_at").to_pylist()
    assert [(row["kind"], str(row["happened_at"].date())) for row in found] == [
        ("course_registration", "2013-09-21"),
        ("course_withdrawal", "2013-10-06"),
        ("course_registration", "2014-02-01"),
    ]


@pytest.mark.data
def test_every_registration_is_received(open_store, tmp_path):
    if not DATA.is_dir():
        pytest.skip("the OULAD tables are not here: set RISKMODEL_DATA")
    store = open_store(fields=("sex", "area"), controllers=("oulad",))
    intake = received(store, lay_out_oulad(DATA, tmp_path / "out"))
    assert intake.quarantine.num_rows == 0
    raw = pq.read_table(DATA / "student_registration.parquet")
    counts = {row["values"]: row["counts"] for row in pc.value_counts(intake.events.column("kind")).to_pylist()}
    assert counts == {
        "course_registration": raw.num_rows - raw.column("date_registration").null_count,
        "course_withdrawal": raw.num_rows - raw.column("date_unregistration").null_count,
    }
    assert intake.people.num_rows == pc.count_distinct(raw.column("id_student")).as_py()
