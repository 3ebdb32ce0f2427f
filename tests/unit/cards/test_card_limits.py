"""The standing limits: those that apply, with the run's own figures, and never a softer sentence for a missing one."""

from __future__ import annotations

import dataclasses

import pytest

from riskmodel.cards import limits
from riskmodel.cards.evidence import Claim
from riskmodel.cards.limits import RunFigures, standing_limits

RUN = RunFigures("young people", Claim("p", 0.08, "evaluation", unit="share"), 12, 120, youngest=10)


def said(**changed: object) -> str:
    return "\n".join(standing_limits(dataclasses.replace(RUN, **changed)))  # type: ignore[arg-type]  # fields of RunFigures


def test_the_fourteen_apply_but_for_group_thresholds_and_made_up_people() -> None:
    assert len(standing_limits(RUN)) == 13  # 14 less the one on group thresholds
    assert len(standing_limits(dataclasses.replace(RUN, group_thresholds=True, synthetic=True))) == 15


def test_the_figure_per_100_is_the_runs_own() -> None:
    assert "of 100 on it, about 92 did not" in said()
    # 70 of 100 did: "most will not" would be false, so it is not said
    assert "Most young people" not in said(precision=Claim("p", 0.7, "evaluation"))
    assert "about 30 did not go on" in said(precision=Claim("p", 0.7, "evaluation"))


@pytest.mark.parametrize("missing", [None, Claim("p", None, "evaluation", state="not_estimable")])
def test_a_missing_figure_is_said_to_be_missing(missing: Claim | None) -> None:
    assert "is not estimable here" in said(precision=missing)


def test_what_cannot_be_estimated_is_counted() -> None:
    assert "12 of 120 group measures could not be estimated" in said()


def test_children_are_left_out_only_when_nobody_is_under_18() -> None:
    assert "Children" in said(youngest=17)
    assert "Children" in said(youngest=None)  # not known is not "none"
    assert "Children" not in said(youngest=18)


def test_reasons_are_not_spoken_of_where_there_are_none() -> None:
    assert limits.SHAP not in said(reasons=False)
    assert "of 100 main reasons of high scores, about 81 stayed the same" in said(reason_stability=0.81)


def test_no_fairness_choice_means_none_is_claimed() -> None:
    assert "none is claimed to be met" in said()
    assert "The board put missed help first." in said(fairness_choice="The board put missed help first.")
