"""Days between a place on the list and the event, worked by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused
from riskmodel.models.lead_time import lead_time
from riskmodel.models.uncertainty import Resampling


def moments(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]")


DATES = moments("2020-01-01", "2020-04-01")


def predictions(first: list[float], second: list[float]) -> pa.Table:
    """Four people at two dates."""
    people = np.arange(1, 5)
    return pa.table(
        {
            "entity_id": np.tile(people, 2),
            "as_of": np.repeat(DATES, 4),
            "p": np.array(first + second),
        }
    )


def events(*pairs: tuple[int, str]) -> pa.Table:
    return pa.table({"entity_id": [who for who, _ in pairs], "happened_at": moments(*(when for _, when in pairs))})


LISTED = predictions([0.9, 0.8, 0.1, 0.1], [0.1, 0.9, 0.8, 0.1])  # with two places: 1 and 2, then 2 and 3


def test_days_by_hand():
    seen = events((1, "2020-01-11"), (2, "2020-04-11"), (3, "2020-03-01"), (4, "2020-05-01"), (9, "2020-01-01"))
    found = lead_time(LISTED, seen, 2, steps=(1, 30, 120))
    # 1: ten days; 2: since 1 January, 101 days; 3: the place came after the event; 4: never; 9: nobody asked
    assert (found.events, found.unasked) == (4, 1)
    assert found.found == 0.5
    assert found.days.tolist() == [10, 10, 101]
    assert found.table["share"].to_pylist() == [0.5, 0.25, 0.0]
    assert found.found_low <= 0.5 <= found.found_high
    assert found.sentence == (
        "Of 100 people with the outcome, 50 had a place on the list before it; half of them at least 10 days before."
    )


def test_a_place_too_long_ago_does_not_count():
    found = lead_time(LISTED, events((2, "2020-04-11")), 2, within_days=60)
    assert found.days[1] == 10  # from the second list


def test_only_the_first_event_after_the_first_row_counts():
    found = lead_time(LISTED, events((1, "2019-06-01"), (1, "2020-01-11"), (1, "2020-06-01")), 2)
    assert (found.events, found.days[1]) == (1, 10)


def test_ties_have_a_place_when_most_of_them_do():
    tied = predictions([0.5, 0.5, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0])
    assert lead_time(tied, events((1, "2020-01-11")), 2).found == 1.0  # two of three ties fit
    assert lead_time(tied, events((1, "2020-01-11")), 1).found == 0.0  # one of three does not


def test_without_events_it_says_so():
    found = lead_time(LISTED, events(), 2, resampling=Resampling(10))
    assert found.events == 0
    assert np.isnan(found.found)
    assert found.sentence.startswith("No event")


def test_another_column_is_refused():
    with pytest.raises(DataRefused, match="without 'p_logistic'"):
        lead_time(LISTED, events((1, "2020-01-11")), 2, column="p_logistic")
