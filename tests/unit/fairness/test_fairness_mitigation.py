"""Candidates side by side: what each does to the list, and the record of the choice."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.fairness.frontier import mitigation_frontier
from riskmodel.fairness.mitigate import mitigation_candidates
from riskmodel.fairness.recalibration import ByGroup, Multicalibrated
from riskmodel.fairness.rules import Rules
from riskmodel.models.metrics import calibration_slope, expit, logit
from riskmodel.seeds import stream

QUICK = Rules(replicates=100)
pytestmark = pytest.mark.slow  # a constraint fits some hundred models


def society(people=1500):
    """Half of what b needs comes on record, and a proxy tells the group."""
    generator = stream(9, "mitigation")
    group = np.where(generator.random(people) < 0.35, "b", "a")
    need, other = generator.normal(size=(2, people))
    proxy = (group == "b") + 0.8 * generator.normal(size=people)
    outcome = generator.random(people) < expit(-1.3 + 1.6 * need)
    return (
        pd.DataFrame({"need": np.where(group == "a", need, 0.5 * need), "proxy": proxy, "other": other}),
        outcome.astype(float),
        group,
    )


@pytest.fixture(scope="module")
def made():
    features, outcome, group = society()
    return mitigation_candidates(
        LogisticRegression(), features, outcome, group, capacity=0.15, leave_out=[["proxy"], ["proxy", "other"]]
    )


@pytest.fixture(scope="module")
def judged(made):
    _, outcome, group = society()
    return mitigation_frontier(made, outcome, group, attribute="ethnicity", rules=QUICK)


def test_every_candidate_is_there_and_those_that_use_the_attribute_say_so(made):
    assert {one.name: one.advice for one in made} == {
        "as it is": "",
        "reweighted": "",
        "without proxy": "",
        "without proxy, other": "",
        "constrained in tpr": "",
        "calibrated in each group": "legal advice first",
        "multicalibrated": "legal advice first",
        "same share found": "legal advice first",
        "levelled up": "legal advice first",
    }


def test_lists_are_as_long_as_they_may_be_and_levelling_up_takes_nobody_off(made):
    by_name = {one.name: one for one in made}
    plain = by_name["as it is"].listed
    for name in (
        "as it is",
        "reweighted",
        "without proxy",
        "constrained in tpr",
        "multicalibrated",
        "same share found",
    ):
        assert by_name[name].listed.sum() == pytest.approx(225)  # .15 of 1,500
    up = by_name["levelled up"].listed
    assert (up >= plain).all()
    assert up.sum() > plain.sum()


def test_no_row_is_judged_by_what_learned_from_it():
    # Outcomes without any pattern: what had seen them would rank better than chance.
    generator = stream(1, "mitigation-null")
    features = pd.DataFrame(generator.normal(size=(600, 20)), columns=[f"x{number}" for number in range(20)])
    outcome, group = generator.integers(0, 2, 600).astype(float), np.where(generator.random(600) < 0.5, "a", "b")
    for one in mitigation_candidates(LogisticRegression(C=1e6), features, outcome, group, constraints=()):
        won = (one.scores[outcome == 1][:, None] > one.scores[outcome == 0]).mean()
        assert won == pytest.approx(0.5, abs=0.07), one.name


def test_the_gap_in_the_share_found_shrinks_where_it_is_asked_to(judged):
    table = judged.table.set_index(["candidate", "figure", "group"])
    gap = {name: table.loc[(name, "gap in tpr", "b"), "value"] for name in judged.names}
    assert gap["as it is"] < -0.1
    for name in ("same share found", "levelled up"):
        assert abs(gap[name]) < 0.5 * abs(gap["as it is"]), name
        assert table.loc[(name, "gap in tpr", "b"), "high"] > 0
    assert table.loc[("levelled up", "no longer listed", "everybody"), "value"] == 0
    assert table.loc[("as it is", "newly listed", "everybody"), "value"] == 0
    moved = table.loc[("same share found", "no longer listed", "everybody")]
    assert 0 < moved["low"] < moved["value"] < moved["high"]
    # The constraint's scores are an order and no probabilities.
    assert ("constrained in tpr", "brier", "everybody") not in table.index
    assert ("reweighted", "brier", "everybody") in table.index


def test_the_plot_says_in_words_what_it_draws(judged):
    plot = judged.plot()
    assert set(plot.table["candidate"]) == set(judged.names)
    for name in judged.names:
        assert f"{name} finds" in plot.alt
    shown = plot._repr_html_()
    assert 'alt="Candidates by their largest gap in the share found by ethnicity' in shown
    assert "The numbers drawn" in shown


def test_the_choice_is_recorded_with_who_when_and_why(judged):
    record = judged.chosen("reweighted", by="Ethics board", on=date(2026, 3, 4), why="Least cost for half of the gap.")
    assert record.document() == {
        "frontier": judged.fingerprint,
        "considered": list(judged.names),
        "chosen": "reweighted",
        "by": "Ethics board",
        "on": "2026-03-04",
        "why": "Least cost for half of the gap.",
        "advice": "",
        "legal_advice": "",
    }
    with pytest.raises(DeclarationError) as refused:
        judged.chosen("levelled up", by="", on=date(2026, 3, 4), why="Because.")
    assert len(refused.value.faults) == 3  # nobody, no reason, no legal advice
    advised = judged.chosen(
        "levelled up", by="Ethics board", on=date(2026, 3, 4), why="Nobody is worse off.", legal_advice="Memo 12"
    )
    assert advised.fingerprint != record.fingerprint
    with pytest.raises(DataRefused):
        judged.chosen("another", by="Ethics board", on=date(2026, 3, 4), why="It was not looked at.")


def test_a_line_in_each_group_undoes_what_was_done_to_it():
    generator = stream(2, "lines")
    truth = generator.beta(2, 5, 8000)
    codes = (np.arange(8000) % 3).astype(np.int32)
    outcome = (generator.random(8000) < truth).astype(float)
    told = np.where(codes == 1, expit(0.7 + 0.5 * logit(truth)), truth)
    codes[:6] = 2
    right = ByGroup.fit(told, outcome, codes, 4, least=10)
    assert right.lines[1] == pytest.approx([-1.4, 2.0], abs=0.35)  # the inverse of .7 + .5 x
    assert right.lines[3].tolist() == [0.0, 1.0]  # nobody
    scores = right.scores(told, codes)
    assert calibration_slope(outcome[codes == 1], scores[codes == 1]) == pytest.approx(1.0)


def test_multicalibration_patches_the_group_and_band_that_are_wrong_and_no_other():
    generator = stream(3, "patches")
    score = generator.uniform(0.05, 0.6, 20_000)
    member = np.stack([np.arange(20_000) % 2 == 0, np.arange(20_000) % 5 == 0, np.ones(20_000, bool)], axis=1)
    wrong = member[:, 0] & member[:, 1] & (score > 0.3)
    outcome = (generator.random(20_000) < np.where(wrong, score + 0.3, score)).astype(float)
    made = Multicalibrated.fit(score, outcome, member)
    after = made.scores(score, member)
    assert made.patches
    for group in range(3):
        own = member[:, group] & (score > 0.3)
        before = abs((outcome - score)[own].mean())
        assert abs((outcome - after)[own].mean()) < 0.5 * before
    assert Multicalibrated.fit(score, (generator.random(20_000) < score).astype(float), member).patches == ()


def test_what_means_nothing_is_refused(made):
    features, outcome, group = society(100)
    with pytest.raises(DataRefused):
        mitigation_candidates(LogisticRegression(), features, outcome, group, leave_out=[["street"]])
    with pytest.raises(DataRefused):
        mitigation_frontier(made[1:], outcome, group)
