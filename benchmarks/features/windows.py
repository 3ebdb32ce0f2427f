"""How the time grows with the number of windows: 20 groups counted through 1, 2, 4 and 8 windows, in one process each.

``python windows.py FOLDER``; with a number as second argument it is the process that measures so many windows.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import workload

from riskmodel.dates import days
from riskmodel.features.language import count
from riskmodel.features.pieces import EventFiles
from riskmodel.features.writing import write_features
from riskmodel.histories.store import Histories

LENGTHS = (90, 180, 365, 540, 730, 1095, 1460, 1825)


def measure(folder, number):
    histories = Histories(None, EventFiles((folder / "events.parquet",), {"known_at": "happened_at"}))
    rows = pq.ParquetFile(folder / "rows.parquet").read()
    features = [count(k, agency=a, within=days(n)) for a, k in workload.groups() for n in LENGTHS[:number]]
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        began = time.process_time()
        write_features(histories, rows, features, Path(aside) / "out")
        spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{number} windows, {len(features)} features: {spent:.2f} CPU s after the imports, {peak:,.0f} MiB")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        for number in ("1", "2", "4", "8", "1", "2", "4", "8"):
            subprocess.run([sys.executable, __file__, sys.argv[1], number], check=True)
