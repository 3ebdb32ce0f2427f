"""The audit: figures by hand, what cannot be estimated, clusters, findings, and equality with fairlearn."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.bootstrap import BLOCKS, block_sums, drawing, in_units, replicate_sums, standard_errors
from riskmodel.fairness.estimability import Minimums
from riskmodel.fairness.figures import Rules
from riskmodel.fairness.measures import MEASURE, influences_of, value_of
from riskmodel.seeds import stream

QUICK = Rules(replicates=200)


def society(people=1500, rows=2, seed=3):
    """Scores that know the outcome a little, for people of three groups; a person's rows go together."""
    generator = stream(seed, "test-society")
    person = np.repeat(np.arange(people), rows)
    group = generator.choice(["a", "b", "c"], people, p=[0.6, 0.3, 0.1])[person]
    own = generator.normal(size=people)[person]
    score = 1 / (1 + np.exp(-(own + 0.5 * generator.normal(size=len(person)) - 1.5)))
    outcome = (generator.random(len(person)) < score).astype(float)
    return pd.DataFrame({"person": person, "g": group, "score": np.round(score, 3), "outcome": outcome})


def audited(frame, **settings):
    chosen = {"people": frame["person"], "capacity": 0.2, "rules": QUICK} | settings
    return audit_scores(frame["score"], frame["outcome"], frame[["g"]], **chosen)


def test_every_figure_by_hand():
    # a: scores .9 .8 .4 .2 with outcomes 1 0 1 0, ten times over; the list takes the upper half of all.
    scores, outcomes = [0.9, 0.8, 0.4, 0.2] * 10, [1, 0, 1, 0] * 10
    made = audit_scores(scores, outcomes, {"g": ["a"] * 40}, capacity=0.5, rules=QUICK)
    worked = {
        "base_rate": (20, 40, 0.5),
        "selection_rate": (20, 40, 0.5),
        "tpr": (10, 20, 0.5),
        "fnr": (10, 20, 0.5),
        "missed_per_100": (10, 20, 50.0),
        "fpr": (10, 20, 0.5),
        "ppv": (10, 20, 0.5),
        "npv": (10, 20, 0.5),
        "observed_expected": (20, 23, 20 / 23),  # ten times .9 + .8 + .4 + .2
        "mean_score": (23, 40, 0.575),
        "auroc": (300, 400, 0.75),  # .9 above both no, .4 above one: 3 of 4 pairs
        "brier": (10.5, 40, 0.2625),  # ten times .01 + .64 + .36 + .04
    }
    for metric, (above, below, value) in worked.items():
        figure = made.figure("g", "a", metric)
        assert figure["numerator"] == pytest.approx(above), metric
        assert figure["denominator"] == pytest.approx(below), metric
        assert figure["value"] == pytest.approx(value), metric
        assert figure["low"] < figure["value"] < figure["high"], metric


def test_unknown_outcomes_count_for_the_list_and_for_nothing_else():
    scores, outcomes = [0.9, 0.8, 0.4, 0.2] * 20, [1, 0, None, 0] * 20
    made = audit_scores(scores, outcomes, {"g": ["a"] * 80}, capacity=0.75, rules=QUICK)
    assert made.figure("g", "a", "selection_rate")["denominator"] == 80
    assert made.figure("g", "a", "base_rate")["denominator"] == 60
    assert made.figure("g", "a", "ppv")["denominator"] == 40  # the 20 unknown on the list are not judged
    assert made.settings["unknown_outcomes"] == 20


