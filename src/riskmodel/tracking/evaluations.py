"""An evaluation of a policy as MLflow keeps it: a run with its effects, and a registered version that holds its card.

A board reads it where it reads models. There is no model in it: nothing can be loaded or served, and no alias moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from riskmodel import __version__
from riskmodel.cards.evidence import Claim
from riskmodel.population.publication import write_csv
from riskmodel.tables import fingerprint_document
from riskmodel.tracking import cards, database, described, registering, writing
from riskmodel.tracking.cards import EVALUATION
from riskmodel.tracking.library import MlflowClient
from riskmodel.tracking.pages import page_of
from riskmodel.tracking.pictures import write_plots
from riskmodel.tracking.runs import FINISHED, KEY, RunRecord, Took, finished_in, remove_half_made, resources_of
from riskmodel.tracking.writing import KIND, NOTE, RUN_NAME


def record_evaluation(
    folder: str | Path,
    *,
    study: str,
    card: str | Path,
    made_from: Mapping[str, str],
    took: Took | None = None,
    tracking_uri: str | None = None,
) -> RunRecord:
    """Write a finished evaluation into MLflow, once for each card.

    Parameters
    ----------
    folder : the study's result folder; the default database and its artefacts lie in it
    study : str, the name of the experiment and of the registered versions
    card : the folder with the card's files
    made_from : fingerprints of what the evaluation was made from, by name; "evaluation" is its own
    took : what each stage took; None is unknown
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `folder`
    """
    folder, card = Path(folder), Path(card)
    folder.mkdir(parents=True, exist_ok=True)
    about = cards.about(card) | {KIND: EVALUATION}
    key = fingerprint_document({"riskmodel": __version__, "study": study, "card": about[cards.CARD]})
    with database.opened(folder, tracking_uri) as client:
        uri = database.address(folder, tracking_uri)
        where = database.experiment(client, study, folder, tracking_uri)
        finished = finished_in(client, where, study, key)
        if finished is not None:
            return RunRecord(key, *finished, uri, page_of(where, finished[0]), made=False)
        remove_half_made(client, where, study, key)
        words = described.words(card)
        described.describe_experiment(client, where, words)
        tags = {KEY: key, RUN_NAME: f"{study} {key[:8]}", "riskmodel.version": __version__, NOTE: words, **about}
        made = client.create_run(where, tags=tags | writing.source())
        run_id = str(made.info.run_id)
        _write(client, run_id, card, made_from, took)
        of_version = {KEY: key, **about, cards.MODEL: made_from["evaluation"]}
        number = registering.register_card(client, study, made, words, of_version)
        writing.finish(client, run_id)
        client.set_tag(run_id, FINISHED, "yes")
        return RunRecord(key, run_id, f"models:/{study}/{number}", uri, page_of(where, run_id), made=True)


def _write(client: MlflowClient, run_id: str, card: Path, made_from: Mapping[str, str], took: Took | None) -> None:
    """Figures, digests, and the card with its plots."""
    document = json.loads((card / "card.json").read_text(encoding="utf-8"))
    claims = [Claim.from_document(key, held) for key, held in sorted(document["evidence"]["claims"].items())]
    rows = [{"metric": claim.key, "value": claim.value, "low": claim.low, "high": claim.high} for claim in claims]
    usable = [row for row, claim in zip(rows, claims, strict=True) if claim.usable]
    plan: dict[str, Any] = (document.get("evaluation") or {}).get("plan") or {}
    settings = {name: value for name, value in plan.items() if not isinstance(value, list | dict)}
    machine = {} if took is None else {"machine": dict(took.machine)}
    writing.log(client, run_id, {"plan": settings, **machine}, [*writing.metrics_of(usable), *resources_of(took)])
    client.log_inputs(
        run_id, datasets=[writing.data(name, mark, "source", "riskmodel", {}) for name, mark in made_from.items()]
    )
    client.log_artifacts(run_id, str(card), "card")
    write_plots(client, run_id, card)
    with TemporaryDirectory() as aside:
        table = pa.Table.from_pylist([{"figure": claim.key, **_shown(claim)} for claim in claims])
        write_csv(table, Path(aside) / "figures.csv")
        client.log_artifacts(run_id, aside, "tables")


def _shown(claim: Claim) -> dict[str, Any]:
    held = claim.document()
    return {name: held[name] for name in ("value", "low", "high", "n", "state", "unit")}
