"""Fit a model and judge it: forward folds, honest comparators on the same rows, then the final fit on all rows.

What is judged is the whole procedure: in every fold the model learns, and its calibration learns, from rows that were
complete before the test period; the model that is kept is made by the same procedure on all rows with a known
outcome. Unknown outcomes neither teach nor judge; they are counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from riskmodel.dates import Duration
from riskmodel.errors import DeclarationError, Fault
from riskmodel.features.training_set import TrainingSet
from riskmodel.models import calibrate as calibration
from riskmodel.models import metrics
from riskmodel.models.calibrate import Calibration, Method
from riskmodel.models.decision import decision_curve
from riskmodel.models.evaluation import ALL, MODEL, Evaluation, calibration_rows, figures_table, roc_curve
from riskmodel.models.fitted import Fitted
from riskmodel.models.judging import Judged, capacity_label, judge, places
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import BaseRate, BestCount, Learner, Logistic, fitted
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.similar import SimilarCases
from riskmodel.models.splits import Fold, Folds, ForwardFolds, Rows
from riskmodel.models.success import Finding, Measured, SuccessBar
from riskmodel.models.uncertainty import Resampling

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def fit(
    training: TrainingSet,
    learner: Learner,
    folds: Folds = ForwardFolds(4),  # noqa: B008 - frozen settings, safe to share
    *,
    calibrate: Method | None = "isotonic",
    comparators: Sequence[Learner] = (BaseRate(), BestCount(), Logistic()),
    capacity: Sequence[float] = (0.01, 0.05, 0.1),
    seed: int = 0,
    success_bar: SuccessBar | str | None = None,
    replicates: int = 1000,
    threads: int = 0,
    progress: Progress | None = None,
) -> RiskModel:
    """Fit a model, judge it beside its comparators on rows it has not seen, and keep the model of all rows.

    Parameters
    ----------
    training : TrainingSet
    learner : frozen settings, such as ``LightGBM(seed=7)``
    folds : ForwardFolds or PersonFolds
    calibrate : "isotonic", "sigmoid" or None; learned inside the rows that teach (see `models.calibrate`)
    comparators : learners judged on the same folds; they are not calibrated, each makes probabilities of its own
    capacity : shares of the rows (below 1) or places on one list (from 1); one list is made in each fold
    seed : int, for calibration parts and bootstrap draws; the learner has its own
    success_bar : SuccessBar or its sentence, such as "auroc beats best_count by 0.02", declared before the fit
    replicates : int, bootstrap draws of people
    threads : int, 0 is one a core; never changes the result
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
    candidates = {MODEL: _resolved(learner, training), **rivals}
    _must_be_settings(calibrate, capacity, replicates, bar, rivals)
    labelled = Labelled.of(training)
    split = folds.split(labelled.as_of, labelled.people, _horizon(training))
    steps = _Steps(progress, total=len(split) * (len(candidates) + 1) + 3)
    everyone = np.arange(len(labelled.outcome))
    with _workers(threads) as pool:
        procedure = _Procedure(labelled, seed, pool)
        unseen = procedure.unseen(candidates, split, calibrate, steps)
        final = procedure.begin(candidates[MODEL], everyone, everyone[:0], calibrate)
        judged = _judge(labelled, split, unseen, capacity, Resampling(replicates, seed), pool, steps)
        steps.begin("decision curve")
        curve = _decision(labelled, split, unseen, Resampling(replicates, seed))
        steps.begin("final fit")
        kept = final()
    steps.begin("done")
    rows = np.concatenate([fold.test for fold in split])
    similar = SimilarCases.of(unseen[MODEL][rows], labelled.outcome[rows], labelled.people[rows])
    return RiskModel(
        learner=candidates[MODEL],
        fitted=kept.fitted,
        calibration=kept.calibration,
        features=tuple(training.features) if candidates[MODEL].inputs is None else (),
        similar=similar,
        evaluation=_evaluation(labelled, split, unseen, judged, curve, bar),
        declaration={
            "folds": folds.document(),
            "calibrate": calibrate,
            "comparators": {name: rival.document() for name, rival in rivals.items()},
            "capacity": list(capacity),
            "seed": seed,
            "success_bar": None if bar is None else bar.text,
            "replicates": replicates,
        },
        training_fingerprint=training.fingerprint,
    )


