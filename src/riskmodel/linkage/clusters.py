"""From matching pairs to people: the strongest matches join first, and never into an impossible person.

Joining everything that is connected lets one weak match merge two families. Here the matches are taken from the most
to the least probable. Each asks whether the two people it lies between are one, and all that is known of both answers
(`evidence`). A match is passed over when it would put two records into one person that hardly can be one: born at
quite different dates, or born on one day with one family name but different given names (twins). Two records that match
each other directly, name and birth date included, weigh as much in favour.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.linkage import encoded_records
from riskmodel.linkage.encoded_records import Coded
from riskmodel.linkage.evidence import Evidence

UNLIKE: Final = 0.25
"""Two given names with fewer shared letter pairs than this (Dice 1945) are different names, not spellings."""

Facts: TypeAlias = "tuple[str | None, str | None, str | None] | Coded"
"""What a record says for the check: given name, family name, birth date of eight digits; or their codes."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Who belongs together.

    Attributes
    ----------
    of : (n_records,) int64, the smallest record number of the person each record belongs to
    held_by : (n_records,) float64, the lowest probability with which a record was joined to its person; 1 alone
    refused : int, matches passed over because the person would have been impossible
    """

    of: npt.NDArray[np.int64]
    held_by: npt.NDArray[np.float64]
    refused: int

    def __repr__(self) -> str:
        return f"Clusters({len(self.of)} records, {len(np.unique(self.of))} people, {self.refused} matches refused)"


def clustered(facts: list[Facts], evidence: Evidence, threshold: float | Sequence[float]) -> Clusters:
    """Join records by their matches.

    Parameters
    ----------
    facts : what each record says of name and birth
    evidence : the matches
    threshold : float, the probability from which two groups of records are one person; or one for each match, in
        the order of `evidence.pairs`, as when worlds are drawn. What is once decided to be two people stays two.
    """
    joiner = _Joiner(facts, evidence.pairs)
    asked = repeat(threshold) if isinstance(threshold, float) else threshold
    for (one, other), least in zip(evidence.pairs, asked, strict=False):
        between = joiner.between(one, other)
        if between is None:
            continue
        chance = evidence.chance(*between)
        if chance >= least:
            joiner.join(one, other, chance)
        elif not isinstance(threshold, float):
            joiner.part(one, other)
    return joiner.clusters()


def facts_of(records: pa.Table) -> list[Facts]:
    """What each record says of name and birth."""
    if "slips" in records.column_names:
        return list(encoded_records.facts_of(records))
    columns = [records.column(name).to_pylist() for name in ("given", "family", "birth")]
    return list(zip(*columns, strict=True))


class _Joiner:
    """Union-find over records that remembers what each person so far says of name and birth, and who is not who.

    `direct` holds the pairs of records (smaller first) that match each other themselves.
    """

    def __init__(self, facts: list[Facts], direct: Container[tuple[int, int]]) -> None:
        self._direct = direct
        self._members: dict[int, list[int]] = {}
        self._of = list(range(len(facts)))
        self._held = [1.0] * len(facts)
        self._facts = facts
        self._refused = 0
        self._apart: dict[int, set[int]] = {}

    def between(self, left: int, right: int) -> tuple[list[int], list[int]] | None:
        """The records of the two people that two records belong to; None when they are one, or parted."""
        one, other = self._of[left], self._of[right]
        if one == other or other in self._apart.get(one, ()):
            return None
        return self._members.get(one, [one]), self._members.get(other, [other])

    def part(self, left: int, right: int) -> None:
        """Decide that the people of two records are different people, whatever else joins either of them."""
        one, other = self._of[left], self._of[right]
        if one != other:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def join(self, left: int, right: int, probability: float) -> None:
        """Make the people of two records one, unless they are parted or together would be impossible."""
        groups = self.between(left, right)
        if groups is None:
            return
        one, other, (mine, theirs) = self._of[left], self._of[right], groups
        if self._impossible(mine, theirs):
            self._refused += 1
            return
        if (len(theirs), -other) > (len(mine), -one):
            one, other, mine, theirs = other, one, theirs, mine
        for record in theirs if len(mine) > 1 else [*mine, *theirs]:
            self._held[record] = min(self._held[record], probability)
        for record in theirs:
            self._of[record] = one
        self._members[one] = mine + theirs
        self._members.pop(other, None)
        for third in self._apart.pop(other, ()):
            self._apart[third].discard(other)
            self._apart[third].add(one)
            self._apart.setdefault(one, set()).add(third)

    def clusters(self) -> Clusters:
        smallest = {head: min(members) for head, members in self._members.items()}
        of = np.array([smallest.get(head, head) for head in self._of], np.int64)
        return Clusters(of, np.array(self._held, np.float64), self._refused)

    def _impossible(self, mine: list[int], theirs: list[int]) -> bool:
        """More pairs that cannot be one person than pairs that, names and birth dates known, match nevertheless."""
        if len(mine) == len(theirs) == 1:
            return False
        against = in_favour = 0
        for here in mine:
            for there in theirs:
                if (min(here, there), max(here, there)) in self._direct:
                    in_favour += _complete(self._facts[here]) and _complete(self._facts[there])
                else:
                    against += impossible(self._facts[here], self._facts[there])
        return against > in_favour


def _complete(one: Facts) -> bool:
    """Whether given name and birth date are known."""
    return one[0] is not None and one[2] is not None


def impossible(one: Facts, other: Facts) -> bool:
    """Whether two records can hardly be of one person, going by name and birth alone.

    Examples
    --------
    >>> impossible(("james", "hill", "19600301"), ("james", "hill", "19900512"))
    True
    >>> impossible(("james", "hill", "19600301"), ("james", "hill", "19610301"))
    False
    >>> impossible(("ayan", "ali", "20100301"), ("hodo", "ali", "20100301"))
    True
    """
    if isinstance(one, Coded) or isinstance(other, Coded):
        return isinstance(one, Coded) and isinstance(other, Coded) and encoded_records.impossible(one, other)
    (given, family, birth), (other_given, other_family, other_birth) = one, other
    if birth is None or other_birth is None:
        return False
    if _born_apart(birth, other_birth):
        return True
    if birth != other_birth or given is None or other_given is None or family != other_family:
        return False
    return given != other_family and _dice(given, other_given) < UNLIKE


@lru_cache(maxsize=200_000)
def _born_apart(one: str, other: str) -> bool:
    """Whether two birth dates share at most one of year, month and day, in whatever order the last two stand."""
    year, other_year = one[:4], other[:4]
    rest, other_rest = sorted((one[4:6], one[6:])), sorted((other[4:6], other[6:]))
    if year == other_year:
        return not set(rest) & set(other_rest)
    return rest != other_rest and sum(mine != theirs for mine, theirs in zip(one, other, strict=True)) > 2


@lru_cache(maxsize=200_000)
def _dice(one: str, other: str) -> float:
    mine, theirs = ({word[at : at + 2] for at in range(len(word) - 1)} for word in (one, other))
    if not mine or not theirs:
        return float(one[:1] == other[:1])
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))
