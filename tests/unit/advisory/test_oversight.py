"""Changed minds by group, through disclosure control, and signs of a formality. Counts worked by hand."""

from __future__ import annotations

import pytest

from riskmodel.advisory.narrowing import _difference_interval, gap_with_and_without_people
from riskmodel.advisory.oversight import Formality, changed_minds, formality
from riskmodel.advisory.review import Judgement, Review
from riskmodel.errors import DataRefused
from riskmodel.seeds import stream

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


def test_a_planted_narrowing_of_the_gap_is_found() -> None:
    """The shape of the Allegheny finding: 20 points apart on the list, 9 once people had judged."""
    rng = stream(11, "gap")
    groups, on_list, reviews = {}, set(), []
    for number in range(8000):
        first = number % 2 == 0
        listed = rng.random() < (0.50 if first else 0.30)
        # people put forward 80 % and 84.33 % of those listed, and 10 % and 15.29 % of the others
        goes = rng.random() < ((0.80, 0.10) if first else (0.8433, 0.1529))[0 if listed else 1]
        pseudonym = f"P-{number:016x}"
        groups[pseudonym] = "first" if first else "second"
        on_list |= {pseudonym} if listed else set()
        reviews.append(reviewed(number, changed=not goes))
    # first: .5 * .8 + .5 * .1 = .45; second: .3 * .8433 + .7 * .1529 = .36
    gap = gap_with_and_without_people(reviews, groups, ("first", "second"), on_list=on_list, put_forward={"offer"})
    assert gap.by_list_interval[0] < 0.20 < gap.by_list_interval[1]
    assert gap.by_people_interval[0] < 0.09 < gap.by_people_interval[1]
    assert gap.narrowed == pytest.approx(0.11, abs=0.03)
    assert gap.people == (4000, 4000)


def test_the_interval_of_a_difference_is_that_of_newcombe() -> None:
    # Newcombe (1998), table II (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339
    assert _difference_interval((56, 48), (70, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_too_few_people_for_a_gap() -> None:
    reviews = [reviewed(number, changed=False) for number in range(30)]
    groups = {f"P-{number:016x}": "a" if number < 5 else "b" for number in range(30)}
    with pytest.raises(DataRefused, match="gap-too-few-people"):
        gap_with_and_without_people(reviews, groups, ("a", "b"), on_list=set(groups), put_forward={"offer"})
