"""riskmodel on Spark beside riskmodel in this process: CPU seconds of both, start-up left out on both sides.

``python with_spark.py FOLDER SCRATCH [ROUNDS]``. FOLDER is made by `run.py`. CPU seconds are those of this process, the
Java process and the Python workers below it, read from /proc before and after; a first small build of one person in
a hundred starts the session and the workers and reads the compiled loops. Every cell of Spark's parts is compared.
"""

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from with_riskmodel import nodes

from riskmodel.features.pieces import EventFiles
from riskmodel.features.writing import write_features
from riskmodel.histories.store import Histories

TICK = os.sysconf("SC_CLK_TCK")


def spent():
    """CPU seconds of this process and everything below it, with those of its children that have ended."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        stats[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICK
    ours, grown = {os.getpid()}, True
    while grown:
        more = {process for process, (parent, _) in stats.items() if parent in ours} - ours
        ours, grown = ours | more, bool(more)
    return sum(stats[process][1] for process in ours)


def measured(name, histories, rows, out, engine):
    shutil.rmtree(out, ignore_errors=True)
    cpu, wall = spent(), time.perf_counter()
    written = write_features(histories, rows, nodes(), out, engine=engine)
    cpu, wall = spent() - cpu, time.perf_counter() - wall
    print(
        f"{name:<16} {wall:7.2f} s wall {cpu:7.2f} s CPU   {written.rows:,} rows in {written.parts} parts", flush=True
    )
    return cpu


def whole(folder):
    table = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])
    order = np.lexsort((table["as_of"].cast(pa.int64()).to_numpy(), table["entity_id"].to_numpy()))
    return table, order


def main(folder, scratch, rounds):
    scratch.mkdir(parents=True, exist_ok=True)
    columns = {"value": "severity", "known_at": "happened_at"}
    histories = Histories(None, EventFiles((folder / "events.parquet",), columns))
    rows = pq.read_table(folder / "rows.parquet")
    few = rows.filter(pc.less(pc.bit_wise_and(rows["entity_id"], 127), 1))
    measured("start here", histories, few, scratch / "few", "duckdb")
    measured("start on Spark", histories, few, scratch / "few", "local[2]")
    ratios = []
    for _ in range(rounds):
        here = measured("in process", histories, rows, scratch / "here", "duckdb")
        there = measured("on Spark", histories, rows, scratch / "there", "local[2]")
        ratios.append(there / here)
    print(
        f"Spark takes {ratios[0]:.2f} x in the first round, {statistics.median(ratios):.2f} x in the median of {rounds}"
    )
    (one, left), (other, right) = whole(scratch / "here"), whole(scratch / "there")
    wrong = 0
    for name in one.column_names:
        a, b = one[name].to_numpy()[left], other[name].to_numpy()[right]
        wrong += int((a.view(np.uint32 if a.dtype == np.float32 else np.int64)
                      != b.view(np.uint32 if b.dtype == np.float32 else np.int64)).sum())  # fmt: skip
    print(f"{wrong} of {one.num_rows * one.num_columns:,} cells differ in a bit")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3)
