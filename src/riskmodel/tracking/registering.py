"""The model as a registered version: saved as MLflow's pyfunc with what its advice rests on, and no person's row.

What MLflow's `log_model` does is done here step by step: it would load the model once more to try the example, and look
through every installed package for names that were given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from riskmodel.governance.model_files import must_give_nothing_away
from riskmodel.models.risk_model import RiskModel
from riskmodel.tracking import cards, serving
from riskmodel.tracking.library import (
    LoggedModelOutput,
    MlflowClient,
    MlflowException,
    Model,
    mlflow,
    requirements_utils,
)

CANDIDATE = "candidate"
_PACKAGES = "_MODULES_TO_PACKAGES"
_NEEDED = (
    *("mlflow", "numpy", "scipy", "pandas", "pyarrow", "lightgbm", "scikit-learn", "numba", "pydantic", "duckdb"),
    *("threadpoolctl", "interpret-core"),
)


@dataclass(frozen=True, slots=True)
class Served:
    """What goes with a model wherever it is served: what its advice rests on, and the folder of its footing."""

    basis: Mapping[str, Any]
    footing: Path | None


def log_model(
    client: MlflowClient,
    run_id: str,
    model: RiskModel,
    served: Served,
    params: Mapping[str, str],
    tags: Mapping[str, str],
) -> Any:
    """Keep the model with its run; returns MLflow's logged model."""
    experiment = client.get_run(run_id).info.experiment_id
    kept = client.create_logged_model(
        experiment, name="model", source_run_id=run_id, params=dict(params), tags=dict(tags), model_type="advisory"
    )
    client.log_outputs(run_id, [LoggedModelOutput(kept.model_id, step=0)])
    with TemporaryDirectory() as aside:
        saved = _saved(Path(aside), run_id, kept, model, served)
        client.log_model_artifacts(kept.model_id, str(saved))
    return client.finalize_logged_model(kept.model_id, "READY")


def register(client: MlflowClient, run_id: str, study: str, kept: Any, words: str, tags: Mapping[str, str]) -> str:
    """Register the logged model; the first version of a name is its candidate. Returns the version's address.

    A later version becomes the candidate when it is put before the board (`riskmodel.tracking.registry`).
    """
    _make_room(client, study, words)
    made = client.create_model_version(
        study,
        f"models:/{kept.model_id}",
        run_id=run_id,
        tags=dict(tags),
        description=words,
        model_id=kept.model_id,
        await_creation_for=0,
    )
    if CANDIDATE not in client.get_registered_model(study).aliases:
        client.set_registered_model_alias(study, CANDIDATE, made.version)
    return f"models:/{study}/{made.version}"


def register_card(client: MlflowClient, study: str, run: Any, words: str, tags: Mapping[str, str]) -> str:
    """Register the card of a run that has no model; returns the version's number."""
    _make_room(client, study, words)
    source = f"{run.info.artifact_uri}/card"
    made = client.create_model_version(
        study, source, run_id=run.info.run_id, tags=dict(tags), description=words, await_creation_for=0
    )
    return str(made.version)


def _make_room(client: MlflowClient, name: str, words: str) -> None:
    """The registered name, made when it is not there."""
    try:
        client.create_registered_model(name, tags={"riskmodel": "advisory only"}, description=words)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _saved(aside: Path, run_id: str, kept: Any, model: RiskModel, served: Served) -> Path:
    """The folder of the pyfunc."""
    files = aside / "files"
    model.without_rows().save(files)  # a tracking server is read by others: nothing of single people goes there
    must_give_nothing_away(files)
    basis = aside / "basis.json"
    basis.write_text(json.dumps(dict(served.basis)) + "\n", encoding="utf-8")
    footing = {} if served.footing is None else {"footing": str(served.footing)}
    with _requirements_as_given():
        mlflow.pyfunc.save_model(
            str(aside / "model"),
            python_model=str(Path(__file__).with_name("served_model.py")),
            code_paths=[str(serving.code_beside(aside))],
            artifacts={"model": str(files), "basis": str(basis), **footing},
            signature=serving.signature(tuple(model.feature_names)),
            input_example=serving.example(tuple(model.feature_names)),
            pip_requirements=_requirements(),
            metadata={cards.MODEL: model.fingerprint, "riskmodel.advisory_only": True},
            mlflow_model=Model(
                artifact_path=kept.artifact_location, model_uuid=kept.model_id, run_id=run_id, model_id=kept.model_id
            ),
        )
    return aside / "model"


@contextmanager
def _requirements_as_given() -> Iterator[None]:
    """Spare MLflow from reading the file lists of all installed packages, to compare versions that came from them."""
    before = getattr(requirements_utils, _PACKAGES, None)
    setattr(requirements_utils, _PACKAGES, before or {"mlflow": ["mlflow"]})
    try:
        yield
    finally:
        setattr(requirements_utils, _PACKAGES, before)


def _requirements() -> list[str]:
    """The exact versions at hand; given outright, because MLflow takes seconds to guess them.

    The package itself is not among them: what the model needs of it lies beside the model.
    """
    pinned = []
    for name in _NEEDED:
        try:
            pinned.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return pinned
