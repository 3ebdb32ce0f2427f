"""A score is read, never obeyed: no truth, no comparison, no number; and its words say what it is not."""

from __future__ import annotations

import copy
import datetime as dt
import operator
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.advisory.behind import Behind
from riskmodel.advisory.missing import Missing, agencies_read, late_feeds
from riskmodel.advisory.one_score import Score
from riskmodel.advisory.words import day as day_words
from riskmodel.errors import NotADecision, NotFound
from riskmodel.features.language import age, count, ever
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories


def one(scored: Any, place: int = 0) -> Score:
    score: Score = scored.person(scored.pseudonyms[place])
    return score


@pytest.mark.parametrize(
    "attempt",
    [
        bool,
        float,
        int,
        round,
        operator.index,
        np.asarray,
        operator.not_,
        lambda score: score > 0.5,
        lambda score: score >= 0.5,
        lambda score: score < 1,
        lambda score: score <= 1,
        lambda score: operator.lt(0.5, score),
        lambda score: score == 0.5,
        lambda score: score != 0.5,
        lambda score: score == np.float64(0.5),
        lambda score: np.float64(0.5) == score,
        lambda score: np.array([0.5, 0.6]) > score,
        lambda score: "yes" if score else "no",
        lambda score: sorted([score, score]),
        lambda score: max(score, score),
        lambda score: score == score,
        lambda score: [1, 2, 3][score],
        lambda score: score and True,
    ],
)
def test_whoever_uses_a_score_as_a_decision_is_told_why_not(scored: Any, attempt: Any) -> None:
    with pytest.raises(NotADecision, match="score-not-a-decision") as refused:
        attempt(one(scored))
    assert "review" in refused.value.repair
    assert isinstance(refused.value, TypeError)


@pytest.mark.parametrize("attempt", [lambda s: s + 1, lambda s: s * 2, lambda s: f"{s:.2f}", abs, sum])
def test_nor_is_there_arithmetic(scored: Any, attempt: Any) -> None:
    with pytest.raises(TypeError):
        attempt(one(scored))


def test_a_score_cannot_be_changed(scored: Any) -> None:
    with pytest.raises(AttributeError):
        one(scored).probability = 0.1  # type: ignore[misc]  # that it cannot is what is tested


def test_the_figures_can_be_read(scored: Any) -> None:
    score = one(scored)
    assert 0 <= score.low <= score.probability <= score.high <= 1
    assert score.valid_until == dt.date.today() + dt.timedelta(days=300)  # with the approval


def test_the_words_hold_the_figures_the_gaps_the_end_and_what_it_is_not(scored: Any) -> None:
    score = one(scored)
    said = score.explain()
    assert said.startswith(f"{score.pseudonym}, as of 1 January 2021")
    assert "of a recorded injury by violence within 6 months. Of " in said
    assert "What raises it\n  - " in said
    assert "What lowers it\n  - " in said
    assert "The records of health end 12 days before the as-of date" in said
    assert f"Valid until {day_words(score.valid_until)}." in said
    assert "Conditions: Two people review. No list leaves the building." in said
    assert "This is advice, not a decision." in said


def test_nothing_on_record_is_said_and_not_taken_for_nothing_happened(scored: Any) -> None:
    nobody = scored.person("P-00000000000000a0")  # person 160, without a single event
    assert replace(nobody.missing, effect="") == Missing((), ("health", "police"), (("health", 12),))
    assert "Nothing on record from health, police: that is not the same as nothing having happened" in nobody.explain()
    assert sum(not scored.person(each).missing.silent for each in scored.pseudonyms) > 60


def test_no_repr_shows_a_person_or_a_probability(scored: Any) -> None:
    for shown in (repr(one(scored)), str(one(scored)), repr(scored), repr([one(scored)])):
        assert "P-" not in shown
        assert f"{one(scored).probability:.3f}" not in shown
    assert repr(scored).startswith("Scores(")


def test_somebody_who_is_not_on_the_list(scored: Any) -> None:
    with pytest.raises(NotFound, match="person-not-on-list") as refused:
        scored.person("P-ffffffffffffffff")
    assert "ffff" not in str(refused.value)


