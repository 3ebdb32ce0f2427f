"""From matching pairs to people: the strongest matches join first, and never into an impossible person.

Joining everything that is connected lets one weak match merge two families. Here the matches are taken from the most
to the least probable, and a match is passed over when it would put two records into one person that hardly can be one:
born at quite different dates, or born on one day with one family name but different given names (twins). Two records
that match each other directly, name and birth date included, weigh as much in favour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

UNLIKE: Final = 0.25
"""Two given names with fewer shared letter pairs than this (Dice 1945) are different names, not spellings."""

Facts: TypeAlias = "tuple[str | None, str | None, str | None]"
"""What a record says for the check: given name, family name, birth date of eight digits."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Who belongs together.

    Attributes
    ----------
    of : (n_records,) int64, the smallest record number of the person each record belongs to
    held_by : (n_records,) float64, the probability of the weakest match that holds a record to its person; 1 alone
    refused : int, matches passed over because the person would have been impossible
    """

    of: npt.NDArray[np.int64]
    held_by: npt.NDArray[np.float64]
    refused: int

    def __repr__(self) -> str:
        return f"Clusters({len(self.of)} records, {len(np.unique(self.of))} people, {self.refused} matches refused)"


def clustered(records: pa.Table, matches: pa.Table, threshold: float) -> Clusters:
    """Join records by their matches.

    Parameters
    ----------
    records : see `records.prepared`
    matches : Arrow table (l, r, probability)
    threshold : float, matches below it are not used
    """
    columns = [records.column(name).to_pylist() for name in ("given", "family", "birth")]
    facts: list[Facts] = list(zip(*columns, strict=True))
    left, right, probability = (matches.column(name).to_numpy() for name in ("l", "r", "probability"))
    chosen = np.flatnonzero(probability >= threshold)
    order = chosen[np.lexsort((right[chosen], left[chosen], -probability[chosen]))]
    joiner = _Joiner(facts, set(zip(left[order].tolist(), right[order].tolist(), strict=True)))
    for one, other, weight in zip(
        left[order].tolist(), right[order].tolist(), probability[order].tolist(), strict=True
    ):
        joiner.join(one, other, weight)
    return joiner.clusters()


class _Joiner:
    """Union-find over records that remembers what each person so far says of name and birth."""

    def __init__(self, facts: list[Facts], direct: set[tuple[int, int]]) -> None:
        self._direct = direct
        self._members: dict[int, list[int]] = {}
        self._of = list(range(len(facts)))
        self._held = [1.0] * len(facts)
        self._facts = facts
        self._refused = 0

    def join(self, left: int, right: int, probability: float) -> None:
        one, other = self._of[left], self._of[right]
        if one == other:
            return
        mine, theirs = self._members.get(one, [one]), self._members.get(other, [other])
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
                    in_favour += None not in (*self._facts[here][::2], *self._facts[there][::2])
                else:
                    against += impossible(self._facts[here], self._facts[there])
        return against > in_favour


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
