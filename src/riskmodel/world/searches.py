"""What comes of stop and search: police write down where something was found, in a file of its own.

The truth: a search finds something with the share of its group (`FOUND`), a little more often where the person's latent
strain is high and less often where more is searched, because more searches reach people who look less likely to carry
anything. The shares are lowest for the groups that are searched most: officers are content with less suspicion of
them. That is the bar which outcome and threshold tests look for (`bars`). What is found changes nothing later.

A naive analyst who takes finds for carrying finds that whoever is searched more carries more: of 1,000 people of a
group, more are found with something simply because more were looked at. One who compares the share of searches that
find something sees the bar, and with it also whatever else differs between the people whom officers meet.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import Sightings
from riskmodel.world.facts import DAY, KINDS, OPEN, Facts, kind_number
from riskmodel.world.people import ETHNICITIES, Population, Real, Whole
from riskmodel.world.places import District
from riskmodel.world.records import PREFIX, moments, numbered

FOUND: Final = {"white": 0.27, "black": 0.19, "asian": 0.22, "mixed": 0.21, "other": 0.24}
"""Share of searches that find something, by ethnicity, where strain and enforcement are those of the middle."""
_BY_STRAIN, _BY_ENFORCEMENT = 0.2, -0.25
_MINUTE: Final = DAY // 1440


def find_chance(facts: Facts, people: Population, places: District) -> Real:
    """The true probability that each search finds something: (n,) float; `facts` are searches."""
    share = np.array([FOUND[name] for name in ETHNICITIES])[people.ethnicity[facts.person]]
    strained = np.exp(_BY_STRAIN * people.vulnerability[facts.person])
    looked_for = places.enforcement[places.area[facts.dwelling]] ** _BY_ENFORCEMENT
    return np.minimum(share * strained * looked_for, 0.9)


def finds(
    random: np.random.Generator, lives: Facts, seen: Sightings, people: Population, places: District
) -> tuple[Facts, Whole, Whole]:
    """What recorded searches found: the facts, the sighting of each one's search, and when it was written down."""
    searched = np.flatnonzero(lives.kind[seen.fact] == kind_number("stop_search"))
    searches = lives.take(seen.fact[searched])
    hit = random.random(len(searched)) < find_chance(searches, people, places)
    found = searches.take(np.flatnonzero(hit))
    later = random.integers(5, 600, len(found)) * _MINUTE
    number = np.full(len(found), kind_number("found_in_search"))
    facts = Facts(found.person, number, found.at, np.full(len(found), OPEN), found.value, found.dwelling)
    return facts, searched[hit], seen.recorded[searched[hit]] + later


def find_table(
    random: np.random.Generator, facts: Facts, owner: np.ndarray, recorded: Whole, end: int, block: int
) -> tuple[pa.Table, pa.Table]:
    """The rows of the police's file of finds in standard fields, in order of recording, and the truth of every key.

    Parameters
    ----------
    owner : (n,) of str, the police's number of each person
    recorded : (n,) int, microseconds
    end : int, the first day after the world
    """
    order = np.lexsort((facts.person, recorded))
    order = order[recorded[order] < end * DAY]
    key = numbered(f"{PREFIX['police']}F{block:04d}", random.permutation(len(order)), 7)
    rows = pa.table(
        {
            "event_key": key,
            "person_key": pa.array(owner[order], pa.string()),
            "happened_at": moments(facts.at[order]),
            "recorded_at": moments(recorded[order]),
            "kind": pa.array([KINDS[number][0] for number in facts.kind[order]], pa.string()),
            "role": pa.array(["subject"] * len(order), pa.string()),
        }
    )
    false = np.zeros(len(order), np.bool_)
    columns = {"event_key": key, "fact": order, "late": false, "corrected": false, "mistaken": false}
    return rows, pa.table({"agency": pa.array(["police"] * len(order), pa.string()), **columns})
