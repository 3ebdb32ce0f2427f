"""Published figures: potential victims of modern slavery in the United Kingdom in 2013.

Bales, Hesketh and Silverman 2015: five lists 11,313 (9,884 to 13,027), six lists 11,418 (9,977 to 13,146).
"""

import datetime as dt
from collections.abc import Callable
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest

from riskmodel.population.loglinear import ListCounts, exists, fitted
from riskmodel.population.unseen import averaged, stepwise
from riskmodel.studies.needs import unseen_of_open_table

FILE = "uk_modern_slavery_2013.csv"


@pytest.fixture(scope="module")
def six_lists(published_data: Callable[[str, str], Path]) -> ListCounts:
    path = published_data("multiple_lists", FILE) / FILE
    names = path.read_text().splitlines()[0].split(",")
    rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
    return ListCounts.of(tuple(names[:-1]), rows[:, :-1], rows[:, -1])


@pytest.mark.data
def test_the_published_totals(six_lists):
    assert six_lists.seen == 2744
    five = stepwise(six_lists.joined("PF", "NCA")).total
    assert [round(part) for part in (five.value, five.low, five.high)] == [11_313, 9_884, 13_027]
    six = stepwise(six_lists).total
    assert [round(part) for part in (six.value, six.low, six.high)] == [11_418, 9_977, 13_146]


@pytest.mark.data
def test_the_average_does_not_hide_that_the_models_disagree(six_lists):
    table = six_lists.joined("PF", "NCA")
    made = averaged(table)
    assert made.total.low < 11_313 < made.total.high
    # what Silverman (2020) reports too: a few models give twice as many people, and the criterion prefers one of them
    assert made.models[0].total > 20_000
    assert any("do not agree" in caution for caution in made.cautions)
    assert made.disjoint == ("LA and GP",)


@pytest.mark.data
def test_the_search_finds_every_model_in_the_window(six_lists):
    table = six_lists.joined("PF", "NCA")
    every = chain.from_iterable(combinations(table.pairs, size) for size in range(len(table.pairs) + 1))
    fits = [made for terms in every if (made := fitted(table, frozenset(terms))) is not None]
    fits.sort(key=lambda fit: fit.bic(table.seen))
    best = next(fit.bic(table.seen) for fit in fits if exists(table, fit.terms))
    inside = {fit.terms for fit in fits if fit.bic(table.seen) <= best + 2 * np.log(20)}
    assert len(averaged(table).models) == len([terms for terms in inside if exists(table, terms)])


@pytest.mark.data
def test_the_page_prints_the_published_figures_and_the_published_criticism(published_data, tmp_path):
    path = published_data("multiple_lists", FILE) / FILE
    for joined, figure, interval in (((), "11,418", "9,977 to 13,146"), (("PF+NCA",), "11,313", "9,884 to 13,027")):
        made = unseen_of_open_table(
            path, "Potential victims", "", dt.date(2014, 1, 1), tmp_path / figure, joined=joined
        )
        text = made[0].read_text(encoding="utf-8")
        for words in (figure, interval, "2,744", "Whitehead, Jackson, Balch and Francis (2021)", "Chan, Silverman"):
            assert words in text
