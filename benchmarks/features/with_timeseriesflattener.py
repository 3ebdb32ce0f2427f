"""timeseriesflattener: a value frame for each group. Its windows are closed at both ends: they begin 1 microsecond ago.

Days since the last event is not a feature it has; the latest time is taken as a maximum and subtracted afterwards.
``python with_timeseriesflattener.py FOLDER OUT``
"""

import contextlib
import datetime as dt
import io
import sys
from pathlib import Path

import polars as pl
import workload
from timeseriesflattener import Flattener, PredictionTimeFrame, PredictorSpec, ValueFrame
from timeseriesflattener.aggregators import CountAggregator, MaxAggregator, SumAggregator

LONG = 36500


def main(folder, out):
    pairs = [(a, k, g) for g, (a, kinds) in enumerate(workload.groups()) for k in kinds]
    group = pl.DataFrame(pairs, schema={"agency": pl.String, "kind": pl.String, "group": pl.Int8}, orient="row")
    events = pl.read_parquet(folder / "events.parquet").join(group, on=["agency", "kind"])
    rows = pl.read_parquet(folder / "rows.parquet")
    bounded = [days for days in workload.WINDOWS if days]
    specs, renamed, last = [], {}, {}
    for number in range(workload.GROUPS):
        mine = events.filter(pl.col("group") == number)
        more = [SumAggregator(), MaxAggregator()] if number < workload.VALUED else []
        name = f"severity{number:02d}"
        values = mine.select("entity_id", "happened_at", pl.col("severity").alias(name))
        specs.append(spec(values, bounded, [CountAggregator(), *more]))
        for days in bounded:
            for word, what in (("count", "count"), ("sum", "total"), ("max", "highest")):
                renamed[f"pred_{name}_within_1_to_{days}_days_{word}_fallback_nan"] = f"{what}_{number:02d}_{days}"
        name = f"time{number:02d}"
        moments = pl.col("happened_at").dt.timestamp("us").cast(pl.Float64).alias(name)
        specs.append(
            spec(mine.select("entity_id", "happened_at", moments), [LONG], [CountAggregator(), MaxAggregator()])
        )
        renamed[f"pred_{name}_within_1_to_{LONG}_days_count_fallback_nan"] = f"count_{number:02d}_all"
        last[f"pred_{name}_within_1_to_{LONG}_days_max_fallback_nan"] = f"days_since_{number:02d}_all"
    asked = PredictionTimeFrame(rows, entity_id_col_name="entity_id", timestamp_col_name="as_of")
    with contextlib.redirect_stdout(io.StringIO()):
        made = Flattener(asked).aggregate_timeseries(specs).df
    columns = [pl.col(old).cast(pl.Float32).alias(new) for old, new in renamed.items() if old in made.columns]
    since = [
        ((pl.col("as_of").dt.timestamp("us") - pl.col(old)) / 86400e6).cast(pl.Float32).alias(new)
        for old, new in last.items()
    ]
    made.select("entity_id", "as_of", *columns, *since).write_parquet(out, compression="snappy")


def spec(values, days, aggregators):
    frame = ValueFrame(values, entity_id_col_name="entity_id", value_timestamp_col_name="happened_at")
    windows = [(dt.timedelta(microseconds=1), dt.timedelta(days=number)) for number in days]
    return PredictorSpec(frame, windows, aggregators, fallback=float("nan"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
