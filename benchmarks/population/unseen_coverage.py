"""How often the interval of the unseen holds the truth: planted lists, planted missed links, and the synthetic society.

``python benchmarks/population/unseen_coverage.py [DRAWS] [SEEDS]``. In the first two parts people are on three lists
independently, so that the models' assumptions hold. In the society they do not: police, hospital and an abuse charity
see different people for different reasons, and some harm can reach one of the lists only.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.missed_links import links_put_back
from riskmodel.population.unseen import Unseen, averaged, stepwise
from riskmodel.seeds import stream
from riskmodel.world.society import World

PEOPLE, SEEN, MISSED = 1_000, np.array([0.5, 0.35, 0.4]), 0.08
CELLS = list(product((0, 1), repeat=3))[1:]
METHODS = {"average": averaged, "stepwise": stepwise}
_HARM = """
SELECT year(happened_at) AS year, person,
       bool_or(agency = 'police' AND event_key IS NOT NULL)::INT AS police,
       bool_or(kind = 'injury_by_violence' AND event_key IS NOT NULL)::INT AS hospital,
       bool_or(kind = 'abuse_support' AND event_key IS NOT NULL)::INT AS charity
FROM e WHERE person IS NOT NULL AND year(happened_at) BETWEEN 2016 AND 2021 AND (
    (kind IN ('violence', 'robbery', 'domestic_abuse') AND role = 'victim')
    OR kind IN ('injury_by_violence', 'abuse_support'))
GROUP BY ALL"""


def counted(rows: np.ndarray) -> ListCounts:
    """Lists from (n, 3) zeros and ones; who is on none is left out."""
    return ListCounts.of(("a", "b", "c"), CELLS, [int((rows == cell).all(axis=1).sum()) for cell in CELLS])


def split(draw: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """The same people with one link missed of some who are on several lists."""
    several = np.flatnonzero((rows.sum(axis=1) > 1) & (draw.random(len(rows)) < MISSED))
    alone = np.zeros((len(several), 3), rows.dtype)
    for at, row in enumerate(several):
        lost = draw.choice(np.flatnonzero(rows[row]))
        rows[row, lost], alone[at, lost] = 0, 1
    return np.concatenate([rows, alone])


def told(name: str, made: list[tuple[Unseen, int]]) -> None:
    """Print coverage and the median of estimate over truth."""
    held = [one.total.low <= truth <= one.total.high for one, truth in made]
    ratio = np.median([one.total.value / truth for one, truth in made])
    seen = np.median([one.seen / truth for one, truth in made])
    print(f"{name:48} holds {sum(held):3d} of {len(held):3d}, estimate / truth {ratio:.2f}, seen / truth {seen:.2f}")


def planted(draws: int) -> None:
    """Independent lists, with and without missed links."""
    draw = stream(11, "unseen-coverage")
    plain: dict[str, list[tuple[Unseen, int]]] = {name: [] for name in METHODS}
    linked: dict[str, list[tuple[Unseen, int]]] = {"as linked": [], "put back": []}
    for _ in range(draws):
        rows = (draw.random((PEOPLE, 3)) < SEEN).astype(int)
        for name, method in METHODS.items():
            plain[name].append((method(counted(rows)), PEOPLE))
        table = counted(split(draw, rows))
        linked["as linked"].append((averaged(table), PEOPLE))
        linked["put back"].append((averaged(links_put_back(table, MISSED)), PEOPLE))
    for name, made in plain.items():
        told(f"independent lists, {name}", made)
    for name, made in linked.items():
        told(f"{MISSED:.0%} of links missed, {name}, average", made)


def society(seeds: int) -> None:
    """People harmed within a year of the synthetic society; the truth is everybody harmed, recorded or not."""
    found: dict[str, list[tuple[Unseen, int]]] = {name: [] for name in METHODS}
    for seed in range(101, 101 + seeds):
        table: pa.Table = query(_HARM, e=World.generate(people=20_000, seed=seed).truth.events)
        rows = np.column_stack([table.column(name).to_numpy() for name in ("police", "hospital", "charity")])
        year = table.column("year").to_numpy()
        for one in np.unique(year):
            for name, method in METHODS.items():
                found[name].append((method(counted(rows[year == one])), int((year == one).sum())))
    for name, made in found.items():
        told(f"society, {seeds} seeds and 6 years, {name}", made)


if __name__ == "__main__":
    planted(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    society(int(sys.argv[2]) if len(sys.argv) > 2 else 8)
