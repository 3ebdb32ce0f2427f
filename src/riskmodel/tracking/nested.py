"""The runs nested in a study's run: each fold, in it each candidate, and each trial of a search for settings.

A candidate is the model or one of its comparators, by the same names of figures, so that MLflow's own comparison puts
them side by side. A fold's run has the model's figures too: how it did from one period to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.cards.disclosed import count_or_none
from riskmodel.models.risk_model import RiskModel
from riskmodel.tracking import tables as disclosed
from riskmodel.tracking.library import MlflowClient
from riskmodel.tracking.writing import KIND, alone, finish, log, metrics_of, nested

ALL = "all"
FOLD, CANDIDATE, TRIAL = "fold", "candidate", "trial"
_TOLD = ("train_rows", "train_people", "train_positives", "test_rows", "test_people", "test_positives")
_DATES = ("test_from", "test_until")


@dataclass(frozen=True, slots=True)
class Within:
    """The run that others are nested in.

    Attributes
    ----------
    client, where : MLflow, and the id of the experiment
    run_id, key : of the study's run
    """

    client: MlflowClient
    where: str
    run_id: str
    key: str


def overall(model: RiskModel) -> list[Mapping[str, Any]]:
    """The model's own figures over all folds, as they may be shown."""
    return _figures(model)[ALL]["model"]


def write_folds(within: Within, model: RiskModel) -> None:
    """A run for each fold and one for all together, and in each a run for every candidate."""
    about = {str(fold.get("fold")): fold for fold in model.evaluation.folds}
    for fold, candidates in _figures(model).items():
        name = "all folds" if fold == ALL else f"fold {fold}"
        tags = {KIND: FOLD}
        run_id = nested(within.client, within.where, within.run_id, within.key, name, tags)
        of_fold = about.get(fold, {})
        params = {"fold": fold, **{date: of_fold.get(date) for date in _DATES}}
        counts = {name: count_or_none(of_fold[name]) for name in _TOLD if name in of_fold}
        own = [] if fold == ALL else candidates.get("model", [])
        log(within.client, run_id, params, [*metrics_of(own), *alone(counts)])
        for candidate, rows in candidates.items():
            _write_candidate(within, run_id, fold, candidate, rows)
        finish(within.client, run_id)


def write_trials(within: Within, model: RiskModel) -> None:
    """A run for each trial of a search for settings: what was tried where, and its log loss."""
    for search in model.declaration.get("tuning", {}).get("searches", ()):
        for number, trial in enumerate(search["trials"], start=1):
            name, loss = f"{search['where']} trial {number}", trial["log_loss"]
            run_id = nested(within.client, within.where, within.run_id, within.key, name, {KIND: TRIAL})
            metrics = [] if loss is None else alone({"trial.log_loss": loss})
            log(within.client, run_id, {"search": search["where"], **trial["settings"]}, metrics)
            finish(within.client, run_id, "FAILED" if loss is None else "FINISHED")


def _write_candidate(within: Within, parent: str, fold: str, candidate: str, rows: Sequence[Mapping[str, Any]]) -> None:
    tags = {KIND: CANDIDATE}
    run_id = nested(within.client, within.where, parent, within.key, candidate, tags)
    log(within.client, run_id, {"fold": fold, "candidate": candidate}, metrics_of(rows))
    finish(within.client, run_id)


def _figures(model: RiskModel) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """The figures as they may be shown, by fold and candidate: all together first, the model first."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    rows = disclosed.figures(model).to_pylist()
    for row in sorted(rows, key=lambda row: (row["fold"] != ALL, str(row["fold"]), row["model"] != "model")):
        found[str(row["fold"])][str(row["model"])].append(row)
    return {fold: dict(candidates) for fold, candidates in found.items()}
