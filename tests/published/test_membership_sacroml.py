"""Beside sacroml 2.0.1: the same figure from the same scores, and an attack that is not weaker than its worst case.

Its worst-case attack learns to tell members from others by the model's probabilities. Run `sacroml/oracle.py` in an
environment of its own to make its findings again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from riskmodel.models.membership_attack import told_apart
from riskmodel.seeds import stream

HERE = Path(__file__).resolve().parent / "sacroml"


@pytest.mark.parametrize("model", ["by heart", "plain"])
def test_the_same_auc_and_no_weaker_than_its_worst_case(model: str) -> None:
    rows = pyarrow.csv.read_csv(HERE / "predictions.csv")
    rows = rows.filter(pa.compute.equal(rows["model"], model))
    member, outcome, p = (rows[name].to_numpy() for name in ("member", "outcome", "p"))
    right = np.where(outcome == 1, p, 1 - p).round(6)
    weights = stream(1, "sacroml").poisson(1.0, (100, len(rows)))
    ours, _ = told_apart(right[member == 1], right[member == 0], weights)
    (theirs,) = [row for row in pyarrow.csv.read_csv(HERE / "found.csv").to_pylist() if row["model"] == model]
    assert ours["value"] == pytest.approx(theirs["auc"], abs=1e-6)
    assert ours["high"] >= theirs["worst_case_auc"] - 0.02
    assert (ours["low"] > 0.6) == (theirs["worst_case_auc"] > 0.6)  # the same verdict
