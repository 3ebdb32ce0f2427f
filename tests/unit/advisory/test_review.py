"""Judgement first, then the score, then a conclusion in the reviewer's words; the ledger gets codes only."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskmodel.advisory.review import Review, ReviewForm
from riskmodel.advisory.reviews import Reviews
from riskmodel.errors import DeclarationError, EvidenceError, NotFound, NotPermitted
from riskmodel.governance.ledger import verify

FORM = ReviewForm(("offer-support", "no-offer"), ("known-to-worker", "record-is-wrong"))
WHO = {"role": "youth worker", "choice": "no-offer", "reason": "known-to-worker"}
WORDS = "Family already has a worker"


@pytest.fixture
def reviews(partnership: Any, tmp_path: Path) -> Reviews:
    return Reviews(tmp_path / "reviews" / "reviews.jsonl", FORM, partnership.ledger)


def concluded(reviews: Reviews, scores: Any, place: int = 0, choice: str = "offer-support") -> Review:
    review = reviews.begin(scores, scores.pseudonyms[place], words=WORDS, **WHO)
    review, _ = reviews.look(review, scores)
    return reviews.conclude(review, choice=choice, reason="record-is-wrong", words="The caution belongs to a brother")


def test_judge_look_conclude(reviews: Reviews, scored: Any) -> None:
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    assert (begun.looked_at, begun.after, begun.changed) == (None, None, None)
    seen, score = reviews.look(begun, scored)
    assert score.pseudonym == scored.pseudonyms[0]
    ended = reviews.conclude(seen, choice="offer-support", reason="record-is-wrong", words="The caution is a brother's")
    assert ended.changed is True
    assert concluded(reviews, scored, 1, "no-offer").changed is False
    assert [each.changed for each in reviews.all()] == [True, False]
    assert reviews.all()[0] == ended


def test_the_ledger_gets_codes_counts_and_a_hash_only(reviews: Reviews, scored: Any, partnership: Any) -> None:
    concluded(reviews, scored)
    entries = [entry.facts for entry in partnership.ledger.entries() if entry.action == "review"]
    assert [facts["stage"] for facts in entries] == ["begun", "looked", "concluded"]
    assert [facts["words"] for facts in entries] == [5, 0, 6]
    assert [facts["choice"] for facts in entries] == ["no-offer", None, "offer-support"]
    text = partnership.ledger.path.read_text()
    assert "brother" not in text
    assert not re.search(r"P-[0-9a-f]{16}", text)
    assert verify(partnership.ledger.path).holds


def test_the_texts_are_in_a_file_that_only_its_owner_reads(reviews: Reviews, scored: Any) -> None:
    concluded(reviews, scored)
    assert "belongs to a brother" in reviews.path.read_text()
    assert stat.S_IMODE(reviews.path.stat().st_mode) == 0o600


def test_no_repr_shows_words_or_person(reviews: Reviews, scored: Any) -> None:
    shown = repr(concluded(reviews, scored)) + repr(concluded(reviews, scored, 1).after)
    assert "brother" not in shown
    assert "P-" not in shown


def test_the_score_stays_closed_until_a_judgement_is_written_down(reviews: Reviews, scored: Any) -> None:
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    invented = replace(begun, pseudonym=scored.pseudonyms[1])
    with pytest.raises(EvidenceError, match="never written down"):
        reviews.look(invented, scored)


def test_no_conclusion_before_looking_and_none_twice(reviews: Reviews, scored: Any) -> None:
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    how = {"choice": "no-offer", "reason": "known-to-worker", "words": WORDS}
    with pytest.raises(EvidenceError, match="not opened"):
        reviews.conclude(begun, **how)
    seen, _ = reviews.look(begun, scored)
    ended = reviews.conclude(seen, **how)
    with pytest.raises(EvidenceError, match="with a conclusion"):
        reviews.conclude(ended, **how)


def test_nothing_is_filled_in_for_the_reviewer(reviews: Reviews, scored: Any) -> None:
    with pytest.raises(DeclarationError) as refused:
        reviews.begin(scored, scored.pseudonyms[0], role=" ", choice="", reason="other", words="no")
    assert [fault.where for fault in refused.value.faults] == [
        "review.choice",
        "review.reason",
        "review.role",
        "review.words",
    ]
    assert not reviews.path.exists()


@pytest.mark.parametrize("role", ["a\nb", "P-0123456789abcdef", "x" * 501])
def test_a_role_that_the_ledger_does_not_take_is_not_written_anywhere(role: str, reviews: Reviews, scored: Any) -> None:
    """Else the file would hold a review without a trace, and refuse every other one for ever."""
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    with pytest.raises(DeclarationError, match="ledger-fact-refused"):
        reviews.begin(scored, scored.pseudonyms[1], words=WORDS, **{**WHO, "role": role})
    assert reviews.all() == (begun,)


def test_scores_that_no_longer_hold_are_not_opened(reviews: Reviews, past: Any, partnership: Any) -> None:
    with pytest.raises(NotPermitted, match="score-no-longer-valid"):
        reviews.begin(past, past.pseudonyms[0], words=WORDS, **WHO)
    assert partnership.last_entry()[1] == {
        "code": "score-no-longer-valid", "asked": "review", "purpose": "early-support", "list": past.fingerprint,
    }  # fmt: skip
    assert not reviews.path.exists()


def test_a_review_begun_in_time_is_not_opened_once_the_approval_is_withdrawn(
    reviews: Reviews, scored: Any, partnership: Any
) -> None:
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    seen, _ = reviews.look(begun, scored)
    partnership.approved("withdrawn.toml", decision="withdrawn")
    with pytest.raises(NotPermitted, match="approval-superseded"):
        reviews.look(begun, scored)
    assert partnership.last_entry()[1]["asked"] == "look"
    ended = reviews.conclude(seen, choice="no-offer", reason="known-to-worker", words="What was seen stays seen")
    assert reviews.all() == (ended,)


def test_another_list_is_not_opened(reviews: Reviews, scored: Any, partnership: Any) -> None:
    begun = reviews.begin(scored, scored.pseudonyms[0], words=WORDS, **WHO)
    other = partnership.scores(scored.basis.approval, as_of="2020-12-01")
    with pytest.raises(EvidenceError, match="another list"):
        reviews.look(begun, other)
    assert partnership.last_entry()[1]["code"] == "review-out-of-order"


def test_somebody_who_is_not_on_the_list(reviews: Reviews, scored: Any) -> None:
    with pytest.raises(NotFound):
        reviews.begin(scored, "P-ffffffffffffffff", words=WORDS, **WHO)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("a brother", "a sister"), "that the ledger does not have"),
        (lambda text: text.split("\n", 1)[1], "fewer than the ledger has"),
        (lambda text: text + "{", "cannot be read"),
    ],
)
def test_attack_a_review_changed_or_taken_out_afterwards(reviews: Reviews, scored: Any, change: Any, says: str) -> None:
    concluded(reviews, scored)
    reviews.path.write_text(change(reviews.path.read_text()))
    with pytest.raises(EvidenceError, match=says):
        reviews.all()


def test_a_form_has_to_leave_a_choice(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="review-form-invalid"):
        ReviewForm(("offer",), ())
    (tmp_path / "form.toml").write_text('[review]\nchoices = ["a", "b"]\nreasons = ["c"]\n')
    assert ReviewForm.load(tmp_path / "form.toml") == ReviewForm(("a", "b"), ("c",))
    (tmp_path / "form.toml").write_text('choice = ["a", "b"]\nreasons = ["c"]\n')
    with pytest.raises(DeclarationError, match="Did you mean choices"):
        ReviewForm.load(tmp_path / "form.toml")


def test_no_reviews_yet(reviews: Reviews) -> None:
    assert reviews.all() == ()
