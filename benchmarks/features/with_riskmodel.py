"""riskmodel: events and rows from Parquet, features to partitioned Parquet.

``python with_riskmodel.py FOLDER OUT [known|distinct|ties]``: `known` makes events known up to 30 days late, `distinct`
adds 20 counts of different kinds, `ties` adds 20 counts of what reaches each person through three co-residents.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import workload

from riskmodel.dates import days as length
from riskmodel.features import language
from riskmodel.features.pieces import EventFiles
from riskmodel.features.writing import write_features
from riskmodel.histories.store import Histories
from riskmodel.tables import RELATIONS, conform


def nodes():
    made = []
    for _, what, group, days in workload.features():
        agency, kinds = workload.groups()[group]
        window = {} if days is None else {"within": length(days)}
        made.append(getattr(language, what)(kinds, agency=agency, **window))
    return made


def main(folder, out, *extra):
    columns = {"value": "severity"} | ({} if "known" in extra else {"known_at": "happened_at"})
    features, others = nodes(), {}
    if "distinct" in extra:
        made = [
            language.count_distinct("kind", agency=a, within=length(w))
            for a in workload.AGENCIES
            for w in (90, 365, 1825)
        ]
        features += made[:20]
    if "ties" in extra:
        ties = pq.read_table(folder / "ties.parquet")
        since = pa.array([0] * len(ties), pa.int64()).cast(pa.timestamp("us"))
        ties = ties.append_column("known_at", since).append_column("kind", pa.array(["co_resident"] * len(ties)))
        others["relations"] = conform(ties, RELATIONS)
        groups = workload.groups()
        features += [language.count(k, agency=a, within=length(365), through="co_resident") for a, k in groups]
    histories = Histories(None, EventFiles((folder / "events.parquet",), columns, others))
    written = write_features(histories, pq.ParquetFile(folder / "rows.parquet").read(), features, out)
    print(f"{written.rows:,} rows in {written.parts} parts")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
