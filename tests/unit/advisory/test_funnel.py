"""From a list to what was put forward, by hand; minds changed by experience and by fifth of the list."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from riskmodel.advisory.funnel import STAGES, fifths, funnel
from riskmodel.advisory.oversight import changed_minds
from riskmodel.advisory.review import Judgement, Review

AT = "2026-05-04T09:{:02d}:00+00:00"


def review(number: int, stage: int, *, choice: str = "offer", minute: int = 10, role: str = "worker") -> Review:
    """A review of person `number`: 1 judged, 2 looked at, 3 concluded."""
    return Review(
        "f" * 64,
        f"P-{number:016x}",
        role,
        Judgement("offer", "known", "seen at home"),
        AT.format(0),
        AT.format(1) if stage > 1 else None,
        Judgement(choice, "known", "as I saw it") if stage > 2 else None,
        AT.format(minute) if stage > 2 else None,
    )


def people(first: int, last: int) -> list[str]:
    return [f"P-{number:016x}" for number in range(first, last)]


def test_the_stages_by_hand() -> None:
    # 100 on the list: 80 judged, of whom 60 looked at, of whom 40 concluded, of whom 20 put forward.
    reviews = [review(n, 1) for n in range(80)] + [review(n, 2) for n in range(60)]
    reviews += [review(n, 3, choice="offer" if n < 20 else "none") for n in range(40)]
    reviews += [review(500, 3)]  # not on this list
    (row,) = funnel(people(0, 100), reviews, put_forward={"offer"}).to_pylist()
    assert [row[stage] for stage in STAGES] == [100, 80, 60, 40, 20]


def test_the_newest_conclusion_counts_and_a_person_counts_once() -> None:
    first = [review(n, 3, choice="offer", minute=10) for n in range(40)]
    second = [review(n, 3, choice="none", minute=20) for n in range(20)]
    (row,) = funnel(people(0, 60), [*second, *first], put_forward={"offer"}).to_pylist()
    assert (row["concluded"], row["put_forward"]) == (40, 20)


def test_small_counts_at_any_stage_are_hidden_with_what_would_give_them_away() -> None:
    groups = {name: "a" if at < 60 else "b" for at, name in enumerate(people(0, 120))}
    reviews = [review(n, 3, choice="none" if n == 0 else "offer") for n in range(60)]
    reviews += [review(n, 3, choice="none" if n < 90 else "offer") for n in range(60, 120)]
    rows = {row["group"]: row for row in funnel(people(0, 120), reviews, groups, put_forward={"offer"}).to_pylist()}
    # a: one of 60 was not put forward, so its 59 is not shown; nor then b's 30, for the total of 89 is.
    assert rows["a"]["put_forward"] is None
    assert rows["b"]["put_forward"] is None or rows["all"]["put_forward"] is None
    assert rows["b"]["on_list"] == 60


def test_minds_changed_by_the_experience_of_reviewers() -> None:
    reviews = [review(n, 3, choice="none" if n < 10 else "offer", role="new") for n in range(50)]
    reviews += [review(n, 3, choice="none" if n < 90 else "offer", role="senior") for n in range(50, 110)]
    by = {"new": "under 2 years", "senior": "2 years or more"}
    rows = {row["group"]: row for row in changed_minds(reviews, by=by).to_pylist()}
    assert (rows["under 2 years"]["concluded"], rows["under 2 years"]["changed"]) == (50, 10)
    assert (rows["2 years or more"]["concluded"], rows["2 years or more"]["changed"]) == (60, 40)


def test_fifths_of_a_list(scored: Any) -> None:
    bands = fifths(scored)
    assert set(bands) == set(scored.pseudonyms)
    probability = {band: [] for band in bands.values()}
    for pseudonym, band in bands.items():
        probability[band].append(scored.person(pseudonym).probability)
    order = ["lowest fifth", "second fifth", "third fifth", "fourth fifth", "highest fifth"]
    assert all(max(probability[low]) < min(probability[high]) for low, high in pairwise(order))
    assert np.ptp([len(each) for each in probability.values()]) <= 20  # 160 people; equal probabilities stay together
