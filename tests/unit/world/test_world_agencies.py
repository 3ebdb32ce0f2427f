"""What the fire service, the charity, the A&E minimum set and everyday contacts add to a small world."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.feeds.intake import Intake, receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.world.agencies import AGENCIES, CORE
from riskmodel.world.facts import kind_number
from riskmodel.world.minimum_set import METHODS
from riskmodel.world.sheet import NO_REASON
from riskmodel.world.society import World

WORLD = World.generate(people=1_500, seed=11, start="2014-01-01", end="2020-01-01", every_contact=True)
TWO_BLOCKS = World.generate(people=5_200, seed=3, start="2018-01-01", end="2019-01-01", every_contact=True)
NAMED = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "role", "ended_at", "retracted")


def received(world: World, folder: Path, agencies: tuple[str, ...], format: str | None = None) -> Intake:
    purpose = Purpose("test", "To test.", "Synthetic records.", agencies, NAMED, dt.date(2090, 1, 1))
    store = connect(f"duckdb:///{folder / 'store'}", purpose)
    return receive(store, world.deliveries(folder / "deliveries", agencies=agencies, format=format))


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def facts_of_kind(kind: str) -> pa.Table:
    events = WORLD.truth.events
    return events.filter(pc.equal(events.column("kind"), kind))


def test_two_processes_write_the_bytes_of_one(tmp_path: Path) -> None:
    some = ("education", "fire", "charity", "justice")  # JSON lines, two CSV habits, Parquet
    for workers in (1, 2):
        TWO_BLOCKS.deliveries(tmp_path / f"as it is, {workers}", agencies=some, workers=workers)
        TWO_BLOCKS.deliveries(tmp_path / f"parquet, {workers}", agencies=some, format="parquet", workers=workers)
    for form in ("as it is", "parquet"):
        assert hashes(tmp_path / f"{form}, 1") == hashes(tmp_path / f"{form}, 2")
    assert not list(tmp_path.rglob(".*"))  # no piece is left


@pytest.mark.parametrize("faults", [{"agencies": ("vet",)}, {"format": "xlsx"}, {"workers": 0}])
def test_deliveries_that_cannot_be_are_refused(faults: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as refused:
        WORLD.deliveries(tmp_path / "none", **faults)  # type: ignore[arg-type]  # wrong words are what is tested
    assert refused.value.code == "world-invalid"
    assert not (tmp_path / "none").exists()


def test_the_same_records_are_received_from_parquet_as_from_the_agencies_own_files(tmp_path: Path) -> None:
    own, parquet = (received(WORLD, tmp_path / str(form), AGENCIES, format=form) for form in (None, "parquet"))
    assert own.relations.equals(parquet.relations)
    for one, other in ((own.people, parquet.people), (own.events, parquet.events)):
        exact = pc.not_equal(one.column("agency"), "charity")  # its own sheet has days where its Parquet has minutes
        assert one.filter(exact).equals(other.filter(exact))
        assert one.num_rows == other.num_rows
    planted = {(row["feed"], row["code"]): row["rows"] for row in WORLD.truth.planted.to_pylist()}
    for intake in (own, parquet):
        found = intake.quarantine.group_by(["feed", "code"]).aggregate([("row", "count")]).to_pylist()
        assert {(row["feed"], row["code"]): row["row_count"] for row in found} == planted


def test_an_agency_left_out_changes_nobody_elses_bytes(tmp_path: Path) -> None:
    WORLD.deliveries(tmp_path / "all")
    WORLD.deliveries(tmp_path / "core", agencies=CORE)
    every, core = hashes(tmp_path / "all"), hashes(tmp_path / "core")
    assert not any(name.startswith(("fire", "charity")) for name in core)
    assert all(every[name] == digest for name, digest in core.items() if name != "deliveries.toml")


def test_every_arson_is_a_deliberate_fire_at_the_same_address_and_names_nobody() -> None:
    arsons, fires = facts_of_kind("arson"), facts_of_kind("deliberate_fire")
    assert fires.num_rows == arsons.num_rows > 0
    assert fires.column("happened_at").to_pylist() == arsons.column("happened_at").to_pylist()
    assert fires.column("dwelling").to_pylist() == arsons.column("dwelling").to_pylist()
    assert fires.column("person").null_count == fires.num_rows


def test_occupiers_named_by_the_fire_service_are_adults_who_live_there() -> None:
    block = WORLD.block(0)
    facts = block.parts[1].facts
    named = np.flatnonzero(facts.person >= 0)
    assert len(named) > 50
    day = facts.at[named] // 86_400_000_000
    assert (block.lives.residences.at(facts.person[named], day) == facts.dwelling[named]).all()
    assert ((day - block.people.born[facts.person[named]]) / 365.2425).min() > 17.9


def test_the_charity_sends_one_sheet_in_which_a_line_is_a_person_and_a_visit(tmp_path: Path) -> None:
    intake = received(WORLD, tmp_path, ("charity",))
    path = tmp_path / "deliveries" / "charity_visits.csv"
    assert [file.name for file in sorted(path.parent.iterdir())] == ["charity_visits.csv", "deliveries.toml"]
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    visits = facts_of_kind("abuse_support")
    seen = visits.filter(visits.column("event_key").is_valid())
    unreadable = sum(line["Why they came"] == NO_REASON for line in lines)
    assert unreadable >= 1
    assert len(lines) == seen.num_rows + unreadable
    assert intake.events.num_rows == seen.num_rows
    happened = dict(zip(seen.column("event_key").to_pylist(), seen.column("happened_at").to_pylist(), strict=True))
    for row in intake.events.to_pylist():
        assert row["happened_at"].date() == happened[row["event_key"]].date()
        assert row["known_at"] == row["happened_at"]
    clients = {row["person_key"] for row in intake.people.to_pylist()}
    assert clients == {row["person_key"] for row in intake.events.to_pylist()}


def test_the_minimum_set_says_where_and_how_and_never_who(tmp_path: Path) -> None:
    intake = received(WORLD, tmp_path, ("health",))
    rows = intake.events.filter(pc.equal(intake.events.column("feed"), "health.minimum_set"))
    assert rows.column("person_key").null_count == rows.num_rows > 30
    assert set(rows.column("kind").to_pylist()) <= set(METHODS)
    assert rows.column("postcode").null_count == 0
    truth = {row["event_key"]: row for row in WORLD.truth.minimum_set.to_pylist()}
    assert {row["event_key"] for row in rows.to_pylist()} == set(truth)
    assert all(truth[row["event_key"]]["happened_at"] == row["happened_at"] for row in rows.to_pylist())


def test_everyday_contacts_are_of_living_people_with_a_file() -> None:
    block = WORLD.block(0)
    facts, people = block.parts[3].facts, block.people
    day = facts.at // 86_400_000_000
    assert (day >= people.born[facts.person]).all()
    assert (day <= people.died[facts.person]).all()
    assert (np.diff(facts.at) >= 0).all()
    for agency in ("health", "education", "housing", "police"):
        register, contacts = block.tables[f"{agency}.people"], block.tables[f"{agency}.contacts"]
        opened = register.group_by("person_key").aggregate([("recorded_at", "min")])
        joined = contacts.join(opened, keys="person_key")
        assert joined.column("recorded_at_min").null_count == 0
        assert pc.all(pc.greater(joined.column("happened_at"), joined.column("recorded_at_min"))).as_py()
    late = facts.at[facts.kind == kind_number("late_for_school")] // 3_600_000_000 % 24
    assert (late.min(), late.max()) == (9, 15)  # from nine to just before four


def test_everyday_contacts_leave_the_other_files_as_they_are(tmp_path: Path) -> None:
    plain = World.generate(people=1_500, seed=11, start="2014-01-01", end="2020-01-01")
    plain.deliveries(tmp_path / "plain")
    WORLD.deliveries(tmp_path / "every contact")
    few, many = hashes(tmp_path / "plain"), hashes(tmp_path / "every contact")
    assert len(many) == len(few) + 4
    assert all(many[name] == digest for name, digest in few.items() if name != "deliveries.toml")
    ten_years = WORLD.truth.events.num_rows / 1_500 / 6 * 10
    assert 36 < ten_years < 54  # about 40 a person in ten years
