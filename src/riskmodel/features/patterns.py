"""Meanings over time: rates, trends, escalation, gaps, sequences, near misses, the day agencies came together.

Like `nodes`, these say what is asked and never how it is computed. Every number that a definition needs (how long a
year is, what "earlier" means, which of two ties wins) stands in the docstring of its node.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final, TypeAlias

from riskmodel.dates import Duration, Window, duration_words
from riskmodel.errors import Fault
from riskmodel.features.feature import Feature, Sentence, window_label, window_words
from riskmodel.features.nodes import choice_fault
from riskmodel.features.selection import Events

Thresholds: TypeAlias = "tuple[tuple[str, dt.date, float], ...]"
"""(agency, first day in force, level), each in force until the agency's next."""

YEAR_DAYS: Final = 365.25
MEASURES: Final = ("count", "value")
_NOTHING: Final = Events()


@dataclass(frozen=True, slots=True)
class Rate(Feature):
    """Events per year (of 365.25 days) at risk in the window.

    Time before birth (when it was known) and time in `outside` spells (custody, abroad) is not time at risk;
    overlapping spells are taken off once. NaN when no time at risk is left.
    """

    word: ClassVar[str] = "rate"
    says: ClassVar[str] = "events per year at risk in the window; time before birth and in certain spells is taken off"
    fields: ClassVar[tuple[str, ...]] = ("birth_date", "ended_at", "happened_at", "kind")
    events: Events
    window: Window
    outside: Events = _NOTHING

    def faults(self) -> list[Fault]:
        return bounded(self.window)

    @property
    def name(self) -> str:
        outside = f"_outside_{self.outside.label}" if self.outside.kinds else ""
        return f"{self.events.label}_rate_per_year{window_label(self.window)}{outside}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        outside = f", time in {' or '.join(self.outside.kinds)} not counted" if self.outside.kinds else ""
        noun = f"yearly rate of {self.events.words}, {window_words(self.window)}{outside}"
        return Sentence(noun, "a year", self.events.about)


@dataclass(frozen=True, slots=True)
class Trend(Feature):
    """Least-squares slope over successive equal parts of the time before the as-of date, per part.

    ``part`` is the length of one part, ``parts`` how many. Of "count": the number of events in each part. Of "value":
    the mean value in each part that has one; NaN with fewer than two such parts.
    """

    word: ClassVar[str] = "trend"
    says: ClassVar[str] = "least-squares slope of the count (or mean value) over successive equal parts, per part"
    fields: ClassVar[tuple[str, ...]] = ("happened_at", "kind", "value")
    events: Events
    part: Duration
    parts: int = 4
    of: str = "count"

    def faults(self) -> list[Fault]:
        found = choice_fault("of", self.of, MEASURES)
        if self.part == Duration():
            found.append(Fault("feature.part", "0d", "a part of at least a day", 'Write, say, part = "6m".'))
        if not 2 <= self.parts <= 100:
            found.append(Fault("feature.parts", str(self.parts), "2 to 100 parts", "Choose a number of parts."))
        return found

    @property
    def parts_of_time(self) -> tuple[Window, ...]:
        """The parts as windows, the latest first."""
        edges = [Duration(self.part.months * n, self.part.days * n) for n in range(self.parts + 1)]
        return tuple(Window(opens, closes) for closes, opens in pairwise(edges))

    @property
    def name(self) -> str:
        return f"{self.events.label}_{self.of}_trend_{self.parts}_times_{self.part}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        what = "number" if self.of == "count" else "mean value"
        noun = f"trend of the {what} of {self.events.words}, over {self.parts} times {duration_words(self.part)}"
        return Sentence(noun, f"per {duration_words(self.part)}", self.events.about)


@dataclass(frozen=True, slots=True)
class Escalation(Feature):
    """The recent level minus the earlier one: recent is ``[as_of - recent, as_of)``, earlier the window before that.

    Of "count": events per year of 365.25 days. Of "value": mean value, NaN unless both times have one.
    """

    word: ClassVar[str] = "escalation"
    says: ClassVar[str] = "the recent yearly rate (or mean value) minus that of the time before"
    fields: ClassVar[tuple[str, ...]] = ("happened_at", "kind", "value")
    events: Events
    recent: Duration
    window: Window
    of: str = "count"

    def faults(self) -> list[Fault]:
        found = choice_fault("of", self.of, MEASURES) + bounded(self.window)
        if self.window.closes != Duration():
            found.append(Fault("feature.until", str(self.window.closes), "no `until`", "Drop `until`."))
        opens = self.window.opens
        if self.recent == Duration() or (opens is not None and self.recent.nominal_days >= opens.nominal_days):
            repair = "Make `recent` shorter than `within`."
            found.append(Fault("feature.recent", str(self.recent), "a time shorter than `within`", repair))
        return found

    @property
    def times(self) -> tuple[Window, Window]:
        """Recent, then earlier."""
        return Window(self.recent), Window(self.window.opens, self.recent)

    @property
    def name(self) -> str:
        label = f"{self.events.label}_{self.of}_escalation_{self.recent}_in{window_label(self.window)}"
        return f"{label}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        what = "yearly rate" if self.of == "count" else "mean value"
        noun = (
            f"rise in the {what} of {self.events.words}, in the last {duration_words(self.recent).removeprefix('1 ')}"
        )
        return Sentence(f"{noun} against the time before, {window_words(self.window)}", "", self.events.about)


