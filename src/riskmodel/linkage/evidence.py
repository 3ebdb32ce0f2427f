"""What speaks for two groups of records being one person: all their pairs together, and the agencies they come from.

A pair's match probability weighs two records. When records have begun to gather into people, all pairs between two
groups count, pooled by their mean log-odds (a logarithmic opinion pool: Genest and Zidek 1986), so that one likely
pair among many unlikely ones does not join two families: the usual case is a record without a birth date that suits
father and son alike. A pair that was not worth keeping counts as unlikely.

A register seldom holds a person twice. For each agency of the smaller group the odds change by how likely it is to
find that agency among the other group's: when the two are one person (how often, is learned), and when they are not
(the share of all records that the other group's agencies hold).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.linkage.comparisons import AGENCY
from riskmodel.linkage.training import Parameters

NOT_KEPT: Final = 0.005
"""The probability of a pair that was not worth keeping: half of what is."""
SUREST: Final = 0.9999
"""No single pair counts for more: what was learned from the records is not known better than that."""
SMOOTH: Final = 5.0
"""People counted into every size of group before any is seen."""
MOST: Final = 3.0
"""Log-odds, a factor of twenty."""
_UNKEPT: Final = math.log(NOT_KEPT / (1.0 - NOT_KEPT))
_MOST: Final = 0.95


@dataclass(frozen=True, slots=True)
class Agencies:
    """What is known of agencies: each one's share of all records, and how often two records of one person share one.

    `same` and `other` are the log-odds that match probabilities already hold for pairs of one agency and of two.
    """

    share: Mapping[str, float]
    twice: float
    same: float
    other: float

    @classmethod
    def of(cls, agencies: Sequence[str], learned: Parameters) -> Agencies | None:
        """None where there is one agency only, and nothing to learn."""
        for column, one in enumerate(learned.comparisons):
            if one.name == AGENCY.name:
                m, u = learned.m[column], learned.u[column]
                odds = np.log(m / u)
                counts = Counter(agencies)
                share = {agency: count / counts.total() for agency, count in counts.items()}
                same, other = AGENCY.code_of("same"), AGENCY.code_of("other")
                return cls(share, float(m[same]), float(odds[same]), float(odds[other]))
        return None

    def odds(self, mine: Sequence[str], theirs: Sequence[str]) -> float:
        """Log-odds that two groups are one person, going by their agencies; less what the mean of the pairs says of it.

        Examples
        --------
        A third of the records are the police's, and one match in a hundred is between two of them. A police record and
        a person known to housing alone: nothing beyond the pair itself, as far as a pair's share of it goes.

        >>> third = dict.fromkeys(("police", "housing", "health"), 1 / 3)
        >>> known = Agencies(third, 0.01, same=math.log(0.03), other=math.log(1.485))
        >>> abs(round(known.odds(["police"], ["housing"]), 6))
        0.0

        With a person known to housing and health, an agency that neither has is three times the surprise for others:

        >>> round(known.odds(["police"], ["housing", "health"]), 3) == round(math.log(0.98 * 3) - math.log(1.485), 3)
        True
        """
        if len(mine) > len(theirs):
            mine, theirs = theirs, mine
        held = set(theirs)
        cover = min(_MOST, sum(self.share[agency] for agency in held))
        twice = min(0.5, self.twice * len(theirs))
        alike = sum(theirs.count(agency) for agency in mine) / (len(mine) * len(theirs))
        found, missed = math.log(twice / cover), math.log((1.0 - twice) / (1.0 - cover))
        whole = sum(found if agency in held else missed for agency in set(mine))
        return whole - alike * self.same - (1.0 - alike) * self.other


@dataclass(frozen=True, slots=True, repr=False)
class Evidence:
    """What is known of records and their matches.

    Attributes
    ----------
    pairs : log-odds of each match worth keeping, by record numbers (smaller first), the most probable first
    agency : whose each record is
    agencies : what is known of agencies, None where there is one
    alone : records of a person -> log-odds to add when a single record may belong to one with so many
    """

    pairs: Mapping[tuple[int, int], float]
    agency: Sequence[str]
    agencies: Agencies | None
    alone: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, agency: Sequence[str], matches: pa.Table, learned: Parameters | None = None) -> Evidence:
        """The evidence of matches (l, r, probability) between records of these agencies."""
        left, right, probability = (matches.column(name).to_numpy() for name in ("l", "r", "probability"))
        order = np.lexsort((right, left, -probability))
        within = np.clip(probability[order], NOT_KEPT, SUREST)
        keys = zip(left[order].tolist(), right[order].tolist(), strict=True)
        odds = np.log(within / (1.0 - within)).tolist()
        known = None if learned is None else Agencies.of(agency, learned)
        return cls(dict(zip(keys, odds, strict=True)), agency, known)

    def with_sizes(self, sizes: Sequence[int]) -> Evidence:
        """The same evidence, with what the sizes of people in a first clustering say of records left alone."""
        return replace(self, alone=alone(sizes))

    def in_order(self, order: Sequence[int]) -> Evidence:
        """The same evidence with its matches in another order."""
        pairs = list(self.pairs.items())
        return replace(self, pairs=dict(pairs[at] for at in order))

    def chance(self, mine: Sequence[int], theirs: Sequence[int]) -> float:
        """The probability that two groups of records are of one person.

        Examples
        --------
        >>> pairs = {(0, 1): math.log(0.9 / 0.1), (0, 2): math.log(0.8 / 0.2)}
        >>> evidence = Evidence(pairs, ["police"] * 3, None)
        >>> round(evidence.chance([0], [1]), 6), round(evidence.chance([0], [1, 2]), 6)  # the root of 9 x 4 is 6 to 1
        (0.9, 0.857143)
        """
        total = sum(self.pairs.get((min(a, b), max(a, b)), _UNKEPT) for a in mine for b in theirs)
        odds = total / (len(mine) * len(theirs))
        if self.agencies is not None:
            odds += self.agencies.odds([self.agency[a] for a in mine], [self.agency[b] for b in theirs])
        if self.alone and 1 in (len(mine), len(theirs)):
            odds += self.alone.get(max(len(mine), len(theirs)), 0.0)
        return 1.0 / (1.0 + math.exp(-odds))


def alone(sizes: Sequence[int]) -> dict[int, float]:
    """How much likelier it is that a record left alone belongs to somebody than that two records at random match.

    Where most people are known by several records, a single one is more often a badly written record of one of them
    than a person of its own. With f(n) the share of people who have n records, a record joins one with n at prior odds
    proportional to (n + 1) f(n + 1) / (f(1) f(n)), two at random at E[n (n - 1)] / E[n]^2 (a Gibbs-type prior on
    partitions into small groups: Zanella et al. 2016). Taken from a first clustering, smoothed, and no more than `MOST`
    either way, because that clustering leaves too many alone itself.

    Parameters
    ----------
    sizes : how many records each person has

    Examples
    --------
    Among people with one, two and three records in equal shares:

    >>> found = alone([1, 2, 3] * 100_000)
    >>> [round(math.exp(found[n]), 2) for n in (1, 2)]  # 2 / (1/3) = 6 and 3 / (1/3) = 9, over (8/3) / 4 = 2/3
    [9.0, 13.5]
    """
    people = len(sizes)
    counts = Counter(sizes)
    if people == 0 or max(sizes) == 1:
        return {}
    share = {n: (counts[n] + SMOOTH) / (people + SMOOTH) for n in range(1, max(sizes) + 2)}
    random = sum(n * (n - 1) for n in sizes) * people / sum(sizes) ** 2
    odds = {n: math.log((n + 1) * share[n + 1] / (share[1] * share[n]) / random) for n in range(1, max(sizes) + 1)}
    return {n: max(-MOST, min(MOST, one)) for n, one in odds.items()}
