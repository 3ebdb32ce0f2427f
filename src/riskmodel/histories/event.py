"""One event as a noun: a row of the history, for evidence and timelines. Never the way to process many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from riskmodel.histories.visibility import is_visible
from riskmodel.tables import entity_label


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One version of one fact.

    Attributes
    ----------
    entity_id : int, or None for an event at a place only
    happened_at, known_at : datetime
    ended_at, known_until : datetime or None
    agency, kind : str
    role : str or None
    value : float or None
    place_id : int or None
    event_id : int, the same for all versions of the fact
    """

    entity_id: int | None
    happened_at: dt.datetime
    ended_at: dt.datetime | None
    known_at: dt.datetime
    known_until: dt.datetime | None
    agency: str
    kind: str
    role: str | None
    value: float | None
    place_id: int | None
    event_id: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Event:
        """The event of one row of an EVENTS table."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    @property
    def label(self) -> str:
        """The pseudonym of the event, for evidence."""
        return entity_label(self.event_id, prefix="E")

    def visible_at(self, as_of: dt.datetime) -> bool:
        """Whether this version could be seen at the as-of moment."""
        return is_visible(self.happened_at, self.known_at, self.known_until, as_of)

    def __repr__(self) -> str:
        return f"Event({self.label}, {self.agency} {self.kind})"


def events_of(table: pa.Table) -> list[Event]:
    """Every row of an EVENTS table as an event, in order."""
    return [Event.of(row) for row in table.to_pylist()]
