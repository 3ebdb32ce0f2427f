"""Lists of a given length, ties shared in expectation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import DeclarationError
from riskmodel.fairness.capacity import listed, places

tied = st.lists(st.sampled_from([0.1, 0.2, 0.2001, 0.5, 0.9]), min_size=1, max_size=40)


def test_ties_share_the_last_places():
    # Two places: .9 has one, three rows of .5 share the other.
    assert listed(np.array([0.5, 0.9, 0.5, 0.5, 0.1]), 2).tolist() == [1 / 3, 1.0, 1 / 3, 1 / 3, 0.0]


def test_each_list_has_its_own_places():
    scores, fold = np.array([0.9, 0.8, 0.2, 0.1]), np.array([1, 1, 2, 2])
    assert listed(scores, 0.5, fold).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_a_share_is_whole_places_and_at_least_one():
    assert places(0.01, 20) == 1.0  # 0.2, but a list is not empty
    assert places(0.05, 30) == 2.0  # 1.5 rounds to even 2
    assert places(500, 30) == 30.0


@given(tied, st.floats(0.01, 0.99))
def test_the_list_is_as_long_as_it_may_be_and_never_prefers_a_lower_score(scores, share):
    values = np.array(scores)
    on = listed(values, share)
    assert on.sum() == pytest.approx(places(share, len(values)))
    order = np.argsort(values)
    assert (np.diff(on[order]) >= -1e-12).all()


@given(tied, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(scores, shuffler):
    moved = list(range(len(scores)))
    shuffler.shuffle(moved)
    values = np.array(scores)
    np.testing.assert_allclose(listed(values, 0.3)[moved], listed(values[moved], 0.3))


@pytest.mark.parametrize("capacity", [0, -1, float("nan")])
def test_a_list_without_places_is_refused(capacity):
    with pytest.raises(DeclarationError):
        listed(np.array([0.5]), capacity)
