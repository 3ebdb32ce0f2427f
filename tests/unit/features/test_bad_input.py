"""Bad input, item by item: one clear sentence each, and nothing lost."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel import Cohort, Outcome, days
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.features import language as words
from riskmodel.features.build import feature_matrix, filled
from riskmodel.features.exposures import MOST_TIES
from riskmodel.features.pieces import EventFiles
from riskmodel.features.training_set import build_training_set
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, RELATIONS, ROWS

DAY = dt.datetime(2021, 1, 1)
OUTCOME = Outcome("injury", within=days(90))


def one_row(entity=1, day=365):
    return pa.Table.from_pylist([{"entity_id": entity, "as_of": DAY + dt.timedelta(days=day)}], schema=ROWS)


def events_of(owner, happened, kind="violence"):
    number = len(owner)
    return pa.table(
        {"entity_id": pa.array(owner, pa.int64()), "happened_at": happened, "known_at": happened,
         "agency": ["police"] * number, "kind": [kind] * number, "event_id": np.arange(number)}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("feature", "sentence"),
    [
        (lambda: words.count("violense"), "Did you mean 'violence'?"),
        (lambda: words.count("violence", agency="fire"), "found 'fire'; expected one of the agencies"),
        (lambda: words.count("violence", role="wittness"), "found 'wittness'; expected one of the roles"),
        (lambda: words.count("violence", through="cousin"), "found 'cousin'; expected one of the through"),
    ],
)
def test_unknown_words(histories, feature, sentence):
    with pytest.raises(DeclarationError) as caught:
        feature_matrix(histories, one_row(), [feature()])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_window_that_ends_before_it_starts():
    with pytest.raises(DeclarationError, match=r"opens 30d and closes 60d .* Make `within` longer than `until`"):
        words.count("violence", within="30d", until="60d")


def test_a_horizon_beyond_the_data(histories):
    cohort = Cohort(between=("2021-07-01", "2021-07-02"), every=days(1))
    with pytest.raises(DataRefused, match=r"horizon of 90 days that ends after 2021-09-01, .* all 3 rows"):
        build_training_set(histories, cohort, OUTCOME, [words.age()])


def test_an_as_of_date_after_the_last_delivery(histories):
    # the last to deliver are the police, until 1 January 2022: that day itself may be asked about, the next may not
    cohort = Cohort(between=("2022-01-01", "2022-01-03"), every=days(1))
    with pytest.raises(DataRefused, match=r"3 rows with an as-of date after 2022-01-01, .* End the cohort earlier"):
        build_training_set(histories, cohort, OUTCOME, [words.age()])


def test_two_definitions_with_one_name(histories):
    twice = [words.count("violence"), words.count("violence")]
    with pytest.raises(DeclarationError, match="'violence_count' 2 times; expected one definition a name"):
        feature_matrix(histories, one_row(), twice)


def test_entities_of_2_to_the_63():
    histories = Histories.of(events=events_of([1], pa.array([DAY], pa.timestamp("us"))))
    rows = pa.table({"entity_id": pa.array([2**63], pa.uint64()), "as_of": pa.array([DAY], pa.timestamp("us"))})
    with pytest.raises(DataRefused, match="below 2\\^63"):
        feature_matrix(histories, rows, [words.count()])
    small = rows.set_column(0, "entity_id", pa.array([1], pa.uint64()))
    assert feature_matrix(histories, small, [words.count()])[0].to_pylist() == [0]


def test_a_person_with_a_million_events():
    number = 1_000_000
    seconds = pa.array(np.datetime64(DAY, "us") + np.arange(number) * np.timedelta64(1, "s"))
    owner = np.ones(number, np.int64)
    owner[-1] = 2
    histories = Histories.of(events=events_of(owner, seconds))
    rows = pa.concat_tables([one_row(1), one_row(2)])
    found = feature_matrix(histories, rows, [words.count(), words.shortest_gap("violence"), words.count(within="360d")])
    # the first 5 days of 2021 (as-of 1 January 2022, window from 6 January) are 432,000 seconds
    assert found[0].to_pylist() == [number - 1, 1]
    assert found[1].to_pylist()[0] == np.float32(1 / 86400)
    assert found[2].to_pylist() == [number - 1 - 432_000, 1]


def test_a_hostel_with_30_000_co_residents():
    others = np.arange(2, 30_002)
    known = pa.array(np.datetime64(DAY, "us") + (others - 2) * np.timedelta64(1, "s"))
    ties = pa.table(
        {"entity_id": np.ones(len(others), np.int64), "other_id": others,
         "kind": ["co_resident"] * len(others), "known_at": known}
    )  # fmt: skip
    happened = pa.array(np.full(len(others), np.datetime64(DAY, "us") + np.timedelta64(40, "D")))
    histories = Histories.of(
        events=events_of(others, happened), relations=ties.select([*RELATIONS.names[:3], "known_at"])
    )
    matrix, left_out = filled(histories, one_row(), [words.count("violence", through="co_resident")])
    assert matrix.tolist() == [[MOST_TIES]]
    assert left_out == {"co_resident": 30_000 - MOST_TIES}


ZONED = pa.timestamp("us", "Europe/London")


def test_times_with_a_zone_are_refused_wherever_they_come_in(tmp_path):
    """12:00 in summer would be read as 11:00, and an event of half past midnight would move to the day before."""
    naive = events_of([1], pa.array([DAY], pa.timestamp("us")))
    zoned = naive.set_column(1, "happened_at", naive["happened_at"].cast(ZONED))
    with pytest.raises(DataRefused, match="happened_at that carry a zone"):
        Histories.of(events=zoned)
    pq.write_table(zoned, tmp_path / "events.parquet")
    with pytest.raises(DataRefused, match="in the zone Europe/London"):
        EventFiles((tmp_path / "events.parquet",))
    rows = pa.table({"entity_id": [1], "as_of": pa.array([DAY], ZONED)})
    with pytest.raises(DataRefused, match="times of as_of in the zone Europe/London"):
        feature_matrix(Histories.of(events=naive), rows, [words.count()])


def test_the_hour_that_summer_time_skips_or_repeats_is_a_wall_clock_hour():
    """Wall-clock times have no gap and no overlap: a day before 29 March 2021, 01:30 is 28 March, 01:30."""
    at = dt.datetime(2021, 3, 28, 1, 30)  # skipped in London
    histories = Histories.of(events=events_of([1], pa.array([at], pa.timestamp("us"))))
    rows = pa.Table.from_pylist(
        [{"entity_id": 1, "as_of": at + dt.timedelta(days=1, microseconds=late)} for late in (0, 1)], schema=ROWS
    )
    found = feature_matrix(histories, rows, [words.count(within=days(1)), words.days_since()])
    assert found[0].to_pylist() == [1, 0]
    assert found[1].to_pylist()[0] == 1.0


def test_severities_that_are_no_number_are_unknown_and_their_events_still_count():
    made = events_of([1, 1, 1], pa.array([DAY] * 3, pa.timestamp("us")))
    made = made.append_column("value", pa.array([float("nan"), 2.0, float("inf")]))
    histories = Histories.of(events=made)
    found = feature_matrix(histories, one_row(), [words.mean("violence"), words.count("violence")])
    assert [column.to_pylist() for column in found.columns] == [[2.0], [3.0]]


def test_no_event_at_all_is_an_unknown_kind():
    with pytest.raises(DeclarationError, match="'violence'; expected one of the kinds"):
        feature_matrix(Histories.of(events=EVENTS.empty_table()), one_row(), [words.count("violence")])
