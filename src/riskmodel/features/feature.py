"""What every feature has: a name, a document, tags, sources and a sentence. The form of meaning, without any meaning.

A feature is frozen and cannot be built if it is meaningless: all its faults are gathered and raised once. Nothing
here or in `nodes` knows how a feature is computed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Final

from riskmodel.dates import Duration, Window, duration_words, parse_date
from riskmodel.errors import DeclarationError, Fault
from riskmodel.features.selection import Events

NODES: Final[dict[str, type[Feature]]] = {}
"""Every node of the language by its word; a test holds that each has a generative strategy and a specification."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A feature in plain language, in parts that a reason can be made of.

    Attributes
    ----------
    noun : str, such as "number of domestic abuse events as victim in the last 2 years"
    unit : str, what the value counts in: "days", "years", or empty
    about : str, "about_person", "about_relation" or "about_place"
    """

    noun: str
    unit: str = ""
    about: str = "about_person"

    def __str__(self) -> str:
        return self.noun

    def with_value(self, value: float) -> str:
        """The noun with its value: ``number of arson events in the last 2 years: 3``; NaN is "unknown".

        Examples
        --------
        >>> Sentence("days since the last of arson events, so far", "days").with_value(28.75)   # whole days
        'days since the last of arson events, so far: 28 days'
        """
        if value != value:
            return f"{self.noun}: unknown"
        value = value // 1 if self.unit == "days" else value
        return f"{self.noun}: {value:.6g}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing known of an entity at an as-of date. Subclasses in `nodes` say which.

    Raises
    ------
    DeclarationError : the declaration is meaningless; every fault is listed with its repair
    """

    word: ClassVar[str] = ""
    says: ClassVar[str] = ""
    """What the word means, for the dictionary."""
    fields: ClassVar[tuple[str, ...]] = ("happened_at", "kind")
    """The standard fields that the word reads."""

    def __init_subclass__(cls) -> None:
        if cls.word:
            NODES[cls.word] = cls

    def __post_init__(self) -> None:
        faults = [fault for events in self.selections for fault in events.faults()] + self.faults()
        if faults:
            raise DeclarationError("feature-meaningless", faults=faults)

    def faults(self) -> list[Fault]:
        """What is wrong with the declaration beyond its selections."""
        return []

    @property
    def name(self) -> str:
        """The column name, which says what the column is."""
        raise NotImplementedError

    @property
    def sentence(self) -> Sentence:
        """The feature in plain language."""
        raise NotImplementedError

    @property
    def selections(self) -> tuple[Events, ...]:
        """The choices of events that the feature looks at."""
        return tuple(value for value in self._values() if isinstance(value, Events))

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows that the feature looks through."""
        return tuple(value for value in self._values() if isinstance(value, Window))

    @property
    def sources(self) -> tuple[str, ...]:
        """The agencies whose records it is restricted to; empty is every agency that records the kinds."""
        return tuple(sorted({agency for events in self.selections for agency in events.agencies}))

    @property
    def tags(self) -> tuple[str, ...]:
        """What it is about: about_person, about_relation or about_place."""
        return tuple(sorted({events.about for events in self.selections})) or ("about_person",)

    @property
    def needs(self) -> tuple[str, ...]:
        """The standard fields a purpose has to name for this feature to be allowed."""
        through = {tie for events in self.selections for tie in events.through}
        return tuple(sorted({*self.fields, *({"address"} if through & _ADDRESS_TIES else set())}))

    def document(self) -> dict[str, Any]:
        """The declaration as JSON; `from_document` gives the same feature back."""
        return {"feature": self.word, **{name: _encoded(value) for name, value in self._items()}}

    def _items(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)]

    def _values(self) -> list[Any]:
        return [value for _, value in self._items()]


_ADDRESS_TIES: Final = {"co_resident", "former_occupant", "own_address", "former_address"}


def from_document(document: Mapping[str, Any]) -> Feature:
    """The feature that `document` describes.

    Raises
    ------
    DeclarationError : no such feature word, or a part that the word does not have
    """
    for words in ("nodes", "patterns", "places"):
        import_module(f"riskmodel.features.{words}")  # a node is known once its module is loaded
    word = str(document.get("feature"))
    if word not in NODES:
        raise _unknown("feature", word, sorted(NODES))
    node = NODES[word]
    fields = {field.name: str(field.type) for field in dataclasses.fields(node)}
    strange = sorted(set(document) - {"feature", *fields})
    if strange:
        raise _unknown(f"feature {word}", strange[0], sorted(fields))
    return node(**{name: _decoded(fields[name], value) for name, value in document.items() if name != "feature"})


def did_you_mean(word: str, known: list[str]) -> str:
    """The nearest known word as a sentence, or a listing when none is near."""
    near = difflib.get_close_matches(word, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Choose one of: {', '.join(known[:40])}."


def window_words(window: Window) -> str:
    """``in the last 2 years``, ``so far``, ``from 2 years until 90 days before``."""
    closed = window.closes != Duration()
    if window.opens is None:
        return f"up to {duration_words(window.closes)} before" if closed else "so far"
    if closed:
        return f"from {duration_words(window.opens)} until {duration_words(window.closes)} before"
    return f"in the last {duration_words(window.opens).removeprefix('1 ')}"


def window_label(window: Window) -> str:
    """The part of a column name that a window gives: ``_2y``, ``_2y_to_90d``, nothing for all history."""
    return "" if window == Window() else f"_{window}"


def _encoded(value: Any) -> Any:
    if isinstance(value, Events):
        return value.document()
    if isinstance(value, Window):
        return {"within": str(value.opens) if value.opens else None, "until": str(value.closes)}
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_encoded(part) for part in value]
    return value


def _decoded(kind: str, value: Any) -> Any:
    return _DECODERS[kind](value) if kind in _DECODERS else value


def _window(document: Mapping[str, Any]) -> Window:
    opens = document.get("within")
    return Window(Duration.parse(opens) if opens else None, Duration.parse(document.get("until", "0d")))


def _thresholds(document: list[list[Any]]) -> tuple[tuple[str, dt.date, float], ...]:
    return tuple((str(agency), parse_date(day, "feature.thresholds"), float(level)) for agency, day, level in document)


_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "Events": Events.from_document,
    "Window": _window,
    "Duration": Duration.parse,
    "tuple[str, ...]": tuple,
    "Thresholds": _thresholds,
}


def _unknown(where: str, word: str, known: list[str]) -> DeclarationError:
    return DeclarationError.of(
        "feature-unknown", where=where, found=repr(word), expected="a known word", repair=did_you_mean(word, known)
    )
