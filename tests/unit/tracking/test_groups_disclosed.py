"""The audit by group as it may be shown: whatever is hidden cannot be worked out again from what is not."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from riskmodel.cards.disclosed import gives_away, is_small
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.seeds import stream
from riskmodel.tracking import groups

SEXES, PLACES = ("female", "male"), ("north", "south", "east")
COUNTS = {"tpr": ("yes",), "fpr": ("no",), "ppv": ("listed",), "selection_rate": ("rows",)}


def audits(seed: int) -> dict[float | None, Audit]:
    """A small town in which some crossed groups are tiny."""
    draw, n = stream(seed, "groups disclosed"), 700
    sex = draw.choice(SEXES, n, p=[0.3, 0.7])
    place = draw.choice(PLACES, n, p=[0.6, 0.33, 0.07])
    score = np.round(draw.random(n), 6)
    outcome = (draw.random(n) < 0.1 + 0.3 * score).astype(float)
    held = {"sex": sex, "place": place}
    by = ["sex", "place", ("sex", "place")]
    return {length: audit_scores(score, outcome, held, by=by, capacity=length) for length in (0.05, 0.1, 0.3)}


def figures(document: Mapping[str, Any], length: float) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    return {
        (row["attribute"], row["group"], row["metric"]): row for row in document["rows"] if row["capacity"] == length
    }


@pytest.mark.parametrize("seed", range(4))
def test_nothing_hidden_is_what_is_left_of_the_rest(seed: int) -> None:
    made = audits(seed)
    document = groups.of_audits(made, 0.1)
    hidden = 0
    last: dict[tuple[str, str, str], float] = {}
    for length, held in made.items():
        shown = figures(document, length)
        exact = {(row["attribute"], row["group"], row["metric"]): row for row in held.table.to_pylist()}
        seen = {key for key, row in shown.items() if row["value"] is not None and key[2] in COUNTS}
        for key in seen:  # nothing small is shown, and no step from a shorter list that is shown
            row = exact[key]
            assert not gives_away(row["numerator"], row["denominator"]), key
            assert key not in last or not is_small(abs(row["numerator"] - last[key])), key
        last |= {key: exact[key]["numerator"] for key in seen}
        for metric in COUNTS:  # attack: all people less the groups that are shown; a group less its shown parts
            wholes = [[("sex", one, metric) for one in SEXES], [("place", one, metric) for one in PLACES]]
            wholes += [
                [("sex", sex, metric), *(("sex, place", f"{sex}, {one}", metric) for one in PLACES)] for sex in SEXES
            ]
            wholes += [
                [("place", one, metric), *(("sex, place", f"{sex}, {one}", metric) for sex in SEXES)] for one in PLACES
            ]
            for whole in wholes:
                left = [key for key in whole if key in shown and shown[key]["people"] != 0 and key not in seen]
                assert len(left) != 1, left
                hidden += len(left)
        for attribute, group in {key[:2] for key in shown}:  # attack: any two figures of a list give the others
            of_list = [(attribute, group, metric) for metric in COUNTS]
            if any(shown[key]["state"] == "suppressed" for key in of_list):
                assert len(seen & set(of_list)) <= 1, (attribute, group)
    assert hidden > 10  # there was something to find


def test_large_groups_lose_nothing() -> None:
    draw, n = stream(1, "large groups"), 20_000
    score = draw.random(n)
    outcome = (draw.random(n) < 0.3 * score).astype(float)
    held = {"sex": draw.choice(SEXES, n), "place": draw.choice(PLACES, n)}
    made = audit_scores(score, outcome, held, by=["sex", ("sex", "place")], capacity=0.1)
    rows = groups.of_audits({0.1: made}, 0.1)["rows"]
    assert {row["state"] for row in rows} <= {"ok", "imprecise"}
    assert {(row["group"], row["metric"]) for row in rows} == {
        (group, metric)
        for group, metric in product([*SEXES, *(f"{a}, {b}" for a in SEXES for b in PLACES)], groups.METRICS)
    }
