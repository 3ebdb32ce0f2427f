"""Estimators against values worked by hand, against dense formulas, and against planted effects."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.cross_section import mean_difference, regression_adjusted
from riskmodel.policies.effects import Asked
from riskmodel.policies.group_time import group_time
from riskmodel.policies.imputation import imputation
from riskmodel.policies.panel import Panel
from riskmodel.policies.simplex import exact_weights, frank_wolfe_weights
from riskmodel.policies.synthetic import single_did, synthetic_did
from riskmodel.policies.twfe import twfe
from riskmodel.policies.two_way import TwoWay
from riskmodel.seeds import stream

Y = Asked("y")
# Two treated units change by 5 and 7, two others by 1 and 2: the effect is 6 - 1.5 = 4.5.
TWO_BY_TWO = [[1.0, 6], [2, 9], [0, 1], [3, 5]]


@pytest.mark.parametrize("estimator", [twfe, group_time, imputation, single_did])
def test_two_periods_give_the_difference_of_the_changes(grid, estimator):
    made = estimator(grid(TWO_BY_TWO, [1, 1, None, None]), Y)
    assert made.estimate == pytest.approx(4.5)
    assert (made.n_units, made.n_treated) == (4, 2)
    assert made.conduct.periods == ("2001", "2002", 2)


def test_standard_errors_by_hand(grid):
    # Deviations from the mean change: -1, 1 and -.5, .5. Influence is a half of each: variance 2/4 + .5/4 = .625.
    made = group_time(grid(TWO_BY_TWO, [1, 1, None, None]), Y)
    assert made.se == pytest.approx(np.sqrt(0.625))
    assert (made.influence**2).sum() == pytest.approx(0.625)
    # Clustered, with the factor 4/3 * 7/(8 - 3).
    clustered = twfe(grid(TWO_BY_TWO, [1, 1, None, None]), Y)
    assert clustered.se == pytest.approx(np.sqrt(0.625 * 4 / 3 * 7 / 5))
    assert clustered.state == "imprecise"
    assert clustered.reason == "only 2 treated units"


def test_weights_weigh_units(grid):
    # Weights 3, 1 | 1, 1: (3 * 5 + 7) / 4 - 1.5 = 4.
    panel = grid(TWO_BY_TWO, [1, 1, None, None], w=[[3, 3], [1, 1], [1, 1], [1, 1]])
    for estimator in (twfe, group_time, imputation):
        assert estimator(panel, Asked("y", weights="w")).estimate == pytest.approx(4.0)
    moving = grid(TWO_BY_TWO, [1, 1, None, None], w=[[3, 4], [1, 1], [1, 1], [1, 1]])
    with pytest.raises(DeclarationError, match="weights-change"):
        group_time(moving, Asked("y", weights="w"))


def test_two_way_effects_agree_with_dummies():
    chance = stream(1, "dummies")
    weights, y = chance.uniform(0.2, 2, (7, 5)), chance.normal(size=(7, 5))
    weights[chance.random((7, 5)) < 0.2] = 0
    unit, period = np.repeat(np.eye(7), 5, axis=0), np.tile(np.eye(5), (7, 1))
    x, root = np.hstack([unit, period]), np.sqrt(weights.ravel())
    slopes = np.linalg.lstsq(x * root[:, None], y.ravel() * root, rcond=None)[0]
    assert TwoWay.of(weights).fitted(y) == pytest.approx((x @ slopes).reshape(7, 5), abs=1e-9)


def test_imputation_agrees_with_the_dense_formula(staggered):
    # Equation 8 with the whole design matrix: v = 1/n on treated cells, -Z0 (Z0'Z0)^-1 Z1' w on the others.
    panel = staggered(2, n=12, effect=1.0)
    y, treated = panel.measure("y"), panel.under_treatment
    z = np.hstack([np.repeat(np.eye(12), 10, axis=0), np.tile(np.eye(10), (12, 1))])
    on = treated.ravel()
    fitted = z @ np.linalg.lstsq(z[~on], y.ravel()[~on], rcond=None)[0]
    gap = y - fitted.reshape(12, 10)
    weights = np.where(on, 1 / on.sum(), 0.0)
    v = weights.copy()
    v[~on] = -z[~on] @ np.linalg.pinv(z[~on].T @ z[~on]) @ z.T @ weights
    residual = gap.copy()
    for start in (4, 7):
        members = panel.starts == start
        residual[members, start:] -= gap[members, start:].mean(axis=0)
    se = np.sqrt(((v.reshape(12, 10) * residual).sum(axis=1) ** 2).sum())
    made = imputation(panel, Y)
    assert (made.estimate, made.se) == pytest.approx((gap[treated].mean(), se))


def test_growing_effects_mislead_twfe_but_not_the_others(staggered):
    # Without noise: 30 units x 6 periods with effects 1..6, 30 x 3 with 1..3: (30 * 21 + 30 * 6) / (30 * 9) = 3.
    panel = staggered(3, growth=1.0, noise=0.0)
    for estimator in (group_time, imputation):
        made = estimator(panel, Y)
        assert made.estimate == pytest.approx(3.0)
        after = {event.event_time: event.estimate for event in made.by_event_time if event.event_time >= 0}
        assert after == pytest.approx({0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6})
    assert twfe(panel, Y).estimate < 2.6


def test_before_the_start_nothing_is_found(staggered):
    made = group_time(staggered(4, effect=2.0, noise=0.0), Y, base="universal")
    before = [event for event in made.by_event_time if event.event_time < 0]
    assert [event.event_time for event in before] == [-7, -6, -5, -4, -3, -2]
    assert [event.estimate for event in before] == pytest.approx([0.0] * 6, abs=1e-12)


def test_not_yet_treated_serve_where_nobody_is_never_treated(staggered):
    panel = staggered(5, effect=2.0, noise=0.0)
    panel = panel.keeping(panel.treated)
    with pytest.raises(DeclarationError, match="no unit that is untreated"):
        group_time(panel, Y)
    made = group_time(panel, Y, comparison="not_yet_treated")
    assert made.estimate == pytest.approx(2.0)  # of the cells that have a comparison
    lost = imputation(panel, Y)
    assert (lost.state, lost.reason.split(";")[0]) == ("not_estimable", "3 period(s) in which every unit is treated")
    assert imputation(panel.between(0, 7), Y).estimate == pytest.approx(2.0)


def test_intervals_cover_as_promised(staggered):
    # 120 panels: a 95 % interval may miss the truth 1 to 13 times (binomial, p < .001 outside).
    missed = dict.fromkeys(("group_time", "imputation"), 0)
    for seed in range(120):
        panel = staggered(seed, n=60, effect=0.5)
        for estimator in (group_time, imputation):
            made = estimator(panel, Y)
            missed[made.estimator] += not made.low <= 0.5 <= made.high
    assert all(1 <= count <= 14 for count in missed.values()), missed


def test_the_bootstrap_agrees_with_the_formula_and_widens_the_band(staggered):
    panel = staggered(6, effect=1.0)
    plain, drawn = group_time(panel, Y), group_time(panel, Y, bootstrap=2_000, seed=1)
    assert drawn.se == pytest.approx(plain.se, rel=0.08)
    assert all(
        wide.high - wide.low > 1.15 * (thin.high - thin.low)
        for wide, thin in zip(drawn.by_event_time, plain.by_event_time, strict=True)
    )
    assert group_time(panel, Y, bootstrap=50, seed=1).se == group_time(panel, Y, bootstrap=50, seed=1).se


def test_one_treated_unit_in_a_pool_that_holds_its_twin(grid):
    # The treated unit is the mean of the first two others plus 5 from the fourth period on.
    chance = stream(8, "pool")
    others = chance.normal(0, 3, (24, 6)).cumsum(axis=1)
    one = others[:2].mean(axis=0) + np.where(np.arange(6) >= 3, 5.0, 0.0)
    panel = grid(np.vstack([others, one]), [None] * 24 + [3])
    made = synthetic_did(panel, Y)
    assert made.state == "ok"
    assert made.n_treated == 1
    assert [event.event_time for event in made.by_event_time] == [0, 1, 2]
    assert made.low < 5 < made.high
    assert synthetic_did(panel, Y).se == made.se
    with pytest.raises(DeclarationError, match="1 treated unit"):
        group_time(panel, Y)
    with pytest.raises(DeclarationError, match="2 different starts"):
        synthetic_did(grid(np.vstack([others, one]), [None] * 23 + [2, 3]), Y)


def test_too_few_units_for_placebos_is_said(grid):
    made = synthetic_did(grid(TWO_BY_TWO, [1, None, None, None]), Y)
    assert made.state == "imprecise"
    assert made.reason == "only 3 comparison units as placebos"
    alone = single_did(grid(TWO_BY_TWO[:3], [1, 1, None]), Y)
    assert (alone.state, alone.se == alone.se) == ("not_estimable", False)


def test_both_solvers_find_the_same_weights():
    chance = stream(9, "simplex")
    columns = chance.normal(size=(12, 6))
    target = columns @ np.array([0.5, 0.3, 0.2, 0, 0, 0]) + 7
    exact = exact_weights(columns, target, 0.1)
    assert exact.sum() == pytest.approx(1.0)
    assert frank_wolfe_weights(columns, target, 0.1, 1e-9) == pytest.approx(exact, abs=1e-4)


def test_unknown_cells_are_refused_by_every_estimator(grid):
    panel: Panel = grid([[1.0, np.nan], *TWO_BY_TWO[1:]], [1, 1, None, None])
    for estimator in (twfe, group_time, imputation, single_did):
        with pytest.raises(DataRefused, match="unknown cell"):
            estimator(panel, Y)


def test_adjustment_takes_away_what_a_covariate_explains():
    # y = 2 x + 3 d exactly; the treated have larger x, so the raw difference is too large.
    x, d = np.array([0.0, 1, 2, 3, 2, 3, 4, 6]), np.array([False] * 4 + [True] * 4)
    y = 2 * x + 3 * d + np.array([0.1, -0.1] * 4)
    assert mean_difference(y, d).estimate == pytest.approx(2 * (3.75 - 1.5) + 3)
    for interacted in (False, True):
        made = regression_adjusted(y, d, {"x": x}, interacted=interacted)
        assert made.estimate == pytest.approx(3.0, abs=0.1)
        assert made.state == "imprecise"
    with pytest.raises(DataRefused, match="1 unknown value"):
        mean_difference(np.append(y, np.nan), np.append(d, True))


def test_a_document_holds_null_for_what_is_not_known(staggered):
    panel = staggered(5)
    document = imputation(panel.keeping(panel.treated), Y).document()
    assert document["estimate"] is None
    assert document["conduct"]["estimator"] == "imputation"
    assert "influence" not in repr(imputation(panel, Y))