def test_a_group_of_four_without_positives_is_not_estimable_and_moves_nothing():
    frame = society()
    four = pd.DataFrame({"person": -np.arange(1, 5), "g": "d", "score": 0.01, "outcome": 0.0})
    without, with_four = audited(frame), audited(pd.concat([frame, four]), capacity=0.2)
    figure = with_four.figure("g", "d", "tpr")
    assert figure["state"] == "not_estimable"
    assert figure["value"] is figure["low"] is figure["high"] is None
    assert (figure["numerator"], figure["denominator"]) == (0.0, 0.0)
    row = next(r for r in with_four.heterogeneity.to_pylist() if r["metric"] == "tpr")
    before = next(r for r in without.heterogeneity.to_pylist() if r["metric"] == "tpr")
    assert (row["groups"], row["left_out"]) == (3, 1)
    # The four change who is at the edge of the list a little, and nothing else.
    assert row["p"] == pytest.approx(before["p"], abs=0.05)
    gaps = [r for r in with_four.disparities.to_pylist() if r["group"] == "d" and r["metric"] == "tpr"]
    assert [(gap["difference"], gap["ratio"], gap["state"]) for gap in gaps] == [(None, None, "not_estimable")]
    said = with_four.finding_list[-1]
    assert said.says == "not_estimable"
    assert "d (4 people, 0 with the outcome)" in said.sentence
    assert "not the same as no difference" in said.sentence


def test_equal_to_fairlearn_wherever_it_is_right():
    from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn.metrics import (
            MetricFrame,
            false_negative_rate,
            false_positive_rate,
            mean_prediction,
            selection_rate,
        )

        frame = society(people=700)
        decisions = (frame["score"] >= 0.3).astype(int)
        given = {"y_true": frame["outcome"], "sensitive_features": frame["g"]}
        of_decisions = {
            "selection_rate": selection_rate,
            "tpr": recall_score,
            "fnr": false_negative_rate,
            "fpr": false_positive_rate,
            "ppv": precision_score,
        }
        of_scores = {"auroc": roc_auc_score, "brier": brier_score_loss, "mean_score": mean_prediction}
        theirs = pd.concat(
            [
                MetricFrame(metrics=of_decisions, y_pred=decisions, **given).by_group,
                MetricFrame(metrics=of_scores, y_pred=frame["score"], **given).by_group,
            ],
            axis=1,
        )
        # Where it is not right: four people without a positive have the "true positive rate" 0.
        few = pd.DataFrame({"g": ["d"] * 4, "outcome": 0.0})
        wrong = MetricFrame(
            metrics=false_negative_rate, y_true=few["outcome"], y_pred=[0] * 4, sensitive_features=few["g"]
        )
        assert wrong.by_group["d"] == 0.0
    ours = audited(frame, capacity=None, decisions=decisions)
    for metric in theirs.columns:
        for group in "abc":
            assert abs(ours.figure("g", group, metric)["value"] - theirs.loc[group, metric]) < 1e-12, (metric, group)


def test_ties_at_the_edge_of_the_list_are_shared_between_groups():
    # Forty rows with one score, ten places: each row has a quarter of a place, whatever the order.
    made = audit_scores([0.5] * 40, [1, 0] * 20, {"g": ["a"] * 10 + ["b"] * 30}, capacity=10, rules=QUICK)
    assert made.figure("g", "a", "selection_rate")["numerator"] == pytest.approx(2.5)
    assert made.figure("g", "b", "selection_rate")["value"] == pytest.approx(0.25)


def test_rows_of_one_person_widen_the_interval():
    frame = society(people=400, rows=1)
    five = pd.concat([frame] * 5)  # the same row five times tells nothing new
    one = audited(frame).figure("g", "a", "base_rate")
    together, apart = audited(five), audited(five, people=None)
    width = {name: f["high"] - f["low"] for name, f in {
        "one": one,
        "together": together.figure("g", "a", "base_rate"),
        "apart": apart.figure("g", "a", "base_rate"),
    }.items()}  # fmt: skip
    assert width["together"] == pytest.approx(width["one"], rel=0.1)
    assert width["apart"] == pytest.approx(width["one"] / math.sqrt(5), rel=0.1)