@dataclass(frozen=True)
class _Procedure:
    """How a learner is taught and calibrated on some rows; the same in every fold and in the end.

    The pieces of work are independent of each other and run on one thread each: learners that share threads wait for
    each other whenever the machine has other work.
    """

    labelled: Labelled = field(repr=False)
    seed: int
    pool: Executor

    def begin(self, learner: Learner, train: Rows, score: Rows, method: Method | None) -> Callable[[], _Taught]:
        """Start to teach the learner on some rows and to score others; call what is returned to wait for it."""
        outcome, people = self.labelled.outcome[train], self.labelled.people[train]
        parts = [] if method is None else calibration.inner_parts(outcome, people, self.seed)
        work = self.pool.submit(self._job, learner, train, score)
        inner = [(scored, self.pool.submit(self._job, learner, train[teach], train[scored])) for teach, scored in parts]

        def wait() -> _Taught:
            made, scores = work.result()
            unseen = np.empty(len(train))
            for scored, part in inner:
                unseen[scored] = part.result()[1]
            calibrated = calibration.learned(method, unseen, outcome) if inner else calibration.AsItIs()
            return _Taught(made, calibrated, calibrated.probability(scores))

        return wait

    def unseen(
        self, candidates: Mapping[str, Learner], split: Sequence[Fold], method: Method | None, steps: _Steps
    ) -> dict[str, Numbers]:
        """Each candidate's probability for every row that is judged, NaN for the rows that are not."""
        begun = [
            (fold, name, self.begin(learner, fold.train, fold.test, method if name == MODEL else None))
            for fold in split
            for name, learner in candidates.items()
        ]
        made = {name: np.full(len(self.labelled.outcome), np.nan) for name in candidates}
        for fold, name, wait in begun:
            steps.begin(f"fold {fold.number} of {len(split)}: {candidates[name].kind.replace('_', ' ')}")
            made[name][fold.test] = wait().probability
        return made

    def _job(self, learner: Learner, train: Rows, score: Rows) -> tuple[Fitted, Numbers]:
        names, X = self.labelled.inputs(learner)
        made = fitted(learner, X[train], self.labelled.outcome[train], names, 1, self.labelled.people[train])
        return made, made.predict(X[score])


@dataclass(frozen=True)
class _Taught:
    """A learner that was taught, its calibration, and the probabilities of the rows it was asked to score."""

    fitted: Fitted
    calibration: Calibration
    probability: Numbers = field(repr=False)


@contextmanager
def _workers(threads: int) -> Iterator[Executor]:
    """Threads for independent pieces of work; the linear algebra underneath stays on one thread each."""
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    with threadpool_limits(1, user_api="blas"):
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class _Steps:
    """Tells the progress callback which step begins."""

    told: Progress | None
    total: int
    done: int = 0

    def begin(self, what: str) -> None:
        if self.told is not None:
            self.told(what, self.done, self.total)
        self.done += 1


def _judge(
    labelled: Labelled,
    split: Sequence[Fold],
    unseen: Mapping[str, Numbers],
    capacity: Sequence[float],
    resampling: Resampling,
    pool: Executor,
    steps: _Steps,
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
    decision: pa.Table,
    bar: SuccessBar | None,
) -> Evaluation:
    figures = [
        figure.row(model=model, fold=fold)
        for model in unseen
        for fold, found in judged.items()
        for figure in found.figures[model]
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


def _horizon(training: TrainingSet) -> Duration | None:
    return training.horizon
