"""What every word means, in slow plain Python: the oracle, and the evidence behind any single value.

`answer` looks at one entity on one as-of date and gives the value and the very events it rests on. It uses none of the
arrays, programs or kernels that compute features for everybody; tests hold the two together, bit for bit. It must
stay so simple that a reader can check it against the words of the language.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Duration, Window, moments, years
from riskmodel.features.exposures import MOST_TIES, is_own_stream, own_stream, tie_table
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import (
    Age,
    AgenciesAtOnce,
    Count,
    CountDistinct,
    DaysInState,
    DaysSince,
    Ever,
    State,
    ValueOf,
)
from riskmodel.features.selection import PLACE_TIES, Events
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import is_known, is_visible

Moment: TypeAlias = dt.datetime
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """One event as it reaches the entity: in the order in which events are read."""

    happened_at: Moment
    event_id: int
    value_or_last: float  # orders events without a value behind the others
    begins_at: Moment  # of the spell, cut to the tie that carries it
    ended_at: Moment | None
    kind: str
    role: str
    agency: str
    place_id: int | None
    row: int  # its row in the table of events
    through: int | None  # whose event it is, when it is not the entity's own

    @property
    def value(self) -> float | None:
        """The value, None when there is none."""
        return None if self.value_or_last == math.inf else self.value_or_last


@dataclass(frozen=True, slots=True)
class Answer:
    """A value and the events it rests on, in time order. NaN is a question without an answer."""

    value: float
    events: tuple[Seen, ...]

    def __repr__(self) -> str:
        return f"Answer({self.value!r}, {len(self.events)} events)"


class Question:
    """One entity on one as-of date, and what can be seen of it.

    Parameters
    ----------
    most_ties : how many tie rows (the first known) may carry events to one entity
    """

    def __init__(self, histories: Histories, entity_id: int, as_of: Moment, *, most_ties: int = MOST_TIES) -> None:
        self.histories = histories
        self.entity_id = entity_id
        self.as_of = as_of
        self.most_ties = most_ties

    @property
    def birth(self) -> Moment | None:
        """The day of birth, None when it was not known by the as-of date."""
        for _, person in rows_of(self.histories.persons, "entity_id", self.entity_id):
            if person["birth_date"] is not None and is_known(person["known_at"], None, self.as_of):
                return dt.datetime.combine(person["birth_date"], dt.time())
        return None

    def inside(self, moment: Moment, window: Window) -> bool:
        """Whether a moment lies in the window before the as-of date."""
        opens, closes = self.bounds(window)
        return (opens is None or opens <= moment) and moment < closes

    def bounds(self, window: Window) -> tuple[Moment | None, Moment]:
        """First moment inside (None: no limit) and first moment after."""
        at = moments([self.as_of])
        closes = window.closes.before(at)[0].item()
        return (None if window.opens is None else window.opens.before(at)[0].item()), closes

    def points(self, events: Events, window: Window) -> list[Seen]:
        """The chosen events that are visible and happened in the window, in order; each at most once."""
        found = {
            seen.row: seen for seen in self._reaching(events, spells=False) if self.inside(seen.happened_at, window)
        }
        return sorted(found.values(), key=_order)

    def spells(self, events: Events) -> list[Seen]:
        """The chosen spells that are visible, cut to the ties that carry them, in order."""
        return sorted((s for s in self._reaching(events, spells=True) if s.begins_at < self.as_of), key=_order)

    def _reaching(self, events: Events, *, spells: bool) -> Iterable[Seen]:
        if not events.through or is_own_stream(events.through[0]):
            yield from own_events(self, events, self.entity_id)
            return
        for tie in self._ties(events.through):
            column = "place_id" if tie["kind"] in PLACE_TIES else "entity_id"
            for row, event in rows_of(self.histories.events, column, tie["other_id"]):
                if self.is_visible(event, events) and event["entity_id"] != self.entity_id:
                    yield from _carried(row, event, tie, spells=spells)

    def _ties(self, through: tuple[str, ...]) -> list[Row]:
        table = tie_table(self.histories, through)
        rows = [tie for _, tie in rows_of(table, "entity_id", self.entity_id)]
        first = sorted(rows, key=lambda tie: (tie["known_at"], tie["starts_at"] or Moment.min, tie["other_id"]))
        return [tie for tie in first[: self.most_ties] if is_known(tie["known_at"], tie["known_until"], self.as_of)]

    def is_visible(self, event: Row, events: Events) -> bool:
        """Whether an event is chosen, and could be seen on the day."""
        chosen = events.holds(event["kind"], event["role"], event["agency"])
        return chosen and is_visible(event["happened_at"], event["known_at"], event["known_until"], self.as_of)


def answer(histories: Histories, feature: Feature, entity_id: int, as_of: Moment) -> Answer:
    """The value of one feature for one entity on one as-of date, and the events behind it.

    Returns
    -------
    Answer, with the value as a double before it is rounded to float32
    """
    for part in ("patterns", "places"):
        import_module(f"riskmodel.features.reference_{part}")  # registers its part of `answered`
    return answered(feature, Question(histories, entity_id, as_of))


@singledispatch
def answered(feature: Feature, asked: Question) -> Answer:
    """The answer to a question: one function for each node, here, in `reference_patterns` and in `reference_places`."""
    raise NotImplementedError(f"no reference for {feature.word}")


@answered.register
def _age(feature: Age, asked: Question) -> Answer:  # noqa: ARG001 # age has no parts
    if asked.birth is None or asked.birth > asked.as_of:
        return give(math.nan, [])
    born, at = moments([asked.birth]), moments([asked.as_of])[0]
    return give(max(n for n in range(151) if years(n).after(born)[0] <= at), [])


@answered.register
def _count(feature: Count, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    return give(len(found), found)


@answered.register
def _ever(feature: Ever, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    return give(1 if found else 0, found)


@answered.register
def _distinct(feature: CountDistinct, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    column = {"kind": "kind", "agency": "agency", "place": "place_id"}[feature.of]
    values = {getattr(seen, column) for seen in found} - {None}
    return give(len(values), found)


@answered.register
def _since(feature: DaysSince, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    if not found:
        return give(math.nan, found)
    chosen = found[-1] if feature.which == "last" else found[0]
    return give(in_days(asked.as_of - chosen.happened_at), [chosen])


@answered.register
def _value(feature: ValueOf, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    values = [(seen.value, seen) for seen in found if seen.value is not None]
    numbers = [value for value, _ in values]
    if feature.statistic == "total" and not found:
        return give(0.0, found)
    if not numbers:
        return give(math.nan, found)
    if feature.statistic in ("total", "mean"):
        total = 0.0
        for number in numbers:  # one after the other, not math.fsum: the order is part of the definition
            total += number
        return give(total if feature.statistic == "total" else total / len(numbers), found)
    best = {"max": max(numbers), "min": min(numbers), "last": numbers[-1]}[feature.statistic]
    return give(best, [seen for value, seen in values if value == best])


@answered.register
def _state(feature: State, asked: Question) -> Answer:
    found = _open(asked, feature.events)
    return give(1 if found else 0, found)


@answered.register
def _at_once(feature: AgenciesAtOnce, asked: Question) -> Answer:
    found = _open(asked, feature.events)
    return give(len({seen.agency for seen in found}), found)


@answered.register
def _days_open(feature: DaysInState, asked: Question) -> Answer:
    total, used = time_open(asked, feature.events, feature.window)
    return give(in_days(total), used)


def time_open(asked: Question, events: Events, window: Window) -> tuple[dt.timedelta, list[Seen]]:
    """The time of the window that falls in a spell, and the spells that cover it."""
    opens, closes = asked.bounds(window)
    total, cover, used = dt.timedelta(0), opens, []
    for seen in asked.spells(events):
        begin = seen.begins_at if cover is None else max(seen.begins_at, cover)
        end = closes if seen.ended_at is None else min(seen.ended_at, closes)
        if begin < end:
            total, cover = total + (end - begin), end
            used.append(seen)
    return total, used


def _open(asked: Question, events: Events) -> list[Seen]:
    return [seen for seen in asked.spells(events) if seen.ended_at is None or asked.as_of <= seen.ended_at]


def _carried(row: int, event: Row, tie: Row, *, spells: bool) -> Iterable[Seen]:
    """The event as it reaches somebody through a tie, if it does: as a moment, or as a spell cut to the tie."""
    starts, ends = tie["starts_at"] or Moment.min, tie["ends_at"] or Moment.max
    happened, ended = event["happened_at"], event["ended_at"]
    if not spells and starts <= happened < ends:
        yield _seen(row, event, happened, ended, tie["other_id"])
    if spells and happened < ends and (ended is None or starts < ended):
        stops = [moment for moment in (ended, tie["ends_at"]) if moment is not None]
        yield _seen(row, event, max(happened, starts), min(stops, default=None), tie["other_id"])


def _seen(row: int, event: Row, begins: Moment, ended: Moment | None, through: int | None) -> Seen:
    value = event["value"]
    known_value = math.inf if value is None or value != value or math.isinf(value) else value
    return Seen(
        event["happened_at"], event["event_id"], known_value, begins, ended,
        event["kind"], event["role"] or "", event["agency"], event["place_id"], row, through,
    )  # fmt: skip


def _order(seen: Seen) -> tuple[Moment, int, float]:
    return seen.begins_at, seen.event_id, seen.value_or_last


def own_events(asked: Question, events: Events, entity_id: int) -> Iterable[Seen]:
    """The chosen events of one entity itself that are visible on the day asked about."""
    table = own_stream(asked.histories, events.through[0]) if events.through else asked.histories.events
    for row, event in rows_of(table, "entity_id", entity_id):
        if asked.is_visible(event, events):
            yield _seen(row, event, event["happened_at"], event["ended_at"], None)


def moment_of(length: Duration, since: Moment) -> Moment:
    """The moment so long after another."""
    after: Moment = length.after(moments([since]))[0].item()
    return after


def rows_of(table: pa.Table, column: str, wanted: object) -> list[tuple[int, Row]]:
    """The rows of a table in which a column has this value, with their numbers."""
    rows = np.flatnonzero(pc.equal(table[column], wanted).fill_null(False).to_numpy(zero_copy_only=False))
    return list(zip(rows.tolist(), table.take(pa.array(rows)).to_pylist(), strict=True))


def micro(length: dt.timedelta) -> int:
    """A length of time in whole microseconds."""
    return length // dt.timedelta(microseconds=1)


def in_days(length: dt.timedelta) -> float:
    """A length of time in days."""
    return micro(length) / 86_400_000_000.0


def give(value: float, events: Sequence[Seen]) -> Answer:
    """An answer."""
    return Answer(float(value), tuple(events))
