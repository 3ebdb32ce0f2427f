"""Contributions that add up, importance, stability, and reasons in sentences."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.errors import DataRefused, EvidenceError, NotFound
from riskmodel.explain.contact import ENFORCEMENT
from riskmodel.explain.contributions import contributions, contributions_of, must_add_up
from riskmodel.explain.explanation import explanation
from riskmodel.explain.families import ANY_AGENCY, LEVELS, Told, added_up, told
from riskmodel.explain.plots import beeswarm, by_group, dependence
from riskmodel.explain.reasons import reasons, reasons_of, top_reasons
from riskmodel.explain.stability import overlap, top_shared
from riskmodel.explain.steady import SteadyReasons, counted
from riskmodel.explain.summary import Explanation, direction
from riskmodel.fairness.audit import audit
from riskmodel.features.language import age, count, days_since
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.comparators import BaseRate, BestCount
from riskmodel.models.fit import fit
from riskmodel.models.learners import ExplainableBoosting, LightGBM, Logistic, PointsScore
from riskmodel.models.metrics import logit
from riskmodel.models.refits import refits
from riskmodel.models.splits import ForwardFolds
from riskmodel.models.stack import FittedStack
from riskmodel.seeds import stream

FEATURES = [
    age(),
    count("arson", role="victim", within="2y"),
    count("arson", role="victim", within="5y"),
    count("caution", within="1y", agency="youth_justice"),
    days_since("custody"),
    count("domestic_abuse", within="5y", through="parent"),
]
NAMES = tuple(feature.name for feature in FEATURES)


def people_with_arson(people=900, dates=5, seed=2):
    """Arson and cautions raise the outcome, age lowers it, the rest does nothing."""
    generator = stream(seed, "explain-test")
    n = people * dates
    recent = generator.poisson(0.3, n)
    X = np.column_stack(
        [
            generator.integers(10, 25, n),
            recent,
            recent + generator.poisson(0.3, n),
            generator.poisson(0.2, n),
            np.where(generator.random(n) < 0.7, np.nan, generator.integers(1, 900, n)),
            generator.poisson(0.1, n),
        ]
    ).astype(np.float32)
    log_odds = -2.5 + 0.9 * X[:, 1] + 1.1 * X[:, 3] - 0.1 * (X[:, 0] - 15)
    columns = {
        "entity_id": np.repeat(np.arange(people), dates),
        "as_of": np.tile(np.datetime64("2018-01-01", "us") + np.arange(dates) * np.timedelta64(200, "D"), people),
        "outcome": (generator.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8),
        "group:sex": pa.array(np.repeat(generator.choice(["female", "male"], people), dates)),
        **dict(zip(NAMES, X.T, strict=True)),
    }
    return TrainingSet.of(pa.table(columns), FEATURES, horizon=days(180))


@pytest.fixture(scope="module")
def training():
    return people_with_arson()


def fitted(training, learner):
    return fit(training, learner, ForwardFolds(2), comparators=(), replicates=100, threads=1)


@pytest.fixture(scope="module")
def trees(training):
    return fitted(training, LightGBM(seed=7, rounds=30, leaves=6))


@pytest.fixture(scope="module")
def lines(training):
    return fitted(training, Logistic())


def test_trees_add_up_to_their_own_log_odds_and_are_those_of_lightgbm(trees, training):
    X = training.matrix()[:200]
    made = contributions(trees, X)
    assert made.shape == (200, 7)
    raw = trees.fitted.booster.predict(X, raw_score=True)
    np.testing.assert_allclose(made.sum(axis=1), raw, atol=1e-9)
    np.testing.assert_array_equal(made, trees.fitted.booster.predict(X, pred_contrib=True))


def test_lines_are_measured_from_the_median_and_missing_has_its_own_part(lines, training):
    X = training.matrix()[:300]
    made = contributions(lines, X)
    known = lines.fitted
    np.testing.assert_allclose(made.sum(axis=1), known.log_odds(X), atol=1e-9)
    # Feature 3 by hand: slope times distance from the median; feature 4 when missing: the mark's own slope.
    np.testing.assert_allclose(made[:, 3], (X[:, 3] - known.medians[3]) * known.slopes[3])
    missing = np.isnan(X[:, 4])
    mark = known.slopes[6 + known.marked.index(4)]
    np.testing.assert_allclose(made[missing, 4], mark)


def test_models_of_one_score_or_none(training):
    X = training.matrix()[:50]
    counted = fitted(training, BestCount())
    made = contributions(counted, X)
    assert set(np.flatnonzero(np.abs(made[:, :-1]).sum(axis=0))) <= {counted.fitted.column}
    base = fitted(training, BaseRate())
    assert contributions(base, np.empty((4, 0), np.float32)).shape == (4, 1)


def test_points_curves_and_stacks_add_up_to_their_own_log_odds(training, lines):
    X = training.matrix()[:200]
    points = fitted(training, PointsScore()).fitted
    made = contributions_of(points, X)
    np.testing.assert_allclose(made.sum(axis=1), points.intercept + points.slope * points.total(X), atol=1e-9)
    curves = fitted(training, ExplainableBoosting(bags=1, bins=16)).fitted
    np.testing.assert_allclose(contributions_of(curves, X).sum(axis=1), logit(curves.predict(X)), atol=1e-9)
    stack = FittedStack(NAMES, (lines.fitted, curves), -0.5, np.array([0.75, 0.25]))
    by_hand = 0.75 * contributions_of(lines.fitted, X) + 0.25 * contributions_of(curves, X)
    by_hand[:, -1] -= 0.5
    np.testing.assert_allclose(contributions_of(stack, X), by_hand, atol=1e-12)


def test_what_does_not_add_up_is_refused():
    with pytest.raises(EvidenceError) as refused:
        must_add_up(np.array([[0.1, 0.2, -1.0]]), np.array([-0.6]))
    assert refused.value.code == "contributions-do-not-add-up"
    assert must_add_up(np.array([[0.1, 0.2, -1.0]]), np.array([-0.7])) < 1e-12


def test_a_matrix_of_other_features_is_refused(trees):
    with pytest.raises(DataRefused):
        contributions(trees, np.zeros((3, 2), np.float32))


def test_a_model_of_an_unknown_kind_is_refused(trees):
    class Strange(type(trees.fitted).__mro__[1]):
        kind = "strange"
        names = ("a",)

        def predict(self, X):
            return np.full(len(X), 0.5)

        def state(self):
            return {}

        @classmethod
        def restored(cls, names, state, files):  # noqa: ARG003 - it is never called
            return cls()

    with pytest.raises(DataRefused) as refused:
        contributions_of(Strange(), np.zeros((2, 1), np.float32))
    assert refused.value.code == "contributions-unknown"


def test_families_join_the_windows_of_the_same_events():
    columns = told(NAMES, FEATURES)
    assert columns[1].family == columns[2].family == "arson events as victim"
    names, sums = added_up(np.array([[0.0, 1.0, 2.0, 4.0, 8.0, 16.0]]), columns, "family")
    assert dict(zip(names, sums[0].tolist(), strict=True)) == {
        "age": 0.0,
        "arson events as victim": 3.0,
        "caution events, recorded by youth justice": 4.0,
        "custody events": 8.0,
        "domestic abuse events, of a parent": 16.0,
    }
    by_agency = added_up(np.ones((1, 6)), columns, "agency")
    assert by_agency[0] == (ANY_AGENCY, "youth justice")
    assert by_agency[1].tolist() == [[5.0, 1.0]]
    assert columns[5].at("about") == "people tied to them"
    assert columns[3].at("window") == "in the last year"
    assert told(["x_1"], [])[0].at("window") == "not known"


def test_explanation_finds_what_the_outcome_was_made_of(trees, training):
    made = explanation(trees, training, rows=800)
    families = [row["name"] for row in made.rows()]
    assert set(families[:2]) == {"arson events as victim", "caution events, recorded by youth justice"}
    assert families[-1] in ("domestic abuse events, of a parent", "custody events")
    feature = {row["name"]: row for row in made.rows("feature")}
    assert feature[NAMES[3]]["direction"] > 0.5
    assert feature["age"]["direction"] < -0.5
    assert feature["age"]["missing"] == 0.0
    assert 0.6 < feature[NAMES[4]]["missing"] < 0.8
    for level in LEVELS:
        assert sum(row["share"] for row in made.rows(level)) == pytest.approx(1.0, abs=1e-6)
    assert {one.level for one in made.overlaps} == {"feature", "family"}
    assert all(0 < one.all_rows <= 1 and 0 < one.high_rows <= 1 for one in made.overlaps)
    assert "path-dependent" in made.settings["method"]
    assert made.settings["rows"] == 800


def test_explanation_is_the_same_each_time_and_read_back_as_it_was(trees, training, tmp_path):
    made = explanation(trees, training, rows=300)
    assert made.fingerprint == explanation(trees, training, rows=300).fingerprint
    made.save(tmp_path)
    kept = Explanation.load(tmp_path)
    assert kept.document() == made.document()
    path = tmp_path / "explanation.json"
    document = json.loads(path.read_text())
    document["settings"]["base"] = 0.0
    path.write_text(json.dumps(document))
    with pytest.raises(EvidenceError):
        Explanation.load(tmp_path)


def test_without_refits_stability_is_not_measured_and_that_is_said(lines, training):
    made = explanation(lines, training, rows=100, refits=0)
    assert made.overlaps == ()
    assert made.settings["refits"] == 0
    assert "interventional" not in made.settings["method"]


def test_held_against_refits_the_reasons_are_counted_as_advice_tells_them(trees, training):
    against = refits(trees, training, members=10)
    made = explanation(trees, training, rows=300, refits=against)
    high = made.settings["steady"]["high"]
    margin = trees.fitted.log_odds(sample := matrix_of(trees, training, 300))
    told = counted(list(SteadyReasons(trees, sample[margin >= np.quantile(margin, 0.9)], against)))
    assert {name: high[name] for name in told} == pytest.approx(told)
    assert high["rows"] >= 30  # ties at the edge stay in
    found = made.settings["settled"]["1%"]  # on the newest date: always + never + open are all people
    assert found["always"] + found["never"] + found["open"] == found["people"]
    assert 0 < found["overlap"] <= 1
    with pytest.raises(DataRefused, match="refits-of-another-model"):
        explanation(trees, training, refits=replace(against, model="f" * 64))


def matrix_of(model, training, rows: int):
    """The rows that `explanation` draws with seed 0."""
    X = np.column_stack([training.table[name].to_numpy() for name in model.feature_names]).astype(np.float32)
    return X[np.sort(stream(0, "explain", "rows").permutation(len(X))[:rows])]


def test_groups_years_and_plots_of_an_explanation(trees, training, tmp_path):
    made = explanation(trees, training, rows=300, refits=0)
    assert "entity" not in json.dumps(made.document())
    everybody = {row["name"]: row for row in made.by_group("all", "contact")}
    apart = [row["share"] for row in made.by_group("all") if row["name"].startswith(("caution", "custody"))]
    assert len(apart) == 2
    assert max(apart) - min(apart) < everybody[ENFORCEMENT]["share"] <= sum(apart) + 0.05  # they may cancel
    assert everybody[ENFORCEMENT]["share_low"] < everybody[ENFORCEMENT]["share"] < everybody[ENFORCEMENT]["share_high"]
    gaps = [row for row in made.by_group("sex") if row["gap_low"] > 0 or row["gap_high"] < 0]
    assert gaps == []  # the outcome was made without regard to sex
    assert {row["group"] for row in made.by_group("year")} == {"2018", "2019", "2020"}
    caution = dependence(made, NAMES[3])
    assert caution.table["values"].to_pylist()[:2] == ["up to 0", "above 0, up to 1"]
    assert caution.table["mean"][0].as_py() < 0 < caution.table["mean"][1].as_py()
    assert f"{NAMES[3]} raises with its value" in beeswarm(made).alt
    assert "female" in by_group(made, "sex", "contact").svg()
    page = by_group(made, "year").save(tmp_path / "years.html").read_text()
    assert "<table>" in page
    with pytest.raises(NotFound, match="feature-not-drawn"):
        dependence(made, "nothing")
    with pytest.raises(NotFound, match="one of sex, year"):
        by_group(made, "height")


def test_direction_is_not_told_where_nothing_varies():
    assert direction(np.array([1.0, 1, 1]), np.array([1.0, 2, 3])) is None
    assert direction(np.array([np.nan, 1, 2]), np.array([1.0, 2, 3])) is None
    assert direction(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1])) == -1.0


def test_overlap_by_hand():
    one = np.array([[3.0, -2, 1, 0], [1.0, 2, 3, 0]])
    other = np.array([[0.0, -2, 1, 3], [1.0, 2, 3, 0]])
    # Top two of the rows: {0, 1} and {1, 3} share one; {1, 2} twice share both.
    assert top_shared(one, other, 2).tolist() == [0.5, 1.0]
    made = overlap("feature", [one, other], np.array([0.0, 1.0]), top=2)
    assert (made.all_rows, made.high_rows, made.models) == (0.75, 1.0, 2)


def test_reasons_tell_both_directions_and_nothing_protected():
    values = np.array([[12.0, 0, 3, 2, np.nan, 0]], np.float32)
    made = np.array([[2.0, 0.1, 0.7, 0.4, -0.6, -0.01, -2.0]])
    (found,) = reasons_of(made, values, NAMES, FEATURES)
    # Age adds most and is not shown; arson joins its windows (.8); .01 is not worth a sentence.
    assert [str(reason) for reason in found] == [
        "Raises the score: Number of arson events as victim, in the last 5 years: 3",
        "Raises the score: Number of caution events, recorded by youth justice, in the last year: 2",
        "Lowers the score: Days since the last of custody events, so far: none recorded",
    ]
    assert [reason.raises for reason in found] == [True, True, False]
    assert found[0].log_odds == pytest.approx(0.8)
    (fewer,) = reasons_of(made, values, NAMES, FEATURES, top=1, never=[NAMES[1], NAMES[2]])
    assert [reason.feature for reason in fewer] == [NAMES[3], NAMES[4]]


@pytest.mark.parametrize("name", ["age", "Sex", "ethnicity_code", "age_at_screening", "race:Other", "birth_year"])
def test_protected_by_name(name):
    assert Told(name, None, name).protected()


@pytest.mark.parametrize("name", ["agency_count", "average_days", "essex_moves", "stage", "priors_count"])
def test_not_protected_by_a_part_of_a_word(name):
    assert not Told(name, None, name).protected()


def test_reasons_of_many_rows_are_those_of_each(trees, training):
    X = training.matrix()[:60]
    many = reasons(trees, X)
    assert len(many) == 60
    for row in (0, 31, 59):
        assert many[row] == reasons(trees, X[row : row + 1])[0]
    assert list(many)[-1] == many[-1]
    assert many[2:4] == [many[2], many[3]]
    assert all("age" not in reason.feature for each in many for reason in each)
    assert "3" not in repr(many).replace("top=3", "")


def test_audit_of_a_model_joins_groups_by_person_and_date(trees, training):
    made = audit(trees, training=training)
    predictions = trees.evaluation.predictions
    assert made.settings["rows"] == predictions.num_rows
    assert made.settings["capacity"] == 0.05  # the middle one of those the model was judged at
    groups = dict(zip(training.people().tolist(), training.group("sex").to_pylist(), strict=True))
    for sex in ("female", "male"):
        own = np.array([groups[person] == sex for person in predictions["entity_id"].to_pylist()])
        outcome = np.asarray(predictions["outcome"])
        assert made.figure("sex", sex, "base_rate")["numerator"] == outcome[own].sum()
    # Found on both lists together is what the evaluation found at the same capacity, fold by fold.
    found = sum(row["numerator"] for row in made.table.to_pylist() if row["metric"] == "tpr")
    by_fold = 0.0
    for fold in ("1", "2"):
        figure = trees.evaluation.figure("recall@5%", fold=fold)
        by_fold += figure.value * figure.positives
    assert found == pytest.approx(by_fold)


def test_audit_refuses_the_training_set_of_another_model(trees):
    with pytest.raises(DataRefused) as refused:
        audit(trees, training=people_with_arson(people=20))
    assert refused.value.code == "audit-rows-missing"


def test_top_reasons_of_many_rows_as_columns_are_those_in_words(trees, training):
    X = training.matrix()[:500]
    told = reasons(trees, X)
    table = pa.Table.from_batches(list(top_reasons(trees, X, rows=128)))
    worded = [
        (row, reason.raises, reason.family, reason.feature, reason.log_odds)
        for row, each in enumerate(told)
        for reason in each
    ]
    assert [tuple(row.values()) for row in table.to_pylist()] == worded
    # The largest two of each direction by hand, for the row in which most is told.
    row = max(range(500), key=lambda number: len(told[number]))
    sums = dict(zip(told.families, told.sums[row].tolist(), strict=True))
    largest = sorted((name for name in sums if sums[name] >= 0.05), key=lambda name: -sums[name])[:3]
    assert [reason.family for reason in told[row] if reason.raises] == largest
