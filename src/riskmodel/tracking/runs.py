"""One study run as MLflow keeps it: a run with a nested run for each fold, and a registered model version.

Recording is done once for each study key (the fingerprints of training set, model, audit and card). A record that a
killed process left half-made is removed and made again; a finished one is found and left alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from riskmodel import __version__
from riskmodel.fairness.audit import Audit
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.model_files import must_give_nothing_away
from riskmodel.models.risk_model import RiskModel
from riskmodel.population.publication import write_csv
from riskmodel.tables import fingerprint_document
from riskmodel.tracking import cards, database, groups, serving
from riskmodel.tracking import tables as disclosed
from riskmodel.tracking.library import (
    CodeDatasetSource,
    Dataset,
    DatasetInput,
    InputTag,
    MetaDataset,
    Metric,
    MlflowClient,
    MlflowException,
    Param,
    mlflow,
)

KEY, FINISHED, PARENT = "riskmodel.key", "riskmodel.finished", "mlflow.parentRunId"
CANDIDATE = "candidate"
_BATCH = 900  # MLflow takes at most 1,000 metrics and 100 parameters in one call
_NEEDED = (
    *("mlflow", "numpy", "scipy", "pandas", "pyarrow", "lightgbm", "scikit-learn", "numba", "pydantic", "duckdb"),
    *("threadpoolctl", "interpret-core"),
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Where a run is recorded.

    Attributes
    ----------
    key : str, the study key
    run_id : str
    model_uri : str, ``models:/NAME/VERSION``
    tracking_uri : str
    made : bool, False when a finished record of the same key was already there
    """

    key: str
    run_id: str
    model_uri: str
    tracking_uri: str
    made: bool


def record(
    folder: str | Path,
    *,
    study: str,
    model: RiskModel,
    audit: Audit,
    training: TrainingSet,
    card: str | Path,
    footing: str | Path | None = None,
    parameters: Mapping[str, object] | None = None,
    tracking_uri: str | None = None,
) -> RunRecord:
    """Write a finished run into MLflow, once.

    Parameters
    ----------
    folder : the study's result folder; the default database and its artefacts lie in it
    study : str, the name of the experiment and of the registered model
    model, audit, training : what was made
    card : the folder with the card's files
    footing : the folder with the footing of the model, which goes with it wherever it is served
    parameters : further settings to keep, flattened to names with dots
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `folder`
    """
    folder, card = Path(folder), Path(card)
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(study, model, audit, training, card)
    with database.opened(folder, tracking_uri) as client:
        uri = database.address(folder, tracking_uri)
        where = database.experiment(client, study, folder, tracking_uri)
        finished = _finished(client, where, study, key)
        if finished is not None:
            return RunRecord(key, *finished, uri, made=False)
        _remove_half_made(client, where, study, key)
        about = cards.about(card)
        tags = {KEY: key, "mlflow.runName": f"{study} {key[:8]}", "riskmodel.version": __version__, **about}
        run = client.create_run(where, tags=tags)
        run_id = str(run.info.run_id)
        _write(client, run_id, model, audit, training, card, parameters or {})
        _write_folds(client, where, run_id, key, model)
        _write_trials(client, where, run_id, key, model)
        served = _Served(cards.advice_basis(card), None if footing is None else Path(footing))
        model_uri = _register(client, run_id, study, model, {KEY: key, **about}, served)
        _finish(client, run_id)
        return RunRecord(key, run_id, model_uri, uri, made=True)


def load_for_scoring(model_uri: str, tracking_uri: str | None = None) -> Any:
    """The registered model as MLflow's pyfunc; its ``predict`` gives probability, low and high, never a label.

    Parameters
    ----------
    model_uri : str, such as ``models:/early-support@candidate``
    tracking_uri : str or None; None is MLflow's current address
    """
    with database.opened(Path.cwd(), tracking_uri or mlflow.get_tracking_uri()):
        return mlflow.pyfunc.load_model(model_uri)


