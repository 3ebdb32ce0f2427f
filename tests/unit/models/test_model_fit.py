"""The fit: everyone judged on the same unseen rows, unknown outcomes nowhere, every figure made again from the rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.dates import days, months, years
from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.features import count
from riskmodel.features.training_set import TrainingSet
from riskmodel.models import metrics
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, BestCount, CurrentPractice, LightGBM, Logistic
from riskmodel.models.splits import ForwardFolds, PersonFolds

SMALL_TREES = LightGBM(seed=7, rounds=20, leaves=4)


def column(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table[name].to_numpy(), float)


def test_every_figure_can_be_made_again_from_the_predictions(fitted_model):
    evaluation = fitted_model.evaluation
    rows = evaluation.predictions
    y = column(rows, "outcome")
    assert evaluation.models == ("model", "base_rate", "best_count", "logistic", "current_practice")
    for model in evaluation.models:
        p = column(rows, "p" if model == "model" else f"p_{model}")
        places = {"5%": float(round(0.05 * len(y))), "40": 160.0}  # 40 places in each of four folds
        for metric, value in metrics.every_metric(y, p, places).items():
            found = evaluation.figure(metric, model)
            assert found.value == pytest.approx(value, abs=1e-12, nan_ok=True)
            if np.isfinite(value):
                assert found.low <= found.value <= found.high
            assert (found.n, found.positives) == (len(y), int(y.sum()))
    second = rows.filter(pc.equal(rows["fold"], 2))
    assert evaluation.figure("auroc", fold="2").value == pytest.approx(
        metrics.auroc(column(second, "outcome"), column(second, "p")), abs=1e-12
    )


def test_each_judged_row_once_in_order_and_from_the_set(fitted_model, quarterly):
    rows = fitted_model.evaluation.predictions
    keys = list(zip(rows["entity_id"].to_pylist(), rows["as_of"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    truth = {
        (entity, as_of): outcome
        for entity, as_of, outcome in zip(
            *(quarterly.table[name].to_pylist() for name in ("entity_id", "as_of", "outcome")), strict=True
        )
    }
    assert [truth[key] for key in keys] == rows["outcome"].to_pylist()


def test_unknown_outcomes_neither_teach_nor_judge_and_are_counted(fitted_model, quarterly):
    counts = fitted_model.evaluation.counts
    assert counts["unknown"] == 400  # the last quarter of 400 people
    assert counts["labelled"] == 400 * 11
    assert counts["rows"] == 400 * 12
    last = max(quarterly.table["as_of"].to_pylist())
    assert last not in set(fitted_model.evaluation.predictions["as_of"].to_pylist())
    # what the features of rows without an outcome say changes nothing that is learned or found
    noisy = quarterly.table.set_column(
        quarterly.table.column_names.index("arrests"),
        "arrests",
        pc.if_else(pc.is_null(quarterly.table["outcome"]), pa.scalar(99, pa.float32()), quarterly.table["arrests"]),
    )
    again = fit(TrainingSet.of(noisy, horizon=quarterly.horizon), SMALL_TREES, comparators=(), replicates=100)
    assert again.fitted.files() == fitted_model.fitted.files()
    assert again.evaluation.predictions["p"].equals(fitted_model.evaluation.predictions["p"])


def test_a_fold_knows_nothing_of_its_own_test_period(quarterly):
    # Turn every outcome from the last test period round: all that was judged before stays as it was.
    plain = fit(quarterly, SMALL_TREES, ForwardFolds(3), comparators=(Logistic(),), replicates=100)
    start = np.datetime64(plain.evaluation.folds[-1]["test_from"], "us")
    late = pc.greater_equal(quarterly.table["as_of"], pa.scalar(start.item(), pa.timestamp("us")))
    outcome = quarterly.table["outcome"]
    turned = pc.if_else(late, pc.subtract(pa.scalar(1, pa.int8()), outcome), outcome)
    place = quarterly.table.column_names.index("outcome")
    changed = TrainingSet.of(quarterly.table.set_column(place, "outcome", turned), horizon=quarterly.horizon)
    again = fit(changed, SMALL_TREES, ForwardFolds(3), comparators=(Logistic(),), replicates=100)
    for name in ("p", "p_logistic"):
        assert again.evaluation.predictions[name].equals(plain.evaluation.predictions[name])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_model_on_any_number_of_threads(quarterly, threads):
    first = fit(quarterly, SMALL_TREES, ForwardFolds(2), comparators=(Logistic(),), replicates=100, threads=1)
    again = fit(quarterly, SMALL_TREES, ForwardFolds(2), comparators=(Logistic(),), replicates=100, threads=threads)
    assert again.fingerprint == first.fingerprint


def test_the_model_that_knows_the_truth_better_wins_and_the_bar_says_so(quarterly):
    model = fit(
        quarterly,
        Logistic(),
        comparators=(BaseRate(), BestCount()),
        capacity=(0.1,),
        replicates=300,
        success_bar="auroc beats base_rate by 0.1 and auroc >= 0.95 and precision@10% beats best_count",
    )
    verdicts = [finding.verdict for finding in model.evaluation.success]
    assert verdicts[:2] == ["met", "not met"]
    assert model.evaluation.difference("auroc", "base_rate").low > 0.1
    assert model.declaration["success_bar"].startswith("auroc beats")


def test_a_bar_about_something_else_is_refused_before_any_work(quarterly):
    said = []
    with pytest.raises(DeclarationError, match="stacking"):
        fit(quarterly, SMALL_TREES, success_bar="auroc beats stacking", progress=lambda *step: said.append(step))
    assert said == []


def test_progress_counts_up_to_the_end(quarterly):
    said = []
    fit(quarterly, SMALL_TREES, ForwardFolds(2), comparators=(BaseRate(),), replicates=100,
        progress=lambda *step: said.append(step))  # fmt: skip
    assert [done for _, done, _ in said] == list(range(len(said)))
    assert {total for *_, total in said} == {len(said) - 1}
    assert said[0][0] == "fold 1 of 2: lightgbm"


def test_calibrated_means_meet_observed_means(fitted_model):
    found = fitted_model.evaluation.figure("expected_observed")
    assert found.low < 1 < found.high
    bands = [row for row in fitted_model.evaluation.calibration.to_pylist() if row["model"] == "model"]
    assert sum(row["n"] for row in bands) == fitted_model.evaluation.counts["judged"]
    assert sum(row["positives"] for row in bands) == fitted_model.evaluation.counts["judged_positives"]
    assert bands[-1]["observed"] > 2 * bands[0]["observed"]
    assert all(row["low"] <= row["observed"] <= row["high"] for row in bands)


def test_roc_curves_start_and_end_in_the_corners(fitted_model):
    roc = fitted_model.evaluation.roc
    for model in fitted_model.evaluation.models:
        part = roc.filter(pc.equal(roc["model"], model))
        x, y = column(part, "false_positive_rate"), column(part, "true_positive_rate")
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert (np.diff(x) >= 0).all()
        assert np.trapezoid(y, x) == pytest.approx(fitted_model.evaluation.figure("auroc", model).value, abs=0.005)


def test_current_practice_is_judged_on_the_carried_score(fitted_model):
    assert fitted_model.evaluation.figure("auroc", "current_practice").value > 0.6
    assert "carried:old_score" not in fitted_model.feature_names


def test_a_score_that_is_not_carried_is_refused(quarterly):
    with pytest.raises(DataRefused, match="carried:compas"):
        fit(quarterly, SMALL_TREES, comparators=(CurrentPractice("compas"),))


def test_two_of_a_kind_have_two_names_and_the_model_is_no_rival_of_itself(quarterly):
    rivals = (Logistic(penalty=1.0), Logistic(penalty=100.0), Logistic(penalty=5.0))
    model = fit(quarterly, Logistic(penalty=5.0), ForwardFolds(2), comparators=rivals, replicates=100)
    assert model.evaluation.models == ("model", "logistic", "logistic_2")
    with pytest.raises(NotFound, match="a model among model, logistic, logistic_2"):
        model.evaluation.figure("auroc", "lightgbm")


def test_the_best_count_is_sought_among_the_counts_of_the_language(quarterly):
    node = count("caution", within=years(1))
    renamed = quarterly.table.rename_columns(
        [node.name if name == "injuries" else name for name in quarterly.table.column_names]
    )
    made = TrainingSet.of(renamed, features=[node], horizon=quarterly.horizon)
    model = fit(made, Logistic(), ForwardFolds(2), comparators=(BestCount(),), replicates=100)
    assert model.declaration["comparators"]["best_count"]["among"] == [node.name]


def test_folds_by_person_and_a_shorter_gap_are_declared(quarterly):
    by_person = fit(quarterly, Logistic(), PersonFolds(3), comparators=(), replicates=100)
    assert by_person.evaluation.counts["judged"] == by_person.evaluation.counts["labelled"]
    assert by_person.declaration["folds"]["kind"] == "person"
    short = fit(quarterly, Logistic(), ForwardFolds(2, gap=days(0)), comparators=(), replicates=100)
    assert short.declaration["folds"]["gap"] == "0d"
    assert short.evaluation.folds[0]["rows_waiting_for_their_outcome"] == 0


def test_dates_too_short_for_the_horizon_are_refused(quarterly):
    brief = TrainingSet.of(quarterly.table, horizon=months(36))
    with pytest.raises(DataRefused, match="then 3y for its outcome"):
        fit(brief, Logistic())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"capacity": (0,)}, "a share between 0 and 1"),
        ({"capacity": (1.5,)}, "a share between 0 and 1"),
        ({"replicates": 10}, "at least 100"),
        ({"calibrate": "beta"}, "isotonic"),
    ],
)
def test_settings_that_mean_nothing(quarterly, settings, words):
    with pytest.raises(DeclarationError, match=words):
        fit(quarterly, Logistic(), **settings)


def test_no_known_outcome_and_infinite_values_are_refused(quarterly):
    table = quarterly.table
    place = table.column_names.index("outcome")
    nothing = table.set_column(place, "outcome", pa.nulls(table.num_rows, pa.int8()))
    with pytest.raises(DataRefused, match="none with a known outcome"):
        fit(TrainingSet.of(nothing), Logistic())
    moves = table.column_names.index("moves")
    broken = table.set_column(moves, "moves", pa.array(np.full(table.num_rows, np.inf, np.float32)))
    with pytest.raises(DataRefused, match="infinite values in moves"):
        fit(TrainingSet.of(broken), Logistic())


def test_too_few_positives_for_calibration_is_said_and_no_calibration_works(quarterly):
    table = quarterly.table
    outcome = np.zeros(table.num_rows, np.int8)
    outcome[:24] = 1  # two people, always
    made = TrainingSet.of(
        table.set_column(table.column_names.index("outcome"), "outcome", pa.array(outcome)), horizon=months(12)
    )
    model = fit(made, Logistic(), ForwardFolds(2), calibrate=None, comparators=(), replicates=100)
    assert model.evaluation.figure("auroc").state == "imprecise"
