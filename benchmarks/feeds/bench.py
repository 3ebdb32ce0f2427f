"""A CSV file larger than memory through the gate, beside a floor: DuckDB merely reads the same file and writes Parquet.

Three processes, one after the other: the file is generated, the floor reads it with every cell as text and writes it
as Parquet, and the intake receives it with all that it promises (every row judged, repeats and corrections settled,
strangers refused, sorted, fingerprinted). Each prints its seconds and the most memory that it held (VmHWM). One of a
hundred rows is dirty in some way and one of fifty a correction of an earlier one, so that nothing takes a short cut.

    python benchmarks/feeds/bench.py --gigabytes 5 --folder /tmp/large

The folder needs about six times the size of the file, and is removed afterwards.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

CONTRACT = """\
agency = "ambulance"
title = "Ambulance service"
controller = "The ambulance service"
legal_regime = "UK GDPR"
purposes = ["bench"]

[feeds.people]
holds = "people"
file = "patients"
key = ["Patient"]

[feeds.people.columns]
Patient = { type = "text", means = "person_key", required = true }
Surname = { type = "text", means = "family_name" }

[feeds.calls]
holds = "events"
file = "calls"
key = ["Call"]
ignored = ["Crew", "Note"]

[feeds.calls.columns]
Call = { type = "text", means = "event_key", required = true, longest = 16 }
Patient = { type = "text", means = "person_key" }
Reason = { type = "code", means = "kind", codes = "reason", required = true }
At = { type = "moment", means = "happened_at", required = true }
Left = { type = "moment", means = "ended_at" }
Minutes = { type = "number", means = "value", at_least = 0, at_most = 1000 }
Postcode = { type = "text", means = "postcode" }
Logged = { type = "moment", means = "recorded_at" }

[codes.reason]
V = "injury_by_violence"
O = "overdose"
S = "self_harm"
M = "mental_health_contact"
"""
PEOPLE = 1_000_000
BLOCK = 500_000
NOTE = "seen at the scene, taken to the department, handed over to the nurse in charge"


def generate(folder: Path, gigabytes: float) -> None:
    """Write the contract and the files; the same bytes every time."""
    (folder / "ambulance.toml").write_text(CONTRACT, encoding="utf-8")
    with (folder / "patients.csv").open("w", encoding="utf-8") as file:
        file.write("Patient,Surname\n")
        file.writelines(f"P{number:07d},Surname{number % 5000}\n" for number in range(PEOPLE))
    calls, block = folder / "calls.csv", 0
    with calls.open("wb") as file:
        while calls.stat().st_size < gigabytes * 1e9:
            rows = _block(np.random.default_rng([2026, block]), block)
            pacsv.write_csv(rows, file, pacsv.WriteOptions(include_header=block == 0, quoting_style="needed"))
            file.flush()
            block += 1


def _block(draw: np.random.Generator, block: int) -> pa.Table:
    number = np.arange(block * BLOCK, (block + 1) * BLOCK)
    again = draw.random(BLOCK) < 0.02  # says something else of an earlier call
    number = np.where(again, draw.integers(0, (block + 1) * BLOCK, BLOCK), number)
    dirty = draw.integers(0, 400, BLOCK)
    at = np.datetime64("2015-01-01T00:00:00") + draw.integers(0, 9 * 365 * 86400, BLOCK).astype("timedelta64[s]")
    left = at + draw.integers(0, 7200, BLOCK).astype("timedelta64[s]")
    logged = at + draw.integers(3600, 30 * 86400, BLOCK).astype("timedelta64[s]")
    text = np.char.add
    minutes = np.where(dirty == 0, "many", draw.integers(0, 900, BLOCK).astype(str))
    reason = np.where(dirty == 1, "ZZ", np.array(["V", "O", "S", "M"])[draw.integers(0, 4, BLOCK)])
    patient = np.where(dirty == 2, "P9999999", text("P", np.char.zfill(draw.integers(0, PEOPLE, BLOCK).astype(str), 7)))
    happened = np.where(dirty == 3, "2015-02-30T00:00:00", at.astype(str))
    return pa.table(
        {
            "Call": text("C", np.char.zfill(number.astype(str), 10)),
            "Patient": patient,
            "Reason": reason,
            "At": happened,
            "Left": left.astype(str),
            "Minutes": minutes,
            "Postcode": text("ZZ", draw.integers(1, 99, BLOCK).astype(str)),
            "Logged": logged.astype(str),
            "Crew": draw.integers(1, 400, BLOCK).astype(str),
            "Note": np.full(BLOCK, NOTE),
        }
    )


def floor(folder: Path) -> None:
    """Read the file and write it as Parquet, every cell as text, with the memory that the intake may have."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET memory_limit = '1GB'")
    connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
    source, target = folder / "calls.csv", folder / "floor.parquet"
    connection.execute(f"COPY (FROM read_csv('{source}', all_varchar = true)) TO '{target}' (FORMAT parquet)")


