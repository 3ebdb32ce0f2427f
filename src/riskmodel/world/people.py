"""Who there is: people in families, their parents, names, and the strains and supports nobody can see.

The truth: every person has a latent vulnerability (half of it shared by the family and by the deprivation of the area
the family started in), and one in three has a supportive adult who protects. Neither is in any record. A naive
analyst who compares children of one family, or areas, finds that risk "runs in families": part of that is the shared
latent strain, part is what happens in the home (see `lives`), and records alone cannot tell the two apart.

Days are whole days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel import seeds
from riskmodel.world.names import ETHNICITY_OF, Names, names_of
from riskmodel.world.places import District
from riskmodel.world.settings import DISTRICT, Setting

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

YEAR: Final = 365.2425
FEMALE, MALE = 0, 1
ETHNICITIES: Final = ("white", "black", "asian", "mixed", "other")
_BIRTHS_A_YEAR: Final = 0.0115
_SUPPORTED: Final = 0.34

TYPES: Final = (
    (19, 34, False, False),
    (30, 65, False, False),
    (62, 92, False, False),
    (21, 45, True, False),
    (50, 86, True, False),
    (24, 56, True, True),
    (21, 52, False, True),
)
"""Household types at the start: age range of the first adult, whether there is a second one, whether children."""
_CHILDREN_OF_COUPLE: Final = np.array([0.36, 0.40, 0.16, 0.06, 0.02])
_CHILDREN_OF_ONE: Final = np.array([0.48, 0.34, 0.13, 0.05])


@dataclass(frozen=True, slots=True)
class Population:
    """Everyone who lives in one block at any time, born before the start or during the span.

    Attributes
    ----------
    born, died : (n,) int, days; `died` lies far ahead for whoever outlives the world
    sex, community, ethnicity : (n,) int; ethnicity indexes ETHNICITIES
    given, family : (n,) int, names as indices into the world's vocabulary
    mother, father : (n,) int, index of the person, -1 where unknown
    partner : (n,) int, index of the partner at the start, -1 without one
    household : (n,) int, household at the start, -1 for whoever is born later
    household_area : (n_households,) int
    vulnerability : (n,) float, mean 0, standard deviation about 1
    supported : (n,) bool, has a supportive adult
    """

    born: Whole
    died: Whole
    sex: Whole
    community: Whole
    ethnicity: Whole
    given: Whole
    family: Whole
    mother: Whole
    father: Whole
    partner: Whole
    household: Whole
    household_area: Whole
    vulnerability: Real
    supported: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.born)

    def __repr__(self) -> str:
        return f"Population({len(self)} people, {len(self.household_area)} households at the start)"


def population(
    seed: int, block: int, people: int, places: District, start: int, end: int, setting: Setting = DISTRICT
) -> Population:
    """Draw the people of a block: `people` in all, about a ninth of them born during an eleven-year span."""
    random = seeds.stream(seed, "world", block, "people")
    at_start = people - round(people * (1 - 1 / (1 + _BIRTHS_A_YEAR * (end - start) / YEAR)))
    homes = _households(random, at_start, places, start, setting)
    community = homes.community[homes.household].copy()
    stray = (homes.child_of < 0) & (random.random(at_start) < 0.06)
    community[stray] = random.integers(0, len(ETHNICITY_OF), int(stray.sum()))
    mother = np.where(homes.child_of >= 0, homes.first_adult[homes.household], -1)
    father = np.where(homes.child_of >= 0, homes.second_adult[homes.household], -1)
    swapped = (mother >= 0) & (homes.sex[mother] == MALE)
    mother, father = np.where(swapped, father, mother), np.where(swapped, mother, father)
    father = _absent_fathers(random, homes, mother, father)
    later = _births(random, homes, people - at_start, start, end)
    mother = np.concatenate([mother, later.mother])
    father = np.concatenate([father, homes.partner[later.mother]])
    household = np.concatenate([homes.household, np.full(len(later.mother), -1)])
    origin = np.where(household >= 0, household, homes.household[np.maximum(mother, 0)])
    child = mother >= 0
    inherited = np.where(random.random(people) < 0.5, mother, np.where(father >= 0, father, mother))
    community = np.concatenate([community, np.zeros(len(later.mother), np.int64)])
    community = np.where(child, community[np.maximum(inherited, 0)], community)
    born = np.concatenate([homes.born, later.born])
    sex = np.concatenate([homes.sex, later.sex])
    names = names_of(seed)
    family_name = _family_names(names.draw_family(random, community), random, mother, father, homes)
    strain = 0.6 * random.standard_normal(len(homes.area))[origin] + 0.72 * random.standard_normal(people)
    strain += 0.1 * (4.3 - places.decile[homes.area][origin])
    died = _deaths(random, born, sex, start)
    np.maximum.at(died, later.mother, later.born + 30)  # a mother lives to see her child
    return Population(
        born=born,
        died=died,
        sex=sex,
        community=community,
        ethnicity=_ethnicity(community, mother, father),
        given=_given_names(random, names, sex, community, born, mother, father),
        family=family_name,
        mother=mother,
        father=father,
        partner=np.concatenate([homes.partner, np.full(len(later.mother), -1)]),
        household=household,
        household_area=homes.area,
        vulnerability=strain,
        supported=random.random(people) < _SUPPORTED,
    )


@dataclass(frozen=True, slots=True)
class _Homes:
    household: Whole
    child_of: Whole  # 0-based number of the child in the household, -1 for an adult
    born: Whole
    sex: Whole
    partner: Whole
    first_adult: Whole
    second_adult: Whole
    area: Whole
    community: Whole


@dataclass(frozen=True, slots=True)
class _Births:
    mother: Whole
    born: Whole
    sex: Whole


def _households(random: np.random.Generator, people: int, places: District, start: int, setting: Setting) -> _Homes:
    """Households until the given number of people is reached; the last ones are single adults."""
    count = people  # more than can be needed; cut below
    types = np.array(TYPES)
    kind = random.choice(len(types), size=count, p=np.array(setting.households))
    children = np.where(
        kind == 5,
        1 + random.choice(5, size=count, p=_CHILDREN_OF_COUPLE),
        np.where(kind == 6, 1 + random.choice(4, size=count, p=_CHILDREN_OF_ONE), 0),
    )
    paired = types[kind, 2] > 0
    size = 1 + paired + children
    whole = int(np.searchsorted(np.cumsum(size), people, side="right"))
    singles = people - int(size[:whole].sum())
    kind, children, paired = kind[: whole + singles], children[: whole + singles], paired[: whole + singles]
    kind[whole:], children[whole:], paired[whole:] = 1, 0, False
    size = 1 + paired + children
    household = np.repeat(np.arange(len(size)), size)
    first = np.cumsum(size) - size
    member = np.arange(people) - first[household]
    second_adult = np.where(paired, first + 1, -1)
    child_of = np.where(member > paired[household], member - 1 - paired[household], -1)
    age = types[kind, 0] + random.random(len(size)) * (types[kind, 1] - types[kind, 0])
    years_old = age[household] + np.where(member == 1, random.normal(-1.5, 4.0, people), 0.0)
    # Children spread over the years in which the first adult was 17 to 43, none older than 21, evenly apart.
    youngest, oldest = np.maximum(age - 43.0, 0.05)[household], np.minimum(age - 17.0, 21.0)[household]
    place = (child_of + 0.2 + 0.6 * random.random(people)) / np.maximum(children, 1)[household]
    child_age = youngest + place * (oldest - youngest)
    second = np.clip(years_old, age[household] - 3.0, age[household] + 9.0)
    years_old = np.where(child_of >= 0, child_age, np.clip(np.where(member == 1, second, years_old), 18.2, 98.0))
    sex = _sexes(random, household, member, kind, paired)
    partner = np.full(people, -1)
    partner[first[paired]], partner[first[paired] + 1] = first[paired] + 1, first[paired]
    area = random.integers(0, len(places.decile), len(size))
    mix = np.cumsum(places.communities, axis=1)[area]
    community = (random.random(len(size))[:, None] > mix).sum(axis=1).clip(max=len(ETHNICITY_OF) - 1)
    born = start - np.ceil(years_old * YEAR).astype(np.int64)
    return _Homes(household, child_of, born, sex, partner, first, second_adult, area, community)


def _sexes(
    random: np.random.Generator, household: Whole, member: Whole, kind: Whole, paired: npt.NDArray[np.bool_]
) -> Whole:
    """Couples are a woman and a man but for one in forty; nine lone parents of ten are mothers."""
    sex = (random.random(len(household)) < 0.51).astype(np.int64)
    adult = member == 0
    lone = adult & (kind[household] == 6)
    sex[lone] = (random.random(int(lone.sum())) < 0.1).astype(np.int64)
    couple = adult & paired[household]
    sex[couple] = np.where((kind[household] == 5)[couple], FEMALE, sex[couple])
    second = np.flatnonzero(couple) + 1
    same = (random.random(len(second)) < 0.025) & (kind[household][second] != 5)
    sex[second] = np.where(same, sex[second - 1], 1 - sex[second - 1])
    return sex


def _absent_fathers(random: np.random.Generator, homes: _Homes, mother: Whole, father: Whole) -> Whole:
    """Give about half of the lone mothers' children a father who lives elsewhere in the district."""
    lone = np.unique(mother[(mother >= 0) & (father < 0)])
    single = np.flatnonzero((homes.sex == MALE) & (homes.partner < 0) & (homes.child_of < 0))
    chosen = random.permutation(single)[: len(lone)]
    match = np.full(len(homes.born), -1)
    match[lone[: len(chosen)]] = chosen
    guess = np.where((mother >= 0) & (father < 0), match[np.maximum(mother, 0)], -1)
    older = (homes.born - homes.born[np.maximum(guess, 0)]) / YEAR
    plausible = (guess >= 0) & (older > 17) & (older < 50)
    return np.where(plausible, guess, father)