@dataclass(frozen=True, slots=True)
class Gap(Feature):
    """Shortest or mean time in days between one event in the window and the next; NaN with fewer than two."""

    word: ClassVar[str] = "gap"
    says: ClassVar[str] = "shortest or mean days between one event in the window and the next"
    events: Events
    which: str = "shortest"
    window: Window = Window()

    def faults(self) -> list[Fault]:
        return choice_fault("which", self.which, ("shortest", "mean"))

    @property
    def name(self) -> str:
        return f"{self.events.label}_{self.which}_gap_days{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"{self.which} time between {self.events.words}, {window_words(self.window)}"
        return Sentence(noun, "days", self.events.about)


@dataclass(frozen=True, slots=True)
class Sequence(Feature):
    """How many of the `then` events in the window came after a `first` event, strictly later and at most `gap` later.

    The first event may lie before the window. `gap` is in days: a calendar month has no fixed length.
    """

    word: ClassVar[str] = "sequence"
    says: ClassVar[str] = "how many `then` events in the window came within the gap after a `first` event"
    first: Events
    then: Events
    gap: Duration
    window: Window = Window()

    def faults(self) -> list[Fault]:
        if self.gap.months or not self.gap.days:
            repair = "Write the gap in days or weeks."
            return [Fault("feature.gap", str(self.gap), "a number of days", repair)]
        return []

    @property
    def name(self) -> str:
        first = f"{self.first.label}{self.first.ending}"
        return f"{self.then.label}{self.then.ending}_after_{first}_within_{self.gap}_count{window_label(self.window)}"

    @property
    def sentence(self) -> Sentence:
        noun = f"number of {self.then.words}, at most {duration_words(self.gap)} after {self.first.words}"
        return Sentence(f"{noun}, {window_words(self.window)}", "", max(self.then.about, self.first.about))


@dataclass(frozen=True, slots=True)
class BelowThresholds(Feature):
    """Near misses: events whose value lay below the level their agency acted on when they happened.

    An agency's level is in force from its day until its next one. A value counts if ``nearness * level <= value <
    level``; an event without a value, or of an agency without a level in force, does not count.
    """

    word: ClassVar[str] = "below_thresholds"
    says: ClassVar[str] = "events whose value lay below the level that their agency acted on at the time"
    fields: ClassVar[tuple[str, ...]] = ("happened_at", "kind", "value")
    events: Events
    thresholds: Thresholds
    nearness: float = 0.0
    window: Window = Window()

    def faults(self) -> list[Fault]:
        found = []
        if not self.thresholds:
            repair = "Give at least one (agency, day, level)."
            found.append(Fault("feature.thresholds", "none", "thresholds of agencies", repair))
        if len({(agency, day) for agency, day, _ in self.thresholds}) != len(self.thresholds):
            repair = "Keep one level for each agency and day."
            found.append(Fault("feature.thresholds", "two levels for one agency and day", "one", repair))
        if not all(level > 0 and level < float("inf") for _, _, level in self.thresholds):
            found.append(Fault("feature.thresholds", "a level that is not above 0", "levels above 0", "Correct it."))
        if not 0 <= self.nearness < 1:
            found.append(Fault("feature.nearness", str(self.nearness), "a share from 0 to below 1", "Correct it."))
        return found

    @property
    def periods(self) -> tuple[tuple[str, dt.date, dt.date | None, float], ...]:
        """(agency, first day, first day no longer in force or None, level)."""
        ordered = sorted(self.thresholds)
        following = [*ordered[1:], ("", dt.date.min, 0.0)]
        return tuple(
            (agency, day, after if agency == next_agency else None, level)
            for (agency, day, level), (next_agency, after, _) in zip(ordered, following, strict=True)
        )

    @property
    def name(self) -> str:
        near = f"_from_{round(100 * self.nearness)}_percent" if self.nearness else ""
        return f"{self.events.label}_below_threshold{near}_count{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"number of {self.events.words}, below the agency's threshold of the time, {window_words(self.window)}"
        return Sentence(noun, "", self.events.about)


@dataclass(frozen=True, slots=True)
class DaysSinceAgencies(Feature):
    """Days since the number of different agencies with an event reached `reached`; NaN when it has not."""

    word: ClassVar[str] = "days_since_agencies"
    says: ClassVar[str] = "days since the number of different agencies with an event reached a number"
    events: Events
    reached: int = 2

    def faults(self) -> list[Fault]:
        if self.reached >= 1:
            return []
        return [Fault("feature.reached", str(self.reached), "a number of agencies", "Write 1 or more.")]

    @property
    def name(self) -> str:
        return f"{self.events.label}_days_since_{self.reached}_agencies{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"days since {self.reached} agencies recorded {self.events.words}", "days", self.events.about)


def bounded(window: Window) -> list[Fault]:
    """The fault of a window without a beginning, if it has none."""
    if window.opens is not None:
        return []
    return [Fault("feature.within", "no window", "a window with a beginning", 'Write, say, within = "2y".')]
