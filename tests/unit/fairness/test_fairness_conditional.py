"""Figures as if all groups had the same mix of a control feature."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused
from riskmodel.fairness.conditional import audit_conditional
from riskmodel.fairness.rules import Rules

QUICK = Rules(replicates=200, reference={"sex": "f"})
SEX = np.array(["f"] * 200 + ["m"] * 400)
AREA = np.array(["n"] * 100 + ["s"] * 100 + ["n"] * 320 + ["s"] * 80)
OUTCOME = np.where(AREA == "n", np.arange(600) % 2, np.arange(600) % 5 == 0).astype(float)


def test_a_gap_that_is_only_the_mix_vanishes_under_the_control():
    # North: half have the outcome, south: a fifth, whatever the sex. f: (50 + 20) / 200; m: (160 + 16) / 400.
    made = audit_conditional(
        np.full(600, 0.5), OUTCOME, {"sex": SEX, "area": AREA}, attribute="sex", control="area",
        metrics=["base_rate"], rules=QUICK,
    ).set_index("group")  # fmt: skip
    assert made.loc["f", "crude"] == pytest.approx(0.35)
    assert made.loc["m", "crude"] == pytest.approx(0.44)
    everybody = 0.5 * 420 / 600 + 0.2 * 180 / 600
    assert made["value"].to_list() == pytest.approx([everybody, everybody])
    assert made.loc["m", "difference"] == pytest.approx(0.0)
    assert made.loc["m", "difference_low"] < 0 < made.loc["m", "difference_high"]
    assert made["strata"].to_list() == [2, 2]


def test_strata_in_which_a_group_has_too_few_take_no_part_and_that_is_said():
    area = np.where(SEX == "f", "n", AREA)  # no f in the south
    made = audit_conditional(
        np.full(600, 0.5), OUTCOME, {"sex": SEX, "area": area}, attribute="sex", control=["area"],
        metrics=["base_rate"], rules=QUICK,
    ).set_index("group")  # fmt: skip
    assert made.loc["m", "strata"] == 1
    assert made.loc["m", "covered"] == pytest.approx(520 / 600)
    nobody = audit_conditional(
        np.full(600, 0.5), OUTCOME, {"sex": SEX, "area": SEX}, attribute="sex", control="area",
        metrics=["base_rate"], rules=QUICK,
    ).set_index("group")  # fmt: skip
    assert nobody.loc["m", "state"] == "not_estimable"
    assert nobody.loc["m", "covered"] == 0.0
    assert nobody["difference"].isna().all()


def test_the_auroc_cannot_be_put_together():
    with pytest.raises(DataRefused):
        audit_conditional(np.full(600, 0.5), OUTCOME, {"sex": SEX, "area": AREA}, attribute="sex", control="area",
                    metrics=["auroc"])  # fmt: skip
