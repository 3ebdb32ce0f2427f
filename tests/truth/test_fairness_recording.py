"""What was planted in the recording of outcomes is recovered, and shrunken figures are nearer the truth."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.figures import Rules
from riskmodel.fairness.label_bias import tipping_points
from riskmodel.fairness.shrinkage import shrunken
from riskmodel.seeds import stream


def test_a_gap_made_by_recording_alone_tips_where_it_was_made():
    # Both groups are alike in what happens; 90 of 100 are recorded in a, 60 in b.
    generator = stream(4, "recording")
    people = 40_000
    group = np.where(generator.random(people) < 0.4, "b", "a")
    score = generator.beta(2, 6, people)
    happened = generator.random(people) < score
    recorded = happened & (generator.random(people) < np.where(group == "b", 0.6, 0.9))
    made = audit_scores(score, recorded, {"g": group}, capacity=0.2, rules=Rules(replicates=300))
    told = {finding.metric: finding.says for finding in made.finding_list}
    assert told["base_rate"] == told["ppv"] == told["observed_expected"] == told["fpr"] == "differs"
    assert told["tpr"] == told["selection_rate"] == "not_shown"  # the gap is in the records, not in the list
    for metric in ("base_rate", "ppv", "observed_expected"):
        (point,) = tipping_points(made, "g", metric, recorded=(0.9,))
        assert point.low <= 0.6 <= point.high, metric
        assert point.high - point.low < 0.12
    (point,) = tipping_points(made, "g", "fpr", recorded=(0.9,))
    assert point.group_recorded == pytest.approx(0.6, abs=0.06)


def test_shrunken_figures_are_nearer_the_truth_and_their_intervals_cover():
    generator = stream(6, "shrunken")
    noise = np.array([0.02, 0.02, 0.04, 0.04, 0.06, 0.08, 0.08, 0.10])
    raw, moved, covered = [], [], []
    for _ in range(400):
        true = 0.4 + 0.04 * generator.normal(size=8)
        seen = true + noise * generator.normal(size=8)
        made = shrunken(seen, noise**2, 0.04, 0.95)
        raw.append((seen - true) ** 2)
        moved.append((made.value - true) ** 2)
        covered.append((made.low <= true) & (true <= made.high))
    assert np.mean(moved) < 0.7 * np.mean(raw)
    assert 0.93 <= np.mean(covered) <= 0.985
