"""The few lines that MLflow keeps as the code of the model: it loads the saved folder; nothing is pickled.

MLflow copies this file beside the model and runs it when the model is loaded.
"""

from __future__ import annotations

from riskmodel.tracking.library import mlflow
from riskmodel.tracking.serving import ServedModel, prefer_installed

prefer_installed()
mlflow.models.set_model(ServedModel())