def _births(random: np.random.Generator, homes: _Homes, count: int, start: int, end: int) -> _Births:
    """Births over the span: mothers aged 17 to 42 at the birth, four times as often in a couple; 3 % are twins."""
    born = start + np.sort(random.integers(0, end - start, count))
    women = np.flatnonzero(homes.sex == FEMALE)
    chosen = np.zeros(count, np.int64)
    for number in range(0, count, 25):  # ages move little within 25 births
        days = born[number : number + 25]
        age = (days[0] - homes.born[women]) / YEAR
        weight = np.interp(age, [16.5, 20, 29, 36, 43], [0.0, 0.5, 1.0, 0.6, 0.0])
        weight *= np.where(homes.partner[women] >= 0, 4.0, 1.0)
        total = np.cumsum(weight)
        chosen[number : number + 25] = women[np.searchsorted(total, random.random(len(days)) * total[-1], side="right")]
    # Nobody gives birth twice within ten months: the later birth becomes the twin of the earlier one when close.
    order = np.lexsort((born, chosen))
    for here, there in pairwise(order.tolist()):
        if chosen[here] == chosen[there] and born[there] - born[here] < 300:
            born[there] = born[here]
    twin = random.random(count) < 0.015
    follow = np.flatnonzero(twin[:-1])
    chosen[follow + 1], born[follow + 1] = chosen[follow], born[follow]
    return _Births(chosen, born, (random.random(count) < 0.512).astype(np.int64))


