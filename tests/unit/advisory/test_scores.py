"""A score is read, never obeyed: no truth, no comparison, no number; and its words say what it is not."""

from __future__ import annotations

import copy
import datetime as dt
import operator
import pickle
from typing import Any

import numpy as np
import pytest

from riskmodel.advisory.missing import Missing, agencies_read, late_feeds
from riskmodel.advisory.scores import Score
from riskmodel.errors import NotADecision, NotFound
from riskmodel.features.language import count, ever


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
        lambda score: score == copy.copy(score),
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
    assert score.valid_until == dt.date(2021, 7, 1)


def test_the_words_hold_the_figures_the_gaps_the_end_and_what_it_is_not(scored: Any) -> None:
    score = one(scored)
    said = score.explain()
    assert said.startswith(f"{score.pseudonym}, as of 1 January 2021")
    assert "of a recorded injury by violence within 6 months. Of " in said
    assert "What raises it\n  - " in said
    assert "What lowers it\n  - " in said
    assert "The records of health end 12 days before the as-of date" in said
    assert "Valid until 1 July 2021." in said
    assert "Conditions: Two people review. No list leaves the building." in said
    assert "This is advice, not a decision." in said


def test_nothing_on_record_is_said_and_not_taken_for_nothing_happened(scored: Any) -> None:
    nobody = scored.person("P-00000000000000a0")  # person 160, without a single event
    assert nobody.missing == Missing((), ("health", "police"), (("health", 12),))
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


def test_scores_do_not_travel_as_pickles_unnoticed(scored: Any) -> None:
    # a copy of a score is still a score: it refuses as the first one does
    again = pickle.loads(pickle.dumps(one(scored)))  # noqa: S301 - our own bytes, to show that refusing survives
    with pytest.raises(NotADecision):
        bool(again)
