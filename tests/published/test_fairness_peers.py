"""Equal to aequitas 1.1.0 where it is right; and where it is not, by name. Its figures are kept beside its script."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.rules import Rules

HERE = Path(__file__).resolve().parent / "aequitas"
THEIRS = {
    "tpr": "tpr",
    "tnr": "tnr",
    "fpr": "fpr",
    "fnr": "fnr",
    "ppv": "precision",
    "fdr": "fdr",
    "npv": "npv",
    "for": "for",
    "selection_rate": "pprev",
    "base_rate": "prev",
}
"""Our name of a figure and theirs."""


@pytest.fixture(scope="module")
def audit():
    table = pd.read_csv(HERE / "table.csv")
    return audit_scores(
        table["score"].astype(float),
        table["label_value"],
        table[["group"]],
        decisions=table["score"],
        rules=Rules(replicates=100),
    )


@pytest.fixture(scope="module")
def aequitas():
    return pd.read_csv(HERE / "figures.csv").set_index("attribute_value")


@pytest.mark.parametrize("metric", THEIRS)
def test_the_figures_of_groups_that_can_be_estimated(audit, aequitas, metric):
    for group in "abc":
        figure = audit.figure("group", group, metric)
        assert abs(figure["value"] - aequitas.loc[group, THEIRS[metric]]) < 1e-12
        assert figure["low"] < figure["value"] < figure["high"]


def test_the_share_of_the_list_that_a_group_has(audit, aequitas):
    listed = {group: audit.figure("group", group, "selection_rate")["numerator"] for group in "abcd"}
    for group in "abcd":
        assert abs(listed[group] / sum(listed.values()) - aequitas.loc[group, "ppr"]) < 1e-12


def test_where_it_is_not_right_four_people_have_a_perfect_record(audit, aequitas):
    # Nobody of the four has the outcome and none is listed: aequitas gives them figures that look better than any
    # other group's, with nothing to say that they rest on four people.
    assert aequitas.loc["d", ["fpr", "for", "pprev", "prev"]].tolist() == [0.0] * 4
    assert aequitas.loc["d", ["tnr", "npv"]].tolist() == [1.0, 1.0]
    for metric in THEIRS:
        figure = audit.figure("group", "d", metric)
        assert (figure["state"], figure["value"]) == ("not_estimable", None)
    assert not [row for row in audit.disparities.to_pylist() if row["group"] == "d" and row["difference"] is not None]