def _family_names(drawn: Whole, random: np.random.Generator, mother: Whole, father: Whole, homes: _Homes) -> Whole:
    """Seven couples of ten share a name; children mostly take the father's where there is one, else the mother's."""
    family = drawn.copy()
    second = homes.second_adult[homes.second_adult >= 0]
    share = second[random.random(len(second)) < 0.7]
    family[share] = family[homes.partner[share]]
    fathers_name = (father >= 0) & (random.random(len(drawn)) < np.where(father >= 0, 0.8, 0.0))
    source = np.where(fathers_name, father, mother)
    for _ in range(2):  # parents first, then those whose parents are themselves children here
        family = np.where(source >= 0, family[np.maximum(source, 0)], family)
    return family


def _given_names(
    random: np.random.Generator, names: Names, sex: Whole, community: Whole, born: Whole, mother: Whole, father: Whole
) -> Whole:
    """Given names; one son in a hundred bears his father's, and no two children of a mother have the same."""
    year = born.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    given = names.draw_given(random, sex, community, year)
    for _ in range(4):
        parents = (mother >= 0) & (given == given[np.maximum(mother, 0)])
        parents |= (father >= 0) & (given == given[np.maximum(father, 0)])
        order = np.lexsort((born, given, mother))
        twice = np.zeros(len(given), np.bool_)
        twice[order[1:]] = (mother[order[1:]] >= 0) & (np.diff(mother[order]) == 0) & (np.diff(given[order]) == 0)
        again = np.flatnonzero(parents | twice)
        given[again] = names.draw_given(random, sex[again], community[again], year[again])
    junior = (sex == MALE) & (father >= 0) & (random.random(len(given)) < 0.01)
    return np.where(junior, given[np.maximum(father, 0)], given)


def _ethnicity(community: Whole, mother: Whole, father: Whole) -> Whole:
    own = np.array([ETHNICITIES.index(word) for word in ETHNICITY_OF])[community]
    known = (mother >= 0) & (father >= 0)
    differ = known & (own[np.maximum(mother, 0)] != own[np.maximum(father, 0)])
    return np.where(differ, ETHNICITIES.index("mixed"), own)


def _deaths(random: np.random.Generator, born: Whole, sex: Whole, start: int) -> Whole:
    """Gompertz deaths (hazard 3e-5 exp(0.094 age) a year, half as much again for men), given alive at the start."""
    age = np.maximum(start - born, 0) / YEAR
    level, slope = 3e-5 * np.where(sex == MALE, 1.3, 0.9), 0.094
    more = np.log1p(-np.log(random.random(len(born))) * slope / (level * np.exp(slope * age))) / slope
    return np.maximum(born, start) + np.ceil(more * YEAR).astype(np.int64) + 1
