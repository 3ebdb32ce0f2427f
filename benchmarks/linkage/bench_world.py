"""Linkage of a large world with the defaults: python benchmarks/linkage/bench_world.py PEOPLE.

Prints records, seconds, pairwise precision, recall and F1, and both rates by ethnicity (from the truth), so that the
gap in recall between groups is seen.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

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
    started = time.perf_counter()
    found = matched(people)
    spent = time.perf_counter() - started
    links = found.records.append_column("entity_id", pa.array(found.cluster))
    rates = quality.compared(links, truth, by=["ethnicity"])
    print(f"{links.num_rows:,} records, {spent:.0f} s")
    for group, one in {"everybody": rates["overall"], **rates["ethnicity"]}.items():
        print(f"{group:12} precision {one['precision']:.4f} recall {one['recall']:.4f} F1 {one['f1']:.4f}")


if __name__ == "__main__":
    main()
