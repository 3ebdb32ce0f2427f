"""Whatever comes, accepted plus quarantined is what was delivered, row for row; receiving it again changes nothing."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.feeds.contract import Contract
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose

CONTRACT = """\
agency = "clinic"
title = "Clinic"
controller = "The clinic"
legal_regime = "UK GDPR"
purposes = ["test"]

[feeds.visits]
holds = "events"
file = "visits"
key = ["no"]
may_be_empty = true

[feeds.visits.columns]
no = { type = "text", means = "event_key", required = true, longest = 5 }
id = { type = "text", means = "person_key" }
why = { type = "code", means = "kind", codes = "why", required = true }
at = { type = "date", means = "happened_at", required = true }
left = { type = "date", means = "ended_at" }
points = { type = "number", means = "value", at_least = 0, at_most = 10 }

[codes.why]
INJ = "injury_by_violence"
MH = { kind = "mental_health_contact", valid_from = 2015-01-01 }
"""
CELLS = (
    st.sampled_from(["v1", "v2", "v3", "", "toolong", " v1 "]),
    st.sampled_from(["a", "b", "", "é"]),
    st.sampled_from(["INJ", "MH", "ZZ", ""]),
    st.sampled_from(["2020-01-01", "2012-05-05", "2020-02-30", "1800-01-01", "2999-01-01", "", "x"]),
    st.sampled_from(["2021-01-01", "2010-01-01", ""]),
    st.sampled_from(["3", "11", "-1", "many", "1e3", ""]),
)
ROWS = st.lists(
    st.one_of(st.tuples(*CELLS), st.lists(st.sampled_from(["a", "b"]), min_size=2, max_size=8).map(tuple)), max_size=25
)


@settings(max_examples=40)
@given(rows=ROWS, encoding=st.sampled_from(["utf-8", "windows-1252"]), ending=st.sampled_from(["\n", "\r\n"]))
def test_every_row_is_accepted_or_quarantined(rows, encoding, ending):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "clinic.toml").write_text(CONTRACT, encoding="utf-8")
        contract = Contract.load(folder / "clinic.toml")
        lines = ["no,id,why,at,left,points", *(",".join(row) for row in rows)]
        path = folder / "visits.csv"
        path.write_bytes((ending.join(lines) + ending).encode(encoding))
        delivery = Delivery("clinic.visits", path, dt.datetime(2022, 1, 1), dt.date(2010, 1, 1), dt.date(2022, 1, 1))
        purpose = Purpose("test", "To test.", "consent", ("clinic",), ("value",), dt.date(2999, 1, 1))
        store = connect(f"duckdb:///{folder / 'store'}", purpose)
        intake = receive(store, [delivery], contracts=[contract])
        feed = intake.report["feeds"]["clinic.visits"]
        quarantined = intake.quarantine.column("row").to_pylist()
        assert feed["delivered"] == len(rows)
        assert feed["accepted"] + len(quarantined) == len(rows)
        assert len(set(quarantined)) == len(quarantined)
        assert set(quarantined) <= set(range(1, len(rows) + 1))
        assert intake.events.num_rows == feed["stored"] <= feed["accepted"]
        assert receive(store, [delivery], contracts=[contract]).result.fingerprint == intake.result.fingerprint