def test_the_bootstrap_has_the_error_of_the_analytic_formula():
    frame = society(people=900)
    person = frame["person"].to_numpy()
    drawn = drawing(person, 900, 2000, seed=1)
    codes = np.zeros(len(frame), np.int32)
    yes = frame["outcome"].to_numpy()
    columns = [np.zeros(len(frame))] * 12
    columns[3], columns[4] = np.ones(len(frame)), yes
    blocks = block_sums(drawn, codes, 1, columns)
    error = standard_errors(value_of(MEASURE["base_rate"], replicate_sums(drawn, blocks)))
    by_hand = np.bincount(person, weights=yes - yes.mean())
    assert float(error[0]) == pytest.approx(np.sqrt((by_hand**2).sum()) / len(frame), rel=0.06)
    influence = influences_of(MEASURE["base_rate"], blocks.sum(axis=1), blocks)
    assert float((influence**2).sum()) == pytest.approx((by_hand**2).sum() / len(frame) ** 2)


def test_more_people_than_blocks_are_dealt_into_them_whole():
    person = np.repeat(np.arange(3 * BLOCKS), 2)
    drawn = drawing(person, 3 * BLOCKS, 10, seed=0)
    assert drawn.n_blocks == BLOCKS
    assert (drawn.block[::2] == drawn.block[1::2]).all()
    assert np.bincount(drawn.block).tolist() == [6] * BLOCKS


def test_sums_are_exact_in_any_order():
    generator = stream(1, "exact")
    values = generator.random(5000)
    person = generator.integers(0, 600, 5000)
    drawn = drawing(np.unique(person, return_inverse=True)[1], len(np.unique(person)), 50, seed=0)
    codes = np.zeros(5000, np.int32)
    one = replicate_sums(drawn, block_sums(drawn, codes, 1, [in_units(values)]))
    turned = drawing(np.unique(person, return_inverse=True)[1], len(np.unique(person)), 50, seed=0)
    other = np.einsum("rb,cbg->crg", turned.weights[:, ::-1], block_sums(turned, codes, 1, [in_units(values)])[:, ::-1])
    np.testing.assert_array_equal(one, other)


def test_same_input_same_audit():
    frame = society(people=300)
    assert audited(frame).fingerprint == audited(frame).fingerprint
    assert audited(frame).fingerprint != audited(frame, seed=1).fingerprint


def test_a_planted_gap_is_told_with_its_size():
    frame = society(people=4000, rows=1)
    # In group b half of the high scores are lowered: the list misses more of them.
    hidden = (frame["g"] == "b") & (frame["person"] % 2 == 0)
    frame.loc[hidden, "score"] *= 0.3
    made = audited(frame)
    told = next(f for f in made.finding_list if f.metric == "tpr")
    assert told.says == "differs"
    assert told.sentence.startswith("G: of 100 people with the outcome, the list held ")
    assert "b " in told.sentence
    assert "fewer in 100" in told.sentence
    assert "p < 0.001" in told.sentence
    row = next(r for r in made.disparities.to_pylist() if (r["group"], r["metric"]) == ("b", "tpr"))
    assert row["together_low"] <= row["low"] < row["difference"] < row["high"] <= row["together_high"] < 0
    assert row["ratio"] < row["ratio_high"] < 1


def test_words_give_no_verdict():
    text = " ".join(audited(society()).findings).lower()
    assert not any(word in text for word in ("fair", "bias", "discriminat", "equal"))
    assert "no difference between the 3 groups was shown" in text
    assert "is not ruled out" in text


def test_rows_are_assessments_when_people_have_several():
    assert "of 100 assessments" in " ".join(audited(society(people=300)).findings)
    assert "of 100 people" in " ".join(audited(society(people=300, rows=1)).findings)


def test_the_reference_is_the_largest_known_group_or_the_one_named():
    frame = society(people=300)
    frame["g"] = frame["g"].replace("a", None)  # now the largest group is "unknown"
    assert set(audited(frame).disparities["reference"].to_pylist()) == {"b"}
    named = audited(frame, rules=Rules(replicates=100, reference={"g": "c"}))
    assert set(named.disparities["reference"].to_pylist()) == {"c"}
    with pytest.raises(DeclarationError):
        audited(frame, rules=Rules(replicates=100, reference={"g": "z"}))


