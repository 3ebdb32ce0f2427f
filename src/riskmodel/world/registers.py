"""The agencies' registers: whom each agency has a file on, what it says, and when it was last right.

The truth: health registers almost everybody, schools nearly all children, housing the households of social tenants,
children's services the referred child and mostly its parents; police, youth justice and the courts only whom they
dealt with. An entry is made at the first contact and corrected when the agency learns of a move or a new name, which
it often does not. Some people are entered twice, and the two police forces each keep their own entry. A naive analyst
who takes entries for people counts those who move most several times over, and finds them with short histories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.world.agencies import AGENCIES, CORE, Sightings
from riskmodel.world.facts import DAY, Facts, kind_number
from riskmodel.world.households import Residences
from riskmodel.world.lives import Lives
from riskmodel.world.noise import CARELESSNESS
from riskmodel.world.people import YEAR, Population, Whole
from riskmodel.world.places import SOCIAL, District

_SLOTS: Final = 4
"""Entries one agency can have of one person: (which entry, which police force)."""
_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Contacts:
    """The moments at which an agency had to do with a person: (n,) each."""

    agency: Whole
    person: Whole
    slot: Whole
    at: Whole  # microseconds

    def __repr__(self) -> str:
        return f"Contacts({len(self.person)})"


@dataclass(frozen=True, slots=True)
class Register:
    """All entries of all agencies in a block, and the versions of each.

    Attributes
    ----------
    agency, person, slot : (n_entries,) int; sorted by agency, person, slot
    version_entry : (n_versions,) int, position of the entry
    version_at : (n_versions,) int, microseconds, strictly increasing within an entry
    version_dwelling : (n_versions,) int
    version_renamed : (n_versions,) bool, under the name taken last
    """

    agency: Whole
    person: Whole
    slot: Whole
    version_entry: Whole
    version_at: Whole
    version_dwelling: Whole
    version_renamed: np.ndarray

    def __repr__(self) -> str:
        return f"Register({len(self.person)} entries, {len(self.version_at)} versions)"

    def entry_of(self, agency: Whole, person: Whole, slot: Whole) -> Whole:
        """The position of each entry; it must be there."""
        return np.searchsorted(_key(self.agency, self.person, self.slot), _key(agency, person, slot))


def _key(agency: Whole, person: Whole, slot: Whole) -> Whole:
    return (agency * (1 << 32) + person) * _SLOTS + slot


def _starts(column: np.ndarray) -> np.ndarray:
    """Which rows differ from the row before, the first one too: (n,) bool."""
    starts = np.ones(len(column), np.bool_)
    starts[1:] = column[1:] != column[:-1]
    return starts


@dataclass(frozen=True, slots=True)
class Parents:
    """What children's services know of parents: (n,) each; parent is the parent of child."""

    parent: Whole
    child: Whole
    at: Whole  # microseconds of recording


