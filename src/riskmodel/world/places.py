"""Small areas, streets and dwellings, under postcodes that no post office knows.

The truth: a block of the world is a district of two police force areas, cut into small areas of about 500 people.
Each area has a deprivation decile (1 most deprived), a tenure mix that follows it, a mix of communities, and an
*enforcement intensity*: how much police work is done there, which follows deprivation only in part. A naive analyst
who reads stops and recorded suspects as offending finds the areas with most police, not those with most harm.

Outward codes begin with Q, V, X or Z and a letter that no British postcode area has; area codes begin with X01.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel import seeds
from riskmodel.world.names import STREET_KINDS, STREETS
from riskmodel.world.settings import DISTRICT, Setting

PEOPLE_PER_AREA: Final = 500
OWNED, RENTED, SOCIAL, CHILDRENS_HOME, SHARED = range(5)

_FIRST_LETTERS: Final = "ZXVQ"
_SECOND_LETTERS: Final = "XYBDFGHLNPRSTW"
_INWARD_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"
_ENFORCEMENT_BY_DECILE: Final = -0.08


@dataclass(frozen=True, slots=True)
class District:
    """The places of one block.

    Attributes
    ----------
    area_code : (n_areas,) str
    decile : (n_areas,) int, 1 most deprived to 10
    force : (n_areas,) int, 0 or 1: which police force covers it
    enforcement : (n_areas,) float, multiplies contact with police; mean about 1
    communities : (n_areas, n_communities) float, shares
    area : (n_dwellings,) int, index of the small area
    tenure : (n_dwellings,) int, OWNED, RENTED, SOCIAL, CHILDRENS_HOME or SHARED
    address, postcode : (n_dwellings,) str
    """

    area_code: npt.NDArray[np.object_]
    decile: npt.NDArray[np.int64]
    force: npt.NDArray[np.int64]
    enforcement: npt.NDArray[np.float64]
    communities: npt.NDArray[np.float64]
    area: npt.NDArray[np.int64]
    tenure: npt.NDArray[np.int64]
    address: npt.NDArray[np.object_]
    postcode: npt.NDArray[np.object_]

    def __repr__(self) -> str:
        return f"District({len(self.decile)} areas, {len(self.area)} dwellings)"


def district(seed: int, block: int, people: int, setting: Setting = DISTRICT) -> District:
    """The places for a block of `people`: one dwelling for two people, so that homes stand empty to move into."""
    random = seeds.stream(seed, "world", block, "places")
    areas = max(3, round(people / PEOPLE_PER_AREA))
    decile = random.choice(np.arange(1, 11), size=areas, p=np.array(setting.deciles))
    enforcement = np.exp(_ENFORCEMENT_BY_DECILE * (decile - 4.0) + 0.35 * random.standard_normal(areas))
    share = np.array(setting.communities)
    communities = random.dirichlet(12.0 * share, size=areas) * 0.6 + 0.4 * share
    force = (np.arange(areas) >= round(0.7 * areas)).astype(np.int64)
    area = np.repeat(np.arange(areas), int(np.ceil(0.5 * people / areas)))
    address, postcode = _addresses(random, block, area)
    codes = np.array([f"X01{block:04d}{number:02d}" for number in range(areas)], object)
    tenure = _tenure(random, decile, area)
    return District(codes, decile, force, enforcement, communities, area, tenure, address, postcode)


def _tenure(
    random: np.random.Generator, decile: npt.NDArray[np.int64], area: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    social = np.interp(decile, [1, 5, 10], [0.48, 0.2, 0.05])[area]
    rented = np.interp(decile, [1, 5, 10], [0.27, 0.22, 0.15])[area]
    chance = random.random(len(area))
    tenure = np.where(chance < social, SOCIAL, np.where(chance < social + rented, RENTED, OWNED))
    kind = random.random(len(area))
    tenure[kind < 0.012] = SHARED
    tenure[kind > 0.9985] = CHILDRENS_HOME
    return tenure


def _addresses(
    random: np.random.Generator, block: int, area: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Streets of about 40 dwellings, a postcode for each 20; every eighth house is cut into flats."""
    addresses, postcodes = np.empty(len(area), object), np.empty(len(area), object)
    letters = _FIRST_LETTERS[block // (14 * 16) % 4] + _SECOND_LETTERS[block % 14]
    for number in range(int(area.max()) + 1):
        homes = np.flatnonzero(area == number)
        streets = -(-len(homes) // 40)
        first = random.permutation(len(STREETS))[:streets]
        last = random.integers(0, len(STREET_KINDS), streets)
        outward = f"{letters}{1 + (block // 14 % 16) * 6 + number // 2 % 6}"
        inward = random.permutation(4 * 400)[: 2 * streets]
        flats = random.random(len(homes)) < 0.12
        for place, home in enumerate(homes.tolist()):
            street, house = divmod(place, 40)
            code = 2 * int(inward[2 * street + house // 20]) + number % 2  # two areas share an outward code
            digit, pair = divmod(code, 400)
            tail = _INWARD_LETTERS[pair // 20] + _INWARD_LETTERS[pair % 20]
            name = f"{house + 1} {STREETS[first[street % len(first)]]} {STREET_KINDS[last[street]]}"
            addresses[home] = f"Flat {1 + place % 6}, {name}" if flats[place] else name
            postcodes[home] = f"{outward} {digit}{tail}"
    return addresses, postcodes
