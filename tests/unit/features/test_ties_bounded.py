"""Ties are bounded, the bound is reported, and it never depends on what became known later."""

import datetime as dt

import pyarrow as pa

from riskmodel.dates import Window
from riskmodel.features.build import filled
from riskmodel.features.estimate import dry_run
from riskmodel.features.exposures import MOST_TIES, exposures, tie_table
from riskmodel.features.language import count, household_size
from riskmodel.features.reference import Question
from riskmodel.features.selection import Events
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, RELATIONS, ROWS

DAY = dt.datetime(2021, 1, 1)


def hostel(others):
    """Entity 0 lives with many; each of them has one event on day 10, and became known on a day of their own."""
    events = [
        {"entity_id": who, "happened_at": DAY + dt.timedelta(days=10), "known_at": DAY, "agency": "police",
         "kind": "arson", "event_id": who}
        for who in range(1, others + 1)
    ]  # fmt: skip
    ties = [
        {"entity_id": 0, "other_id": who, "kind": "co_resident", "known_at": DAY + dt.timedelta(hours=who)}
        for who in range(1, others + 1)
    ]
    return Histories.of(
        events=pa.Table.from_pylist(events, schema=EVENTS), relations=pa.Table.from_pylist(ties, schema=RELATIONS)
    )


def rows(day):
    return pa.Table.from_pylist([{"entity_id": 0, "as_of": DAY + dt.timedelta(days=day)}], schema=ROWS)


def test_beyond_the_bound_the_first_known_carry_events_and_the_rest_is_reported():
    histories = hostel(MOST_TIES + 7)
    matrix, left_out = filled(histories, rows(100), [count("arson", through="co_resident")])
    assert matrix.tolist() == [[MOST_TIES]]
    assert left_out == {"co_resident": 7}


def test_the_reference_keeps_to_the_same_bound():
    histories = hostel(12)
    asked = Question(histories, 0, DAY + dt.timedelta(days=100), most_ties=5)
    found = asked.points(Events(("arson",), through=("co_resident",)), Window())
    table, left_out = exposures(
        tie_table(histories, ("co_resident",)), histories.events, rows(100).select(["entity_id"]),
        places=False, points=True, spells=False, most_ties=5,
    )  # fmt: skip
    assert [seen.event_id for seen in found] == sorted(table["event_id"].to_pylist()) == [1, 2, 3, 4, 5]
    assert left_out == 7


def test_a_dry_run_says_what_a_build_takes():
    histories = hostel(3)
    features = [count("arson", through="co_resident"), household_size()]
    estimate = dry_run(histories, rows(100), features)
    assert (estimate.rows, estimate.people, estimate.features) == (1, 1, 2)
    assert estimate.events == 6  # three exposures, three who live there
    assert "1 rows of 1 people, 2 features" in str(estimate)
    assert dry_run(histories, ROWS.empty_table(), features).seconds == 0
