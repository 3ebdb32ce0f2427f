"""How often records of one person agree, learned from the records themselves: expectation-maximisation on patterns.

Every compared pair is a pattern of levels; pairs with one pattern are counted, so that learning is arithmetic on a few
thousand rows: the same numbers come out for any number of threads. The u's are learned from random pairs (less those
that look like matches), the m's from pairs that already agree on something else - the birth date, or the full name -
so that the blocking does not flatter the field that it used. Both are pulled towards the priors of `comparisons`: with
ten records the priors decide, with ten thousand the data does.

Fellegi and Sunter (1969), A theory for record linkage; Winkler (1988) for EM without labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.linkage.comparisons import BIRTH, FAMILY_AND_PLACE, GIVEN, MISSING, SEX, Comparison

Codes: TypeAlias = "npt.NDArray[np.int64]"
Numbers: TypeAlias = "npt.NDArray[np.float64]"

PRIOR_MATCHES: Final = 30.0
"""How many pairs of one person the prior m's are worth."""
PRIOR_OTHERS: Final = 300.0
"""How many pairs of different people the prior u's are worth."""
PRIOR_SHARE: Final = 0.05
"""Matches to expect beforehand, for each record: keeps a handful of records from learning that nobody ever matches."""
LEAST: Final = 0.05
"""No rate falls below this part of its prior: what easy pairs never show can still happen among hard ones."""
ROUNDS: Final = 4
STEPS: Final = 25


