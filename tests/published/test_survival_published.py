"""Published Cox models on public data, as distributed with scikit-survival."""

from __future__ import annotations

import numpy as np
import pytest
from sksurv.datasets import load_veterans_lung_cancer

from riskmodel.models.survival import SurvivalRows, cox


def test_the_veterans_lung_cancer_trial():
    """Therneau, Crowson and Atkinson, "Using time dependent covariates ... in the Cox model" (R package survival):

    coxph(Surv(time, status) ~ trt + prior + karno, veteran) gives .180197, -.005550 and -.033771; trt is 1 or 2 and
    prior 0 or 10.
    """
    table, clock = load_veterans_lung_cancer()
    status, time = (clock[name] for name in clock.dtype.names)
    X = np.column_stack(
        [
            (table["Treatment"] == "test").astype(float),
            10.0 * (table["Prior_therapy"] == "yes"),
            table["Karnofsky_score"],
        ]
    ).astype(np.float32)
    names = ("trt", "prior", "karno")
    found = cox(SurvivalRows(X, names, time.astype(float), status.astype(int), np.arange(len(time))))
    assert found == pytest.approx({"trt": 0.180197, "prior": -0.005550, "karno": -0.033771}, abs=2e-6)
