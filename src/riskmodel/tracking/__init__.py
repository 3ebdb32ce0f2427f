"""MLflow as the record of every run, and only here: parameters, figures, data digests, artefacts, the model itself.

Nothing below this package knows MLflow, and nothing in it changes a result. What it writes holds no person's row:
digests, counts, definitions and the model. MLflow's telemetry is off before it is imported.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

_WHERE = {
    "record": "runs",
    "RunRecord": "runs",
    "Took": "runs",
    "load_for_scoring": "runs",
    "record_evaluation": "evaluations",
}

__all__ = ["RunRecord", "Took", "load_for_scoring", "record", "record_evaluation"]


def __getattr__(name: str) -> Any:
    # MLflow takes seconds to import, so it is loaded when a run is recorded, not when the package is named.
    if name not in _WHERE:
        raise AttributeError(f"riskmodel.tracking has no name {name!r}; it has {', '.join(sorted(_WHERE))}")
    return getattr(import_module(f"riskmodel.tracking.{_WHERE[name]}"), name)
