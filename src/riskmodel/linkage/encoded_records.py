"""Records whose names, birth dates and addresses came as codes: gathered, compared and joined without being read.

The comparisons have the levels of `comparisons`, in the same order and with the same priors, so that everything is
learned as from clear text; only the conditions differ. Names are compared by the Dice similarity of their filters under
a salt that both records share; where they share none and do not sound alike, nothing is seen of a given name. Some
levels can never be reached: a code does not say that a name is an initial or that two birth years are neighbours. How
rare a name is cannot be counted either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.linkage.comparisons import (
    AGENCY,
    BIRTH,
    GIVEN,
    SEX,
    Comparison,
    Level,
    Said,
    family_and_place,
    household_chance,
)
from riskmodel.linkage.encoding import LAYOUT, PLACES, WORDS, Codes, decoded

BIRTH_SALTS: Final = ("md", "ym", "yd")
SALTS: Final = {**{salt: salt for salt in BIRTH_SALTS}, "pc": "postcode", "door": "door"}
"""Salt of a name's filter -> the word that says whether two records share it, whatever their names are."""
SOUND: Final = {"sound": "sounds"}
"""The same for the salt that only records share whose names sound alike."""
_LETTERS: Final = "abcdefgh"[:WORDS]
_FILTERS: Final = (*(f"{part}_{salt}" for part in ("given", "family") for salt in (*SALTS, *SOUND)), "lane")
_SINGLE: Final = (
    "birth",
    "sorted_birth",
    "year",
    *BIRTH_SALTS,
    "name",
    "sounds",
    "sound_year",
    "lot",
    "postcode",
    "door",
)
_LISTS: Final = {"roots": "roots", "families": "families", "places": "place", "doors": "door", "postcodes": "postcode",
                 "streets": "street", "homes": "homes"}  # fmt: skip


def prepared(people: pa.Table) -> pa.Table:
    """The records to compare, as `records.prepared` gives them, with words of codes in the place of text.

    Parameters
    ----------
    people : Arrow table of PERSON_RECORDS with ``encoded``

    Returns
    -------
    Arrow table sorted by (agency, person_key), with record, agency, person_key, sex; the last code's single words and
    filters (int64, null where not known; each filter with the number of its bits); and lists of all words ever given
    """
    codes = decoded(people.column("encoded"))
    rows = people.num_rows
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "agency": people.column("agency"),
        "person_key": people.column("person_key"),
        "known_at": people.column("known_at"),
        "ordinal": pa.array(np.arange(rows)),
        "sex": people.column("sex"),
        "area": people.column("area").combine_chunks().dictionary_encode().indices,
        "known": pa.array(codes.any(axis=1)),
        "default_date": pa.array(codes[:, PLACES["default_date"]] == 1),
    }
    for name in _SINGLE:
        columns[name] = _word(codes, PLACES[name])
    for name in _FILTERS:
        columns |= _filter(codes, name)
    columns["slips"] = _list(codes, "slips")
    for name, place in _LISTS.items():
        columns[name] = _list(codes, place)
    return query(_GATHERED, versions=pa.table(columns))


def _list(codes: Codes, place: str) -> pa.Array:
    """All words of one place of the layout as lists; a word that is not known is null."""
    words = np.ascontiguousarray(codes[:, PLACES[place] : PLACES[place] + LAYOUT[place]]).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(words.view(np.int64), mask=words == 0), LAYOUT[place])


def _word(codes: Codes, place: int) -> pa.Array:
    return pa.array(codes[:, place].view(np.int64), mask=codes[:, place] == 0)


def _filter(codes: Codes, name: str) -> dict[str, pa.Array]:
    words = np.ascontiguousarray(codes[:, PLACES[name] : PLACES[name] + WORDS])
    size = np.bitwise_count(words).sum(axis=1).astype(np.int64)
    made = {f"{name}_{letter}": pa.array(words[:, at].view(np.int64)) for at, letter in enumerate(_LETTERS)}
    return made | {f"{name}_n": pa.array(size, mask=size == 0)}


_LAST: Final = (
    "sex",
    "default_date",
    *_SINGLE,
    *(f"{name}_{part}" for name in _FILTERS for part in (*_LETTERS, "n")),
    "slips",
)


