"""What riskmodel costs beyond Splink: python benchmarks/linkage/bench_overhead.py [DATA] [PEOPLE ...].

Bare Splink gets the same standardised records, the same comparisons and the same blocking keys, and does the rest by
itself: u from as many random pairs, two rounds of expectation-maximisation, prediction, clustering. Beside it the whole
of `rm.link`: records read from the store and standardised, people and quality written. FEBRL 4, and worlds of so many
people. Seconds of the clock and of the processor (all threads), the ratio of each, and where ours go.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from public_records import febrl
from splink import DuckDBAPI, Linker, block_on

from riskmodel.engines.duckdb import query
from riskmodel.feeds.intake import Intake, receive
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose
from riskmodel.linkage import blocking, identity, persons, splink_engines, splink_settings
from riskmodel.linkage.records import prepared
from riskmodel.linkage.training import prior_parameters
from riskmodel.tables import FEED_EVENTS, FEED_RELATIONS
from riskmodel.world.society import World

FIELDS = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "area")


def bare(people: pa.Table) -> int:
    """Splink alone, on our settings; the number of people it finds."""
    records = with_keys(prepared(people))
    settings = splink_settings.settings_of(prior_parameters(persons._comparisons(records), 1e-4), str, frequencies=True)
    settings["blocking_rules_to_generate_predictions"] = rules()
    linker = Linker(DuckDBAPI().register(records), settings, log_level=None)
    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=persons.RANDOM_PAIRS, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("birth"))
    training.estimate_parameters_using_expectation_maximisation(block_on("given", "family"))
    scores = linker.inference.predict(threshold_match_probability=persons.WORTH_KEEPING, warning_mode="never")
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(scores, 0.9)
    return len({row["cluster_id"] for row in found.as_record_list()})


def with_keys(records: pa.Table) -> pa.Table:
    """The records with their blocking keys as columns, lists where there may be several."""
    single = {**blocking._KEYS, **blocking._LOOSE}
    keys = [f"{key} AS key_{rule}" for rule, key in single.items()]
    for rule, (column, also) in blocking._KEYS_OF_LISTS.items():
        what = also.removeprefix("unnest(").removesuffix(")") if also.startswith("unnest") else f"[{also}]"
        each = f"list_transform({what}, lambda y: x || ' ' || y)"
        keys.append(f"list_distinct(flatten(list_transform({column}, lambda x: {each}))) AS key_{rule}")
    return query(f"SELECT *, {', '.join(keys)} FROM records", records=records)


def rules() -> list[dict[str, Any]]:
    """The same keys as Splink's blocking rules."""
    thin = "(l.birth IS NULL OR r.birth IS NULL)"
    found: list[dict[str, Any]] = [{"blocking_rule": f"l.key_{rule} = r.key_{rule}"} for rule in blocking._KEYS]
    found += [{"blocking_rule": f"l.key_{rule} = r.key_{rule} AND {thin}"} for rule in blocking._LOOSE]
    return found + [
        {"blocking_rule": f"l.key_{rule} = r.key_{rule}", "arrays_to_explode": [f"key_{rule}"]}
        for rule in blocking._KEYS_OF_LISTS
    ]


def timed(work: Callable[..., Any], *given: Any, **named: Any) -> tuple[Any, float, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    found = work(*given, **named)
    return found, time.perf_counter() - clock, time.process_time() - cpu


def of_world(folder: Path, size: int) -> tuple[Store, Intake]:
    world = World.generate(people=size, seed=1)
    files = [one for one in world.deliveries(folder / "d") if one.feed.endswith(".people")]
    store = connect(f"duckdb:///{folder}/s", _purpose(tuple(sorted({one.agency for one in files}))))
    return store, receive(store, files)


def of_febrl(folder: Path, data: Path) -> tuple[Store, Intake]:
    people = febrl(data, "febrl4a.parquet", "febrl4b.parquet", with_number=False).people
    store = connect(f"duckdb:///{folder}/s", _purpose(("source0", "source1")))
    tables = {"people": people, "events": FEED_EVENTS.empty_table(), "relations": FEED_RELATIONS.empty_table()}
    with store.writing("received", {"made": "bench"}) as draft:
        for name, table in tables.items():
            draft.write(name, table, [])
        draft.write_document("report", {"coverage": {"agencies": {}}})
    return store, Intake(store, store.result("received"))


def _purpose(agencies: tuple[str, ...]) -> Purpose:
    return Purpose("bench", "To measure.", "consent", agencies, FIELDS, dt.date(2999, 1, 1))


def main() -> None:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("RISKMODEL_DATA")
    data = (Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "data") / "record_linkage"
    logging.getLogger("splink").setLevel(logging.CRITICAL + 1)
    parts: dict[str, float] = {}
    for name in ("prepared", "blocked", "scored", "clustered", "_write"):
        setattr(identity, name, _spied(name, getattr(identity, name), parts))
    splink_engines.Engine._predict = _spied("in Splink", splink_engines.Engine._predict, parts)  # type: ignore[method-assign]
    sets: list[tuple[str, Callable[[Path], tuple[Store, Intake]]]] = [("FEBRL 4", lambda at: of_febrl(at, data))]
    sets += [(f"world {size}", lambda at, size=int(size): of_world(at, size)) for size in sys.argv[2:]]  # type: ignore[misc]
    for name, load in sets:
        with tempfile.TemporaryDirectory() as place:
            store, intake = load(Path(place))
            people = intake.people
            parts.clear()
            _, ours, our_cpu = timed(identity.link, store, intake)
            shares = ", ".join(f"{part} {spent:.1f}" for part, spent in parts.items())
            _, theirs, their_cpu = timed(bare, people)
        print(f"{name}: {people.num_rows:,} rows; link {ours:.1f} s ({our_cpu:.1f} of processors), bare Splink "
              f"{theirs:.1f} s ({their_cpu:.1f}); ratio {ours / theirs:.2f} ({our_cpu / their_cpu:.2f})\n    {shares}",
              flush=True)  # fmt: skip


def _spied(name: str, work: Callable[..., Any], parts: dict[str, float]) -> Callable[..., Any]:
    def spied(*given: Any, **named: Any) -> Any:
        found, clock, _ = timed(work, *given, **named)
        parts[name] = parts.get(name, 0.0) + clock
        return found

    return spied


if __name__ == "__main__":
    main()
