"""The model as MLflow serves it: a matrix of features in, probability and interval out, never a label.

What comes out is an estimate for each row. It is not a decision, it carries no threshold, and it is not advice:
advice needs a purpose and an approval in force (``riskmodel.score``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.errors import DataRefused
from riskmodel.models.risk_model import RiskModel
from riskmodel.tracking.library import ColSpec, DataType, ModelSignature, PythonModel, Schema

OUTPUTS = ("probability", "low", "high")


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow has no type information
    """Predicts for a frame that holds the model's features, in any column order."""

    def load_context(self, context: Any) -> None:
        """Load the saved model from the artefacts."""
        self.model = RiskModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Probability and 95 % interval of each row.

        Parameters
        ----------
        context : unused
        model_input : DataFrame with at least the model's features, NaN where missing
        params : unused; no parameter changes a prediction

        Returns
        -------
        DataFrame with float64 columns probability, low, high, indexed as the input
        """
        del context, params
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


def signature(feature_names: tuple[str, ...]) -> ModelSignature:
    """Inputs and outputs of the served model: doubles, so that MLflow accepts any number and rounds none."""
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name, required=True) for name in feature_names]),
        outputs=Schema([ColSpec(DataType.double, name) for name in OUTPUTS]),
    )


def example(feature_names: tuple[str, ...]) -> pd.DataFrame:
    """One made-up row for MLflow's documentation of the input: every feature 0. It is no person's row."""
    return pd.DataFrame([[0.0] * len(feature_names)], columns=list(feature_names))
