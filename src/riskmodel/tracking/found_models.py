"""Models that others recorded, opened only when opening them can run nothing.

Two forms are opened: LightGBM's own text, and skops files in which every type is one of those that scikit-learn and
skops vouch for or stands on the fixed list here. A list that came with the model is not trusted. Pickled models and
models kept as code are never opened: their scores are then given as a column. A damaged file may fail; it runs nothing.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmodel.errors import DataRefused, NotPermitted
from riskmodel.models.metrics import Numbers
from riskmodel.tracking.library import Model

TRUSTED: Final = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""Types beyond those skops vouches for: they hold numbers and settings, and none calls what it is given."""
_TEXT_BEGINS: Final = b"tree\n"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model as MLflow keeps it.

    Attributes
    ----------
    kind : str, what it is, in words
    fingerprint : str, SHA-256 of the file that is the model
    columns : tuple of the columns it asks for, in its order; empty when it does not say
    probability : function of a frame with those columns to (n,) float64
    """

    kind: str
    fingerprint: str
    columns: tuple[str, ...]
    probability: Callable[[pd.DataFrame], Any] = field(repr=False)

    def scores(self, frame: pd.DataFrame, columns: Sequence[str] = ()) -> Numbers:
        """The probability of the outcome for each row of (n,) a frame.

        Parameters
        ----------
        frame : with the model's columns, in any order
        columns : what the model takes, in its order, where it does not say so itself

        Raises
        ------
        DataRefused : columns are missing or not known, or the model refuses the rows
        """
        wanted = list(self.columns or columns)
        absent = [name for name in wanted if name not in frame.columns]
        if absent or not wanted:
            raise DataRefused(
                "features-missing",
                found=f"a table without {', '.join(absent)}" if absent else "a model that does not name its columns",
                expected="every column that the model takes",
                repair="Give a table with the columns the model was made from, or name them as `features`.",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of names that an array had and a frame has not
                return np.asarray(self.probability(frame[wanted]), np.float64)
        except Exception as error:  # a foreign model may fail in any way, and its words may hold a cell
            raise DataRefused(
                "model-refused-rows",
                found=f"rows that the model does not take ({type(error).__name__})",
                expected="the columns with the types it was made from",
                repair="Prepare the table as it was prepared for the model, or give the scores as a column.",
            ) from None


def opened(folder: Path) -> FoundModel:
    """The model in a folder that MLflow wrote.

    Raises
    ------
    NotPermitted : opening it could run what somebody put into it
    DataRefused : the file is no such model, or tells no probability of a yes
    """
    described = _described(folder)
    flavours: Mapping[str, Any] = described.flavors
    columns = _signed(described)
    if "lightgbm" in flavours:
        return _lightgbm(folder, flavours["lightgbm"], columns)
    if "sklearn" in flavours:
        return _scikit(folder, flavours["sklearn"], columns)
    raise _may_run(f"a model kept as {', '.join(sorted(set(flavours) - {'python_function'})) or 'Python code'}")


def fingerprint_of(folder: Path) -> str:
    """SHA-256 over the files that are the model, without opening them; what MLflow writes beside them is left out."""
    flavours: Mapping[str, Any] = _described(folder).flavors
    named = {
        str(flavour[key])
        for flavour in flavours.values()
        for key in ("data", "pickled_model", "python_model", "model_path", "model_code_path")
        if isinstance(flavour, dict) and flavour.get(key)
    }
    digest = hashlib.sha256()
    for name in sorted(named):
        path = _inside(folder, name)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.relative_to(folder)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _lightgbm(folder: Path, flavour: Mapping[str, Any], columns: tuple[str, ...]) -> FoundModel:
    path = _inside(folder, str(flavour.get("data", "")))
    if path.suffix == ".skops":
        return _from_skops(path, fingerprint_of(folder), columns)
    with path.open("rb") as file:
        if file.read(len(_TEXT_BEGINS)) != _TEXT_BEGINS:
            raise _may_run("a LightGBM model kept as pickle")
    import lightgbm

    try:
        booster = lightgbm.Booster(model_file=str(path))
    except lightgbm.basic.LightGBMError:
        raise _no_model("a LightGBM text that cannot be read") from None
    if booster.num_model_per_iteration() != 1:
        raise _no_model("a LightGBM model of several classes")
    names = tuple(booster.feature_name())
    own = () if all(re.fullmatch(r"Column_\d+", name) for name in names) else names
    return FoundModel("LightGBM, kept as its own text", fingerprint_of(folder), own or columns, booster.predict)


def _scikit(folder: Path, flavour: Mapping[str, Any], columns: tuple[str, ...]) -> FoundModel:
    kept = str(flavour.get("serialization_format") or "pickle")
    path = _inside(folder, str(flavour.get("pickled_model", "")))
    if kept != "skops" or path.suffix != ".skops":
        raise _may_run(f"a scikit-learn model kept as {kept}")
    return _from_skops(path, fingerprint_of(folder), columns)


def _from_skops(path: Path, fingerprint: str, columns: tuple[str, ...]) -> FoundModel:
    import skops.io

    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        if strange:
            raise _may_run(f"a skops file with {', '.join(strange[:5])}")
        model = skops.io.load(path, trusted=list(TRUSTED))
    except NotPermitted:
        raise
    except Exception as error:  # a file of somebody else's making may fail in any way
        raise _no_model(f"a skops file that cannot be read ({type(error).__name__})") from None
    classes = list(getattr(model, "classes_", ()))
    if len(classes) != 2 or 1 not in classes or not hasattr(model, "predict_proba"):
        raise _no_model("a model without a probability of 1 against 0")
    yes = classes.index(1)
    named = tuple(str(name) for name in getattr(model, "feature_names_in_", ()))
    kind = f"{_kind(model)}, kept as skops"
    return FoundModel(kind, fingerprint, named or columns, lambda frame: model.predict_proba(frame)[:, yes])


def _kind(model: Any) -> str:
    """The class of the model; of a pipeline, of its last step."""
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__


def _described(folder: Path) -> Any:
    """What MLflow wrote about the model: plain values, which run nothing when read."""
    try:
        return Model.load(str(folder))
    except Exception as error:  # a file of somebody else's making may fail in any way
        raise _no_model(f"a folder without a readable file MLmodel ({type(error).__name__})") from None


def _signed(described: Any) -> tuple[str, ...]:
    """The input columns of the signature, when it names them."""
    inputs = described.signature.inputs if described.signature else None
    return tuple(str(name) for name in inputs.input_names()) if inputs is not None and inputs.has_input_names() else ()


def _inside(folder: Path, name: str) -> Path:
    """A file of the model; refuses a name that leads out of its folder."""
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()) or not path.exists():
        raise _no_model("a model whose file is not in its folder")
    return path


def _may_run(found: str) -> NotPermitted:
    return NotPermitted(
        "model-not-opened",
        found=f"{found}, which can run anything when it is opened",
        expected="LightGBM's own text, or skops with types that are known to be safe",
        repair="Leave it closed: score the rows where the model was made, and give the scores as a column.",
    )


def _no_model(found: str) -> DataRefused:
    return DataRefused(
        "model-unreadable",
        found=found,
        expected="a model that MLflow recorded, with a probability of yes",
        repair="Give the scores as a column.",
    )
