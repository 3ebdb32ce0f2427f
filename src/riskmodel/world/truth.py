"""What is true of a world: who the records are, how people lived, what their risk was, what each agency could see.

Only tests and benches read these tables; no stage of a study may. Each is made block by block when it is asked for,
and nothing is stored. A person's number here is their place in the world and appears in no delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from riskmodel.world import truth_tables as tables
from riskmodel.world.blocks import Block, Plan, block_of
from riskmodel.world.parcels import files_of, parcels
from riskmodel.world.scenes import Script, played


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of the world with this plan. Every property is an Arrow table, made anew at each call."""

    plan: Plan

    @property
    def people(self) -> pa.Table:
        """One row a person: person, birth_date, death_date (null: outlives the world), sex, ethnicity, community,
        mother, father (null: unknown), strain and supported (latent: in no record)."""
        return self._joined(tables.people)

    @property
    def residences(self) -> pa.Table:
        """One row a stay: person, dwelling, area, decile (1 most deprived), force, since, until (null: still there)."""
        return self._joined(tables.residences)

    @property
    def records(self) -> pa.Table:
        """One row a register entry: feed, agency, person_key, person, given_wrong, family_wrong, short_form,
        birth_wrong."""
        return self._joined(tables.records)

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
        return self._joined(tables.events)

    @property
    def minimum_set(self) -> pa.Table:
        """One row an attendance in the A&E minimum set: event_key, person and happened_at of the injury, at_home."""
        return self._joined(tables.minimum_set)

    @property
    def mistaken(self) -> pa.Table:
        """One row an event key that stands for nothing that happened, and is withdrawn in time: agency, event_key."""
        return self._joined(tables.mistaken)

    @property
    def hazard(self) -> pa.Table:
        """One row a person and quarter in which they were there throughout: person, quarter_starts, quarter_ends,
        yearly_rate of injury by violence, probability of at least one such injury in the quarter, given all that
        happened before it."""
        return self._joined(tables.hazard)

    @property
    def contact(self) -> pa.Table:
        """Stop and search by area and ethnicity: multiplier (enforcement of the area times the group's factor, at equal
        age, sex and history), person_years, expected, happened."""
        return self._joined(tables.contact)

    @property
    def coverage(self) -> pa.Table:
        """One row an agency and kind: happened, recorded, share_expected (mean true probability to be recorded)."""
        joined = self._joined(tables.coverage)
        summed = joined.group_by(["agency", "kind", "role"]).aggregate(
            [("happened", "sum"), ("recorded", "sum"), ("expected", "sum")]
        )
        return summed.sort_by([("agency", "ascending"), ("kind", "ascending"), ("role", "ascending")]).rename_columns(
            ["agency", "kind", "role", "happened", "recorded", "expected"]
        )

    @property
    def registered(self) -> pa.Table:
        """One row an agency: entries, people (distinct), and the share of everybody who ever lived in the world."""
        joined = self._joined(tables.records)
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
            for parcel in parcels(self.plan, block_of(self.plan, number), files_of(self.plan)):
                for pair, rows in parcel.planted.items():
                    counts[pair] = counts.get(pair, 0) + rows
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
