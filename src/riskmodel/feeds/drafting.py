"""A draft of an agency's contract from the files it sent, for a person to finish.

Headings, dates and codes are guessed and every guess is marked. What nobody but the agency knows stays empty, and a
contract with an empty answer is refused with its line, so no guess is used unread. A column that is not recognised is
not read. Of the cells, only codes that stand in many rows come into the draft: never a name, a number of a person or
a free text.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from riskmodel.feeds.full_names import FULL_NAME, PARTS
from riskmodel.feeds.samples import Sample, read_days, type_of
from riskmodel.feeds.standard import FIELDS

CODES: Final = 60
"""A column of more different cells than this is no list of codes."""
ROWS_OF_A_CODE: Final = 5
"""A cell that stands in fewer rows than this does not come into a draft: it may be about one person."""
_POSTCODE: Final = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? *\d[A-Za-z]{2}")
_DATED: Final = ("date", "moment")
_SUITS: Final = {"text": ("text", "integer"), "date": _DATED, "moment": _DATED, "number": ("integer", "number")}
_ABOUT: Final = (*PARTS, FULL_NAME, "birth_date", "sex", "ethnicity", "address_from")
_CODED: Final = ("sex", "ethnicity", "role", "kind", "retracted")


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """One column that was recognised: the standard field it is taken for, and how its cells are written."""

    name: str
    type: str
    means: str
    patterns: tuple[str, ...]
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftFeed:
    """One feed of a draft.

    Attributes
    ----------
    name, holds : as in a contract
    sample : the head of the file that it reads
    columns : what was recognised
    ignored : the other headings
    """

    name: str
    holds: str
    sample: Sample
    columns: tuple[DraftColumn, ...]
    ignored: tuple[str, ...]

    def meaning(self, field: str) -> DraftColumn | None:
        """The column taken for a standard field."""
        return next((column for column in self.columns if column.means == field), None)

    def kinds(self) -> tuple[str, ...]:
        """The kinds of event that its codes were taken for; without those that a person must say."""
        kind = self.meaning("kind")
        return () if kind is None else tuple(filter(None, (guessed("kind", code) for code in kind.codes)))

    def earliest(self) -> dt.date | None:
        """About the first day on which its records happened; a few wrong dates do not count."""
        column = self.meaning("happened_at")
        days = [] if column is None else sorted(read_days(self.sample.columns[column.name], column.patterns))
        return days[len(days) // 50] if days else None


def drafted_feeds(samples: Sequence[Sample]) -> tuple[DraftFeed, ...]:
    """The feeds that files of one agency seem to hold: people, events, both in the lines of one file, or relations."""
    feeds: list[DraftFeed] = []
    for sample in samples:
        for holds, columns in _held(sample):
            feeds.append(_feed(holds, sample, columns, feeds))
    return tuple(feeds)


def _held(sample: Sample) -> Iterator[tuple[str, list[DraftColumn]]]:
    """What the lines of a file are about, and the columns that say it."""
    types = {name: type_of(sample.filled(name)) for name in sample.columns}
    people = _recognised(sample, types, "people")
    about = {column.name for column in people if column.means in _ABOUT}
    if len(about) < 2 and len(_person_keys(sample)) > 1:
        yield "relations", _recognised(sample, types, "relations")
        return
    events = _recognised(sample, types, "events", apart=about)
    both = {"happened_at", "kind"} <= {column.means for column in events}
    if len(about) > 1:
        yield "people", _seen_then(people, events) if both else people
    if len(about) < 2 or both:
        yield "events", events


def _seen_then(people: list[DraftColumn], events: Sequence[DraftColumn]) -> list[DraftColumn]:
    """Where a line holds a person and an event, what it says of the person was known when the event was."""
    if any(column.means == "recorded_at" for column in people):
        return people
    by_meaning = {column.means: column for column in events}
    dated = by_meaning.get("recorded_at", by_meaning["happened_at"])
    return [*people, replace(dated, means="recorded_at")]


def _feed(holds: str, sample: Sample, columns: Sequence[DraftColumn], before: Sequence[DraftFeed]) -> DraftFeed:
    taken = {feed.name for feed in before}
    stem = re.sub(r"\W+", "_", sample.path.stem.lower())
    name = holds if holds not in taken else f"{stem}_{holds}"
    read = {column.name for column in columns}
    return DraftFeed(name, holds, sample, tuple(columns), tuple(name for name in sample.columns if name not in read))


def _recognised(
    sample: Sample, types: Mapping[str, tuple[str, tuple[str, ...]]], holds: str, *, apart: Set[str] = frozenset()
) -> list[DraftColumn]:
    """The columns taken for standard fields, each field once, in the order of the file; none of those kept `apart`."""
    people = _person_keys(sample)
    taken = dict.fromkeys(apart, "") | dict.fromkeys(people[:1], "person_key")
    if holds == "relations":
        taken |= dict.fromkeys(people[1:2], "other_person_key")
    if holds == "events" and (event := _event_key(sample, taken)) is not None:
        taken[event] = "event_key"
    for field, phrases in _words()[holds].items():
        if field == FULL_NAME and set(PARTS) & set(taken.values()):
            continue
        for phrase in phrases:
            found = next((name for name in sample.columns if name not in taken and _says(name, phrase)), None)
            if found is not None and _suits(sample, found, types[found][0], FIELDS[holds].get(field, "text"), field):
                taken[found] = field
                break
    if holds == "people" and "sex" not in taken.values() and (told := _tells_sex(sample, taken)) is not None:
        taken[told] = "sex"
    return [_column(sample, name, *types[name], taken[name]) for name in sample.columns if taken.get(name)]


def _tells_sex(sample: Sample, taken: Mapping[str, str]) -> str | None:
    """A column whose cells say nothing but a sex, whatever its heading."""
    for name in sample.columns:
        cells = sample.filled(name)
        if name not in taken and cells and all(guessed("sex", cell) and cell.isalpha() for cell in cells):
            return name
    return None


def _column(sample: Sample, name: str, type_: str, patterns: tuple[str, ...], field: str) -> DraftColumn:
    if field in _CODED:
        return DraftColumn(name, "code", field, (), _codes(sample, name))
    return DraftColumn(name, "text" if field.endswith("_key") else type_, field, patterns)


def _suits(sample: Sample, name: str, found: str, wanted: str, field: str) -> bool:
    if field in _CODED:
        return found not in _DATED and 0 < len(sample.filled(name)) <= CODES
    return found in _SUITS[wanted]


def _codes(sample: Sample, name: str) -> tuple[str, ...]:
    often = (cell for cell, rows in sample.filled(name).items() if rows >= ROWS_OF_A_CODE)
    return tuple(sorted(cell for cell in often if not _POSTCODE.fullmatch(cell)))


def _person_keys(sample: Sample) -> list[str]:
    """The headings that number people: those that name a person and a number, else one that is a word for a person."""
    keys = _words()["keys"]
    naming = [name for name in sample.columns if any(_says(name, word) for word in keys["person_key"])]
    numbers = [name for name in naming if any(_says(name, sign) for sign in keys["sign"])]
    return numbers or [name for name in naming if plain(name) in keys["person_key"]][:1]


def _event_key(sample: Sample, taken: Mapping[str, str]) -> str | None:
    """The heading that numbers events: nearly all its cells are different (a correction comes under the same one)."""
    keys = _words()["keys"]
    for name, cells in sample.columns.items():
        names = any(_says(name, word) for word in keys["event_key"]) and any(_says(name, sign) for sign in keys["sign"])
        if name not in taken and names and len(set(cells)) > 0.8 * len(cells):
            return name
    return None


def _says(heading: str, phrase: str) -> bool:
    """Whether the small words of a heading contain those of a phrase, in order and side by side.

    Examples
    --------
    >>> _says("DateOfBirth", "date of birth"), _says("STATED_SEX", "sex"), _says("Sussex", "sex")
    (True, True, False)
    >>> _says("Name", "=name"), _says("Name of ward", "=name")
    (True, False)
    """
    if phrase.startswith("="):
        return plain(heading) == phrase[1:]
    return f" {phrase} " in f" {plain(heading)} "


def plain(text: str) -> str:
    """A heading or a code in small words.

    Examples
    --------
    >>> plain("legalSurname"), plain("NOMINAL_REF"), plain("Domestic abuse (DA)")
    ('legal surname', 'nominal ref', 'domestic abuse da')
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.sub(r"[^0-9a-z]+", " ", parted.lower()).strip()


def guessed(field: str, code: str) -> str | None:
    """The standard word that a code seems to say; None where a person must say it.

    A kind may be any word, so a code that is words becomes one: `DA` needs a person, `Domestic abuse` does not.

    Examples
    --------
    >>> guessed("sex", "F"), guessed("kind", "Domestic abuse"), guessed("kind", "DA") is None
    ('female', 'domestic_abuse', True)
    """
    said = plain(code)
    if field == "kind":
        short = code.isupper() and len(code) < 8 and " " not in said
        return said.replace(" ", "_") if re.fullmatch(r"[a-z ]{5,60}", said) and not short else None
    words = _words()["words"].get(field, {})
    return next((word for word, ways in words.items() if said in ways), None)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "headings.toml").read_text(encoding="utf-8"))
