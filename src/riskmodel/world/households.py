"""Who lives where and with whom: households form, split and move, quarter by quarter.

The truth: a household is whoever lives in one dwelling. Couples form and part (sooner where there is abuse), children
grow up and leave, renters move about four times as often as owners, about one move in five crosses a force boundary,
and a dwelling left empty is let again, so an address has earlier occupants. A naive analyst who takes two people at
one address for a household will count foster homes and shared houses as families, and one who keeps only the latest
address finds fewer moves among those whom agencies see least.

Nobody moves twice within a quarter. Days are whole days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.world.people import FEMALE, MALE, YEAR, Population, Real, Whole
from riskmodel.world.places import CHILDRENS_HOME, OWNED, RENTED, SHARED, SOCIAL, District

Mask = npt.NDArray[np.bool_]

NOWHERE: Final = -1
_MOVES_A_YEAR: Final = {OWNED: 0.035, RENTED: 0.17, SOCIAL: 0.07}
_PARTINGS_A_YEAR: Final = 0.022
_COUPLINGS_A_YEAR: Final = 0.07
_LEAVINGS_A_YEAR: Final = ((17.5, 0.0), (19.0, 0.13), (24.0, 0.2), (30.0, 0.25), (45.0, 0.1))
_TAKES_NAME: Final = 0.45


@dataclass(frozen=True, slots=True)
class Residences:
    """Spells of living somewhere: (n_spells,) each; `until` is the first day elsewhere. Sorted by person and day."""

    person: Whole
    dwelling: Whole
    since: Whole
    until: Whole

    def at(self, person: Whole, day: Whole) -> Whole:
        """The dwelling of each person on each day: (n,) int; the nearest spell when the person lived nowhere."""
        scale = 1 << 20
        place = np.searchsorted(self.person * scale + self.since, person * scale + day, side="right") - 1
        first = np.searchsorted(self.person, person, side="left")
        return self.dwelling[np.maximum(place, first)]


@dataclass(slots=True)
class Homes:
    """The state of all homes while the years pass, and the log of every move."""

    people: Population
    places: District
    random: np.random.Generator
    home: Whole = field(init=False)
    partner: Whole = field(init=False)
    former: Whole = field(init=False)  # the last partner, for two years after parting
    parted: Whole = field(init=False)
    moves: list[tuple[Whole, Whole, Whole]] = field(default_factory=list)  # person, dwelling, day
    renamed: list[tuple[Whole, Whole, Whole]] = field(default_factory=list)  # person, new family name, day
    moved: Mask = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.people)
        self.home = np.full(count, NOWHERE)
        self.partner = self.people.partner.copy()
        self.former, self.parted = np.full(count, -1), np.zeros(count, np.int64)
        self.moved = np.zeros(count, np.bool_)

    def settle(self, start: int) -> None:
        """Give every household of the start a dwelling; one young single in three shares a house."""
        people = self.people
        alone = np.bincount(people.household[people.household >= 0], minlength=len(people.household_area)) == 1
        here = np.flatnonzero(people.household >= 0)
        young = alone[people.household[here]] & (people.born[here] > start - 35 * YEAR)
        shares = here[young & (self.random.random(len(here)) < 0.33)]
        rooms = np.flatnonzero(self.places.tenure == SHARED)
        if len(rooms):
            self._arrive(shares, self.random.choice(rooms, len(shares)), np.full(len(shares), start))
        others = here[self.home[here] == NOWHERE]
        group = people.household[others]
        names, inverse = np.unique(group, return_inverse=True)
        target = self.vacant(people.household_area[names])
        # How long they have lived there: most have for years.
        since = start - np.ceil(self.random.exponential(5 * 365.0, len(names))).astype(np.int64)
        since = np.maximum(since[inverse], people.born[others])
        self._arrive(others, target[inverse], since)

    def vacant(self, area: Whole) -> Whole:
        """An empty dwelling in each wanted area, else anywhere; NOWHERE when none is left. No dwelling twice."""
        occupied = np.bincount(self.home[self.home >= 0], minlength=len(self.places.area)) > 0
        free = self.random.permutation(np.flatnonzero(~occupied & (self.places.tenure <= SOCIAL)))
        free = free[np.argsort(self.places.area[free], kind="stable")]
        start = np.searchsorted(self.places.area[free], np.arange(len(self.places.decile) + 1))
        order = np.argsort(area, kind="stable")
        rank = np.empty(len(area), np.int64)
        rank[order] = np.arange(len(area)) - np.searchsorted(area[order], area[order], side="left")
        place = start[area] + rank
        found = place < start[area + 1]
        target = np.where(found, free[np.minimum(place, max(len(free) - 1, 0))] if len(free) else NOWHERE, NOWHERE)
        left = np.setdiff1d(free, target[found], assume_unique=True)
        missing = np.flatnonzero(~found)[: len(left)]
        target[missing] = self.random.permutation(left)[: len(missing)]
        return target

    def elsewhere(self, area: Whole) -> Whole:
        """Where people who live in an area want to move: mostly near, one in ten to the other force's areas."""
        chance = self.random.random(len(area))
        everywhere = self.random.integers(0, len(self.places.decile), len(area))
        force = self.places.force
        anywhere_else = everywhere.copy()
        for side in (0, 1):
            others = np.flatnonzero(force != side)
            mine = force[area] == side
            anywhere_else[mine] = self.random.choice(others, int(mine.sum()))
        return np.where(chance < 0.65, area, np.where(chance < 0.9, everywhere, anywhere_else))

    def go(self, movers: Whole, group: Whole, days: tuple[int, int], tied: Whole | None = None) -> None:
        """Move groups of people to empty dwellings near or far; a group that finds none stays.

        `group` numbers the group of each mover; `tied` gives the dwelling to move to where that is already settled.
        """
        free = ~self.moved[movers]
        movers, group = movers[free], group[free]
        if not len(movers):
            return
        names, first, inverse = np.unique(group, return_index=True, return_inverse=True)
        if tied is None:
            origin = self.places.area[np.maximum(self.home[movers[first]], 0)]
            target = self.vacant(self.elsewhere(origin))
        else:
            target = tied[free][first]
        day = self.random.integers(days[0] + 1, days[1], len(names))
        settled = target[inverse] != NOWHERE
        settled &= (self.people.died[movers] > days[1]) & (self.people.born[movers] <= days[0])
        self._arrive(movers[settled], target[inverse][settled], day[inverse][settled])
        self.moved[movers[settled]] = True

    def pass_quarter(self, days: tuple[int, int], strain: Real, evicted: Mask, away: Mask) -> None:
        """All moves of one quarter: births and deaths, partings, couplings, leaving home, whole households moving.

        Parameters
        ----------
        days : first day of the quarter and of the next
        strain : (n,) recent abuse between partners, hastens parting
        evicted : (n,) bool, served notice last quarter
        away : (n,) bool, in care or in custody: does not move of themselves
        """
        self.moved[:] = False
        quarter = (days[1] - days[0]) / YEAR
        self._part(days, quarter, strain)
        self._pair(days, quarter, away)
        self._leave_home(days, quarter, away)
        self._move_households(days, quarter, evicted, away)
        self._born_and_died(days)

    def residences(self) -> Residences:
        """The log as spells: one a stay, ended by the next move or by death."""
        person, dwelling, since = (np.concatenate([part[at] for part in self.moves]) for at in range(3))
        order = np.lexsort((since, person))
        person, dwelling, since = person[order], dwelling[order], since[order]
        until = np.empty(len(person), np.int64)
        same = person[1:] == person[:-1]
        until[:-1] = np.where(same, since[1:], self.people.died[person[:-1]])
        until[-1] = self.people.died[person[-1]]
        return Residences(person, dwelling, since, until)

    def _arrive(self, person: Whole, dwelling: Whole, day: Whole) -> None:
        changed = self.home[person] != dwelling
        self.home[person] = dwelling
        self.moves.append((person[changed], dwelling[changed], day[changed]))

    def _born_and_died(self, days: tuple[int, int]) -> None:
        people = self.people
        new = np.flatnonzero((people.born >= days[0]) & (people.born < days[1]))
        mothers = people.mother[new]
        placed = self.home[mothers] >= 0
        self._arrive(new[placed], self.home[mothers[placed]], people.born[new[placed]])
        gone = np.flatnonzero((people.died >= days[0]) & (people.died < days[1]))
        self.home[gone] = NOWHERE
        widowed = self.partner[gone]
        self.partner[widowed[widowed >= 0]] = -1
        self.partner[gone] = -1

    def _part(self, days: tuple[int, int], quarter: float, strain: Real) -> None:
        one = np.flatnonzero((self.partner > np.arange(len(self.partner))) & (self.home >= 0))
        rate = _PARTINGS_A_YEAR * (1.0 + 1.6 * np.maximum(strain[one], strain[self.partner[one]]))
        one = one[self.random.random(len(one)) < 1 - np.exp(-rate * quarter)]
        two = self.partner[one]
        first_goes = self.random.random(len(one)) < np.where(self.people.sex[one] == MALE, 0.7, 0.3)
        leaver, stayer = np.where(first_goes, one, two), np.where(first_goes, two, one)
        self.former[leaver], self.former[stayer] = stayer, leaver
        self.parted[leaver], self.parted[stayer] = days[0], days[0]
        self.partner[leaver], self.partner[stayer] = -1, -1
        children = self._children_at_home(leaver[self.people.sex[leaver] == FEMALE], days[0])
        movers = np.concatenate([leaver, children])
        self.go(movers, np.concatenate([leaver, self.people.mother[children]]), days)

    def _children_at_home(self, mothers: Whole, day: int) -> Whole:
        """Children under 18 who live with one of these mothers."""
        mother = self.people.mother
        hers = (mother >= 0) & np.isin(mother, mothers) & (self.people.born > day - 18 * YEAR) & (self.home >= 0)
        return np.flatnonzero(hers & (self.home == self.home[np.maximum(mother, 0)]))

    def _pair(self, days: tuple[int, int], quarter: float, away: Mask) -> None:
        age = (days[0] - self.people.born) / YEAR
        single = (self.partner < 0) & (self.home >= 0) & (age > 19) & (age < 58) & ~away & ~self.moved
        willing = single & (self.random.random(len(age)) < 1 - np.exp(-_COUPLINGS_A_YEAR * quarter))
        women, men = (np.flatnonzero(willing & (self.people.sex == sex)) for sex in (FEMALE, MALE))
        women = women[np.argsort(-self.people.born[women], kind="stable")]
        men = men[np.argsort(-self.people.born[men], kind="stable")]
        count = min(len(women), len(men))
        if not count:
            return
        women, men = women[:count], men[:count]
        kin = (self.people.mother[women] == self.people.mother[men]) & (self.people.mother[women] >= 0)
        kin |= (np.abs(self.people.born[women] - self.people.born[men]) > 15 * YEAR) | (
            self.home[women] == self.home[men]
        )
        women, men = women[~kin], men[~kin]
        self.partner[women], self.partner[men] = men, women
        self._wed(women, men, days)
        with_parents = self._lives_with_parent(women) | (self.places.tenure[self.home[women]] >= CHILDRENS_HOME)
        self.go(men[~with_parents], men[~with_parents], days, tied=self.home[women[~with_parents]])
        brides, grooms = women[with_parents], men[with_parents]
        children = self._children_at_home(brides, days[0])
        leading = np.concatenate([brides, grooms, children])
        self.go(leading, np.concatenate([brides, brides, self.people.mother[children]]), days)

    def _wed(self, women: Whole, men: Whole, days: tuple[int, int]) -> None:
        takes = self.random.random(len(women)) < _TAKES_NAME
        later = days[0] + self.random.integers(90, 1100, int(takes.sum()))
        self.renamed.append((women[takes], self.people.family[men[takes]], later))

    def _lives_with_parent(self, person: Whole) -> Mask:
        mother, father = self.people.mother[person], self.people.father[person]
        with_mother = (mother >= 0) & (self.home[np.maximum(mother, 0)] == self.home[person])
        return np.asarray(with_mother | ((father >= 0) & (self.home[np.maximum(father, 0)] == self.home[person])))

    def _leave_home(self, days: tuple[int, int], quarter: float, away: Mask) -> None:
        age = (days[0] - self.people.born) / YEAR
        grown = np.flatnonzero((age > 17.5) & (age < 45) & (self.home >= 0) & (self.partner < 0) & ~away)
        grown = grown[self._lives_with_parent(grown)]
        ages, rates = zip(*_LEAVINGS_A_YEAR, strict=True)
        leaves = self.random.random(len(grown)) < 1 - np.exp(-np.interp(age[grown], ages, rates) * quarter)
        leavers = grown[leaves]
        rooms = np.flatnonzero(self.places.tenure == SHARED)
        shared = self.random.random(len(leavers)) < (0.35 if len(rooms) else 0.0)
        sharers = leavers[shared]
        if len(sharers):
            self.go(sharers, sharers, days, tied=self.random.choice(rooms, len(sharers)))
        self.go(leavers[~shared], leavers[~shared], days)

    def _move_households(self, days: tuple[int, int], quarter: float, evicted: Mask, away: Mask) -> None:
        tenure = self.places.tenure
        rate = np.zeros(len(tenure))
        for kind, yearly in _MOVES_A_YEAR.items():
            rate[tenure == kind] = yearly
        out = np.zeros(len(tenure), np.bool_)
        out[self.home[evicted & (self.home >= 0)]] = True
        moves = self.random.random(len(tenure)) < 1 - np.exp(-(rate + 1.2 * out) * quarter)
        moves &= np.bincount(self.home[self.home >= 0], minlength=len(tenure)) > 0
        busy = np.zeros(len(tenure), np.bool_)
        busy[self.home[self.moved & (self.home >= 0)]] = True
        movers = np.flatnonzero((self.home >= 0) & (moves & ~busy & (tenure <= SOCIAL))[np.maximum(self.home, 0)])
        self.go(movers, self.home[movers], days)
        lodgers = np.flatnonzero((self.home >= 0) & (tenure[np.maximum(self.home, 0)] == SHARED) & ~away & ~self.moved)
        restless = lodgers[self.random.random(len(lodgers)) < 1 - np.exp(-0.3 * quarter)]
        self.go(restless, restless, days)