def intake(folder: Path) -> dict[str, int]:
    """Receive both files; returns the counts of the large one."""
    import riskmodel as rm
    from riskmodel.feeds.contract import Contract
    from riskmodel.feeds.delivery import Delivery

    purpose = rm.Purpose(
        name="bench",
        statement="To measure.",
        lawful_basis="consent",
        controllers=("ambulance",),
        fields=("value", "postcode"),
        expires=dt.date(2999, 1, 1),
    )
    covers = {"received_at": dt.datetime(2025, 1, 1), "covers_from": dt.date(2015, 1, 1)}
    deliveries = [
        Delivery(f"ambulance.{feed}", folder / file, covers_until=dt.date(2025, 1, 1), **covers)
        for feed, file in (("people", "patients.csv"), ("calls", "calls.csv"))
    ]
    store = rm.connect(f"duckdb:///{folder / 'store'}", purpose=purpose)
    received = rm.receive(store, deliveries, contracts=[Contract.load(folder / "ambulance.toml")])
    feed = received.report["feeds"]["ambulance.calls"]
    refused = sum(feed["quarantined"].values())
    assert feed["accepted"] + refused == feed["delivered"]
    assert (
        received.result.rows["quarantine"]
        == refused + received.report["feeds"]["ambulance.people"]["delivered"] - PEOPLE
    )
    return {"delivered": feed["delivered"], "quarantined": refused, "stored": feed["stored"]}


def _most_memory() -> float:
    """GiB that this process ever held."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def _step(name: str, folder: Path) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    counts = {"floor": floor, "intake": intake}[name](folder)
    seconds = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "gib": _most_memory()}
    print(json.dumps(seconds | {"counts": counts}))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gigabytes", type=float, default=5.0)
    ask.add_argument("--folder", type=Path, required=True)
    ask.add_argument("--step", choices=("floor", "intake"))
    given = ask.parse_args()
    if given.step:
        _step(given.step, given.folder)
        return
    given.folder.mkdir(parents=True)
    try:
        generate(given.folder, given.gigabytes)
        size = (given.folder / "calls.csv").stat().st_size
        print(f"calls.csv: {size / 1e9:.2f} GB", flush=True)
        made = {}
        for step in ("floor", "intake"):
            command = [sys.executable, __file__, "--folder", str(given.folder), "--step", step]
            made[step] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            one = made[step]
            print(
                f"{step:<7}{one['seconds']:8.1f} s, {one['cpu']:8.1f} s of CPU, "
                f"{size / 1e6 / one['seconds']:6.1f} MB/s, {one['gib']:.2f} GiB at most, {one['counts'] or ''}",
                flush=True,
            )
        print(f"intake / floor: {made['intake']['seconds'] / made['floor']['seconds']:.1f} x the time")
    finally:
        shutil.rmtree(given.folder)


if __name__ == "__main__":
    main()