def _last(column: str) -> str:
    there = f"{column} IS NOT NULL" if column == "sex" else "known"
    return f"arg_max({column}, (known_at, ordinal)) FILTER ({there}) AS {column}"


def _all(column: str) -> str:
    return f"list_sort(list_distinct(flatten(list({column}::BIGINT[])))) AS {column}"  # distinct values, nulls left out


_GATHERED: Final = f"""
SELECT row_number() OVER (ORDER BY agency, person_key) - 1 AS record, *
FROM (
    SELECT agency, person_key, {", ".join(map(_last, _LAST))}, {", ".join(map(_all, _LISTS))},
           coalesce(list_sort(list(DISTINCT area) FILTER (area IS NOT NULL)), []) AS areas
    FROM versions GROUP BY agency, person_key
) ORDER BY agency, person_key
"""

UNLIKE: Final = 0.25
"""As in `clusters`: given names that share fewer letter pairs are different names."""

KEYS: Final = {name: f"{name}::VARCHAR" for name in ("sorted_birth", "name", "sounds", "sound_year")}
KEYS_OF_LISTS: Final = {name: (f"{name}::VARCHAR[]", "''") for name in ("roots", "families", "homes")}
FINER: Final = "coalesce(ym::VARCHAR, '')"
"""What `blocking` needs of coded records."""


def _dice(one: str, other: str) -> str:
    shared = " + ".join(f"bit_count(l.{one}_{letter} & r.{other}_{letter})" for letter in _LETTERS)
    return f"2.0 * ({shared}) / (l.{one}_n + r.{other}_n)"


def _similar(one: str, other: str, salts: Mapping[str, str]) -> str:
    """Dice similarity under the first salt that both records share; null where they share none."""
    whens = " ".join(
        f"WHEN l.{word} = r.{word} THEN {_dice(f'{one}_{salt}', f'{other}_{salt}')}" for salt, word in salts.items()
    )
    return f"(CASE {whens} END)"


def _seen(similarity: float) -> float:
    """The Dice similarity of two folded filters whose words share so much of their letter pairs.

    A folded filter of a usual name has about a fifth of its bits set, so a fifth of what is not shared agrees by
    chance (measured on made-up words: 0.2).

    Examples
    --------
    >>> round(_seen(0.6), 3), round(_seen(0.0), 3)
    (0.68, 0.2)
    """
    return similarity + 0.2 * (1 - similarity)


def _unknown(tokens: str) -> str:
    """One of the two has no such name.

    Family names that share no salt are *not* unknown: most are other names, and what is random would otherwise be
    learned from neighbours only, who do share one.
    """
    return "(" + " OR ".join(f"(len({side}.{tokens}) = 0 AND {side}.name IS NULL)" for side in "lr") + ")"


_GIVENS, _FAMILIES = _similar("given", "given", SALTS), _similar("family", "family", {**SALTS, **SOUND})
_GIVENS_BY_SOUND: Final = _similar("given", "given", SOUND)
_SAME_NAME: Final = "coalesce(l.name = r.name, false)"
_SAME_SOUNDS: Final = "coalesce(l.sounds = r.sounds, false)"
_SAME_ROOT: Final = "list_has_any(l.roots, r.roots)"
_SAME_FAMILY: Final = f"(list_has_any(l.families, r.families) OR {_SAME_NAME} OR coalesce({_FAMILIES} >= 0.999, false))"
_SAME_PLACE: Final = (
    f"(list_has_any(l.places, r.places) OR coalesce(l.lot = r.lot AND {_dice('lane', 'lane')} >= {_seen(0.6)}, false))"
)
_SAME_DOOR: Final = "list_has_any(l.doors, r.doors)"
_SLIP: Final = "list_has_any(l.slips, r.slips)"
_TWO_PARTS: Final = "(l.md = r.md OR l.ym = r.ym OR l.yd = r.yd)"
NEVER: Final = "1 = 0"

