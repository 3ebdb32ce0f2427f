"""The A&E minimum data set on violence: site, arrival, method and place of each assault, and nobody's name.

The truth: every injury by violence that the desk writes down as one is asked four questions more, and four answers in
five are complete enough to be sent (`COMPLETE`). A partner's violence happens at home; of the rest 45 in 100 happen at
home and the others at another address of the same small area. Knives are used in 9 of 100 assaults on men under 30 and
in 3 of 100 on others. The set is sent without names, so it says where and how, never who.

A naive analyst who adds it to the trust's other records counts each injury twice; one who maps only what police
recorded misses the places where people are hurt and nobody calls.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import Sightings
from riskmodel.world.facts import DAY, Facts, kind_number
from riskmodel.world.people import MALE, YEAR, Population, Real
from riskmodel.world.places import District
from riskmodel.world.records import moments, numbered

COMPLETE: Final = 0.8
AT_HOME: Final = 0.45
KNIFE_YOUNG_MEN, KNIFE_OTHERS = 0.09, 0.03
METHODS: Final = ("unarmed_assault", "knife_assault", "blunt_object_assault", "glass_assault", "unknown_assault")
_OTHER_METHODS: Final = (0.70, 0.08, 0.07, 0.15)  # unarmed, blunt object, glass, not said; of those without a knife
SITES: Final = ("RX100", "RX200")
_AFTER_ABUSE: Final = DAY  # who was abused by a partner within a day before was hurt at home


def assaults(
    random: np.random.Generator, facts: Facts, people: Population, places: District, seen: Sightings, block: int
) -> tuple[pa.Table, pa.Table]:
    """The minimum set of one block, and which true injury each row is.

    Returns
    -------
    table : standard event fields and SITE, without a person, in order of recording
    truth : event_key, fact (place in the block's facts), at_home
    """
    mine = np.flatnonzero(facts.kind[seen.fact] == kind_number("injury_by_violence"))
    mine = mine[random.random(len(mine)) < COMPLETE]
    fact, recorded = seen.fact[mine], seen.recorded[mine]
    person, at = facts.person[fact], facts.at[fact]
    at_home = (random.random(len(fact)) < AT_HOME) | _abused_before(facts, fact)
    home = facts.dwelling[fact]
    first = np.searchsorted(places.area, places.area[home], side="left")
    count = np.searchsorted(places.area, places.area[home], side="right") - first
    place = np.where(at_home, home, first + (random.random(len(fact)) * count).astype(np.int64))
    method = _method(random, people.sex[person] == MALE, (at // DAY - people.born[person]) / YEAR)
    site = places.force[places.area[home]]
    key = numbered(f"HV{block:04d}", random.permutation(len(fact)), 7)
    table = pa.table(
        {
            "event_key": key,
            "SITE": pa.array(SITES, pa.string()).take(pa.array(site)),
            "happened_at": moments(at),
            "recorded_at": moments(recorded),
            "kind": pa.array(METHODS, pa.string()).take(pa.array(method)),
            "address": pa.array(places.address[place], pa.string()),
            "postcode": pa.array(places.postcode[place], pa.string()),
        }
    )
    return table, pa.table({"event_key": key, "fact": fact, "at_home": at_home})


def _abused_before(facts: Facts, fact: np.ndarray) -> np.ndarray:
    """Which injuries follow abuse of the same person by a partner within a day."""
    abuse = np.flatnonzero(facts.kind == kind_number("domestic_abuse", "victim"))
    scale = np.int64(1) << 32  # minutes of 8,000 years
    minute = DAY // 1440
    moment = np.sort(facts.person[abuse] * scale + facts.at[abuse] // minute)
    until = facts.person[fact] * scale + facts.at[fact] // minute
    since = until - _AFTER_ABUSE // minute
    return np.asarray(np.searchsorted(moment, until, side="right") > np.searchsorted(moment, since, side="left"))


def _method(random: np.random.Generator, male: np.ndarray, age: Real) -> np.ndarray:
    knife = random.random(len(age)) < np.where(male & (age < 30), KNIFE_YOUNG_MEN, KNIFE_OTHERS)
    other = random.choice(np.array([0, 2, 3, 4]), size=len(age), p=_OTHER_METHODS)
    return np.where(knife, 1, other)
