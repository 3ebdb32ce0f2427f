"""One study run as MLflow keeps it: a run, in it a run for each fold and each candidate, and a registered version.

Recording is done once for each study key (the fingerprints of training set, model, audit and card). A record that a
killed process left half-made is removed and made again; a finished one is found and left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from riskmodel import __version__
from riskmodel.fairness.audit import Audit
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel
from riskmodel.population.publication import write_csv
from riskmodel.tables import fingerprint_document
from riskmodel.tracking import cards, database, described, groups, registering, writing
from riskmodel.tracking import nested as within_run
from riskmodel.tracking import tables as disclosed
from riskmodel.tracking.library import MlflowClient, mlflow
from riskmodel.tracking.nested import Within
from riskmodel.tracking.pages import page_of
from riskmodel.tracking.pictures import write_plots
from riskmodel.tracking.writing import KIND, NOTE, PARENT, PART_OF, RUN_NAME

KEY, FINISHED = "riskmodel.key", "riskmodel.finished"
STUDY = "study"
__all__ = ["FINISHED", "KEY", "PARENT", "RunRecord", "Took", "load_for_scoring", "record"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Where a run is recorded.

    Attributes
    ----------
    key : str, the study key
    run_id : str
    model_uri : str, ``models:/NAME/VERSION``
    tracking_uri : str
    page : str, the part of its address in MLflow's pages that follows the server's
    made : bool, False when a finished record of the same key was already there
    """

    key: str
    run_id: str
    model_uri: str
    tracking_uri: str
    page: str
    made: bool


@dataclass(frozen=True, slots=True)
class Took:
    """What the run took.

    Attributes
    ----------
    stages : mapping of stage to ``seconds``, ``cpu_seconds`` and, where known, ``peak_mib``
    machine : mapping, cores and memory
    """

    stages: Mapping[str, Mapping[str, float]]
    machine: Mapping[str, object]


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
    made_from: Mapping[str, str] | None = None,
    took: Took | None = None,
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
    made_from : fingerprints of what the training set was made from, by name
    took : what each stage took; None is unknown
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `folder`
    """
    folder, card = Path(folder), Path(card)
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(study, model, audit, training, card)
    with database.opened(folder, tracking_uri) as client:
        uri = database.address(folder, tracking_uri)
        where = database.experiment(client, study, folder, tracking_uri)
        finished = finished_in(client, where, study, key)
        if finished is not None:
            return RunRecord(key, *finished, uri, page_of(where, finished[0]), made=False)
        remove_half_made(client, where, study, key)
        about, words = cards.about(card), described.words(card)
        described.describe_experiment(client, where, words)
        tags = {KEY: key, KIND: STUDY, RUN_NAME: f"{study} {key[:8]}", "riskmodel.version": __version__, NOTE: words}
        run_id = str(client.create_run(where, tags=tags | about | writing.source()).info.run_id)
        params = _parameters(model, training, parameters or {}, took)
        served = registering.Served(cards.advice_basis(card), None if footing is None else Path(footing))
        kept = registering.log_model(client, run_id, model, served, dict(writing.flat(params)), about)
        figures = writing.metrics_of(within_run.overall(model), kept.model_id)
        writing.log(client, run_id, params, [*figures, *resources_of(took)])
        client.log_inputs(run_id, datasets=_datasets(training, made_from or {}))
        _write_files(client, run_id, model, audit, training, card, took)
        within = Within(client, where, run_id, key)
        within_run.write_folds(within, model)
        within_run.write_trials(within, model)
        of_version = {KEY: key, **about, cards.MODEL: model.fingerprint}
        model_uri = registering.register(client, run_id, study, kept, words, of_version)
        writing.finish(client, run_id)
        client.set_tag(run_id, FINISHED, "yes")  # the last step: only now is the record found as finished
        return RunRecord(key, run_id, model_uri, uri, page_of(where, run_id), made=True)


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


def finished_in(client: MlflowClient, where: str, study: str, key: str) -> tuple[str, str] | None:
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


def remove_half_made(client: MlflowClient, where: str, study: str, key: str) -> None:
    """Remove runs, nested runs and model versions of this key that were never finished."""
    for run in client.search_runs([where], f"tags.`{KEY}` = '{key}'"):
        for number in _versions(client, study, str(run.info.run_id)):
            client.delete_model_version(study, number)
        client.delete_run(run.info.run_id)
    for nested in client.search_runs([where], f"tags.`{PART_OF}` = '{key}'"):
        client.delete_run(nested.info.run_id)


def _parameters(
    model: RiskModel, training: TrainingSet, further: Mapping[str, object], took: Took | None
) -> dict[str, object]:
    """The settings of the run."""
    given = {"cohort": training.cohort, "outcome": training.outcome_definition, "learner": model.learner}
    machine: dict[str, object] = {} if took is None else {"machine": dict(took.machine)}
    return {name: _document(value) for name, value in given.items() if value is not None} | machine | dict(further)


def _write_files(
    client: MlflowClient,
    run_id: str,
    model: RiskModel,
    audit: Audit,
    training: TrainingSet,
    card: Path,
    took: Took | None,
) -> None:
    """The card, its plots, and the tables, in which nothing stands that may not be shown."""
    client.log_artifacts(run_id, str(card), "card")
    write_plots(client, run_id, card)
    by_group = groups.by_capacity(model, audit, training)
    tables = {"evaluation.csv": disclosed.figures(model), "audit.csv": pa.Table.from_pylist(by_group["rows"])}
    if took is not None and took.stages:
        tables["resources.csv"] = pa.Table.from_pylist([{"stage": name, **took.stages[name]} for name in took.stages])
    with TemporaryDirectory() as aside:
        for name, table in tables.items():
            write_csv(table, Path(aside) / name)
        text = json.dumps(by_group, indent=1, allow_nan=False)
        (Path(aside) / groups.FILE).write_text(text + "\n", encoding="utf-8")
        client.log_artifacts(run_id, aside, "tables")


def resources_of(took: Took | None) -> list[Any]:
    """What each stage took, and all of them."""
    if took is None or not took.stages:
        return []
    found = {f"resources/{stage}.{name}": value for stage, held in took.stages.items() for name, value in held.items()}
    for name, together in (("seconds", sum), ("cpu_seconds", sum), ("peak_mib", max)):
        known = [held[name] for held in took.stages.values() if name in held]
        if len(known) == len(took.stages):  # a sum with a part unknown would be too small
            found[f"resources/all.{name}"] = float(together(known))
    return writing.alone(found)


def _datasets(training: TrainingSet, made_from: Mapping[str, str]) -> list[Any]:
    """The training set, and what it was made from, each by its digest."""
    counted = {"rows": training.table.num_rows, "features": list(training.feature_names)}
    made = writing.data("training set", training.fingerprint, "training", "riskmodel.build_training_set", counted)
    earlier = [
        writing.data(name, fingerprint, "source", "riskmodel", {}) for name, fingerprint in sorted(made_from.items())
    ]
    return [made, *earlier]


def _document(value: Any) -> object:
    return value.document() if hasattr(value, "document") else str(value)