def test_the_order_is_that_of_the_pseudonyms(scored: Any) -> None:
    assert list(scored.pseudonyms) == sorted(scored.pseudonyms)
    table = scored.to_table()
    assert table["pseudonym"].to_pylist() == list(scored.pseudonyms)
    assert table.num_rows == scored.people


def test_agencies_read_are_those_named_or_those_that_record_the_kind(partnership: Any) -> None:
    histories = partnership.histories
    assert agencies_read(histories, [count("domestic_abuse")]) == ("police",)
    assert agencies_read(histories, [count("domestic_abuse"), ever("injury_by_violence")]) == ("health", "police")
    assert agencies_read(histories, [count(agency="health")]) == ("health",)
    assert agencies_read(histories, [count("domestic_abuse", agency="health")]) == ()


def test_an_agency_covered_until_the_day_is_not_late(partnership: Any) -> None:
    histories = partnership.histories  # police until 1 January 2021, health until 20 December 2020
    assert late_feeds(histories, ("police", "health"), dt.date(2020, 12, 20)) == ()
    assert late_feeds(histories, ("police", "health"), dt.date(2021, 1, 2)) == (("police", 1), ("health", 13))


@pytest.mark.parametrize("attempt", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_score_leaves_only_through_an_export(scored: Any, attempt: Any) -> None:
    with pytest.raises(NotADecision, match="copied or pickled"):
        attempt(one(scored))


def test_a_reason_stands_with_the_events_behind_it(scored: Any, partnership: Any) -> None:
    told = [scored.person(each) for each in scored.pseudonyms]
    score = next(
        each for each in told if any(reason.feature.startswith("domestic_abuse_count_2y") for reason in each.reasons)
    )
    entity = int(score.pseudonym[2:], 16)
    # by hand: this person's domestic abuse events of 2019 and 2020 that were known before 1 January 2021
    events = partnership.histories.events.to_pylist()
    start, end = dt.datetime(2019, 1, 1), dt.datetime(2021, 1, 1)
    days = sorted(
        (
            event["happened_at"]
            for event in events
            if event["entity_id"] == entity
            and event["kind"] == "domestic_abuse"
            and start <= event["happened_at"] < end
            and event["known_at"] < end
        ),
        reverse=True,
    )
    said = score.explain()
    for day in days[:5]:
        assert f"      {day.day} {day:%B %Y}, domestic abuse (police)" in said
    assert days
    assert partnership.last_entry() == ("explained", {"list": scored.fingerprint})


def test_records_of_other_people_are_counted_and_not_shown(partnership: Any) -> None:
    histories = Histories.of(
        events=partnership.histories.events,
        relations=pa.table(
            {
                "entity_id": [160],
                "other_id": [4],
                "kind": ["parent"],
                "known_at": pa.array([dt.datetime(2015, 1, 1)], pa.timestamp("us")),
            }
        ),
    )
    feature = count("domestic_abuse", through="parent")
    behind = Behind(histories, {"x": feature, "y": age()}, 160, dt.date(2021, 1, 1), partnership.ledger, "f" * 64)
    (line,) = behind.lines("x")
    number = int(line.split()[0])
    assert number > 0
    assert line.endswith("of other people or places, not shown here")
    assert behind.lines("y") == ()
    assert behind.lines("unknown") == ()
    assert repr(behind) == "Behind(one person's records)"


def test_many_events_are_cut_and_none_is_said() -> None:
    at = [dt.datetime(2020, 1, day) for day in range(1, 8)]
    events = pa.table(
        {
            "entity_id": [1] * 7,
            "happened_at": at,
            "known_at": at,
            "agency": ["police"] * 7,
            "kind": ["arson"] * 7,
            "role": ["victim"] * 7,
            "event_id": list(range(7)),
        }
    )
    behind = Behind(
        Histories.of(events=events),
        {"arson": count("arson"), "none": count("arson", role="suspect")},
        1,
        dt.date(2020, 2, 1),
        Ledger(Path("unused")),
        "f" * 64,
    )
    lines = behind.lines("arson")
    assert lines[0] == "7 January 2020, arson as victim (police)"
    assert lines[4:] == ("3 January 2020, arson as victim (police)", "and 2 earlier")
    assert behind.lines("none") == ("no such record",)
