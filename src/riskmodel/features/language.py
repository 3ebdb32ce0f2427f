"""The words a data scientist writes: small functions that build nodes. No word here computes anything.

>>> from riskmodel.dates import years
>>> count("domestic_abuse", role="victim", within=years(2), through="co_resident").name
'domestic_abuse_victim_count_2y_through_co_resident'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, TypedDict, Unpack, get_type_hints

from riskmodel.dates import Duration, Window
from riskmodel.errors import DeclarationError
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
]

Words: TypeAlias = "str | Iterable[str] | None"
Length: TypeAlias = "Duration | str | None"


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
