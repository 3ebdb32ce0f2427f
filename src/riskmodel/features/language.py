"""The words a data scientist writes: small functions that build nodes. No word here computes anything.

>>> from riskmodel.dates import years
>>> count("domestic_abuse", role="victim", within=years(2), through="co_resident").name
'domestic_abuse_victim_count_2y_through_co_resident'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TypeAlias, TypedDict, TypeVar, Unpack, get_type_hints

from riskmodel.dates import Duration, Window
from riskmodel.errors import DeclarationError
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
from riskmodel.features.patterns import (
    BelowThresholds,
    DaysSinceAgencies,
    Escalation,
    Gap,
    Rate,
    Sequence,
    Thresholds,
    Trend,
)
from riskmodel.features.places import AreaRate, AreaValue, DaysAtAddress, HouseholdSize, Moves
from riskmodel.features.selection import Events, words_of

__all__ = [
    "age",
    "count",
    "count_distinct",
    "ever",
    "days_since",
    "total",
    "mean",
    "highest",
    "lowest",
    "last_value",
    "state",
    "days_in_state",
    "concurrent_agencies",
    "days_since_agencies",
    "rate",
    "trend",
    "escalation",
    "shortest_gap",
    "mean_gap",
    "sequence",
    "below_thresholds",
    "moves",
    "days_at_address",
    "household_size",
    "area_rate",
    "area_value",
    "seen_by",
]

Words: TypeAlias = "str | Iterable[str] | None"
Length: TypeAlias = "Duration | str | None"
FeatureT = TypeVar("FeatureT", bound=Feature)


class Chosen(TypedDict, total=False):
    """How every word narrows its events.

    role, agency : one word or several; any of them counts
    through : a tie or several, whose events reach the person: "co_resident", "parent", "former_address" ...
    """

    role: Words
    agency: Words
    through: Words


class Windowed(Chosen, total=False):
    """`Chosen`, and a window ``[as_of - within, as_of - until)``; durations or texts such as "2y"."""

    within: Length
    until: Length


def age() -> Age:
    """Completed years of age at the as-of date."""
    return Age()


def count(kind: Words = None, **where: Unpack[Windowed]) -> Count:
    """How many events of a kind (one, several, or any) happened in the window.

    Examples
    --------
    >>> count(["caution", "conviction"], within="18m").name
    'caution_or_conviction_count_18m'
    """
    return Count(_events(kind, where), _window(where))


def count_distinct(of: str, kind: Words = None, **where: Unpack[Windowed]) -> CountDistinct:
    """How many different kinds, agencies or places the events in the window have.

    Parameters
    ----------
    of : "kind", "agency" or "place"
    """
    return CountDistinct(_events(kind, where), of, _window(where))


def ever(kind: Words = None, **where: Unpack[Windowed]) -> Ever:
    """1 if any such event happened in the window, else 0."""
    return Ever(_events(kind, where), _window(where))


def days_since(kind: Words = None, which: str = "last", **where: Unpack[Windowed]) -> DaysSince:
    """Days since the last (or first) such event in the window; missing without one."""
    return DaysSince(_events(kind, where), which, _window(where))


def total(kind: Words, **where: Unpack[Windowed]) -> ValueOf:
    """Sum of the events' values in the window."""
    return ValueOf(_events(kind, where), "total", _window(where))


def mean(kind: Words, **where: Unpack[Windowed]) -> ValueOf:
    """Mean of the events' values in the window."""
    return ValueOf(_events(kind, where), "mean", _window(where))


def highest(kind: Words, **where: Unpack[Windowed]) -> ValueOf:
    """Largest of the events' values in the window."""
    return ValueOf(_events(kind, where), "max", _window(where))


def lowest(kind: Words, **where: Unpack[Windowed]) -> ValueOf:
    """Smallest of the events' values in the window."""
    return ValueOf(_events(kind, where), "min", _window(where))


def last_value(kind: Words, **where: Unpack[Windowed]) -> ValueOf:
    """Value of the latest event in the window that has one."""
    return ValueOf(_events(kind, where), "last", _window(where))


def state(kind: Words, **where: Unpack[Chosen]) -> State:
    """1 if such a spell is open at the as-of date, else 0: in custody, in care, on a plan."""
    return State(_events(kind, where, Chosen))


def days_in_state(kind: Words, **where: Unpack[Windowed]) -> DaysInState:
    """Days of the window that fall in such a spell."""
    return DaysInState(_events(kind, where), _window(where))


def concurrent_agencies(
    kind: Words = None, *, at_once: bool = False, **where: Unpack[Windowed]
) -> CountDistinct | AgenciesAtOnce:
    """How many agencies were concerned with the person: ever, within a window, or with a spell open at the as-of date.

    Parameters
    ----------
    at_once : count the agencies that have a spell (of a named kind) open at the as-of date; takes no window
    """
    if not at_once:
        return CountDistinct(_events(kind, where), "agency", _window(where))
    if where.get("within") or where.get("until"):
        raise DeclarationError.of(
            "feature-meaningless",
            where="feature.within",
            found="a window together with at_once",
            expected="one or the other",
            repair="Drop `within` and `until`, or drop `at_once`.",
        )
    return AgenciesAtOnce(_events(kind, where))


