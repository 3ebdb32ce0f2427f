"""Folds: what may teach, what judges, and when there is too little time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.dates import Duration, days, moments, months, years
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.models.splits import ForwardFolds, PersonFolds


def quarterly(n_dates: int, n_people: int) -> tuple[np.ndarray, np.ndarray]:
    starts = months(3)
    dates = [np.datetime64("2019-01-01", "us")]
    for _ in range(n_dates - 1):
        dates.append(starts.after(np.array([dates[-1]]))[0])
    return np.tile(np.array(dates), n_people), np.repeat(np.arange(n_people), n_dates)


def test_a_row_teaches_once_its_outcome_and_settling_are_over():
    # Quarters 2019-01-01 .. 2021-10-01 (12 dates), one year plus 90 days: 2019-01-01 is complete on 2020-03-31,
    # 2019-04-01 on 2020-06-30. With two folds the first period begins where teaching rows * 2 >= rows to judge:
    # 2020-04-01 teaches 1 date, 7 to judge; 2020-07-01: 2 and 6; 2020-10-01: 3 and 5 -> 3 * 2 >= 5.
    as_of, people = quarterly(12, 10)
    first, second = ForwardFolds(2).split(as_of, people, Duration(months=12, days=90))
    assert str(first.test_from)[:10] == "2020-10-01"
    assert sorted({str(day)[:10] for day in as_of[first.train]}) == ["2019-01-01", "2019-04-01", "2019-07-01"]
    assert first.waiting == 4 * 10  # 2019-10-01 .. 2020-07-01 had happened but were not complete
    assert first.shared_people == 10
    # 5 dates in 2 periods of rows: the cut nearest to 25 of 50 rows is after 2 dates (argmin keeps the earlier)
    assert str(second.test_from)[:10] == "2021-04-01"
    assert len(first.test) == 20
    assert len(second.test) == 30


def test_the_very_day_the_outcome_is_complete_counts_as_complete():
    as_of = moments(["2020-01-01", "2021-01-01"])
    (fold,) = ForwardFolds(1).split(as_of, np.array([1, 2]), years(1))
    assert fold.train.tolist() == [0]
    assert fold.test.tolist() == [1]


def test_one_day_less_is_refused_in_one_sentence():
    as_of = moments(["2020-01-01", "2020-12-31"])
    with pytest.raises(DataRefused, match="2020-01-01 to 2020-12-31") as refusal:
        ForwardFolds(1).split(as_of, np.array([1, 2]), years(1))
    assert refusal.value.code == "too-short-for-folds"


def test_without_a_gap_it_is_the_usual_cut_into_n_plus_one():
    as_of = np.datetime64("2020-01-01", "us") + np.arange(100) * np.timedelta64(1, "D")
    folds = ForwardFolds(4, gap=days(0)).split(as_of, np.arange(100), years(2))
    assert [len(fold.test) for fold in folds] == [20, 20, 20, 20]
    assert [len(fold.train) for fold in folds] == [20, 40, 60, 80]


def test_equal_time_and_equal_rows_differ_where_rows_thicken():
    day = np.timedelta64(1, "D")
    early, late = np.arange(80), np.repeat(np.arange(80, 100), 5)
    as_of = np.datetime64("2020-01-01", "us") + np.concatenate([early, late]) * day
    people = np.arange(len(as_of))
    by_rows = ForwardFolds(2, gap=days(0)).split(as_of, people, None)
    by_time = ForwardFolds(2, gap=days(0), periods="time").split(as_of, people, None)
    assert abs(len(by_rows[0].test) - len(by_rows[1].test)) <= 5
    spans = [(fold.test_until - fold.test_from) / day for fold in by_time]
    assert abs(spans[0] - spans[1]) <= 2


def test_people_on_both_sides_can_be_left_out_of_the_teaching_rows():
    as_of = moments(["2019-01-01", "2019-01-01", "2021-01-01"])
    people = np.array([1, 2, 1])
    (fold,) = ForwardFolds(1, without_shared_people=True).split(as_of, people, years(1))
    assert fold.train.tolist() == [1]
    assert fold.shared_people == 0
    with pytest.raises(DataRefused, match="could teach are also judged"):
        ForwardFolds(1, without_shared_people=True).split(as_of[[0, 2]], people[[0, 2]], years(1))


def test_settings_that_mean_nothing_are_refused_together():
    with pytest.raises(DeclarationError, match="2 faults"):
        ForwardFolds(0, periods="weeks")  # type: ignore[arg-type]  # what a study could write
    with pytest.raises(DeclarationError):
        PersonFolds(1)


def test_person_folds_keep_people_whole_and_judge_every_row_once():
    people = np.repeat(np.arange(11), 3)
    folds = PersonFolds(4, seed=3).split(np.full(33, np.datetime64("2020-01-01", "us")), people, years(1))
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(33))
    for fold in folds:
        assert not set(people[fold.train]) & set(people[fold.test])
    with pytest.raises(DataRefused, match="too few people"):
        PersonFolds(4).split(np.full(2, np.datetime64("2020-01-01", "us")), np.array([1, 1]), years(1))


@given(
    offsets=st.lists(st.integers(0, 1500), min_size=1, max_size=60),
    n=st.integers(1, 5),
    gap=st.integers(0, 500),
    periods=st.sampled_from(["rows", "time"]),
)
def test_no_fold_ever_learns_from_what_was_not_yet_known(offsets, n, gap, periods):
    as_of = np.datetime64("2018-01-01", "us") + np.array(offsets) * np.timedelta64(1, "D")
    people = np.arange(len(as_of)) % 7
    try:
        folds = ForwardFolds(n, gap=days(gap), periods=periods).split(as_of, people, None)
    except DataRefused:
        return
    assert len(folds) == n
    judged = np.concatenate([fold.test for fold in folds])
    assert len(judged) == len(set(judged.tolist()))
    for fold in folds:
        assert len(fold.train)
        assert len(fold.test)
        assert (as_of[fold.train] + np.timedelta64(gap, "D") <= as_of[fold.test].min()).all()
        if gap == 0:  # a row as of the first day of the test period judges, it does not teach
            assert not set(fold.train.tolist()) & set(fold.test.tolist())
    assert all(a.test_until < b.test_from for a, b in pairwise(folds))
    late = as_of >= folds[0].test_from
    assert set(judged.tolist()) == set(np.flatnonzero(late).tolist())
