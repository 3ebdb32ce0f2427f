"""Missed links: what they do to the total, and the total with them put back."""

import numpy as np
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.missed_links import by_missed_links, links_put_back
from riskmodel.population.unseen import averaged
from riskmodel.seeds import stream

LISTS = ("health", "police", "school", "housing")


def with_broken_links(people: int, missed: float, seed: int) -> ListCounts:
    draw = stream(seed, "broken links")
    on = (draw.random((people, 4)) < [0.25, 0.2, 0.3, 0.15]).astype(int)
    on = on[on.any(axis=1)]
    broken = (on.sum(axis=1) > 1) & (draw.random(len(on)) < missed)
    rows = list(on[~broken])
    for row in on[broken]:
        lost = draw.choice(np.flatnonzero(row))
        alone = np.eye(4, dtype=int)[lost]
        rows += [alone, row - alone]
    return ListCounts.of(LISTS, rows, np.ones(len(rows)))


def test_missed_links_raise_the_total_and_can_be_taken_back():
    runs = [by_missed_links(with_broken_links(8000, 0.1, seed), (0.0, 0.1)) for seed in range(8)]
    as_linked, put_back = (np.mean([run[at].total.value for run in runs]) for at in (0, 1))
    assert as_linked > 8600  # a tenth of the links missed: some 11 % too many people
    assert put_back == pytest.approx(8000, rel=0.02)
    assert all(run[1].seen < run[0].seen for run in runs)


def test_no_missed_links_change_nothing():
    table = with_broken_links(3000, 0.05, 1)
    (made,) = by_missed_links(table, [0.0])
    assert (made.total, made.seen) == (averaged(table).total, table.seen)


def test_a_person_on_three_lists_splits_in_three_ways():
    # of 300 on all three, 30 lose a link: 10 each leave one list alone and the other two together
    on = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]
    table = ListCounts.of(("a", "b", "c"), on, [110, 110, 110, 10, 10, 10, 270])
    back = links_put_back(table, 0.1)
    # the ten pairs lost links too: 10 = 0.9 x + 10, so there were none
    assert back.counts.tolist() == [100, 100, 0, 100, 0, 0, 300]  # c, b, bc, a, ac, ab, abc


def test_nobody_is_fewer_than_none():
    table = ListCounts.of(("a", "b"), [[1, 0], [0, 1], [1, 1]], [5, 50, 100])
    assert links_put_back(table, 0.1).counts.tolist() == [39, 0, 111]
    with pytest.raises(DeclarationError, match="missed-links-invalid"):
        links_put_back(table, 0.5)
