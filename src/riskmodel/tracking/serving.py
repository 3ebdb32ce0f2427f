"""The model as MLflow serves it: a matrix of features in, probability and interval out, never a label.

What comes out of ``predict`` is advice on people, so it is refused without an approval in force for exactly this model
and the card it was recorded with, on record in the ledger. `estimate` is for judging the model on rows of the past.
Neither carries a threshold.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.errors import DataRefused
from riskmodel.governance.approvals import Approval, approval_missing
from riskmodel.governance.ledger import Ledger
from riskmodel.models.risk_model import RiskModel
from riskmodel.tracking.cards import CARD, PURPOSE
from riskmodel.tracking.library import ColSpec, DataType, ModelSignature, ParamSchema, ParamSpec, PythonModel, Schema

OUTPUTS = ("probability", "low", "high")
PARAMETERS = ("approval", "ledger")
"""What ``predict`` needs beside the rows: the paths of the signed approval and of the ledger that has it."""


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow has no type information
    """Predicts for a frame that holds the model's features, in any column order."""

    def load_context(self, context: Any) -> None:
        """Load the saved model from the artefacts, and what it was recorded with."""
        self.model = RiskModel.load(Path(context.artifacts["model"]))
        basis = json.loads(Path(context.artifacts["basis"]).read_text(encoding="utf-8"))
        self.card, self.purpose = basis[CARD], basis[PURPOSE]

    def predict(self, context: Any, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Probability and 95 % interval of each row, under an approval.

        Parameters
        ----------
        context : unused
        model_input : DataFrame with at least the model's features, NaN where missing
        params : ``approval`` and ``ledger``, both paths on this machine; no parameter changes a prediction

        Returns
        -------
        DataFrame with float64 columns probability, low, high, indexed as the input

        Raises
        ------
        NotPermitted : no approval, or none in force today for this model, its card and its purpose
        """
        del context
        given = params or {}
        self._must_be_approved(str(given.get("approval") or ""), str(given.get("ledger") or ""))
        return self.estimate(model_input)

    def estimate(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """The same figures for judging the model on rows of the past. They are not advice on anybody."""
        names = list(self.model.feature_names)
        absent = [name for name in names if name not in model_input.columns]
        if absent:
            raise DataRefused(
                "features-missing",
                found=f"a table without {', '.join(absent)}",
                expected=f"the {len(names)} features of the model",
                repair="Build the features with riskmodel.features.training_set.feature_matrix.",
            )
        probability = self.model.predict(model_input[names].to_numpy(np.float32))
        low, high = self.model.interval(probability)
        return pd.DataFrame(dict(zip(OUTPUTS, (probability, low, high), strict=True)), index=model_input.index)

    def _must_be_approved(self, approval: str, ledger: str) -> None:
        if not approval or not ledger:
            raise approval_missing()
        held = Approval.load(approval)
        held.must_allow(self.model.fingerprint, self.card, self.purpose, dt.date.today())
        held.must_be_recorded(Ledger(Path(ledger)))


def signature(feature_names: tuple[str, ...]) -> ModelSignature:
    """Inputs and outputs of the served model: doubles, so that MLflow accepts any number and rounds none."""
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name, required=True) for name in feature_names]),
        outputs=Schema([ColSpec(DataType.double, name) for name in OUTPUTS]),
        params=ParamSchema([ParamSpec(name, DataType.string, "") for name in PARAMETERS]),
    )


def example(feature_names: tuple[str, ...]) -> pd.DataFrame:
    """One made-up row for MLflow's documentation of the input: every feature 0. It is no person's row."""
    return pd.DataFrame([[0.0] * len(feature_names)], columns=list(feature_names))
