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
from riskmodel.world.lives import Lives, live
from riskmodel.world.people import Population, Whole, population
from riskmodel.world.places import District, district
from riskmodel.world.records import Truths, event_tables, people_tables, person_keys, relation_table
from riskmodel.world.registers import Clerk

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
    """

    people: int
    seed: int
    start: str
    end: str
    scenes: bool = False

    def quarters(self) -> Whole:
        """First day of each quarter and the day after the last, in days since 1970-01-01."""
        months = np.arange(np.datetime64(self.start, "M"), np.datetime64(self.end, "M") + 1, 3)
        return months.astype("datetime64[D]").astype(np.int64)

    def sizes(self) -> list[int]:
        """People in each block: as equal as can be, at most 5,000."""
        blocks = -(-self.people // BLOCK_PEOPLE)
        return [self.people // blocks + (number < self.people % blocks) for number in range(blocks)]


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its places, people and lives, what the agencies recorded of them, and the truth of the records."""

    number: int
    first_person: int  # what to add to a person's place in the block to get their number in the world
    places: District
    people: Population
    lives: Lives
    seen: Sightings
    tables: dict[str, pa.Table]  # feed name -> standard rows
    truths: Truths

    def __repr__(self) -> str:
        return f"Block({self.number}, {len(self.people)} people, {len(self.lives.facts)} events)"


@lru_cache(maxsize=6)
def block_of(plan: Plan, number: int) -> Block:
    """Make a block (the last few are kept, so that truth and deliveries of a small world are made once)."""
    size, seed = plan.sizes()[number], plan.seed
    quarters = plan.quarters()
    places = district(seed, number, size)
    people = population(seed, number, size, places, int(quarters[0]), int(quarters[-1]))
    lives = live(people, places, seeds.stream(seed, "world", number, "lives"), quarters)
    eyes = seeds.stream(seed, "world", number, "agencies")
    seen = sightings(eyes, lives.facts, people, places, int(quarters[-1]))
    clerk = Clerk(people, places, lives, eyes)
    contacts, slot, parents = clerk.contacts(seen)
    register = clerk.register(contacts)
    pen = seeds.stream(seed, "world", number, "records")
    keys = person_keys(register, number, pen)
    registers, record_truth = people_tables(pen, clerk, register, keys, seed)
    events, event_truth = event_tables(pen, clerk, register, keys, seen, slot, number)
    tables = {f"{agency}.people": table for agency, table in registers.items()}
    tables |= {f"{agency}.events": table for agency, table in events.items()}
    tables["childrens_services.relations"] = relation_table(clerk, register, keys, parents)
    truths = Truths(record_truth, event_truth)
    first = sum(plan.sizes()[:number])
    return Block(number, first, places, people, lives, seen, tables, truths)
