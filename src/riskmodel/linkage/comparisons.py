"""What is compared in two records, in which steps of likeness, and what to expect before any data is seen.

A comparison is a list of levels, tried in order. For each level, `m` is how often two records *of one person* fall
there and `u` how often two records *of different people* do (Fellegi and Sunter 1969). The numbers here are priors;
`training` replaces them by what the data says, as far as there is data. A level that is `like` another takes that one's
learned numbers less a number of bits: it stands for a situation where fields agree together, so that adding up their
weights would mislead.

Family name and place are one comparison, because members of one household share both: agreeing on the surname *and*
the address is hardly more surprising between brothers than agreeing on the address alone. Two such levels guard the
people whom plain sums would merge: twins (other given name, same birth date, family name and place), of whom there are
about three in a hundred in a household where chance would put one in twenty thousand - nine bits; and a parent and
child of one name (same name and place, born twelve or more years apart) - five bits. Where a register has no
households, the learned weight of a shared place outweighs both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MISSING: Final = -1
"""The code of a comparison that cannot be made."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of likeness: an SQL condition over l and r, its name, and the prior m and u.

    `among` names the pairs over which the numbers of levels sum to one; `frequency` a column whose rare values count
    for more; `like` another level whose numbers this one takes, less `bits`.
    """

    name: str
    condition: str
    m: float
    u: float
    frequency: str | None = None
    like: str | None = None
    bits: float = 0.0
    among: str = "all"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A list of levels after the first, which is always "one of the two is missing"."""

    name: str
    missing: str
    levels: tuple[Level, ...]

    def code_of(self, level: str) -> int:
        """The number by which the levels are known in comparison vectors: the last level is 0."""
        return len(self.levels) - 1 - [one.name for one in self.levels].index(level)


def _either_null(column: str) -> str:
    return f"l.{column} IS NULL OR r.{column} IS NULL"


def _close(column: str, similarity: float) -> str:
    """Alike, or one slip apart; in three letters only two that changed places: Kit and Kti, not Jan and Jon."""
    both = f"l.{column}, r.{column}"
    long = f"length(l.{column}) > 3 AND length(r.{column}) > 3"
    return (
        f"(jaro_winkler_similarity({both}) >= {similarity} "
        f"OR (damerau_levenshtein({both}) <= 1 AND (({long}) OR levenshtein({both}) = 2)))"
    )


_SAME_PLACE: Final = "list_has_any(l.places, r.places)"
_OTHER_NUMBER: Final = "NOT coalesce(l.identifier = r.identifier, false)"
_SAME_DOOR: Final = "list_has_any(l.doors, r.doors)"
_SAME_POSTCODE: Final = "list_has_any(l.postcodes, r.postcodes)"
_SAME_NEIGHBOURHOOD: Final = "(list_has_any(l.streets, r.streets) OR list_has_any(l.areas, r.areas))"
_SAME_FAMILY: Final = (
    "(l.family = r.family OR list_has_any(l.families, r.families) OR (l.given = r.family AND l.family = r.given))"
)
_YEARS_APART: Final = "abs(substr(l.birth, 1, 4)::INT - substr(r.birth, 1, 4)::INT)"
_SWAPPED_NAMES: Final = (
    "(jaro_winkler_similarity(l.given, r.family) >= 0.85 AND jaro_winkler_similarity(l.family, r.given) >= 0.85)"
)
_TWINS: Final = f"l.birth = r.birth AND {_SAME_PLACE} AND {_SAME_FAMILY} AND {_OTHER_NUMBER}"
_PART: Final = "substr({0}.birth, {1}, {2})"


def _same_part(start: int, length: int) -> str:
    return f"{_PART.format('l', start, length)} = {_PART.format('r', start, length)}"


_TWO_PARTS: Final = " OR ".join(
    f"({_same_part(*one)} AND {_same_part(*other)})"
    for one, other in (((1, 4), (5, 2)), ((1, 4), (7, 2)), ((5, 2), (7, 2)))
)

GIVEN: Final = Comparison(
    "given",
    _either_null("given"),
    (
        Level("same", "l.given = r.given", 0.80, 0.006, frequency="given"),
        Level("same root", "list_has_any(l.roots, r.roots)", 0.05, 0.004),
        Level("names swapped", _SWAPPED_NAMES, 0.01, 0.0001),
        Level("initial", "l.given = left(r.given, 1) OR r.given = left(l.given, 1)", 0.01, 0.002),
        Level("close", _close("given", 0.9), 0.07, 0.012),
        Level("alike", "jaro_winkler_similarity(l.given, r.given) >= 0.8", 0.02, 0.03),
        Level("other name, same birth date and place", _TWINS, 0.0, 0.0, like="other", bits=9),
        Level("other", "ELSE", 0.04, 0.944),
    ),
)

