"""Searching for settings: inside the rows that teach, the same every time, taken up where it was left."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, LightGBM, Logistic, PointsScore
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds, PlaceFolds
from riskmodel.models.tuning import Journal, Teaching, Tuned, searched

PENALTY = Tuned(Logistic(penalty=1e5), {"penalty": (0.1, 1e6, "log")}, trials=5, seed=1)


def rows(n: int = 600, where: str = "fold 1") -> Teaching:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n, 3)).astype(np.float32)
    y = (generator.random(n) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(float)
    return Teaching(where, "origin", X, y, np.arange(n) // 2, ("a", "b", "c"))


def test_the_search_finds_better_settings_than_those_it_starts_from():
    found = searched(PENALTY, rows())
    assert found.trials[0].settings == {"penalty": 1e5}
    assert found.learner.penalty < 1e4
    losses = [trial.log_loss for trial in found.trials]
    assert min(losses) < losses[0] - 0.01
    assert found.learner.penalty == found.trials[int(np.argmin(losses))].settings["penalty"]


def test_a_search_is_the_same_every_time_and_another_in_another_fold():
    assert searched(PENALTY, rows()).document() == searched(PENALTY, rows()).document()
    assert searched(PENALTY, rows()).trials[3] != searched(PENALTY, rows(where="fold 2")).trials[3]


def test_a_search_is_taken_up_where_it_was_left(tmp_path):
    path = tmp_path / "trials.jsonl"
    whole = searched(PENALTY, rows(), Journal(path))
    lines = path.read_text().splitlines()
    assert len(lines) == 5
    # The first two trials are kept, with losses that no fit would give; the third line was cut off by a crash.
    kept = [json.dumps({**json.loads(line), "log_loss": 0.25}) for line in lines[:2]]
    path.write_text("\n".join([*kept, lines[2][:20]]) + "\n")
    again = searched(PENALTY, rows(), Journal(path))
    assert [trial.log_loss for trial in again.trials[:2]] == [0.25, 0.25]  # not fitted again
    assert again.trials[2].log_loss != 0.25
    path.write_text("\n".join(lines[:3]) + "\n")
    assert searched(PENALTY, rows(), Journal(path)).document() == whole.document()


def test_settings_of_every_form():
    tuned = Tuned(LightGBM(rounds=5), {"leaves": (2, 6), "feature_share": ("one of", 0.5, 1.0)}, trials=4)
    found = searched(tuned, rows())
    assert all(2 <= trial.settings["leaves"] <= 6 for trial in found.trials)
    assert {trial.settings["feature_share"] for trial in found.trials} <= {0.5, 1.0}


def test_what_means_nothing_is_refused_at_once():
    with pytest.raises(DeclarationError) as refused:
        Tuned(PointsScore(), {"items": (10, 3), "depth": (1, 2)}, trials=1)
    assert len(refused.value.faults) == 3
    assert "Tuned" not in str(refused.value)


def test_inside_a_fit_the_rows_that_judge_are_never_searched(quarterly: TrainingSet):
    tuned = Tuned(Logistic(penalty=1e4), {"penalty": (0.1, 1e5, "log")}, trials=3, seed=1)
    plain = fit(quarterly, tuned, ForwardFolds(2), comparators=(BaseRate(),), replicates=100)
    searches = plain.declaration["tuning"]["searches"]
    assert [search["where"] for search in searches] == ["fold 1", "fold 2", "final"]
    assert plain.learner.document() == searches[-1]["chosen"]
    # Turn every outcome of the last test period round: what its fold searched and predicted stays as it was.
    start = np.datetime64(plain.evaluation.folds[-1]["test_from"], "us")
    table = quarterly.table
    late = table["as_of"].to_numpy() >= start
    outcome = quarterly.outcome()
    turned = pa.array(np.where(late, 1 - outcome, outcome), mask=np.isnan(outcome)).cast(pa.int8(), safe=False)
    changed = TrainingSet.of(table.set_column(2, "outcome", turned), horizon=quarterly.horizon)
    again = fit(changed, tuned, ForwardFolds(2), comparators=(BaseRate(),), replicates=100)
    assert again.declaration["tuning"]["searches"][:2] == searches[:2]
    assert again.evaluation.predictions["p"].equals(plain.evaluation.predictions["p"])


def test_a_tuned_model_reads_back(quarterly: TrainingSet, tmp_path):
    tuned = Tuned(Logistic(), {"penalty": (1.0, 100.0)}, trials=2)
    journal = tmp_path / "trials.jsonl"
    made = fit(quarterly, tuned, ForwardFolds(2), comparators=(), replicates=100, journal=journal)
    made.save(tmp_path / "model")
    assert RiskModel.load(tmp_path / "model").fingerprint == made.fingerprint
    assert len(journal.read_text().splitlines()) == 6  # two trials in each of two folds and at the end


def placed(quarterly: TrainingSet) -> TrainingSet:
    n = quarterly.table.num_rows
    names = np.array(["north", "south", "east", None], dtype=object)[np.arange(n) // 12 % 4]  # a place a person
    return TrainingSet.of(quarterly.table.append_column("group:area", pa.array(names)), horizon=quarterly.horizon)


def test_one_place_after_the_other_is_held_out(quarterly: TrainingSet):
    made = fit(placed(quarterly), Logistic(), PlaceFolds("area"), comparators=(BaseRate(),), replicates=100)
    folds = made.evaluation.folds
    assert [fold["place"] for fold in folds] == ["east", "north", "south"]
    assert {fold["test_rows"] for fold in folds} == {100 * 11}
    assert {fold["train_rows"] for fold in folds} == {300 * 11}  # those of unknown place teach
    assert made.evaluation.counts["judged"] == 3300


def test_places_that_cannot_be_held_out_are_refused(quarterly: TrainingSet):
    with pytest.raises(DeclarationError, match="a group of the training set: sex"):
        fit(quarterly, Logistic(), PlaceFolds("area"))
    with pytest.raises(DataRefused, match="0 places of 4"):
        fit(placed(quarterly), Logistic(), PlaceFolds("area", least=2000))
    with pytest.raises(DeclarationError):
        PlaceFolds("", 0)
