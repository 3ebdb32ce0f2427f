"""Silent wrong answers that other tools were seen to give on the same question; each is held off here."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.features.build import feature_matrix
from riskmodel.features.language import age, count, count_distinct, days_since, ever, highest, total
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, ROWS

DAY = dt.datetime(2021, 1, 1)


def histories_of(rows):
    made = [
        {"entity_id": who, "happened_at": DAY + dt.timedelta(days=day), "known_at": DAY + dt.timedelta(days=day),
         "agency": "police", "kind": "violence", "value": value, "event_id": number}
        for number, (who, day, value) in enumerate(rows)
    ]  # fmt: skip
    return Histories.of(events=pa.Table.from_pylist(made, schema=EVENTS))


def asked(*rows):
    made = [{"entity_id": who, "as_of": DAY + dt.timedelta(days=day)} for who, day in rows]
    return pa.Table.from_pylist(made, schema=ROWS)


def test_several_windows_chained_keep_their_own_columns():
    """Chained as-of joins took the key of the second join for the first."""
    histories = histories_of([(1, day, 1.0) for day in range(100)])
    found = feature_matrix(histories, asked((1, 100)), [count(within=days(number)) for number in (90, 7, 30, 1)])
    assert [column.to_pylist() for column in found.columns] == [[90], [7], [30], [1]]


def test_a_count_of_nothing_is_zero_and_never_missing():
    """A conditional count was NULL on one engine and 0 on another."""
    found = feature_matrix(
        histories_of([(1, 0, 1.0)]), asked((7, 10)), [count(), ever(), count_distinct("kind"), total(None)]
    )
    assert [column.to_pylist() for column in found.columns] == [[0]] * 4


def test_days_are_exact_to_the_last_bit_of_a_float():
    """86400.0 was read as a decimal and days were rounded at six digits."""
    moment = dt.datetime(2021, 1, 1, 7, 31, 17, 123457)
    row = {
        "entity_id": 1,
        "happened_at": moment,
        "known_at": moment,
        "agency": "police",
        "kind": "arson",
        "event_id": 1,
    }
    histories = Histories.of(events=pa.Table.from_pylist([row], schema=EVENTS))
    exact = np.float32((DAY + dt.timedelta(days=400) - moment).total_seconds() / 86400)
    assert feature_matrix(histories, asked((1, 400)), [days_since("arson")])[0].to_pylist() == [exact]


def test_an_event_alone_at_its_time_is_counted():
    """Events alone at their timestamp were dropped."""
    histories = histories_of([(1, 0, 1.0), (1, 1, 1.0), (1, 1, 1.0)])
    assert feature_matrix(histories, asked((1, 1), (1, 2)), [count()])[0].to_pylist() == [1, 3]


def test_the_last_event_does_not_anchor_the_window():
    """Windows hung on the last event, not on the as-of date."""
    histories = histories_of([(1, 0, 1.0), (1, 20, 1.0)])
    assert feature_matrix(histories, asked((1, 50)), [count(within=days(29))])[0].to_pylist() == [0]


def test_an_event_at_the_as_of_moment_stays_out():
    """Look-back periods were closed at both ends."""
    histories = histories_of([(1, 10, 1.0)])
    found = feature_matrix(histories, asked((1, 10), (1, 11), (1, 20), (1, 21)), [count(within=days(10))])
    assert found[0].to_pylist() == [0, 1, 1, 0]


def test_nobody_comes_out_as_zeros_among_many():
    """About six in a hundred people came out as zeros, and every event was dropped under numpy 2."""
    people = 2000
    histories = histories_of([(who, who % 50, 1.0) for who in range(people) for _ in range(1 + who % 3)])
    rows = asked(*((who, 60) for who in range(people)))
    found = feature_matrix(histories, rows, [count(), highest("violence")], block_rows=64)
    assert found[0].to_pylist() == [1 + who % 3 for who in range(people)]
    assert found[1].to_pylist() == [1.0] * people


def test_a_maximum_belongs_to_its_own_row():
    """All maxima landed in the first row."""
    histories = histories_of([(1, 1, 5.0), (2, 1, 7.0), (3, 1, -2.0)])
    assert feature_matrix(histories, asked((1, 5), (2, 5), (3, 5)), [highest("violence")])[0].to_pylist() == [5, 7, -2]


def test_a_null_value_is_never_a_number():
    """None became the text 'nan' on the way to another engine."""
    histories = histories_of([(1, 1, None), (1, 2, float("nan")), (1, 3, float("inf"))])
    found = feature_matrix(histories, asked((1, 5)), [total("violence"), highest("violence"), count()])
    assert np.isnan(found[0].to_pylist() + found[1].to_pylist()).all()
    assert found[2].to_pylist() == [3]


def test_no_rows_give_an_empty_table_with_all_columns():
    found = feature_matrix(histories_of([(1, 1, 1.0)]), ROWS.empty_table(), [count(), age()])
    assert found.num_rows == 0
    assert found.column_names == ["any_event_count", "age"]


@pytest.mark.parametrize("value", [2.0**63, -(2.0**63), 3.0e38, 1e300])
def test_very_large_values(value):
    histories = histories_of([(1, 1, value)])
    with np.errstate(over="ignore"):
        expected = float(np.float32(value))
    assert feature_matrix(histories, asked((1, 5)), [total("violence")])[0].to_pylist() == [expected]