def _key(study: str, model: RiskModel, audit: Audit, training: TrainingSet, card: Path) -> str:
    return fingerprint_document(
        {
            "riskmodel": __version__,
            "study": study,
            "training": training.fingerprint,
            "model": model.fingerprint,
            "audit": audit.fingerprint,
            "card": cards.about(card)[cards.CARD],
        }
    )


def _finished(client: MlflowClient, where: str, study: str, key: str) -> tuple[str, str] | None:
    """Run id and model address of the finished record of this key."""
    runs = client.search_runs([where], f"tags.`{KEY}` = '{key}' and tags.`{FINISHED}` = 'yes'", max_results=1)
    if not runs:
        return None
    run_id = str(runs[0].info.run_id)
    versions = _versions(client, study, run_id)
    return (run_id, f"models:/{study}/{versions[0]}") if versions else None


def _versions(client: MlflowClient, study: str, run_id: str) -> list[str]:
    found = client.search_model_versions(f"name = '{study}'")
    return [str(each.version) for each in found if each.run_id == run_id]


def _remove_half_made(client: MlflowClient, where: str, study: str, key: str) -> None:
    """Remove runs, nested runs and model versions of this key that were never finished."""
    for run in client.search_runs([where], f"tags.`{KEY}` = '{key}'"):
        run_id = str(run.info.run_id)
        for number in _versions(client, study, run_id):
            client.delete_model_version(study, number)
        for nested in client.search_runs([where], f"tags.`{PARENT}` = '{run_id}'"):
            client.delete_run(nested.info.run_id)
        client.delete_run(run_id)


def _write(
    client: MlflowClient,
    run_id: str,
    model: RiskModel,
    audit: Audit,
    training: TrainingSet,
    card: Path,
    parameters: Mapping[str, object],
) -> None:
    """Parameters, overall figures, data digests and artefacts."""
    given = {"cohort": training.cohort, "outcome": training.outcome_definition, "learner": model.learner}
    texts = {name: _document(value) for name, value in given.items()} | dict(parameters)
    _log(client, run_id, params=[Param(name, value[:6000]) for name, value in _flat(texts)])
    _log(client, run_id, metrics=_metrics(model, "all"))
    client.log_inputs(run_id, datasets=_datasets(training))
    client.log_artifacts(run_id, str(card), "card")
    with TemporaryDirectory() as aside:
        by_group = groups.by_capacity(model, audit, training)
        tables = {"evaluation.csv": disclosed.figures(model), "audit.csv": pa.Table.from_pylist(by_group["rows"])}
        for name, table in tables.items():
            write_csv(table, Path(aside) / name)
        text = json.dumps(by_group, indent=1, allow_nan=False)
        (Path(aside) / groups.FILE).write_text(text + "\n", encoding="utf-8")
        client.log_artifacts(run_id, aside, "tables")


def _write_folds(client: MlflowClient, where: str, run_id: str, key: str, model: RiskModel) -> None:
    """One nested run for each forward fold, with the figures of the model and of its comparators."""
    folds = sorted({str(fold) for fold in model.evaluation.metrics["fold"].to_pylist()} - {"all"})
    for fold in folds:
        tags = {PARENT: run_id, "mlflow.runName": f"fold {fold}", "riskmodel.part_of": key}
        nested = client.create_run(where, tags=tags)
        _log(client, nested.info.run_id, params=[Param("fold", fold)], metrics=_metrics(model, fold))
        client.set_terminated(nested.info.run_id, "FINISHED")


def _write_trials(client: MlflowClient, where: str, run_id: str, key: str, model: RiskModel) -> None:
    """One nested run for each trial of a search for settings: what was tried where, and its log loss."""
    for search in model.declaration.get("tuning", {}).get("searches", ()):
        for number, trial in enumerate(search["trials"], start=1):
            tags = {PARENT: run_id, "mlflow.runName": f"{search['where']} trial {number}", "riskmodel.part_of": key}
            nested = client.create_run(where, tags=tags)
            params = [Param("search", search["where"]), *(Param(name, text) for name, text in _flat(trial["settings"]))]
            loss = trial["log_loss"]
            metrics = [] if loss is None else [Metric("trial.log_loss", float(loss), 0, 0)]
            _log(client, nested.info.run_id, params=params, metrics=metrics)
            client.set_terminated(nested.info.run_id, "FAILED" if loss is None else "FINISHED")


