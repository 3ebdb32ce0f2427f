"""Intervals that stay inside what is possible; the test over groups; allowance for many comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from riskmodel.fairness.heterogeneity import allowed_for, between_groups
from riskmodel.fairness.intervals import difference, quotient, wilson


def test_wilson_is_the_root_of_the_score_equation():
    # Bounds p solve |x - p| = z sqrt(p (1 - p) / n): for 3 of 10 and z = 1.96.
    low, high = wilson(0.3, 10, 1.96)
    for bound in (low, high):
        assert abs(0.3 - bound) == pytest.approx(1.96 * np.sqrt(bound * (1 - bound) / 10))
    assert float(low) == pytest.approx(0.1078, abs=1e-4)
    assert float(high) == pytest.approx(0.6032, abs=1e-4)


def test_no_events_have_an_interval_with_width():
    low, high = wilson(0.0, 20, 1.96)
    assert float(low) == 0.0
    assert float(high) == pytest.approx(3.8416 / 23.8416)


def test_a_difference_keeps_the_asymmetry_of_its_parts():
    # Newcombe 1998, table II (a): 56/70 - 48/80, Wilson without correction: 0.0524 to 0.3339.
    one = (56 / 70, *(float(part) for part in wilson(56 / 70, 70, 1.959964)))
    other = (48 / 80, *(float(part) for part in wilson(48 / 80, 80, 1.959964)))
    gap, low, high = difference(one, other)
    assert gap == pytest.approx(0.2)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_a_ratio_over_nothing_is_not_told():
    assert quotient((0.2, 0.1, 0.3), (0.0, 0.0, 0.1)) is None
    value, low, high = quotient((0.4, 0.3, 0.5), (0.2, 0.15, 0.25))
    assert value == pytest.approx(2.0)
    assert low < 2 < high


def test_holm():
    # Sorted .001 .01 .02 .4 times 4 3 2 1.
    assert allowed_for([0.02, 0.001, 0.4, 0.01]) == pytest.approx([0.04, 0.004, 0.4, 0.03])
    assert allowed_for([]) == []


def test_spread_is_what_is_left_when_the_noise_is_taken_off():
    value = np.array([0.1, 0.2, 0.3, 0.4])
    spread, low, high = between_groups(value, np.full(4, 0.001), 0.95)
    # With equal noise: variance of the values, 0.05 / 3, less the noise.
    assert spread == pytest.approx(np.sqrt(0.05 / 3 - 0.001))
    # Q profile with equal noise: (noise + squared spread) = 0.05 / chi2 quantile.
    assert low == pytest.approx(np.sqrt(0.05 / stats.chi2.ppf(0.975, 3) - 0.001))
    assert high == pytest.approx(np.sqrt(0.05 / stats.chi2.ppf(0.025, 3) - 0.001))


def test_two_groups_have_no_spread_but_their_difference():
    assert np.isnan(between_groups(np.array([0.1, 0.4]), np.full(2, 0.001), 0.95)).all()
