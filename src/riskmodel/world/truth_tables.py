"""The truth of one block as tables, one function a property of `riskmodel.world.truth.Truth`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import AGENCIES, SIGHTS, probability_seen
from riskmodel.world.blocks import Block, Part
from riskmodel.world.facts import DAY, KINDS, OPEN, kind_number
from riskmodel.world.names import COMMUNITIES
from riskmodel.world.people import ETHNICITIES, YEAR, Whole

_DWELLINGS = 100_000  # more than a block has
_MOMENT = pa.timestamp("us")


def _date(days: Whole, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=missing).view(pa.date32())


def _moment(at: Whole) -> pa.Array:
    return pa.array(at, pa.int64(), mask=at == OPEN).view(_MOMENT)


def _number(block: Block, person: Whole) -> pa.Array:
    return pa.array(person + block.first_person, pa.int64(), mask=person < 0)


def _words(words: tuple[str, ...], index: Whole) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(index))


def _last_day(block: Block) -> int:
    return int(block.lives.quarters[-1])


def people(block: Block) -> pa.Table:
    people = block.people
    return pa.table(
        {
            "person": _number(block, np.arange(len(people))),
            "birth_date": _date(people.born),
            "death_date": _date(np.minimum(people.died, 1 << 20), people.died >= _last_day(block)),
            "sex": _words(("female", "male"), people.sex),
            "ethnicity": _words(ETHNICITIES, people.ethnicity),
            "community": _words(COMMUNITIES, people.community),
            "mother": _number(block, people.mother),
            "father": _number(block, people.father),
            "strain": people.vulnerability,
            "supported": people.supported,
        }
    )


def residences(block: Block) -> pa.Table:
    homes, places = block.lives.residences, block.places
    area = places.area[homes.dwelling]
    return pa.table(
        {
            "person": _number(block, homes.person),
            "dwelling": homes.dwelling + block.number * _DWELLINGS,
            "area": pa.array(places.area_code[area], pa.string()),
            "decile": places.decile[area],
            "force": places.force[area] + 2 * block.number,
            "since": _date(homes.since),
            "until": _date(np.minimum(homes.until, 1 << 20), homes.until >= _last_day(block)),
        }
    )


def records(block: Block) -> pa.Table:
    table = pa.concat_tables([part.entries for part in block.parts])
    feeds = pa.array([f"{agency}.people" for agency in table.column("agency").to_pylist()], pa.string())
    person = _number(block, table.column("person").to_numpy())
    return table.set_column(2, "person", person).add_column(0, "feed", feeds)


def events(block: Block) -> pa.Table:
    return pa.concat_tables([_events_of(block, part) for part in block.parts])


def _events_of(block: Block, part: Part) -> pa.Table:
    facts = part.facts
    told = part.events.filter(pa.array(~part.events.column("mistaken").to_numpy()))
    fact = told.column("fact").to_numpy()
    row = np.full(len(facts), -1)
    row[fact] = np.arange(len(fact))
    known = pa.array(row, mask=row < 0)
    return pa.table(
        {
            "person": _number(block, facts.person),
            "kind": _words(tuple(kind for kind, _ in KINDS), facts.kind),
            "role": _words(tuple(role for _, role in KINDS), facts.kind),
            "happened_at": _moment(facts.at),
            "ended_at": _moment(facts.ended),
            "value": pa.array(facts.value, mask=np.isnan(facts.value)),
            "dwelling": facts.dwelling + block.number * _DWELLINGS,
            "probability_seen": probability_seen(facts, block.people, block.places),
            "agency": _words(tuple(SIGHTS[kind].agency for kind, _ in KINDS), facts.kind),
            **{name: told.column(name).combine_chunks().take(known) for name in ("event_key", "late", "corrected")},
        }
    )


def mistaken(block: Block) -> pa.Table:
    events = pa.concat_tables([part.events for part in block.parts])
    return events.filter(pa.array(events.column("mistaken").to_numpy())).select(["agency", "event_key"])


def minimum_set(block: Block) -> pa.Table:
    told, facts = block.minimum_set, block.lives.facts
    fact = told.column("fact").to_numpy()
    return pa.table(
        {
            "event_key": told.column("event_key"),
            "person": _number(block, facts.person[fact]),
            "happened_at": _moment(facts.at[fact]),
            "at_home": told.column("at_home"),
        }
    )


def hazard(block: Block) -> pa.Table:
    rate, quarters = block.lives.injury_rate, block.lives.quarters
    quarter, person = np.nonzero(~np.isnan(rate))
    yearly = rate[quarter, person].astype(np.float64)
    years = np.diff(quarters)[quarter] / YEAR
    return pa.table(
        {
            "person": _number(block, person),
            "quarter_starts": _date(quarters[quarter]),
            "quarter_ends": _date(quarters[quarter + 1]),
            "yearly_rate": yearly,
            "probability": -np.expm1(-yearly * years),
        }
    )


def contact(block: Block) -> pa.Table:
    lives, places, people = block.lives, block.places, block.people
    areas, groups = len(places.decile), len(ETHNICITIES)
    cells = areas * groups
    expected, years = np.zeros(cells), np.zeros(cells)
    everyone = np.arange(len(people))
    for number, rate in enumerate(lives.stop_rate):
        here = np.flatnonzero(~np.isnan(rate))
        home = lives.residences.at(everyone[here], np.full(len(here), lives.quarters[number]))
        cell = places.area[home] * groups + people.ethnicity[here]
        length = (lives.quarters[number + 1] - lives.quarters[number]) / YEAR
        expected += np.bincount(cell, rate[here] * length, cells)
        years += np.bincount(cell, minlength=cells) * length
    searched = np.flatnonzero(lives.facts.kind == kind_number("stop_search"))
    cell = places.area[lives.facts.dwelling[searched]] * groups + people.ethnicity[lives.facts.person[searched]]
    area, group = np.divmod(np.arange(cells), groups)
    return pa.table(
        {
            "area": pa.array(places.area_code[area], pa.string()),
            "ethnicity": _words(ETHNICITIES, group),
            "multiplier": places.enforcement[area] * np.array(block.setting.searched)[group],
            "person_years": years,
            "expected": expected,
            "happened": np.bincount(cell, minlength=cells),
        }
    )


def coverage(block: Block) -> pa.Table:
    soon_enough = (_last_day(block) - 365) * DAY  # what happened in the last year may still be on its way
    happened, recorded, expected = (np.zeros(len(KINDS)) for _ in range(3))
    for part in block.parts:
        facts = part.facts
        soon = facts.at < soon_enough
        told = part.events.column("fact").to_numpy()[~part.events.column("mistaken").to_numpy()]
        chance = probability_seen(facts, block.people, block.places)
        happened += np.bincount(facts.kind[soon], minlength=len(KINDS))
        recorded += np.bincount(facts.kind[told[soon[told]]], minlength=len(KINDS))
        expected += np.bincount(facts.kind[soon], chance[soon], len(KINDS))
    return pa.table(
        {
            "agency": _words(AGENCIES, np.array([AGENCIES.index(SIGHTS[kind].agency) for kind, _ in KINDS])),
            "kind": pa.array([kind for kind, _ in KINDS], pa.string()),
            "role": pa.array([role for _, role in KINDS], pa.string()),
            "happened": happened.astype(np.int64),
            "recorded": recorded.astype(np.int64),
            "expected": expected,
        }
    )