def test_scores_that_are_no_probabilities_have_no_calibration():
    frame = society(people=300)
    made = audit_scores(frame["score"] * 10, frame["outcome"], frame[["g"]], probabilities=False, rules=QUICK)
    metrics = set(made.table["metric"].to_pylist())
    assert {"auroc", "base_rate", "mean_score"} == metrics
    with pytest.raises(DataRefused):
        audit_scores(frame["score"] * 10, frame["outcome"], frame[["g"]], rules=QUICK)


def test_minimums_are_the_studys():
    frame = society(people=300)
    strict = audited(frame, rules=Rules(minimums=Minimums(people=100_000), replicates=100))
    assert set(strict.table["state"].to_pylist()) == {"not_estimable"}
    assert {finding.says for finding in strict.finding_list} == {"not_compared", "not_estimable"}
    with pytest.raises(DeclarationError) as refused:
        Minimums(people=1, factor=0.5)
    assert len(refused.value.faults) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"scores": [0.1, np.nan]},
        {"outcomes": [0, 2]},
        {"outcomes": [0]},
        {"groups": {"g": ["a"]}},
        {"decisions": [0, 1], "capacity": 0.5},
        {"decisions": [0, 3]},
        {"scores": []},
    ],
)
def test_input_that_means_nothing_is_refused(wrong):
    given = {"scores": [0.1, 0.2], "outcomes": [0, 1], "groups": {"g": ["a", "b"]}} | wrong
    with pytest.raises(DataRefused):
        audit_scores(given.pop("scores"), given.pop("outcomes"), given.pop("groups"), rules=QUICK, **given)


def test_an_altered_audit_is_refused(tmp_path):
    made = audited(society(people=300))
    made.save(tmp_path)
    assert Audit.load(tmp_path).fingerprint == made.fingerprint
    path = tmp_path / "audit.json"
    document = json.loads(path.read_text())
    document["table"][0]["value"] = 0.5
    path.write_text(json.dumps(document))
    with pytest.raises(EvidenceError):
        Audit.load(tmp_path)
    path.write_text("{")
    with pytest.raises(EvidenceError):
        Audit.load(tmp_path)


def test_nothing_of_a_row_is_in_a_repr():
    assert repr(audited(society(people=50))) == "Audit()"


HALF = {"g": ["a", "b"] * 30}
SCORES = np.linspace(0.01, 0.99, 60)


@pytest.mark.parametrize(
    ("scores", "outcomes", "groups"),
    [
        (SCORES, [None] * 60, HALF),
        (np.full(60, 0.5), [0, 1] * 30, HALF),
        (SCORES, [1] * 60, HALF),
        (SCORES, [0] * 60, HALF),
        (SCORES, [0, 1] * 30, {"g": ["a"] * 60}),
        (SCORES, [0, 1] * 30, {"g": [None] * 60}),
        ([0.05, 0.95] * 30, [0, 1] * 30, {"g": ["a"] * 20 + ["b"] * 40}),
        ([0.5], [1], {"g": ["a"]}),
        (SCORES, pd.Series([True, None] * 30, dtype="boolean"), HALF),
        (np.zeros(60), [0, 1] * 30, HALF),
    ],
    ids=["unknown", "constant", "all-yes", "all-no", "one-group", "no-group", "perfect", "one-row", "nullable", "zero"],
)
@pytest.mark.parametrize("capacity", [None, 0.1, 1000])
def test_the_edges_of_what_can_be_audited(scores, outcomes, groups, capacity):
    made = audit_scores(scores, outcomes, groups, capacity=capacity, rules=Rules(replicates=50))
    for row in made.table.to_pylist():
        if row["state"] == "not_estimable":
            assert row["value"] is None
        else:
            assert row["low"] <= row["value"] <= row["high"]
    assert json.loads(json.dumps(made.document(), allow_nan=False)) == made.document()


def test_text_in_place_of_scores_is_refused_without_telling_it():
    with pytest.raises(DataRefused) as refused:
        audit_scores(["Ann Example"] * 2, [0, 1], {"g": ["a", "b"]})
    assert "Ann" not in str(refused.value)
    with pytest.raises(DeclarationError):
        audit_scores([0.1, 0.2], [0, 1], {})
