"""A model that somebody else recorded is opened only when that can run nothing; each way in has a planted act."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import mlflow.lightgbm
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from riskmodel.errors import DataRefused, NotPermitted
from riskmodel.tracking.found_models import TRUSTED, opened

Save = Callable[..., Path]
DRAW = np.random.default_rng(4)
ROWS = pd.DataFrame({"age": DRAW.normal(size=200), "calls": DRAW.poisson(2, 200), "area": DRAW.choice(["n", "s"], 200)})
TRUE = (DRAW.random(200) < 0.4).astype(int)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save a model as MLflow would; returns its folder."""

    def saved(flavour: Any, model: Any, **how: Any) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flavour.save_model(model, tmp_path / "model", pip_requirements=[], **how)
        return tmp_path / "model"

    return saved


@pytest.mark.parametrize(
    "model", [LogisticRegression(), RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=3)]
)
def test_skops_of_known_types_is_opened(save: Save, model: Any) -> None:
    fitted = make_pipeline(
        make_column_transformer((OneHotEncoder(sparse_output=False), ["area"]), remainder="passthrough"), model
    ).fit(ROWS, TRUE)
    found = opened(save(mlflow.sklearn, fitted, skops_trusted_types=list(TRUSTED)))
    assert found.columns == ("age", "calls", "area")
    assert found.kind == f"{type(model).__name__}, kept as skops"
    shuffled = ROWS[["area", "calls", "age"]]
    assert np.array_equal(found.scores(shuffled), fitted.predict_proba(ROWS)[:, 1])


def test_lightgbms_own_text_is_opened(save: Save) -> None:
    numbers = ROWS[["age", "calls"]]
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(numbers, TRUE), 3)
    found = opened(save(mlflow.lightgbm, booster))
    assert found.columns == ("age", "calls")
    assert np.array_equal(found.scores(ROWS), booster.predict(numbers))


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.place),)


def test_a_pickle_is_not_opened_whatever_it_says_it_is(save: Save, tmp_path: Path) -> None:
    import pickle

    ran = tmp_path / "ran"
    folder = save(mlflow.sklearn, LogisticRegression().fit(ROWS[["age"]], TRUE), serialization_format="cloudpickle")
    (folder / "model.pkl").write_bytes(pickle.dumps(Planted(ran)))
    with pytest.raises(NotPermitted, match="kept as cloudpickle, which can run anything") as refusal:
        opened(folder)
    assert "scores as a column" in refusal.value.repair
    shutil.copy(folder / "model.pkl", folder / "model.skops")
    for lie in ("model.pkl", "model.skops"):  # the description says skops, the file is a pickle
        text = (folder / "MLmodel").read_text().replace("cloudpickle", "skops")
        (folder / "MLmodel").write_text(text.replace("model.pkl", lie))
        with pytest.raises((NotPermitted, DataRefused)):
            opened(folder)
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(ROWS[["age"]], TRUE), 1)
    shutil.rmtree(folder)
    (save(mlflow.lightgbm, booster) / "model.lgb").write_bytes(pickle.dumps(Planted(ran)))
    with pytest.raises(NotPermitted, match="a LightGBM model kept as pickle"):
        opened(folder)
    assert not ran.exists()


def shouted(rows: Any) -> Any:
    return rows


def test_a_list_of_trusted_types_that_came_with_the_model_is_not_trusted(save: Save) -> None:
    own = f"{shouted.__module__}.shouted"
    fitted = make_pipeline(FunctionTransformer(shouted), LogisticRegression()).fit(ROWS[["age"]], TRUE)
    folder = save(mlflow.sklearn, fitted, skops_trusted_types=[own, *TRUSTED])
    with pytest.raises(NotPermitted, match=f"a skops file with {own}"):
        opened(folder)


def test_code_is_not_run(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        "import mlflow, pathlib\n"
        "class Model(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input):\n        return model_input\n"
        "mlflow.models.set_model(Model())\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.pyfunc.save_model(tmp_path / "kept", python_model=str(code), pip_requirements=[])
    (tmp_path / "kept" / "code.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    with pytest.raises(NotPermitted, match="a model kept as Python code"):
        opened(tmp_path / "kept")
    assert not (tmp_path / "ran").exists()


def test_a_file_outside_the_folder_is_not_read(save: Save, tmp_path: Path) -> None:
    folder = save(mlflow.sklearn, LogisticRegression().fit(ROWS[["age"]], TRUE), skops_trusted_types=list(TRUSTED))
    shutil.move(folder / "model.skops", tmp_path / "model.skops")
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text().replace("model.skops", "../model.skops"))
    with pytest.raises(DataRefused, match="not in its folder"):
        opened(folder)


def test_what_tells_no_probability_is_refused(save: Save) -> None:
    folder = save(mlflow.sklearn, LinearRegression().fit(ROWS[["age"]], TRUE), skops_trusted_types=list(TRUSTED))
    with pytest.raises(DataRefused, match="without a probability of 1 against 0"):
        opened(folder)


def test_rows_it_does_not_take_are_refused_without_a_cell(save: Save) -> None:
    fitted = LogisticRegression().fit(ROWS[["age", "calls"]], TRUE)
    found = opened(save(mlflow.sklearn, fitted, skops_trusted_types=list(TRUSTED)))
    with pytest.raises(DataRefused, match="a table without calls"):
        found.scores(ROWS[["age"]])
    with pytest.raises(DataRefused, match="model-refused-rows") as refusal:
        found.scores(ROWS.assign(age="Susan Example"))
    assert "Susan" not in str(refusal.value)
    assert refusal.value.__cause__ is None