@dataclass(frozen=True, slots=True)
class Patterns:
    """Counted patterns of levels: `levels` (n_patterns, n_comparisons) with -1 for missing, `counts` (n_patterns,)."""

    levels: Codes
    counts: Numbers

    @classmethod
    def of(cls, levels: Codes, *, each: int = 1) -> Patterns:
        """Count the distinct rows of (n_pairs, n_comparisons) level codes, sorted; each row stands for `each` pairs."""
        if not len(levels):
            return cls(levels, np.zeros(0))
        steps = tuple(levels.max(axis=0) + 2)
        # one whole number a row: the same order, and far quicker to sort than rows
        packed, counts = np.unique(np.ravel_multi_index(tuple((levels + 1).T), steps), return_counts=True)
        rows = np.stack(np.unravel_index(packed, steps), axis=1) - 1
        return cls(rows, counts.astype(np.float64) * each)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Patterns:
        """The patterns that are chosen."""
        return Patterns(self.levels[chosen], self.counts[chosen])


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was learned: m and u of each level by comparison (index = level code), and the share of pairs that match."""

    comparisons: tuple[Comparison, ...]
    m: tuple[Numbers, ...]
    u: tuple[Numbers, ...]
    match_rate: float

    def rounded(self) -> Parameters:
        """Numbers cut to eight significant digits, so that the last bits of sums cannot reach a result."""
        cut = [tuple(_significant(values) for values in side) for side in (self.m, self.u)]
        return replace(self, m=cut[0], u=cut[1], match_rate=float(_significant(np.array([self.match_rate]))[0]))


def prior_parameters(comparisons: Sequence[Comparison], match_rate: float) -> Parameters:
    """The parameters before any data is seen."""
    m = tuple(_likened(one, np.array([level.m for level in reversed(one.levels)]), "m") for one in comparisons)
    u = tuple(_likened(one, np.array([level.u for level in reversed(one.levels)]), "u") for one in comparisons)
    return Parameters(tuple(comparisons), m, u, match_rate)


def trained(comparisons: Sequence[Comparison], random: Patterns, blocked: Patterns, *, records: int) -> Parameters:
    """Learn the parameters.

    Parameters
    ----------
    random : patterns of random pairs of records
    blocked : patterns of the pairs that share a blocking key (all of those that agree on birth date or full name)
    records : int, how many records there are

    Returns
    -------
    Parameters, rounded
    """
    all_pairs = max(records * (records - 1) / 2, 1.0)
    now = prior_parameters(comparisons, match_rate=min(0.5, max(records, 1) / 2 / all_pairs))
    for _ in range(ROUNDS):
        now = replace(now, u=_other_rates(now, random))
        now = replace(now, m=_match_rates(now, blocked))
        found = float(match_probability(now, blocked.levels) @ blocked.counts)
        now = replace(now, match_rate=min(0.5, (found + PRIOR_SHARE * max(records, 1)) / all_pairs))
    return now.rounded()


def match_probability(parameters: Parameters, levels: Codes, *, skip: Sequence[str] = ()) -> Numbers:
    """The probability that pairs with these patterns are of one person, without the frequencies of names.

    (n, n_comparisons) level codes in, (n,) out; comparisons in `skip` are not looked at.
    """
    odds = np.full(len(levels), np.log(parameters.match_rate) - np.log1p(-parameters.match_rate))
    for column, one in enumerate(parameters.comparisons):
        if one.name not in skip:
            weight = np.log(parameters.m[column]) - np.log(parameters.u[column])
            codes = levels[:, column]
            odds += np.where(codes == MISSING, 0.0, weight[np.maximum(codes, 0)])
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _other_rates(now: Parameters, random: Patterns) -> tuple[Numbers, ...]:
    weights = random.counts * (1.0 - match_probability(now, random.levels)) if len(random.counts) else random.counts
    counted = [_counted(random.levels[:, column], weights, one) for column, one in enumerate(now.comparisons)]
    pulled = [_pulled(one, count, "u", PRIOR_OTHERS) for one, count in zip(now.comparisons, counted, strict=True)]
    return tuple(pulled)


@dataclass(frozen=True, slots=True)
class _Session:
    """Pairs that agree on something, from which the other comparisons learn.

    `skipped` comparisons are no evidence here: what the pairs agree on, and what follows from it. Of the `conditional`
    ones only the chosen levels occur, so their rates are taken as shares of those; they learn nothing.
    """

    skipped: tuple[str, ...]
    conditional: Mapping[str, Codes]
    chosen: Callable[[Codes], npt.NDArray[np.bool_]]


def _sessions(comparisons: Sequence[Comparison]) -> tuple[_Session, _Session]:
    given, birth, place = (
        [one.name for one in comparisons].index(one.name) for one in (GIVEN, BIRTH, FAMILY_AND_PLACE)
    )
    levels = list(reversed(FAMILY_AND_PLACE.levels))
    family_same = np.array([code for code, level in enumerate(levels) if level.name.startswith("same family name")])
    same_given, same_birth = GIVEN.code_of("same"), BIRTH.code_of("same")
    return (
        _Session((BIRTH.name,), {}, lambda codes: codes[:, birth] == same_birth),
        _Session(  # the sex follows from the given name; the place tells namesakes apart
            (GIVEN.name, SEX.name),
            {FAMILY_AND_PLACE.name: family_same},
            lambda codes: (codes[:, given] == same_given) & np.isin(codes[:, place], family_same),
        ),
    )


def _match_rates(now: Parameters, blocked: Patterns) -> tuple[Numbers, ...]:
    totals = [np.zeros(len(one.levels)) for one in now.comparisons]
    for session in _sessions(now.comparisons):
        patterns = blocked.where(session.chosen(blocked.levels))
        if not len(patterns.counts):
            continue
        for column, counted in enumerate(_learned(now, session, patterns)):
            if now.comparisons[column].name not in (*session.skipped, *session.conditional):
                totals[column] += counted
    return tuple(_pulled(one, total, "m", PRIOR_MATCHES) for one, total in zip(now.comparisons, totals, strict=True))


def _learned(now: Parameters, session: _Session, patterns: Patterns) -> list[Numbers]:
    """Expected counts of levels among the matches of one session, by EM with the u's held.

    The first guess of who matches is made with all that is known so far, so that EM starts at the right hill.
    """
    at = _conditional(now, session)
    chance = match_probability(now, patterns.levels, skip=[SEX.name] if SEX.name in session.skipped else [])
    counted: list[Numbers] = []
    for _ in range(STEPS):
        weights = patterns.counts * chance
        counted = [_counted(patterns.levels[:, column], weights, one) for column, one in enumerate(at.comparisons)]
        held = (*session.skipped, *session.conditional)
        m = tuple(
            at.m[column] if one.name in held else _pulled(one, counted[column], "m", PRIOR_MATCHES)
            for column, one in enumerate(at.comparisons)
        )
        rate = (weights.sum() + 1.0) / (patterns.counts.sum() + 2.0)
        at = replace(at, m=m, match_rate=float(rate))
        chance = match_probability(at, patterns.levels, skip=session.skipped)
    return counted


def _conditional(now: Parameters, session: _Session) -> Parameters:
    """The parameters with the rates of conditional comparisons as shares of the levels that occur, group by group."""
    m, u = list(now.m), list(now.u)
    names = [one.name for one in now.comparisons]
    for name, codes in session.conditional.items():
        column = names.index(name)
        groups = np.array([level.among for level in reversed(now.comparisons[column].levels)])
        for side in (m, u):
            side[column] = side[column].copy()
            for group in sorted(set(groups[codes].tolist())):
                those = codes[groups[codes] == group]
                side[column][those] /= side[column][those].sum()
    return replace(now, m=tuple(m), u=tuple(u))


def _counted(codes: Codes, weights: Numbers, one: Comparison) -> Numbers:
    there = codes >= 0
    return np.bincount(codes[there], weights=weights[there], minlength=len(one.levels)).astype(np.float64)


def _pulled(one: Comparison, counted: Numbers, side: str, strength: float) -> Numbers:
    """Shares of the counts within each group of levels, pulled towards the prior; then levels like others."""
    levels = list(reversed(one.levels))
    prior = np.array([getattr(level, side) for level in levels])
    own = np.array([level.like is None for level in levels])
    groups = np.array([level.among for level in levels])
    shares = prior.copy()
    for group in sorted(set(groups.tolist())):
        free = (groups == group) & own
        expected = prior[free] / prior[free].sum()
        total = counted[free].sum()
        shares[free] = np.maximum((counted[free] + strength * expected) / (total + strength), LEAST * prior[free])
    return _likened(one, shares, side)


def _likened(one: Comparison, shares: Numbers, side: str) -> Numbers:
    """The levels that are like another get its share; the bits come off the m."""
    shares = shares.copy()
    for level in one.levels:
        if level.like is not None:
            shares[one.code_of(level.name)] = shares[one.code_of(level.like)] * (
                2.0**-level.bits if side == "m" else 1.0
            )
    return shares


def _significant(values: Numbers) -> Numbers:
    return np.array([float(f"{value:.8g}") for value in values])
