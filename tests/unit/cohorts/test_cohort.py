"""Who is eligible when: one small town, worked by hand."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.cohorts.cohort import Cohort, eligible
from riskmodel.dates import days, months, years
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.histories.store import Histories


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


PERSONS = pa.table(
    {
        "entity_id": [1, 2, 3, 4],
        # 1 turns 10 on 2020-03-01; 2 is 25 until 2020-06-30; 3 has no date of birth; 4 is 15
        "birth_date": [dt.date(2010, 3, 1), dt.date(1994, 7, 1), None, dt.date(2005, 1, 1)],
        "sex": ["female", "male", None, "female"],
        "ethnicity": pa.array([None] * 4, pa.string()),
        "known_at": [at("2019-01-01"), at("2019-01-01"), at("2019-01-01"), at("2020-04-01")],
    }
)
EVENTS = pa.table(
    {
        "entity_id": [1, 2, 2, 4],
        "happened_at": [at("2020-02-01"), at("2020-02-10T09:30:00"), at("2020-05-05"), at("2020-02-15")],
        "known_at": [at("2020-02-01"), at("2020-02-10T09:30:00"), at("2020-05-20"), at("2020-02-15")],
        "agency": ["police"] * 4,
        "kind": ["missing", "screening", "screening", "missing"],
        "event_id": [1, 2, 3, 4],
    }
)
RESIDENCES = pa.table(
    {
        "entity_id": [1, 2],
        "place_id": [9, 9],
        "starts_at": [at("2019-06-01"), at("2019-01-01")],
        "known_at": [at("2019-06-10"), at("2020-03-15")],
    }
)
HISTORIES = Histories.of(
    events=EVENTS, persons=PERSONS, residences=RESIDENCES, covered_until={"police": dt.date(2021, 1, 1)}
)


def rows_of(cohort: Cohort) -> list[tuple[int, str]]:
    table = eligible(HISTORIES, cohort).rows
    return [(row["entity_id"], row["as_of"].isoformat()[:10]) for row in table.to_pylist()]


GRID = {"every": months(2), "between": (dt.date(2020, 1, 1), dt.date(2020, 7, 1))}  # 1 January, 1 March, 1 May


def test_ages_are_completed_years_on_the_day_both_ends_included() -> None:
    assert rows_of(Cohort(aged=(10, 25), **GRID)) == [
        (1, "2020-03-01"),  # the tenth birthday itself
        (1, "2020-05-01"),
        (2, "2020-01-01"),
        (2, "2020-03-01"),
        (2, "2020-05-01"),  # still 25
        (4, "2020-05-01"),  # nobody knew of 4 before April
    ]


def test_residence_counts_from_when_it_was_known() -> None:
    # 1: at the address since 1 June 2019, 6 months by 1 December. 2: known only from 15 March 2020.
    assert rows_of(Cohort(resident_for=months(6), **GRID)) == [
        (1, "2020-01-01"),
        (1, "2020-03-01"),
        (1, "2020-05-01"),
        (2, "2020-05-01"),
    ]


def test_one_row_an_event_when_it_can_be_seen() -> None:
    between = (dt.date(2020, 1, 1), dt.date(2021, 1, 1))
    # the second screening is known only on 20 May: it cannot have been asked about on 6 May
    assert rows_of(Cohort(at_each="screening", offset=days(1), between=between)) == [(2, "2020-02-11")]
    assert rows_of(Cohort(at_each="screening", offset=months(1), between=between)) == [
        (2, "2020-03-10"),
        (2, "2020-06-05"),
    ]
    first = Cohort(at_each="screening", offset=months(1), between=between, first_only=True)
    assert rows_of(first) == [(2, "2020-03-10")]


def test_having_asks_for_a_visible_event() -> None:
    # persons 1 and 4 have a missing episode; 4 is known to anybody only from April
    assert rows_of(Cohort(having="missing", **GRID)) == [(1, "2020-03-01"), (1, "2020-05-01"), (4, "2020-05-01")]


def test_the_flow_counts_people_and_rows_at_each_step() -> None:
    found = eligible(HISTORIES, Cohort(aged=(10, 25), resident_for=months(6), **GRID))
    assert [(step.people, step.rows) for step in found.flow] == [(4, 0), (4, 12), (4, 10), (3, 6), (2, 3)]
    assert repr(found) == "Eligible(2 people, 3 rows)"


def test_a_cohort_of_nobody_says_where_they_were_lost() -> None:
    with pytest.raises(DataRefused, match=r"aged 90 to 99, date of birth known: 0 rows.*cohort-empty"):
        eligible(HISTORIES, Cohort(aged=(90, 99), **GRID))


def test_every_fault_of_a_cohort_at_once() -> None:
    with pytest.raises(DeclarationError) as refusal:
        Cohort(between=(dt.date(2020, 1, 1), dt.date(2019, 1, 1)), aged=(25, 10))
    assert [fault.where for fault in refusal.value.faults] == ["cohort.between", "cohort", "cohort.aged"]


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(DeclarationError, match="missing, screening"):
        eligible(HISTORIES, Cohort(at_each="no_such", between=GRID["between"]))


def test_a_cohort_is_its_document() -> None:
    cohort = Cohort(aged=(10, 25), resident_for=years(1), having="missing", **GRID)
    assert Cohort.from_document(cohort.document()) == cohort
