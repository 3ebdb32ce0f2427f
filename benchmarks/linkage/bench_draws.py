"""Do intervals over linked worlds hold the truth? python benchmarks/linkage/bench_draws.py SEED ...

For each seed a society of 2,000 people, linked with 20 draws: how many people are known to 1, 2, 3, 4 and 5 agencies or
more, by the truth, the best linkage and the 95 % interval over draws. Seeds from 3001 on are for judging: nobody looks
at them before a change is finished, and once looked at they are spent.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.linkage.identity import link
from riskmodel.linkage.people import People
from riskmodel.linkage.pooling import Measured, over_draws
from riskmodel.world.society import World

FIELDS = ("given_name", "family_name", "birth_date", "sex", "address", "postcode")
KNOWN_TO = (1, 2, 3, 4, 5)


def known_to(links: pa.Table, who: str) -> dict[str, int]:
    """How many people are known to so many agencies or more."""
    found = query(f"SELECT count(DISTINCT agency) AS n FROM t WHERE {who} IS NOT NULL GROUP BY {who}", t=links)
    agencies = found.column("n").to_numpy()
    return {f"{least} or more": int((agencies >= least).sum()) for least in KNOWN_TO}


def measured(people: People) -> dict[str, Measured]:
    return {name: Measured(count) for name, count in known_to(people.links, "entity_id").items()}


def one_society(seed: int, place: Path) -> list[tuple[int, int, float, float, float]]:
    """Truth, best linkage, mean over draws, and the interval, of each count."""
    world = World.generate(people=2_000, seed=seed)
    files = [one for one in world.deliveries(place / "d") if one.feed.endswith(".people")]
    agencies = tuple(sorted({one.agency for one in files}))
    purpose = Purpose("bench", "To measure.", "consent", agencies, FIELDS, dt.date(2999, 1, 1))
    store = connect(f"duckdb:///{place / 's'}", purpose)
    people = link(store, receive(store, files), draws=20, seed=seed)
    records = query("SELECT t.* FROM t SEMI JOIN l USING (agency, person_key)", t=world.truth.records, l=people.links)
    truth, best = known_to(records, "person"), known_to(people.links, "entity_id")
    drawn = over_draws(people, measured)
    return [(truth[name], best[name], one.value, one.low, one.high) for name, one in drawn.items()]  # type: ignore[misc]


def main() -> None:
    found = []
    for seed in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as place:
            found.append(one_society(seed, Path(place)))
        print(seed, *(f"{t} in {low:.1f} to {high:.1f} (best {b})" for t, b, _, low, high in found[-1]), flush=True)
    truth, best, mean, low, high = np.array(found).transpose(2, 0, 1)
    held = (low <= truth) & (truth <= high)
    print(f"intervals that hold the truth: {held.sum()} of {held.size}, by count {held.sum(axis=0).tolist()}")
    for name, value in (("mean of draws", mean), ("best linkage", best)):
        print(f"{name} less truth: {(value - truth).mean(axis=0).round(2).tolist()}, root mean square "
              f"{np.sqrt(((value - truth) ** 2).mean(axis=0)).round(2).tolist()}")  # fmt: skip
    print(f"half width: {((high - low) / 2).mean(axis=0).round(1).tolist()}")


if __name__ == "__main__":
    main()
