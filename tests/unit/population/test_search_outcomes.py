"""Find rates and bars: the threshold test sees what find rates alone get wrong, in both directions."""

import numpy as np
import pytest
from scipy import optimize, special

from riskmodel.errors import DataRefused
from riskmodel.population.search_outcomes import (
    INFRA_MARGINALITY,
    Stops,
    _slope,
    _surprise,
    outcome_tests,
)
from riskmodel.seeds import stream

GROUPS = ("one", "other")


def drawn(levels, clarities, bars, *, places: int = 30, people: int = 4000, seed: int = 1) -> Stops:
    """People who carry something more or less often, seen more or less clearly, searched above the group's bar."""
    draw = stream(seed, "stops")
    shape = (places, len(levels))
    stopped, searched, found = (np.zeros(shape) for _ in range(3))
    for place in range(places):
        moved = draw.normal(0, 0.4)
        for group, (level, clarity, bar) in enumerate(zip(levels, clarities, bars, strict=True)):
            log_odds = np.log(level / (1 - level)) + moved
            carries = draw.random(people) < special.expit(log_odds)
            signal = draw.normal(size=people) + clarity * carries
            chance = special.expit(log_odds + clarity * (signal - clarity / 2))
            above = chance > bar
            stopped[place, group], searched[place, group] = people, above.sum()
            found[place, group] = (above & carries).sum()
    return Stops(tuple(f"p{place:02}" for place in range(places)), GROUPS, stopped, searched, found)


def test_the_same_bar_with_different_find_rates():
    # the first group is seen more clearly: more of those searched are far above the bar of 20 %
    made = outcome_tests(drawn((0.05, 0.05), (2.2, 1.3), (0.2, 0.2)), reference="one")
    one, other = made.find_rates
    assert one.low > other.high + 0.1  # the outcome test says that the second group is searched on less
    gap = made.bar_difference[1]
    assert gap.low < 0 < gap.high
    assert all(bar.low < 0.2 < bar.high for bar in made.bars)
    # where hits and misses lie far apart, few are near the bar and it cannot be told closely
    assert [bar.state for bar in made.bars] == ["imprecise", "ok"]
    assert INFRA_MARGINALITY in str(made)


def test_a_lower_bar_behind_equal_find_rates():
    stops = drawn((0.05, 0.05), (1.3, 2.2), (0.2, 0.065))
    made = outcome_tests(stops, reference="one")
    one, other = made.find_rates
    assert abs(one.value - other.value) < 0.05  # the outcome test sees next to nothing
    assert made.bar_difference[1].high < 0
    assert made.bars[1].low < 0.065 < made.bars[1].high
    assert made.bars[0].low < 0.2 < made.bars[0].high


def test_the_interval_of_the_bar_covers_it():
    runs = [
        outcome_tests(drawn((0.08, 0.05), (1.5, 1.5), (0.2, 0.15), seed=seed), reference="one") for seed in range(12)
    ]
    covered = [made.bars[0].low < 0.2 < made.bars[0].high for made in runs]
    covered += [made.bar_difference[1].low < -0.05 < made.bar_difference[1].high for made in runs]
    assert np.mean(covered) >= 0.8


def test_the_slope_is_that_of_the_surprise():
    stops = drawn((0.08, 0.05), (1.5, 1.2), (0.2, 0.15), places=6, people=500)
    at = stream(5, "somewhere").normal(0, 0.3, size=6 + 12) + np.concatenate(
        [[-3, -3, 0.5, 0.5, -1.5, -1.5], np.zeros(12)]
    )
    numeric = optimize.approx_fprime(at, _surprise, 1e-6, stops)
    assert _slope(at, stops) == pytest.approx(numeric, rel=1e-3, abs=1e-2)


def test_scatter_beyond_the_model_is_said_and_widens():
    stops = drawn((0.08, 0.05), (1.5, 1.5), (0.2, 0.15))
    draw = stream(6, "scatter")
    searched = np.minimum(stops.stopped, np.round(stops.searched * np.exp(draw.normal(0, 0.5, stops.searched.shape))))
    found = np.round(searched * stops.found / stops.searched)
    scattered = outcome_tests(Stops(stops.places, GROUPS, stops.stopped, searched, found), reference="one")
    calm = outcome_tests(stops, reference="one")
    assert scattered.dispersion > 2 > calm.dispersion
    assert any("scatter" in caution for caution in scattered.cautions)


def test_few_searches_have_no_bar():
    counts = np.full((6, 2), 10.0)
    made = outcome_tests(Stops(tuple("abcdef"), GROUPS, counts, counts / 2, counts / 10), reference="one")
    assert {bar.state for bar in made.bars} == {"not_estimable"}
    assert made.find_rates[0].value == pytest.approx(0.2)


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(DataRefused, match="stops-invalid"):
        Stops(("a",), GROUPS, np.array([[9.0, 9]]), np.array([[5.0, 5]]), np.array([[6.0, 1]]))
    with pytest.raises(DataRefused, match="group-unknown"):
        outcome_tests(drawn((0.1, 0.1), (1, 1), (0.2, 0.2), places=2, people=100), reference="third")
