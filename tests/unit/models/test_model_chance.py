"""What is chance in a list, in a probability and in a calibration curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.models.arbitrariness import Ensemble, ensemble
from riskmodel.models.calibrate import AsItIs
from riskmodel.models.fitted import Fitted
from riskmodel.models.metrics import expit
from riskmodel.models.smooth import smooth_calibration
from riskmodel.models.uncertainty import Resampling
from riskmodel.models.venn_abers import VennAbers


class Says(Fitted):
    """Says the column of the matrix that bears its number."""

    kind = "says"
    names = ("a", "b", "c")

    def __init__(self, column: int) -> None:
        self.column = column

    def predict(self, X):
        return X[:, self.column].astype(float)

    def state(self):
        return {}

    @classmethod
    def restored(cls, names, state, files):
        raise NotImplementedError


def three(*columns: list[float]) -> tuple[Ensemble, np.ndarray]:
    return Ensemble(tuple((Says(number), AsItIs()) for number in range(3))), np.array(columns, np.float32).T


def test_places_that_change_hands_are_counted_by_hand():
    models, X = three([0.9, 0.8, 0.1, 0.1], [0.9, 0.1, 0.8, 0.1], [0.9, 0.8, 0.2, 0.1])
    found = models.standings(X, 2)
    assert found.share.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    # lists {1, 2}, {1, 3}, {1, 2}: pairs share 1, 2 and 1 of 2 places
    assert found.overlap == pytest.approx((1 / 2 + 2 / 2 + 1 / 2) / 3)
    assert found.settled().tolist() == [True, False, False, True]
    assert found.counts()["open"] == 2
    assert "2 the models disagree" in found.sentence


def test_ties_share_a_place():
    models, X = three([0.5, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.1], [0.9, 0.8, 0.2, 0.1])
    share = models.standings(X, 2).share
    assert share.tolist() == pytest.approx([(0.5 + 1 + 1) / 3, (0.5 + 0.5 + 1) / 3, (0.5 + 0.5) / 3, 0.5 / 3])
    assert models.standings(X, 0.5).capacity == "50%"
    assert share.sum() == pytest.approx(2)


def test_an_ensemble_is_the_same_on_any_number_of_threads(fitted_model, quarterly):
    X = quarterly.matrix()[:300]
    one = ensemble(fitted_model, quarterly, members=3, seed=4, threads=1).probabilities(X)
    two = ensemble(fitted_model, quarterly, members=3, seed=4, threads=2).probabilities(X)
    assert one.tobytes() == two.tobytes()
    assert (np.ptp(one, axis=0) > 0).mean() > 0.5
    low, high = ensemble(fitted_model, quarterly, members=3, seed=4).interval(X)
    assert ((low <= one.mean(axis=0)) & (one.mean(axis=0) <= high)).all()


def test_one_model_is_no_ensemble(fitted_model, quarterly):
    with pytest.raises(DeclarationError, match="at least 2"):
        ensemble(fitted_model, quarterly, members=1)


def test_venn_abers_by_hand():
    # Scores 1, 2, 3 with outcomes 0, 1, 1. A person scoring 1: with outcome 0 the step at 1 is 0/2; with outcome 1 it
    # is 1/2, and 1/2 <= 1 keeps the order. A person scoring 2: 0 makes 1/2 there; 1 makes 2/2.
    made = VennAbers.learned(np.array([1.0, 2, 3]), np.array([0.0, 1, 1]))
    low, high = made.interval(np.array([1.0, 2.0]))
    assert low.tolist() == [0, 0.5]
    assert high.tolist() == [0.5, 1]
    assert made.probability(np.array([1.0])).tolist() == pytest.approx([0.5 / 1.5])
    assert VennAbers.from_document(made.document()).interval(np.array([9.0])) == made.interval(np.array([3.0]))


def test_venn_abers_is_isotonic_regression_with_one_more_row():
    generator = np.random.default_rng(0)
    score = generator.random(150)
    outcome = (generator.random(150) < score).astype(float)
    made = VennAbers.learned(score, outcome)
    for asked in score[:5]:
        more = np.append(score, asked)
        order = np.argsort(more, kind="stable")
        for added, found in zip((0.0, 1.0), made.interval(np.array([asked])), strict=True):
            values, group = np.unique(more[order], return_inverse=True)
            rows = np.bincount(group).astype(float)
            rates = np.bincount(group, weights=np.append(outcome, added)[order]) / rows
            fitted = isotonic_regression(rates, weights=rows).x
            assert found[0] == pytest.approx(fitted[np.searchsorted(values, asked)])


def test_one_of_the_two_probabilities_is_calibrated():
    generator = np.random.default_rng(1)
    truth = generator.beta(1, 6, 20_000)
    score = truth**3  # ordered right, and far from a probability
    outcome = (generator.random(20_000) < truth).astype(float)
    made = VennAbers.learned(score[:4000], outcome[:4000])
    low, high = made.interval(score[4000:])
    assert (low <= high).all()
    assert low.mean() < outcome[4000:].mean() < high.mean()
    assert made.probability(score[4000:]).mean() == pytest.approx(outcome[4000:].mean(), abs=0.01)
    assert len(made.upper) <= 400


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(DataRefused, match="0 with the outcome"):
        VennAbers.learned(np.array([0.1, 0.2]), np.zeros(2))


def judged(n: int = 6000, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    line = generator.normal(-2, 1.2, n)
    return line, (generator.random(n) < expit(line)).astype(float), np.arange(n) // 3


def test_the_integrated_calibration_index_of_a_right_and_of_a_wrong_model():
    line, outcome, people = judged()
    right = smooth_calibration(outcome, expit(line), people)
    # Everybody's log-odds are 1 too high: the index is the mean of what that adds.
    wrong = smooth_calibration(outcome, expit(line + 1), people)
    assert right.figure("ici").value < 0.012
    assert wrong.figure("ici").value == pytest.approx(np.mean(expit(line + 1) - expit(line)), abs=0.015)
    assert wrong.figure("ici").low > right.figure("ici").high
    assert wrong.figure("e50").value <= wrong.figure("e90").value <= wrong.figure("emax").value
    curve = right.curve.to_pandas()
    assert (curve["low"] <= curve["predicted"]).mean() > 0.9
    assert (curve["high"] >= curve["predicted"]).mean() > 0.9


def test_the_curve_bends_where_a_line_cannot():
    generator = np.random.default_rng(3)
    given = generator.uniform(0.02, 0.6, 20_000)
    outcome = (generator.random(20_000) < np.where(given < 0.3, given, 0.3)).astype(float)  # nothing beyond .3
    found = smooth_calibration(outcome, given, np.arange(20_000), Resampling(50))
    curve = found.curve.to_pandas()
    assert np.interp(0.15, curve["predicted"], curve["observed"]) == pytest.approx(0.15, abs=0.03)
    assert np.interp(0.5, curve["predicted"], curve["observed"]) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_outcome_and_probabilities_in_few_steps_have_a_curve_near_what_happened(seed):
    generator = np.random.default_rng(seed)
    steps = np.sort(np.append(generator.uniform(0.002, 0.03, 30), generator.uniform(0.03, 0.4, 6)))
    given = steps[np.minimum(generator.geometric(0.06, 40_000) - 1, 35)]
    outcome = (generator.random(40_000) < 0.9 * given).astype(float)
    found = smooth_calibration(outcome, given, np.arange(40_000) // 5, Resampling(30))
    curve = found.curve.to_pandas()
    assert (np.abs(curve["observed"] - 0.9 * curve["predicted"]) < 0.02 + 0.15 * curve["predicted"]).all()
    assert found.figure("ici").value < 0.01


def test_too_little_to_draw_a_curve_is_said():
    found = smooth_calibration(np.array([0.0, 1.0] * 10), np.linspace(0.1, 0.9, 20), np.arange(20))
    assert found.curve.num_rows == 0
    assert {figure.state for figure in found.figures} == {"not_estimable"}
