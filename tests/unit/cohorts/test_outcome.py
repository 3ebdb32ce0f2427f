"""Yes, no and unknown, worked by hand."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.cohorts.outcome import Outcome, follow_up_ends, outcome_of
from riskmodel.dates import days, months, years
from riskmodel.errors import DeclarationError
from riskmodel.histories.store import Histories


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def histories(events: list[tuple[int, str, str, str | None]], until: str = "2022-01-01") -> Histories:
    """Events as (entity, happened, known, known until), all injuries recorded by health."""
    table = pa.table(
        {
            "entity_id": pa.array([event[0] for event in events], pa.int64()),
            "happened_at": pa.array([at(event[1]) for event in events], pa.timestamp("us")),
            "known_at": pa.array([at(event[2]) for event in events], pa.timestamp("us")),
            "known_until": pa.array([at(event[3]) if event[3] else None for event in events], pa.timestamp("us")),
            "agency": ["health"] * len(events),
            "kind": ["injury"] * len(events),
            "role": ["subject"] * len(events),
            "event_id": pa.array(range(len(events)), pa.int64()),
        }
    )
    return Histories.of(events=table, covered_until={"health": dt.date.fromisoformat(until)})


def asked(*rows: tuple[int, str]) -> pa.Table:
    return pa.table({"entity_id": [entity for entity, _ in rows], "as_of": [at(when) for _, when in rows]})


YEAR = Outcome("injury", within=years(1), settles_after=days(90))


@pytest.mark.parametrize(
    ("happened", "known", "expected"),
    [
        ("2020-01-01", "2020-01-02", 1),  # on the as-of day: the window begins with it
        ("2019-12-31", "2020-01-02", 0),  # the day before is history, not outcome
        ("2020-12-31T23:59:59", "2021-01-05", 1),
        ("2021-01-01", "2021-01-05", 0),  # the first moment after the window
        ("2020-12-30", "2021-03-31", 1),  # known on the last day of settling (judged 1 April 2021)
        ("2020-12-30", "2021-04-01", 0),  # known at the very moment of judging: too late
    ],
)
def test_the_window_is_half_open_and_settles(happened: str, known: str, expected: int) -> None:
    assert outcome_of(histories([(1, happened, known, None)]), YEAR, asked((1, "2020-01-01"))).to_pylist() == [expected]


def test_incomplete_follow_up_is_unknown_for_yes_and_no_alike() -> None:
    seen = histories([(1, "2021-02-01", "2021-02-01", None), (2, "2019-01-01", "2019-01-01", None)])
    rows = asked((1, "2020-10-03"), (2, "2020-10-03"), (1, "2020-10-04"), (2, "2020-10-04"))
    # asked on 3 October 2020: window ends 3 October 2021, judged 1 January 2022: just covered. A day later: not.
    assert outcome_of(seen, YEAR, rows).to_pylist() == [1, 0, None, None]


def test_a_superseded_version_does_not_count() -> None:
    # recorded as an injury of June 2020, corrected in July to one of 2019 (another version, same fact)
    seen = histories([(1, "2020-06-01", "2020-06-02", "2020-07-01"), (1, "2019-06-01", "2020-07-01", None)])
    assert outcome_of(seen, YEAR, asked((1, "2020-01-01"))).to_pylist() == [0]


def test_role_and_agency_narrow_the_outcome() -> None:
    seen = histories([(1, "2020-06-01", "2020-06-02", None)])
    other = Outcome("injury", within=years(1), role="witness")
    assert outcome_of(seen, other, asked((1, "2020-01-01"))).to_pylist() == [0]
    with pytest.raises(DeclarationError, match="not recorded by police"):
        outcome_of(seen, Outcome("injury", within=years(1), agency="police"), asked((1, "2020-01-01")))


def test_a_kind_nobody_records_is_refused() -> None:
    with pytest.raises(DeclarationError, match="kind-unknown"):
        follow_up_ends(histories([(1, "2020-06-01", "2020-06-02", None)]), Outcome("injry", within=years(1)))


def test_faults_of_an_outcome_come_together() -> None:
    with pytest.raises(DeclarationError) as refusal:
        Outcome("", within=days(0))
    assert len(refusal.value.faults) == 2


def test_an_outcome_is_its_document() -> None:
    outcome = Outcome("injury", within=months(18), settles_after=days(30), role="victim", agency="health")
    assert Outcome.from_document(outcome.document()) == outcome


DAY = st.dates(dt.date(2019, 1, 1), dt.date(2022, 6, 1))


@given(
    st.lists(st.tuples(st.integers(1, 3), DAY, st.integers(0, 200)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 3), DAY), min_size=1, max_size=4),
)
def test_the_outcome_equals_the_plain_rule(
    events: list[tuple[int, dt.date, int]], rows: list[tuple[int, dt.date]]
) -> None:
    given_events = [(who, f"{day}", f"{day + dt.timedelta(lag)}", None) for who, day, lag in events]
    found = outcome_of(
        histories(given_events, "2021-06-01"),
        Outcome("injury", within=days(100), settles_after=days(30)),
        asked(*((who, f"{day}") for who, day in rows)),
    )
    for (who, as_of), answer in zip(rows, found.to_pylist(), strict=True):
        judged = as_of + dt.timedelta(130)
        if judged > dt.date(2021, 6, 1):
            assert answer is None
        else:
            hit = any(
                person == who and as_of <= day < as_of + dt.timedelta(100) and day + dt.timedelta(lag) < judged
                for person, day, lag in events
            )
            assert answer == int(hit)
