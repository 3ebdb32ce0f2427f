"""The model elsewhere, on fewer people, and on those with and without a past."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.dates import Duration, days, years
from riskmodel.errors import DataRefused, NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, Logistic
from riskmodel.models.learning_curve import learning_curve
from riskmodel.models.onset import EVERYBODY, OWN, onset_and_repeat, parted
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.models.transport import AS_IT_IS, INTERCEPT, REFIT, SLOPE, transported
from riskmodel.models.uncertainty import Resampling

DRAWS = Resampling(200, seed=1)


def drawn(seed: int, *, base: float = -1.5, strength: float = 1.0, people: int = 700, turned: bool = False):
    """Two features; the first (or, turned round, the second) raises the outcome."""
    generator = np.random.default_rng(seed)
    n = people * 4
    X = generator.normal(size=(n, 2)).astype(np.float32)
    log_odds = base + strength * 1.2 * X[:, 1 if turned else 0]
    return TrainingSet.of(
        pa.table(
            {
                "entity_id": np.repeat(np.arange(people), 4),
                "as_of": np.tile(np.datetime64("2019-01-01", "us") + np.arange(4) * np.timedelta64(91, "D"), people),
                "outcome": (generator.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8),
                "first": X[:, 0],
                "second": X[:, 1],
            }
        ),
        horizon=days(30),
    )


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return fit(drawn(0), Logistic(), ForwardFolds(2), calibrate=None, comparators=(), replicates=100)


def figure(table: pa.Table, way: str, metric: str) -> dict[str, float]:
    return table.filter(pc.and_(pc.equal(table["model"], way), pc.equal(table["metric"], metric))).to_pylist()[0]


def test_where_people_are_alike_nothing_has_to_be_done(model):
    found = transported(model, drawn(1), drawn(0), resampling=DRAWS)
    assert found.advice.startswith("It can be used as it is")
    # The model as it is, by hand: the same figures as judged directly.
    observed = drawn(1).outcome().mean()
    expected = model.predict(drawn(1).matrix()).mean()
    assert figure(found.figures, AS_IT_IS, "expected_observed")["value"] == pytest.approx(expected / observed)
    assert max(found.unlike["distance"].to_pylist()) < 0.05


def test_where_the_outcome_is_rarer_the_intercept_is_moved(model):
    found = transported(model, drawn(2, base=-3.0), resampling=DRAWS)
    assert found.advice.startswith("Move the intercept")
    assert figure(found.figures, AS_IT_IS, "expected_observed")["value"] > 2
    assert figure(found.figures, INTERCEPT, "expected_observed")["value"] == pytest.approx(1, abs=0.1)
    assert found.unlike.num_rows == 0


def test_where_differences_are_smaller_the_slope_is_learned(model):
    found = transported(model, drawn(3, strength=0.3), resampling=DRAWS)
    assert found.advice.startswith("Learn intercept and slope")
    assert figure(found.figures, AS_IT_IS, "calibration_slope")["value"] < 0.5
    assert figure(found.figures, SLOPE, "calibration_slope")["value"] == pytest.approx(1, abs=0.3)


def test_where_other_things_matter_it_is_taught_anew(model):
    found = transported(model, drawn(4, turned=True), resampling=DRAWS)
    assert found.advice.startswith("Teach it anew")
    assert figure(found.figures, REFIT, "auroc")["low"] > figure(found.figures, AS_IT_IS, "auroc")["high"]


def test_what_is_taught_there_never_judges_itself(model):
    # Random outcomes: whoever judged what they had taught would look better than chance.
    noise = drawn(5, strength=0.0, people=120)
    found = transported(model, noise, resampling=DRAWS)
    assert figure(found.figures, REFIT, "auroc")["value"] < 0.56


def test_without_the_features_it_is_refused(model):
    less = TrainingSet.of(drawn(1).table.drop_columns(["second"]))
    with pytest.raises(DataRefused, match="without second"):
        transported(model, less)


def test_more_people_teach_more():
    curve = learning_curve(drawn(0), Logistic(penalty=30.0), ForwardFolds(2), people=(0.02, 0.3, 1.0), resampling=DRAWS)
    losses = curve.filter(pc.equal(curve["metric"], "log_loss"))["value"].to_pylist()
    assert losses[0] > losses[2]
    people = curve.filter(pc.equal(curve["metric"], "auroc"))["people"].to_pylist()
    assert people == [14, 210, 700]
    assert len(set(curve["n"].to_pylist())) == 1  # every point is judged on the same rows


def test_a_longer_past_has_more_rows():
    curve = learning_curve(
        drawn(0), Logistic(), ForwardFolds(1), people=(1.0,), history=(days(100), years(2)), resampling=DRAWS
    )
    rows = curve.filter(pc.equal(curve["metric"], "auroc"))
    parts = dict(zip(rows["part"].to_pylist(), rows["rows"].to_pylist(), strict=True))
    assert parts["100%"] == parts[str(years(2))] > parts[str(days(100))] == 700


def test_a_curve_without_anything_to_teach_is_refused():
    with pytest.raises(DataRefused, match="no part with both outcomes"):
        learning_curve(drawn(0), Logistic(), ForwardFolds(1), people=(0.0005,))


def with_a_past(people: int = 900) -> TrainingSet:
    """Half have a past, which triples the odds; within each half only `level` matters."""
    generator = np.random.default_rng(7)
    n = people * 4
    past = np.repeat(np.arange(people) % 2, 4).astype(np.float32)
    level = generator.normal(size=n).astype(np.float32)
    p = 1 / (1 + np.exp(-(-3.0 + 2.5 * past + 0.4 * level)))
    return TrainingSet.of(
        pa.table(
            {
                "entity_id": np.repeat(np.arange(people), 4),
                "as_of": np.tile(np.datetime64("2019-01-01", "us") + np.arange(4) * np.timedelta64(91, "D"), people),
                "outcome": (generator.random(n) < p).astype(np.int8),
                "priors": past * 3,
                "level": level,
            }
        ),
        horizon=Duration(days=30),
    )


def test_most_of_what_a_model_knows_may_be_who_has_a_past():
    found = onset_and_repeat(
        with_a_past(), "priors", Logistic(), ForwardFolds(2), resampling=DRAWS, comparators=(BaseRate(),)
    )
    everybody = found.everybody.evaluation.figure("auroc").value
    within = {
        part: found.figures.filter(
            pc.and_(pc.equal(found.figures["fold"], part), pc.equal(found.figures["metric"], "auroc"))
        ).to_pylist()
        for part in ("onset", "repeat")
    }
    for rows in within.values():
        assert {row["model"] for row in rows} == {EVERYBODY, OWN}
        assert all(row["value"] < everybody - 0.1 for row in rows)
    assert found.onset.evaluation.counts["rows"] + found.repeat.evaluation.counts["rows"] == 3600
    assert "priors" in found.onset.feature_names


def test_parts_that_are_not_there_are_refused():
    with pytest.raises(NotFound, match="no column 'convictions'"):
        parted(with_a_past(), "convictions")
    same = with_a_past().table.set_column(3, "priors", pa.array(np.zeros(3600, np.float32)))
    with pytest.raises(DataRefused, match="0 repeat rows"):
        parted(TrainingSet.of(same), "priors")
