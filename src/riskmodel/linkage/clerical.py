"""Pairs for clerks to judge, and missed and false links from what they judged.

Where nobody knows who is who, people look: a few hundred pairs, drawn so that the doubtful ones come more often than
the sure ones, each with the number of pairs it stands for. Clerks see the agencies' own registers; here only numbers
go in and out. The rates are those of all pairs that were linked or compared: pairs never compared, because they share
nothing that any rule looks at, are in no sample.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel import seeds
from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused, Fault
from riskmodel.linkage.people import People
from riskmodel.linkage.rates import LinkRates
from riskmodel.linkage.rates_by_group import UNKNOWN, grouped, summed

EDGES: Final = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
"""Match probabilities between which pairs are drawn apart: doubt lies in the middle, most pairs at the end."""
LEAST_OF_EACH: Final = 10
_PAIR: Final = ("agency_l", "person_key_l", "agency_r", "person_key_r")


def pairs_to_judge(people: People, pairs: int = 500, *, seed: int = 0) -> pa.Table:
    """Draw pairs of records for clerks.

    Linked pairs, and pairs compared and left apart, are drawn apart, each within steps of the match probability. Each
    step gets pairs by its size and doubt (Neyman 1934: N times the root of p (1 - p)), ten at the least.

    Parameters
    ----------
    people : People, linked by the probabilistic method
    pairs : int, how many to draw, about; all where there are no more
    seed : int

    Returns
    -------
    Arrow table of agency_l, person_key_l, agency_r, person_key_r (the agencies' own numbers), ``probability``,
    ``linked``, ``weight`` (how many pairs this one stands for) and ``match`` (null, for the clerk to fill), in no
    telling order. Show clerks neither probability nor linked.

    Raises
    ------
    DataRefused : people linked by a shared key, which compares nothing
    """
    if "pairs" not in people.result.rows:
        raise DataRefused(
            "pairs-missing",
            found="people linked without comparing pairs",
            expected="people linked by the probabilistic method",
            repair='Link with method="probabilistic".',
        )
    frame = query(_FRAME, links=people.links, pairs=people.result.table("pairs"))
    probability, linked = frame.column("probability").to_numpy(), frame.column("linked").to_numpy(zero_copy_only=False)
    stratum = np.digitize(probability, EDGES) + len(EDGES) * 2 * linked
    strata, sizes = np.unique(stratum, return_counts=True)
    spread = np.array([np.sqrt(np.mean(np.clip(p * (1 - p), 1e-4, None))) for p in _by(probability, stratum, strata)])
    wanted = np.ceil(pairs * sizes * spread / (sizes * spread).sum()).astype(int)
    taken = np.minimum(sizes, np.maximum(wanted, LEAST_OF_EACH))
    random = seeds.stream(seed, "linkage", "pairs to judge")
    rows, weights = [], []
    for one, take, size in zip(strata, taken, sizes, strict=True):
        rows.append(random.choice(np.flatnonzero(stratum == one), take, replace=False))
        weights.append(np.full(take, size / take))
    shuffled = random.permutation(int(taken.sum()))
    drawn = frame.take(pa.array(np.concatenate(rows)[shuffled]))
    drawn = drawn.append_column("weight", pa.array(np.concatenate(weights)[shuffled]))
    return drawn.append_column("match", pa.nulls(drawn.num_rows, pa.bool_()))


def _by(values: np.ndarray, stratum: np.ndarray, strata: np.ndarray) -> list[np.ndarray]:
    return [values[stratum == one] for one in strata]


_FRAME: Final = """
WITH linked AS (
    SELECT a.agency AS agency_l, a.person_key AS person_key_l, b.agency AS agency_r, b.person_key AS person_key_r
    FROM links a JOIN links b ON a.entity_id = b.entity_id AND (a.agency, a.person_key) < (b.agency, b.person_key)
), compared AS (
    SELECT agency_l, person_key_l, agency_r, person_key_r, probability FROM pairs
)
SELECT agency_l, person_key_l, agency_r, person_key_r, coalesce(c.probability, 0.0) AS probability,
       l.agency_l IS NOT NULL AS linked
FROM (SELECT *, true AS there FROM linked) l
FULL JOIN compared c USING (agency_l, person_key_l, agency_r, person_key_r)
ORDER BY 1, 2, 3, 4
"""


def rates_from_labels(people: People, labels: pa.Table, *, by: str) -> LinkRates:
    """Missed and false links, by group, from judged pairs.

    Parameters
    ----------
    people : People
    labels : Arrow table of agency_l, person_key_l, agency_r, person_key_r and ``match`` (bool; null where the clerk
        could not say, which is left out), with ``weight`` where the pairs are a sample (`pairs_to_judge`)
    by : "sex" or "ethnicity", as agreed on in the best linkage; null is the group "unknown"

    Raises
    ------
    DataRefused : columns missing, or records that were not linked
    """
    _check(labels)
    weight = labels.column("weight") if "weight" in labels.column_names else pa.array(np.ones(labels.num_rows))
    judged = labels.select([*_PAIR, "match"]).append_column("weight", pc.cast(weight, pa.float64()))
    judged = judged.filter(pc.is_valid(judged.column("match")))
    best = People(people.store, people.result)
    found = query(_JUDGED, labels=judged, links=best.links, groups=grouped(people, by).rename_columns(
        ["agency", "person_key", "group_name"]))  # fmt: skip
    if found.num_rows < judged.num_rows:
        raise DataRefused(
            "labels-unknown-records",
            found=f"{judged.num_rows - found.num_rows:,} judged pairs with a record that was not linked",
            expected="the agency and the agency's own number of linked records",
            repair="Judge pairs of these records, as pairs_to_judge draws them.",
        )
    return summed(_halves(found), by, "labels")


def _check(labels: pa.Table) -> None:
    missing = [name for name in (*_PAIR, "match") if name not in labels.column_names]
    if missing:
        faults = [Fault(f"labels.{name}", "no such column", "a column of that name", "Add it.") for name in missing]
        raise DataRefused("labels-columns", found=", ".join(one.where for one in faults), expected="judged pairs",
                          repair="Use the table of pairs_to_judge with match filled in.")  # fmt: skip


_JUDGED: Final = f"""
SELECT x.match, x.weight, a.entity_id = b.entity_id AS linked,
       a.agency || chr(31) || a.person_key AS l, b.agency || chr(31) || b.person_key AS r,
       coalesce(g.group_name::VARCHAR, '{UNKNOWN}') AS group_l, coalesce(h.group_name::VARCHAR, '{UNKNOWN}') AS group_r
FROM labels x
JOIN links a ON x.agency_l = a.agency AND x.person_key_l = a.person_key
JOIN links b ON x.agency_r = b.agency AND x.person_key_r = b.person_key
JOIN groups g ON x.agency_l = g.agency AND x.person_key_l = g.person_key
JOIN groups h ON x.agency_r = h.agency AND x.person_key_r = h.person_key
ORDER BY 4, 5
"""


def _halves(found: pa.Table) -> pa.Table:
    """Each judged pair as two halves; pairs that hang together by a record stand or fall together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = found.column("l").to_pylist(), found.column("r").to_pylist()
    number = {key: at for at, key in enumerate(dict.fromkeys([*left, *right]))}
    ends = ([number[key] for key in left], [number[key] for key in right])
    graph = coo_array((np.ones(len(left)), ends), shape=(len(number), len(number)))
    unit = connected_components(graph, directed=False)[1][ends[0]]
    half = found.column("weight").to_numpy() / 2
    match, linked = (found.column(name).to_numpy(zero_copy_only=False) for name in ("match", "linked"))
    one = {"person": unit, "entity": unit, "true_pairs": half * match, "linked_pairs": half * linked,
           "both_pairs": half * (match & linked)}  # fmt: skip
    sides = [pa.table({"group_name": found.column(side), **one}) for side in ("group_l", "group_r")]
    return pa.concat_tables(sides)
