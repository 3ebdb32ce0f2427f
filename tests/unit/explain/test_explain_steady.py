"""Reasons held against refits: shown at the level at which nine of ten agree, else counted; refits saved and bound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.explain.reasons import Reason, reasons
from riskmodel.explain.steady import Steady, SteadyReasons, counted, left_without
from riskmodel.features.language import count
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import LightGBM, Logistic
from riskmodel.models.logistic import FittedLogistic
from riskmodel.models.refits import Refits, refits
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

FEATURES = [
    count("arson", role="victim", within="2y"),
    count("arson", role="victim", within="5y"),
    count("caution", within="1y", agency="youth_justice"),
]
NAMES = tuple(feature.name for feature in FEATURES)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    rng = stream(9, "steady-test")
    people, dates = 600, 4
    n = people * dates
    recent = rng.poisson(0.4, n)
    X = np.column_stack([recent, recent + rng.poisson(0.3, n), rng.poisson(0.3, n)]).astype(np.float32)
    raised = rng.random(n) < 1 / (1 + np.exp(2.2 - 0.8 * X[:, 0] - 1.0 * X[:, 2]))
    columns = {
        "entity_id": np.repeat(np.arange(people), dates),
        "as_of": np.tile(np.datetime64("2018-01-01", "us") + np.arange(dates) * np.timedelta64(200, "D"), people),
        "outcome": raised.astype(np.int8),
        "group:sex": pa.array(["female"] * n),
        **dict(zip(NAMES, X.T, strict=True)),
    }
    return TrainingSet.of(pa.table(columns), FEATURES, horizon=days(180))


@pytest.fixture(scope="module")
def model(training):
    return fit(training, Logistic(), ForwardFolds(2), comparators=(), replicates=100, threads=1)


def lines(arson_2y: float, arson_5y: float, caution: float) -> FittedLogistic:
    """A logistic regression with these slopes, measured from 0."""
    return FittedLogistic(
        NAMES,
        medians=np.zeros(3),
        marked=(),
        intercept=-2.0,
        slopes=np.array([arson_2y, arson_5y, caution]),
        spreads=np.ones(3),
        converged=True,
    )


def held(model, *members: FittedLogistic) -> Steady:
    """One person with one arson in both windows and one caution, by a model of slopes .6, .5 and .4."""
    own = replace(model, fitted=lines(0.6, 0.5, 0.4))
    asked = Refits(own.fingerprint, own.training_fingerprint, 0, members)
    return SteadyReasons(own, np.array([[1, 1, 1]], np.float32), asked)[0]


def test_told_by_feature_by_family_or_not_at_all(model):
    same = lines(0.6, 0.5, 0.4)
    arson, caution = held(model, *[same] * 10).reasons
    assert arson.sentence == "Number of arson events as victim, in the last 2 years: 1"
    assert caution.sentence.startswith("Number of caution events")
    # Two of ten tell arson by the other window: eight agree on the feature, ten on the family.
    arson, caution = held(model, *[same] * 8, *[lines(0.3, 0.8, 0.4)] * 2).reasons
    assert arson.sentence == "Arson events as victim, all measures of them taken together"
    assert (arson.level, caution.level) == ("family", "feature")
    # One of ten without cautions is borne, two are not; a caution that lowers is not the same reason.
    assert len(held(model, *[same] * 9, lines(0.6, 0.5, 0)).reasons) == 2
    for other in (lines(0.6, 0.5, 0), lines(0.6, 0.5, -0.4)):
        told = held(model, *[same] * 8, *[other] * 2)
        assert [reason.family for reason in told.reasons] == ["arson events as victim"]
        assert (told.unsteady_raising, told.unsteady_lowering, told.refits) == (1, 0, 10)
        assert told.note == (
            "1 further reason is not shown: fewer than 90 % of 10 models made from other samples of the same people "
            "give the same."
        )


def test_nothing_left_is_no_stable_reason(model):
    told = held(model, *[lines(0.6, 0.5, 0.4)] * 5, *[lines(0, 0, 0)] * 5)
    assert told.reasons == ()
    assert told.otherwise(raises=True) == "no stable reason"
    assert told.otherwise(raises=False) == "nothing stands out"
    steady = held(model, *[lines(0.6, 0.5, 0.4)] * 10)
    assert counted([told, steady, Steady(())]) == {
        "rows": 3.0,
        "told_by_feature": 2.0,
        "told_by_family": 0.0,
        "not_told": 2.0,
        "share_told": 0.5,
        "no_stable_reason": 0.5,
    }
    assert counted([])["share_told"] is None


def test_without_refits_everything_is_told_and_said_to_be_unmeasured(model, training):
    X = training.matrix()[:30]
    told = list(SteadyReasons(model, X))
    assert [each.reasons for each in told] == list(reasons(model, X))
    assert "was not measured" in told[0].note


def test_rows_asked_for_one_by_one_in_blocks_or_in_another_order_are_the_same(model, training):
    made = SteadyReasons(model, training.matrix(), refits(model, training, members=10))
    every = list(made)
    assert len(every) == len(made) == 2400  # more than two blocks
    assert [made[row] for row in (0, 1500, -1)] == [every[0], every[1500], every[-1]]
    assert list(made.of([1500, 3])) == [every[1500], every[3]]
    assert made[5:7] == every[5:7]
    with pytest.raises(IndexError):
        made[2400]


@pytest.mark.parametrize("learner", [Logistic(), LightGBM(seed=7, rounds=10, leaves=4)])
def test_refits_are_the_same_every_time_and_when_read_again(training, learner, tmp_path: Path):
    model = fit(training, learner, ForwardFolds(2), comparators=(), replicates=100, threads=1)
    made = refits(model, training, members=10, seed=3)
    assert made.fingerprint == refits(model, training, members=10, seed=3).fingerprint
    assert made.fingerprint != refits(model, training, members=10, seed=4).fingerprint
    made.save(tmp_path)
    assert Refits.load(tmp_path).fingerprint == made.fingerprint
    assert repr(made) == "Refits(10 models)"
    text = next(path for path in sorted((tmp_path / "refit-03").iterdir()))
    text.write_text(text.read_text().replace("1", "2", 1))
    with pytest.raises(EvidenceError):
        Refits.load(tmp_path)


def test_refits_of_another_model_or_set_and_too_few(model, training):
    asked = Refits("f" * 64, "f" * 64, 0, ())
    with pytest.raises(DataRefused, match="refits-of-another-model"):
        SteadyReasons(model, training.matrix(), asked)
    with pytest.raises(DeclarationError, match="refits-too-few"):
        refits(model, training, members=9)
    with pytest.raises(DataRefused, match="training-set-other"):
        refits(model, TrainingSet.of(training.table.slice(0, 900), FEATURES, horizon=days(180)))


def test_whose_reasons_do_not_hold_still_is_told_by_group() -> None:
    """Sixty people in the north, two rows each, of whom six have no reason left; twenty in the south are too few."""
    told = Steady((Reason("s", True, "family", "f", 1.0),), refits=20)
    none, nothing = Steady((), unsteady_raising=1, refits=20), Steady((), refits=20)
    people = np.repeat(np.arange(81), 2)
    found = [none if person < 6 else nothing if person == 80 else told for person in people]
    place = np.where(people < 60, "north", "south").astype(object)
    place[-2:] = None
    everybody, north, south = left_without(found, people, {"place": place})
    assert (everybody["people"], everybody["share"]) == (80, 6 / 80)  # who had no reason at all is not among them
    assert (north["people"], north["share"], north["state"]) == (60, 0.1, "ok")
    assert (north["low"], north["high"]) == pytest.approx((0.0466, 0.2015), abs=0.001)  # Wilson's interval of 6 of 60
    assert (south["share"], south["state"]) == (None, "not_estimable")
