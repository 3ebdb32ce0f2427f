"""Trends, funnels, shrinkage and repeats, on series whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.population.repeats import NEAR, SAME, repeats
from riskmodel.population.small_areas import funnel, shrunk_rates
from riskmodel.population.trends import control_limits, level_changes, yearly_change


def test_limits_are_three_standard_deviations_of_a_count():
    # constant level 25, ranges of 0: dispersion 1, 25 +- 3 * 5
    made = control_limits([25] * 11 + [45])
    assert (made.centre, made.low, made.high, made.outside) == (25, 10, 40, (11,))


def test_a_step_is_found_where_it_is_and_chance_is_not_called_a_change():
    draw = np.random.default_rng(4)
    steps = level_changes(np.concatenate([draw.poisson(30, 30), draw.poisson(45, 30)]))
    assert len(steps) == 1
    assert abs(steps[0].place - 30) <= 2
    false = sum(bool(level_changes(draw.poisson(30, 48), seed=place)) for place in range(40))
    assert false <= 3  # one in a hundred is promised; 4 of 40 would have a chance below .001


def test_a_trend_is_the_factor_from_year_to_year():
    made = yearly_change([100 * 1.1**year for year in range(6)], per_year=1)
    assert made.value == pytest.approx(1.1)
    months = yearly_change([100 * 1.2 ** (month / 12) for month in range(48)])
    assert months.value == pytest.approx(1.2, rel=1e-6)
    assert yearly_change([1, 2, 3]).state == "not_estimable"


def test_funnel_limits_are_those_of_poisson_counts():
    made = funnel([100] * 10, [1000] * 10, per=1000)
    size, low_far, low, high, high_far = min(made.limits, key=lambda row: abs(row[0] - 1000))
    expected = size * 0.1
    assert made.centre == 100
    assert made.dispersion == 1
    for end, tail in ((low_far, 0.001), (low, 0.025), (high, 0.975), (high_far, 0.999)):
        assert end == pytest.approx(stats.poisson.ppf(tail, expected) / size * 1000)


def test_shrinkage_pulls_small_places_most_and_does_not_move_the_order_of_large_ones():
    made = shrunk_rates([0, 20, 400], [20, 1000, 10_000])
    assert [one.value is not None for one in made] == [True] * 3
    common = 420 / 11_020 * 1000
    assert abs(made[0].value - common) < abs(0 - common)
    assert abs(made[2].value - 40) < 0.5
    assert made[0].method.startswith("shrunk")


def test_shrunk_rates_cover_the_truth():
    draw, covered = np.random.default_rng(8), []
    for _ in range(60):
        true = draw.gamma(8, 0.005, 30)
        people = draw.integers(100, 2000, 30)
        made = shrunk_rates(draw.poisson(true * people), people)
        covered += [one.low <= rate * 1000 <= one.high for one, rate in zip(made, true, strict=True)]
    assert 0.90 < np.mean(covered) < 0.98  # 95 promised; the prior is estimated, so a little less


def test_pairs_are_counted_by_band_and_chance_is_what_shuffling_gives():
    # address 1: days 0, 5, 40; address 2 of the same area: day 7
    made = repeats([1, 1, 1, 2], [9, 9, 9, 9], [0, 5, 40, 7], bands=(7, 14, 56), draws=19)
    found = {(row["place"], row["days"]): row["pairs"] for row in made.table.to_pylist()}
    assert found == {
        (SAME, "1 to 7"): 1, (SAME, "8 to 14"): 0, (SAME, "15 to 56"): 2,
        (NEAR, "1 to 7"): 2, (NEAR, "8 to 14"): 0, (NEAR, "15 to 56"): 1,
    }  # fmt: skip


def test_no_repetition_is_found_where_there_is_none():
    draw, found = np.random.default_rng(2), 0
    for seed in range(25):
        made = repeats(
            draw.integers(0, 40, 300), draw.integers(0, 8, 300), draw.integers(0, 720, 300), draws=39, seed=seed
        )
        found += made.table.to_pylist()[0]["p"] <= 0.05
    assert found <= 5  # 5 in a hundred are promised; 6 of 25 would have a chance below .001


def test_what_cannot_be_used_is_refused():
    with pytest.raises(DataRefused, match="figure-invalid"):
        control_limits([1, -2])
    with pytest.raises(DeclarationError, match="bands-invalid"):
        repeats([1], [1], [1], bands=(7, 7))
