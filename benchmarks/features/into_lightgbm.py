"""Memory of learning, straight off the table or from a matrix: ``python into_lightgbm.py PARTS batches|matrix``.

PARTS is what with_riskmodel.py wrote; half of the first column decides a made-up outcome. Prints peaks in MiB.
"""

import resource
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.features.training_set import TrainingSet
from riskmodel.models.boosting import LightGBM


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(parts, how):
    table = pa.concat_tables([pq.ParquetFile(path).read() for path in sorted(Path(parts).glob("*.parquet"))])
    first = table.column(2).to_numpy()
    table = table.add_column(2, "outcome", pa.array((first > np.median(first)).astype(np.int8)))
    training, learner = TrainingSet(table), LightGBM(rounds=5)
    before = peak()
    if how == "batches":
        made = learner.fitted_in_batches(training, threads=0)
    else:
        made = learner.fitted(training.matrix(), training.outcome(), training.feature_names, threads=0)
    print(f"{how}: {before:,.0f} MiB with the table, {peak():,.0f} MiB at the peak, {made.text.count('Tree=')} trees")


if __name__ == "__main__":
    main(*sys.argv[1:])
