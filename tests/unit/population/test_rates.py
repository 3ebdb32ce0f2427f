"""Rates: intervals against scipy and against worked examples, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from riskmodel.dates import moments
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.population.rates import (
    byar_limits,
    exact_limits,
    person_years,
    rate,
    rate_ratio,
    share,
    standardised_rate,
    standardised_ratio,
)


@pytest.mark.parametrize("count", [1, 5, 9, 40, 1000])
def test_exact_limits_are_those_at_which_the_count_is_just_unlikely(count):
    low, high = exact_limits(count)
    assert stats.poisson.sf(count - 1, low) == pytest.approx(0.025, rel=1e-9)
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025, rel=1e-9)


@settings(max_examples=50)
@given(st.integers(10, 5000))
def test_byar_is_close_to_exact_from_ten_events_on(count):
    assert byar_limits(count) == pytest.approx(exact_limits(count), rel=2e-3)


def test_no_events_have_an_upper_limit_only():
    made = rate(0, 1000, per=1000)
    assert (made.value, made.low, made.state) == (0, 0, "imprecise")
    assert made.high == pytest.approx(-np.log(0.025))  # Poisson: exp(-mean) = 0.025


def test_a_ratio_has_the_limits_of_the_binomial_share():
    made = rate_ratio(30, 2000, 12, 1000)
    share = stats.binomtest(30, 42).proportion_ci(method="exact")
    # 30/2000 over 12/1000 = 1.25; share s of the events gives the ratio s/(1-s) * 1000/2000
    expected = [1.25, share.low / (1 - share.low) / 2, share.high / (1 - share.high) / 2]
    assert [made.value, made.low, made.high] == pytest.approx(expected)
    assert (made.n, made.state) == (12, "imprecise")  # 0.62 to 2.67: more than fourfold


def test_a_ratio_to_nothing_is_not_estimable():
    made = rate_ratio(4, 100, 0, 100)
    assert (made.value, made.state) == (None, "not_estimable")
    assert "compared with" in made.note


def test_standardising_to_itself_is_the_crude_rate_with_byar_limits():
    people = np.array([400, 300, 300])
    made = standardised_rate([10, 20, 30], people, people, per=1000)
    low, high = byar_limits(60)
    assert [made.value, made.low, made.high] == pytest.approx([60, low, high])  # 60 events among 1,000


def test_fewer_than_ten_events_are_not_standardised():
    made = standardised_rate([4, 5], [100, 100], [1, 1])
    assert (made.value, made.n, made.state) == (None, 9, "not_estimable")


def test_two_populations_with_the_same_rates_by_age_have_the_ratio_one():
    # crude: 50 / 1,000 against 26 / 1,000; in each age the same rate
    made = standardised_ratio([45, 5], [900, 100], [5, 45], [100, 900], [1, 1])
    assert made.value == pytest.approx(1)
    assert made.low < 1 < made.high


def test_events_of_few_people_widen_the_interval():
    alone = standardised_rate([30, 30], [500, 500], [1, 1])
    # every event but four in pairs: 28 people once or twice in each stratum
    paired = standardised_rate([30, 30], [500, 500], [1, 1], repeats=[[2, 14], [2, 14]])
    # sum of squares 2 + 14 * 4 = 58 in place of 30
    assert (paired.high - paired.value) / (alone.high - alone.value) == pytest.approx(np.sqrt(58 / 30))


def test_shares_by_wilson():
    made = share(0, 20)
    squared = stats.norm.ppf(0.975) ** 2
    assert (made.value, made.low, made.high) == pytest.approx((0, 0, squared / (20 + squared)))
    assert share(0, 0).state == "not_estimable"
    with pytest.raises(DataRefused):
        share(3, 2)


def test_overlapping_spells_of_one_person_count_once():
    starts = moments(["2020-01-01", "2020-02-01", "2020-06-01"])
    ends = moments(["2020-03-01", "2020-04-01", "NaT"])
    years = person_years(np.array([7, 7, 7]), starts, ends, "2020-01-01", "2020-07-01")
    assert years * 365.25 == pytest.approx(91 + 30)  # January to March, and June
    before = person_years(np.array([7]), moments(["2018-01-01"]), moments(["2019-01-01"]), "2020-01-01", "2021-01-01")
    assert before == 0


@pytest.mark.parametrize(
    "broken", [lambda: rate(-1, 10), lambda: rate(1.5, 10), lambda: rate(1, 0), lambda: rate(np.nan, 10)]
)
def test_broken_figures_are_refused(broken):
    with pytest.raises(DataRefused, match="figure-invalid"):
        broken()


def test_refusals_name_what_does_not_fit():
    with pytest.raises(DataRefused, match="2 counts, 1 person_time"):
        standardised_rate([1, 2], [10], [1, 1])
    with pytest.raises(DataRefused, match="add up"):
        standardised_rate([10, 2], [10, 10], [1, 1], repeats=[[10, 0], [1, 0]])
    with pytest.raises(DeclarationError, match="confidence-invalid"):
        rate(1, 10, confidence=95)
