"""What people must write: all gaps named at once, words that only hold a place are gaps, unknown names refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from riskmodel.cards.text import REQUIRED, CardText
from riskmodel.errors import DeclarationError, EvidenceError

FULL: dict[str, Any] = {name: f"What {name} says." for name in REQUIRED} | {"review_by": "2027-03-31"}


def test_a_full_text_is_read() -> None:
    text = CardText.from_mapping(FULL | {"triggers": ["late feeds"], "atrs": {"1.1": "Name"}})
    assert text.review_by == dt.date(2027, 3, 31)
    assert text.triggers == ("late feeds",)
    assert text.document()["review_by"] == "2027-03-31"
    assert text.people == "people"


def test_every_gap_is_named_at_once() -> None:
    given = {name: value for name, value in FULL.items() if name not in ("owner", "not_for")}
    with pytest.raises(EvidenceError) as refused:
        CardText.from_mapping(given | {"contact": "  ", "summary": "TBC"})
    assert refused.value.code == "card-incomplete"
    assert refused.value.found == "no usable text for summary, not_for, owner, contact"


HELD = ["", " ", "TODO", "tbc.", "TBD", "n/a", "None", "???", "to be confirmed", "More information needed", None]


@pytest.mark.parametrize("held", HELD)  # fmt: skip
def test_words_that_hold_a_place_are_a_gap(held: str | None) -> None:
    with pytest.raises(EvidenceError):
        CardText.from_mapping(FULL | {"challenge_route": held})


@pytest.mark.parametrize("real", ["None is needed while nothing is used.", "Today it is the clerk.", "Nothing runs."])
def test_a_real_answer_that_begins_like_one_is_kept(real: str) -> None:
    assert CardText.from_mapping(FULL | {"challenge_route": real}).challenge_route == real


def test_unknown_names_and_wrong_kinds_are_refused_together() -> None:
    with pytest.raises(DeclarationError) as refused:
        CardText.from_mapping(FULL | {"intended_usage": "x", "triggers": "late", "synthetic": "yes", "atrs": "x"})
    assert [fault.where for fault in refused.value.faults] == [
        "card.intended_usage", "card.triggers", "card.synthetic", "card.atrs",
    ]  # fmt: skip


def test_an_impossible_review_date_is_refused() -> None:
    with pytest.raises(DeclarationError) as refused:
        CardText.from_mapping(FULL | {"review_by": "2027-02-30"})
    assert refused.value.code == "date-invalid"
