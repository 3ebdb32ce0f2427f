"""Planted scenes: what no agency sees alone is there once the records are put together."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.feeds.contract import agency_contracts
from riskmodel.feeds.intake import Intake, receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories, assemble
from riskmodel.histories.timeline import timeline
from riskmodel.linkage.identity import link
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.society import World

WORLD = World.generate(people=600, seed=4, scenes=True)
CHANGED = dt.datetime(2017, 4, 1)


@dataclass(frozen=True)
class Stage:
    intake: Intake
    histories: Histories
    entities: dict[tuple[str, str], set[int]]  # scene and role -> linked people


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("scenes")
    fields = [
        *("given_name", "family_name", "birth_date", "sex", "ethnicity", "address", "postcode", "area", "address_from"),
        *("role", "value", "ended_at", "starts_at", "ends_at", "retracted"),
    ]
    (folder / "purpose.toml").write_text(
        'name = "early-support"\nstatement = "To test."\nlawful_basis = "Synthetic records."\n'
        f"controllers = {list(AGENCIES)!r}\nfields = {fields!r}\nexpires = 2090-01-01\n"
    )
    store = connect(f"duckdb:///{folder / 'store'}", Purpose.load(folder / "purpose.toml"))
    intake = receive(store, WORLD.deliveries(folder / "deliveries"))
    people = link(store, intake)
    keys = {(row["agency"], row["person_key"]): row["entity_id"] for row in people.links.to_pylist()}
    entities: dict[tuple[str, str], set[int]] = {}
    for row in WORLD.truth.scenes.to_pylist():
        entities.setdefault((row["scene"], row["role"]), set()).add(keys[row["agency"], row["person_key"]])
    return Stage(intake, assemble(store, people), entities)


def only(stage: Stage, scene: str, role: str) -> int:
    (entity,) = stage.entities[scene, role]  # all entries of one person are one linked person
    return entity


def test_susan_is_one_woman_in_two_forces_with_twenty_incidents(stage: Stage) -> None:
    susan = only(stage, "susan", "susan")
    cast = WORLD.truth.scenes.to_pylist()
    keys = [row["person_key"] for row in cast if (row["scene"], row["agency"]) == ("susan", "police")]
    assert len(keys) == 2
    one_force = stage.intake.events.filter(pc.equal(stage.intake.events.column("person_key"), keys[0]))
    assert one_force.num_rows == 10  # years 0-2 and 6-7 in the first force
    seen = timeline(stage.histories, susan, "2022-12-31")
    assert [event.kind for event in seen] == ["domestic_abuse"] * 20
    per_year = [sum(event.happened_at.year == year for event in seen) for year in range(2012, 2022)]
    assert per_year == [2] * 10  # never more: no year stands out


def test_the_fire_at_her_old_home_is_tied_to_her_by_the_address_alone(stage: Stage) -> None:
    susan = only(stage, "susan", "susan")
    events, homes = stage.histories.events, stage.histories.residences
    arsons = events.filter(pc.and_(pc.equal(events.column("kind"), "arson"), pc.is_null(events.column("entity_id"))))
    lived = homes.filter(pc.equal(homes.column("entity_id"), susan))
    hers = arsons.filter(pc.is_in(arsons.column("place_id"), value_set=lived.column("place_id").combine_chunks()))
    assert [at.date() for at in hers.column("happened_at").to_pylist()] == [dt.date(2016, 9, 3)]
    fires = events.filter(pc.equal(events.column("kind"), "deliberate_fire"))
    attended = fires.filter(pc.is_in(fires.column("place_id"), value_set=hers.column("place_id").combine_chunks()))
    assert (
        attended.column("happened_at").to_pylist() == hers.column("happened_at").to_pylist()
    )  # another's record of it
    assert pc.count_distinct(lived.column("place_id")).as_py() == 4  # three moves


def test_the_child_of_four_services_was_never_known_to_two_in_a_year(stage: Stage) -> None:
    seen = timeline(stage.histories, only(stage, "four_services", "child"), "2022-12-31")
    assert [(event.agency, event.happened_at.year) for event in seen] == [
        ("childrens_services", 2013), ("education", 2015), ("youth_justice", 2018), ("health", 2021),
    ]  # fmt: skip


def test_the_prison_of_a_father_reaches_the_child_only_through_the_tie(stage: Stage) -> None:
    child, father = (only(stage, "imprisoned_parent", role) for role in ("child", "father"))
    assert [event.kind for event in timeline(stage.histories, child, "2022-12-31")] == ["referral"]
    relations = stage.histories.relations
    tie = relations.filter(
        pc.and_(pc.equal(relations.column("entity_id"), child), pc.equal(relations.column("other_id"), father))
    )
    assert "parent" in tie.column("kind").to_pylist()
    (inside,) = timeline(stage.histories, father, "2018-06-01")
    assert (inside.kind, inside.ended_at) == ("custody", None)  # nobody knew yet when it would end
    (after,) = timeline(stage.histories, father, "2022-12-31")
    assert after.ended_at == dt.datetime(2019, 9, 12, 14)


def test_the_feed_with_the_wrong_clock_records_before_things_happen(stage: Stage) -> None:
    events = stage.intake.events
    early = events.filter(pc.less(events.column("known_at"), events.column("happened_at")))
    assert early.num_rows == 12
    assert pc.unique(early.column("feed")).to_pylist() == ["housing.events"]


def test_demand_that_a_policy_moved_falls_in_one_file_rises_in_the_other_and_is_the_same_in_both(stage: Stage) -> None:
    people = pa.array(sorted(stage.entities["moved_demand", "person"]))
    assert len(people) == 6
    events = stage.histories.events
    theirs = events.filter(pc.is_in(events.column("entity_id"), value_set=people))
    years = pc.year(theirs.column("happened_at")).to_pylist()
    theirs = theirs.append_column("year", pa.array(years))
    once = theirs.group_by(["event_id", "agency", "year"]).aggregate([])  # a missing episode has a row for its end
    counted = Counter(zip(once.column("agency").to_pylist(), once.column("year").to_pylist(), strict=True))
    assert [counted["police", year] for year in range(2012, 2022)] == [24] * 6 + [6] * 4
    assert [counted["health", year] for year in range(2012, 2022)] == [0] * 6 + [18] * 4


def test_a_code_that_changed_its_meaning_is_read_by_its_date(tmp_path: Path) -> None:
    """The fire service's PF1 is an accident until April 2017, a fire set from then on: who counts PF1 sees a jump."""
    world = World.generate(people=10_000, seed=4)
    (path,) = (one.path for one in world.deliveries(tmp_path, agencies=("fire",)) if one.feed == "fire.events")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["IncidentNo"]: row["Incident_Type"] for row in csv.DictReader(file, delimiter="\t")}
    facts = [row for row in world.truth.events.to_pylist() if row["event_key"] in rows]
    meant = Counter((rows[one["event_key"]], one["kind"], one["happened_at"] >= CHANGED) for one in facts)
    accidents, set_on = "house_fire", "deliberate_fire"
    assert meant["PF1", accidents, True] == meant["PF2", set_on, True] == 0
    assert meant["PF1", set_on, False] == meant["PF2", accidents, False] == 0
    assert min(meant[code] for code in (("PF1", accidents, False), ("PF1", set_on, True))) > 15
    feed = agency_contracts()["fire"].feed("events")
    codes = feed.column("Incident_Type").codes
    assert codes is not None
    days = pa.array([one["happened_at"].date() for one in facts])
    read = codes.decode(pa.array([rows[one["event_key"]] for one in facts]), days).values
    assert read.to_pylist() == [one["kind"] for one in facts]


def test_the_society_is_the_same_with_and_without_scenes(tmp_path: Path) -> None:
    World.generate(people=600, seed=4).deliveries(tmp_path / "without")
    WORLD.deliveries(tmp_path / "with")
    without = (tmp_path / "without" / "police_nominals.csv").read_bytes()
    assert (tmp_path / "with" / "police_nominals.csv").read_bytes().startswith(without)
    again = tmp_path / "again"
    WORLD.deliveries(again)
    for path in again.iterdir():
        assert (
            hashlib.sha256(path.read_bytes()).digest()
            == hashlib.sha256((tmp_path / "with" / path.name).read_bytes()).digest()
        )
    assert World.generate(people=600, seed=4).truth.scenes.num_rows == 0
    assert isinstance(WORLD.truth.scenes, pa.Table)


def test_scenes_need_eleven_years() -> None:
    with pytest.raises(DeclarationError, match="at least 11 years"):
        World.generate(people=600, seed=4, start="2018-01-01", end="2023-01-01", scenes=True)
