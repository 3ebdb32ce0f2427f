"""Intervals: people are drawn whole, sums give what refitted formulas give, and nothing hides at the edge."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.models import metrics
from riskmodel.models.judging import capacity_label, judge, places, state_of
from riskmodel.models.uncertainty import (
    Resampling,
    metric_replicates,
    person_weights,
    rate_interval,
    score_bins,
    wilson,
)


def drawn(n: int, seed: int = 0, rate: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    p = np.clip(generator.beta(1, 1 / rate - 1, n), 0.002, 0.99)
    return (generator.random(n) < p).astype(float), p


def test_every_replicate_draws_as_many_people_as_there_are():
    weights = np.concatenate(list(person_weights(70, Resampling(40, seed=1), "x")), axis=1)
    assert weights.shape == (70, 40)
    assert (weights.sum(axis=0) == 70).all()
    again = np.concatenate(list(person_weights(70, Resampling(40, seed=1), "x")), axis=1)
    assert (weights == again).all()
    other = np.concatenate(list(person_weights(70, Resampling(40, seed=1), "y")), axis=1)
    assert (weights != other).any()


def test_sums_give_what_the_formulas_give_on_the_drawn_rows():
    y, p = drawn(600)
    people = np.repeat(np.arange(200), 3)
    resampling = Resampling(25, seed=4)
    made = metric_replicates(y, {"m": p}, people, {"10%": 60.0}, resampling)["m"]
    weights = np.concatenate(list(person_weights(200, resampling, "all")), axis=1)
    for draw in range(25):
        rows = np.repeat(np.arange(600), weights[people, draw].astype(int))
        whole = metrics.every_metric(y[rows], p[rows], {"10%": 60.0})
        for name, value in made.items():
            # every distinct score has its bin here, so only the recalibrations (coarser bins) are approximate
            near = 0.02 if name.startswith("calibration") else 1e-9
            assert value[draw] == pytest.approx(whole[name], abs=near), name


def test_bins_never_part_equal_scores_and_keep_the_order():
    y, p = drawn(30_000)
    p = np.round(p, 4)
    bins = score_bins(y, p)
    order = np.argsort(p, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()
    assert len(np.unique(bins[p == p[0]])) == 1
    assert bins.max() < 1024


def test_binned_replicates_stay_with_the_exact_ones():
    y, p = drawn(20_000, rate=0.03)
    people = np.arange(20_000)
    resampling = Resampling(20, seed=2)
    made = metric_replicates(y, {"m": p}, people, {"1%": 200.0}, resampling)["m"]
    weights = np.concatenate(list(person_weights(20_000, resampling, "all")), axis=1)
    for draw in range(20):
        rows = np.repeat(np.arange(20_000), weights[:, draw].astype(int))
        assert made["auroc"][draw] == pytest.approx(metrics.auroc(y[rows], p[rows]), abs=2e-4)
        assert made["precision@1%"][draw] == pytest.approx(
            float(metrics.at_capacity(y[rows], p[rows], 200).precision), abs=0.01
        )


def test_rows_of_one_person_do_not_count_as_many_people():
    y, _ = drawn(300, rate=0.3)
    alone = rate_interval(y, np.arange(300))
    repeated = rate_interval(np.repeat(y, 10), np.repeat(np.arange(300), 10))
    assert repeated == pytest.approx(alone, abs=1e-9)  # ten copies of a person are one person


def test_wilson_by_hand_and_at_nothing():
    # Wilson 1927 for 0 of 10: (0, z^2 / (10 + z^2)) = (0, 3.8415 / 13.8415)
    assert wilson(0.0, 10) == pytest.approx((0, 3.841458820694124 / 13.841458820694124), abs=1e-12)
    assert np.isnan(rate_interval(np.empty(0), np.empty(0, int))).all()


def test_nobody_found_is_not_certainly_nobody():
    # 30 positives, all at the bottom: a list of 20 finds nobody in every draw that keeps the order.
    y = np.array([1.0] * 30 + [0.0] * 300)
    p = np.linspace(0.01, 0.5, 330)
    made = judge(y, {"m": p}, np.arange(330), {"20": 20.0}, Resampling(200))
    found = {figure.metric: figure for figure in made.figures["m"]}
    assert found["precision@20"].value == 0
    assert found["precision@20"].high == pytest.approx(wilson(0, 20)[1], abs=1e-6)
    assert found["missed_per_100@20"].value == 100
    assert found["missed_per_100@20"].low < 95


def test_perfect_order_is_not_certainly_perfect():
    y = np.array([0.0] * 300 + [1.0] * 25)
    made = judge(y, {"m": np.linspace(0.01, 0.9, 325)}, np.arange(325), {}, Resampling(200))
    area = next(figure for figure in made.figures["m"] if figure.metric == "auroc")
    assert area.value == 1
    assert area.low == pytest.approx(0.025 ** (1 / 25), abs=1e-6)
    assert area.high == 1


def test_states():
    assert state_of("auroc", 0.70, 0.74, 1000, 100) == "ok"
    assert state_of("auroc", 0.60, 0.80, 1000, 100) == "imprecise"
    assert state_of("auroc", 0.70, 0.74, 1000, 19) == "imprecise"
    assert state_of("lift@1%", 1.0, 2.1, 1000, 100) == "imprecise"
    nothing = judge(np.zeros(30), {"m": np.linspace(0.1, 0.2, 30)}, np.arange(30), {"3": 3.0}, Resampling(100))
    states = {figure.metric: figure for figure in nothing.figures["m"]}
    assert states["auroc"].state == "not_estimable"
    assert states["auroc"].row()["value"] is None
    assert states["brier"].state == "imprecise"


def test_differences_are_paired():
    y, p = drawn(2000)
    noise = np.random.default_rng(1).normal(0, 0.3, 2000)
    close = metrics.expit(metrics.logit(p) + noise)
    made = judge(y, {"model": p, "rival": close}, np.arange(2000), {}, Resampling(400))
    lead = next(figure for figure in made.leads["rival"] if figure.metric == "auroc")
    own = {name: next(f for f in figures if f.metric == "auroc") for name, figures in made.figures.items()}
    assert lead.value == pytest.approx(own["model"].value - own["rival"].value, abs=1e-12)
    apart = own["model"].high - own["model"].low + own["rival"].high - own["rival"].low
    assert lead.high - lead.low < 0.6 * apart


def test_places_on_the_list():
    assert places((0.01, 0.5, 7), 250) == {"1%": 2.0, "50%": 125.0, "7": 7.0}
    assert places((0.001,), 250) == {"0.1%": 1.0}
    assert places((40,), 100, lists=4) == {"40": 100.0}
    assert capacity_label(0.005) == "0.5%"
