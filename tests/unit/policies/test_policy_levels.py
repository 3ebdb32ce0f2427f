"""Levels that add up or do not, units that merge, and bad roll-outs for every estimator: each a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused, DeclarationError, RiskmodelError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.checks import pre_trends
from riskmodel.policies.design import ESTIMATORS
from riskmodel.policies.effects import Asked
from riskmodel.policies.estimators import estimator
from riskmodel.policies.evidence_grade import evidence_grade
from riskmodel.policies.imputation import imputation
from riskmodel.policies.inequality import inequality_effect
from riskmodel.policies.levels import coherence
from riskmodel.policies.merging import merged
from riskmodel.policies.panel import Panel
from riskmodel.seeds import stream

Y = Asked("y")


def people_and_areas(seed: int, *, lost: float = 0.0) -> dict[str, Panel]:
    """30 people in each of 40 areas; half of the areas are treated, which takes 0.1 off each person's count."""
    chance = stream(seed, "levels")
    start = np.where(np.arange(40) < 20, 4, NEVER)
    under = np.arange(8)[None, :] >= start[:, None]
    mean = np.repeat(0.5 - 0.1 * under, 30, axis=0)
    people = chance.poisson(mean).astype(float)
    areas = people.reshape(40, 30, 8).sum(axis=1)
    seen = people * (chance.random(people.shape) >= lost)
    return {
        "person": Panel(np.arange(1200), np.arange(8), np.repeat(start, 30), {"y": seen}),
        "area": Panel(np.arange(40), np.arange(8), start, {"y": areas}),
    }


def test_levels_that_count_the_same_events_add_up():
    made = coherence(people_and_areas(1), Y, imputation)
    assert made.coherent
    person, area = made.levels
    assert person.total == pytest.approx(area.total)  # the same events, the same weights
    assert area.effect.estimate == pytest.approx(30 * person.effect.estimate)
    assert made.sentence.startswith("The levels add up for y: -")


def test_levels_that_lose_events_on_the_way_do_not():
    made = coherence(people_and_areas(1, lost=0.3), Y, imputation)
    assert not made.coherent
    assert made.lost == pytest.approx(0.3, abs=0.03)
    assert "of the events of one level are missing from another" in made.sentence
    with pytest.raises(DeclarationError, match=r"1 level\(s\)"):
        coherence({"area": people_and_areas(1)["area"]}, Y, imputation)


def test_units_that_merge_are_one_from_the_beginning(grid):
    panel = grid([[1, 2, 3], [10, 20, 30], [5, 5, 5], [7, 7, 7]], [1, 1, None, None], rate=np.ones((4, 3)))
    made = merged(panel, {0: 1}, counts=["y"])
    assert made.measure("y").tolist() == [[11, 22, 33], [5, 5, 5], [7, 7, 7]]
    assert made.starts.tolist() == [1, NEVER, NEVER]
    assert list(made.measures) == ["y"]  # a rate cannot be added up
    with pytest.raises(DataRefused, match=r"1 unit\(s\) that started later than the unit they merge with"):
        merged(panel, {2: 0}, counts=["y"])
    with pytest.raises(DeclarationError, match=r"1 unit\(s\) that are not in the panel"):
        merged(panel, {9: 0}, counts=["y"])


BAD = {
    "always treated": ([0, 2, None, None], "treated in every period"),
    "after the data ends": ([2, 9, None, None], "only after the data ends"),
    "no untreated period": ([0, 0, None, None], "no treated unit"),
    "nobody untreated": ([2, 2, 2, 2], "no unit that is untreated while another is treated"),
    "nobody treated": ([None] * 4, "no treated unit"),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("fault", BAD)
def test_every_estimator_refuses_a_bad_roll_out_in_a_sentence(grid, name, fault):
    starts, said = BAD[fault]
    panel = grid(np.arange(16.0).reshape(4, 4), starts)
    with pytest.raises(RiskmodelError, match=said):
        estimator(name)(panel, Y)


SINGLE = ("single_did", "synthetic_did", "synthetic_control", "interrupted")


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in SINGLE])
def test_one_treated_unit_is_refused_where_it_says_nothing_of_chance(grid, name):
    with pytest.raises(DeclarationError, match="1 treated unit"):
        estimator(name)(grid(np.arange(16.0).reshape(4, 4), [2, None, None, None]), Y)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_refuses_unknown_cells(grid, name):
    y = np.arange(32.0).reshape(4, 8)
    y[1, 2] = np.nan
    with pytest.raises(DataRefused, match=r"1 unknown cell\(s\) of y"):
        estimator(name)(grid(y, [4, 4, None, None]), Y)


def test_the_grade_follows_from_the_design_and_its_checks(staggered):
    panel = staggered(1, effect=3.0)
    effect, looked = imputation(panel, Y), pre_trends(panel, Y)

    def level(checks, assigned="by need", **given):
        return evidence_grade(effect, checks, assigned, **{"before": 4, "others": 30, **given}).level

    assert level([looked]) == 4
    assert level([]) == 3  # whether they moved alike was not looked at
    assert level([looked], "by lot") == 5
    assert level([looked], "by lot", others=5) == 4
    assert level([looked], others=5) == 3
    assert level([looked], others=0) == 2
    assert level([looked], before=0) == 1
    chance = stream(1, "apart")
    y = panel.measure("y") + panel.treated[:, None] * 0.8 * np.arange(10) + chance.normal(0, 0.1, (90, 10))
    apart = Panel(panel.units, panel.periods, panel.starts, {"y": y})
    drifting = pre_trends(apart, Y)
    made = evidence_grade(imputation(apart, Y), [drifting], "by need", before=4, others=30)
    assert made.level == 2
    assert "the check pre trends of y speaks against it" in made.held_back
    assert "Level 2 of 5" in made.words


def test_the_gap_narrows_where_those_most_in_need_gain_most(grid):
    chance = stream(2, "gap")
    n = 90
    rank = np.arange(n) / n
    starts = [5 if i % 2 else None for i in range(n)]
    y = 10 + 6 * rank[:, None] + chance.normal(0, 0.5, (n, 10))
    y[1::2, 5:] -= (3 * rank[1::2])[:, None]
    made = inequality_effect(grid(y, starts), rank, Y, imputation)
    # Thirds at 1/6, 1/2, 5/6: effects -.5, -1.5, -2.5; the gap of levels is 4, its change -2, the slope -3.
    assert made.gap.estimate == pytest.approx(-2, abs=0.3)
    assert made.slope.estimate == pytest.approx(-3, abs=0.45)
    assert made.gap_before == pytest.approx(4, abs=0.3)
    assert "the gap became narrower" in made.sentence
    only_poor = [5 if i > 60 else None for i in range(n)]
    with pytest.raises(DeclarationError, match=r"group\(s\) 1, 2"):
        inequality_effect(grid(y, only_poor), rank, Y, imputation)
    with pytest.raises(DeclarationError, match=r"1 unit\(s\) without a rank"):
        inequality_effect(grid(y, starts), np.append(rank[1:], np.nan), Y, imputation)