def rate(kind: Words = None, *, outside: Words = None, **where: Unpack[Windowed]) -> Rate:
    """Events per year at risk in the window; time before birth and in `outside` spells (custody) is taken off."""
    return Rate(_events(kind, where), _window(where), Events(words_of(outside)))


def trend(kind: Words = None, *, part: Length, parts: int = 4, of: str = "count", **where: Unpack[Chosen]) -> Trend:
    """Slope of the number (or mean value) of events over successive equal parts of time, per part.

    Examples
    --------
    >>> trend("violence", part="6m", parts=4).name
    'violence_count_trend_4_times_6m'
    """
    return Trend(_events(kind, where), _length(part) or Duration(), parts, of)


def escalation(kind: Words = None, *, recent: Length, of: str = "count", **where: Unpack[Windowed]) -> Escalation:
    """The yearly rate (or mean value) in the `recent` time minus that in the time before, back to `within`."""
    return Escalation(_events(kind, where), _length(recent) or Duration(), _window(where), of)


def shortest_gap(kind: Words = None, **where: Unpack[Windowed]) -> Gap:
    """Shortest time in days between one event in the window and the next; missing with fewer than two."""
    return Gap(_events(kind, where), "shortest", _window(where))


def mean_gap(kind: Words = None, **where: Unpack[Windowed]) -> Gap:
    """Mean time in days between one event in the window and the next; missing with fewer than two."""
    return Gap(_events(kind, where), "mean", _window(where))


def sequence(first: Words | Events, then: Words | Events, *, gap: Length, **where: Unpack[Windowed]) -> Sequence:
    """How many `then` events in the window came, strictly later and at most `gap` (days) later, after a `first` event.

    `first` and `then` are kinds, narrowed by what follows, or `Events` of their own.
    """
    pair = [part if isinstance(part, Events) else _events(part, where) for part in (first, then)]
    return Sequence(pair[0], pair[1], _length(gap) or Duration(), _window(where))


def below_thresholds(
    kind: Words, thresholds: Thresholds, *, nearness: float = 0.0, **where: Unpack[Windowed]
) -> BelowThresholds:
    """Near misses: events whose value lay below the level that their agency acted on when they happened.

    Parameters
    ----------
    thresholds : (agency, first day in force, level), each in force until the agency's next one
    nearness : count only values of at least this share of the level
    """
    return BelowThresholds(_events(kind, where), tuple(thresholds), nearness, _window(where))


def days_since_agencies(reached: int, kind: Words = None, **where: Unpack[Chosen]) -> DaysSinceAgencies:
    """Days since the number of different agencies concerned with the person reached a number."""
    return DaysSinceAgencies(_events(kind, where), reached)


def moves(*, within: Length = None, until: Length = None) -> Moves:
    """How many times the person moved to another address in the window."""
    return Moves(Window(_length(within), _length(until) or Duration()))


def days_at_address() -> DaysAtAddress:
    """Days since the latest known residence began."""
    return DaysAtAddress()


def household_size(*, under: int | None = None) -> HouseholdSize:
    """How many other people (those younger than `under` years) are known to live at the same address."""
    return HouseholdSize(under)


def area_rate(kind: Words = None, *, fewest: int = 10, **where: Unpack[Windowed]) -> AreaRate:
    """Such events a year per 1,000 people of the area where the person lives; about the place, not the person.

    Parameters
    ----------
    fewest : people known to live in the area below which there is no rate

    Examples
    --------
    >>> area_rate("violence", within="1y").name
    'area_violence_rate_per_year_and_1000_people_1y'
    """
    return AreaRate(_events(kind, where), _window(where), fewest)


def area_value(measure: str) -> AreaValue:
    """The latest value of a dated measure, such as "imd_decile", of the area where the person lives."""
    return AreaValue(measure)


def seen_by(feature: FeatureT, *agencies: str) -> FeatureT:
    """The same question asked of these agencies' records only: what this coalition alone could have seen.

    Examples
    --------
    >>> seen_by(count("violence"), "police").name
    'violence_count_by_police'
    """
    parts = {
        part.name: replace(events, agencies=tuple(a for a in agencies if not events.agencies or a in events.agencies))
        for part in fields(feature)
        if isinstance(events := getattr(feature, part.name), Events)
    }
    blind = [name for name, events in parts.items() if not events.agencies]
    if blind:
        raise DeclarationError.of(
            "feature-meaningless",
            where="seen_by",
            found=f"no agency that {feature.name} looks at",
            expected="an agency whose records the feature uses",
            repair="Leave this feature out of the coalition's list.",
        )
    return replace(feature, **parts)


def _events(kind: Words, where: Chosen, words: type = Windowed) -> Events:
    _refuse_unknown(where, words)
    return Events(
        words_of(kind), words_of(where.get("role")), words_of(where.get("agency")), words_of(where.get("through"))
    )


def _refuse_unknown(where: Chosen, words: type) -> None:
    """Types alone do not stop a misspelt word at run time, and one that is passed over would widen the feature."""
    known = sorted(get_type_hints(words))
    strange = sorted(set(where) - set(known))
    if strange:
        raise TypeError(f"got {', '.join(strange)}, which is none of {', '.join(known)}")


def _window(where: Windowed) -> Window:
    return Window(_length(where.get("within")), _length(where.get("until")) or Duration())


def _length(given: Length) -> Duration | None:
    return Duration.parse(given) if isinstance(given, str) else given
