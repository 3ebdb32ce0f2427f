"""Alarms: what a feed looks like when something is wrong with it, by files whose counts are worked by hand."""

from __future__ import annotations

import pytest

from riskmodel.feeds.alarms import alarms_of
from riskmodel.feeds.feed import Column, Feed

FEED = Feed(
    "clinic.visits", "clinic", "events", "visits", (Column("at", "moment", "happened_at"),), arrival_lag_days=20
)


def document(*files, fresh=5.0, early=0):
    made = []
    for at, (year, kinds, refused) in enumerate(files, 1):
        made.append(
            {
                "file": f"{at}.csv",
                "covers_from": f"{year}-01-01",
                "covers_until": f"{year + 1}-01-01",
                "delivered": sum(kinds.values()) + refused,
                "quarantined": {"unknown-code": refused} if refused else {},
                "kinds": kinds,
            }
        )
    return {"files": made, "freshness_days": fresh, "known_before_it_happened": early}


@pytest.mark.parametrize(
    ("given", "alarm"),
    [
        (document((2021, {"a": 95}, 5)), None),  # 5 in 100 is not more than 5 %
        (document((2021, {"a": 94}, 6)), "much-quarantined: 6 % of 1.csv is in quarantine."),
        (document((2021, {}, 0)), "no-rows: 1.csv holds no row."),
        (document((2021, {"a": 1}, 0), fresh=60.0), None),  # three usual lags of 20 days
        (
            document((2021, {"a": 1}, 0), fresh=61.0),
            "stale: the newest record is 61 days older than its receipt; usual is 20 days.",
        ),
        (document((2021, {"a": 1}, 0), early=3), "clock: 3 records were known before they happened."),
        (document((2018, {"a": 1}, 0), (2020, {"a": 1}, 0)), "gap: nothing covers 2019-01-01 to 2020-01-01."),
        (document((2018, {"a": 730}, 0), (2019, {"a": 400}, 0)), None),
        (
            document((2018, {"a": 730}, 0), (2019, {"a": 292}, 0)),
            "volume: 2.csv has 0.8 rows a day, the file before it 2.0.",
        ),
        (
            document((2018, {"a": 200, "b": 200}, 0), (2019, {"a": 144, "b": 256}, 0)),  # 50 % to 36 %
            None,
        ),
        (
            document((2018, {"a": 200, "b": 200, "c": 1}, 0), (2019, {"a": 100, "b": 200, "c": 100}, 0)),
            "mix: a goes from 50 % to 25 % of the rows in 2.csv.",
        ),
        (
            document((2018, {"a": 180, "b": 20}, 0), (2019, {"a": 200}, 0)),
            "stopped: 2.csv has no b; some 20 were to come.",
        ),
    ],
)
def test_an_alarm_is_raised_exactly_when_it_should_be(given, alarm):
    found = alarms_of(FEED, given)
    assert (alarm in found) if alarm else found == []
