"""Linked worlds: several clusterings drawn from the match probabilities, so that doubt about who is who is carried on.

One clustering says who is who as if it were certain. Here the same question is answered K times by chance, each time as
a whole world in which everybody is somebody. Links are correlated - if a is b and b is c, then a is c - so they are
drawn within connected groups of records, in this way:

1. Matches are taken from the most to the least probable, as in `clusters`, but in an order of this world: each has a
   throw of Gumbel's distribution on its log-odds, one throw for all matches between the same two people. So where a
   record suits two people, but can be only one of them, each comes first as often as its odds say (Luce 1959), to a
   power: the evidence on two people of one home is mostly the same evidence (`RIVALRY`).
2. When a match is between two people so far different, *one* coin is thrown for those two people, with the probability
   that all the evidence on both gives (`evidence`), and for a single record how seldom records are left alone. Heads,
   they are one person. Tails, they are two, and stay two: whoever joins either of them later does not join the other.
   A record that is alone in the best clustering is also asked about matches too weak to be kept for anything else: of
   many such, one in a hundred each, some are right.
3. What was learned of the records is wrong for all of them together. So each world has an error of its own, the same on
   the log-odds of all its coins (`COMMON`); without it worlds differ by luck alone, and too little.
4. The repair of `clusters` holds in every world: an impossible person (two birth dates, twins) is never made.

Groups in which every match is at least `SURE` are the same in all worlds. This is a sequential sampler of coreference
partitions (Sadinle 2014, and Steorts, Hall and Fienberg 2016, sample the same object by Markov chains); the draws are
a posterior only as far as the match probabilities are. `COMMON` and `RIVALRY` were set once, on synthetic societies of
which the truth is known and in which nothing is judged (benchmarks/linkage/RESULTS.md says which); the mean of the
common error makes up for pairs that were never compared, of which no match probability knows.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel import seeds
from riskmodel.linkage.clusters import Clusters, Facts, clustered
from riskmodel.linkage.evidence import Evidence, alone

SURE: Final = 0.999
"""A group of records in which every match is at least this probable is not drawn again."""
LEAST: Final = 0.001
"""Matches less probable than this are in no world."""
ALONE: Final = 0.01
"""Matches less probable than this are asked for records alone."""
COMMON: Final = (0.5, 0.7)
"""Mean and standard deviation, between worlds, of the error on the log-odds that all joins of a world share."""
RIVALRY: Final = 1.5
"""The odds between two people whom one record suits are taken to the power of one over this."""


def drawn(
    facts: list[Facts],
    evidence: Evidence,
    matches: pa.Table,
    best: Clusters,
    *,
    draws: int,
    seed: int,
    common: tuple[float, float] = COMMON,
) -> list[Clusters]:
    """Draw clusterings.

    Parameters
    ----------
    facts : what each record says of name and birth
    evidence : the matches as evidence
    matches : matches as an Arrow table (l, r, probability), also those far below any threshold, from `LEAST` on
    best : the single best clustering, kept where there is no doubt
    common : mean and standard deviation of the error that the joins of one world share, on their log-odds
    draws, seed : int; the same seed gives the same draws, and the first of many draws are those of few

    Returns
    -------
    list of `draws` Clusters over the same records
    """
    if not draws:
        return []
    matches = _asked(matches, best)
    left, right, probability = (matches.column(name).to_numpy() for name in ("l", "r", "probability"))
    records, edges = doubtful(left, right, probability, len(facts))
    place = np.full(len(facts), -1, np.int64)
    place[records] = np.arange(len(records))
    columns = {"l": place[left[edges]], "r": place[right[edges]], "probability": probability[edges]}
    agency = [evidence.agency[at] for at in records.tolist()]
    table = pa.table(columns)
    found = Evidence.of(agency, table)
    _, sizes = np.unique(best.of, return_counts=True)
    # the agencies' shares and the sizes of people are those among all records
    found = Evidence(found.pairs, agency, evidence.agencies, alone(sizes.tolist()))
    mine = [facts[at] for at in records.tolist()]
    rivals = _rivals(found.pairs, table, len(records))
    odds = np.array(list(found.pairs.values()))
    worlds = []
    for number in range(draws):
        random = seeds.stream(seed, "linkage", "draw", number)
        coins = random.random(len(edges))
        order = np.argsort(-odds - RIVALRY * random.gumbel(size=len(edges))[rivals], kind="stable")
        least = _against(coins, random.normal(*common)).tolist()
        worlds.append(_spread(best, records, clustered(mine, found.in_order(order.tolist()), least)))
    return worlds


def _asked(matches: pa.Table, best: Clusters) -> pa.Table:
    """The matches that coins are thrown for: those worth keeping, and weaker ones of records that are alone."""
    size = np.bincount(best.of, minlength=len(best.of))[best.of]
    left, right, probability = (matches.column(name).to_numpy() for name in ("l", "r", "probability"))
    return matches.filter(pa.array((probability >= ALONE) | (size[left] == 1) | (size[right] == 1)))


def _against(coins: npt.NDArray[np.float64], shift: float) -> npt.NDArray[np.float64]:
    """What a chance has to reach, for each coin, when the log-odds of all chances are too low by `shift`.

    Examples
    --------
    A coin that showed .8 is four to one; with odds that are four times as high in truth, evens are enough.

    >>> _against(np.array([0.8, 0.2]), math.log(4)).round(3).tolist()
    [0.5, 0.059]
    """
    return np.asarray(coins / (coins + (1.0 - coins) * math.exp(shift)))


def _rivals(pairs: Collection[tuple[int, int]], matches: pa.Table, records: int) -> npt.NDArray[np.int64]:
    """For each match a number that it shares with the others between the same two people, going by sure matches."""
    if not pairs:
        return np.zeros(0, np.int64)
    left, right = np.array(list(pairs)).T
    sure = matches.filter(pc.greater_equal(matches.column("probability"), SURE))
    person = _components(sure.column("l").to_numpy(), sure.column("r").to_numpy(), records)
    one, other = np.minimum(person[left], person[right]), np.maximum(person[left], person[right])
    return np.unique(one.astype(np.int64) * records + other, return_inverse=True)[1]


def doubtful(
    left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], probability: npt.NDArray[np.float64], records: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The records of connected groups with at least one unsure match, and the places of these groups' matches.

    Examples
    --------
    >>> records, edges = doubtful(np.array([0, 2]), np.array([1, 3]), np.array([0.5, 0.9999]), 5)
    >>> records.tolist(), edges.tolist()
    ([0, 1], [0])
    """
    group = _components(left, right, records)
    unsure = np.zeros(records, bool)
    unsure[group[left[probability < SURE]]] = True
    return np.flatnonzero(unsure[group]), np.flatnonzero(unsure[group[left]])


def _components(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], records: int) -> npt.NDArray[np.int64]:
    """(records,) the number of the connected group of each record."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(records, records))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _spread(best: Clusters, records: npt.NDArray[np.int64], world: Clusters) -> Clusters:
    """A world of the doubtful records, with everybody else as in the best clustering."""
    of, held = best.of.copy(), best.held_by.copy()
    of[records], held[records] = records[world.of], world.held_by
    return Clusters(of, held, world.refused)
