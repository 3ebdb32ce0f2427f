"""Records of ethnicity in conflict, what features know of a group, and how much of a score is the street."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from riskmodel.errors import DataRefused
from riskmodel.fairness.ethnicity import audit_recorded, reconciled
from riskmodel.fairness.left_out import cost_of_leaving_out
from riskmodel.fairness.place_share import place_share
from riskmodel.fairness.proxies import proxies
from riskmodel.fairness.rules import Rules
from riskmodel.seeds import stream

QUICK = Rules(replicates=100)
SELF = ["black", "white", None, "white", "", "asian"]
OFFICER = ["white", "white", "black", "white", None, "black"]
AGENCY = [None, "white", "white", "black", float("nan"), "asian"]


def test_records_in_conflict_by_hand():
    made = reconciled({"self": SELF, "officer": OFFICER, "agency": AGENCY})
    assert made.group.tolist() == ["black", "white", "black", "white", "unknown", "asian"]
    assert made.source.tolist() == ["self", "self", "officer", "self", "none", "self"]
    assert made.conflict.tolist() == [True, False, True, True, False, True]
    assert made.agreed.tolist() == ["unknown", "white", "unknown", "unknown", "unknown", "unknown"]
    first = made.agreement.iloc[0]
    # Self and officer: four rows known to both, white = white twice. By chance: white .5 x .75 + black .25 x .25.
    assert (first["both"], first["agree"]) == (4, 0.5)
    assert first["kappa"] == pytest.approx((0.5 - 0.4375) / (1 - 0.4375))
    pairs = made.disagreement[["source", "group", "other", "other_group", "n"]].to_numpy().tolist()
    assert ["self", "black", "officer", "white", 1] in pairs
    assert ["self", "white", "agency", "black", 1] in pairs


def test_another_precedence_believes_another_record():
    records = {"self": SELF, "officer": OFFICER}
    assert reconciled(records, precedence=["officer", "self"]).group.tolist()[0] == "white"
    for wrong in (["self"], ["self", "officer", "agency"]):
        with pytest.raises(DataRefused):
            reconciled(records, precedence=wrong)
    with pytest.raises(DataRefused):
        reconciled({"self": SELF})


def test_an_audit_by_each_record_says_where_the_record_matters():
    n = 400
    own = np.array(["a", "b"] * (n // 2))
    seen = np.where(np.arange(n) % 8 == 1, "a", own)  # an officer writes a quarter of b down as a
    outcome = (own == "b") & (np.arange(n) % 4 == 1)
    made = audit_recorded(np.full(n, 0.3), outcome, {"self": own, "officer": seen}, metric="base_rate", rules=QUICK)
    row = made.ranges.set_index(["metric", "group"]).loc[("base_rate", "b")]
    # By self: 100 of 200; by officer 100 - 50 of 200 - 50.
    assert (row["lowest"], row["lowest_by"]) == (pytest.approx(50 / 150), "officer")
    assert (row["highest"], row["highest_by"], row["chosen"]) == (pytest.approx(0.5), "self", pytest.approx(0.5))
    bound = {one.group: one for one in made.bounds}["b"]
    # The 50 in conflict all have the outcome: without them 50 of 150, with them 100 of 200.
    assert (bound.value, bound.lowest, bound.highest) == pytest.approx((1 / 3, 1 / 3, 0.5))


def society(people=1500):
    generator = stream(3, "proxies")
    group = np.where(generator.random(people) < 0.4, "b", "a")
    features = pd.DataFrame(
        {
            "ward": (group == "b") * 1.5 + generator.normal(size=people),
            "visits": generator.poisson(2, people).astype(float),
            "noise": generator.normal(size=people),
        }
    )
    return features, group, generator


def test_the_feature_that_carries_the_group_is_found_and_told():
    features, group, _ = society()
    made = proxies(features, {"ethnicity": group}, rules=QUICK, seed=1)
    row = made.known.set_index("group").loc["b"]
    # Two normals 1.5 apart: the AUROC of the best prediction is Phi(1.5 / sqrt 2) = .856.
    assert row["low"] < 0.856 < row["high"] + 0.02
    assert row["auroc"] == pytest.approx(0.85, abs=0.03)
    assert made.strongest("ethnicity", 1) == ("ward",)
    lost = made.carried[made.carried["group"] == "b"].set_index("feature")["lost"]
    assert lost["ward"] > 0.25
    assert abs(lost["noise"]) < 0.03
    assert "Most is carried by ward" in " ".join(made.findings)


def test_features_without_a_proxy_know_no_more_than_guessing():
    features, group, _ = society()
    made = proxies(features[["visits", "noise"]], {"ethnicity": group}, rules=QUICK)
    assert made.known["auroc"].to_list() == pytest.approx([0.5, 0.5], abs=0.04)


def test_a_group_of_four_is_not_predicted():
    features, group, _ = society(400)
    group[:4] = "c"
    made = proxies(features, {"ethnicity": group}, rules=QUICK).known.set_index("group")
    assert made.loc["c", "state"] == "not_estimable"
    assert np.isnan(made.loc["c", "auroc"])


def test_what_leaving_a_feature_out_costs():
    features, _, generator = society()
    outcome = (generator.random(len(features)) < 1 / (1 + np.exp(2.5 - features["visits"]))).astype(float)
    made = cost_of_leaving_out(LogisticRegression(), features, outcome, [["visits"], ["noise"]], replicates=100)
    rows = made.set_index(["left_out", "metric"])
    for metric in ("auroc", "brier", "found"):
        assert rows.loc[("visits", metric), "low"] > 0  # the model lives by it
        assert rows.loc[("noise", metric), "low"] <= 0 <= rows.loc[("noise", metric), "high"] + 0.01
    assert rows.loc[("visits", "auroc"), "value"] == pytest.approx(0.5, abs=0.04)
    with pytest.raises(DataRefused):
        cost_of_leaving_out(LogisticRegression(), features, outcome, [["street"]])


def test_the_place_has_the_share_of_the_variance_that_it_was_given():
    generator = stream(4, "place")
    table = pd.DataFrame({"own": generator.normal(size=5000), "area": generator.normal(size=5000)})
    made = place_share(lambda x: 2 * x["own"] + x["area"], table, ["area"], capacity=0.1, repeats=10)
    assert made.share == pytest.approx(1 / 5, abs=0.02)  # variances 4 and 1
    assert place_share(lambda x: x["own"], table, ["area"], repeats=2).by_place_alone == 0.0
    whole = place_share(lambda x: x["area"], table, ["area"], capacity=0.1, repeats=10)
    assert whole.by_place_alone == pytest.approx(0.9, abs=0.03)  # one in ten is listed again by chance
    assert "90 would not be listed" in whole.sentence or "91" in whole.sentence or "89" in whole.sentence
    with pytest.raises(DataRefused):
        place_share(lambda x: x["own"], table, [])
