"""Changed minds by group, through disclosure control, and signs of a formality. Counts worked by hand."""

from __future__ import annotations

import pytest

from riskmodel.advisory.oversight import Formality, changed_minds, formality
from riskmodel.advisory.review import Judgement, Review

START = "2026-05-04T09:00:00+00:00"


def reviewed(number: int, *, changed: bool, seconds: int = 300, words: str = "") -> Review:
    """A concluded review of person `number`."""
    text = words or f"reason number {number}"
    return Review(
        "f" * 64,
        f"P-{number:016x}",
        "worker",
        Judgement("offer", "known", "seen at home"),
        START,
        START,
        Judgement("none" if changed else "offer", "known", text),
        f"2026-05-04T09:{seconds // 60:02d}:{seconds % 60:02d}+00:00",
    )


def open_only(number: int) -> Review:
    return Review("f" * 64, f"P-{number:016x}", "worker", Judgement("offer", "known", "seen at home"), START, START)


def test_the_share_of_changed_minds_for_all() -> None:
    reviews = [reviewed(number, changed=number < 20) for number in range(100)] + [open_only(200)]
    (row,) = changed_minds(reviews).to_pylist()
    assert (row["group"], row["concluded"], row["changed"], row["disclosure"]) == ("all", 100, 20, "shown")
    # Wilson at 20 of 100: 13.3 % to 28.9 %
    assert (row["share"], row["low"], row["high"]) == pytest.approx((0.2, 0.1334, 0.2888), abs=5e-4)


def test_by_group_with_small_counts_hidden() -> None:
    reviews = [reviewed(number, changed=number % 2 == 0) for number in range(120)]
    groups = {f"P-{number:016x}": "a" if number < 90 else "b" for number in range(117)}
    rows = {row["group"]: row for row in changed_minds(reviews, groups).to_pylist()}
    # a: 90 with 45 changed; b: 27 with 13; three in no group, of whom 1 changed (118)
    assert (rows["a"]["concluded"], rows["a"]["changed"]) == (90, 45)
    assert (rows["unknown"]["concluded"], rows["unknown"]["share"], rows["unknown"]["disclosure"]) == (
        None,
        None,
        "suppressed",
    )
    assert rows["all"]["concluded"] == 120


def test_no_reviews_at_all() -> None:
    (row,) = changed_minds([]).to_pylist()
    assert (row["concluded"], row["share"], row["low"]) == (0, None, None)
    assert formality([open_only(1)]) == Formality(0, None, None, None, None, 1)
    assert formality([open_only(1)]).sentences == ("1 opened score never came to a conclusion.",)


def test_signs_of_a_formality() -> None:
    reviews = [reviewed(number, changed=False, seconds=5, words="Agree with the score") for number in range(15)]
    reviews += [reviewed(number, changed=False, seconds=600) for number in range(15, 20)]
    found = formality(reviews)
    assert found == Formality(20, 1.0, 5.0, 0.75, 0.75, 0)
    assert found.sentences == (
        "No conclusion of 20 differs from the judgement before the score.",
        "75 % of conclusions came within 30 seconds of opening the score.",
        "75 % of reasons repeat another one word for word.",
    )


def test_reviews_in_good_order_give_no_sign() -> None:
    reviews = [reviewed(number, changed=number % 3 == 0, seconds=200 + number) for number in range(30)]
    found = formality(reviews)
    assert found.unchanged == pytest.approx(20 / 30)
    assert found.sentences == ()
