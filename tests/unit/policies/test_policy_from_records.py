"""From events to the answer: a scheme that halves injuries and sends calls to the police, planted in the records."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.dates import days, months
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.histories.store import Histories
from riskmodel.policies.checks import minimum_detectable_effect, placebo_outcomes, pre_trends
from riskmodel.policies.design import Plan, PlannedOutcome
from riskmodel.policies.estimators import planned_estimator, planned_question
from riskmodel.policies.ledger_of_effects import ledger_of_effects
from riskmodel.policies.panels import open_panel, panel_before
from riskmodel.policies.registration import register
from riskmodel.seeds import stream

PLACES, QUARTERS = 60, 12
BEGINS = np.datetime64("2018-01-01", "M")
FIRST = {place: (None, 6, 8)[place % 3] for place in range(PLACES)}
KINDS = {
    "injury_by_violence": ("health", 8.0, 0.5),
    "domestic_abuse": ("police", 6.0, 1.5),
    "rent_arrears": ("housing", 5.0, 1.0),
}


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Counts are Poisson; health records arrive 10 to 50 days late."""
    chance, rows = stream(3, "records"), []
    for kind, (agency, mean, factor) in KINDS.items():
        for place, first in FIRST.items():
            for quarter in range(QUARTERS):
                opens = (BEGINS + 3 * quarter).astype("datetime64[us]")
                treated = first is not None and quarter >= first
                for _ in range(chance.poisson(mean * (factor if treated else 1.0))):
                    happened = opens + np.timedelta64(int(chance.integers(0, 89 * 86_400)), "s")
                    late = int(chance.integers(10, 50)) if agency == "health" else 1
                    rows.append((place, happened, happened + np.timedelta64(late, "D"), agency, kind, len(rows)))
    columns = list(zip(*rows, strict=True))
    names = ("place_id", "happened_at", "known_at", "agency", "kind", "event_id")
    table = {name: np.asarray(column) for name, column in zip(names, columns, strict=True)}
    return Histories.of(
        events=pa.table(table), covered_until=dict.fromkeys(("health", "police", "housing"), dt.date(2021, 6, 1))
    )


@pytest.fixture(scope="module")
def plan() -> Plan:
    opens = [(BEGINS + 3 * quarter).astype("datetime64[D]").astype(dt.date) for quarter in range(QUARTERS + 1)]
    return Plan(
        question="Does the scheme reduce injuries, and what does it ask of others?",
        unit="place",
        units=tuple(range(PLACES)),
        starts=tuple((place, opens[first]) for place, first in FIRST.items() if first is not None),
        begins=opens[0],
        ends=opens[-1],
        every=months(3),
        outcomes=(
            PlannedOutcome("injuries", "health", "injury_by_violence"),
            PlannedOutcome("calls", "police", "domestic_abuse", meaning="demand"),
            PlannedOutcome("arrears", "housing", "rent_arrears", placebo=True),
        ),
        primary="injuries",
        tests=("pre_trends", "placebo_outcomes", "minimum_detectable_effect"),
        settles_after=days(60),
    )


def test_from_plan_to_answer(histories, plan, tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    estimate, primary = planned_estimator(plan), planned_question(plan, "injuries")

    before = panel_before(histories, plan)
    assert before.n_periods == 5  # the sixth quarter had not settled when the first places started
    power = minimum_detectable_effect(before, plan.first_treated(), QUARTERS, primary, estimate, draws=60)
    register(plan, ledger)
    panel = open_panel(histories, plan, ledger)
    checks = [pre_trends(panel, primary), *placebo_outcomes(panel, [planned_question(plan, "arrears")], estimate)]
    made = ledger_of_effects(plan, panel, ledger, checks=checks, power=[power])

    assert made.deviations == ()
    assert verify(ledger.path).holds
    # Means of 8 and 6 a quarter, times .5 and 1.5: the truth is -4, +3 and 0.
    for effect, truth in zip(made.effects, (-4.0, 3.0, 0.0), strict=True):
        assert effect.state == "ok"
        assert abs(effect.estimate - truth) < 3.3 * effect.se
    assert power.detectable < 4
    assert made.p_family[0] < 0.001
    assert made.net_demand.low > 0
    assert made.sentences()[0].startswith("injuries (health): fell (-")
    # The count of a place is that of the events, whatever was late: 60 days are enough for every record.
    injuries = histories.events.filter(pc.equal(histories.events["kind"], "injury_by_violence"))
    assert panel.measure("injuries").sum() == injuries.num_rows


def test_counting_at_the_end_of_each_quarter_misses_what_comes_late(histories, plan, tmp_path):
    hasty, ledger = dataclasses.replace(plan, settles_after=days(0)), Ledger(tmp_path / "ledger.jsonl")
    register(hasty, ledger)
    panel = open_panel(histories, hasty, ledger)
    injuries = histories.events.filter(pc.equal(histories.events["kind"], "injury_by_violence"))
    share = panel.measure("injuries").sum() / injuries.num_rows
    assert share == pytest.approx(1 - 30 / 90, abs=0.04)  # records come 30 days later on average
    register(plan, ledger)
    said = [str(deviation) for deviation in ledger_of_effects(plan, panel, ledger).deviations]
    assert "registration: planned before any outcome was opened; done after outcomes had been opened 1 time(s)." in said
    assert "counting of injuries: planned 60d after each period; done 0d after each period." in said