BIRTH: Final = Comparison(
    "birth",
    _either_null("birth"),
    (
        Level("same, a default date", "l.birth = r.birth AND substr(l.birth, 5) = '0101'", 0.005, 0.0005),
        Level("same", "l.birth = r.birth", 0.93, 0.00005),
        Level("day and month swapped", f"{_same_part(1, 4)} AND {_PART.format('l', 5, 2)} = {_PART.format('r', 7, 2)} "
              f"AND {_PART.format('l', 7, 2)} = {_PART.format('r', 5, 2)}", 0.01, 0.00005),
        Level("another generation of one name", f"{_YEARS_APART} >= 12 AND l.given = r.given AND {_SAME_DOOR} "
              f"AND substr(l.birth, 5) <> substr(r.birth, 5) AND {_OTHER_NUMBER}", 0.0, 0.0, like="other", bits=5),
        Level("one slip", "damerau_levenshtein(l.birth, r.birth) <= 1", 0.03, 0.0009),
        Level("two of year, month, day", _TWO_PARTS, 0.015, 0.006),
        Level("a year or less apart", f"{_YEARS_APART} <= 1", 0.004, 0.06),
        Level("other", "ELSE", 0.006, 0.933),
    ),
)  # fmt: skip

SEX: Final = Comparison(
    "sex",
    _either_null("sex"),
    (Level("same", "l.sex = r.sex", 0.985, 0.5), Level("other", "ELSE", 0.015, 0.5)),
)


AGENCY: Final = Comparison(
    "agency",
    _either_null("agency"),
    (Level("same", "l.agency = r.agency", 0.1, 0.3), Level("other", "ELSE", 0.9, 0.7)),
)
"""A register seldom holds one person twice: how seldom is learned."""


@dataclass(frozen=True, slots=True)
class Said:
    """The SQL conditions on family names and places: in clear text, or in codes (`encoded_comparisons`)."""

    no_family: str = f"({_either_null('family')})"
    no_place: str = "(len(l.doors) = 0 OR len(r.doors) = 0)"
    same_family: str = _SAME_FAMILY
    family_alike: str = _close("family", 0.88)
    same_place: str = _SAME_PLACE
    same_door: str = _SAME_DOOR
    same_postcode: str = _SAME_POSTCODE
    same_neighbourhood: str = _SAME_NEIGHBOURHOOD


def family_and_place(household: float, said: Said | None = None) -> Comparison:
    """Family name and place as one comparison; `household` is how often two people share both."""
    said = said or Said()
    families = (
        ("same family name", said.same_family, 0.90, 0.004),
        ("family name alike", said.family_alike, 0.05, 0.012),
    )
    other_family = ("other family name", "", 0.05, 0.984)
    places = (
        ("same place", said.same_place, 0.66, 0.0001),
        ("same door", said.same_door, 0.04, 0.0001),
        ("same postcode", said.same_postcode, 0.08, 0.001),
        ("same street or area", said.same_neighbourhood, 0.04, 0.01),
    )
    other_place = ("other place", "", 0.18, 0.9888)
    levels: list[Level] = []
    for group, there, states in (
        ("family name missing", said.no_family, [(("", "", 1.0, 1.0), place) for place in (*places, other_place)]),
        ("place missing", said.no_place, [(family, ("", "", 1.0, 1.0)) for family in (*families, other_family)]),
        ("all", "", [(family, place) for family in (*families, other_family) for place in (*places, other_place)]),
    ):
        for family, place in states:
            name = ", ".join(part for part in (family[0], place[0], "" if group == "all" else group) if part)
            condition = " AND ".join(part for part in (there, family[1], place[1]) if part) or "ELSE"
            one_home = family[0] == "same family name" and place[0] == "same place"
            levels.append(
                Level(
                    name,
                    condition,
                    family[2] * place[2],
                    household if one_home else family[3] * place[3],
                    frequency="family" if family[0] == "same family name" and place[0] in ("", "other place") else None,
                    among=group,
                )
            )
    return Comparison("family_and_place", f"{said.no_family} AND {said.no_place}", tuple(levels))


FAMILY_AND_PLACE: Final = family_and_place(0.0001)

CONTACT: Final = Comparison(
    "contact",
    _either_null("contact"),
    (
        Level("same", "l.contact = r.contact", 0.75, 0.0005),
        Level("same before the @", "split_part(l.contact, '@', 1) = split_part(r.contact, '@', 1)", 0.05, 0.0005),
        Level("close", "jaro_winkler_similarity(l.contact, r.contact) >= 0.9", 0.10, 0.004),
        Level("other", "ELSE", 0.10, 0.995),
    ),
)
IDENTIFIER: Final = Comparison(
    "identifier",
    _either_null("identifier"),
    (
        Level("same", "l.identifier = r.identifier", 0.90, 0.00005),
        Level(
            "one slip",
            "length(l.identifier) > 5 AND damerau_levenshtein(l.identifier, r.identifier) <= 1",
            0.07,
            0.0001,
        ),
        Level("other", "ELSE", 0.03, 0.99985),
    ),
)


def comparisons_for(columns_with_values: Sequence[str], records: int, agencies: int = 1) -> tuple[Comparison, ...]:
    """The comparisons that so many records of so many agencies, with these columns filled, can be put to.

    In few records it is likely that two are of one household: about one in `records`.
    """
    extra = [one for one in (CONTACT, IDENTIFIER) if one.name in columns_with_values]
    extra += [AGENCY] if agencies > 1 else []
    home = family_and_place(household_chance(records))
    return (GIVEN, BIRTH, SEX, home, *extra)


def household_chance(records: int) -> float:
    """How often two of so many records are of one household: about one in as many, within bounds."""
    return min(0.3, max(0.0001, 1 / max(records, 1)))
