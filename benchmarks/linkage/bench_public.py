"""Our linkage beside a plain Splink model on public data, same run: python benchmarks/linkage/bench_public.py [DATA].

Prints precision, recall and F1 over all true pairs (fake_1000: over its clerical labels), and seconds. Each
uses its own default threshold and no setting made for the data. In codes: see `linkage.encoding`; seconds with
encoding.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from plain_splink import plain_clusters
from public_records import PublicSet, coded, fake_1000, febrl, pair_scores

from riskmodel.linkage.identity import matched


def our_clusters(people: pa.Table) -> dict[str, Any]:
    """person_key -> cluster, with the defaults."""
    found = matched(people)
    return dict(zip(found.records.column("person_key").to_pylist(), found.cluster.tolist(), strict=True))


def main() -> None:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("RISKMODEL_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = root / "record_linkage"
    logging.getLogger("splink").setLevel(logging.CRITICAL + 1)
    sets: dict[str, Callable[[], PublicSet]] = {
        "fake_1000 (labels)": lambda: fake_1000(folder),
        "FEBRL 1": lambda: febrl(folder, "febrl1.parquet", with_number=False),
        "FEBRL 3": lambda: febrl(folder, "febrl3.parquet", with_number=False),
        "FEBRL 3, with number": lambda: febrl(folder, "febrl3.parquet", with_number=True),
        "FEBRL 4": lambda: febrl(folder, "febrl4a.parquet", "febrl4b.parquet", with_number=False),
        "FEBRL 4, with number": lambda: febrl(folder, "febrl4a.parquet", "febrl4b.parquet", with_number=True),
    }
    print(f"{'set':22} {'method':12} {'precision':>9} {'recall':>7} {'F1':>7} {'seconds':>8}")
    for name, load in sets.items():
        known = load()
        methods = [("riskmodel", our_clusters), ("plain Splink", plain_clusters)]
        if name in ("FEBRL 1", "FEBRL 3", "FEBRL 4"):
            methods.append(("in codes", lambda people: our_clusters(coded(people))))
        clear = 0.0
        for method, cluster in methods:
            started = time.perf_counter()
            scores = pair_scores(cluster(known.people), known)
            spent = time.perf_counter() - started
            numbers = f"{scores['precision']:9.4f} {scores['recall']:7.4f} {scores['f1']:7.4f} {spent:8.1f}"
            clear = scores["f1"] if method == "riskmodel" else clear
            below = f"   {clear - scores['f1']:+.4f} below clear text" if method == "in codes" else ""
            print(f"{name:22} {method:12} {numbers}{below}", flush=True)


if __name__ == "__main__":
    main()
