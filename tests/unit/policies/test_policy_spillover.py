"""Who is reached through which tie, rings in space, two sources of one harm: by hand and in a planted world."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days, months
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.design import Plan, PlannedOutcome, PlannedSpillover
from riskmodel.policies.effects import Asked
from riskmodel.policies.imputation import imputation
from riskmodel.policies.recording import recording_change
from riskmodel.policies.registration import register
from riskmodel.policies.spillover import ring_effects, spillover, spillover_panel
from riskmodel.policies.ties import first_exposures
from riskmodel.seeds import stream
from riskmodel.tables import EVENTS, RELATIONS, RESIDENCES
from riskmodel.world.policy import NEVER as NOT_THERE
from riskmodel.world.policy import QUARTERS, PolicyWorld
from riskmodel.world.policy_records import events, opens, relations, residences


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def rows(schema: pa.Schema, *given: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in given], schema)


def custody(number: int, person: int, on: str, known: str | None = None, place: int | None = None) -> dict[str, object]:
    return {
        "entity_id": person, "happened_at": moment(on), "known_at": moment(known or on), "agency": "justice",
        "kind": "custody", "event_id": number, "place_id": place, "role": "suspect",
    }  # fmt: skip


def lived(person: int, place: int, area: str, since: str, until: str | None = None) -> dict[str, object]:
    ends = moment(until) if until else None
    return {
        "entity_id": person, "place_id": place, "area": area, "starts_at": moment(since), "ends_at": ends,
        "known_at": moment(since),
    }  # fmt: skip


def tie(child: int, parent: int, since: str = "2010-01-01", known: str = "2010-01-01") -> dict[str, object]:
    return {
        "entity_id": child, "other_id": parent, "kind": "parent", "starts_at": moment(since), "known_at": moment(known)
    }  # fmt: skip


@pytest.fixture
def family() -> Histories:
    """1 and 2 are children of 11, 3 of 13; 4 lives with 13; 5 moved in after 13; 6 lives next door; 7 is far away."""
    return Histories.of(
        events=rows(
            EVENTS,
            custody(1, 11, "2020-05-01"),
            custody(2, 13, "2020-09-01", known="2020-12-01", place=30),
            custody(3, 8, "2020-09-01", place=30),
        ),
        residences=rows(
            RESIDENCES,
            lived(13, 30, "north", "2015-01-01", "2020-10-01"),
            lived(4, 30, "north", "2015-01-01"),
            lived(5, 30, "north", "2020-11-01"),
            lived(6, 31, "north", "2015-01-01"),
            lived(7, 40, "south", "2015-01-01"),
        ),
        relations=rows(RELATIONS, tie(1, 11), tie(2, 11, since="2020-06-01"), tie(3, 13)),
        covered_until={"justice": dt.date(2021, 1, 1)},
    )


def reached(histories: Histories, through: str, as_of: str = "2021-01-01") -> dict[int, str | None]:
    table = first_exposures(histories, through, "justice", "custody", dt.date.fromisoformat(as_of))
    pairs = zip(table["entity_id"].to_pylist(), table["first"].to_pylist(), strict=True)
    return {person: None if first is None else str(first.date()) for person, first in pairs}


def test_a_parents_imprisonment_reaches_the_child_while_the_tie_holds_and_once_it_is_known(family):
    # 2 became a child of 11 only after the imprisonment; 3's parent went in on 1 September, known on 1 December.
    assert reached(family, "parent") == {1: "2020-05-01", 2: None, 3: "2020-09-01"}
    assert reached(family, "parent", "2020-11-01") == {1: "2020-05-01", 2: None, 3: None}


def test_ties_from_addresses_and_offences(family):
    # 5 lives with 4, but never lived there together with 13
    assert reached(family, "co_resident") == {4: "2020-09-01", 5: None, 13: None}
    assert reached(family, "former_occupant") == {5: None}  # 13 was imprisoned before 5 moved in
    assert reached(family, "neighbour") == {4: None, 5: None, 6: "2020-09-01", 7: None, 13: None}
    # 8 and 13 are suspected of one thing: what happens to either afterwards reaches the other, not the thing itself
    assert reached(family, "co_offender") == {8: None, 13: None}


def test_two_ties_in_a_row_are_the_periphery(family):
    # 3's parent lived with 4: what happened to 4 would reach 3; nothing did
    assert reached(family, "parent.co_resident") == {3: None}
    with pytest.raises(DeclarationError, match="the tie 'cousin'"):
        reached(family, "cousin")
    with pytest.raises(DeclarationError, match="two of them joined by a dot"):
        reached(family, "parent.parent.parent")


def kin_plan(world: PolicyWorld, planned: PlannedSpillover) -> Plan:
    starts = world.starts.tolist()
    return Plan(
        question="Does it harm the children of those imprisoned?",
        unit="area",
        units=tuple(f"area-{area:03d}" for area in range(len(starts))),
        starts=tuple((f"area-{area:03d}", opens(at)) for area, at in enumerate(starts) if at != NOT_THERE),
        begins=opens(0),
        ends=opens(QUARTERS),
        every=months(3),
        outcomes=(
            PlannedOutcome("violence", "police", "violence"),
            PlannedOutcome("injuries", "health", "injury_by_violence"),
        ),
        primary="injuries",
        settles_after=days(60),
        spillovers=(planned,),
    )


def test_the_children_of_a_planted_world_are_found_in_its_records(tmp_path):
    world = PolicyWorld.generate("harms_children", 3, areas=24, children=400)
    covered = dict.fromkeys(
        ("police", "health", "justice", "education", "housing", "childrens_services"), dt.date(2022, 6, 1)
    )
    histories = Histories.of(
        events=events(world), residences=residences(world), relations=relations(world), covered_until=covered
    )
    planned = PlannedSpillover(
        "children", "parent", "justice", "custody", PlannedOutcome("exclusions", "education", "exclusion")
    )
    plan, ledger = kin_plan(world, planned), Ledger(tmp_path / "ledger.jsonl")
    register(plan, ledger)
    panel, early = spillover_panel(histories, plan, planned, ledger)
    assert early == 0
    at = np.where(world.child_starts == NOT_THERE, NEVER, world.child_starts)
    assert (panel.starts == at).all()
    assert (panel.measure("exclusions") == world.exclusions).all()
    made = spillover(panel, planned, imputation)
    assert made.n_exposed == int((at != NEVER).sum())
    assert made.effect.low <= world.truth["exclusions"] <= made.effect.high


def test_rings_find_what_moved_round_the_corner(grid):
    # Units on a line, the treated at 0; harm falls by 2 there and rises by 1 within 3 of it. No noise but rounding.
    at = np.column_stack([np.repeat([0.0, 2.0, 20.0, 50.0], 15), np.tile(np.arange(15) * 0.001, 4)])
    chance = stream(1, "rings")
    y = 10 + chance.normal(0, 0.1, (60, 8))
    y[:15, 4:] -= 2
    y[15:30, 4:] += 1
    panel = grid(y, [4] * 15 + [None] * 45)
    rings = ring_effects(panel, at, [3.0, 30.0], Asked("y"), imputation)
    assert [(ring.inner, ring.outer) for ring in rings] == [(0, 0), (0, 3.0), (3.0, 30.0)]
    assert [ring.effect.estimate for ring in rings] == pytest.approx([-2, 1, 0], abs=0.15)
    assert rings[1].effect.low > 0.8
    assert rings[2].effect.low < 0 < rings[2].effect.high
    with pytest.raises(DeclarationError, match="no unit beyond the last ring"):
        ring_effects(panel, at, [100.0], Asked("y"), imputation)
    with pytest.raises(DeclarationError, match="distances that ascend"):
        ring_effects(panel, at, [3.0, 2.0], Asked("y"), imputation)


def test_a_source_that_alone_moves_has_changed_its_recording(grid):
    chance = stream(2, "sources")
    harm = chance.poisson(40.0, (60, 8)).astype(float)
    under = (np.arange(60) < 30)[:, None] & (np.arange(8) >= 4)
    starts = [4] * 30 + [None] * 30
    less = harm - np.where(under, np.round(0.3 * harm), 0)  # the police write down three in ten less
    panel = grid(less, starts, hospital=harm / 4, both=less / 4, silent=np.zeros((60, 8)))
    alone = recording_change(panel, Asked("y"), Asked("hospital"), imputation)
    assert alone.p_value < 0.001
    assert alone.effects[0].estimate == pytest.approx(-0.3, abs=0.03)
    assert "moved apart" in alone.sentence
    together = recording_change(panel, Asked("y"), Asked("both"), imputation)
    assert abs(together.effects[0].estimate) < 1e-9
    with pytest.raises(DataRefused, match="no silent in the treated units before they started"):
        recording_change(panel, Asked("y"), Asked("silent"), imputation)


def test_a_panel_of_people_that_nothing_reached_is_refused(family, tmp_path):
    planned = PlannedSpillover(
        "x", "former_occupant", "justice", "custody", PlannedOutcome("again", "justice", "custody")
    )
    plan = kin_plan(PolicyWorld.generate("null", 1, areas=12, children=5), planned)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    register(plan, ledger)
    with pytest.raises(DataRefused, match="0 of 1 people reached"):
        spillover_panel(family, plan, planned, ledger)
