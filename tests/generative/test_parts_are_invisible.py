"""However a file is cut into parts, and the rows into batches: the same rows, the same quarantine, the same bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from riskmodel.feeds import aside
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

[feeds.people]
holds = "people"
file = "people"
key = ["id"]
may_be_empty = true

[feeds.people.columns]
id = { type = "text", means = "person_key", required = true }
name = { type = "text", means = "family_name" }

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
points = { type = "number", means = "value", at_least = 0, at_most = 10 }
seen = { type = "date", means = "recorded_at" }

[codes.why]
INJ = "injury_by_violence"
"""
HEAD = ("no", "id", "why", "at", "points", "seen")
CELLS = (
    st.sampled_from(["v1", "v2", "v3", " v1", "", "1.0", "toolong"]),
    st.sampled_from(["a", "b", "a\nb", "stranger", ""]),
    st.sampled_from(["INJ", "INJ", "INJ", "ZZ"]),
    st.sampled_from(["2020-01-01", "2020-01-02", "2020-02-30"]),
    st.sampled_from(["1", "2", "2.0", "11", ""]),
    st.sampled_from(["2020-03-01", "2020-04-01", ""]),
)
ROW = st.tuples(*CELLS)
FILE = st.lists(ROW, min_size=1, max_size=15)
BROKEN = st.lists(st.sampled_from(["short,row", "one,INJ,too,many,cells,in,this", '"never closed,a', ""]), max_size=4)


def csv(rows, broken):
    lines = [",".join(f'"{cell}"' if "\n" in cell else cell for cell in row) for row in rows]
    for at, line in enumerate(broken):
        lines.insert((at * 7) % (len(lines) + 1), line)
    return "\n".join([",".join(HEAD), *lines]) + "\n"


def jsonl(rows, broken):
    lines = [json.dumps({name: cell or None for name, cell in zip(HEAD, row, strict=True)}) for row in rows]
    for at, line in enumerate(broken):
        lines.insert((at * 7) % (len(lines) + 1), line)
    return "\n".join(lines)


def write(rows, broken, folder, stem, kind):
    path = folder / f"{stem}.{kind}"
    if kind in ("csv", "jsonl"):
        path.write_text((csv if kind == "csv" else jsonl)(rows, broken), encoding="utf-8", newline="\n")
        return path
    columns = {name: [row[at] or None for row in rows] for at, name in enumerate(HEAD)}
    if kind == "parquet":  # keys that some tool made fractions: whole in one part and not in another
        numbers = [float(at) if at % 11 else at + 0.5 for at in range(len(rows))]
        pq.write_table(pa.table({**columns, "no": numbers}), path)
        return path
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE visits ({', '.join(HEAD)})")
        database.executemany(f"INSERT INTO visits VALUES ({', '.join('?' * len(HEAD))})", rows)
        database.commit()
    return path


@pytest.mark.slow
@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(
    files=st.lists(st.tuples(FILE, BROKEN), min_size=1, max_size=2),
    kind=st.sampled_from(["csv", "csv", "jsonl", "parquet", "sqlite"]),
    part=st.sampled_from([1, 60, 200, 700]),
    batch=st.sampled_from([1, 3, 2048]),
    large=st.booleans(),
)
def test_the_size_of_the_parts_changes_nothing(files, kind, part, batch, large):
    covers = (dt.date(2019, 1, 1), dt.date(2021, 1, 1))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "clinic.toml").write_text(CONTRACT, encoding="utf-8")
        (folder / "people.csv").write_text("id,name\na,Ash\nb,Birch\na,Alder\n", encoding="utf-8")
        deliveries = [Delivery("clinic.people", folder / "people.csv", dt.datetime(2021, 1, 1), *covers)]
        for at, (rows, broken) in enumerate(files):
            path = write(rows, broken, folder, f"visits{at}", kind)
            deliveries.append(Delivery("clinic.visits", path, dt.datetime(2021, 1 + at, 1), *covers))
        purpose = Purpose("test", "To test.", "consent", ("clinic",), ("value",), dt.date(2999, 1, 1))
        contracts = [Contract.load(folder / "clinic.toml")]
        whole = receive(connect(f"duckdb:///{folder / 'whole'}", purpose), deliveries, contracts=contracts)
        usual, aside.BATCH = aside.BATCH, batch
        small, aside.SMALL = aside.SMALL, 0 if large else aside.SMALL  # large: sorted by an engine with little memory
        try:
            store = connect(f"duckdb:///{folder / 'parts'}", purpose)
            parts = receive(store, deliveries, contracts=contracts, part_bytes=part)
        finally:
            aside.BATCH, aside.SMALL = usual, small
        assert parts.report == whole.report
        assert digests(parts.result.folder) == digests(whole.result.folder)
        feed = whole.report["feeds"]["clinic.visits"]
        refused = whole.quarantine.filter(pa.compute.equal(whole.quarantine.column("feed"), "clinic.visits"))
        assert feed["accepted"] + refused.num_rows == feed["delivered"]
        assert list(store.folder.glob(".partial-*")) == []


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
