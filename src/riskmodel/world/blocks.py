"""One block of the society from its places to its records: what depends on nothing but the seed and the block's number.

Blocks know nothing of each other, so they can be made in any order, on any number of cores, one at a time, and always
come out the same. A world is its blocks one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel import seeds
from riskmodel.world.agencies import Sightings, sightings
from riskmodel.world.charity import one_line_a_visit, visits
from riskmodel.world.event_records import event_tables, owners, relation_table
from riskmodel.world.facts import Facts
from riskmodel.world.fire import fires_and_visits
from riskmodel.world.lives import Lives, live
from riskmodel.world.minimum_set import assaults
from riskmodel.world.people import Population, Whole, population
from riskmodel.world.places import District, district
from riskmodel.world.records import people_tables, person_keys
from riskmodel.world.registers import Clerk, Contacts, Register
from riskmodel.world.routine import contact_tables, contacts
from riskmodel.world.searches import find_table, finds
from riskmodel.world.settings import SETTINGS, Setting

BLOCK_PEOPLE: Final = 5_000
"""People in a block: a district of about ten small areas."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a world is made from.

    Attributes
    ----------
    people : int, everybody who lives in it at any time
    seed : int
    start, end : str, first days of months, whole quarters apart; the end is the first day after
    scenes : bool, whether the planted scenes of `riskmodel.world.scenes` are delivered too
    every_contact : bool, whether everyday contacts (`riskmodel.world.routine`) are delivered too
    setting : str, one of `riskmodel.world.settings.SETTINGS`
    """

    people: int
    seed: int
    start: str
    end: str
    scenes: bool = False
    every_contact: bool = False
    setting: str = "district"

    def quarters(self) -> Whole:
        """First day of each quarter and the day after the last, in days since 1970-01-01."""
        months = np.arange(np.datetime64(self.start, "M"), np.datetime64(self.end, "M") + 1, 3)
        return months.astype("datetime64[D]").astype(np.int64)

    def sizes(self) -> list[int]:
        """People in each block: as equal as can be, at most 5,000."""
        blocks = -(-self.people // BLOCK_PEOPLE)
        return [self.people // blocks + (number < self.people % blocks) for number in range(blocks)]


@dataclass(frozen=True, slots=True)
class Part:
    """What happened in one part of life, and the truth of what was written down of it.

    Attributes
    ----------
    facts : Facts
    entries : Arrow table: agency, person_key, person (in the block), and what is wrong with each register entry
    events : Arrow table: agency, event_key, fact (place in the facts), late, corrected, mistaken
    """

    facts: Facts
    entries: pa.Table
    events: pa.Table

    def __repr__(self) -> str:
        return f"Part({len(self.facts)} events, {self.events.num_rows} recorded)"


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its places, people and lives, what the agencies recorded of them, and the truth of the records."""

    number: int
    setting: Setting
    first_person: int  # what to add to a person's place in the block to get their number in the world
    places: District
    people: Population
    lives: Lives
    seen: Sightings  # what the core agencies recorded of lives
    tables: dict[str, pa.Table]  # feed name -> standard rows
    parts: tuple[Part, ...]  # lives first
    minimum_set: pa.Table  # event_key, fact (of lives), at_home

    def __repr__(self) -> str:
        return f"Block({self.number}, {len(self.people)} people, {len(self.lives.facts)} events)"


@lru_cache(maxsize=6)
def block_of(plan: Plan, number: int) -> Block:
    """Make a block, or take it from the last few (so that truth and deliveries of a small world are made once)."""
    return new_block(plan, number)


def new_block(plan: Plan, number: int) -> Block:
    """Make a block from nothing but the plan and its number."""
    size, seed = plan.sizes()[number], plan.seed
    quarters = plan.quarters()
    setting = SETTINGS[plan.setting]
    places = district(seed, number, size, setting)
    people = population(seed, number, size, places, int(quarters[0]), int(quarters[-1]), setting)
    lives = live(people, places, seeds.stream(seed, "world", number, "lives"), quarters, setting)
    made = _Made(plan, number, people, places, lives, {})
    core, seen, owner, register, keys = made.core()
    hurt = seeds.stream(seed, "world", number, "minimum set")
    made.tables["health.minimum_set"], minimum_set = assaults(hurt, lives.facts, people, places, seen, number)
    parts = [core, made.fire(), made.charity()]
    if plan.every_contact:
        parts.append(made.everyday(register, keys, core.entries))
    parts.append(made.searches(seen, owner, core.entries))
    first = sum(plan.sizes()[:number])
    return Block(number, setting, first, places, people, lives, seen, made.tables, tuple(parts), minimum_set)


