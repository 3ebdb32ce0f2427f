"""A health feed: Synthea's patients, encounters and conditions through their contract, counted against the tables."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskmodel.feeds.contract import format_contract
from riskmodel.feeds.delivery import deliveries_of
from riskmodel.feeds.intake import receive

DATA = Path(os.environ.get("RISKMODEL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "synthea_health"


@pytest.mark.data
def test_every_encounter_and_condition_is_received(open_store):
    if not DATA.is_dir():
        pytest.skip("the Synthea tables are not here: set RISKMODEL_DATA")
    contracts = [format_contract("synthea")]
    covers = {"covers_from": dt.date(1919, 1, 1), "covers_until": dt.date(2017, 11, 2)}
    files = deliveries_of(contracts, DATA, received_at=dt.datetime(2017, 11, 2), **covers)
    intake = receive(open_store(fields=("sex",), controllers=("synthea",)), files, contracts=contracts)
    assert intake.quarantine.num_rows == 0
    assert {name: feed["accepted"] for name, feed in intake.report["feeds"].items()} == {
        "synthea.people": 1_462,
        "synthea.encounters": 20_524,
        "synthea.conditions": 7_040,
    }
    counts = {row["values"]: row["counts"] for row in pc.value_counts(intake.events.column("kind")).to_pylist()}
    assert counts["emergency_attendance"] == 694 + 62 + 49 + 195 + 30
    assert counts["death"] == 461
    stops = pq.read_table(DATA / "conditions.parquet", columns=["START", "STOP"]).to_pylist()
    closed_later = sum(row["STOP"] is not None and row["STOP"] > row["START"] for row in stops)
    assert counts["condition"] == 7_040 + closed_later  # an open version at the start, a closed one at the end
