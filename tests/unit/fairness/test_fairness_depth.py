"""Curves, slopes, ranking across groups, empirical-Bayes estimates and tipping points, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.figures import Rules
from riskmodel.fairness.label_bias import TippingPoint, figure_if_recorded, tipping_points
from riskmodel.fairness.shrinkage import shrunken
from riskmodel.models.metrics import auroc, calibration_slope
from riskmodel.seeds import stream

QUICK = Rules(replicates=100)


def two_groups(people=3000, seed=5):
    generator = stream(seed, "depth")
    group = np.where(generator.random(people) < 0.3, "b", "a")
    score = generator.beta(2, 8, people)
    # In b the outcome comes half as often as the score says.
    outcome = (generator.random(people) < score * np.where(group == "b", 0.5, 1.0)).astype(float)
    return score, outcome, group


def rows(table, **where):
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in where.items())]


def test_curves_compare_groups_in_bands_cut_over_everybody():
    score, outcome, group = two_groups()
    made = audit_scores(score, outcome, {"g": group}, rules=QUICK)
    one, other = rows(made.curves, group="a"), rows(made.curves, group="b")
    assert [row["band"] for row in one] == [row["band"] for row in other] == list(range(1, 11))
    for row in one + other:
        inside = (group == row["group"]) & (score >= row["from_score"]) & (score <= row["until_score"])
        assert row["n"] == inside.sum()
        assert row["positives"] == outcome[inside].sum()
        assert row["predicted"] == pytest.approx(score[inside].mean())
        if row["state"] != "not_estimable":
            assert row["observed"] == pytest.approx(outcome[inside].mean())
            assert row["low"] <= row["observed"] <= row["high"]
    assert one[-1]["low"] < one[-1]["predicted"] < one[-1]["high"]
    assert other[-1]["high"] < other[-1]["predicted"]


def test_a_band_with_few_people_has_no_share():
    score = np.r_[np.linspace(0.05, 0.4, 200), [0.5] * 3]
    group = ["a"] * 200 + ["b"] * 3
    made = audit_scores(score, [0, 1] * 101 + [1], {"g": group}, rules=QUICK)
    (few,) = rows(made.curves, group="b")
    assert (few["state"], few["observed"], few["low"], few["n"]) == ("not_estimable", None, None, 3)


def test_slopes_are_those_of_a_logistic_recalibration():
    score, outcome, group = two_groups()
    made = audit_scores(score, outcome, {"g": group}, rules=QUICK)
    for name in "ab":
        (row,) = rows(made.slopes, group=name)
        own = group == name
        assert row["value"] == pytest.approx(calibration_slope(outcome[own], score[own]))
        assert row["low"] < row["value"] < row["high"]
    five = audit_scores(*(np.repeat(part, 5) for part in (score, outcome)), {"g": np.repeat(group, 5)},
                        people=np.repeat(np.arange(3000), 5), rules=QUICK)  # fmt: skip
    (once,), (often,) = rows(made.slopes, group="a"), rows(five.slopes, group="a")
    assert often["high"] == pytest.approx(once["high"], rel=1e-3)  # the same rows again tell nothing new


def test_no_calibration_of_what_is_no_probability():
    score, outcome, group = two_groups(300)
    made = audit_scores(score * 10, outcome, {"g": group}, probabilities=False, rules=QUICK)
    assert made.curves.num_rows == made.slopes.num_rows == 0
    assert made.crossed.num_rows == 4


def test_ranking_across_groups_by_hand():
    score, outcome, group = two_groups()
    made = audit_scores(score, outcome, {"g": group}, rules=QUICK)
    for one in "ab":
        for other in "ab":
            (row,) = rows(made.crossed, with_outcome=one, without_outcome=other)
            kept = ((group == one) & (outcome == 1)) | ((group == other) & (outcome == 0))
            assert row["value"] == pytest.approx(auroc(outcome[kept], score[kept]))
            assert row["low"] < row["value"] < row["high"]
        (own,) = rows(made.crossed, with_outcome=one, without_outcome=one)
        figure = made.figure("g", one, "auroc")
        assert own["value"] == pytest.approx(figure["value"])
        assert own["high"] == pytest.approx(figure["high"], abs=0.006)  # the bootstrap's error against the formula's


def test_ranking_across_groups_needs_both_sides():
    made = audit_scores([0.2, 0.8] * 30 + [0.5] * 4, [0, 1] * 30 + [0] * 4, {"g": ["a"] * 60 + ["b"] * 4}, rules=QUICK)
    states = {(row["with_outcome"], row["without_outcome"]): row["state"] for row in made.crossed.to_pylist()}
    assert states == {
        ("a", "a"): "ok",
        ("a", "b"): "not_estimable",
        ("b", "a"): "not_estimable",
        ("b", "b"): "not_estimable",
    }


def test_shrunken_figures_by_hand():
    # Equal noise v = .01 and spread .1, so v + spread^2 = .02; k = 5: each is moved (5 - 3) / (5 - 1) x .5 = .25.
    value = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    made = shrunken(value, np.full(5, 0.01), 0.1, 0.95)
    np.testing.assert_allclose(made.value, value + 0.25 * (0.3 - value))
    np.testing.assert_allclose(made.kept, 0.75)
    # Variance .01 x (1 - .8 x .25) + 2 / 2 x .25^2 x (distance)^2.
    half = 1.959964 * np.sqrt(0.01 * 0.8 + 0.0625 * (value - 0.3) ** 2)
    np.testing.assert_allclose(made.high - made.value, half, rtol=1e-6)
    assert shrunken(value[:3], np.full(3, 0.01), 0.1, 0.95) is None
    np.testing.assert_allclose(shrunken(value, np.full(5, 0.01), 0.0, 0.95).value, 0.3)  # alike: all the same


def test_estimates_are_only_of_groups_that_can_be_estimated():
    generator = stream(8, "estimates")
    group = np.r_[generator.choice(list("abcdef"), 3000), ["tiny"] * 4]
    score = generator.random(3004)
    made = audit_scores(score, generator.random(3004) < score, {"g": group}, capacity=0.2, rules=QUICK)
    assert {row["group"] for row in made.estimates.to_pylist()} == set("abcdef")
    for row in rows(made.estimates, metric="tpr"):
        figure = made.figure("g", row["group"], "tpr")
        assert 0 <= row["kept"] <= 1
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["high"] - row["low"] <= figure["high"] - figure["low"] + 0.02


def test_tipping_points_have_the_ratio_of_the_figures():
    score, outcome, group = two_groups()
    made = audit_scores(score, outcome, {"g": group}, capacity=0.3, rules=QUICK)
    ratio = made.figure("g", "b", "ppv")["value"] / made.figure("g", "a", "ppv")["value"]
    points = tipping_points(made, "g", "ppv", recorded=(1.0, 0.8))
    assert [point.reference_recorded for point in points] == [1.0, 0.8]
    assert points[0].group_recorded == pytest.approx(ratio)
    assert points[1].group_recorded == pytest.approx(0.8 * ratio)
    assert points[0].low < points[0].group_recorded < points[0].high
    assert points[0].sentence.startswith("G: the gap in positive predictive value between b and a vanishes if of 100")


def test_a_false_positive_rate_tips_where_the_hidden_outcomes_make_it_equal():
    score, outcome, group = two_groups()
    made = audit_scores(score, outcome, {"g": group}, capacity=0.3, rules=QUICK)
    (point,) = tipping_points(made, "g", "fpr", recorded=(0.9,))
    rates = []
    for name, share in (("a", 0.9), ("b", point.group_recorded)):
        own, found = made.figure("g", name, "fpr"), made.figure("g", name, "tpr")
        sums = own["numerator"], own["denominator"], found["denominator"], found["numerator"]
        rates.append(figure_if_recorded("fpr", *sums, share))
    assert rates[0] == pytest.approx(rates[1])


def test_where_more_than_everything_would_have_to_be_recorded_that_is_said():
    point = TippingPoint("g", "ppv", "b", "a", 1.0, None, None, None)
    assert "vanishes at no recording in b" in point.sentence


def test_the_share_found_does_not_tip():
    score, outcome, group = two_groups(300)
    made = audit_scores(score, outcome, {"g": group}, capacity=0.3, rules=QUICK)
    with pytest.raises(DeclarationError):
        tipping_points(made, "g", "tpr")
    with pytest.raises(DeclarationError):
        tipping_points(made, "g", "ppv", recorded=(0.0,))
