"""A run in MLflow: recorded once, whole, beside its study, without a pickle; loaded back it predicts the same."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel import tracking
from riskmodel.errors import DataRefused
from riskmodel.models.fit import fit
from riskmodel.models.learners import Logistic
from riskmodel.models.splits import ForwardFolds
from riskmodel.models.tuning import Tuned
from riskmodel.tracking import database, nested, registering, writing
from riskmodel.tracking.library import mlflow
from riskmodel.tracking.runs import KEY, PARENT, RunRecord

Finished = Any  # the class is in conftest, which tests do not import


def recorded(store: Path, finished: Finished, **changed: Any) -> RunRecord:
    return tracking.record(store, **(finished.given() | changed))


def all_runs(store: Path, query: str = "") -> list[Any]:
    with database.opened(store, None) as client:
        where = client.get_experiment_by_name("small").experiment_id
        return list(client.search_runs([where], query))


def test_parameters_metrics_data_and_artefacts_are_kept(store: Path, finished: Finished) -> None:
    made = recorded(store, finished, parameters={"linkage": {"threshold": 0.9}}, made_from={"people": "b" * 64})
    with database.opened(store, None) as client:
        run = client.get_run(made.run_id)
        files = {item.path for place in ("card", "tables") for item in client.list_artifacts(made.run_id, place)}
    assert run.info.status == "FINISHED"
    assert run.data.params["learner.rounds"] == "10"
    assert run.data.params["linkage.threshold"] == "0.9"
    figure = finished.model.evaluation.figure("auroc")
    assert run.data.metrics["auroc"] == figure.value
    assert run.data.metrics["interval/auroc.low"] == figure.low
    precision = finished.model.evaluation.figure("precision@10%").value
    assert run.data.metrics["at_10_percent/precision"] == pytest.approx(precision)
    digests = {each.dataset.name: each.dataset.digest for each in run.inputs.dataset_inputs}
    assert digests == {"training set": finished.training.fingerprint[:32], "people": "b" * 32}
    tables = {"tables/evaluation.csv", "tables/audit.csv", "tables/groups.json"}
    assert files == tables | {"card/card.json", "card/card.md"}


def test_folds_are_nested_in_the_run_and_candidates_in_folds(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)
    folds = {run.data.params["fold"]: run for run in all_runs(store, f"tags.`{PARENT}` = '{made.run_id}'")}
    assert sorted(folds) == ["1", "2", "all"]
    for fold, run in folds.items():
        candidates = all_runs(store, f"tags.`{PARENT}` = '{run.info.run_id}'")
        assert {each.data.tags["mlflow.runName"] for each in candidates} == {"model", "base_rate"}
        for each in candidates:
            figure = finished.model.evaluation.figure("brier", each.data.params["candidate"], fold=fold)
            assert each.data.metrics["brier"] == figure.value
            assert each.info.status == "FINISHED"
    assert folds["1"].data.metrics["brier"] == finished.model.evaluation.figure("brier", fold="1").value
    assert folds["1"].data.params["test_until"] == finished.model.evaluation.folds[0]["test_until"]


def test_what_each_stage_took_is_kept_and_a_sum_with_a_part_unknown_is_not(store: Path, finished: Finished) -> None:
    stages = {
        "fit": {"seconds": 2.0, "cpu_seconds": 3.0, "peak_mib": 400.0},
        "audit": {"seconds": 1.0, "cpu_seconds": 1.5},
    }
    made = recorded(store, finished, took=tracking.Took(stages, {"cores": 2, "memory_gib": 7.8}))
    with database.opened(store, None) as client:
        run = client.get_run(made.run_id)
        files = {item.path for item in client.list_artifacts(made.run_id, "tables")}
    assert {name: value for name, value in run.data.metrics.items() if name.startswith("resources/")} == {
        "resources/fit.seconds": 2.0,
        "resources/fit.cpu_seconds": 3.0,
        "resources/fit.peak_mib": 400.0,
        "resources/audit.seconds": 1.0,
        "resources/audit.cpu_seconds": 1.5,
        "resources/all.seconds": 3.0,
        "resources/all.cpu_seconds": 4.5,
    }
    assert run.data.params["machine.cores"] == "2"
    assert "tables/resources.csv" in files


def test_a_run_is_found_by_purpose_and_outcome_and_says_in_words_what_it_is(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)
    wanted = "tags.`riskmodel.kind` = 'study' and tags.`riskmodel.purpose` = 'early-support'"
    (run,) = all_runs(store, f"{wanted} and tags.`riskmodel.outcome` LIKE 'violence%'")
    assert run.info.run_id == made.run_id
    assert "Advisory only" in run.data.tags["mlflow.note.content"]
    assert all_runs(store, "tags.`riskmodel.purpose` = 'another'") == []
    with database.opened(store, None) as client:
        (version,) = client.search_model_versions("name = 'small'")
        kept = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert version.description == run.data.tags["mlflow.note.content"]
    assert {each.key: each.value for each in kept.metrics}["auroc"] == run.data.metrics["auroc"]


def test_each_trial_of_a_search_is_a_nested_run(store: Path, finished: Finished) -> None:
    tuned = Tuned(Logistic(), {"penalty": (1.0, 100.0, "log")}, trials=2, seed=1)
    model = fit(finished.training, tuned, ForwardFolds(2), comparators=(), replicates=100)
    made = recorded(store, finished, model=model)
    inside = all_runs(store, f"tags.`{PARENT}` = '{made.run_id}'")
    trials = {run.data.tags["mlflow.runName"]: run for run in inside if "search" in run.data.params}
    wheres = ("fold 1", "fold 2", "final")
    assert set(trials) == {f"{where} trial {number}" for where in wheres for number in (1, 2)}
    searched = model.declaration["tuning"]["searches"][2]["trials"][1]
    assert trials["final trial 2"].data.metrics["trial.log_loss"] == searched["log_loss"]
    assert float(trials["final trial 2"].data.params["penalty"]) == searched["settings"]["penalty"]


def test_everything_lies_in_the_studys_own_folder(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)  # the fixture asserts that the working directory stays empty
    assert made.tracking_uri == f"sqlite:///{store / 'mlflow.db'}"
    assert {path.name for path in store.iterdir()} == {"mlflow.db", "mlartifacts"}


def test_no_pickle_is_written(store: Path, finished: Finished) -> None:
    recorded(store, finished)
    files = [path for path in store.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".skops"), path.name
        assert not path.read_bytes().startswith(b"\x80\x04"), path.name  # how a pickle begins
        assert not path.read_bytes().startswith(b"\x80\x05"), path.name


def test_the_loaded_model_predicts_to_the_bit_what_the_model_does(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)
    before = list(sys.path)
    loaded = tracking.load_for_scoring("models:/small@candidate", made.tracking_uri)
    assert sys.path == before  # processes started later find the package, not the copy beside the model
    X = finished.training.matrix()[:200]
    frame = pd.DataFrame(X, columns=list(finished.model.feature_names))
    probability = finished.model.predict(X)
    low, high = finished.model.interval(probability)
    for given in (frame, frame[frame.columns[::-1]], frame.astype(float)):  # any order, any width of number
        predicted = loaded.unwrap_python_model().estimate(given)
        assert list(predicted.columns) == ["probability", "low", "high"]  # never a label
        assert np.array_equal(predicted["probability"], probability)
        assert np.array_equal(predicted["low"], low)
        assert np.array_equal(predicted["high"], high)


def test_the_loaded_model_refuses_a_matrix_without_its_features(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)
    loaded = tracking.load_for_scoring(made.model_uri, made.tracking_uri)
    frame = pd.DataFrame({"violence_count_2y": [1.0]})
    with pytest.raises(mlflow.MlflowException, match="absence_total_1y"):
        loaded.predict(frame)
    with pytest.raises(DataRefused, match="absence_total_1y"):
        loaded.unwrap_python_model().estimate(frame)


def test_the_version_carries_signature_alias_and_fingerprint(store: Path, finished: Finished) -> None:
    made = recorded(store, finished)
    with database.opened(store, None) as client:
        version = client.get_model_version_by_alias("small", "candidate")
        signature = mlflow.models.get_model_info(made.model_uri).signature
    assert version.tags["riskmodel.model_fingerprint"] == finished.model.fingerprint
    assert version.run_id == made.run_id
    assert [column.name for column in signature.inputs] == list(finished.model.feature_names)
    assert [column.name for column in signature.outputs][:3] == ["probability", "low", "high"]


def test_a_finished_record_is_found_and_left_alone(store: Path, finished: Finished) -> None:
    first = recorded(store, finished)
    second = recorded(store, finished)
    assert first.made
    assert not second.made
    assert (second.run_id, second.model_uri, second.key) == (first.run_id, first.model_uri, first.key)
    assert len(all_runs(store)) == 1 + 3 + 3 * 2  # the run, two folds and both together, two candidates in each


def test_another_card_is_another_record(store: Path, finished: Finished, tmp_path: Path) -> None:
    first = recorded(store, finished)
    other = tmp_path / "card"
    other.mkdir()
    (other / "card.json").write_text(
        '{"fingerprint": "another", "purpose": {"name": "early-support"}}', encoding="utf-8"
    )
    second = recorded(store, finished, card=other)
    assert second.made
    assert second.key != first.key
    assert (first.model_uri, second.model_uri) == ("models:/small/1", "models:/small/2")


@pytest.mark.parametrize(
    ("module", "step"),
    [(registering, "log_model"), (nested, "write_folds"), (registering, "register"), (writing, "finish")],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_a_record_that_was_broken_off_is_made_again(
    store: Path, finished: Finished, module: ModuleType, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = getattr(module, step)

    def broken(*given: Any) -> Any:
        if step != "finish":
            whole(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, step, broken)
        with pytest.raises(KeyboardInterrupt):
            recorded(store, finished)
    made = recorded(store, finished)
    assert made.made
    kept = all_runs(store)
    assert [run.info.run_id for run in kept if run.data.tags.get(KEY) == made.key] == [made.run_id]
    assert len(kept) == 1 + 3 + 3 * 2
    with database.opened(store, None) as client:
        assert [version.run_id for version in client.search_model_versions("name = 'small'")] == [made.run_id]


def test_an_address_that_was_given_is_used(store: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = f"sqlite:///{store / 'mlflow.db'}"
    assert database.address(store / "x", elsewhere) == elsewhere
    monkeypatch.setenv("MLFLOW_TRACKING_URI", elsewhere)
    assert database.address(store / "x", None) == elsewhere
    assert recorded(store / "deep", finished).tracking_uri == elsewhere
    assert (store / "deep" / "mlartifacts").is_dir()


def test_mlflows_global_state_is_put_back(store: Path, finished: Finished) -> None:
    levels = [logging.getLogger(name).level for name in ("mlflow", "alembic")]
    recorded(store, finished)
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert not mlflow.is_tracking_uri_set()
    assert mlflow.active_run() is None
    assert [logging.getLogger(name).level for name in ("mlflow", "alembic")] == levels


def test_nothing_is_printed(store: Path, finished: Finished, capfd: pytest.CaptureFixture[str]) -> None:
    recorded(store, finished)
    assert capfd.readouterr() == ("", "")


def test_no_row_of_a_person_is_kept(store: Path, finished: Finished) -> None:
    recorded(store, finished)
    texts = [path for path in store.rglob("*") if path.suffix in (".csv", ".json", ".yaml", ".txt", ".md")]
    assert texts
    assert not any("entity_id" in path.read_text(encoding="utf-8") for path in texts)


def test_telemetry_is_off() -> None:
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
