"""Search rates by hand: the people that tables leave out, bounds for the unstated, and the same places compared."""

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.population.stop_search import Searches, ratio_within_places, search_rates
from riskmodel.seeds import stream


def long_table(rows) -> pa.Table:
    place, group, searches, people = zip(*rows, strict=True)
    return pa.table({"place": place, "group": group, "searches": searches, "people": people})


TWO_PLACES = [
    ("north", "White", 60, 6000.0),
    ("north", "Black", 40, 1000.0),
    ("north", "Unknown", 10, 0.0),
    ("south", "White", 20, 8000.0),
]


def test_rates_and_bounds_by_hand():
    searches = Searches.of(long_table(TWO_PLACES), {"north": 7000, "south": 9000}, years=2)
    made = search_rates(searches)
    black = made.of("Black")
    # nobody Black was searched in the south, so the table does not say that 1,000 Black residents live there
    assert (black.people, made.left_out) == (2000, 1000)
    assert black.rate.value == pytest.approx(40 / 2000 / 2 * 1000)
    assert black.rate_bounds == pytest.approx((10, 50 / 2000 / 2 * 1000))
    # 40 / 2,000 over 80 / 14,000
    assert black.relative.value == pytest.approx(3.5)
    # none of the ten unstated Black and all White: 40 / 2,000 over 90 / 14,000; all Black: 50 / 2,000 over 80 / 14,000
    assert black.relative_bounds == pytest.approx((28 / 9, 4.375))
    assert made.unstated_share == pytest.approx(10 / 130)
    assert any("7.7 %" in caution for caution in made.cautions)
    assert (made.of("White").relative.value, made.of("White").relative.method) == (1, "the reference")
    assert black.within_places.state == "not_estimable"  # two places are too few to say how places differ


def test_several_groups_left_out_share_what_the_place_leaves_over():
    rows = [
        ("a", "White", 5, 900.0),
        ("b", "White", 5, 700.0),
        ("b", "Black", 5, 200.0),
        ("b", "Asian", 5, 100.0),
    ]
    searches = Searches.of(long_table(rows), {"a": 1200, "b": 1000}, years=1)
    assert searches.groups == ("Asian", "Black", "White")
    assert searches.people[0].tolist() == pytest.approx([100, 200, 900])  # 300 left over, one to two
    assert searches.people_low[0].tolist() == [0, 0, 900]
    assert searches.people_high[0].tolist() == [300, 300, 900]
    low, high = search_rates(searches).of("Black").rate_bounds
    assert (low, high) == pytest.approx((5 / 500 * 1000, 5 / 200 * 1000))


def test_a_group_searched_no_more_within_places_can_be_searched_more_overall():
    # everybody is searched at 50 in 1,000 in ten busy places and at 5 in 1,000 in ten calm ones
    draw = stream(2, "places")
    rows = []
    for place in range(20):
        busy = place < 10
        for group, people in (("White", 2000 if busy else 20000), ("Black", 3000 if busy else 500)):
            rows.append((f"p{place:02}", group, int(draw.poisson(people * (0.05 if busy else 0.005))), float(people)))
    made = search_rates(Searches.of(long_table(rows), years=1)).of("Black")
    assert made.relative.low > 3
    assert made.within_places.low < 1 < made.within_places.high
    assert made.within_places.state == "ok"


def test_the_jackknife_is_wider_where_places_differ():
    draw = stream(3, "places that differ")
    even, uneven = [], []
    for place in range(40):
        for group, people, rate in (("White", 5000, 0.02), ("Black", 1000, 0.04)):
            factor = np.exp(draw.normal(0, 0.8)) if group == "Black" else 1
            even.append((f"p{place:02}", group, int(draw.poisson(people * rate)), float(people)))
            uneven.append((f"p{place:02}", group, int(draw.poisson(people * rate * factor)), float(people)))
    one, other = (ratio_within_places(Searches.of(long_table(r), years=1), "Black", "White") for r in (even, uneven))
    assert np.log(other.high / other.low) > 2 * np.log(one.high / one.low)
    assert one.low < 2 < one.high


def test_what_leaves_is_rounded_and_small_counts_are_hidden():
    rows = [("a", "White", 102, 9000.0), ("a", "Black", 5, 400.0)]
    table = search_rates(Searches.of(long_table(rows), years=1)).released()
    assert table.to_pydict() == {
        "group": ["Black", "White"],
        "searches": [None, 100],
        "people": [400, 9000],
        "searches_per_resident": [None, 100 / 9000],
        "disclosure": ["suppressed", "shown"],
    }


def test_rows_of_several_months_are_added_up_and_faults_refused():
    rows = [("a", "White", 3, 100.0), ("a", "White", 4, 100.0)]
    assert Searches.of(long_table(rows), years=1).counts.tolist() == [[7]]
    with pytest.raises(DataRefused, match="people-differ"):
        Searches.of(long_table([*rows, ("a", "White", 1, 101.0)]), years=1)
    with pytest.raises(DataRefused, match="residents-missing"):
        Searches.of(long_table(rows), {"b": 1}, years=1)
    with pytest.raises(DataRefused, match="searches-invalid"):
        Searches.of(long_table([("a", "White", None, 1.0)]), years=1)
    with pytest.raises(DeclarationError, match="group-unknown"):
        search_rates(Searches.of(long_table(rows), years=1), reference="Green")
    with pytest.raises(DeclarationError, match="years-invalid"):
        Searches.of(long_table(rows), years=0)
    assert repr(Searches.of(long_table(rows), years=1)) == "Searches(1 places, 1 groups, 7 searches)"
