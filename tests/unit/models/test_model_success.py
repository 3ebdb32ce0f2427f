"""The success bar: what can be written, and met / not met / cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import DeclarationError
from riskmodel.models.success import SuccessBar

AREAS = {"met": (0.80, 0.76, 0.84), "cannot tell": (0.71, 0.68, 0.74), "not met": (0.60, 0.55, 0.65)}


@pytest.mark.parametrize("verdict", AREAS)
def test_a_level_is_held_against_the_whole_interval(verdict):
    bar = SuccessBar.parse("auroc >= 0.70")
    (found,) = bar.judged(lambda _: AREAS[verdict], lambda *_: AREAS[verdict])
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("text", "lead", "verdict"),
    [
        ("auroc beats best_count", (0.03, 0.01, 0.05), "met"),
        ("auroc beats best_count", (0.03, 0.0, 0.05), "cannot tell"),
        ("auroc beats best_count", (-0.03, -0.05, -0.01), "not met"),
        ("auroc beats best_count by 0.02", (0.03, 0.01, 0.05), "cannot tell"),
        ("auroc at least .02 above best_count", (0.04, 0.02, 0.06), "met"),
        ("auroc at least .02 above best_count", (0.01, 0.0, 0.019), "not met"),
        ("brier beats logistic", (-0.01, -0.02, -0.001), "met"),
        ("brier beats logistic by 0.005", (-0.01, -0.02, -0.001), "cannot tell"),
        ("missed_per_100@5% beats logistic", (3.0, 1.0, 5.0), "not met"),
    ],
)
def test_a_lead_is_held_against_the_interval_of_the_difference(text, lead, verdict):
    bar = SuccessBar.parse(text)
    (found,) = bar.judged(lambda _: (np.nan,) * 3, lambda *_: lead)
    assert found.verdict == verdict
    assert (found.value, found.low, found.high) == lead


def test_several_conditions_and_words_for_people():
    bar = SuccessBar.parse("auroc >= 0.7 and brier <= 0.1 and the board is content")
    own = {"auroc": (0.8, 0.75, 0.85), "brier": (0.2, 0.18, 0.22)}
    found = bar.judged(own.__getitem__, lambda *_: (0,) * 3)
    assert [finding.verdict for finding in found] == ["met", "not met", "for people to judge"]


def test_no_value_is_no_verdict():
    (found,) = SuccessBar.parse("auroc >= 0.7").judged(lambda _: (np.nan,) * 3, lambda *_: (np.nan,) * 3)
    assert found.verdict == "cannot tell"
    assert found.value is None


def test_words_that_the_evaluation_will_not_have_are_refused_before_the_fit():
    bar = SuccessBar.parse("auc beats best_count")
    with pytest.raises(DeclarationError, match="'auc'"):
        bar.must_be_about(("auroc",), ("best_count",))
    with pytest.raises(DeclarationError, match="no comparator"):
        SuccessBar.parse("auroc beats best_count").must_be_about(("auroc",), ())


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text):
    SuccessBar.parse(text)
