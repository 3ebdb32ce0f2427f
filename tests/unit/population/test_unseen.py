"""The unseen: known totals are found again, doubt about the model is in the interval, the criticism always there."""

import numpy as np
import pytest

from riskmodel.errors import DataRefused
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.unseen import CRITICISM, averaged, stepwise
from riskmodel.seeds import stream

LISTS = ("health", "police", "school", "housing")


def drawn(seed: int, people: int = 5000, *, tied: bool = False) -> ListCounts:
    """People on four lists by chance; with `tied`, those on the first are far more often on the second."""
    draw = stream(seed, "lists")
    on = draw.random((people, 4)) < [0.2, 0.15, 0.25, 0.1]
    if tied:
        on[:, 1] |= on[:, 0] & (draw.random(people) < 0.5)
    on = on[on.any(axis=1)].astype(int)
    return ListCounts.of(LISTS, on, np.ones(len(on)))


def test_independent_lists_give_the_true_total():
    for way in (stepwise, averaged):
        made = way(drawn(4))
        assert made.total.low < 5000 < made.total.high
        assert made.total.value == pytest.approx(5000, rel=0.05)
        assert made.total.n == made.seen < 3000


def test_a_tie_between_two_lists_is_found():
    made = stepwise(drawn(4, tied=True))
    assert "health and police" in made.models[0].terms
    assert made.total.low < 5000 < made.total.high


def test_the_average_holds_more_doubt_than_one_model():
    table = drawn(9, 1500, tied=True)
    one, all_of_them = stepwise(table), averaged(table)
    assert len(all_of_them.models) > 1
    assert sum(model.weight for model in all_of_them.models) == pytest.approx(1)
    best = all_of_them.models[0]
    assert all_of_them.total.high - all_of_them.total.low > best.high - best.low
    assert one.models[0].weight == 1


def test_the_interval_of_the_average_covers_the_truth():
    made = [averaged(drawn(seed, 2000, tied=True)).total for seed in range(40)]
    covered = np.mean([one.low < 2000 < one.high for one in made])
    assert covered >= 0.85  # 95 % promised, 40 draws: below 0.85 in fewer than one of a hundred trials


def test_every_result_prints_the_criticism():
    for way in (stepwise, averaged):
        text = str(way(drawn(2)))
        assert all(caution in text for caution in CRITICISM)
        assert "Whitehead" in text
        assert "Chan, Silverman and Vincent" in text


def test_lists_that_share_nobody_are_named_and_never_enter_stepwise():
    on = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1]]
    table = ListCounts.of(("a", "b", "c"), on, [400, 600, 500, 100, 150])
    one, all_of_them = stepwise(table), averaged(table)
    assert one.disjoint == ("a and b",)
    assert "a and b" not in one.models[0].terms
    # by chance 500 * 750 / 2,000 people would be on both: the model that says they exclude each other has the weight
    assert all_of_them.models[0].terms == ("a and b",)
    assert all_of_them.models[0].total == pytest.approx(1750 + 2000)


def test_lists_with_nothing_in_common_are_refused():
    table = ListCounts.of(("a", "b", "c"), [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [40, 60, 50])
    with pytest.raises(DataRefused, match="do-not-overlap"):
        stepwise(table)


def test_a_search_cut_short_says_so():
    assert any("Only 3 models" in caution for caution in averaged(drawn(2), most=3).cautions)
