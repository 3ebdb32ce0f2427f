"""What is asked of areas: about the place, refused where it cannot be answered, and unbounded by ties."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.dates import years
from riskmodel.errors import DeclarationError
from riskmodel.features import language as words
from riskmodel.features.build import feature_matrix
from riskmodel.features.declared import sources_of
from riskmodel.features.dictionary import describe
from riskmodel.features.exposures import MOST_TIES
from riskmodel.features.pieces import EventFiles
from riskmodel.histories.overlaid import with_area_values
from riskmodel.histories.store import Histories
from riskmodel.tables import AREA_VALUES, EVENTS, RESIDENCES, ROWS, conform

DAY = dt.datetime(2021, 1, 1)
ROW = pa.Table.from_pylist([{"entity_id": 0, "as_of": DAY + dt.timedelta(days=365)}], schema=ROWS)


def town(people):
    """Everybody lives in E01; everybody has one violence, on 2 January 2021."""
    events = [
        {"entity_id": who, "happened_at": DAY + dt.timedelta(days=1), "known_at": DAY + dt.timedelta(days=1),
         "agency": "police", "kind": "violence", "event_id": who}
        for who in range(people)
    ]  # fmt: skip
    lived = [
        {"entity_id": who, "place_id": who, "area": "E01", "starts_at": DAY, "known_at": DAY} for who in range(people)
    ]
    return pa.Table.from_pylist(events, schema=EVENTS), pa.Table.from_pylist(lived, schema=RESIDENCES)


def measured():
    row = {"area": "E01", "measure": "imd_decile", "value": 2.0, "source": "mhclg", "starts_at": DAY, "known_at": DAY}
    return pa.Table.from_pylist([row], schema=AREA_VALUES)


def test_all_who_live_in_an_area_are_counted_whatever_their_number():
    events, lived = town(MOST_TIES + 200)
    histories = with_area_values(Histories.of(events=events, residences=lived), measured())
    features = [words.area_rate("violence", within=years(1)), words.area_value("imd_decile"), words.count()]
    found = feature_matrix(histories, ROW, features)
    # one event each in 365 days: 1000 * 1200 / (1200 * 365 / 365.25)
    assert found[0].to_pylist() == [pytest.approx(1000.6849, abs=1e-3)]
    assert [column.to_pylist() for column in found.columns[1:]] == [[2], [1]]


def test_events_in_files_answer_the_same(tmp_path):
    events, lived = town(20)
    pq.write_table(events, tmp_path / "events.parquet")
    others = {"residences": conform(lived, RESIDENCES), "area_values": measured()}
    histories = Histories(None, EventFiles((tmp_path / "events.parquet",), {}, others))
    features = [words.area_value("imd_decile"), words.area_rate("violence", within=years(1))]
    memory = with_area_values(Histories.of(events=events, residences=lived), measured())
    assert feature_matrix(histories, ROW, features).equals(feature_matrix(memory, ROW, features))


def test_they_are_described_as_about_the_place_with_their_source():
    events, lived = town(3)
    histories = with_area_values(Histories.of(events=events, residences=lived), measured())
    text = str(describe([words.area_value("imd_decile"), words.area_rate("violence", within="1y")], histories))
    assert text.count("a place or household, not the person") == 2
    assert "mhclg" in text
    assert "imd decile of the area of residence" in text
    assert sources_of(histories, words.area_value("imd_decile")) == ["mhclg"]
    assert "area" in words.area_rate("violence", within="1y").needs
    assert words.household_size(under=18).needs == ("address", "address_from", "birth_date")


def test_a_measure_nobody_has_is_refused():
    events, lived = town(3)
    histories = with_area_values(Histories.of(events=events, residences=lived), measured())
    with pytest.raises(DeclarationError, match="Did you mean 'imd_decile'"):
        feature_matrix(histories, ROW, [words.area_value("imd_deciles")])


def test_areas_that_nobody_told_of_are_refused():
    events, _ = town(3)
    with pytest.raises(DeclarationError, match="nobody whose area is known"):
        feature_matrix(Histories.of(events=events), ROW, [words.area_rate("violence", within="1y")])


@pytest.mark.parametrize(
    ("declared", "match"),
    [
        (lambda: words.area_value("IMD!"), "small letters"),
        (lambda: words.area_rate("violence"), "window with a beginning"),
        (lambda: words.area_rate("violence", within="1y", fewest=0), "at least one person"),
        (lambda: words.area_rate("violence", within="1y", through="parent"), "people who live in the area"),
        (lambda: words.household_size(under=0), "an age from 1 to 120"),
    ],
)
def test_what_cannot_mean_anything_is_refused(declared, match):
    with pytest.raises(DeclarationError, match=match):
        declared()
