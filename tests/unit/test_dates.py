"""Calendar arithmetic, worked by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.dates import Duration, Window, days, moments, months, parse_date, weeks, years
from riskmodel.errors import DeclarationError


@pytest.mark.parametrize(
    ("at", "length", "expected"),
    [
        ("2024-03-31", months(1), "2024-02-29"),  # cut to the month's end, leap year
        ("2023-03-31", months(1), "2023-02-28"),
        ("2024-02-29", years(1), "2023-02-28"),
        ("2024-03-10T12:30:00", months(1), "2024-02-10T12:30:00"),  # the time of day stays
        ("2024-03-01", days(1), "2024-02-29"),
        ("2024-01-15", Duration(months=1, days=20), "2023-11-25"),  # 15 December, then 20 days back
        ("1969-12-31T23:00:00", months(2), "1969-10-31T23:00:00"),  # before 1970
    ],
)
def test_before(at: str, length: Duration, expected: str) -> None:
    assert length.before(moments([at]))[0] == np.datetime64(expected, "us")


def test_after_mirrors_before_where_no_month_is_cut() -> None:
    at = moments(["2020-01-15", "2021-06-01T08:00:00"])
    assert (months(7).after(months(7).before(at)) == at).all()


@pytest.mark.parametrize("text", ["90d", "6w", "18m", "2y", "1y6m", "1m10d"])
def test_durations_read_what_they_write(text: str) -> None:
    length = Duration.parse(text)
    assert Duration.parse(str(length)) == length


def test_words_of_length() -> None:
    assert weeks(6) == days(42) == Duration.parse("6w")
    assert [str(length) for length in (years(1), months(12), months(18), days(0), Duration(1, 10))] == [
        "1y",
        "1y",
        "18m",
        "0d",
        "1m10d",
    ]


@pytest.mark.parametrize("text", ["", "2", "y", "2 years", "-1d", "1.5y", "2y!"])
def test_a_duration_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(DeclarationError, match="duration-invalid"):
        Duration.parse(text)


@pytest.mark.parametrize("number", [-1, 1.5, True])
def test_durations_are_whole_and_not_negative(number: object) -> None:
    with pytest.raises(DeclarationError, match="duration-invalid"):
        days(number)  # type: ignore[arg-type]  # the refusal is what is tested


def test_a_window_is_half_open_at_both_ends() -> None:
    start, end = Window(days(30), days(7)).bounds(moments(["2024-01-31"]))
    assert (str(start[0])[:10], str(end[0])[:10]) == ("2024-01-01", "2024-01-24")


@pytest.mark.parametrize(("opens", "closes"), [(days(7), days(7)), (days(7), days(30)), (months(1), days(31))])
def test_a_window_that_holds_nothing_is_refused(opens: Duration, closes: Duration) -> None:
    with pytest.raises(DeclarationError, match="window-empty"):
        Window(opens, closes)


def test_dates_from_text() -> None:
    assert parse_date("2024-02-29", "here") == dt.date(2024, 2, 29)
    assert parse_date(dt.datetime(2024, 1, 2, 3, 4), "here") == dt.date(2024, 1, 2)
    with pytest.raises(DeclarationError, match=r"cohort\.between: found '2023-02-29'"):
        parse_date("2023-02-29", "cohort.between")


@given(
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    st.integers(0, 600),
    st.integers(0, 600),
)
def test_a_longer_duration_never_reaches_less_far(at: dt.datetime, shorter: int, longer: int) -> None:
    shorter, longer = sorted((shorter, longer))
    when = moments([at])
    assert months(longer).before(when)[0] <= months(shorter).before(when)[0] <= when[0]
