"""How late records arrive: by the first version of each event, and nothing of an agency with few of them."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from riskmodel.histories.delays import delays_of

DAY = dt.datetime(2021, 5, 3)


def event(number: int, agency: str, days: float) -> dict[str, object]:
    return {"event_id": number, "agency": agency, "happened_at": DAY, "known_at": DAY + dt.timedelta(days=days)}


def test_half_and_nine_tenths_are_whole_days_of_the_first_version() -> None:
    # Ten known after 2 days, eight after 6.5 (so the 7th day), two after 40: half by day 2, nine tenths by day 7.
    waits = [2.0] * 10 + [6.5] * 8 + [40.0] * 2
    rows = [event(number, "police", wait) for number, wait in enumerate(waits)]
    rows += [event(0, "police", 300.0)]  # a later version of the first event is no later arrival
    found = delays_of(pa.Table.from_pylist(rows))["police"]
    assert found == {"events": 20, "half_days": 2, "nine_tenths_days": 7, "within_7": 0.9, "within_30": 0.9}


def test_few_records_tell_nothing() -> None:
    rows = [event(number, "charity", 1.0) for number in range(19)]
    assert delays_of(pa.Table.from_pylist(rows)) == {"charity": {"events": 19}}