@dataclass(frozen=True, slots=True)
class _Made:
    """A block while its records are written; each part on random streams of its own."""

    plan: Plan
    number: int
    people: Population
    places: District
    lives: Lives
    tables: dict[str, pa.Table]

    def stream(self, *names: str) -> np.random.Generator:
        return seeds.stream(self.plan.seed, "world", self.number, *names)

    def core(self) -> tuple[Part, Sightings, np.ndarray, Register, np.ndarray]:
        """The records of the agencies that see lives as they pass; relations as children's services know them."""
        facts, eyes, pen = self.lives.facts, self.stream("agencies"), self.stream("records")
        seen = sightings(eyes, facts, self.people, self.places, int(self.lives.quarters[-1]))
        clerk = Clerk(self.people, self.places, self.lives, eyes)
        met, slot, parents = clerk.contacts(seen)
        part, register, keys = self.written(clerk, pen, facts, seen, (met, slot), flawed=True)
        self.tables["childrens_services.relations"] = relation_table(clerk, register, keys, parents)
        return part, seen, owners(register, keys, facts, seen, slot), register, keys

    def beside(self, agency: str, facts: Facts, *, flawed: bool) -> Part:
        """The records of an agency whose own facts come on top of lives."""
        eyes, pen = self.stream(agency, "agencies"), self.stream(agency, "records")
        seen = sightings(eyes, facts, self.people, self.places, int(self.lives.quarters[-1]))
        clerk = Clerk(self.people, self.places, self.lives, eyes, (agency,))
        return self.written(clerk, pen, facts, seen, clerk.sighted(facts, seen), flawed=flawed)[0]

    def written(
        self, clerk: Clerk, pen: np.random.Generator, facts: Facts, seen: Sightings, met: tuple[Contacts, Whole],
        *, flawed: bool,
    ) -> tuple[Part, Register, np.ndarray]:  # fmt: skip
        """Write the registers and events of a clerk's agencies; returns their truth, the register and its keys."""
        register = clerk.register(met[0])
        keys = person_keys(register, self.number, pen)
        registers, entries = people_tables(pen, clerk, register, keys, self.plan.seed)
        owner = owners(register, keys, facts, seen, met[1])
        events, truth = event_tables(pen, clerk, facts, seen, owner, self.number, flawed=flawed)
        self.tables.update({f"{agency}.people": table for agency, table in registers.items()})
        self.tables.update({f"{agency}.events": table for agency, table in events.items()})
        return Part(facts, entries, truth), register, keys

    def searches(self, seen: Sightings, owner: np.ndarray, entries: pa.Table) -> Part:
        """What searches found, in a file of its own of the police."""
        pen = self.stream("searches")
        facts, search, recorded = finds(pen, self.lives.facts, seen, self.people, self.places)
        end = int(self.lives.quarters[-1])
        self.tables["police.finds"], truth = find_table(pen, facts, owner[search], recorded, end, self.number)
        return Part(facts, entries.slice(0, 0), truth)

    def fire(self) -> Part:
        """The fire service's incidents and visits."""
        facts = fires_and_visits(self.stream("fire", "facts"), self.people, self.places, self.lives)
        return self.beside("fire", facts, flawed=True)

    def charity(self) -> Part:
        """The charity's sheet: one line a visit, so that people and events are the same rows."""
        facts = visits(self.stream("charity", "facts"), self.people, self.lives)
        part = self.beside("charity", facts, flawed=False)
        lines = one_line_a_visit(self.tables["charity.people"], self.tables["charity.events"])
        self.tables["charity.people"], self.tables["charity.events"] = lines
        return part

    def everyday(self, register: Register, keys: np.ndarray, entries: pa.Table) -> Part:
        """Contacts of people whom the core agencies have a file on."""
        pen = self.stream("every contact")
        facts, entry = contacts(pen, self.people, self.places, self.lives, register)
        end = int(self.lives.quarters[-1])
        tables, truth = contact_tables(pen, facts, entry, keys, end, self.number)
        self.tables.update({f"{agency}.contacts": table for agency, table in tables.items()})
        return Part(facts, entries.slice(0, 0), truth)
