"""The learners a study can name, behind one face: frozen settings learn, and what has learned predicts.

Settings are what a study declares; `fitted` is what came of them. The two are never one object, so a declaration can
be hashed, compared and written on a card before a row was read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.models.boosting import LightGBM
from riskmodel.models.comparators import BaseRate, BestCount, CurrentPractice
from riskmodel.models.curves import ExplainableBoosting
from riskmodel.models.fitted import DOCUMENT, Fitted, Matrix, restored
from riskmodel.models.logistic import Logistic
from riskmodel.models.metrics import Numbers
from riskmodel.models.points import PointsScore
from riskmodel.models.stack import Stack, parts_from_documents

__all__ = [
    "BaseRate",
    "BestCount",
    "CurrentPractice",
    "ExplainableBoosting",
    "Fitted",
    "Learner",
    "LightGBM",
    "Logistic",
    "PointsScore",
    "Stack",
    "fitted",
    "learner_from_document",
    "load_fitted",
]


class Learner(Protocol):
    """Settings that can learn.

    Attributes
    ----------
    kind : str, such as "lightgbm": its name in tables
    inputs : the columns it reads; None is all features
    """

    kind: ClassVar[str]

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The columns it reads; None is all features."""
        ...

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        ...

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> Fitted:
        """Learn."""
        ...


_SETTINGS: dict[str, Any] = {
    made.kind: made
    for made in (LightGBM, ExplainableBoosting, Logistic, PointsScore, Stack, BaseRate, BestCount, CurrentPractice)
}


def fitted(
    learner: Learner,
    X: Matrix,
    outcome: Numbers,
    names: tuple[str, ...] | None = None,
    threads: int = 1,
    people: npt.NDArray[np.int64] | None = None,
) -> Fitted:
    """Teach a learner.

    Parameters
    ----------
    learner : frozen settings
    X : (n_rows, n_features) float32, NaN where missing
    outcome : (n_rows,) float64, 0 or 1; unknown outcomes have to be left out before
    names : feature names in column order; None names them by number
    threads : int, 0 is one a core; never changes what is learned. On a busy machine one is the fastest: threads
        of one learner wait for each other
    people : (n_rows,) whose row each is, for learners that judge parts of their own; None is a person a row

    Examples
    --------
    >>> X = np.repeat(np.arange(4, dtype=np.float32), 10)[:, None]
    >>> made = fitted(BestCount(), X, np.repeat([0.0, 0, 1, 1], 10), ("arrests",))
    >>> made.chosen, made.predict(X[::10]).round(3).tolist()
    ('arrests', [0.024, 0.262, 0.738, 0.976])
    """
    names = tuple(f"x{column}" for column in range(X.shape[1])) if names is None else names
    if X.ndim != 2 or X.shape[0] != len(outcome) or X.shape[1] != len(names):
        raise DataRefused(
            "matrix-shape",
            found=f"a matrix of shape {X.shape} with {len(outcome)} outcomes and {len(names)} names",
            expected="one outcome a row and one name a column",
            repair="Pass the three from the same training set.",
        )
    if not np.isin(outcome, (0.0, 1.0)).all() or len(np.unique(outcome)) < 2:
        raise DataRefused(
            "one-outcome-only",
            found=f"{len(outcome)} rows that teach, {int(np.sum(outcome == 1))} with the outcome, "
            f"{int(np.sum(outcome == 0))} without, {int(np.sum(np.isnan(outcome)))} unknown",
            expected="rows with and rows without the outcome, none unknown",
            repair="Check the outcome's definition and the dates; ask for fewer folds.",
        )
    # Small linear algebra on many threads waits more than it works.
    with threadpool_limits(1, user_api="blas"):
        if isinstance(learner, Stack):
            return learner.fitted(X, outcome, names, threads, people)
        return learner.fitted(X, outcome, names, threads)


def learner_from_document(document: Mapping[str, Any]) -> Learner:
    """Settings from their JSON document or from a study's table; refuses kinds and names it does not know."""
    kind = document.get("kind")
    if kind not in _SETTINGS:
        raise DeclarationError.of(
            "learner-unknown",
            where="model.kind",
            found=repr(kind),
            expected=f"one of {', '.join(sorted(_SETTINGS))}",
            repair="Choose one of them.",
        )
    settings = {name: value for name, value in document.items() if name != "kind"}
    known = set(_SETTINGS[kind].__dataclass_fields__) - {"kind", "inputs"}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise DeclarationError.of(
            "learner-setting-unknown",
            where=f"model.{unknown[0]}",
            found=", ".join(unknown),
            expected=f"settings of {kind}: {', '.join(sorted(known)) or 'none'}",
            repair="Correct the names or leave them out.",
        )
    if isinstance(settings.get("among"), list):
        settings["among"] = tuple(settings["among"])
    if isinstance(settings.get("of"), list):
        settings["of"] = parts_from_documents(settings["of"])
    made: Learner = _SETTINGS[kind](**settings)
    return made


def load_fitted(folder: Path) -> Fitted:
    """What `Fitted.save` wrote; nothing in the folder is run as code."""
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        files = {name: (folder / Path(name).name).read_text(encoding="utf-8") for name in document["files"]}
        return restored(document, files)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise EvidenceError(
            "model-damaged",
            found=f"a saved learner that cannot be read ({type(error).__name__})",
            expected="the files as they were written",
            repair="Fit the model again, or copy the folder again.",
        ) from error
