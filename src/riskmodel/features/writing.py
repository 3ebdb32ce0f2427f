"""Features straight to Parquet, part by part: for more rows than a table in memory should hold.

Parts are cut by rows and never by threads, so the files are the same to the byte for any number of cores. The folder
comes into view when it is whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.features.build import Progress, cores, prepared
from riskmodel.features.declared import checked
from riskmodel.features.feature import Feature
from riskmodel.features.on_spark import written_on_spark
from riskmodel.features.part_writer import PartWriter
from riskmodel.histories.store import Histories
from riskmodel.tables import fingerprint_document

PART_ROWS: Final = 1 << 17
"""About how many rows a part (a file, a row group) holds."""


@dataclass(frozen=True, slots=True)
class Written:
    """A folder of parts.

    Attributes
    ----------
    folder : holds ``part-00000.parquet`` ... and ``manifest.json``
    rows, parts : counts
    fingerprint : of the definitions and the histories
    """

    folder: Path
    rows: int
    parts: int
    fingerprint: str


def write_features(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    folder: str | Path,
    *,
    threads: int | None = None,
    part_rows: int = PART_ROWS,
    progress: Progress | None = None,
    engine: str | None = None,
) -> Written:
    """Compute features and write them as partitioned Parquet: entity_id, as_of and a float32 column a feature.

    Rows of an entity stay together; rows that come otherwise are written in the order of (entity_id, as_of).

    Parameters
    ----------
    rows : (n,) Arrow table with entity_id and as_of
    folder : must not exist yet
    part_rows : about how many rows one thread holds and writes at a time
    engine : "duckdb" computes in this process; ``local[2]``, ``local[*]``, ``spark://HOST:PORT``, ``yarn`` and
        ``k8s://...`` on Spark, whose executors write the parts (the folder has to be one that they all see); `threads`
        and `part_rows` are then Spark's own matter, and the parts are cut by person. None is the store's own (see
        `connect`), else this process

    Raises
    ------
    DataRefused : the folder is there already
    DeclarationError : as `feature_matrix`
    """
    engine = engine or (histories.store.engine if histories.store is not None else "duckdb")
    final = Path(folder)
    if final.exists():
        raise DataRefused(
            "folder-exists",
            found=f"the folder {final.name!r}, which is there already",
            expected="a new folder",
            repair="Choose another name, or remove the folder first.",
        )
    checked(histories, features)
    aside = final.with_name(f".partial-{final.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        if engine == "duckdb":
            left_out = _written_here(histories, rows, features, aside, threads or cores(), part_rows, progress)
        else:
            left_out = written_on_spark(engine, histories, rows, features, aside, progress=progress)
        definitions = {"histories": histories.fingerprint, "features": [feature.document() for feature in features]}
        parts = len(list(aside.glob("part-*.parquet")))
        counts = {"rows": rows.num_rows, "parts": parts, "ties_left_out": dict(sorted(left_out.items()))}
        manifest = json.dumps(definitions | counts, indent=1, sort_keys=True)
        (aside / "manifest.json").write_text(manifest + "\n", encoding="utf-8")
        aside.rename(final)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Written(final, rows.num_rows, parts, fingerprint_document(definitions))


def _written_here(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    folder: Path,
    threads: int,
    part_rows: int,
    progress: Progress | None,
) -> Mapping[str, int]:
    """Compute and write in this process; how many tie rows each choice of ties left out."""
    sweeping, _ = prepared(histories, rows, features, threads=threads)
    parts = sweeping.blocks(part_rows)
    writer = PartWriter(sweeping, features, folder)
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for written in pool.map(writer.write, range(len(parts)), parts):
            done += written
            if progress is not None:
                progress(done, rows.num_rows)
    return sweeping.plan.ties_left_out
