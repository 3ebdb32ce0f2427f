"""A panel of 1,000,000 people x 40 quarters x 10 outcomes from 40 million events, and the effect on each outcome.

python benchmarks/policies/large.py make FOLDER [PEOPLE]     write the events once (Parquet, sorted by person)
python benchmarks/policies/large.py floor FOLDER             DuckDB alone: read, group by person, quarter and kind
python benchmarks/policies/large.py panel FOLDER             our panel and our estimates
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.dates import Duration
from riskmodel.engines.folders import Result
from riskmodel.histories.store import Histories
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.design import PlannedOutcome
from riskmodel.policies.effects import Asked
from riskmodel.policies.group_time import group_time
from riskmodel.policies.panels import Counting, count_panel
from riskmodel.tables import EVENTS, PERSONS, RELATIONS, RESIDENCES

QUARTERS, EACH, BEGINS = 40, 40, np.datetime64("2010-01-01", "us")
KINDS = tuple((("police", "health", "education", "housing", "justice")[k % 5], f"kind_{k}") for k in range(10))
CALENDAR = Calendar(dt.date(2010, 1, 1), dt.date(2020, 1, 1), Duration(months=3))
BLOCK = 25_000


def starts_of(people: int) -> np.ndarray:
    """A third never, the others from quarter 12, 20 or 28."""
    return np.resize([NEVER, 12, 20, NEVER, 28, 20], people)


def make(folder: Path, people: int) -> None:
    """40 events a person on average, of ten kinds; the first kind happens a third less under the policy."""
    folder.mkdir(parents=True, exist_ok=True)
    span = (np.datetime64("2020-01-01", "us") - BEGINS).astype(np.int64)
    starts, first = starts_of(people), 0
    with pq.ParquetWriter(folder / "events.parquet", EVENTS) as writer:
        for block in range(0, people, BLOCK):
            chance = np.random.default_rng([7, block])
            person = np.repeat(np.arange(block, min(block + BLOCK, people)), EACH)
            happened = chance.integers(0, span, len(person))
            kind = chance.integers(0, 10, len(person))
            under = happened * QUARTERS // span >= starts[person]
            kind = np.where((kind == 0) & under & (chance.random(len(person)) < 1 / 3), 1, kind)
            order = np.lexsort((happened, person))
            person, kind, at = person[order], kind[order], BEGINS + happened[order].astype("timedelta64[us]")
            none = {
                name: pa.nulls(len(person), EVENTS.field(name).type)
                for name in ("ended_at", "known_until", "role", "value", "place_id")
            }
            columns = {
                "entity_id": person,
                "happened_at": at,
                "known_at": at + chance.integers(1, 20, len(person)).astype("timedelta64[D]"),
                "agency": pa.array([agency for agency, _ in KINDS]).take(pa.array(kind)),
                "kind": pa.array([name for _, name in KINDS]).take(pa.array(kind)),
                "event_id": np.arange(first, first + len(person)),
                **none,
            }
            first += len(person)
            writer.write_table(pa.table({name: columns[name] for name in EVENTS.names}).cast(EVENTS))
    known = np.full(people, BEGINS)
    persons = {"entity_id": np.arange(people), "known_at": known}
    rows = {name: persons.get(name, pa.nulls(people, PERSONS.field(name).type)) for name in PERSONS.names}
    pq.write_table(pa.table(rows).cast(PERSONS), folder / "persons.parquet")
    pq.write_table(RESIDENCES.empty_table(), folder / "residences.parquet")
    pq.write_table(RELATIONS.empty_table(), folder / "relations.parquet")
    kinds: dict[str, dict[str, int]] = {}
    for agency, name in KINDS:
        kinds.setdefault(name, {})[agency] = people * EACH // 10
    covered = dict.fromkeys({agency for agency, _ in KINDS}, "2020-06-01")
    (folder / "coverage.json").write_text(json.dumps({"covered_until": covered, "kinds": kinds}), encoding="utf-8")


def floor(folder: Path) -> None:
    """Reading and grouping in DuckDB alone, without the time rule: the least that any program has to do."""
    import duckdb

    began = time.perf_counter()
    sql = f"""SELECT count(*), sum(n) FROM (
        SELECT entity_id, kind, datediff('quarter', TIMESTAMP '2010-01-01', happened_at) AS period, count(*) AS n
        FROM read_parquet('{folder / "events.parquet"}') GROUP BY ALL)"""
    print("cells, events:", duckdb.connect().sql(sql).fetchall())
    said("floor", began)


def panel(folder: Path) -> None:
    """Count all ten outcomes and estimate the effect on each."""
    rows = {"events": pq.read_metadata(folder / "events.parquet").num_rows}
    histories = Histories(None, Result("histories", folder, "", "bench", {}, rows))
    people = pq.read_metadata(folder / "persons.parquet").num_rows
    outcomes = [PlannedOutcome(name, agency, name) for agency, name in KINDS]
    began = time.perf_counter()
    made = count_panel(
        histories, Counting("person", CALENDAR, Duration(days=30)), outcomes, np.arange(people), starts_of(people)
    )
    said(f"{made!r}", began)
    began = time.perf_counter()
    for _, name in KINDS:
        effect = group_time(made, Asked(name), event_times=(-4, 11))
        print(f"{name}: {effect.estimate:+.5f} ({effect.low:+.5f} to {effect.high:+.5f})", flush=True)
    said("estimates", began)
    print("truth of kind_0: -1/30 a quarter, of kind_1: +1/30, of the others 0")


def said(what: str, began: float) -> None:
    """Seconds since, and the most memory the process has held."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    worked = time.process_time()
    print(f"{what}: {time.perf_counter() - began:.1f} s, at most {most:.2f} GiB; {worked:.0f} CPU s so far", flush=True)


if __name__ == "__main__":
    verb, where = sys.argv[1], Path(sys.argv[2])
    if verb == "make":
        make(where, int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000)
    else:
        {"floor": floor, "panel": panel}[verb](where)
