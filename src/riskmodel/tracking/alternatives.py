"""The record of less discriminatory alternatives in MLflow: what was looked at, and who chose what, when and why.

One run for a choice, with a nested run for each candidate: its accuracy, calibration, gaps and the people it displaces,
with intervals. Table and plot lie beside it. A share or a count that rests on a small number of people is left out, as
on a card. A record is made once for a choice and never changed: a later choice is a run of its own.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from riskmodel import __version__
from riskmodel.cards.disclosed import gives_away, rule_words
from riskmodel.errors import DataRefused
from riskmodel.fairness.frontier import COUNTS, EVERYBODY, Alternatives, Frontier
from riskmodel.fairness.plots import frontier_plot
from riskmodel.tables import fingerprint_document
from riskmodel.tracking import database
from riskmodel.tracking.library import Metric, MlflowClient, Param
from riskmodel.tracking.runs import FINISHED, KEY, PARENT

if TYPE_CHECKING:
    import pandas as pd

KIND, RECORD = "riskmodel.kind", "less-discriminatory alternatives"
CHOSEN, BY, ON = "riskmodel.chosen", "riskmodel.chosen_by", "riskmodel.chosen_on"
SUPPRESSED: Final = "suppressed"
FILE, TABLE, DRAWING, PAGE = "alternatives.json", "candidates.csv", "candidates.png", "alternatives.html"
WHERE = "alternatives"


@dataclass(frozen=True, slots=True)
class AlternativesRecord:
    """Where a choice is recorded.

    Attributes
    ----------
    key : str, fingerprint of the choice and the table that it was made from
    run_id : str
    tracking_uri : str
    made : bool, False when the record of this very choice was already there
    """

    key: str
    run_id: str
    tracking_uri: str
    made: bool


def record_alternatives(
    folder: str | Path,
    *,
    study: str,
    frontier: Frontier,
    choice: Alternatives,
    metric: str = "tpr",
    model: str = "",
    tracking_uri: str | None = None,
) -> AlternativesRecord:
    """Write a choice among candidates into MLflow, once.

    Parameters
    ----------
    folder : the study's result folder; the default database and its artefacts lie in it
    study : str, the name of the experiment, that of the study's runs
    frontier : the candidates side by side
    choice : of `Frontier.chosen`
    metric : the figure whose gap is drawn
    model : str, address or fingerprint of the model that the candidates stand beside, if there is one
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `folder`

    Raises
    ------
    DataRefused : the choice was made from another table
    NotFound : nothing answers at the address
    """
    if choice.frontier != frontier.fingerprint:
        raise DataRefused(
            "alternatives-differ",
            found="a choice that was made from another table of candidates",
            expected="the frontier on which the choice was made",
            repair="Record the choice with the frontier whose `chosen` made it.",
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    key = fingerprint_document({"choice": choice.document(), "study": study, "model": model})
    with database.opened(folder, tracking_uri) as client:
        uri = database.address(folder, tracking_uri)
        where = database.experiment(client, study, folder, tracking_uri)
        for run in client.search_runs([where], f"tags.`{KEY}` = '{key}'"):
            if run.data.tags.get(FINISHED) == "yes":
                return AlternativesRecord(key, str(run.info.run_id), uri, made=False)
            _remove(client, where, str(run.info.run_id))
        tags = {KEY: key, KIND: RECORD, CHOSEN: choice.chosen, BY: choice.by, ON: choice.on, "riskmodel.model": model}
        tags |= {"mlflow.runName": f"alternatives {key[:8]}", "riskmodel.version": __version__}
        run_id = str(client.create_run(where, tags=tags).info.run_id)
        shown = disclosed(frontier.table)
        _write(client, run_id, choice, frontier, shown, metric)
        for name in frontier.names:
            _write_candidate(client, where, run_id, shown[shown["candidate"] == name], chosen=name == choice.chosen)
        client.set_tag(run_id, FINISHED, "yes")
        client.set_terminated(run_id, "FINISHED")
        return AlternativesRecord(key, run_id, uri, made=True)


def recorded_alternatives(
    folder: str | Path, *, study: str, tracking_uri: str | None = None
) -> tuple[Mapping[str, Any], ...]:
    """The choices recorded for a study, the latest first: the document of each, with its run and time of recording."""
    with database.opened(Path(folder), tracking_uri) as client:
        found = client.get_experiment_by_name(study)
        if found is None:
            return ()
        wanted = f"tags.`{KIND}` = '{RECORD}' and tags.`{FINISHED}` = 'yes'"
        runs = client.search_runs([found.experiment_id], wanted, order_by=["attributes.start_time DESC"])
        return tuple(_read(client, str(run.info.run_id), int(run.info.start_time)) for run in runs)


def disclosed(table: pd.DataFrame) -> pd.DataFrame:
    """The table without figures that would tell a small number of people, and without the counts they were made of.

    Counts of groups add up to that of everybody: where one of them may not be told, none of them is.
    """
    rows = table.to_dict("records")
    tells = [gives_away(_number(row["numerator"]), _number(row["denominator"])) for row in rows]
    hidden = {(row["candidate"], row["figure"]) for row, small in zip(rows, tells, strict=True) if small}
    tells = [
        small or (row["figure"] in COUNTS and row["group"] != EVERYBODY and (row["candidate"], row["figure"]) in hidden)
        for row, small in zip(rows, tells, strict=True)
    ]
    shown = table.drop(columns=["numerator", "denominator"])
    shown.loc[tells, ["value", "low", "high"]] = float("nan")
    shown.loc[tells, "state"] = SUPPRESSED
    return shown


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _write(
    client: MlflowClient, run_id: str, choice: Alternatives, frontier: Frontier, shown: pd.DataFrame, metric: str
) -> None:
    """What was chosen and why, and the table and plot it was chosen from."""
    params = {"considered": ", ".join(choice.considered), "chosen": choice.chosen, "why": choice.why}
    params |= {"attribute": frontier.attribute, "reference": frontier.reference, "by": choice.by, "on": choice.on}
    params |= {"advice": choice.advice, "legal_advice": choice.legal_advice}
    client.log_batch(run_id, params=[Param(name, value[:6000]) for name, value in params.items() if value])
    plot = frontier_plot(shown, metric, "found", frontier.attribute, frontier.reference)
    with TemporaryDirectory() as aside:
        place = Path(aside)
        document = {"choice": choice.document(), "rules": rule_words(), "alt": plot.alt}
        (place / FILE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        shown.to_csv(place / TABLE, index=False)
        plot.figure.savefig(place / DRAWING, dpi=110, bbox_inches="tight", metadata={"Software": None})
        (place / PAGE).write_text(_page(choice, plot._repr_html_()), encoding="utf-8")
        client.log_artifacts(run_id, aside, WHERE)


def _page(choice: Alternatives, drawn: str) -> str:
    """The record as one page: who, when, why, and the candidates."""
    rows = {"Chosen": choice.chosen, "By": choice.by, "On": choice.on, "Why": choice.why}
    rows |= {"Considered": ", ".join(choice.considered), "First": choice.advice, "Legal advice": choice.legal_advice}
    told = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in rows.items() if value)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Less discriminatory alternatives</title>'
        '<body style="font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem">'
        f"<h1>Less discriminatory alternatives</h1><dl>{told}</dl>{drawn}"
        f"<p>{html.escape(rule_words())}</p></body></html>\n"
    )


def _write_candidate(client: MlflowClient, where: str, run_id: str, own: pd.DataFrame, *, chosen: bool) -> None:
    """One candidate: every figure that may be shown, with its interval as ``.low`` and ``.high``."""
    name, advice = str(own["candidate"].iloc[0]), str(own["advice"].iloc[0])
    tags = {PARENT: run_id, "mlflow.runName": name, CHOSEN: "yes" if chosen else "no"}
    nested = str(client.create_run(where, tags=tags).info.run_id)
    now, metrics = int(time.time() * 1000), []
    for row in own.to_dict("records"):
        called = _named(f"{row['figure']}.{row['group']}")
        for end, after in (("value", ""), ("low", ".low"), ("high", ".high")):
            number = _number(row[end])
            if number is not None:
                metrics.append(Metric(f"{called}{after}", number, now, 0))
    params = [Param("candidate", name), *([Param("advice", advice)] if advice else [])]
    client.log_batch(nested, params=params)
    for start in range(0, len(metrics), 900):  # MLflow takes at most 1,000 in one call
        client.log_batch(nested, metrics=metrics[start : start + 900])
    client.set_terminated(nested, "FINISHED")


def _named(text: str) -> str:
    """A name that MLflow takes."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in text)


def _remove(client: MlflowClient, where: str, run_id: str) -> None:
    """Remove a record that was never finished."""
    for nested in client.search_runs([where], f"tags.`{PARENT}` = '{run_id}'"):
        client.delete_run(nested.info.run_id)
    client.delete_run(run_id)


def _read(client: MlflowClient, run_id: str, started: int) -> Mapping[str, Any]:
    with TemporaryDirectory() as aside:
        path = client.download_artifacts(run_id, f"{WHERE}/{FILE}", aside)
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    return {**document["choice"], "run_id": run_id, "recorded_ms": started}
