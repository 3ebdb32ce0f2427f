"""Meanings of home: moves, the present address, who else lives there, and the area around it.

What is asked of a household or an area is about the place and not the person, and is tagged so. Like `nodes`, these say
what is asked and never how it is computed. The area that counts is the one where the person is known to live on the
as-of date: of the residences open then, the one that began last (of two that began at once, the one known last).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from riskmodel.dates import Window
from riskmodel.errors import Fault
from riskmodel.features.feature import Feature, Sentence, window_label, window_words
from riskmodel.features.patterns import bounded
from riskmodel.features.selection import Events

RESIDENCES: Final = Events(kinds=("residence",), through=("residence",))
"""Where the person lived, as events: a residence happens when it starts. Only nodes of this package use it."""
HOUSEHOLD: Final = Events(kinds=("co_resident",), through=("household",))
"""Who lives at the same address, as spells with the other person's number for a place."""
AREAS: Final = Events(kinds=("area",), through=("area",))
"""The areas where the person lived, as spells whose value is the number of the area."""
PER_PEOPLE: Final = 1000.0
"""Area rates are per so many people who live there."""


@dataclass(frozen=True, slots=True)
class Moves(Feature):
    """How many residences began in the window at another place than the one begun before; the first is no move."""

    word: ClassVar[str] = "moves"
    says: ClassVar[str] = "how many times the person moved to another address in the window"
    fields: ClassVar[tuple[str, ...]] = ("address", "address_from")
    window: Window = Window()

    @property
    def name(self) -> str:
        return f"moves_count{window_label(self.window)}"

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"number of moves, {window_words(self.window)}")


@dataclass(frozen=True, slots=True)
class DaysAtAddress(Feature):
    """Days since the latest known residence began; NaN when none is known."""

    word: ClassVar[str] = "days_at_address"
    says: ClassVar[str] = "days since the latest known residence began"
    fields: ClassVar[tuple[str, ...]] = ("address", "address_from")

    @property
    def name(self) -> str:
        return "days_at_address"

    @property
    def sentence(self) -> Sentence:
        return Sentence("days at the present address", "days")


@dataclass(frozen=True, slots=True)
class HouseholdSize(Feature):
    """How many other people are known to live at the same address on the as-of date.

    With `under`, only those known to be younger: whose date of birth was known by then, and whose completed years are
    fewer. With under=18 it is the number of children in the household.
    """

    word: ClassVar[str] = "household_size"
    says: ClassVar[str] = "how many other people (of some age) are known to live at the same address"
    fields: ClassVar[tuple[str, ...]] = ("address", "address_from")
    under: int | None = None

    def faults(self) -> list[Fault]:
        if self.under is None or 1 <= self.under <= 120:
            return []
        return [Fault("feature.under", str(self.under), "an age from 1 to 120", "Write, say, under = 18.")]

    @property
    def name(self) -> str:
        return f"household_others{f'_under_{self.under}' if self.under else ''}_now"

    @property
    def tags(self) -> tuple[str, ...]:
        return ("about_place",)

    @property
    def sentence(self) -> Sentence:
        young = f" under {self.under}" if self.under else ""
        return Sentence(f"number of other people{young} at the same address", "", "about_place")

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self.fields, "birth_date") if self.under else self.fields

    @property
    def living(self) -> Events:
        """The spells that are counted."""
        return Events(HOUSEHOLD.kinds, through=(f"household_under_{self.under}",)) if self.under else HOUSEHOLD


@dataclass(frozen=True, slots=True)
class HomeArea(Feature):
    """The number of the area where the person lives: a step on the way to the measures of areas, never a column."""


@dataclass(frozen=True, slots=True)
class AreaRate(Feature):
    """Events per year of 365.25 days and 1,000 people in the area where the person lives.

    The events in the window, of anybody who was known to live in that area when they happened, by the number of people
    known to live there on the as-of date. The person's own events are among them. NaN where the area is unknown, and
    where fewer than `fewest` people are known to live there: a rate among a handful would speak of persons.
    """

    word: ClassVar[str] = "area_rate"
    says: ClassVar[str] = "events a year per 1,000 people of the area where the person lives; about the place"
    fields: ClassVar[tuple[str, ...]] = ("address", "address_from", "area", "happened_at", "kind")
    events: Events
    window: Window
    fewest: int = 10

    def faults(self) -> list[Fault]:
        found = bounded(self.window)
        if self.events.through:
            repair = "Drop `through`: the events are those of the people who live in the area."
            found.append(Fault("feature.through", ", ".join(self.events.through), "no tie", repair))
        if self.fewest < 1:
            found.append(Fault("feature.fewest", str(self.fewest), "at least one person", "Write 1 or more."))
        return found

    @property
    def name(self) -> str:
        return f"area_{self.events.label}_rate_per_year_and_1000_people{window_label(self.window)}{self.events.ending}"

    @property
    def tags(self) -> tuple[str, ...]:
        return ("about_place",)

    @property
    def sentence(self) -> Sentence:
        noun = f"yearly rate of {self.events.words} per 1,000 people of the area, {window_words(self.window)}"
        return Sentence(noun, "a year per 1,000 people", "about_place")


@dataclass(frozen=True, slots=True)
class AreaValue(Feature):
    """The latest value of a dated measure of the area where the person lives, such as its deprivation decile.

    A value holds from its `starts_at`, once it was known and until it is superseded; NaN where there is none.
    """

    word: ClassVar[str] = "area_value"
    says: ClassVar[str] = "latest value of a measure of the area where the person lives; about the place"
    fields: ClassVar[tuple[str, ...]] = ("address", "address_from", "area")
    measure: str

    def faults(self) -> list[Fault]:
        if re.fullmatch(r"[a-z][a-z0-9_]*", self.measure):
            return []
        expected = "a word of small letters, digits and underscores"
        return [Fault("feature.measure", repr(self.measure)[:60], expected, "Name a measure, such as imd_decile.")]

    @property
    def name(self) -> str:
        return f"area_{self.measure}"

    @property
    def tags(self) -> tuple[str, ...]:
        return ("about_place",)

    @property
    def sentence(self) -> Sentence:
        return Sentence(f"{self.measure.replace('_', ' ')} of the area of residence", "", "about_place")
