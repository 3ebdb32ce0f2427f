"""Linkage of a large world with the defaults: python benchmarks/linkage/bench_world.py PEOPLE [codes].

Prints records, seconds, memory at its highest, pairwise precision, recall and F1, and both rates by ethnicity (from the
truth) with the gap in recall between groups. With `codes` the same records are linked in codes, too.
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
from public_records import coded

from riskmodel.engines.duckdb import query
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.linkage import quality
from riskmodel.linkage.identity import matched
from riskmodel.world.society import World

FIELDS = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "area")


def main() -> None:
    size = int(sys.argv[1])
    world = World.generate(people=size, seed=1)
    with tempfile.TemporaryDirectory() as place:
        files = [one for one in world.deliveries(Path(place) / "d") if one.feed.endswith(".people")]
        agencies = tuple(sorted({one.agency for one in files}))
        purpose = Purpose("bench", "To measure.", "consent", agencies, FIELDS, dt.date(2999, 1, 1))
        people = receive(connect(f"duckdb:///{place}/s", purpose), files).people
    sql = "SELECT r.*, p.ethnicity FROM r JOIN p USING (person)"
    truth = query(sql, r=world.truth.records, p=world.truth.people.select(["person", "ethnicity"]))
    sets = {"in clear": people} | ({"in codes": coded(people)} if "codes" in sys.argv[2:] else {})
    for name, table in sets.items():
        started, cpu = time.perf_counter(), time.process_time()
        found = matched(table)
        spent, cpu = time.perf_counter() - started, time.process_time() - cpu
        links = found.records.append_column("entity_id", pa.array(found.cluster))
        rates = quality.compared(links, truth, by=["ethnicity"])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name}: {links.num_rows:,} records, {spent:.0f} s ({cpu:.0f} of processors), at most {memory:.1f} GiB")
        for group, one in {"everybody": rates["overall"], **rates["ethnicity"]}.items():
            print(f"{group:12} precision {one['precision']:.4f} recall {one['recall']:.4f} F1 {one['f1']:.4f}")
        recalls = [one["recall"] for one in rates["ethnicity"].values()]
        print(f"gap in recall {max(recalls) - min(recalls):.4f}", flush=True)


if __name__ == "__main__":
    main()
