"""Calibration: the steps are those of isotonic regression, never 0 or 1; Platt's line; nobody calibrates himself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.models import calibrate
from riskmodel.models.calibrate import MonotoneSteps, Sigmoid, from_document, inner_parts, learned
from riskmodel.models.metrics import auroc, logit


def test_the_steps_are_those_of_isotonic_regression():
    generator = np.random.default_rng(1)
    score = np.round(generator.random(500), 2)
    y = (generator.random(500) < score**2).astype(float)
    steps = MonotoneSteps.learned(score, y, fewest=1)
    other = IsotonicRegression().fit(score, y).predict(np.unique(score))
    inside = (steps.value > steps.value[0]) & (steps.value < steps.value[-1])
    assert set(steps.value[inside]) <= set(calibrate.plain_shares(other))


def test_worked_by_hand():
    # Scores 1..6, outcomes 0 1 0 | 1 1 1 -> pool adjacent violators: {1}: 0, {2,3}: 1/2, {4,5,6}: 1.
    # Twelve rows each. Held: 0 of 12 -> .5 / 13; 36 of 36 -> 36.5 / 37. Middles 1, 2.5, 5.
    steps = MonotoneSteps.learned(np.repeat(np.arange(1.0, 7), 12), np.repeat([0.0, 1, 0, 1, 1, 1], 12))
    assert steps.at.tolist() == [1, 2.5, 5]
    assert steps.value.tolist() == [0.03846, 0.5, 0.9865]  # to four figures
    assert steps.rows.tolist() == [10, 25, 35]  # 12, 24, 36
    assert steps.probability(np.array([0.0, 2.5, 3.75, 9])).tolist() == pytest.approx(
        [0.03846, 0.5, (0.5 + 0.9865) / 2, 0.9865]
    )


def test_no_step_rests_on_fewer_than_ten_rows():
    # 4 of the lowest score (none with the outcome), 12 in the middle (6), 3 at the top (all): the 4 are joined with
    # the 12, and the 3 left over with them: 9 of 19
    score, outcome = np.repeat([0.1, 0.5, 0.9], [4, 12, 3]), np.repeat([0.0, 1, 0, 1], [4, 6, 6, 3])
    steps = MonotoneSteps.learned(score, outcome)
    assert (steps.rows.tolist(), steps.value.tolist()) == ([20], [0.4737])
    more = MonotoneSteps.learned(np.append(score, [0.9] * 7), np.append(outcome, [1.0] * 7))
    assert (more.rows.tolist(), more.value.tolist()) == ([15, 10], [0.375, 0.9545])  # 6 of 16, 10.5 of 11


def test_the_few_at_the_top_get_no_chance_that_nobody_stands_behind():
    """Ten rows at the top, eight with the outcome, of people whose rate below is 1 in 10: joined with their likes."""
    score = np.concatenate([np.linspace(0.1, 0.2, 2000), np.linspace(0.8, 0.9, 10)])
    outcome = np.concatenate([np.tile([1.0] + [0.0] * 9, 200), [1.0] * 8 + [0.0, 0.0]])
    steps = MonotoneSteps.learned(score, outcome)
    top = steps.probability(np.array([0.9]))
    assert steps.rows.min() >= 50
    assert 0.1 < top[0] < 0.3
    low, high = steps.interval(top)
    assert 0.05 < low[0] < top[0] < high[0] < 0.5


def test_the_interval_of_a_step_counts_people_and_not_their_rows():
    """Twelve rows a person, all alike: 5 of 10 people say as little as 5 of 10, not as 60 of 120."""
    outcome = np.repeat([0.0, 1.0] * 5, 12)
    steps = MonotoneSteps.learned(np.zeros(120), outcome, np.repeat(np.arange(10), 12))
    assert steps.value.tolist() == [0.5]
    low, high = steps.interval(np.array([0.5]))
    assert (low[0], high[0]) == pytest.approx((0.237, 0.763), abs=0.002)  # Wilson's interval of 5 of 10
    assert from_document(steps.document()).interval(np.array([0.5])) == steps.interval(np.array([0.5]))


def test_never_nil_never_certain_and_always_rising():
    for outcomes in ([0.0] * 50 + [1.0] * 50, [0.0] * 99 + [1.0], [0.0] + [1.0] * 99):
        steps = MonotoneSteps.learned(np.arange(100.0), np.array(outcomes))
        assert steps.value.min() > 0
        assert steps.value.max() < 1
        assert (np.diff(steps.value) >= 0).all()


def test_the_order_within_a_step_is_kept():
    generator = np.random.default_rng(4)
    score = generator.random(2000)
    y = (generator.random(2000) < 0.3 * score).astype(float)
    plain = IsotonicRegression(out_of_bounds="clip").fit(score, y).predict(score)
    joined = MonotoneSteps.learned(score, y).probability(score)
    assert len(np.unique(joined)) > 20 * len(np.unique(plain))
    assert auroc(y, joined) == pytest.approx(auroc(y, score), abs=0.02)


def test_platt_finds_the_line_that_made_the_outcomes():
    generator = np.random.default_rng(2)
    score = generator.beta(1, 5, 40_000)
    p = 1 / (1 + np.exp(-(-0.5 + 0.6 * logit(score))))
    made = Sigmoid.learned(score, (generator.random(40_000) < p).astype(float))
    assert made.intercept == pytest.approx(-0.5, abs=0.06)
    assert made.slope == pytest.approx(0.6, abs=0.03)


def test_platt_never_turns_the_order_round():
    made = Sigmoid.learned(np.array([0.1, 0.2, 0.8, 0.9]), np.array([1.0, 1, 0, 0]))
    assert made.slope == 0
    assert np.ptp(made.probability(np.array([0.1, 0.9]))) == 0


@pytest.mark.parametrize("method", ["isotonic", "sigmoid", None])
def test_a_calibration_reads_back_to_the_same_bits(method):
    generator = np.random.default_rng(3)
    score = generator.random(300)
    made = learned(method, score, (generator.random(300) < score).astype(float))
    again = from_document(made.document())
    assert again.probability(score).tobytes() == made.probability(score).tobytes()
    assert again.document() == made.document()


def test_unknown_methods_are_refused():
    with pytest.raises(DeclarationError, match="isotonic"):
        learned("beta", np.array([0.1]), np.array([1.0]))  # type: ignore[arg-type]  # what a study could write


def test_inner_parts_share_no_person_and_score_every_row_once():
    people = np.repeat(np.arange(30), 2)
    outcome = np.tile([0.0, 1.0], 30)
    parts = inner_parts(outcome, people, seed=1)
    assert len(parts) == calibrate.PARTS
    assert sorted(np.concatenate([scored for _, scored in parts]).tolist()) == list(range(60))
    for teach, scored in parts:
        assert not set(people[teach]) & set(people[scored])


def test_too_few_positives_to_calibrate_is_said():
    outcome = np.zeros(60)
    outcome[0] = 1  # the part with this person is taught by zeros only
    with pytest.raises(DataRefused, match="1 positives among 60 rows of 60 people"):
        inner_parts(outcome, np.arange(60), seed=1)
