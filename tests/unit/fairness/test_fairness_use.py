"""Any model's scores: the arguments of MetricFrame, its shape of figures, the notebook's view, plots and spreads."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import DataRefused, NotFound
from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.capacity import attention
from riskmodel.fairness.metric_frame import audit_predictions
from riskmodel.fairness.plots import distribution_plot
from riskmodel.fairness.rules import Rules
from riskmodel.fairness.scores_by_group import scores_by_group
from riskmodel.seeds import stream

QUICK = Rules(replicates=100)


@pytest.fixture(scope="module")
def people():
    generator = stream(11, "use")
    n = 1200
    score = generator.beta(2, 5, n)
    return pd.DataFrame(
        {
            "sex": generator.choice(["f", "m"], n),
            "area": generator.choice(["n", "s"], n),
            "age": generator.choice(["young", "old"], n),
            "score": score,
            "outcome": (generator.random(n) < score).astype(int),
            "listed": (score > 0.35).astype(int),
        }
    )


def test_the_arguments_and_the_figures_of_metric_frame(people):
    given = {
        "y_true": people["outcome"],
        "y_pred": people["listed"],
        "sensitive_features": people[["sex", "area"]],
        "control_features": people["age"],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics
        from sklearn.metrics import accuracy_score, precision_score, recall_score

        figures = {
            "selection_rate": metrics.selection_rate,
            "recall_score": recall_score,
            "false_positive_rate": metrics.false_positive_rate,
            "true_negative_rate": metrics.true_negative_rate,
            "precision_score": precision_score,
            "accuracy_score": accuracy_score,
        }
        theirs = metrics.MetricFrame(metrics=figures, **given).by_group
    ours = audit_predictions(**given, rules=QUICK).by_group(*figures, attribute="age, sex, area")
    assert list(ours.index.names) == ["age", "sex", "area"]
    assert list(ours.columns) == list(theirs.columns)
    assert np.abs(ours - theirs.loc[ours.index]).to_numpy().max() < 1e-12


def test_names_of_features_given_in_any_shape(people):
    y = {"y_true": people["outcome"], "y_pred": people["listed"], "rules": QUICK}
    shapes = {
        "sex": people["sex"],
        "sensitive_feature_0": people["sex"].to_numpy(),
        "who": {"who": people["sex"]},
        "sensitive_feature_1": people[["area", "sex"]].to_numpy(),
    }
    for name, given in shapes.items():
        assert name in audit_predictions(**y, sensitive_features=given).settings["by"]


def test_what_an_audit_cannot_honour_is_refused(people):
    y = {"y_true": people["outcome"], "sensitive_features": people["sex"]}
    with pytest.raises(DataRefused):
        audit_predictions(**y)
    for params in ({"sample_weight": people["score"]}, {"recall": {"sample_weight": people["score"]}}):
        with pytest.raises(DataRefused):
            audit_predictions(**y, y_pred=people["listed"], sample_params=params)
    ones = {"sample_weight": np.ones(len(people))}
    made = audit_predictions(**y, y_pred=people["listed"], y_score=people["score"], sample_params=ones, rules=QUICK)
    assert {"tpr", "auroc", "brier"} <= set(made.table["metric"].to_pylist())
    with pytest.raises(NotFound):
        made.by_group("lift")
    with pytest.raises(NotFound):
        made.plot("tpr", "street")


def test_a_group_that_cannot_be_estimated_is_missing_and_not_zero(people):
    four = pd.concat([people, people.head(4).assign(sex="x", outcome=0, listed=0)])
    made = audit_predictions(y_true=four["outcome"], y_pred=four["listed"], sensitive_features=four["sex"], rules=QUICK)
    table = made.by_group("recall_score", "false_positive_rate")
    assert table.loc["x"].isna().all()
    assert table.drop("x").notna().all().all()


def test_a_notebook_shows_findings_first_then_figures_and_never_a_script(people):
    made = audit_scores(people["score"], people["outcome"], people[["sex"]], capacity=0.2, rules=QUICK)
    shown = made._repr_html_()
    assert shown.index("No difference between groups was shown") < shown.index("<table") < shown.index("Method")
    assert "By sex" in shown
    assert "<script" not in shown
    awkward = people["sex"].replace("f", "<b>f&")
    shown = audit_scores(people["score"], people["outcome"], {"sex": awkward}, rules=QUICK)._repr_html_()
    assert "&lt;b&gt;f&amp;" in shown
    assert "<b>f&" not in shown


def test_a_plot_has_its_numbers_and_says_them(people):
    four = pd.concat([people, people.head(4).assign(sex="x", outcome=0)])
    made = audit_scores(four["score"], four["outcome"], four[["sex"]], capacity=0.2, rules=QUICK)
    plot = made.plot("tpr")
    assert plot.alt.startswith("Share found by sex: f 0.")
    assert "x not estimable" in plot.alt
    assert plot.table["group"].to_list() == ["f", "m", "x"]
    assert "<img alt=" in plot._repr_html_()


def test_scores_by_group_by_hand(people):
    made = scores_by_group([0.1, 0.2, 0.3, 0.4] * 10, {"g": ["a", "a", "b", "b"] * 10}).set_index("group")
    assert made.loc["a", "mean"] == pytest.approx(0.15)
    assert (made.loc["a", "above"], made.loc["b", "above"]) == (0.5, 1.0)
    few = scores_by_group([0.1, 0.2, 0.3, 0.4] * 10, {"g": ["a"] * 37 + ["b"] * 3}).set_index("group")
    assert few.loc["b", "state"] == "not_estimable"
    assert np.isnan(few.loc["b", "p50"])
    plot = distribution_plot(scores_by_group(people["score"], people[["sex"]]), "sex")
    assert "f median 0." in plot.alt


def test_attention_falls_with_the_place_and_ties_share_it():
    scores = np.array([0.2, 0.9, 0.5, 0.5])
    # Places 1 to 3: 1, 1 / log2 3 = .6309, 1 / log2 4 = .5; the tied two share the mean of the last two.
    assert attention(scores, 3) == pytest.approx([0, 1, 0.5655, 0.5655], abs=1e-4)
    # Half a place at the end: 1 and half of .6309, shared by two.
    assert attention(scores, 1.5) == pytest.approx([0, 1, 0.1577, 0.1577], abs=1e-4)


def test_a_list_made_elsewhere_with_chances(people):
    chance = np.where(people["sex"] == "f", 0.25, 0.5)
    made = audit_scores(people["score"], people["outcome"], people[["sex"]], listed=chance, rules=QUICK)
    assert made.figure("sex", "f", "selection_rate")["value"] == pytest.approx(0.25)
    assert made.figure("sex", "m", "tpr")["value"] == pytest.approx(0.5)
    for wrong in ({"listed": chance * 3}, {"listed": chance, "capacity": 0.2}):
        with pytest.raises(DataRefused):
            audit_scores(people["score"], people["outcome"], people[["sex"]], rules=QUICK, **wrong)
