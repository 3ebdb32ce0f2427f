"""The points score: whole numbers, at most ten items, added up as a person would, found again where planted."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.models.learners import Logistic, PointsScore, fitted, load_fitted
from riskmodel.models.metrics import auroc
from riskmodel.models.points import FittedPoints, Item

NAMES = ("arrests", "days_since_referral", "level", "noise")


def planted(n: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds -3.2 + .5 * (3 points from two arrests, 2 points under 90 days, 1 point where the level is unknown)."""
    generator = np.random.default_rng(seed)
    X = np.stack(
        [
            generator.poisson(0.9, n),
            np.floor(generator.exponential(200, n)),
            generator.normal(size=n),
            generator.integers(0, 9, n),
        ],
        axis=1,
    ).astype(np.float32)
    X[generator.random(n) < 0.4, 1] = np.nan
    X[generator.random(n) < 0.3, 2] = np.nan
    points = 3 * (X[:, 0] >= 2) + 2 * (X[:, 1] < 90) + 1 * np.isnan(X[:, 2])
    return X, (generator.random(n) < 1 / (1 + np.exp(3.2 - 0.5 * points))).astype(float)


def test_what_was_planted_is_found():
    X, y = planted()
    made = fitted(PointsScore(items=3), X, y, NAMES)
    sheet = dict(made.sheet())
    assert sheet.pop("arrests at least 2") >= 2
    assert sheet.pop("level unknown") >= 1
    (near,) = sheet
    assert near.startswith("days_since_referral under ")
    assert 60 <= float(near.rsplit(" ", 1)[1]) <= 120  # the quantile next to 90
    best = auroc(y, 3.0 * (X[:, 0] >= 2) + 2 * (X[:, 1] < 90) + np.isnan(X[:, 2]))
    assert auroc(y, made.predict(X)) > best - 0.01


def test_it_is_a_sum_that_a_person_can_do():
    items = (Item(0, "at least", 2.0, 3), Item(1, "under", 90.0, 2), Item(2, "unknown", 0.0, 1))
    made = FittedPoints(NAMES, items, -3, 0.5)
    X = np.array([[2, 89, 0.1, 0], [1, 90, np.nan, 0], [np.nan, np.nan, np.nan, 0]], np.float32)
    assert made.total(X).tolist() == [5, 1, 1]
    assert made.predict(X)[0] == pytest.approx(1 / (1 + np.exp(3 - 2.5)))
    assert made.sheet()[0] == ("arrests at least 2", 3)
    assert repr(made) == "FittedPoints(3 items, at most 6 points)"


def test_points_are_small_whole_numbers_and_items_few():
    X, y = planted(4000, seed=2)
    made = fitted(PointsScore(items=6, largest=4), X, y, NAMES)
    assert 1 <= len(made.items) <= 6
    assert all(1 <= item.points <= 4 for item in made.items)
    assert made.slope > 0
    assert made.predict(X).mean() == pytest.approx(y.mean(), abs=0.002)


def test_it_comes_near_the_logistic_regression_it_replaces():
    X, y = planted(seed=3)
    fresh, outcome = planted(seed=4)
    points = auroc(outcome, fitted(PointsScore(), X, y, NAMES).predict(fresh))
    logistic = auroc(outcome, fitted(Logistic(), X, y, NAMES).predict(fresh))
    assert points > logistic - 0.01


def test_noise_gives_few_items_and_the_base_rate():
    generator = np.random.default_rng(6)
    X = generator.normal(size=(500, 2)).astype(np.float32)
    y = np.tile([0.0, 0, 0, 1], 125)
    made = fitted(PointsScore(), X, y, ("a", "b"))
    assert len(made.items) <= 3
    nothing = fitted(PointsScore(), np.ones((500, 1), np.float32), y, ("constant",))
    assert nothing.items == ()
    assert nothing.predict(np.ones((2, 1), np.float32)) == pytest.approx([0.25, 0.25])


def test_it_reads_back_to_the_same_bits(tmp_path):
    X, y = planted(2000)
    made = fitted(PointsScore(), X, y, NAMES)
    made.save(tmp_path)
    again = load_fitted(tmp_path)
    assert again == made
    assert again.predict(X).tobytes() == made.predict(X).tobytes()


def test_more_than_ten_items_are_refused():
    with pytest.raises(DeclarationError, match="2 faults"):
        PointsScore(items=11, largest=0)
