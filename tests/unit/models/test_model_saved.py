"""The model on disk and in the hand: the same bytes, refused when altered, silent about people."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.features import count, ever
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.rules import RULES
from riskmodel.models.fit import fit
from riskmodel.models.learners import LightGBM, Logistic
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.similar import SimilarCases
from riskmodel.models.splits import ForwardFolds
from riskmodel.models.uncertainty import rate_interval


def test_saved_loaded_and_saved_again_is_the_same_to_the_byte(fitted_model, quarterly, tmp_path):
    fitted_model.save(tmp_path / "first")
    again = RiskModel.load(tmp_path / "first")
    again.save(tmp_path / "second")
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "second").iterdir())
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()
    X = quarterly.matrix()
    assert again.predict(X).tobytes() == fitted_model.predict(X).tobytes()
    assert again.fingerprint == fitted_model.fingerprint
    assert again.evaluation.figure("auroc") == fitted_model.evaluation.figure("auroc")


def test_without_rows_it_is_the_same_model(fitted_model, quarterly, tmp_path):
    fitted_model.without_rows().save(tmp_path)
    again = RiskModel.load(tmp_path)
    assert again.evaluation.predictions.num_rows == 0
    assert again.evaluation.predictions.schema == fitted_model.evaluation.predictions.schema
    kept = fitted_model.evaluation.counts
    assert again.evaluation.counts == {name: RULES["hes"].rounded(count) for name, count in kept.items()}
    assert again.fingerprint == fitted_model.fingerprint
    assert again.predict(quarterly.matrix()).tobytes() == fitted_model.predict(quarterly.matrix()).tobytes()
    pq.write_table(fitted_model.evaluation.roc, tmp_path / "predictions.parquet")
    with pytest.raises(EvidenceError, match="model-altered"):
        RiskModel.load(tmp_path)


def test_no_file_is_a_pickle(fitted_model, tmp_path):
    fitted_model.save(tmp_path)
    for path in tmp_path.iterdir():
        assert path.suffix in (".json", ".txt", ".parquet")
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, it must not load
            pickle.loads(path.read_bytes())  # noqa: S301 - shows that it is none


@pytest.mark.parametrize("learner", [LightGBM(rounds=5), Logistic()], ids=["lightgbm", "logistic"])
@pytest.mark.parametrize("method", ["isotonic", "sigmoid", None])
def test_every_learner_and_calibration_comes_back(quarterly, tmp_path, learner, method):
    model = fit(quarterly, learner, ForwardFolds(2), calibrate=method, comparators=(), replicates=100)
    model.save(tmp_path)
    X = quarterly.matrix()[:50]
    assert RiskModel.load(tmp_path).predict(X).tobytes() == model.predict(X).tobytes()


def test_feature_nodes_come_back(quarterly, tmp_path):
    nodes = [count("caution"), ever("arson")]
    names = {"arrests": nodes[0].name, "injuries": nodes[1].name}
    table = quarterly.table.drop_columns(["moves", "level", "constant"])
    table = table.rename_columns([names.get(name, name) for name in table.column_names])
    made = TrainingSet.of(table, features=nodes, horizon=quarterly.horizon)
    fit(made, Logistic(), ForwardFolds(2), comparators=(), replicates=100).save(tmp_path)
    again = RiskModel.load(tmp_path)
    assert list(again.features) == nodes
    assert again.feature_names == tuple(node.name for node in nodes)


def test_an_altered_model_is_refused(fitted_model, tmp_path):
    fitted_model.save(tmp_path)
    path = tmp_path / "learner.json"
    document = json.loads(path.read_text())
    document["names"] = list(reversed(document["names"]))
    path.write_text(json.dumps(document))
    with pytest.raises(EvidenceError, match="model-altered"):
        RiskModel.load(tmp_path)
    (tmp_path / "metrics.parquet").unlink()
    with pytest.raises(EvidenceError, match="model-damaged"):
        RiskModel.load(tmp_path)


def test_the_trees_cannot_be_altered_unseen(fitted_model, tmp_path):
    fitted_model.save(tmp_path)
    path = tmp_path / "booster.txt"
    text = path.read_text()
    path.write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(EvidenceError, match="model-altered"):
        RiskModel.load(tmp_path)


def test_one_setting_more_is_another_fingerprint(quarterly, fitted_model):
    other = fit(quarterly, LightGBM(seed=8, rounds=20, leaves=4), ForwardFolds(2), comparators=(), replicates=100)
    assert other.fingerprint != fitted_model.fingerprint


def test_nothing_printed_holds_a_row(fitted_model, quarterly):
    shown = " ".join(
        [repr(fitted_model), repr(fitted_model.evaluation), repr(fitted_model.similar), repr(fitted_model.fitted)]
    )
    assert not any(str(entity) in shown for entity in quarterly.people()[:200])
    assert "4400 rows with a known outcome" in repr(fitted_model)
    assert len(repr(fitted_model.fitted)) < 300


def test_infinite_values_are_refused(fitted_model, quarterly):
    X = quarterly.matrix()[:3].copy()
    X[1, 0] = np.inf
    with pytest.raises(DataRefused, match="1 infinite"):
        fitted_model.predict(X)


def test_similar_cases_are_counted_from_rows_not_seen(fitted_model):
    rows = fitted_model.evaluation.predictions
    p, y = rows["p"].to_numpy(), rows["outcome"].to_numpy()
    similar = fitted_model.similar
    bands = similar.band(p)
    assert np.bincount(bands).min() >= 100
    assert min(np.bincount(bands, y).min(), np.bincount(bands, 1 - y).min()) >= 8
    at = float(np.quantile(p, 0.8))
    told = fitted_model.natural_frequency(at)
    band = int(similar.band(np.array([at]))[0])
    lower = similar.upper[band - 1] if band else -1
    inside = (p > lower) & (p <= similar.upper[band])
    to_five = RULES["hes"].rounded
    assert (told.similar, told.with_outcome) == (to_five(int(inside.sum())), to_five(int(y[inside].sum())))
    assert (told.low, told.high) == pytest.approx(
        rate_interval(y[inside].astype(float), rows["entity_id"].to_numpy()[inside]), rel=1e-3
    )
    assert told.sentence.startswith(
        f"Of {told.similar} past cases of {told.people} people with a similar score, {told.with_outcome} had"
    )


def test_the_interval_holds_the_probability_and_lies_in_zero_to_one(fitted_model):
    p = np.linspace(0, 1, 101)
    low, high = fitted_model.interval(p)
    assert ((low >= 0) & (low <= p) & (p <= high) & (high <= 1)).all()


def test_few_rows_make_one_band():
    cases = SimilarCases.of(np.linspace(0.1, 0.4, 30), np.tile([0.0, 0, 1], 10), np.arange(30))
    assert cases.rows.tolist() == [30]
    assert cases.natural_frequency(0.9).with_outcome == 10
    assert SimilarCases.from_document(cases.document()).document() == cases.document()


def test_the_settings_alone_load_no_heavy_library():
    code = (
        "import sys; import riskmodel; riskmodel.LightGBM(seed=1); riskmodel.ForwardFolds(4); "
        "print([name for name in ('lightgbm', 'sklearn', 'shap', 'mlflow', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
