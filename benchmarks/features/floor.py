"""The floor: read what has to be read, write a finished matrix, nothing else. The matrix is riskmodel's own parts.

``python floor.py FOLDER PARTS``; prints the CPU seconds of import, reading and writing, without loading the parts.
"""

import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def main(folder, parts):
    columns = ["entity_id", "happened_at", "agency", "kind", "severity"]
    events = pq.ParquetFile(folder / "events.parquet", read_dictionary=["agency", "kind"]).read(columns)
    rows = pq.ParquetFile(folder / "rows.parquet").read()
    spent = time.process_time()
    del events, rows
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        for path in sorted(parts.glob("*.parquet")):
            table = pa.Table.from_batches(pq.ParquetFile(path).read().to_batches())
            began = time.process_time()
            pq.write_table(
                table, Path(aside) / path.name, compression="snappy", use_dictionary=False, write_statistics=False
            )
            spent += time.process_time() - began
    print(f"FLOOR {spent:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
