"""Everything beside an audit shows itself in a notebook, and draws what it found with its table and in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import NotFound
from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.contact import audit_contact
from riskmodel.fairness.feedback import Recording, simulate_feedback
from riskmodel.fairness.labels import audit_labels
from riskmodel.fairness.linked_worlds import pooled_audits
from riskmodel.fairness.pictures import known_plot
from riskmodel.fairness.rules import Rules
from riskmodel.fairness.subgroups import worst_subgroup
from riskmodel.seeds import stream

QUICK = Rules(replicates=60)
N = 600
GENERATOR = stream(5, "pictures")
SEX = GENERATOR.choice(["f", "m"], N)
SCORE = GENERATOR.beta(2, 5, N)
OUTCOME = (GENERATOR.random(N) < SCORE).astype(int)
OTHER = (GENERATOR.random(N) < SCORE).astype(int)
SERVICES = GENERATOR.poisson(1.0, N)


def test_two_harms_side_by_side():
    made = audit_contact(SCORE, OUTCOME, SERVICES, {"sex": SEX}, capacity=0.2, rules=QUICK)
    plot = made.plot("sex")
    row = made.side_by_side.set_index("group").loc["f"]
    missed, error = (f"{row[name]:.0f}" for name in ("missed_per_100", "listed_in_error_per_100"))
    assert f"f: {missed} (" in plot.alt
    assert f") missed, {error} (" in plot.alt
    assert list(plot.table["group"]) == ["f", "m"]
    assert "Who is seen" in made._repr_html_()
    assert made.findings[0].split(";")[0] in made._repr_html_()
    with pytest.raises(NotFound) as refused:
        made.plot("age")
    assert refused.value.code == "plot-missing"


def test_gaps_by_label():
    made = audit_labels(SCORE, {"police": OUTCOME, "hospital": OTHER}, {"sex": SEX}, capacity=0.2, rules=QUICK)
    plot = made.plot("sex", "tpr")
    (row,) = made.changes[made.changes["metric"] == "tpr"].to_dict("records")
    assert f"{row['group']} by police {100 * row['gap_against']:+.1f}" in plot.alt
    assert f"{row['group']} by hospital {100 * row['gap']:+.1f}" in plot.alt
    assert "Agreement of the labels (1 rows)" in made._repr_html_()


def test_a_loop_over_periods():
    features = pd.DataFrame({"history": SERVICES.astype(float)})
    recording = Recording(reported=0.3, discovered_listed=0.9, discovered_unlisted=0.1)
    made = simulate_feedback(
        lambda *_: lambda table: table["history"], features, SCORE, SEX, recording, periods=2, runs=2, history="history"
    )
    plot = made.plot("f")
    own = made.periods[(made.periods["group"] == "f") & (made.periods["loop"] == "feedback")]
    ends = own.groupby("period")["list_share"].mean()
    assert f"feedback from {100 * ends.iloc[0]:.0f} to {100 * ends.iloc[-1]:.0f}" in plot.alt
    assert set(plot.table["loop"]) == {"feedback", "no feedback", "corrected"}
    assert 'src="data:image/png' in plot._repr_html_()
    assert "Would it drift" in made._repr_html_()


def test_what_features_know_and_a_group_that_is_too_small():
    rows = [
        {"attribute": "sex", "group": "f", "auroc": 0.8, "low": 0.75, "high": 0.85, "n": 9, "people": 9, "state": "ok"},
        {"attribute": "sex", "group": "x", "auroc": None, "low": None, "high": None, "n": 2, "people": 2,
         "state": "not_estimable"},
    ]  # fmt: skip
    assert "sex f 0.8 (0.75 to 0.85); sex x not estimable." in known_plot(pd.DataFrame(rows)).alt


def test_the_tables_of_an_audit_as_pandas():
    made = audit_scores(SCORE, OUTCOME, {"sex": SEX}, capacity=0.2, rules=QUICK)
    assert list(made.frame("tpr")["group"]) == ["f", "m"]
    gaps = made.frame("tpr", of="disparities")
    assert gaps["difference"].tolist() == [row["difference"] for row in made.disparities.to_pylist()
                                           if row["metric"] == "tpr"]  # fmt: skip
    assert len(made.frame(of="slopes")) == made.slopes.num_rows
    for wrong in ({"of": "figures"}, {"metric": "tpr", "of": "slopes"}):
        with pytest.raises(NotFound) as refused:
            made.frame(**wrong)
        assert refused.value.code == "audit-table"
    over = pooled_audits(made, [made, made])
    assert "Could linkage be the reason" in over._repr_html_()


def test_a_table_for_a_notebook_escapes_what_the_data_say():
    groups = {"area": np.where(np.arange(N) % 2, "<b>north</b>", "south")}
    shown = worst_subgroup(SCORE, OUTCOME, groups, metric="base_rate", permutations=19)._repr_html_()
    assert "<b>north</b>" not in shown
    assert "&lt;b&gt;north" in shown
