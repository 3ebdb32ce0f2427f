"""Checks find what is planted, stay quiet where nothing is, and say what they would have missed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from riskmodel.errors import DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.checks import (
    minimum_detectable_effect,
    placebo_dates,
    placebo_outcomes,
    pre_trends,
    randomisation,
)
from riskmodel.policies.effects import Asked
from riskmodel.policies.estimators import estimator
from riskmodel.policies.group_time import group_time
from riskmodel.policies.multiplicity import holm
from riskmodel.policies.twfe import twfe

Y = Asked("y")


def drifting(panel, slope: float):
    """The panel with a straight trend of the treated units added."""
    time = np.arange(panel.n_periods)[None, :]
    return panel.adding("y", panel.measures["y"] + slope * time * panel.treated[:, None])


def test_the_joint_test_is_the_wald_statistic_of_the_periods_before(staggered):
    panel = staggered(1)
    check = pre_trends(panel, Y)
    effect = group_time(panel, Y, base="universal")
    before = np.array([event.estimate for event in effect.by_event_time if event.event_time < 0])
    k = len(before)
    assert check.statistic == pytest.approx(before @ np.linalg.solve(effect.covariance[:k, :k], before))
    # Hotelling: six periods, 90 units.
    assert check.p_value == pytest.approx(stats.f.sf(check.statistic * 84 / (6 * 89), 6, 84))
    assert (check.state, check.effects[0].estimate) == ("ok", effect.estimate)


def test_trends_before_the_start_are_found_as_often_as_promised(staggered):
    # A trend of the size that is said to be detectable is found in about 80 of 100 panels; none, in about 5.
    flat = [pre_trends(staggered(seed), Y) for seed in range(100)]
    assert sum(check.p_value < 0.05 for check in flat) <= 14
    sloped = [pre_trends(drifting(staggered(seed), flat[seed].detectable), Y) for seed in range(100)]
    assert 66 <= sum(check.p_value < 0.05 for check in sloped) <= 95
    assert "were not seen to move apart in y" in flat[0].sentence
    assert "could have gone unseen" in flat[0].sentence


def test_one_period_before_the_start_shows_no_trend(grid):
    check = pre_trends(grid([[1.0, 6], [2, 9], [0, 1], [3, 5]], [1, 1, None, None]), Y)
    assert check.state == "not_estimable"
    assert np.isnan(check.p_value)


def test_a_placebo_date_sees_only_untreated_periods(staggered):
    clean = placebo_dates(staggered(2, effect=5.0, noise=0.0), Y, 2)
    assert clean.effects[0].estimate == pytest.approx(0.0, abs=1e-9)
    assert [event.event_time for event in clean.effects[0].by_event_time] == [0, 1]
    # Units behave differently one period before their start: by 3. Two periods back the placebo sees 0 and 3.
    panel = staggered(2, effect=5.0, noise=0.0)
    early = panel.measures["y"] + 3.0 * (np.arange(10)[None, :] == panel.starts[:, None] - 1)
    found = placebo_dates(panel.adding("y", early), Y, 2)
    assert [event.estimate for event in found.effects[0].by_event_time] == pytest.approx([0.0, 3.0])
    assert "left out" in placebo_dates(staggered(2), Y, 4).sentence  # starters of period 4 have none 4 before
    assert placebo_dates(staggered(2), Y, 7).state == "not_estimable"
    with pytest.raises(DeclarationError, match="shift of 0"):
        placebo_dates(staggered(2), Y, 0)


def test_placebo_outcomes_are_judged_as_a_family(staggered):
    panel = staggered(3, effect=1.5)
    calm = panel.adding("calm", staggered(4).measures["y"])
    moved, unmoved = placebo_outcomes(calm, [Y, Asked("calm")], estimator("imputation"))
    assert (moved.p_value < 0.001, unmoved.p_value > 0.05) == (True, True)
    assert moved.p_value == pytest.approx(2 * moved.effects[0].p_value)
    assert "it moves" in moved.sentence
    assert "it does not move" in unmoved.sentence


def test_holm_counts_unknown_questions():
    # Sorted .01, .04 of three questions: 3 * .01 and 2 * .04.
    adjusted = holm([0.04, float("nan"), 0.01])
    assert adjusted[::2] == pytest.approx([0.08, 0.03])
    assert np.isnan(adjusted[1])


def test_dealing_out_the_starts_at_random(grid):
    # 2 of 6 units treated: 15 roll-outs, the real one the most extreme of all, so it comes by chance 1 time in 15.
    change = [9.0, 9.5, 0.1, 0.4, -0.2, 0.3]
    panel = grid([[0.0, value] for value in change], [1, 1, None, None, None, None])
    check = randomisation(panel, Y, group_time, draws=299, seed=1)
    assert check.p_value == pytest.approx(1 / 15, abs=0.045)
    again = [randomisation(panel, Y, group_time, draws=20, seed=1).p_value for _ in range(2)]
    assert again[0] == again[1]
    # Within strata {1, 3} and the rest only 2 * 4 = 8 roll-outs are possible.
    within = randomisation(panel, Y, group_time, draws=299, seed=1, strata=["a", "b", "a", "b", "b", "b"])
    assert within.p_value == pytest.approx(1 / 8, abs=0.06)


def test_a_panel_without_any_effect_gives_even_p_values(staggered):
    drawn = [randomisation(staggered(seed, n=18), Y, twfe, draws=19).p_value for seed in range(40)]
    assert 0.3 < np.mean(drawn) < 0.75


def test_the_detectable_effect_is_near_the_textbook_one_and_is_found(staggered):
    # Standard errors of this design are known from the estimates: 2.8 of them at 80 % and 5 %.
    before, starts = staggered(5, n=120), np.resize([NEVER, 4, 7], 120)
    before = before.starting(np.full(120, NEVER))
    made = minimum_detectable_effect(before, starts, 10, Y, twfe, draws=120)
    spread = twfe(before.starting(starts), Y).se
    assert made.detectable == pytest.approx(2.8 * spread, rel=0.2)
    assert made.false_alarms <= 0.13
    assert (made.n_units, made.n_treated, made.n_periods) == (120, 80, 10)
    found = 0
    for seed in range(40):
        effect = twfe(staggered(100 + seed, n=120, effect=made.detectable), Y)
        found += effect.low > 0
    assert 24 <= found <= 39


def test_what_nothing_can_find_is_said(grid):
    twins = grid([[0.0, 0], [0, 0], [0, 0]], [None, None, None])
    lost = minimum_detectable_effect(twins, np.array([1, NEVER, NEVER]), 2, Y, estimator("single_did"), draws=5)
    assert np.isnan(lost.detectable)
    assert lost.sentence == "No effect on y of any size would be found 80% of the time."
