"""Honest bounds, few units, units that nothing was done to, and lots: by hand, by brute force, by simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog, minimize_scalar
from scipy.stats import ncx2

from riskmodel.errors import DataRefused
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.effects import Asked
from riskmodel.policies.few_clusters import placebo_units, wild_cluster_bootstrap
from riskmodel.policies.group_time import group_time
from riskmodel.policies.honest import EventStudy, breakdown, honest_bounds, relative_magnitudes, smoothness
from riskmodel.policies.imputation import imputation
from riskmodel.policies.lottery import blocked_difference, cluster_difference
from riskmodel.policies.panel import Panel
from riskmodel.policies.twfe import twfe
from riskmodel.seeds import stream

Y = Asked("y")
TIMES = np.array([-4, -3, -2, 0, 1, 2])


def study(estimates: list[float], se: float) -> EventStudy:
    return EventStudy(TIMES, np.asarray(estimates), np.eye(6) * se**2)


def test_relative_magnitudes_without_noise_are_the_identified_set():
    # Earlier steps: .1 from -4 to -3, .3 from -3 to -2, .2 from -2 to the base: the largest is .3. Up to twice that a
    # period, 1, 2 and 3 periods on average: 2 * .3 * 2 = 1.2 around the mean effect of -2.
    made = relative_magnitudes(study([0.0, -0.1, 0.2, -1.0, -2.0, -3.0], 1e-9), 2.0)
    assert (made.low, made.high) == pytest.approx((-3.2, -0.8), abs=1e-6)
    assert made.shows
    # brute force: every way to drift whose steps are at most .6
    steps = np.asarray(list(itertools.product([-0.6, 0, 0.6], repeat=3)))
    reach = np.abs(np.cumsum(steps, axis=1).mean(axis=1)).max()
    assert made.high - -2 == pytest.approx(reach)
    assert breakdown(study([0.0, -0.1, 0.2, -1.0, -2.0, -3.0], 1e-9)) == pytest.approx(2 / 0.6, abs=1e-5)


def test_smoothness_without_noise_is_the_identified_set_of_a_linear_program():
    line = 0.3 * (TIMES + 1.0)  # a straight drift before and after, and an effect of -1 on top
    estimates = line + np.where(TIMES >= 0, -1.0, 0)
    made = smoothness(study(estimates.tolist(), 1e-7), 0.0)
    assert (made.low, made.high) == pytest.approx((-1, -1), abs=1e-5)
    # with bends up to m: the furthest the mean of the drift can go, by linear programming over drifts at -4 .. 2
    m, times = 0.1, np.arange(-4, 3)
    bend = np.zeros((5, 7))
    for row in range(5):
        bend[row, row : row + 3] = [1, -2, 1]
    fixed = np.zeros((4, 7))
    fixed[np.arange(4), [0, 1, 2, 3]] = 1  # known before the start, 0 at the base
    known = np.append(0.3 * (np.array([-4, -3, -2]) + 1.0), 0.0)
    mean = np.where(times >= 0, 1 / 3, 0)
    held = {"A_ub": np.vstack([bend, -bend]), "b_ub": np.full(10, m), "A_eq": fixed, "b_eq": known}
    ends = [sign * linprog(sign * mean, bounds=(None, None), **held).fun for sign in (1, -1)]
    made = smoothness(study(estimates.tolist(), 1e-7), m)
    effect = estimates[3:].mean()
    assert (made.low, made.high) == pytest.approx((effect - ends[1], effect - ends[0]), abs=1e-4)


def test_smoothness_is_the_shortest_interval_by_brute_force():
    times = np.array([-3, -2, 0])
    covariance = np.array([[0.04, 0.01, 0.0], [0.01, 0.03, 0.005], [0.0, 0.005, 0.02]])
    given = EventStudy(times, np.array([0.1, -0.2, -1.0]), covariance)
    made = smoothness(given, 0.05)

    # One free weight a on -3; that on -2 undoes a straight line: -2 a - b + 1 = 0. Bends at the base and at -2.
    def half(a: float) -> float:
        weights = np.array([a, 1 - 2 * a, 1.0])
        se = np.sqrt(weights @ covariance @ weights)
        bias = 0.05 * (abs(weights[2]) + abs(weights[0]))
        return float(se * np.sqrt(ncx2.ppf(0.95, 1, (bias / se) ** 2)))

    best = minimize_scalar(half, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9})
    assert (made.high - made.low) / 2 == pytest.approx(best.fun, abs=1e-6)
    centre = np.array([best.x, 1 - 2 * best.x, 1]) @ given.estimates
    assert (made.high + made.low) / 2 == pytest.approx(centre, abs=1e-3)


def test_bounds_keep_their_promise_where_trends_differ():
    """A drift of .2 a period throughout: the plain interval misses the truth, bounds at magnitude 1 do not."""
    plain, bounded = 0, 0
    for seed in range(60):
        chance = stream(seed, "drift")
        y = chance.normal(0, 0.5, (60, 9))
        y[:30] += 0.2 * np.arange(9)
        y[:30, 6:] += 1.0
        panel = Panel(np.arange(60), np.arange(9), np.array([6] * 30 + [NEVER] * 30), {"y": y})
        made = group_time(panel, Y, base="universal")
        plain += made.low <= 1.0 <= made.high
        bounds = relative_magnitudes(EventStudy.of(made), 1.0)
        bounded += bounds.low <= 1.0 <= bounds.high
    assert plain <= 30
    assert bounded >= 57


def test_honest_bounds_say_how_much_drift_undoes_an_effect(staggered, grid):
    check, bounds = honest_bounds(staggered(1, effect=6.0), Y)
    assert check.statistic > 0.5
    assert "it is still shown if drift" in check.sentence
    widths = [bound.high - bound.low for bound in bounds]
    assert widths == sorted(widths)
    nothing, _ = honest_bounds(staggered(1), Y)
    assert nothing.statistic == 0
    short, none = honest_bounds(grid(np.ones((4, 2)), [1, 1, None, None]), Y)
    assert (short.state, none) == ("not_estimable", ())


def test_flipping_whole_units_is_the_brute_force_over_all_signs(grid):
    chance = stream(3, "wild")
    y = chance.normal(0, 1, (6, 5))
    y[:3, 3:] += 1.5
    panel = grid(y, [3, 3, 3, None, None, None])
    made = wild_cluster_bootstrap(panel, Y)
    # by hand: dummies for units and periods, the null imposed, 64 sign vectors, clustered ratios
    n, periods = y.shape
    dummies = np.column_stack([np.kron(np.eye(n), np.ones((periods, 1))), np.kron(np.ones((n, 1)), np.eye(periods))])
    away = np.eye(n * periods) - dummies @ np.linalg.pinv(dummies)
    x, e = away @ panel.under_treatment.ravel().astype(float), away @ y.ravel()

    def ratio(values: np.ndarray) -> float:
        slope = x @ values / (x @ x)
        score = (x * (values - x * slope)).reshape(n, periods).sum(axis=1)
        return float(slope / (np.sqrt(score @ score) / (x @ x)))

    flips = itertools.product([-1, 1], repeat=6)
    ratios = [ratio(away @ (e.reshape(n, periods) * np.asarray(signs)[:, None]).ravel()) for signs in flips]
    assert made.statistic == pytest.approx(ratio(e))
    assert made.p_value == np.mean(np.abs(ratios) >= abs(ratio(e)) * (1 - 1e-9))


def test_with_few_units_the_bootstrap_holds_its_level_and_the_clustered_error_does_not(grid):
    plain, wild = 0, 0
    for seed in range(120):
        chance = stream(seed, "few")
        y = np.cumsum(chance.normal(0, 1, (14, 10)), axis=1)
        panel = grid(y, [5] * 3 + [None] * 11)
        plain += twfe(panel, Y).p_value < 0.05
        wild += wild_cluster_bootstrap(panel, Y, draws=199).p_value < 0.05
    assert wild <= 14  # 6 expected at 5 %; more than 14 once in 1,000
    assert plain > wild


def test_units_that_nothing_was_done_to_show_nothing(staggered, grid):
    made = placebo_units(staggered(2, effect=5.0), Y, imputation, draws=60)
    assert made.statistic < 0.2
    assert "as chance allows" in made.sentence
    few = placebo_units(grid(np.eye(4, 6), [3, 3, None, None]), Y, imputation)
    assert few.state == "not_estimable"


def test_a_lot_within_blocks_is_looked_at_within_blocks():
    # Block a: 10 and 12 against 4 and 6 is 6, variance 1 + 1; block b (twice the people): 1, 3, 1, 3 against the same.
    y = np.array([10, 12, 4, 6, 1, 3, 1, 3, 1, 3, 1, 3.0])
    drawn = np.array([1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0], bool)
    made = blocked_difference(y, drawn, [1] * 4 + [2] * 8)
    assert made.estimate == pytest.approx(6 / 3)
    variance_b = (4 / 3) / 4 * 2  # variance 4/3 of (1, 3, 1, 3), four people on each side
    assert made.se == pytest.approx(np.sqrt(2 / 9 + 4 / 9 * variance_b))
    with pytest.raises(DataRefused, match="1 block"):
        blocked_difference(y, drawn, [1, 1, 1, 2] + [2] * 8)


def test_whole_groups_count_once():
    y = np.array([1, 1, 1, 3, 5, 7.0])
    made = cluster_difference(y, np.array([0, 0, 0, 0, 1, 1], bool), ["a", "a", "a", "b", "c", "d"])
    assert made.estimate == pytest.approx(6 - 2)  # means 1 and 3 against 5 and 7
    assert made.n_units == 4
    with pytest.raises(DataRefused, match="1 group"):
        cluster_difference(y, np.array([0, 1, 0, 0, 1, 1], bool), ["a", "a", "a", "b", "c", "d"])