@dataclass(frozen=True, slots=True)
class _Served:
    """What goes with a model wherever it is served: what its advice rests on, and the folder of its footing."""

    basis: Mapping[str, Any]
    footing: Path | None


def _register(
    client: MlflowClient, run_id: str, study: str, model: RiskModel, about: Mapping[str, str], served: _Served
) -> str:
    """Log the model folder as a pyfunc and register it; the first version of a name is its candidate.

    A later version becomes the candidate when it is put before the board (`riskmodel.tracking.registry`).
    """
    with TemporaryDirectory() as aside, mlflow.start_run(run_id=run_id, log_system_metrics=False):
        saved = Path(aside) / "model"
        model.without_rows().save(saved)  # a tracking server is read by others: nothing of single people goes there
        must_give_nothing_away(saved)
        basis = Path(aside) / "basis.json"
        basis.write_text(json.dumps(dict(served.basis)) + "\n", encoding="utf-8")
        footing = {} if served.footing is None else {"footing": str(served.footing)}
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            code_paths=[str(serving.code_beside(Path(aside)))],
            artifacts={"model": str(saved), "basis": str(basis), **footing},
            signature=serving.signature(tuple(model.feature_names)),
            input_example=serving.example(tuple(model.feature_names)),
            pip_requirements=_requirements(),
            metadata={cards.MODEL: model.fingerprint, "riskmodel.advisory_only": True},
        )
    try:
        client.create_registered_model(study, tags={"riskmodel": "advisory only"})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {**about, cards.MODEL: model.fingerprint}
    made = client.create_model_version(
        study, logged.model_uri, run_id=run_id, tags=tags, model_id=logged.model_id, await_creation_for=0
    )
    if CANDIDATE not in client.get_registered_model(study).aliases:
        client.set_registered_model_alias(study, CANDIDATE, made.version)
    return f"models:/{study}/{made.version}"


def _finish(client: MlflowClient, run_id: str) -> None:
    """The last step: only now is the record found as finished."""
    client.set_tag(run_id, FINISHED, "yes")
    client.set_terminated(run_id, "FINISHED")


def _metrics(model: RiskModel, fold: str) -> list[Metric]:
    """Every usable figure of one fold, named ``who.metric``, with its interval as ``.low`` and ``.high``."""
    now = int(time.time() * 1000)
    made = []
    for row in disclosed.figures(model).to_pylist():
        if str(row["fold"]) != fold:
            continue
        name = _name(f"{row['model']}.{row['metric']}")
        for suffix, value in (("", row["value"]), (".low", row["low"]), (".high", row["high"])):
            if value is not None and value == value:
                made.append(Metric(name + suffix, float(value), now, 0))
    return made


def _datasets(training: TrainingSet) -> list[DatasetInput]:
    """The training set by its digest: no row of it, and no path to one."""
    source = CodeDatasetSource({"made_by": "riskmodel.build_training_set", "fingerprint": training.fingerprint})
    data = MetaDataset(source, name="training set", digest=training.fingerprint[:32])
    given = data.to_dict()
    entity = Dataset(given["name"], given["digest"], given["source_type"], given["source"], given.get("schema"))
    return [DatasetInput(entity, [InputTag("mlflow.data.context", "training and forward validation")])]


def _log(client: MlflowClient, run_id: str, params: Sequence[Param] = (), metrics: Sequence[Metric] = ()) -> None:
    for some in _batches(params, 90):
        client.log_batch(run_id, params=some)
    for some in _batches(metrics, _BATCH):
        client.log_batch(run_id, metrics=some)


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _flat(given: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as names with dots and texts."""
    for name, value in given.items():
        full = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{full}.")
        else:
            yield _name(full), str(value)


def _document(value: Any) -> object:
    return value.document() if hasattr(value, "document") else str(value)


def _name(text: str) -> str:
    """A name that MLflow takes: ``precision@0.05`` becomes ``precision_at_0.05``."""
    text = text.replace("@", "_at_").replace("%", "_percent")
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in text)


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
