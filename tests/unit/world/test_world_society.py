"""A small world: it is made the same every time, its parts add up, and its deliveries are what the contracts say."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.feeds.delivery import MANIFEST, deliveries_in
from riskmodel.world.blocks import Plan, block_of
from riskmodel.world.society import World

WORLD = World.generate(people=1_200, seed=11, start="2016-01-01", end="2020-01-01")


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    WORLD.deliveries(tmp_path / "one")
    block_of.cache_clear()  # made from nothing once more
    WORLD.deliveries(tmp_path / "two")
    World.generate(people=1_200, seed=12, start="2016-01-01", end="2020-01-01").deliveries(tmp_path / "other")
    one, two, other = (hashes(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert set(one) == set(other)
    assert all(one[name] != other[name] for name in one if name != MANIFEST)


def test_a_block_is_the_same_whatever_was_made_before_it() -> None:
    plan = Plan(10_400, 3, "2018-01-01", "2019-01-01")
    alone = block_of(plan, 2).lives.facts
    block_of.cache_clear()
    for number in range(3):
        again = block_of(plan, number).lives.facts
    assert np.array_equal(alone.at, again.at)
    assert np.array_equal(alone.person, again.person)
    block_of.cache_clear()


def test_the_feeds_of_nine_agencies_come_with_their_manifest(tmp_path: Path) -> None:
    listed = WORLD.deliveries(tmp_path)
    assert deliveries_in(tmp_path) == listed
    assert len(listed) == 21  # registers, events of each agency, relations, the A&E minimum set, finds of searches
    assert len({one.agency for one in listed}) == 9
    assert len({one.path for one in listed}) == 20  # the charity sends one sheet
    assert {one.path.suffix for one in listed} == {".csv", ".jsonl", ".parquet"}
    assert {one.covers_until for one in listed} == {dt.date(2020, 1, 1)}
    assert {one.received_at for one in listed} == {dt.datetime(2020, 1, 11, 9)}
    assert not list(tmp_path.glob(".*"))  # nothing half-written is left


def test_people_are_as_many_as_asked_for_and_born_before_they_die() -> None:
    people = WORLD.truth.people
    assert people.num_rows == 1_200
    assert people.column("person").to_pylist() == list(range(1_200))
    dead = people.filter(pc.is_valid(people.column("death_date")))
    assert pc.all(pc.less(dead.column("birth_date"), dead.column("death_date"))).as_py()
    assert pc.max(people.column("birth_date")).as_py() < dt.date(2020, 1, 1)


def test_parents_are_old_enough_and_of_the_right_sex() -> None:
    people = block_of(WORLD.plan, 0).people
    for parent, sex in ((people.mother, 0), (people.father, 1)):
        child = np.flatnonzero(parent >= 0)
        assert (people.sex[parent[child]] == sex).mean() > 0.97  # a couple may be of one sex
        age = (people.born[child] - people.born[parent[child]]) / 365.25
        assert age.min() > 13
        assert age.max() < 60


def test_no_mother_gives_birth_twice_within_ten_months_unless_to_twins() -> None:
    people = block_of(WORLD.plan, 0).people
    born_here = np.flatnonzero(people.household < 0)
    order = born_here[np.lexsort((people.born[born_here], people.mother[born_here]))]
    same = people.mother[order[1:]] == people.mother[order[:-1]]
    gap = (people.born[order[1:]] - people.born[order[:-1]])[same]
    assert ((gap == 0) | (gap >= 300)).all()


def test_everybody_lives_in_one_place_at_a_time() -> None:
    homes = WORLD.truth.residences
    person, since = homes.column("person").to_numpy(), homes.column("since").cast(pa.int32()).to_numpy()
    until = homes.column("until").cast(pa.int32()).fill_null(1 << 20).to_numpy()
    assert (since < until).all() or ((since <= until).all() and (since == until).mean() < 0.01)
    follows = person[1:] == person[:-1]
    assert (since[1:][follows] == until[:-1][follows]).all()  # no gap, no overlap
    assert len(np.unique(person)) == 1_200  # nobody is without a home


def test_nothing_happens_to_people_who_are_not_there() -> None:
    block = block_of(WORLD.plan, 0)
    facts, people = block.lives.facts, block.people
    named = facts.person >= 0
    day = facts.at[named] // 86_400_000_000
    assert (day >= people.born[facts.person[named]]).all()
    # courts and councils may act some weeks after a death; what processes bring needs life throughout the quarter
    from_process = facts.kind[named] < 20
    assert (day[from_process] <= people.died[facts.person[named]][from_process]).all()
    assert not np.isnan(block.lives.injury_rate[:, people.born < block.lives.quarters[0]][0]).all()


def test_nothing_is_recorded_before_it_happened_or_on_and_after_the_last_day() -> None:
    for name, table in block_of(WORLD.plan, 0).tables.items():
        assert pc.max(table.column("recorded_at")).as_py() < dt.datetime(2020, 1, 1), name
        if name.endswith(".events"):
            assert pc.all(pc.less(table.column("happened_at"), table.column("recorded_at"))).as_py(), name
            ended = table.filter(pc.is_valid(table.column("ended_at")))
            assert not pc.any(pc.less(ended.column("ended_at"), ended.column("happened_at"))).as_py(), name


def test_nobody_is_entered_before_the_birth_that_is_entered() -> None:
    for seed in range(3):
        world = World.generate(people=1_500, seed=seed, start="2018-01-01", end="2020-01-01")
        for name, table in world.block(0).tables.items():
            if name.endswith(".people"):
                entered = table.column("recorded_at").cast(pa.date32(), safe=False)
                assert not pc.any(pc.greater(table.column("birth_date"), entered)).as_py(), name


def test_every_event_is_of_somebody_in_the_register_of_its_agency() -> None:
    tables = block_of(WORLD.plan, 0).tables
    for agency in ("police", "health", "housing", "childrens_services"):
        register = set(tables[f"{agency}.people"].column("person_key").to_pylist())
        used = set(tables[f"{agency}.events"].column("person_key").to_pylist()) - {None}
        assert used <= register


def test_no_version_of_a_record_is_recorded_at_the_moment_of_another() -> None:
    for name, table in block_of(WORLD.plan, 0).tables.items():
        if name.endswith("relations"):
            continue
        key = "person_key" if name.endswith("people") else "event_key"
        pairs = table.group_by([key, "recorded_at"]).aggregate([(key, "count")])
        assert pairs.num_rows == table.num_rows, name


def test_keys_tell_nothing_of_the_person_and_are_of_one_agency_only() -> None:
    records = WORLD.truth.records
    assert pc.count_distinct(records.column("person_key")).as_py() == records.num_rows
    health = records.filter(pc.equal(records.column("agency"), "health"))
    number = [int(key[1:]) for key in health.column("person_key").to_pylist()]
    assert abs(np.corrcoef(number, health.column("person").to_numpy())[0, 1]) < 0.1


def test_every_delivered_entry_has_its_true_person() -> None:
    block, records = block_of(WORLD.plan, 0), WORLD.truth.records
    for agency in ("police", "education", "youth_justice"):
        mine = records.filter(pc.equal(records.column("agency"), agency))
        delivered = set(block.tables[f"{agency}.people"].column("person_key").to_pylist())
        assert delivered == set(mine.column("person_key").to_pylist())


def test_postcodes_look_right_and_exist_nowhere() -> None:
    postcodes = pa.array(block_of(WORLD.plan, 0).places.postcode)
    assert pc.all(pc.match_substring_regex(postcodes, "^Z[XYBDFGHLNPRSTW][1-9][0-9]? [0-9][A-Z]{2}$")).as_py()


def test_a_world_shows_no_rows() -> None:
    block = block_of(WORLD.plan, 0)
    for shown in (
        repr(WORLD),
        repr(block),
        repr(block.people),
        repr(block.places),
        repr(block.lives),
        repr(WORLD.truth),
    ):
        assert len(shown) < 200
        assert "array" not in shown


@pytest.mark.parametrize(
    ("asked", "faults"),
    [
        ({"people": 10, "seed": 7}, 1),
        ({"people": 2_000, "seed": 7, "setting": "london"}, 1),
        ({"people": 2_000.0, "seed": -1}, 2),
        ({"people": 2_000, "seed": 7, "start": "2012-02-30"}, 1),
        ({"people": True, "seed": 7, "start": "2012-01-02", "end": "2013-01-01"}, 2),
        ({"people": 2_000, "seed": 7, "start": "2014-01-01", "end": "2012-01-01"}, 1),
        ({"people": 2_000, "seed": 7, "start": "2014-01-01", "end": "2015-03-01"}, 1),
    ],
)
def test_a_world_that_cannot_be_is_refused_with_every_fault(asked: dict[str, object], faults: int) -> None:
    with pytest.raises(DeclarationError) as refused:
        World.generate(**asked)  # type: ignore[arg-type]  # wrong types are what is tested
    assert refused.value.code == "world-invalid"
    assert len(refused.value.faults) == faults
