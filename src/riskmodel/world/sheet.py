"""The charity's one sheet as a file: people and visits in the same lines, in the charity's own columns.

The truth: a few lines are entered twice, the second time with a reason nobody can read. A naive reader who drops the
sheet for them loses everybody in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow as pa

from riskmodel import seeds
from riskmodel.feeds.contract import agency_contracts
from riskmodel.world.blocks import Block, Plan

SHEET: Final = ("charity.events", "charity.people")
"""The feeds that the one file holds; it is written for the first."""
_WRONG_WORDS: Final = 0.004
NO_REASON: Final = "??"
DAY_OF_VISIT: Final = "Visited on"


def sheet(plan: Plan, block: Block, format: str = "csv") -> tuple[pa.Table, dict[tuple[str, str], int]]:
    """One block's part of the sheet in the charity's own columns, and the lines no intake may take, by feed and code.

    Of a line entered twice the events feed must refuse the reason, and the people feed all of it, because it says
    again what stands there already.
    """
    contract = agency_contracts()["charity"]
    feeds = [replace(contract.feed(name), format=format) for name in ("people", "events")]
    people, events = (feed.render(block.tables[feed.name]) for feed in feeds)
    cells = dict(zip(people.column_names, people.columns, strict=True))
    cells |= dict(zip(events.column_names, events.columns, strict=True))
    headings = ("No", DAY_OF_VISIT, *(name for name in people.column_names if name != DAY_OF_VISIT), "Why they came")
    lines = pa.table({name: cells[name] for name in headings})
    random = seeds.stream(plan.seed, "world", block.number, "dirt", "charity")
    count = int(random.binomial(lines.num_rows, _WRONG_WORDS)) + (block.number == 0 and lines.num_rows > 0)
    if not count:
        return lines, {}
    again = lines.take(pa.array(random.permutation(lines.num_rows)[:count]))
    numbers = pa.array([f"X{block.number:04d}{place:05d}" for place in range(again.num_rows)], pa.string())
    wrong = pa.array([NO_REASON] * again.num_rows, pa.string())
    again = again.set_column(0, "No", numbers).set_column(len(headings) - 1, headings[-1], wrong)
    rows = again.num_rows
    planted = {("charity.events", "unknown-code"): rows, ("charity.people", "duplicate-row"): rows}
    return pa.concat_tables([lines, again]), planted
