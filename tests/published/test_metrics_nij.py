"""The NIJ challenge: published tables add up, risk sets have the published sizes, reference models come out again."""

from __future__ import annotations

import csv
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused
from riskmodel.models.learners import LightGBM, Logistic, fitted

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data")) / "nij_recidivism"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the NIJ tables are not here: set RISKMODEL_DATA"),
]


@pytest.fixture(scope="module")
def challenge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nij_challenge", ROOT / "experiments" / "nij" / "challenge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(challenge):
    return challenge.load(FOLDER)


def published(file: str) -> list[dict[str, str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def taught_and_scored(challenge, table, round_, learner, *, one_hot=False):
    """The challenge's scores on its test sample of a learner taught on its training sample."""
    made = challenge.training_set(table, round_, one_hot=one_hot)
    X, y = np.ascontiguousarray(made.matrix()), made.outcome()
    teaches = ~np.isnan(y)
    outcome, rows = challenge.outcome_and_sex(table, round_)
    assert rows["ID"].to_pylist() == made.people()[~teaches].tolist()
    taught = fitted(learner, X[teaches], y[teaches], made.feature_names)
    return challenge.scores(outcome, taught.predict(X[~teaches]), rows)


def test_the_leaderboard_average_is_the_mean_of_men_and_women():
    # A place is given for men, for women and for the average apart: where one team has all three, they add up; where
    # three teams share a row, no average can be better than the mean of the two best.
    rows = published("leaderboard.csv")
    alone = [row for row in rows if "/" not in row["team"]]
    assert [row["team"] for row in alone] == ["CrimeFree", "TrueFit"]
    for row in rows:
        mean = (float(row["men"]) + float(row["women"])) / 2
        assert float(row["average"]) >= mean - 1.1e-4
        if row in alone:
            assert float(row["average"]) == pytest.approx(mean, abs=1.1e-4)


def test_published_fairness_scores_come_out_of_the_formula(challenge):
    rows = published("fairness_published.csv")
    assert rows
    for row in rows:
        made = challenge.fairness_score(
            float(row["brier"]), float(row["fpr_black_pct"]) / 100, float(row["fpr_white_pct"]) / 100
        )
        assert made == pytest.approx(float(row["nij_score"]), abs=1.2e-3)  # rates are published to a tenth of a point


@pytest.mark.parametrize(("round_", "train", "test"), [(1, 18_028, 7_807), (2, 12_651, 5_460), (3, 9_398, 4_146)])
def test_risk_sets_have_the_published_sizes_and_hide_the_test_outcomes(challenge, table, round_, train, test):
    made = challenge.training_set(table, round_)
    known = ~np.isnan(made.outcome())
    assert (known.sum(), (~known).sum()) == (train, test)
    outcome, rows = challenge.outcome_and_sex(table, round_)
    assert len(outcome) == rows.num_rows == test


def test_supervision_fields_are_refused_in_round_1_and_outcomes_in_every_round(challenge, table):
    with pytest.raises(DataRefused, match="Percent_Days_Employed in round 1") as refusal:
        challenge.training_set(table, 1, ["Gender", "Percent_Days_Employed"])
    assert refusal.value.code == "known-too-late"
    with pytest.raises(DataRefused):
        challenge.training_set(table, 3, ["Recidivism_Arrest_Year3"])
    assert not set(challenge.fields(1)) & set(challenge.SUPERVISION)


def test_scores_by_hand(challenge):
    # Of the men not rearrested the Black one has p = .5 and counts as forecast, the white one has .2: rates 1 and 0.
    rows = pa.table({"Gender": ["M", "M", "M", "F", "F"], "Race": ["BLACK", "WHITE", "WHITE", "BLACK", "WHITE"]})
    y, p = np.array([0.0, 1, 0, 0, 0]), np.array([0.5, 0.7, 0.2, 0.1, 0.3])
    made = challenge.scores(y, p, rows)
    assert made["men"] == pytest.approx((0.25 + 0.09 + 0.04) / 3)
    assert made["women"] == pytest.approx((0.01 + 0.09) / 2)
    assert made["average"] == pytest.approx((made["men"] + made["women"]) / 2)
    assert made["fair_men"] == pytest.approx((1 - made["men"]) * (1 - 1))  # Black 1 of 1, white 0 of 1
    assert made["fair_women"] == pytest.approx(1 - made["women"])


@pytest.mark.slow
@pytest.mark.parametrize(("round_", "reference"), [(1, 0.1876), (2, 0.1642), (3, 0.1486)])
def test_a_one_hot_logistic_regression_comes_out_as_published(challenge, table, round_, reference):
    # Wheeler 2026, table 4, all rows. Which numbers they put in for missing values is not published.
    made = taught_and_scored(challenge, table, round_, Logistic(), one_hot=True)
    assert made["all"] == pytest.approx(reference, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("round_", [1, 2, 3])
def test_the_default_trees_are_no_worse_than_the_published_trees(challenge, table, round_):
    reference = next(
        float(row["average"])
        for row in published("published_models.csv")
        if row["round"] == str(round_) and row["model"] == "LightGBM" and row["metric"] == "brier"
    )
    made = taught_and_scored(challenge, table, round_, LightGBM(seed=1))
    assert made["average"] <= reference
