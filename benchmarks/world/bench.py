"""How fast and in how much memory a society of a given size is written, beside the floor of writing its tables.

    python benchmarks/world/bench.py --people 50000 --workers 2
    python benchmarks/world/bench.py --people 1000000 --workers 2

The society has every contact and ten years. It is streamed to Parquet, one file a feed. The floor is Arrow writing
tables that are already in memory with the same settings: the delivered tables of the first block, as often as makes
up the same number of rows. Memory is the largest sum of resident memory of all processes, read four times a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq

from riskmodel.world.parcels import files_of, parcels
from riskmodel.world.society import World

START, END = "2013-01-01", "2023-01-01"


class Memory(threading.Thread):
    """Watches the resident memory of this process and of all it started (proportional share where the kernel says)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done, self.most = threading.Event(), 0

    def run(self) -> None:
        while not self.done.wait(0.25):
            self.most = max(self.most, sum(_resident(process) for process in _family()))


def _family() -> list[Path]:
    processes = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
    parent = {}
    for number, path in processes.items():
        try:
            parent[number] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    mine = {int(Path("/proc/self").resolve().name)}
    while True:
        more = mine | {number for number, owner in parent.items() if owner in mine}
        if more == mine:
            return [processes[number] for number in mine]
        mine = more


def _resident(process: Path) -> int:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def written(world: World, folder: Path, workers: int) -> dict[str, float]:
    """Write the deliveries; seconds, bytes, rows and the largest memory."""
    watching = Memory()
    watching.start()
    start, worked = time.perf_counter(), _cpu_seconds()
    listed = world.deliveries(folder, format="parquet", workers=workers)
    seconds, worked = time.perf_counter() - start, _cpu_seconds() - worked
    watching.done.set()
    paths = {one.path for one in listed}
    events = sum(pq.read_metadata(one.path).num_rows for one in listed if "people" not in one.feed)
    return {
        "seconds": seconds,
        "cpu_seconds": worked,
        "event_rows": events,
        "rows": sum(pq.read_metadata(path).num_rows for path in paths),
        "gigabytes": sum(path.stat().st_size for path in paths) / 1e9,
        "peak_gib": watching.most / 2**30,
    }


def _cpu_seconds() -> float:
    """Processor time of this process and of the processes that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def floor(world: World, folder: Path, rows: float) -> tuple[float, float]:
    """Seconds, and seconds of processor time, that Arrow needs to write so many rows of the same tables from memory."""
    feeds = files_of(world.plan, format="parquet")
    tables = [one.rows for one in parcels(world.plan, world.block(0), feeds)]
    times = max(1, round(rows / sum(table.num_rows for table in tables)))
    start, worked = time.perf_counter(), _cpu_seconds()
    for feed, table in zip(feeds, tables, strict=True):
        with pq.ParquetWriter(folder / f"{feed.name}.parquet", table.schema, compression="snappy") as writer:
            for _ in range(times):
                writer.write_table(table)
    return time.perf_counter() - start, _cpu_seconds() - worked


def hashed(folder: Path) -> str:
    """One number for all bytes of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--people", type=int, default=50_000)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--folder", type=Path, default=None, help="where the files go and stay; else a scratch folder")
    given = asked.parse_args()
    world = World.generate(given.people, given.seed, START, END, every_contact=True)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="world-"))
    try:
        made = written(world, folder / "deliveries", given.workers)
        made["floor_seconds"], made["floor_cpu_seconds"] = floor(world, folder, made["rows"])
        made["times_floor"] = made["seconds"] / made["floor_seconds"]
        made["times_floor_cpu"] = made["cpu_seconds"] / made["floor_cpu_seconds"]
        made["events_a_second"] = made["event_rows"] / made["seconds"]
        made["events_a_person"] = made["event_rows"] / given.people
        print(json.dumps({name: round(value, 3) for name, value in made.items()}, indent=1))
        print("bytes", hashed(folder / "deliveries"))
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
