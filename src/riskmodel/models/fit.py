"""Fit a model and judge it: forward folds, honest comparators on the same rows, then the final fit on all rows.

What is judged is the whole procedure: in every fold the model learns, and its calibration learns, from rows that were
complete before the test period; the model that is kept is made by the same procedure on all rows with a known
outcome. Unknown outcomes neither teach nor judge; they are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.errors import DeclarationError, Fault
from riskmodel.features.training_set import TrainingSet
from riskmodel.models import calibrate as calibration
from riskmodel.models import metrics
from riskmodel.models.calibrate import Method
from riskmodel.models.decision import decision_curve
from riskmodel.models.evaluation import ALL, MODEL, Evaluation, calibration_rows, figures_table, roc_curve
from riskmodel.models.judging import Judged, capacity_label, judge, places
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import BaseRate, BestCount, Learner, Logistic
from riskmodel.models.metrics import Numbers
from riskmodel.models.procedure import Procedure, Progress, Steps, workers
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.similar import SimilarCases
from riskmodel.models.smooth import SmoothCalibration, smooth_calibration
from riskmodel.models.splits import Fold, Folds, ForwardFolds, PlaceFolds, Rows
from riskmodel.models.success import Finding, Measured, SuccessBar
from riskmodel.models.tuning import Journal, Search, Tuned
from riskmodel.models.uncertainty import Resampling

SMOOTH_DRAWS = 200
"""Draws of people for the smooth calibration curve: each is a fit, and a band needs no third digit."""


def fit(
    training: TrainingSet,
    learner: Learner | Tuned,
    folds: Folds = ForwardFolds(4),  # noqa: B008 - frozen settings, safe to share
    *,
    calibrate: Method | None = "isotonic",
    comparators: Sequence[Learner] = (BaseRate(), BestCount(), Logistic()),
    capacity: Sequence[float] = (0.01, 0.05, 0.1),
    seed: int = 0,
    success_bar: SuccessBar | str | None = None,
    replicates: int = 1000,
    threads: int = 0,
    journal: str | Path | None = None,
    progress: Progress | None = None,
) -> RiskModel:
    """Fit a model, judge it beside its comparators on rows it has not seen, and keep the model of all rows.

    Parameters
    ----------
    training : TrainingSet
    learner : frozen settings, such as ``LightGBM(seed=7)``, or ``Tuned`` settings, searched for inside every fold
    folds : ForwardFolds, PersonFolds or PlaceFolds
    calibrate : "isotonic", "sigmoid" or None; learned inside the rows that teach (see `models.calibrate`)
    comparators : learners judged on the same folds; they are not calibrated, each makes probabilities of its own
    capacity : shares of the rows (below 1) or places on one list (from 1); one list is made in each fold
    seed : int, for calibration parts and bootstrap draws; the learner has its own
    success_bar : SuccessBar or its sentence, such as "auroc beats best_count by 0.02", declared before the fit
    replicates : int, bootstrap draws of people
    threads : int, 0 is one a core; never changes the result
    journal : a file in which finished trials of a search are kept, so that it can be taken up again
    progress : called as the work goes on

    Returns
    -------
    RiskModel

    Raises
    ------
    DeclarationError : settings that mean nothing
    DataRefused : too short for the folds, too few positives, a comparator without its column
    """
    bar = SuccessBar.parse(success_bar) if isinstance(success_bar, str) else success_bar
    rivals = _named([_resolved(rival, training) for rival in comparators if rival != learner])
    candidates = {MODEL: learner if isinstance(learner, Tuned) else _resolved(learner, training), **rivals}
    _must_be_settings(calibrate, capacity, replicates, bar, rivals)
    labelled = Labelled.of(training)
    split = _split(labelled, folds)
    steps = Steps(progress, total=len(split) * (len(candidates) + 1) + 3)
    everyone = np.arange(len(labelled.outcome))
    with workers(threads) as pool:
        procedure = Procedure(labelled, seed, pool, Journal(None if journal is None else Path(journal)))
        unseen = procedure.unseen(candidates, split, calibrate, steps)
        final = procedure.begin(candidates[MODEL], everyone, everyone[:0], calibrate, "final")
        judged = _judge(labelled, split, unseen, capacity, Resampling(replicates, seed), pool, steps)
        steps.begin("calibration and decision curves")
        smooth = _smooth(labelled, split, unseen, Resampling(min(replicates, SMOOTH_DRAWS), seed))
        curve = _decision(labelled, split, unseen, Resampling(replicates, seed))
        steps.begin("final fit")
        kept = final()
    steps.begin("done")
    rows = np.concatenate([fold.test for fold in split])
    similar = SimilarCases.of(unseen[MODEL][rows], labelled.outcome[rows], labelled.people[rows])
    return RiskModel(
        learner=kept.learner,
        fitted=kept.fitted,
        calibration=kept.calibration,
        features=tuple(training.features) if kept.learner.inputs is None else (),
        similar=similar,
        evaluation=_evaluation(labelled, split, unseen, judged, smooth, curve, bar),
        declaration={
            "folds": folds.document(),
            "calibrate": calibrate,
            "comparators": {name: rival.document() for name, rival in rivals.items()},
            "capacity": list(capacity),
            "seed": seed,
            "success_bar": None if bar is None else bar.text,
            "replicates": replicates,
            **({"tuning": _tuning(learner, procedure.searches)} if isinstance(learner, Tuned) else {}),
        },
        training_fingerprint=training.fingerprint,
    )


def _judge(
    labelled: Labelled,
    split: Sequence[Fold],
    unseen: Mapping[str, Numbers],
    capacity: Sequence[float],
    resampling: Resampling,
    pool: Executor,
    steps: Steps,
) -> dict[str, Judged]:
    """Figures on all test rows together, then on each fold."""
    sets = {ALL: np.concatenate([fold.test for fold in split]), **{str(fold.number): fold.test for fold in split}}
    begun = {}
    for name, rows in sets.items():
        on_list = places(capacity, len(rows), len(split) if name == ALL else 1)
        known, people = labelled.outcome[rows], labelled.people[rows]
        of_rows = {model: p[rows] for model, p in unseen.items()}
        begun[name] = pool.submit(judge, known, of_rows, people, on_list, resampling, name)
    made = {}
    for name, work in begun.items():
        steps.begin("intervals: all folds" if name == ALL else f"intervals: fold {name}")
        made[name] = work.result()
    return made


def _smooth(
    labelled: Labelled, split: Sequence[Fold], unseen: Mapping[str, Numbers], resampling: Resampling
) -> dict[str, SmoothCalibration]:
    rows = np.concatenate([fold.test for fold in split])
    outcome, people = labelled.outcome[rows], labelled.people[rows]
    return {model: smooth_calibration(outcome, p[rows], people, resampling) for model, p in unseen.items()}


def _decision(
    labelled: Labelled, split: Sequence[Fold], unseen: Mapping[str, Numbers], resampling: Resampling
) -> pa.Table:
    rows = np.concatenate([fold.test for fold in split])
    probabilities = {model: p[rows] for model, p in unseen.items()}
    return decision_curve(labelled.outcome[rows], probabilities, labelled.people[rows], resampling)


def _evaluation(
    labelled: Labelled,
    split: Sequence[Fold],
    unseen: Mapping[str, Numbers],
    judged: Mapping[str, Judged],
    smooth: Mapping[str, SmoothCalibration],
    decision: pa.Table,
    bar: SuccessBar | None,
) -> Evaluation:
    figures = [
        figure.row(model=model, fold=fold)
        for model in unseen
        for fold, found in judged.items()
        for figure in (*found.figures[model], *(smooth[model].figures if fold == ALL else ()))
    ]
    leads = [
        figure.row(model=model, fold=fold)
        for model in unseen
        if model != MODEL
        for fold, found in judged.items()
        for figure in found.leads[model]
    ]
    rows = np.sort(np.concatenate([fold.test for fold in split]))
    outcome, people = labelled.outcome[rows], labelled.people[rows]
    curves = [row for model, p in unseen.items() for row in calibration_rows(model, outcome, p[rows], people)]
    return Evaluation(
        metrics=figures_table(figures),
        differences=figures_table(leads),
        predictions=_predictions(labelled, split, unseen),
        roc=_roc(outcome, {model: p[rows] for model, p in unseen.items()}),
        calibration=pa.Table.from_pylist(curves),
        smooth=pa.concat_tables(
            found.curve.add_column(0, "model", pa.array([model] * found.curve.num_rows, pa.string()))
            for model, found in smooth.items()
        ),
        decision=decision,
        folds=tuple({**fold.document(), **_positives(labelled, fold)} for fold in split),
        counts=_counts(labelled, rows),
        success=() if bar is None else _success(bar, judged[ALL]),
    )


def _predictions(labelled: Labelled, split: Sequence[Fold], unseen: Mapping[str, Numbers]) -> pa.Table:
    fold_of = np.zeros(len(labelled.outcome), np.int32)
    for fold in split:
        fold_of[fold.test] = fold.number
    rows = np.flatnonzero(fold_of)
    rows = rows[np.lexsort((labelled.as_of[rows], labelled.people[rows]))]
    columns: dict[str, Any] = {
        "entity_id": labelled.people[rows],
        "as_of": labelled.as_of[rows],
        "fold": fold_of[rows],
        "outcome": labelled.outcome[rows].astype(np.int8),
    }
    columns |= {"p" if model == MODEL else f"p_{model}": p[rows] for model, p in unseen.items()}
    return pa.table(columns)


def _roc(outcome: Numbers, probabilities: Mapping[str, Numbers]) -> pa.Table:
    parts = {model: roc_curve(outcome, p) for model, p in probabilities.items()}
    return pa.table(
        {
            "model": pa.array([model for model, (x, _) in parts.items() for _ in range(len(x))], pa.string()),
            "false_positive_rate": np.concatenate([x for x, _ in parts.values()]),
            "true_positive_rate": np.concatenate([y for _, y in parts.values()]),
        }
    )


def _counts(labelled: Labelled, judged: Rows) -> dict[str, int]:
    return {
        "rows": len(labelled.kept) + labelled.unknown,
        "unknown": labelled.unknown,
        "labelled": len(labelled.kept),
        "positives": int(labelled.outcome.sum()),
        "people": len(np.unique(labelled.people)),
        "judged": len(judged),
        "judged_positives": int(labelled.outcome[judged].sum()),
        "judged_people": len(np.unique(labelled.people[judged])),
    }


def _positives(labelled: Labelled, fold: Fold) -> dict[str, int]:
    return {
        "train_positives": int(labelled.outcome[fold.train].sum()),
        "test_positives": int(labelled.outcome[fold.test].sum()),
        "train_people": len(np.unique(labelled.people[fold.train])),
        "test_people": len(np.unique(labelled.people[fold.test])),
    }


def _success(bar: SuccessBar, judged: Judged) -> tuple[Finding, ...]:
    own = {figure.metric: (figure.value, figure.low, figure.high) for figure in judged.figures[MODEL]}
    leads = {
        (rival, figure.metric): (figure.value, figure.low, figure.high)
        for rival, figures in judged.leads.items()
        for figure in figures
    }

    def metric_of(metric: str) -> Measured:
        return own[metric]

    def lead_of(rival: str, metric: str) -> Measured:
        return leads[rival, metric]

    return bar.judged(metric_of, lead_of)


def _tuning(tuned: Tuned, searches: Sequence[Search]) -> dict[str, Any]:
    return {**tuned.document(), "searches": [search.document() for search in searches]}


def _resolved(learner: Learner, training: TrainingSet) -> Learner:
    """BestCount looks among the counts of the feature language when the features say what they are."""
    if not isinstance(learner, BestCount) or learner.among is not None:
        return learner
    counts = tuple(feature.name for feature in training.features if feature.word == "count")
    return replace(learner, among=counts) if counts else learner


def _named(comparators: Sequence[Learner]) -> dict[str, Learner]:
    """Comparators by kind; a second of a kind gets a number."""
    named: dict[str, Learner] = {}
    for comparator in comparators:
        same = sum(1 for other in named.values() if other.kind == comparator.kind)
        named[comparator.kind if not same else f"{comparator.kind}_{same + 1}"] = comparator
    return named


def _must_be_settings(
    calibrate: Method | None,
    capacity: Sequence[float],
    replicates: int,
    bar: SuccessBar | None,
    rivals: Mapping[str, Learner],
) -> None:
    calibration.must_be_method(calibrate)
    faults = [
        Fault("capacity", repr(share), "a share between 0 and 1, or a number of places from 1", "Correct the capacity.")
        for share in capacity
        if not share > 0 or (share > 1 and share != int(share))
    ]
    if replicates < 100:
        faults.append(Fault("replicates", repr(replicates), "at least 100", "Ask for 1000."))
    if faults:
        raise DeclarationError("fit-invalid", faults=faults)
    if bar is not None:
        labels = {capacity_label(share): 1.0 for share in capacity}
        known = metrics.every_metric(np.array([0.0, 1.0]), np.array([0.25, 0.75]), labels)
        bar.must_be_about(tuple(known), tuple(rivals))


def _split(labelled: Labelled, folds: Folds) -> tuple[Fold, ...]:
    training = labelled.training
    if not isinstance(folds, PlaceFolds):
        return folds.split(labelled.as_of, labelled.people, training.horizon)
    if folds.by not in training.group_names:
        raise DeclarationError.of(
            "place-unknown",
            where="folds.by",
            found=repr(folds.by),
            expected=f"a group of the training set: {', '.join(training.group_names) or 'it has none'}",
            repair="Keep the place among the groups when the training set is built.",
        )
    places = training.group(folds.by).take(labelled.kept).to_pylist()
    return folds.split_by(places, labelled.as_of, labelled.people)
