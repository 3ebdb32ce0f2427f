"""What is true of a world: who the records are, how people lived, what their risk was, what each agency could see.

Only tests and benches read these tables; no stage of a study may. Each is made block by block when it is asked for,
and nothing is stored. A person's number here is their place in the world and appears in no delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import AGENCIES, SIGHTS, probability_seen
from riskmodel.world.blocks import Block, Plan, block_of
from riskmodel.world.dirt import delivered_feeds, parcel
from riskmodel.world.facts import DAY, KINDS, OPEN, kind_number
from riskmodel.world.hazards import STOP_SEARCH_BY_ETHNICITY
from riskmodel.world.names import COMMUNITIES
from riskmodel.world.people import ETHNICITIES, YEAR, Whole
from riskmodel.world.scenes import Script, played

_DWELLINGS = 100_000  # more than a block has
_MOMENT = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of the world with this plan. Every property is an Arrow table, made anew at each call."""

    plan: Plan

    @property
    def people(self) -> pa.Table:
        """One row a person: person, birth_date, death_date (null: outlives the world), sex, ethnicity, community,
        mother, father (null: unknown), strain and supported (latent: in no record)."""
        return self._joined(_people)

    @property
    def residences(self) -> pa.Table:
        """One row a stay: person, dwelling, area, decile (1 most deprived), force, since, until (null: still there)."""
        return self._joined(_residences)

    @property
    def records(self) -> pa.Table:
        """One row a register entry: feed, agency, person_key, person, given_wrong, family_wrong, short_form,
        birth_wrong."""
        return self._joined(_records)

    @property
    def scenes(self) -> pa.Table:
        """One row a register entry of the scenes, none without them: scene, role, person, agency, person_key."""
        cast = self.script().cast if self.plan.scenes else []
        schema = pa.schema([("scene", pa.string()), ("role", pa.string()), ("person", pa.int64())])
        for name in ("agency", "person_key"):
            schema = schema.append(pa.field(name, pa.string()))
        rows = [(who.scene, who.role, who.number, agency, key) for who, agency, key in cast]
        return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)

    def script(self) -> Script:
        """What is played in the scenes; its people are numbered after everybody else."""
        return played(dt.date.fromisoformat(self.plan.start), self.plan.people)

    @property
    def events(self) -> pa.Table:
        """One row a true event, recorded or not: person (null: a place only), kind, role, happened_at, ended_at, value,
        dwelling, probability_seen, agency, event_key (null: not recorded), late, corrected."""
        return self._joined(_events)

    @property
    def mistaken(self) -> pa.Table:
        """One row an event key that stands for nothing that happened, and is withdrawn in time: agency, event_key."""
        return self._joined(_mistaken)

    @property
    def hazard(self) -> pa.Table:
        """One row a person and quarter in which they were there throughout: person, quarter_starts, quarter_ends,
        yearly_rate of injury by violence, probability of at least one such injury in the quarter, given all that
        happened before it."""
        return self._joined(_hazard)

    @property
    def contact(self) -> pa.Table:
        """Stop and search by area and ethnicity: multiplier (enforcement of the area times the group's factor, at equal
        age, sex and history), person_years, expected, happened."""
        return self._joined(_contact)

    @property
    def coverage(self) -> pa.Table:
        """One row an agency and kind: happened, recorded, share_expected (mean true probability to be recorded)."""
        joined = self._joined(_coverage)
        summed = joined.group_by(["agency", "kind", "role"]).aggregate(
            [("happened", "sum"), ("recorded", "sum"), ("expected", "sum")]
        )
        return summed.sort_by([("agency", "ascending"), ("kind", "ascending"), ("role", "ascending")]).rename_columns(
            ["agency", "kind", "role", "happened", "recorded", "expected"]
        )

    @property
    def registered(self) -> pa.Table:
        """One row an agency: entries, people (distinct), and the share of everybody who ever lived in the world."""
        joined = self._joined(_records)
        pairs = joined.group_by(["agency", "person"]).aggregate([("person_key", "count")])
        people = pairs.group_by("agency").aggregate([("person", "count"), ("person_key_count", "sum")])
        shares = pa.array(people.column("person_count").to_numpy() / self.plan.people)
        table = people.append_column("share", shares).sort_by("agency")
        return table.rename_columns(["agency", "people", "entries", "share"])

    @property
    def planted(self) -> pa.Table:
        """One row a feed and quarantine code: feed, code, rows that a correct intake must refuse under that code."""
        counts: dict[tuple[str, str], int] = {}
        for number in range(len(self.plan.sizes())):
            block = block_of(self.plan, number)
            for feed in delivered_feeds():
                for code, rows in parcel(self.plan, block, feed)[1].items():
                    counts[feed.name, code] = counts.get((feed.name, code), 0) + rows
        pairs = sorted(counts)
        return pa.table(
            {
                "feed": pa.array([feed for feed, _ in pairs], pa.string()),
                "code": pa.array([code for _, code in pairs], pa.string()),
                "rows": pa.array([counts[pair] for pair in pairs], pa.int64()),
            }
        )

    def _joined(self, make: Callable[[Block], pa.Table]) -> pa.Table:
        return pa.concat_tables([make(block_of(self.plan, number)) for number in range(len(self.plan.sizes()))])


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


def _people(block: Block) -> pa.Table:
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


def _residences(block: Block) -> pa.Table:
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


def _records(block: Block) -> pa.Table:
    table = block.truths.records
    feeds = pa.array([f"{agency}.people" for agency in table.column("agency").to_pylist()], pa.string())
    person = _number(block, table.column("person").to_numpy())
    return table.set_column(2, "person", person).add_column(0, "feed", feeds)


def _events(block: Block) -> pa.Table:
    facts = block.lives.facts
    told = block.truths.events.filter(pa.array(~block.truths.events.column("mistaken").to_numpy()))
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


def _mistaken(block: Block) -> pa.Table:
    events = block.truths.events
    return events.filter(pa.array(events.column("mistaken").to_numpy())).select(["agency", "event_key"])


def _hazard(block: Block) -> pa.Table:
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


def _contact(block: Block) -> pa.Table:
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
            "multiplier": places.enforcement[area] * np.array(STOP_SEARCH_BY_ETHNICITY)[group],
            "person_years": years,
            "expected": expected,
            "happened": np.bincount(cell, minlength=cells),
        }
    )


def _coverage(block: Block) -> pa.Table:
    facts = block.lives.facts
    soon = facts.at < (_last_day(block) - 365) * DAY  # what happened in the last year may still be on its way
    happened = np.bincount(facts.kind[soon], minlength=len(KINDS))
    seen = block.seen.fact[soon[block.seen.fact]]
    chance = probability_seen(facts, block.people, block.places)
    return pa.table(
        {
            "agency": _words(AGENCIES, np.array([AGENCIES.index(SIGHTS[kind].agency) for kind, _ in KINDS])),
            "kind": pa.array([kind for kind, _ in KINDS], pa.string()),
            "role": pa.array([role for _, role in KINDS], pa.string()),
            "happened": happened,
            "recorded": np.bincount(facts.kind[seen], minlength=len(KINDS)),
            "expected": np.bincount(facts.kind[soon], chance[soon], len(KINDS)),
        }
    )
