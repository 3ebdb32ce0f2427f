"""Bounds over who the people of unknown group may be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from riskmodel.errors import NotFound
from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.figures import Rules
from riskmodel.fairness.missing_groups import bounds_if_unknown

QUICK = Rules(replicates=50)


def audited(unknown):
    """a: 12 of 20 with the outcome were chosen; b: 6 of 20; then the unknown, chosen or not, all with the outcome."""
    group = ["a"] * 20 + ["b"] * 20 + [None] * len(unknown)
    chosen = [1] * 12 + [0] * 8 + [1] * 6 + [0] * 14 + unknown
    return audit_scores(
        np.linspace(0.1, 0.9, len(group)), [1] * len(group), {"g": group}, decisions=chosen,
        rules=Rules(replicates=50, reference={"g": "a"}),
    )  # fmt: skip


def test_bounds_are_those_of_every_way_to_assign_the_unknown():
    unknown = [1, 1, 0, 0, 0]
    made = {one.group: one for one in bounds_if_unknown(audited(unknown), "g")}
    rates, gaps = {"a": [], "b": []}, []
    for to in itertools.product("ab", repeat=5):
        own = {g: [c for c, t in zip(unknown, to, strict=True) if t == g] for g in "ab"}
        rate = {g: (found + sum(own[g])) / (20 + len(own[g])) for g, found in (("a", 12), ("b", 6))}
        gaps.append(rate["b"] - rate["a"])
        for g in "ab":
            rates[g].append(rate[g])
    for g in "ab":
        # A third group may have any of them, so a group need not get all or none: the ends are over subsets.
        assert made[g].lowest <= min(rates[g]) + 1e-12
        assert made[g].highest >= max(rates[g]) - 1e-12
    assert made["a"].highest == pytest.approx(14 / 22)
    assert made["a"].lowest == pytest.approx(12 / 23)
    assert made["b"].gap == pytest.approx(6 / 20 - 12 / 20)
    assert made["b"].gap_lowest == pytest.approx(min(gaps))
    assert made["b"].gap_highest == pytest.approx(max(gaps))
    assert made["b"].sign_is_known
    assert made["a"].gap is made["a"].sign_is_known is None
    assert made["a"].unknown_share == pytest.approx(5 / 45)


def test_with_many_unknown_nobody_can_say_which_group_does_better():
    (_, b) = bounds_if_unknown(audited([1] * 40 + [0] * 40), "g")
    assert b.gap_lowest < 0 < b.gap_highest
    assert not b.sign_is_known


def test_with_nobody_unknown_the_bounds_are_the_figure():
    for one in bounds_if_unknown(audited([]), "g"):
        assert one.lowest == one.value == one.highest
        assert one.unknown_share == 0


def test_what_has_no_bounds_is_refused():
    made = audited([])
    for attribute, metric in (("g", "auroc"), ("h", "tpr"), ("g", "observed_expected")):
        with pytest.raises(NotFound):
            bounds_if_unknown(made, attribute, metric)


def test_missed_per_hundred_is_told_per_hundred():
    (a, _) = bounds_if_unknown(audited([1, 0]), "g", "missed_per_100")
    assert a.value == pytest.approx(40.0)
    assert a.highest == pytest.approx(100 * 9 / 21)
