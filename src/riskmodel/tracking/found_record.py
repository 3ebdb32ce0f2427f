"""What MLflow has about a run that was made without riskmodel, and the nested run that keeps a card of it.

The run itself is only read: the card, its tables and its tags are kept in a run nested in it, one for each
card, so that an earlier card stays what it was.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pandas as pd

from riskmodel.cards.found_given import FoundRun
from riskmodel.cards.model_card import ModelCard
from riskmodel.errors import NotFound
from riskmodel.fairness.audit import Audit
from riskmodel.tables import fingerprint_document
from riskmodel.tracking import cards, groups
from riskmodel.tracking.found_models import FoundModel, fingerprint_of
from riskmodel.tracking.library import MlflowClient, MlflowException, from_pandas, mlflow
from riskmodel.tracking.runs import FINISHED, PARENT

OF_RUN: Final = "riskmodel.of_run"
"""The tag of a nested run, and of a version, that names the run its card is about."""
_SOURCES: Final = {"mlflow.source.git.commit": "code commit", "mlflow.source.type": "started as"}
_LONGEST: Final = 250


def run_of(client: MlflowClient, run_id: str) -> Any:
    try:
        return client.get_run(run_id)
    except MlflowException:
        raise NotFound(
            "run-missing",
            found="no such run",
            expected="the id of a run at this tracking address",
            repair="Copy the run's id from MLflow, and check the tracking address.",
        ) from None


def models_of(client: MlflowClient, found: Any) -> dict[str, str]:
    """The models of a run, by name: where each is kept."""
    kept: dict[str, str] = {}
    for output in found.outputs.model_outputs if found.outputs else ():
        held = client.get_logged_model(output.model_id)
        kept[str(held.name)] = f"models:/{output.model_id}"
    for item in client.list_artifacts(found.info.run_id):  # as older versions of MLflow kept it
        if item.is_dir and any(
            Path(each.path).name == "MLmodel" for each in client.list_artifacts(found.info.run_id, item.path)
        ):
            kept.setdefault(item.path, f"runs:/{found.info.run_id}/{item.path}")
    return kept


def chosen_of(kept: Mapping[str, str], asked: str | None, *, needed: bool) -> str | None:
    """Which model; None where the run has none and its scores were given."""
    if asked is None and len(kept) == 1:
        return next(iter(kept.values()))
    if asked is not None and asked in kept:
        return kept[asked]
    if asked is None and not needed:
        return None
    raise NotFound(
        "model-missing",
        found=f"{'no model' if not kept else 'several models'} with the run" if asked is None else "no such model",
        expected=f"one of {', '.join(sorted(kept))}" if kept else "a model that the run recorded",
        repair="Name one of them as `model`, or give the scores as a column.",
    )


def downloaded(uri: str, aside: Path) -> Path:
    """The folder of a model, brought into a folder."""
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(aside)))


def described(
    found: Any, kept: Mapping[str, str], folder: Path | None, opened: FoundModel | None, rows: pd.DataFrame
) -> FoundRun:
    """The run as the card has it; `rows` are those to be judged, compared by digest with the data the run names."""
    tags, data = found.data.tags, found.data
    of_data = tuple(
        (each.dataset.name, each.dataset.digest, next((tag.value for tag in each.tags), "not said"))
        for each in (found.inputs.dataset_inputs if found.inputs else ())
    )
    experiment = mlflow.get_experiment(found.info.experiment_id).name
    digests = _digests(rows, opened)
    began = dt.datetime.fromtimestamp(found.info.start_time / 1000, dt.UTC).date().isoformat()
    print_ = opened.fingerprint if opened else fingerprint_of(folder) if folder else ""
    made_by = opened.kind if opened else f"a model that was not opened ({', '.join(kept)})" if kept else "not recorded"
    return FoundRun(
        found.info.run_id,
        experiment,
        found.info.run_name or found.info.run_id[:8],
        began,
        made_by,
        print_ or fingerprint_document({"run": found.info.run_id}),
        opened is not None,
        opened.columns if opened else (),
        {name: value[:_LONGEST] for name, value in sorted(data.params.items())},
        dict(sorted(data.metrics.items())),
        of_data,
        {words: tags[name] for name, words in _SOURCES.items() if name in tags},
        tuple(name for name, digest, _ in of_data if digest in digests),
    )


def _digests(rows: pd.DataFrame, opened: FoundModel | None) -> frozenset[str]:
    """What MLflow would call the digest of these rows: with every column, and with those the model takes."""
    names = [name for name in (opened.columns if opened else ()) if name in rows.columns]
    frames = [rows, *([rows[names]] if names else [])]
    return frozenset(from_pandas(frame).digest for frame in frames)


def kept(
    client: MlflowClient,
    run: FoundRun,
    card: ModelCard,
    folder: Path,
    audits: Mapping[float | None, Audit],
    own: float | None,
    *,
    name: str | None,
    source: str | None,
) -> tuple[str, str]:
    """Keep a card in a nested run and give it a registered version; a card that is kept already is found.

    Parameters
    ----------
    run : the run that the card is about
    folder : of the card's files
    audits : by list length
    own : the list length of the card
    name : the registered model; None is the one that has the run, else the experiment's name
    source : where the model is kept, or None

    Returns
    -------
    tuple of the version's address and the nested run's id
    """
    experiment = client.get_run(run.run_id).info.experiment_id
    tags = {OF_RUN: run.run_id, PARENT: run.run_id, **cards.about(folder), cards.MODEL: run.model}
    registered = name or _registered(client, run.run_id) or run.experiment
    same = (
        f"tags.`{OF_RUN}` = '{run.run_id}' and tags.`{cards.CARD}` = '{card.fingerprint}' and tags.`{FINISHED}` = 'yes'"
    )
    for each in client.search_runs([experiment], same):
        for version in client.search_model_versions(f"run_id = '{each.info.run_id}'"):
            return f"models:/{version.name}/{version.version}", str(each.info.run_id)
    made = client.create_run(experiment, tags={"mlflow.runName": f"card {card.fingerprint[:8]}", **tags})
    nested = str(made.info.run_id)
    client.log_artifacts(nested, str(folder), "card")
    with TemporaryDirectory() as aside:
        document = json.dumps(groups.of_audits(audits, own), indent=1, allow_nan=False)
        (Path(aside) / groups.FILE).write_text(document + "\n", encoding="utf-8")
        client.log_artifacts(nested, aside, "tables")
    _make_room(client, registered)
    version = client.create_model_version(
        registered, source or f"{made.info.artifact_uri}/card", run_id=nested, tags=tags, await_creation_for=0
    )
    client.set_tag(nested, FINISHED, "yes")
    client.set_terminated(nested, "FINISHED")
    return f"models:/{registered}/{version.version}", nested


def _make_room(client: MlflowClient, name: str) -> None:
    """The registered model, made when it is not there."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _registered(client: MlflowClient, run_id: str) -> str | None:
    """The registered model that has a version of the run."""
    found = client.search_model_versions(f"run_id = '{run_id}'", max_results=1)
    return str(found[0].name) if found else None
