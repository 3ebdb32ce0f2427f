"""Our Poisson regression against scikit-learn's, and when there is no estimate."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from riskmodel.errors import DataRefused
from riskmodel.population.loglinear import ListCounts, exists, fitted, poisson_fit, settled
from riskmodel.seeds import stream

ABC = ("a", "b", "c")


def test_the_same_coefficients_as_scikit_learn():
    draw = stream(1, "poisson regression")
    design = np.column_stack([np.ones(60), draw.normal(size=(60, 3))])
    counts = draw.poisson(np.exp(design @ [1.0, 0.5, -0.3, 0.2])).astype(float)
    coefficients, covariance, deviance = poisson_fit(design, counts)
    other = PoissonRegressor(alpha=0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(design, counts)
    assert coefficients == pytest.approx(other.coef_, abs=1e-6)
    expected = np.exp(design @ coefficients)
    assert np.linalg.inv(covariance) == pytest.approx((design * expected[:, None]).T @ design)
    ratio = np.divide(counts, expected, where=counts > 0, out=np.ones_like(counts))
    assert deviance == pytest.approx(2 * np.sum(counts * np.log(ratio) - counts + expected))


def test_two_lists_are_the_old_estimate_of_lincoln_and_petersen():
    # 100 on the first, 80 on the second, 20 on both: 100 * 80 / 20 = 400 people, 160 seen, 240 not
    table = ListCounts.of(("a", "b"), [[1, 0], [0, 1], [1, 1]], [80, 60, 20])
    made = fitted(table, frozenset())
    assert np.exp(made.unseen) == pytest.approx(240)
    # variance of the logarithm: 1/80 + 1/60 + 1/20
    assert made.error == pytest.approx(np.sqrt(1 / 80 + 1 / 60 + 1 / 20))


def test_lists_that_share_nobody_leave_the_table():
    # a and b never together: with their term, c against a and c against b settle the rest
    on = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1]]
    table = ListCounts.of(ABC, on, [40, 60, 50, 10, 15])
    assert table.disjoint == {(0, 1)}
    made = fitted(table, frozenset({(0, 1)}))
    # of the people on a 1 in 5 are on c, of those on b 1 in 5: the odds are 1 to 4, so 50 are a quarter of 200
    assert np.exp(made.unseen) == pytest.approx(200)
    assert (made.parameters, made.p_values) == (5, {(0, 1): 1.0})
    assert exists(table, made.terms)


def test_a_model_that_the_lists_cannot_settle_is_not_fitted():
    # b is with nobody: cells a, b, c and ac are left for a constant, three lists and the pair a and c
    table = ListCounts.of(ABC, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]], [40, 60, 50, 10])
    every = frozenset({(0, 1), (1, 2), (0, 2)})
    assert not exists(table, every)
    assert fitted(table, every) is None
    assert exists(table, every - {(0, 2)})


def test_an_estimate_without_a_finite_maximum_is_found_out():
    # nobody on a alone or on a and b: the term of a and c grows without end
    table = ListCounts.of(ABC, [[0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], [30, 30, 10, 10, 5])
    assert not exists(table, frozenset({(0, 2)}))
    assert exists(table, frozenset())


def test_a_fit_with_people_in_every_cell_needs_no_linear_programme():
    draw, both = stream(3, "sparse lists"), {True: 0, False: 0}
    for _ in range(40):
        counts = draw.poisson(draw.choice([0.3, 2.0, 30.0], size=7)).astype(float)
        table = ListCounts(ABC, counts)
        every = (frozenset(terms) for size in range(4) for terms in combinations(table.pairs, size))
        for made in (fit for terms in every if (fit := fitted(table, terms)) is not None):
            both[made.least > 0.01] += 1
            assert settled(table, made) == exists(table, made.terms)
    assert min(both.values()) >= 15


def test_rows_are_added_up_and_joined():
    table = ListCounts.of(ABC, [[1, 0, 0], [1, 0, 0], [0, 1, 1]], [3, 4, 5])
    assert table.seen == 12
    assert table.joined("b", "c").counts.tolist() == [5, 7, 0]  # b only, a only, both
    assert table.named((0, 2)) == "a and c"
    assert repr(table) == "ListCounts(3 lists, 12 people)"


@pytest.mark.parametrize(
    ("lists", "on", "counts"),
    [
        (("a", "a"), [[1, 0]], [3]),
        (("a", "b"), [[0, 0]], [3]),
        (("a", "b"), [[1, 2]], [3]),
        (("a", "b"), [[1, 0]], [-3]),
        (("a",), [[1]], [3]),
    ],
)
def test_what_is_no_table_of_lists_is_refused(lists, on, counts):
    with pytest.raises(DataRefused):
        ListCounts.of(lists, on, counts)
