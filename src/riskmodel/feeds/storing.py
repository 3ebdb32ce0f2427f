"""Settled records into the stored tables: registers first, because they say who is known; each table in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa

from riskmodel.engines.folders import Draft
from riskmodel.feeds.aside import Aside, Pile
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.quarantine import QUARANTINE
from riskmodel.feeds.settling import ORDER, TABLES, Received, Stored, settled

QUARANTINE_ORDER: Final = ("feed", "file", "row", "code", "column")


def store_settled(
    draft: Draft,
    aside: Aside,
    feeds: Mapping[str, Feed],
    contracts: Sequence[Contract],
    received: Sequence[Received],
) -> dict[str, Stored]:
    """Settle feed after feed into the stored tables, registers first; what is stored of each."""
    registers: dict[str, list[Pile]] = {
        one.agency: [] for one in contracts if any(feed.holds == "people" for feed in one.feeds)
    }
    counts: dict[str, Stored] = {}
    for holds, schema in TABLES.items():
        with draft.writing(holds, schema) as write:
            for name, feed in feeds.items():
                mine = [one for one in received if one.delivery.feed == name]
                if feed.holds != holds or not mine:
                    continue
                counts[name] = Stored()
                register = None if holds == "people" else registers.get(feed.agency)
                tables = settled(feed, mine, aside, register, counts[name])
                if holds != "events":
                    tables = _again_in_order(tables, aside, holds, registers.get(feed.agency))
                for table in tables:
                    write(table)
    for one in received:
        one.quarantine.close()
    with draft.writing("quarantine", QUARANTINE) as write:
        for table in aside.ordered([one.quarantine for one in received], QUARANTINE_ORDER):
            write(table.cast(QUARANTINE))
    return counts


def _again_in_order(
    tables: Iterator[pa.Table], aside: Aside, holds: str, register: list[Pile] | None
) -> Iterator[pa.Table]:
    """Rows that came in the order of their keys in the order in which they are stored; people join their register."""
    pile = aside.pile()
    for table in tables:
        pile.add(table)
    pile.close()
    if holds == "people" and register is not None:
        register.append(pile)
    schema = TABLES[holds]
    by = (*ORDER[holds], *(name for name in schema.names if name not in ORDER[holds]))  # so that no two rows tie
    for table in aside.ordered([pile], by):
        yield table.cast(schema)
