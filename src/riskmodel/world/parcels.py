"""What each block puts into each file, and which of its rows no intake may take.

One parcel a file and block, in the agency's own columns; a file is its parcels one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from riskmodel import seeds
from riskmodel.feeds.contract import agency_contracts
from riskmodel.feeds.feed import Feed
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.blocks import Block, Plan
from riskmodel.world.dirt import soiled
from riskmodel.world.sheet import SHEET, sheet


@dataclass(frozen=True, slots=True)
class Parcel:
    """One block's part of one file.

    Attributes
    ----------
    feed : str, the feed that the file is written for
    rows : Arrow table in the agency's own columns
    planted : (feed, quarantine code) -> rows that a correct intake must refuse
    """

    feed: str
    rows: pa.Table
    planted: dict[tuple[str, str], int]

    def __repr__(self) -> str:
        return f"Parcel({self.feed}, {self.rows.num_rows} rows)"


def files_of(plan: Plan, agencies: Sequence[str] = AGENCIES, format: str | None = None) -> list[Feed]:
    """One feed for each file that these agencies deliver; the charity's sheet stands for both of its feeds.

    `format` overrules what the contracts say of every file, such as "parquet".
    """
    feeds = [feed for agency in AGENCIES if agency in agencies for feed in agency_contracts()[agency].feeds]
    wanted = [feed for feed in feeds if plan.every_contact or not feed.name.endswith(".contacts")]
    return [replace(feed, format=format or feed.format) for feed in wanted if feed.name not in SHEET[1:]]


def parcels(plan: Plan, block: Block, feeds: Sequence[Feed]) -> Iterator[Parcel]:
    """The parcel of each file from one block, in the order of the feeds."""
    for feed in feeds:
        if feed.name in SHEET:
            yield Parcel(feed.name, *sheet(plan, block, feed.format))
            continue
        random = seeds.stream(plan.seed, "world", block.number, "dirt", feed.name)
        rows, planted = soiled(random, feed, block.tables[feed.name], block.number, int(plan.quarters()[-1]))
        yield Parcel(feed.name, rows, {(feed.name, code): count for code, count in planted.items()})