_SAID: Final = Said(
    no_family=_unknown("families"),
    same_family=_SAME_FAMILY,
    family_alike=f"{_FAMILIES} >= {_seen(0.6)}",
    same_place=_SAME_PLACE,
)
_CROSSED: Final = (("given", "family"), ("family", "given"))
_GIVEN_LEVELS: Final = {
    "same": f"{_GIVENS} >= 0.999",
    "same root": _SAME_ROOT,
    "names swapped": " AND ".join(f"{_similar(*pair, {**SALTS, **SOUND})} >= {_seen(0.6)}" for pair in _CROSSED),
    "initial": NEVER,
    "close": f"{_GIVENS} >= {_seen(0.6)}",
    "alike": f"({_GIVENS} >= {_seen(0.4)} OR {_SAME_SOUNDS})",
    "other name, same birth date and place": f"l.birth = r.birth AND {_SAME_PLACE} AND {_SAME_FAMILY}",
}
_TOLD_BY_SOUND: Final = tuple(
    Level(f"{like}, told by the sound", f"{_GIVENS} IS NULL AND {condition}", 0.0, 0.0, like=like)
    for like, condition in (
        ("same", f"({_SAME_NAME} OR {_GIVENS_BY_SOUND} >= 0.999)"),
        ("close", f"{_GIVENS_BY_SOUND} >= {_seen(0.6)}"),
    )
)
"""Names that only their sound lets compare: as good as others, and nothing to learn from, since they always agree."""
_BIRTH_LEVELS: Final = {
    "same, a default date": "l.birth = r.birth AND l.default_date",
    "same": "l.birth = r.birth",
    "day and month swapped": "l.sorted_birth = r.sorted_birth",
    "another generation of one name": f"l.year <> r.year AND NOT {_TWO_PARTS} AND NOT {_SLIP} "
    f"AND {_SAME_ROOT} AND {_SAME_DOOR}",
    "one slip": _SLIP,
    "two of year, month, day": _TWO_PARTS,
    "a year or less apart": "l.year = r.year",
}


def comparisons_for(records: int, agencies: int) -> tuple[Comparison, ...]:
    """The comparisons that so many coded records of so many agencies can be put to."""
    unknown = f"({_unknown('roots')} OR ({_GIVENS} IS NULL AND NOT {_SAME_ROOT} AND NOT {_SAME_SOUNDS}))"
    given = _recast(GIVEN, unknown, _GIVEN_LEVELS)
    given = replace(given, levels=(*_TOLD_BY_SOUND, *given.levels))
    birth = _recast(BIRTH, BIRTH.missing, _BIRTH_LEVELS)
    plain = family_and_place(household_chance(records), _SAID)
    home = _recast(plain, plain.missing, {})
    return (given, birth, SEX, home, *([AGENCY] if agencies > 1 else []))


def _recast(one: Comparison, missing: str, conditions: dict[str, str]) -> Comparison:
    """The same levels with other conditions, and no frequencies of names."""
    levels = tuple(
        replace(level, condition=conditions.get(level.name, level.condition), frequency=None) for level in one.levels
    )
    return Comparison(one.name, missing, levels)


class Coded(NamedTuple):
    """What a coded record says for the check of impossible people."""

    given: int | None
    families: frozenset[int]
    birth: int | None
    parts: tuple[int | None, ...]
    slips: frozenset[int]


def facts_of(records: pa.Table) -> list[Coded]:
    """What each record says of name and birth; given names as filters salted with day and month."""
    filters = (records.column(f"given_md_{letter}").fill_null(0).to_numpy() for letter in _LETTERS)
    words = [np.asarray(one, np.int64).view(np.uint64).tolist() for one in filters]
    given = [sum(part << (64 * at) for at, part in enumerate(one)) or None for one in zip(*words, strict=True)]
    columns = [records.column(name).to_pylist() for name in ("families", "birth", *BIRTH_SALTS, "slips")]
    return [
        Coded(name, frozenset(families), birth, (md, ym, yd), frozenset(slips or ()))
        for name, (families, birth, md, ym, yd, slips) in zip(given, zip(*columns, strict=True), strict=True)
    ]


def impossible(one: Coded, other: Coded) -> bool:
    """Whether two records can hardly be of one person, going by the codes of name and birth alone."""
    if one.birth is None or other.birth is None:
        return False
    if one.birth != other.birth:
        return not (one.slips & other.slips) and not any(
            mine == theirs for mine, theirs in zip(one.parts, other.parts, strict=True)
        )
    if one.given is None or other.given is None or not one.families & other.families:
        return False
    shared = 2 * (one.given & other.given).bit_count() / (one.given.bit_count() + other.given.bit_count())
    return shared < _seen(UNLIKE)
