"""The three forms of the time rule say the same, at the edges too."""

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.histories.visibility import NULL_TIME, is_visible, times_of, visible, visible_rows, visible_sql

DAY = dt.datetime(2021, 5, 1)


def day(number: int) -> dt.datetime:
    return DAY + dt.timedelta(days=number)


@pytest.mark.parametrize(
    ("happened", "known", "until", "as_of", "answer"),
    [
        (0, 2, None, 3, True),
        (0, 2, None, 2, False),  # known at that very moment
        (2, 0, None, 2, False),  # happens at that very moment
        (2, 0, None, 3, True),  # a planned event, known before it happened
        (0, 1, 3, 3, True),  # superseded at that very moment: the old version still stands
        (0, 1, 3, 4, False),
        (0, 1, 1, 2, False),  # superseded when it came: never seen
        (5, 1, None, 3, False),  # lies in the future
        (None, 1, None, 3, False),
        (0, None, None, 3, False),
    ],
)
def test_the_rule_for_one_event(happened, known, until, as_of, answer):
    at = [None if number is None else day(number) for number in (happened, known, until)]
    assert is_visible(*at, day(as_of)) is answer


times = st.one_of(st.none(), st.integers(0, 4).map(day))


@settings(max_examples=40)
@given(st.lists(st.tuples(times, times, times, st.integers(0, 4).map(day)), min_size=1, max_size=60))
def test_numpy_and_sql_agree_with_the_plain_rule(rows):
    plain = [is_visible(*row) for row in rows]
    names = ("happened_at", "known_at", "known_until", "as_of")
    table = pa.table({name: pa.array([row[i] for row in rows], pa.timestamp("us")) for i, name in enumerate(names)})
    arrays = [times_of(table, name) for name in names]
    assert visible(*arrays).tolist() == plain
    assert visible(*(array.view(np.int64) for array in arrays)).tolist() == plain
    with duckdb.connect(":memory:") as connection:
        connection.register("versions", table)
        answer = connection.execute(f"SELECT {visible_sql('v.as_of', 'v')} FROM versions v").fetchall()
    assert [row[0] for row in answer] == plain


def test_a_missing_time_as_a_whole_number():
    assert np.datetime64("NaT", "us").astype(np.int64) == NULL_TIME
    assert visible(np.array([0]), np.array([0]), np.array([NULL_TIME]), 1).tolist() == [True]


def test_a_coalition_sees_only_its_own_records():
    happened = np.array(["2021-05-01"] * 3, "datetime64[us]")
    never = np.array(["NaT"] * 3, "datetime64[us]")
    agency = np.array(["police", "health", "housing"])
    as_of = np.datetime64("2021-06-01")
    seen = visible(happened, happened, never, as_of, agency=agency, coalition={"police", "housing"})
    assert seen.tolist() == [True, False, True]
    assert not visible(happened, happened, never, as_of, agency=agency, coalition=()).any()
    assert visible(happened, happened, never, as_of, agency=agency).all()
    with pytest.raises(TypeError, match="agency of each row"):
        visible(happened, happened, never, as_of, coalition=("police",))


def test_rows_of_a_table_keep_their_order():
    table = pa.table(
        {
            "starts_at": pa.array([day(3), day(0), day(1)], pa.timestamp("us")),
            "known_at": pa.array([day(0)] * 3, pa.timestamp("us")),
            "known_until": pa.array([None, None, day(1)], pa.timestamp("us")),
            "agency": ["police", "police", "health"],
        }
    )
    assert visible_rows(table, day(9), begins="starts_at").column("starts_at").to_pylist() == [day(3), day(0)]
    assert visible_rows(table, day(2), begins="starts_at", agencies=["health"]).num_rows == 0
