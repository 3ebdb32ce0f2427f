"""The model as MLflow serves it: rows of features in, the columns of an advisory list out, never a label.

What comes out of ``predict`` is advice on people, from the same code and behind the same gates as a list: a purpose
in force, an approval for exactly this model and the card it was recorded with, on record in the ledger, records that
are fresh enough, and people like those the model learned from. So it is in a Spark function, in which every executor
asks. `estimate` is for judging the model on rows of the past. Neither carries a threshold.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import riskmodel
from riskmodel.advisory.footing import Footing
from riskmodel.advisory.rows import COLUMNS, advice_columns, score_rows
from riskmodel.dates import parse_date
from riskmodel.errors import DataRefused
from riskmodel.governance.approvals import Approval, approval_missing
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.models.fitted import Matrix
from riskmodel.models.risk_model import RiskModel
from riskmodel.tracking.cards import CARD
from riskmodel.tracking.library import ColSpec, DataType, ModelSignature, ParamSchema, ParamSpec, PythonModel, Schema

LEFT_OUT = ("board", "cards", "cli", "policies", "population", "studies", "world")
"""The parts of the package that scoring a matrix under an approval does not need."""
ESTIMATES = ("probability", "low", "high")
FIGURES = (*ESTIMATES, "similar_cases", "of_whom_with_outcome", "made_again_low", "made_again_high")
PARAMETERS = ("approval", "ledger", "as_of", "delivered_until", "asked_by")
"""What ``predict`` needs beside the rows: the paths of the signed approval and of the ledger that has it, on which day
the features were known, until when every agency had delivered, and the role that asks."""


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow has no type information
    """Predicts for a frame that holds the model's features, in any column order."""

    def load_context(self, context: Any) -> None:
        """Load the saved model from the artefacts, and what it was recorded with."""
        self.model = RiskModel.load(Path(context.artifacts["model"]))
        basis = json.loads(Path(context.artifacts["basis"]).read_text(encoding="utf-8"))
        self.card, self.purpose, self.outcome = basis[CARD], basis["purpose"], basis["outcome"]
        footing = context.artifacts.get("footing")
        self.footing = None if footing is None else Footing.load(footing)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The advice on each row, as a list has it, under an approval.

        Parameters
        ----------
        context : unused
        model_input : DataFrame with at least the model's features, NaN where missing
        params : those of `PARAMETERS`; paths are on this machine, days ISO texts; no parameter changes a prediction

        Returns
        -------
        DataFrame with the columns of `advisory.rows.COLUMNS`, indexed as the input; figures are NaN and texts empty
        where there is nothing to say, and the columns for the review are empty

        Raises
        ------
        NotPermitted : no approval, or none in force today for this model, its card and its purpose
        DataRefused : records end too early, or the people are no longer like those who taught the model
        """
        del context
        given = {name: str((params or {}).get(name) or "") for name in PARAMETERS}
        if not given["approval"] or not given["ledger"]:
            raise approval_missing()
        until = given["delivered_until"]
        made = score_rows(
            self.model,
            self._matrix(model_input),
            np.arange(len(model_input)),
            parse_date(given["as_of"], "params.as_of"),
            Approval.load(given["approval"]),
            card=self.card,
            purpose=Purpose.from_mapping(self.purpose),
            ledger=Ledger(Path(given["ledger"])),
            delivered_until=parse_date(until, "params.delivered_until") if until else None,
            outcome=self.outcome,
            role=given["asked_by"] or "not stated",
            footing=self.footing,
        )
        columns = {
            name: column.to_numpy(zero_copy_only=False).astype(np.float64)
            if name in FIGURES
            else ["" if each is None else str(each) for each in column.to_pylist()]
            for name, column in zip(COLUMNS, advice_columns(made).columns, strict=True)
        }
        return pd.DataFrame(columns, index=model_input.index)

    def estimate(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """The same figures for judging the model on rows of the past. They are not advice on anybody."""
        probability = self.model.predict(self._matrix(model_input))
        low, high = self.model.interval(probability)
        return pd.DataFrame(dict(zip(ESTIMATES, (probability, low, high), strict=True)), index=model_input.index)

    def _matrix(self, model_input: pd.DataFrame) -> Matrix:
        """The model's features of each row, in its order."""
        names = list(self.model.feature_names)
        absent = [name for name in names if name not in model_input.columns]
        if absent:
            raise DataRefused(
                "features-missing",
                found=f"a table without {', '.join(absent)}",
                expected=f"the {len(names)} features of the model",
                repair="Build the features with riskmodel.features.training_set.feature_matrix.",
            )
        return np.ascontiguousarray(model_input[names].to_numpy(np.float32))


def code_beside(folder: Path) -> Path:
    """Put beside the model what it needs of this package, so that it loads, and refuses, where that is not installed.

    Parameters
    ----------
    folder : to copy into

    Returns
    -------
    Path of the copied package
    """
    package = Path(riskmodel.__file__).parent
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        if path.is_file() and path.suffix != ".pyc" and (len(inside.parts) == 1 or inside.parts[0] not in LEFT_OUT):
            target = folder / package.name / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder / package.name


def prefer_installed() -> None:
    """Take copies that lie beside models off the path, where the package itself is installed.

    MLflow puts the copy of each model that it loads first. A process started later would find that, with its parts that
    are left out, and not the whole package.
    """
    own = Path(riskmodel.__file__).parent.parent
    sys.path[:] = [place for place in sys.path if not _holds_copy(Path(place), own)]


def _holds_copy(place: Path, own: Path) -> bool:
    package = place / riskmodel.__name__
    return place != own and (package / "tracking").is_dir() and not (package / LEFT_OUT[-1]).exists()


def signature(feature_names: tuple[str, ...]) -> ModelSignature:
    """Inputs and outputs of the served model: doubles, so that MLflow accepts any number and rounds none."""
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name, required=True) for name in feature_names]),
        outputs=Schema([ColSpec(DataType.double if name in FIGURES else DataType.string, name) for name in COLUMNS]),
        params=ParamSchema([ParamSpec(name, DataType.string, "") for name in PARAMETERS]),
    )


def example(feature_names: tuple[str, ...]) -> pd.DataFrame:
    """One made-up row for MLflow's documentation of the input: every feature 0. It is no person's row."""
    return pd.DataFrame([[0.0] * len(feature_names)], columns=list(feature_names))