class Clerk:
    """Writes one block's registers (mutable, lives only while they are written)."""

    def __init__(
        self, people: Population, places: District, lives: Lives, random: np.random.Generator,
        agencies: tuple[str, ...] = CORE,
    ) -> None:  # fmt: skip
        self.people, self.places, self.lives, self.random = people, places, lives, random
        self.agencies = agencies
        self.start, self.end = int(lives.quarters[0]), int(lives.quarters[-1])
        # Who would be entered twice where, drawn once for everybody; about half of the later contacts use the second.
        shares = np.array([CARELESSNESS[agency].twice for agency in agencies])
        self.twice = np.zeros((len(AGENCIES), len(people)), np.bool_)
        rows = [AGENCIES.index(agency) for agency in agencies]
        self.twice[rows] = random.random((len(agencies), len(people))) < shares[:, None]

    def slots(self, agency: Whole, person: Whole, dwelling: Whole) -> Whole:
        """Under which entry each contact goes."""
        second = self.twice[agency, person] & (self.random.random(len(person)) < 0.5)
        police = agency == AGENCIES.index("police")
        force = np.where(police, self.places.force[self.places.area[dwelling]], 0)
        return second.astype(np.int64) * 2 + force

    def sighted(self, facts: Facts, seen: Sightings) -> tuple[Contacts, Whole]:
        """The contacts that sightings are, and the slot of each sighting (-1 at a place only)."""
        person, dwelling = facts.person[seen.fact], facts.dwelling[seen.fact]
        named = person >= 0
        slot = np.full(len(person), -1)
        slot[named] = self.slots(seen.agency[named], person[named], dwelling[named])
        return Contacts(seen.agency[named], person[named], slot[named], seen.recorded[named]), slot

    def contacts(self, seen: Sightings) -> tuple[Contacts, Whole, Parents]:
        """Every contact of the core agencies, the slot of each sighting (-1 at a place only), the parents on file."""
        sighted, slot = self.sighted(self.lives.facts, seen)
        parents = self._parents(seen)
        services = np.full(len(parents.parent), AGENCIES.index("childrens_services"))
        parts = [
            sighted,
            Contacts(services, parents.parent, np.zeros_like(services), parents.at),
            Contacts(services, parents.child, np.zeros_like(services), parents.at),
            self._patients(),
            self._pupils(),
            self._tenants(),
        ]
        joined = Contacts(*(np.concatenate([getattr(part, name) for part in parts]) for name in Contacts.__slots__))
        good = (joined.at < self.end * DAY) & (joined.at >= 0)
        return Contacts(*(getattr(joined, name)[good] for name in Contacts.__slots__)), slot, parents

    def _parents(self, seen: Sightings) -> Parents:
        """Mothers in nine of ten referrals, fathers in six of ten; entered up to a month after the referral."""
        facts = self.lives.facts
        referred = facts.kind[seen.fact] == kind_number("referral")
        child, first = np.unique(facts.person[seen.fact[referred]], return_index=True)
        at = seen.recorded[referred][first]
        parts = []
        for parent, share in ((self.people.mother[child], 0.9), (self.people.father[child], 0.6)):
            known = (parent >= 0) & (self.random.random(len(child)) < share)
            known &= self.people.died[np.maximum(parent, 0)] > at // DAY
            lag = self.random.integers(1, 30 * 1440, len(child)) * (DAY // 1440)
            parts.append((parent[known], child[known], (at + lag)[known]))
        parent, child, at = (np.concatenate([part[place] for part in parts]) for place in range(3))
        good = at < self.end * DAY
        return Parents(parent[good], child[good], at[good])

    def _of(self, agency: str, person: Whole, day: Whole) -> Contacts:
        number = np.full(len(person), AGENCIES.index(agency))
        at = day * DAY + self.random.integers(480, 1080, len(person)) * (DAY // 1440)
        alive = day < self.people.died[person]
        dwelling = np.zeros(len(person), np.int64)
        slot = self.slots(number, person, dwelling)
        return Contacts(number[alive], person[alive], slot[alive], at[alive])

    def _moves(self, person: np.ndarray, share: float, lag: tuple[int, int]) -> tuple[Whole, Whole]:
        """Moves within the span of the chosen people, as the agency hears of them."""
        homes = self.lives.residences
        moved = person[homes.person] & (homes.since > self.start)
        moved &= self.random.random(len(moved)) < share
        return homes.person[moved], homes.since[moved] + self.random.integers(*lag, int(moved.sum()))

    def _patients(self) -> Contacts:
        """93 % of people, fewer young men; registered before the start or within weeks of birth."""
        people, count = self.people, len(self.people)
        age = (self.start - people.born) / YEAR
        reluctant = (people.sex == 1) & (age > 17) & (age < 35)
        registered = self.random.random(count) < np.where(reluctant, 0.88, 0.95)
        before = self.start - self.random.integers(1, 6 * 365, count)
        day = np.where(people.born < self.start, np.maximum(before, people.born + 10), people.born + 20)
        person = np.flatnonzero(registered)
        movers, moved = self._moves(registered, 1 - CARELESSNESS["health"].stale, (4, 260))
        return self._of("health", np.concatenate([person, movers]), np.concatenate([day[person], moved]))

    def _pupils(self) -> Contacts:
        """Children from four and a half to eighteen but for one in twenty; asked for their address every September."""
        people = self.people
        begins, leaves = people.born + int(4.6 * YEAR), people.born + int(18 * YEAR)
        attends = (begins < self.end) & (leaves > self.start) & (self.random.random(len(people)) < 0.95)
        person = np.flatnonzero(attends)
        day = np.maximum(begins[person], self.start - self.random.integers(1, 60, len(person)))
        movers, moved = self._moves(attends, 1 - CARELESSNESS["education"].stale, (2, 120))
        at_school = (moved < leaves[movers]) & (moved > begins[movers])
        return self._of(
            "education", np.concatenate([person, movers[at_school]]), np.concatenate([day, moved[at_school]])
        )

    def _tenants(self) -> Contacts:
        """Members of households in social housing, from their first weeks there; one in six is never written down."""
        homes = self.lives.residences
        listed = self.random.random(len(self.people)) < 0.84
        social = (self.places.tenure[homes.dwelling] == SOCIAL) & listed[homes.person]
        day = homes.since[social] + self.random.integers(0, 60, int(social.sum()))
        return self._of("housing", homes.person[social], day)

    def register(self, contacts: Contacts) -> Register:
        """Entries at the first contact, and a new version when the agency learns that the address or name changed."""
        key = _key(contacts.agency, contacts.person, contacts.slot)
        order = np.lexsort((contacts.at, key))
        key, at = key[order], contacts.at[order]
        agency, person, slot = (getattr(contacts, name)[order] for name in ("agency", "person", "slot"))
        first = _starts(key)
        stale = np.array([CARELESSNESS[name].stale for name in AGENCIES])[agency]
        learns = first | (self.random.random(len(key)) >= stale)
        learns &= _starts(key) | _starts(at // DAY)
        key, at, agency, person, slot = key[learns], at[learns], agency[learns], person[learns], slot[learns]
        dwelling = self.lives.residences.at(person, at // DAY)
        renamed = at // DAY >= self.name_day()[person]
        changed = _starts(key) | _starts(dwelling) | _starts(renamed)
        entry = np.cumsum(_starts(key)) - 1
        begins = np.flatnonzero(_starts(key))
        return Register(
            agency[begins],
            person[begins],
            slot[begins],
            entry[changed],
            at[changed],
            dwelling[changed],
            renamed[changed],
        )

    def name_day(self) -> Whole:
        """The day on which each person took another family name; far ahead for whoever never did."""
        day = np.full(len(self.people), _NEVER)
        person, _, when = self.lives.renamed
        day[person] = when
        return day

    def new_name(self) -> Whole:
        """The family name each person took last, or was born with."""
        name = self.people.family.copy()
        person, taken, _ = self.lives.renamed
        name[person] = taken
        return name


def true_residence(homes: Residences, person: Whole, day: Whole) -> Whole:
    """Since when each person has truly lived where they were on that day."""
    scale = 1 << 20
    place = np.searchsorted(homes.person * scale + homes.since, person * scale + day, side="right") - 1
    return homes.since[np.maximum(place, np.searchsorted(homes.person, person, side="left"))]


def facts_of(facts: Facts, kind: str, role: str = "subject") -> Whole:
    """Positions of the facts of a kind and role."""
    return np.flatnonzero(facts.kind == kind_number(kind, role))
