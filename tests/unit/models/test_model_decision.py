"""Net benefit by hand, on every threshold, and with people drawn whole."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.models.decision import decision_curve, net_benefit, thresholds_of_interest
from riskmodel.models.uncertainty import Resampling, person_weights


def drawn(n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    p = np.round(generator.beta(1, 6, n), 3)
    return (generator.random(n) < p).astype(float), p, np.repeat(np.arange(n // 2), 2)


def test_by_hand():
    # Ten rows, two positive. At 25 % five are acted on, both positives among them: (2 - 3 * 1/3) / 10 = .1
    y = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    p = np.array([0.9, 0.25, 0.3, 0.3, 0.25, 0.2, 0.1, 0.1, 0.1, 0.1])
    assert net_benefit(y, p, 0.25) == pytest.approx(0.1, abs=1e-15)
    assert net_benefit(y, np.ones(10), 0.25) == pytest.approx((2 - 8 / 3) / 10, abs=1e-15)  # acting on everybody
    assert net_benefit(y, np.zeros(10), 0.25) == 0  # acting on nobody


def test_the_table_holds_the_formula_and_everybody():
    y, p, people = drawn()
    at = [0.05, 0.1, 0.2, 0.5]
    table = decision_curve(y, {"model": p, "flat": np.full(len(y), y.mean())}, people, Resampling(200), at)
    assert table.num_rows == 8
    for row in table.to_pylist():
        chosen = p if row["model"] == "model" else np.full(len(y), y.mean())
        assert row["net_benefit"] == pytest.approx(net_benefit(y, chosen, row["threshold"]), abs=1e-12)
        assert row["everybody"] == pytest.approx(net_benefit(y, np.ones(len(y)), row["threshold"]), abs=1e-12)
        assert row["low"] <= row["net_benefit"] <= row["high"]
    flat = [row for row in table.to_pylist() if row["model"] == "flat" and row["threshold"] < y.mean()]
    assert all(row["lead_low"] == row["lead_high"] == 0 or row["lead_high"] <= 0 for row in flat)


def test_the_interval_is_that_of_drawn_people():
    y, p, people = drawn()
    resampling = Resampling(100, seed=5)
    table = decision_curve(y, {"m": p}, people, resampling, [0.2])
    weights = np.concatenate(list(person_weights(300, resampling, "decision-curve")), axis=1)
    values = []
    for draw in range(100):
        rows = np.repeat(np.arange(len(y)), weights[people, draw].astype(int))
        values.append(net_benefit(y[rows], p[rows], 0.2))
    low, high = np.quantile(values, [0.025, 0.975])
    assert table["low"][0].as_py() == pytest.approx(low, abs=1e-9)
    assert table["high"][0].as_py() == pytest.approx(high, abs=1e-9)


def test_thresholds_surround_the_base_rate_and_stay_below_one():
    for rate in (0.003, 0.1, 0.6):
        at = thresholds_of_interest((np.arange(1000) < 1000 * rate).astype(float))
        assert at[0] < rate < at[-1] <= 0.9
        assert (np.diff(at) > 0).all()


def test_a_fit_has_its_decision_curve(fitted_model):
    table = fitted_model.evaluation.decision
    assert set(table["model"].to_pylist()) == set(fitted_model.evaluation.models)
    best = [row for row in table.to_pylist() if row["model"] == "model"]
    assert max(row["lead_low"] for row in best) > 0
