"""Are the answers the same? Every cell of a contender against riskmodel's, and a sample of those against plain Python.

``python check.py FOLDER PARTS [FILE ...]``; a contender that leaves 0 out of empty windows is compared as 0.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import workload

DAY = 86_400_000_000


def ours(parts):
    table = pa.concat_tables([pq.read_table(path) for path in sorted(parts.glob("*.parquet"))])
    return table.rename_columns(["entity_id", "as_of", *(name for name, *_ in workload.features())])


def keyed(table):
    return np.lexsort((table["as_of"].cast(pa.int64()).to_numpy(), table["entity_id"].to_numpy()))


def by_hand(folder, table, people=40):
    """Cells that differ from a few lines of plain Python, for some people: the busiest, the idle and others."""
    events = pq.read_table(folder / "events.parquet")
    counted = events.group_by("entity_id").aggregate([([], "count_all")]).sort_by([("count_all", "descending")])
    ids = pc.unique(table["entity_id"])
    chosen = set(counted["entity_id"][:5].to_pylist()) | set(
        ids.take(pa.array(range(0, len(ids), len(ids) // people))).to_pylist()
    )
    group = {(a, k): g for g, (a, kinds) in enumerate(workload.groups()) for k in kinds}
    mine = defaultdict(list)
    picked = events.filter(pc.is_in(events["entity_id"], pa.array(chosen)))
    moments = picked["happened_at"].cast(pa.int64()).to_pylist()
    columns = [picked[name].to_pylist() for name in ("entity_id", "agency", "kind", "severity")]
    for at, who, a, k, v in zip(moments, *columns, strict=True):
        mine[who].append((at, group.get((a, k)), v))
    wrong = cells = 0
    for row in table.filter(pc.is_in(table["entity_id"], pa.array(chosen))).to_pylist():
        as_of = np.datetime64(row["as_of"], "us").astype(np.int64)
        for name, what, g, days in workload.features():
            found = [(as_of - at, v) for at, of, v in mine[row["entity_id"]] if of == g and at < as_of]
            found = [(ago, v) for ago, v in found if days is None or ago <= days * DAY]
            right = float("nan") if what in ("highest", "days_since") else 0.0
            if found:
                ago, values = zip(*found, strict=True)
                right = {
                    "count": len(found),
                    "total": sum(values),
                    "highest": max(values),
                    "days_since": min(ago) / DAY,
                }[what]
            cells += 1
            wrong += not (np.float32(right) == row[name] or (np.isnan(right) and np.isnan(row[name])))
    return wrong, cells


def differing(reference, other):
    left, right, wrong, cells = keyed(reference), keyed(other), 0, 0
    for name, what, _, _ in workload.features():
        one = reference[name].to_numpy()[left]
        two = other[name].to_numpy()[right]
        if what in ("count", "total"):
            two = np.nan_to_num(two)
        wrong += int((~((one == two) | (np.isnan(one) & np.isnan(two)))).sum())
        cells += len(one)
    return wrong, cells


if __name__ == "__main__":
    reference = ours(Path(sys.argv[2]))
    print("riskmodel against plain Python: {} of {:,} cells differ".format(*by_hand(Path(sys.argv[1]), reference)))
    for path in sys.argv[3:]:
        print(
            "{} against riskmodel: {} of {:,} cells differ".format(
                Path(path).name, *differing(reference, pq.read_table(path))
            )
        )
