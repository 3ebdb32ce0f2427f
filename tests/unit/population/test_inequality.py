"""The deprivation gradient by hand, and concentration that chance alone does not make."""

import numpy as np
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.population.inequality import concentration, gini, gradient, gradient_of_rates
from riskmodel.seeds import stream


def test_a_straight_gradient_is_recovered_whatever_the_sizes_of_the_groups():
    people = np.array([500, 1500, 1000, 2000])
    middle = (np.cumsum(people) - people / 2) / 5000  # 0.05, 0.25, 0.5, 0.8
    values = 30 - 20 * middle
    made = gradient(values, [1, 1, 1, 1], people, n=100)
    assert made.slope.value == pytest.approx(20)  # 30 at the one end, 10 at the other
    assert made.relative.value == pytest.approx(3)
    assert made.departure_p == pytest.approx(1)
    log = gradient(np.exp(3 - middle), [0.1] * 4, people, n=100, scale="log")
    assert log.relative.value == pytest.approx(np.e)
    assert log.slope.value == pytest.approx(np.exp(3) - np.exp(2))


def test_the_standard_error_of_the_slope_by_hand():
    # two equal groups with mid-ranks 1/4 and 3/4: slope = 2 (a - b), standard error 2 sqrt(1 + 4)
    made = gradient([10, 6], [1, 2], [100, 100], n=50)
    assert made.slope.value == pytest.approx(8)
    assert (made.slope.high - made.slope.value) / 1.959964 == pytest.approx(2 * np.sqrt(5), rel=1e-6)
    assert np.isnan(made.departure_p)


def test_a_bent_gradient_is_said_to_be_bent():
    made = gradient_of_rates([900, 100, 100, 100, 100], [10_000] * 5)
    assert made.departure_p < 1e-6
    assert "do not lie" in made.slope.note
    assert made.relative.state == "not_estimable"  # the line falls below 0 at the far end
    assert "log scale" in made.relative.note


def test_intervals_cover_the_true_slope_as_often_as_they_promise():
    people = np.full(10, 5000)
    middle = np.arange(10) / 10 + 0.05
    draw = stream(3, "coverage of the slope")
    counts = draw.poisson((0.03 - 0.02 * middle) * people, size=(400, 10))
    covered = [made.low <= 20 <= made.high for made in (gradient_of_rates(one, people).slope for one in counts)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def test_few_events_have_no_gradient():
    made = gradient_of_rates([4, 3, 2], [100, 100, 100])
    assert (made.slope.value, made.relative.state) == (None, "not_estimable")
    with pytest.raises(DeclarationError, match="at least 2 groups"):
        gradient([1], [1], [1], n=100)
    with pytest.raises(DataRefused, match="population"):
        gradient_of_rates([40, 30], [100, 0])


def test_half_of_the_events_by_hand():
    # 20 places: one with 30, ten with 3, nine with none: half of 60 is exactly the first place
    made = concentration([30, *[3] * 10, *[0] * 9])
    assert made.half.value == pytest.approx(1 / 20)
    assert made.beyond_chance
    assert made.curve[0] == (0.0, 0.0)
    assert made.curve[1] == (0.1, pytest.approx(33 / 60))  # the two fullest places


def test_rare_events_look_concentrated_and_are_not():
    counts = stream(1, "even places").poisson(0.5, size=400)
    made = concentration(counts)
    assert made.half.value < 0.2  # "half of all harm in under a fifth of the places"
    low, high = made.half_by_chance
    assert low < made.half.value < high
    assert not made.beyond_chance
    # chosen by half of the events, the places hold no more of the other half than any others would
    assert made.half_foreseen == pytest.approx(0.5, abs=0.06)
    assert "chance alone" in made.sentence


def test_gini_by_hand():
    # 1, 2, 3 of 6: (2 (1/6 + 4/6 + 9/6) - 4) / 3 = 2/9
    assert gini([3, 1, 2]) == pytest.approx(2 / 9)


def test_chance_follows_the_exposure():
    exposure = np.array([10.0] * 10 + [1.0] * 30)
    counts = np.array([50] * 10 + [5] * 30)
    assert concentration(counts).beyond_chance
    assert not concentration(counts, exposure=exposure).beyond_chance


def test_the_same_seed_gives_the_same_figures():
    counts = np.arange(30)
    assert concentration(counts, draws=50, seed=5) == concentration(counts, draws=50, seed=5)


def test_hardly_any_events():
    made = concentration([1, 2, *[0] * 10])
    assert made.half.state == "not_estimable"
    assert made.sentence.startswith("Not estimable")
