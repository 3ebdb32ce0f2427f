"""The workload that every contender answers: made-up events of seven agencies, and 148 features on quarterly dates.

About 40 events a person over ten years, heavy-tailed; half of the times are midnights, so that window edges are hit
exactly; some events of a person share their time; severities are quarters, so that sums are exact in any order. Files
are in the order of seven feeds, one after another. Run as ``python workload.py PEOPLE FOLDER`` to write them.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

AGENCIES = ("police", "courts", "probation", "social_care", "health", "education", "housing")
SHARES = (0.30, 0.18, 0.14, 0.13, 0.11, 0.08, 0.06)
KINDS = tuple(f"k{number:02d}" for number in range(40))
FAMILIES = 10  # kind k is of family k % 10
GROUPS = 20  # the most frequent pairs of agency and family
VALUED = 8  # groups whose severities are added up and compared
WINDOWS = (90, 365, 1825, None)  # days; None is all history
DATES = np.arange("2022-04", "2025-02", 3, "datetime64[M]").astype("datetime64[us]")


def kind_shares():
    weight = 1.0 / np.arange(1, 41) ** 1.05
    return weight / weight.sum()


def groups():
    """(agency, kinds) of the most frequent pairs, the most frequent first."""
    family = [kind_shares()[number::FAMILIES].sum() for number in range(FAMILIES)]
    pairs = [(-share * family[f], a, f) for a, share in enumerate(SHARES) for f in range(FAMILIES)]
    return [(AGENCIES[a], [KINDS[k] for k in range(f, 40, FAMILIES)]) for _, a, f in sorted(pairs)[:GROUPS]]


def features():
    """(column, what, group, days): 80 counts, 24 totals, 24 highest, 20 days since the last."""
    asked = [("count", g, days) for g in range(GROUPS) for days in WINDOWS]
    asked += [(what, g, days) for what in ("total", "highest") for g in range(VALUED) for days in WINDOWS if days]
    asked += [("days_since", g, None) for g in range(GROUPS)]
    return [(f"{what}_{g:02d}_{days or 'all'}", what, g, days) for what, g, days in asked]


def write(people, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([20260101, people])
    ids = np.unique(rng.integers(0, 1 << 62, people + people // 100 + 10))
    ids = rng.permutation(ids)[:people]
    counts = np.minimum(rng.lognormal(np.log(40.5) - 0.605, 1.1, people), 4000).astype(np.int64)
    owner = np.repeat(ids, counts)
    first = np.datetime64("2015-01-01", "s").astype(np.int64)
    seconds = rng.integers(0, 3653 * 86400, len(owner))
    midnight = rng.random(len(owner)) < 0.5
    seconds[midnight] -= seconds[midnight] % 86400
    tied = np.flatnonzero((rng.random(len(owner)) < 0.1)[1:] & (owner[1:] == owner[:-1])) + 1
    seconds[tied] = seconds[tied - 1]
    agency = rng.choice(len(AGENCIES), len(owner), p=SHARES)
    kind = rng.choice(len(KINDS), len(owner), p=kind_shares()).astype(np.int8)
    severity = (rng.integers(1, 65, len(owner)) * 0.25).astype(np.float32)
    delay = rng.integers(0, 30 * 86400, len(owner))
    writer = None
    for number, name in enumerate(AGENCIES):
        chosen = np.flatnonzero(agency == number)
        chosen = chosen[np.argsort(seconds[chosen], kind="stable")]
        table = pa.table(
            {
                "entity_id": owner[chosen],
                "happened_at": pa.array((seconds[chosen] + first) * 1_000_000, pa.timestamp("us")),
                "known_at": pa.array((seconds[chosen] + delay[chosen] + first) * 1_000_000, pa.timestamp("us")),
                "agency": pa.array([name] * len(chosen)),
                "kind": pa.DictionaryArray.from_arrays(pa.array(kind[chosen]), pa.array(KINDS)).cast(pa.string()),
                "severity": severity[chosen],
            }
        )
        writer = writer or pq.ParquetWriter(folder / "events.parquet", table.schema)
        writer.write_table(table, row_group_size=1_000_000)
    writer.close()
    dates = np.sort(DATES)
    rows = pa.table({"entity_id": np.repeat(ids, len(dates)), "as_of": np.tile(dates, people)})
    pq.write_table(rows, folder / "rows.parquet", row_group_size=1_000_000)
    order = rng.permutation(ids)
    ties = [pa.table({"entity_id": order, "other_id": np.roll(order, shift)}) for shift in (1, 2, 3)]
    pq.write_table(pa.concat_tables(ties), folder / "ties.parquet")
    print(f"{people:,} people, {len(owner):,} events, {rows.num_rows:,} rows")


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])
