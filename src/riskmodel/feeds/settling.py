"""All that was said of each record, brought together by key: repeats, strangers and corrections are settled here.

Each file's rows were judged one by one and put aside. Now the rows of a feed come back in the order of their keys, so
that everything said of one record, in whatever file and wherever in it, is seen at once, and no more than a batch of
rows is in memory. What comes out is the feed's part of the stored tables.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.feeds.aside import Aside, Pile, rows_of, whole_keys
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.quarantine import Verdict, quarantined
from riskmodel.feeds.repeats import refuse_repeats
from riskmodel.feeds.versions import history, with_ends_known_later
from riskmodel.tables import FEED_EVENTS, FEED_RELATIONS, MOMENT, PERSON_RECORDS, conform, ordered

TABLES: Final = MappingProxyType({"people": PERSON_RECORDS, "events": FEED_EVENTS, "relations": FEED_RELATIONS})
"""holds -> the schema of what is stored; registers come first, because they say who is known."""
ORDER: Final = MappingProxyType(
    {
        "people": (
            "feed", "person_key", "known_at", "address_from", "address", "postcode", "family_name", "given_name",
        ),
        "events": ("feed", "event_key", "known_at"),
        "relations": ("feed", "person_key", "other_person_key", "kind", "starts_at", "known_at"),
    }
)  # fmt: skip
"""holds -> the order of what is stored."""


@dataclass(slots=True, repr=False)
class Received:
    """One delivery on its way: its accepted rows and its refused ones put aside, and counts of both.

    Attributes
    ----------
    delivery, digest : the file, and the SHA-256 of its bytes
    rows, quarantine : Pile
    encoding : str, of a text file; else the kind of file
    undeclared : set of headings that the contract does not name
    delivered : int, rows of the feed in the file, accepted and refused
    set_aside : int, rows of the file that the contract says are not this feed's
    unchanged : int, accepted rows that say nothing new beside another row of the file
    refused : code -> rows
    kinds : kind -> accepted rows
    """

    delivery: Delivery
    digest: str
    rows: Pile
    quarantine: Pile
    encoding: str = ""
    undeclared: set[str] = field(default_factory=set)
    delivered: int = 0
    set_aside: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Stored:
    """What is stored of one feed: rows, the first and last date, and how many were known before they happened."""

    rows: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    early: int = 0

    def add(self, feed: Feed, table: pa.Table) -> None:
        """Count some rows more."""
        self.rows += table.num_rows
        if feed.holds == "events":
            early = pc.less(table.column("known_at"), table.column("happened_at"))
            self.early += int(pc.sum(early).as_py() or 0)
        elif feed.known_at == ("always",):
            return
        bounds = pc.min_max(table.column("happened_at" if feed.holds == "events" else "known_at")).as_py()
        if bounds["min"] is not None:
            self.first = min(self.first or bounds["min"], bounds["min"])
            self.last = max(self.last or bounds["max"], bounds["max"])


def settled(
    feed: Feed, received: Sequence[Received], aside: Aside, register: Sequence[Pile] | None, stored: Stored
) -> Iterator[pa.Table]:
    """The stored rows of a feed of events, in order; or of people or relations, in the order of their keys.

    Parameters
    ----------
    received : the feed's deliveries, in the order of receipt; their counts are completed
    register : the agency's registers, as stored; None for a register, and for an agency that has none
    stored : counts of what comes out
    """
    people = _people_named(feed) if register is not None else ()
    known = register or ()
    columns, joined = _strangers_marked(people, rows_of(known))
    piles, by = [one.rows for one in received], ("key_", "delivery_", "row_")
    for rows in whole_keys(aside.ordered(piles, by, columns=columns, joined=joined, beside=known)):
        kept = _as_stored(feed, history(with_ends_known_later(feed, _accepted(feed, received, rows, people))))
        stored.add(feed, kept)
        yield kept


def _people_named(feed: Feed) -> tuple[tuple[str, str | None], ...]:
    """The fields of a feed that name a person, each with the heading of its column."""
    named = [name for name in ("person_key", "other_person_key") if name in feed.gives()]
    return tuple((name, None if (column := feed.meaning(name)) is None else column.name) for name in named)


def _strangers_marked(people: Sequence[tuple[str, str | None]], register: str | None) -> tuple[str, str]:
    """SQL of the columns and joins that mark the rows whose people are in no register."""
    known = f"SELECT DISTINCT person_key FROM {register or '(SELECT NULL::VARCHAR AS person_key)'}"
    columns, joined = ["r.*"], []
    for at, (name, _) in enumerate(people):
        columns.append(f"r.{name} IS NOT NULL AND k{at}.person_key IS NULL AS stranger{at}_")
        joined.append(f"LEFT JOIN ({known}) k{at} ON r.{name} = k{at}.person_key")
    return ", ".join(columns), " ".join(joined)


def _accepted(
    feed: Feed, received: Sequence[Received], rows: pa.Table, people: Sequence[tuple[str, str | None]]
) -> pa.Table:
    """The rows that are neither repeats nor about strangers, stamped with their receipt; the others are counted."""
    verdict = Verdict.clear(rows.num_rows)
    again = refuse_repeats(rows, verdict)
    for at, (_, heading) in enumerate(people):
        stranger = rows.column(f"stranger{at}_").to_numpy()
        verdict.refuse(stranger & ~again, "person-unknown", at if heading else -1)
        rows = rows.drop_columns([f"stranger{at}_"])
    file = rows.column("delivery_").to_numpy()
    new = verdict.accepted & ~again
    headings = [heading or "" for _, heading in people]
    for at in np.unique(file):
        one, mine = received[at], file == at
        one.unchanged += int((mine & again).sum())
        found = verdict.of(mine)
        one.refused.update(found.counts())
        row = rows.column("row_").to_numpy()[mine]
        one.quarantine.add(quarantined(feed.name, one.delivery.path.name, row, found, headings))
        if "kind" in rows.column_names:
            one.kinds.update(_counted(rows.column("kind").filter(pa.array(new & mine))))
    stamps = np.array([np.datetime64(one.delivery.received_at, "us") for one in received])
    rows = rows.filter(pa.array(new))
    return rows.append_column("received_", pa.array(stamps[rows.column("delivery_").to_numpy()], MOMENT))


def _counted(kinds: pa.ChunkedArray) -> dict[str, int]:
    return {str(one["values"]): int(one["counts"]) for one in pc.value_counts(kinds).to_pylist()}


def _as_stored(feed: Feed, rows: pa.Table) -> pa.Table:
    """Versions of records under the package's schema, in its order."""
    n = rows.num_rows
    rows = rows.append_column("feed", pa.array([feed.name] * n, pa.string()))
    rows = rows.append_column("agency", pa.array([feed.agency] * n, pa.string()))
    if feed.holds == "events":
        absent = {"retracted": pa.array([False] * n, pa.bool_()), "event_key": rows.column("key_")}
        rows = rows.drop_columns([name for name in ("event_key",) if name in rows.column_names])
        for name, column in absent.items():
            if name not in rows.column_names:
                rows = rows.append_column(name, column)
    return ordered(conform(rows, TABLES[feed.holds]), list(ORDER[feed.holds]))
