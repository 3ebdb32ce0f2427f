"""Missed and false links by group: from a truth, from clerks, or from the linked worlds. See `rates` for the numbers.

Nothing here decides who is who, and no table with more than counts leaves it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused, NotFound
from riskmodel.linkage.people import People
from riskmodel.linkage.pooling import Measured, pooled
from riskmodel.linkage.rates import GroupLinks, LinkRate, LinkRates, Numbers, Source, not_estimable, rate, ratio

EVERYBODY: Final = "everybody"
UNKNOWN: Final = "unknown"


def rates_from_truth(links: pa.Table, truth: pa.Table, *, by: str) -> LinkRates:
    """Missed and false links where it is known who is who.

    Parameters
    ----------
    links : Arrow table of LINKS (agency, person_key, entity_id)
    truth : Arrow table with agency, person_key, ``person`` and the column `by`

    Examples
    --------
    Twenty people with a record each at two agencies; one pair was not linked.

    >>> keys = [f"{n}" for n in range(20)] * 2
    >>> where = {"agency": ["police"] * 20 + ["health"] * 20, "person_key": keys}
    >>> links = pa.table(where | {"entity_id": [*range(20), *range(19), 99]})
    >>> truth = pa.table(where | {"person": keys, "sex": ["female"] * 40})
    >>> found = rates_from_truth(links, truth, by="sex").of("female")
    >>> found.missed.value, found.missed.people, found.false.value, found.false.people
    (0.05, 20, 0.0, 19)
    """
    return summed(counted_halves(links, truth, by), by, "truth")


def rates_from_worlds(people: People, *, by: str) -> LinkRates:
    """Missed and false links as the linkage's own doubt has them: each drawn world in turn is taken for the truth.

    The mean over worlds is what the match probabilities expect; its variance is within worlds and between them
    (`pooling`). It knows nothing of people whose records have nothing in common: labels or a truth say more.

    Parameters
    ----------
    people : People, linked with draws
    by : "sex" or "ethnicity", as agreed on in the best linkage

    Raises
    ------
    DataRefused : fewer than two draws
    """
    if people.draws < 2:
        raise DataRefused(
            "draws-missing",
            found=f"people linked with {people.draws} draws",
            expected="at least 2 linked worlds",
            repair="Link with draws=20.",
        )
    groups = grouped(people, by)
    links = People(people.store, people.result).links
    taken = []
    for number in range(people.draws):
        world = people.drawn(number).links.select(["agency", "person_key", "entity_id"])
        truth = query("SELECT g.*, w.entity_id AS person FROM g JOIN w USING (agency, person_key)", g=groups, w=world)
        taken.append(summed(counted_halves(links, truth, by), by, "worlds"))
    names = [one.group for one in taken[0].groups]
    return LinkRates(
        by,
        "worlds",
        _pooled_group([one.everybody for one in taken]),
        tuple(_pooled_group([one.of(name) for one in taken]) for name in names),
    )


def grouped(people: People, by: str) -> pa.Table:
    """agency, person_key and the group of the person that each record belongs to in the best linkage.

    Raises
    ------
    NotFound : persons have no such column
    """
    best = People(people.store, people.result)
    known = [name for name in best.persons.column_names if name not in ("entity_id", "known_at")]
    if by not in known:
        raise NotFound(
            "column-missing", found=f"no {by!r} of persons", expected=", ".join(known), repair="Group by one of these."
        )
    sql = f'SELECT l.agency, l.person_key, p."{by}" FROM l JOIN p USING (entity_id)'
    return query(sql, l=best.links, p=best.persons)


def counted_halves(links: pa.Table, truth: pa.Table, by: str) -> pa.Table:
    """For each record: its group, its person and joined person, and half its true, linked and truly linked pairs."""
    return query(
        f"""WITH joined AS (
                SELECT coalesce(t."{by}"::VARCHAR, '{UNKNOWN}') AS group_name, t.person, l.entity_id FROM l
                JOIN t ON l.agency = t.agency AND l.person_key = t.person_key
            )
            SELECT group_name, hash(person) AS person, hash(entity_id) AS entity,
                   (count(*) OVER (PARTITION BY person) - 1) / 2 AS true_pairs,
                   (count(*) OVER (PARTITION BY entity_id) - 1) / 2 AS linked_pairs,
                   (count(*) OVER (PARTITION BY person, entity_id) - 1) / 2 AS both_pairs
            FROM joined""",
        l=links,
        t=truth,
    )


def summed(halves: pa.Table, by: str, source: Source) -> LinkRates:
    """The rates of each group from `counted_halves`, or from judged pairs in the same form."""
    groups = sorted(halves.column("group_name").unique().to_pylist())
    everybody = _group(halves, EVERYBODY)
    return LinkRates(by, source, everybody, tuple(_group(_those(halves, group), group) for group in groups))


def _those(halves: pa.Table, group: str) -> pa.Table:
    return halves.filter(pc.equal(halves.column("group_name"), group))


def _group(halves: pa.Table, name: str) -> GroupLinks:
    missed = _by_unit(halves, "person", "true_pairs")
    false = _by_unit(halves, "entity", "linked_pairs")
    return GroupLinks(name, halves.num_rows, ratio(*missed), ratio(*false))


def _by_unit(halves: pa.Table, unit: str, below: str) -> tuple[Numbers, Numbers]:
    """Pairs in error and pairs below the line, for each person who has any."""
    sql = (
        f"SELECT sum({below} - both_pairs) AS y, sum({below}) AS x FROM h GROUP BY {unit} HAVING x > 0 ORDER BY {unit}"
    )
    found = query(sql, h=halves)
    return found.column("y").to_numpy().astype(np.float64), found.column("x").to_numpy().astype(np.float64)


def _pooled_group(worlds: Sequence[GroupLinks]) -> GroupLinks:
    missed = _pooled_rate([one.missed for one in worlds])
    return GroupLinks(worlds[0].group, worlds[0].records, missed, _pooled_rate([one.false for one in worlds]))


def _pooled_rate(worlds: Sequence[LinkRate]) -> LinkRate:
    pairs = math.fsum(one.pairs for one in worlds) / len(worlds)
    people = min(one.people for one in worlds)
    taken = [Measured(one.value, one.variance) for one in worlds if one.value is not None and one.variance is not None]
    if len(taken) < len(worlds):
        return not_estimable(pairs, people)
    found = pooled(taken)
    if found.value is None or found.within is None or found.between is None:
        return not_estimable(pairs, people)
    variance = found.within + (1 + 1 / found.draws) * found.between
    return rate(found.value, variance, pairs, people)
