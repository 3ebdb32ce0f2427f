"""Plans: what they refuse, what stands in the ledger, and what counts as a deviation."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from riskmodel.dates import months
from riskmodel.errors import DeclarationError, EvidenceError
from riskmodel.governance.ledger import Ledger
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.design import Plan, PlannedOutcome
from riskmodel.policies.deviations import Conduct, deviations
from riskmodel.policies.registration import open_outcomes, register, registration
from riskmodel.policies.roll_out import roll_out_faults, roll_out_fingerprint

INJURY = PlannedOutcome("injuries", "health", "injury_by_violence")
CALLS = PlannedOutcome("calls", "police", "domestic_abuse", role="victim", meaning="demand")


def plan(**other) -> Plan:
    """Four areas over eight quarters of 2020 and 2021; B from 2020 Q3 on, C from 2021 Q2 on."""
    given = {
        "question": "Does the scheme reduce injuries?", "unit": "area", "units": ("A", "B", "C", "D"),
        "starts": (("B", dt.date(2020, 8, 20)), ("C", dt.date(2021, 4, 1))), "begins": dt.date(2020, 1, 1),
        "ends": dt.date(2022, 1, 1), "every": months(3), "outcomes": (INJURY, CALLS), "primary": "injuries",
    }  # fmt: skip
    return Plan(**(given | other))


def conduct(**other) -> Conduct:
    given = {
        "outcome": "injuries", "estimator": "group_time", "comparison": "never_treated", "weights": None,
        "covariates": (), "confidence": 0.95, "periods": ("2020-01-01", "2021-10-01", 8), "roll_out": plan().roll_out,
        "counted": "0d after each period",
    }  # fmt: skip
    return Conduct(**(given | other))


def test_a_unit_is_treated_from_the_period_that_holds_its_date():
    # 20 August is in the third quarter (index 2); 1 April 2021 opens the sixth (index 5).
    assert plan().first_treated().tolist() == [NEVER, 2, 5, NEVER]


def test_months_of_a_calendar_do_not_creep():
    calendar = Calendar(dt.date(2024, 1, 31), dt.date(2024, 5, 1), months(1))
    assert calendar.labels == ("2024-01-31", "2024-02-29", "2024-03-31")  # the fourth would end on 31 May
    assert calendar.index_of(dt.date(2024, 1, 30)) == -1
    assert calendar.index_of(dt.date(2024, 3, 30)) == 1


def test_every_fault_of_a_plan_is_said_at_once():
    with pytest.raises(DeclarationError) as refused:
        plan(question=" ", outcomes=(INJURY,), primary="calls", estimator="regression", units=("A", "B", "C", "C"))
    assert refused.value.code == "plan-invalid"
    places = [fault.where for fault in refused.value.faults]
    assert places == ["plan.question", "plan.estimator", "plan.primary", "plan.outcomes", "plan.units"]


def test_one_agency_needs_a_waiver():
    with pytest.raises(DeclarationError, match="at least two agencies, or a waiver"):
        plan(outcomes=(INJURY,))
    assert plan(outcomes=(INJURY,), waiver="no partner records anything else").agencies == ("health",)


@pytest.mark.parametrize(
    ("starts", "sentence"),
    [
        ((("B", dt.date(2019, 5, 1)), ("C", dt.date(2021, 4, 1)), ("D", dt.date(2021, 4, 1))), "in every period"),
        ((("B", dt.date(2020, 5, 1)), ("C", dt.date(2022, 1, 1)), ("D", dt.date(2021, 4, 1))), "after the data ends"),
        ((("B", dt.date(2020, 5, 1)),), "1 treated unit"),
        ((), "no treated unit"),
        (tuple((unit, dt.date(2020, 5, 1)) for unit in "ABCD"), "untreated while another is treated"),
        ((("B", dt.date(2020, 5, 1)), ("B", dt.date(2021, 5, 1))), "with two dates"),
        ((("B", dt.date(2020, 5, 1)), ("E", dt.date(2021, 5, 1))), "not in the study"),
    ],
)
def test_a_roll_out_that_answers_nothing_is_refused_in_a_sentence(starts, sentence):
    with pytest.raises(DeclarationError, match=sentence):
        plan(starts=starts)


def test_units_are_of_the_type_that_the_histories_use():
    with pytest.raises(DeclarationError, match="1 unit\\(s\\) of another type; expected area names as texts"):
        plan(units=("A", "B", "C", 4))
    with pytest.raises(DeclarationError, match="expected person ids as whole numbers"):
        plan(unit="person")


def test_one_treated_unit_is_enough_for_synthetic_controls():
    assert plan(starts=(("B", dt.date(2020, 5, 1)),), estimator="synthetic_did").starts[0][0] == "B"


def test_all_treated_at_different_times_compare_with_each_other_only_before_the_last_starts():
    starts = np.array([1, 1, 3, 3])
    assert [fault.found for fault in roll_out_faults(starts, 4, everyone=True)] == []
    assert "untreated while another" in roll_out_faults(starts, 4)[0].found


def test_a_plan_shows_no_unit_and_its_fingerprint_follows_everything():
    shown = repr(plan(units=("A-secret", "B", "C", "D")))
    assert "A-secret" not in shown
    others = [
        plan(question="Another?"), plan(confidence=0.9), plan(weights="days"), plan(units=("A", "B", "C", "E")),
        plan(starts=(("B", dt.date(2020, 8, 20)), ("C", dt.date(2021, 1, 1)))), plan(settles_after=months(1)),
    ]  # fmt: skip
    assert len({plan().fingerprint, *(other.fingerprint for other in others)}) == 7
    assert plan(units=("D", "C", "B", "A")).roll_out == plan().roll_out


def test_a_plan_is_registered_once_and_before_its_outcomes_are_opened(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(EvidenceError, match="plan-not-registered"):
        open_outcomes(plan(), ledger, "f" * 64)
    first = register(plan(), ledger)
    assert register(plan(), ledger) == first == registration(plan(), ledger)
    assert (first.number, first.opened_before) == (1, 0)
    assert open_outcomes(plan(), ledger, "f" * 64) == first
    late = register(plan(confidence=0.9), ledger)
    assert (late.number, late.opened_before) == (3, 1)
    assert [entry.action for entry in ledger.entries()] == ["plan-registered", "outcomes-opened", "plan-registered"]


def test_an_altered_ledger_opens_nothing(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    register(plan(), ledger)
    ledger.path.write_text(ledger.path.read_text().replace('"units":4', '"units":5'))
    with pytest.raises(EvidenceError):
        open_outcomes(plan(), ledger, "f" * 64)


def test_deviations_are_listed(tmp_path):
    registered = register(plan(), Ledger(tmp_path / "ledger.jsonl"))
    both = [conduct(), conduct(outcome="calls")]
    assert deviations(plan(), both, registered) == ()
    done = [
        conduct(estimator="twfe", comparison=None, weights="days", confidence=0.9),
        conduct(outcome="arrests", periods=("2020-04-01", "2021-10-01", 7), roll_out="0" * 64),
    ]
    assert [str(found) for found in deviations(plan(), done, None)] == [
        "registration: planned before the outcomes were opened; done never.",
        "outcome: planned calls; done not reported.",
        "outcome: planned not in the plan; done arrests.",
        "estimator of injuries: planned group_time; done twfe.",
        "weights of injuries: planned none; done days.",
        "confidence of injuries: planned 0.95; done 0.9.",
        "periods of arrests: planned 2020-01-01 to 2021-10-01 (8 periods); done 2020-04-01 to 2021-10-01 (7 periods).",
        "units and dates of arrests: planned as registered; done others.",
    ]
    late = dataclasses.replace(registered, opened_before=2)
    assert str(deviations(plan(), both, late)[0]).endswith("done after outcomes had been opened 2 time(s).")


def test_the_roll_out_fingerprint_is_of_pairs_not_of_order():
    labels = ("a", "b", "c")
    first = roll_out_fingerprint([1, 2], np.array([1, NEVER]), labels)
    assert roll_out_fingerprint([2, 1], np.array([NEVER, 1]), labels) == first
    assert roll_out_fingerprint([2, 1], np.array([1, NEVER]), labels) != first
