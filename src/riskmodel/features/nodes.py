"""The meanings: one frozen node for each word of the feature language.

A node says what is asked of an entity's visible events, never how it is computed: `reference` answers it slowly in
plain Python, `program` turns it into arrays for the kernel. What is *visible* is one rule for all nodes
(`histories.visibility`): happened and known strictly before the as-of date and not yet superseded. A window is
``[as_of - within, as_of - until)``. Where a question has no answer the value is NaN; a count of nothing is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from riskmodel.dates import Window
from riskmodel.errors import Fault
from riskmodel.features.feature import Feature, Sentence, window_label, window_words
from riskmodel.features.selection import Events

DISTINCT: Final = {"kind": "kinds", "agency": "agencies", "place": "places"}
STATISTICS: Final = ("total", "mean", "max", "min", "last")


@dataclass(frozen=True, slots=True)
class Age(Feature):
    """Completed years since birth; NaN where no date of birth was known by then."""

    word: ClassVar[str] = "age"
    fields: ClassVar[tuple[str, ...]] = ("birth_date",)
    says: ClassVar[str] = "completed years of age"

    @property
    def name(self) -> str:
        return "age"

    @property
    def sentence(self) -> Sentence:
        return Sentence("age", "years")


@dataclass(frozen=True, slots=True)
class Count(Feature):
    """How many of the events happened in the window."""

    word: ClassVar[str] = "count"
    says: ClassVar[str] = "how many of the events happened in the window"
    events: Events
    window: Window = Window()

    @property
    def name(self) -> str:
        return f"{self.events.label}_count{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"number of {self.events.words}, {window_words(self.window)}", "", self.events.about)


@dataclass(frozen=True, slots=True)
class CountDistinct(Feature):
    """How many different kinds, agencies or places the events in the window have; an unknown place is none."""

    word: ClassVar[str] = "count_distinct"
    says: ClassVar[str] = "how many different kinds, agencies or places the events in the window have"
    events: Events
    of: str = "kind"
    window: Window = Window()

    def faults(self) -> list[Fault]:
        return choice_fault("of", self.of, tuple(DISTINCT))

    @property
    def name(self) -> str:
        return f"{self.events.label}_distinct_{DISTINCT[self.of]}{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"number of different {DISTINCT[self.of]} among {self.events.words}, {window_words(self.window)}"
        return Sentence(noun, "", self.events.about)


@dataclass(frozen=True, slots=True)
class Ever(Feature):
    """1 if any of the events happened in the window, else 0."""

    word: ClassVar[str] = "ever"
    says: ClassVar[str] = "1 if any of the events happened in the window, else 0"
    events: Events
    window: Window = Window()

    @property
    def name(self) -> str:
        return f"{self.events.label}_ever{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"any {self.events.words}, {window_words(self.window)}", "", self.events.about)


@dataclass(frozen=True, slots=True)
class DaysSince(Feature):
    """Days from the last (or first) of the events in the window to the as-of date; NaN without one."""

    word: ClassVar[str] = "days_since"
    says: ClassVar[str] = "days from the last (or first) of the events in the window to the as-of date"
    events: Events
    which: str = "last"
    window: Window = Window()

    def faults(self) -> list[Fault]:
        return choice_fault("which", self.which, ("last", "first"))

    @property
    def name(self) -> str:
        return f"{self.events.label}_days_since_{self.which}{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"days since the {self.which} of {self.events.words}, {window_words(self.window)}"
        return Sentence(noun, "days", self.events.about)


@dataclass(frozen=True, slots=True)
class ValueOf(Feature):
    """Total, mean, max, min or last of the events' values in the window.

    Events without a value are left out. The total of no events is 0; where there are events but none has a value,
    and for every other statistic of nothing, it is NaN. "Last" is the value of the latest event that has one.
    """

    word: ClassVar[str] = "value"
    fields: ClassVar[tuple[str, ...]] = ("happened_at", "kind", "value")
    says: ClassVar[str] = "total, mean, max, min or last of the values of the events in the window"
    events: Events
    statistic: str = "total"
    window: Window = Window()

    def faults(self) -> list[Fault]:
        return choice_fault("statistic", self.statistic, STATISTICS)

    @property
    def name(self) -> str:
        return f"{self.events.label}_value_{self.statistic}{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"{self.statistic} value of {self.events.words}, {window_words(self.window)}"
        return Sentence(noun, "", self.events.about)


@dataclass(frozen=True, slots=True)
class State(Feature):
    """1 if a spell is open at the as-of date (began before it, not ended before it), else 0."""

    word: ClassVar[str] = "state"
    fields: ClassVar[tuple[str, ...]] = ("ended_at", "happened_at", "kind")
    says: ClassVar[str] = "1 if a spell (custody, care, a plan) is open at the as-of date, else 0"
    events: Events

    def faults(self) -> list[Fault]:
        return _named_spells(self.events)

    @property
    def name(self) -> str:
        return f"{self.events.label}_open_now{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"an open spell among {self.events.words}", "", self.events.about)


@dataclass(frozen=True, slots=True)
class DaysInState(Feature):
    """Days of the window that fall in a spell; overlapping spells count once, an open one lasts to the window's end."""

    word: ClassVar[str] = "days_in_state"
    fields: ClassVar[tuple[str, ...]] = ("ended_at", "happened_at", "kind")
    says: ClassVar[str] = "days of the window that fall in a spell; overlapping spells count once"
    events: Events
    window: Window = Window()

    def faults(self) -> list[Fault]:
        return _named_spells(self.events)

    @property
    def name(self) -> str:
        return f"{self.events.label}_days_open{window_label(self.window)}{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        noun = f"days in a spell among {self.events.words}, {window_words(self.window)}"
        return Sentence(noun, "days", self.events.about)


@dataclass(frozen=True, slots=True)
class AgenciesAtOnce(Feature):
    """How many agencies have a spell open with the person at the as-of date."""

    word: ClassVar[str] = "agencies_at_once"
    fields: ClassVar[tuple[str, ...]] = ("ended_at", "happened_at", "kind")
    says: ClassVar[str] = "how many agencies have a spell open with the person at the as-of date"
    events: Events

    def faults(self) -> list[Fault]:
        return _named_spells(self.events)

    @property
    def name(self) -> str:
        return f"{self.events.label}_agencies_at_once{self.events.ending}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"number of agencies with an open spell among {self.events.words}", "", self.events.about)


def _named_spells(events: Events) -> list[Fault]:
    if events.kinds:
        return []
    repair = 'Name the kinds of spell, such as "custody": an event of a moment has no end and would seem open for ever.'
    return [Fault("feature.kinds", "spells of any kind", "the kinds of spell", repair)]


def choice_fault(part: str, given: str, allowed: tuple[str, ...]) -> list[Fault]:
    """The fault of a word that is none of the allowed ones, if it is not."""
    if given in allowed:
        return []
    return [Fault(f"feature.{part}", repr(given)[:60], f"one of {', '.join(allowed)}", f"Choose one for `{part}`.")]
