"""What the fire and rescue service attends: fires set, fires that start by accident, and visits to homes.

The truth: every arson of `lives` is a deliberate fire at the same address and moment, attended in nine cases of ten,
and nobody is named. Dwelling fires start by accident at 1.1 a year for 1,000 homes, more where people are poorer
(`_FIRES_BY_DECILE`); an adult of the home is named in half of them. Crews visit 20 homes a year in 1,000 to fit smoke
alarms, twice as many in the most deprived areas, and every second home within two months of a fire. Police write down
95 of 100 arsons and the service 90, each for reasons of its own.

A naive analyst who adds the two services' fires counts most of them twice; one who joins records by person alone
loses every deliberate fire, because an address is all that it names; one who reads visits as a sign of danger finds
the service's own choice of whom to visit.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from riskmodel.world.facts import DAY, Facts, Log, in_office_hours, kind_number, pairs
from riskmodel.world.hazards import drawn
from riskmodel.world.households import Residences
from riskmodel.world.lives import Lives
from riskmodel.world.people import YEAR, Population, Real, Whole
from riskmodel.world.places import District

_FIRES_A_YEAR: Final = 0.0011
_FIRES_BY_DECILE: Final = (1.7, 0.5)  # in the most and the least deprived tenth of areas
_VISITS_A_YEAR: Final = 0.02
_VISITS_BY_DECILE: Final = (2.0, 0.7)
_VISITED_AFTER_FIRE: Final = 0.5
_NAMED: Final = 0.5


def fires_and_visits(random: np.random.Generator, people: Population, places: District, lives: Lives) -> Facts:
    """All that the service attends in a block."""
    start, end = int(lives.quarters[0]), int(lives.quarters[-1])
    log = Log()
    arson = lives.facts.kind == kind_number("arson", "victim")
    at, place = lives.facts.at[arson], lives.facts.dwelling[arson]
    log.add(kind_number("deliberate_fire"), np.full(len(at), -1), at, place, at + _minutes(random, len(at), 30, 240))
    began, home = _drawn_at_homes(random, places, _FIRES_A_YEAR, _FIRES_BY_DECILE, start, end)
    occupier, there = _occupier(random, people, lives.residences, home, began)
    began, home, occupier = began[there], home[there], occupier[there]
    named = np.where(random.random(len(began)) < _NAMED, occupier, -1)
    log.add(kind_number("house_fire"), named, began, home, began + _minutes(random, len(began), 20, 180))
    visited, doors = _drawn_at_homes(random, places, _VISITS_A_YEAR, _VISITS_BY_DECILE, start, end)
    after = random.random(len(at) + len(began)) < _VISITED_AFTER_FIRE
    moments, burnt = np.concatenate([at, began])[after], np.concatenate([place, home])[after]
    visited = np.concatenate([visited, moments + _minutes(random, len(moments), 1440, 60 * 1440)])
    doors = np.concatenate([doors, burnt])
    opens, there = _occupier(random, people, lives.residences, doors, visited)
    log.add(kind_number("fire_safety_visit"), opens[there], in_office_hours(visited[there]), doors[there])
    return log.facts(end)


def _minutes(random: np.random.Generator, count: int, least: int, most: int) -> Whole:
    return random.integers(least, most, count) * (DAY // 1440)


def _drawn_at_homes(
    random: np.random.Generator, places: District, yearly: float, by_decile: tuple[float, float], start: int, end: int
) -> tuple[Whole, Whole]:
    """Moments and dwellings of Poisson events at every dwelling of the block, lived in or not."""
    rate: Real = yearly * np.interp(places.decile, [1, 10], by_decile)[places.area]
    _, home = drawn(random, (rate * (end - start) / YEAR)[None, :])
    return start * DAY + random.integers(0, (end - start) * 1440, len(home)) * (DAY // 1440), home


def _occupier(
    random: np.random.Generator, people: Population, homes: Residences, dwelling: Whole, at: Whole
) -> tuple[Whole, np.ndarray]:
    """One adult who lives there on the day, -1 where none does; and whether there is one."""
    event, spell = pairs(dwelling, homes.dwelling)
    day = at[event] // DAY
    grown = people.born[homes.person[spell]] < day - 18 * YEAR
    here = np.flatnonzero((homes.since[spell] <= day) & (day < homes.until[spell]) & grown)
    here = random.permutation(here)
    who = np.full(len(dwelling), -1)
    who[event[here]] = homes.person[spell[here]]
    return who, who >= 0
