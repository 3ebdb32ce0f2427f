"""A model's files before and after scrubbing: what an attacker reads out of them, and that predictions stay."""

from __future__ import annotations

import pickle
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.governance.model_files import leaks, must_give_nothing_away, scrubbed
from riskmodel.seeds import stream

PLANTED = 123456.75
"""One person's arrears: the largest of all."""


def grown(*, least: int = 20) -> tuple[lightgbm.Booster, np.ndarray]:
    rng = stream(5, "model files")
    X = rng.normal(size=(400, 3))
    X[::7, 1] = np.nan
    X[:, 2] = rng.integers(0, 6, 400)
    X[17, 0] = PLANTED
    outcome = (np.nan_to_num(X[:, 1]) + (X[:, 2] > 3) + rng.normal(size=400) > 1).astype(int)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": least, "seed": 1}
    data = lightgbm.Dataset(X, outcome, categorical_feature=[2])
    return lightgbm.train(settings, data, 8), X


def found(folder: Path) -> set[str]:
    return {leak.code for leak in leaks(folder)}


def test_attack_reading_the_largest_value_out_of_the_model_file(tmp_path: Path) -> None:
    text = grown()[0].model_to_string()
    (tmp_path / "model.txt").write_text(text)
    assert str(PLANTED) in text  # the attack works on the file as LightGBM writes it
    assert found(tmp_path) == {"feature-range"}
    (tmp_path / "model.txt").write_text(scrubbed(text))
    assert str(PLANTED) not in scrubbed(text)
    assert leaks(tmp_path) == ()
    must_give_nothing_away(tmp_path)


def test_predictions_and_contributions_stay_bit_for_bit() -> None:
    booster, X = grown()
    clean = lightgbm.Booster(model_str=scrubbed(booster.model_to_string()))
    assert np.array_equal(booster.predict(X), clean.predict(X))
    assert np.array_equal(booster.predict(X, pred_contrib=True), clean.predict(X, pred_contrib=True))


def test_scrubbing_twice_changes_nothing() -> None:
    once = scrubbed(grown()[0].model_to_string())
    assert scrubbed(once) == once
    assert scrubbed(lightgbm.Booster(model_str=once).model_to_string()) == once


def test_leaves_of_single_people_are_found(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text(scrubbed(grown(least=1)[0].model_to_string()))
    assert found(tmp_path) == {"small-leaf"}


def test_category_labels_are_found_and_taken_out(tmp_path: Path) -> None:
    text = scrubbed(grown()[0].model_to_string())
    labelled = text.replace("pandas_categorical:null", 'pandas_categorical:[["Rare Street", "High Street"]]')
    (tmp_path / "model.txt").write_text(labelled)
    assert found(tmp_path) == {"category-labels"}
    assert "Rare Street" not in scrubbed(labelled)


@pytest.mark.parametrize("name", ["model.bin", "model.pkl"])
def test_pickles_are_found_whatever_they_are_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"a": [1, 2]}))
    assert found(tmp_path) == {"pickle"}


def test_tables_of_people_and_pseudonyms_in_texts_are_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    pq.write_table(pa.table({"entity_id": [1, 2], "p": [0.1, 0.2]}), tmp_path / "deep" / "predictions.parquet")
    pq.write_table(pa.table({"metric": ["auroc"], "value": [0.7]}), tmp_path / "figures.parquet")
    (tmp_path / "notes.json").write_text('{"case": "P-00000000000000ff"}')
    assert [(leak.file, leak.code) for leak in leaks(tmp_path)] == [
        ("deep/predictions.parquet", "people-in-table"),
        ("notes.json", "pseudonyms-in-text"),
    ]


def test_a_refusal_names_files_and_counts_and_no_value(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text(grown()[0].model_to_string())
    with pytest.raises(EvidenceError, match="3 features") as refused:
        must_give_nothing_away(tmp_path)
    assert str(PLANTED) not in str(refused.value)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(DataRefused, match="not-a-lightgbm-text"):
        scrubbed("Tree of life")
