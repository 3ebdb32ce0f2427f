"""One policy, every agency's outcomes: planted effects recovered, demand that moved seen, deviations listed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from riskmodel.dates import months, years
from riskmodel.errors import DeclarationError, EvidenceError
from riskmodel.governance.ledger import Ledger
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.checks import minimum_detectable_effect, pre_trends
from riskmodel.policies.conclusion import conclude
from riskmodel.policies.design import Plan, PlannedOutcome, PlannedSpillover
from riskmodel.policies.effects import Asked
from riskmodel.policies.estimators import estimator, planned_estimator
from riskmodel.policies.ledger_of_effects import NET, TABLE, ledger_of_effects
from riskmodel.policies.panel import Panel
from riskmodel.policies.registration import open_outcomes, register
from riskmodel.policies.sensitivity import without_each_partner
from riskmodel.policies.spillover import spillover
from riskmodel.policies.twfe import twfe
from riskmodel.seeds import stream
from riskmodel.world.policy import PolicyWorld
from riskmodel.world.policy_records import area_name, opens

N, PERIODS = 90, 8
OUTCOMES = (
    PlannedOutcome("calls", "police", "domestic_abuse", meaning="demand"),
    PlannedOutcome("injuries", "health", "injury_by_violence"),
    PlannedOutcome("contacts", "health", "mental_health_contact", meaning="demand"),
    PlannedOutcome("arrears", "housing", "rent_arrears", placebo=True),
)
STARTS = np.resize([NEVER, 3, 5], N)


def plan(**other) -> Plan:
    given = {
        "question": "Does it work, and what moves elsewhere?", "unit": "place", "units": tuple(range(N)),
        "starts": tuple((i, dt.date(2001 + int(s), 5, 5)) for i, s in enumerate(STARTS) if s != NEVER),
        "begins": dt.date(2001, 1, 1), "ends": dt.date(2009, 1, 1), "every": years(1), "outcomes": OUTCOMES,
        "primary": "injuries",
    }  # fmt: skip
    return Plan(**(given | other))


def panel(seed: int = 1) -> Panel:
    """Injuries fall by 2, contacts fall by 3, calls rise by 3: demand only moved. Arrears: nothing."""
    treated = np.arange(PERIODS)[None, :] >= STARTS[:, None]
    measures = {
        name: stream(seed, name).poisson(20, (N, PERIODS)) + size * treated
        for name, size in (("calls", 3.0), ("injuries", -2.0), ("contacts", -3.0), ("arrears", 0.0))
    }
    days = np.arange("2001", "2009", dtype="datetime64[Y]").astype("datetime64[D]")
    return Panel(np.arange(N), days, STARTS, measures, "0d after each period")


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    made = Ledger(tmp_path / "ledger.jsonl")
    register(plan(), made)
    open_outcomes(plan(), made, "f" * 64)
    return made


def test_an_unregistered_plan_gets_no_ledger_of_effects(tmp_path):
    with pytest.raises(EvidenceError, match="plan-not-registered"):
        ledger_of_effects(plan(), panel(), Ledger(tmp_path / "ledger.jsonl"))


def test_every_outcome_has_a_row_and_a_row_for_each_lag(ledger):
    made = ledger_of_effects(plan(), panel(), ledger)
    table = made.table()
    assert table.schema == TABLE
    whole = [row for row in table.to_pylist() if row["lag"] is None]
    assert [(row["agency"], row["outcome"], row["meaning"], row["primary"]) for row in whole] == [
        ("police", "calls", "demand", False),
        ("health", "injuries", "harm", True),
        ("health", "contacts", "demand", False),
        ("housing", "arrears", "placebo", False),
    ]
    for row, truth in zip(whole, (3, -2, -3, 0), strict=True):
        assert abs(row["estimate"] - truth) < 3.3 * row["se"]  # of four estimates, one in 250 sets would fail
    # Three outcomes are one family; the placebo is not in it.
    assert whole[0]["p_family"] >= whole[0]["p_value"]
    assert whole[3]["p_family"] is None
    matrix = made.matrix()
    assert matrix.column_names == ["agency", "outcome", "0", "1", "2", "3", "4"]
    assert matrix.num_rows == 4


def test_demand_that_only_moved_adds_up_to_nothing(ledger):
    made = ledger_of_effects(plan(), panel(), ledger)
    net = made.net_demand
    assert net.outcomes == ("calls", "contacts")
    assert net.low < 0 < net.high
    assert net.total == pytest.approx(net.effect.estimate * (30 * 5 + 30 * 3))  # treated units and periods
    # The same from the parts: estimates add up, and influence functions give their covariance.
    calls, contacts = made.effects[0], made.effects[2]
    assert net.effect.estimate == pytest.approx(calls.estimate + contacts.estimate)
    assert net.effect.se**2 == pytest.approx(((calls.influence + contacts.influence) ** 2).sum())


def test_costs_weigh_the_demand_and_must_fit_it(ledger):
    made = ledger_of_effects(plan(), panel(), ledger, costs={"calls": 100.0, "contacts": 10.0})
    assert made.net_demand.effect.estimate == pytest.approx(
        100 * made.effects[0].estimate + 10 * made.effects[2].estimate
    )
    assert "pounds" in made.sentences()[4]
    with pytest.raises(DeclarationError, match="2 faults"):
        ledger_of_effects(plan(), panel(), ledger, costs={"calls": 100.0, "injuries": 10.0})


def test_weighted_effects_are_not_multiplied_up(tmp_path):
    ledger, weighted = Ledger(tmp_path / "ledger.jsonl"), plan(weights="days")
    register(weighted, ledger)
    made = ledger_of_effects(weighted, panel().adding("days", np.full((N, PERIODS), 365.0)), ledger)
    assert np.isnan(made.net_demand.total)
    assert "for each unit and period" in made.sentences()[4]


def test_what_was_not_done_as_planned_is_listed(ledger):
    plain = ledger_of_effects(plan(), panel(), ledger)
    assert [str(deviation) for deviation in plain.deviations] == [
        "check: planned pre_trends; done not made.",
        "check: planned minimum_detectable_effect; done not made.",
    ]
    other = [twfe(panel(), Asked("injuries")), twfe(panel().adding("extra", panel().measures["calls"]), Asked("extra"))]
    made = ledger_of_effects(plan(), panel(), ledger, effects=other)
    assert [deviation.what for deviation in made.deviations] == ["outcome", "estimator of injuries",
        "estimator of extra", "check", "check"]  # fmt: skip
    moved = ledger_of_effects(plan(), panel().starting(np.roll(STARTS, 1)), ledger)
    assert {deviation.what for deviation in moved.deviations} >= {f"units and dates of {o.name}" for o in OUTCOMES}


def test_a_panel_that_was_not_opened_or_counted_otherwise_is_said(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    register(plan(), ledger)
    other = dataclasses.replace(panel(), counted=None)
    said = [str(deviation) for deviation in ledger_of_effects(plan(), other, ledger).deviations]
    assert said[0] == "counting of calls: planned 0d after each period; done not from records."
    assert said[-1] == "opening: planned outcomes opened for this plan in the ledger; done not written down."


def test_a_null_result_stands_beside_what_could_have_been_seen(ledger):
    quiet = panel().adding("injuries", stream(5, "quiet").poisson(20, (N, PERIODS)))
    estimate = planned_estimator(plan())
    before = quiet.between(0, 3)
    power = minimum_detectable_effect(before, STARTS, PERIODS, Asked("injuries"), estimate, draws=40)
    check = pre_trends(quiet, Asked("injuries"))
    made = ledger_of_effects(plan(), quiet, ledger, checks=[check], power=[power])
    assert made.deviations == ()
    first = made.sentences()[0]
    assert first.startswith("injuries (health): no change is shown")
    assert first.endswith(power.sentence)
    assert made.sentences()[-1] == check.sentence
    assert "Which change the study could have seen was not worked out." in made.sentences()[3]


def test_the_document_is_json_and_names_its_plan(ledger):
    made = ledger_of_effects(plan(), panel(), ledger)
    text = json.dumps(made.document(), allow_nan=False)
    assert made.plan == plan().fingerprint
    assert plan().fingerprint in text
    assert made.fingerprint == ledger_of_effects(plan(), panel(), ledger).fingerprint
    assert made.fingerprint != ledger_of_effects(plan(), panel(2), ledger).fingerprint
    assert made.net_demand.effect.outcome == NET


def test_false_alarms_are_held_over_the_family(ledger):
    # Nothing happens to three outcomes: in 60 studies a family-wise 5 % rings in about 3.
    alarms = 0
    for seed in range(60):
        calm = panel()
        for name in ("calls", "injuries", "contacts"):
            calm = calm.adding(name, stream(seed, "calm", name).poisson(20, (N, PERIODS)))
        alarms += min(ledger_of_effects(plan(), calm, ledger).p_family[:3]) < 0.05
    assert alarms <= 9


def test_records_that_stand_in_no_count_are_said(ledger):
    made = ledger_of_effects(plan(), dataclasses.replace(panel(), uncounted={"calls": 1_007, "injuries": 0}), ledger)
    assert made.uncounted == (("calls", 1_007),)
    assert "1,007 records of calls have no place or address and stand in no count." in made.sentences()


def test_people_at_the_edge_are_judged_in_the_family_and_missing_ones_are_a_deviation(tmp_path):
    """The kin of a planted world: with them, without them, and without the partner who records what happened."""
    world = PolicyWorld.generate("harms_children", 2, areas=30, children=300)
    kin = PlannedSpillover(
        "children", "parent", "justice", "custody", PlannedOutcome("exclusions", "education", "exclusion")
    )
    starts, quarters = world.starts.tolist(), np.asarray([opens(at) for at in range(16)], "datetime64[D]")
    names = tuple(area_name(area) for area in range(30))
    plan = Plan(
        question="What did it do?",
        unit="area",
        units=names,
        starts=tuple((name, opens(at)) for name, at in zip(names, starts, strict=True) if at >= 0),
        begins=opens(0),
        ends=opens(16),
        every=months(3),
        outcomes=(PlannedOutcome("violence", "police", "violence"), PlannedOutcome("injuries", "health", "injury")),
        primary="violence",
        estimator="imputation",
        tests=(),
        spillovers=(kin,),
    )
    ledger = Ledger(tmp_path / "ledger.jsonl")
    register(plan, ledger)
    open_outcomes(plan, ledger, "histories")
    first = np.where(world.starts < 0, NEVER, world.starts)
    measures = {name: world.counts[name].astype(float) for name in ("violence", "injuries")}
    panel = Panel(np.asarray(names), quarters, first, measures)
    born = np.where(world.child_starts < 0, NEVER, world.child_starts)
    children = Panel(np.arange(300), quarters, born, {"exclusions": world.exclusions.astype(float)})
    reached = spillover(children, kin, estimator("imputation"))
    made = ledger_of_effects(plan, panel, ledger, spillovers=[reached])
    assert not any(each.what == "spillover" for each in made.deviations)
    # three questions in the family: the smallest p is taken times three
    own = sorted([made.effects[0].p_value, made.effects[1].p_value, reached.effect.p_value])
    assert min(*made.p_family, *made.p_spillover) == pytest.approx(3 * own[0])
    assert any(
        said.startswith("children: ") and "reached through parent (custody)" in said for said in made.sentences()
    )
    assert conclude(made).harmed == ("children",)
    without = {each.agency: each for each in without_each_partner(made)}
    assert without["education"].sentence == "Without education: harm to children would not be seen."
    assert without["police"].conclusion is None
    assert not without["health"].changed
    left_out = ledger_of_effects(plan, panel, ledger)
    assert "spillover: planned children; done not made." in [str(each) for each in left_out.deviations]
    assert conclude(left_out).harmed == ()
