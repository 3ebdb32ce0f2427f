"""The referee: questions a prediction study has to answer, put by a machine where a machine can look.

After PROBAST+AI (2025) and the usual ways in which a study fools itself: a feature that knows the outcome, a value
that is certain, rows counted twice, outcomes that teach before they were known, too few outcomes for so many
features. Each answer is pass, review, fail or not_applicable, with the evidence in numbers. A pass is not a proof:
it says that this question was asked and what was found.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from riskmodel.dates import Duration
from riskmodel.features.training_set import TrainingSet
from riskmodel.histories.store import Histories
from riskmodel.models.checking import Answer, Check
from riskmodel.models.encoded_leaks import no_feature_averages_the_outcome, numbers_tell_nothing
from riskmodel.models.evaluation import MODEL
from riskmodel.models.fitted import Matrix
from riskmodel.models.labelled import Labelled
from riskmodel.models.leaks import (
    no_feature_is_filled_in_later,
    no_person_twice_across_folds,
    records_have_their_own_time,
)
from riskmodel.models.learners import BaseRate
from riskmodel.models.metrics import Numbers, auroc_either_way
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.uncertainty import rate_interval

KNOWS_THE_OUTCOME, TOO_GOOD, FAR_AHEAD = 0.95, 0.85, 0.15
"""AUROC of one feature alone that fails, that wants a look, and a lead over the second best that wants a look."""
CERTAIN: Final = 0.9
"""A value of a feature fails when the interval of the share of positives among its rows lies above this."""
FEW_ROWS: Final = 30
ENOUGH_POSITIVES, FEW_POSITIVES = 100, 20
ENOUGH_A_FEATURE, FEW_A_FEATURE = 10.0, 2.0


def referee(model: RiskModel, training: TrainingSet, histories: Histories | None = None) -> tuple[Check, ...]:
    """All questions, in a fixed order.

    Parameters
    ----------
    model : RiskModel, fitted on `training`
    training : TrainingSet
    histories : what the set was made from; without them, two questions about time cannot be put

    Returns
    -------
    tuple of Check
    """
    rows = Labelled.of(training)
    names = tuple(training.feature_names)
    return (
        no_feature_knows_the_outcome(rows.X, rows.outcome, names),
        no_value_is_certain(rows, names),
        no_feature_averages_the_outcome(rows, names),
        numbers_tell_nothing(rows),
        no_row_twice(training),
        no_person_twice_across_folds(model, training),
        *_of_histories(training, histories),
        _outcomes_known_when_they_teach(model, training),
        _follow_up(rows),
        _people_apart(model),
        _enough_a_feature(model),
        _enough_judged(model),
        _calibration(model),
        _comparators(model),
    )


def _of_histories(training: TrainingSet, histories: Histories | None) -> tuple[Check, ...]:
    if histories is None:
        return ()
    return no_feature_is_filled_in_later(training, histories), records_have_their_own_time(histories)


def no_feature_knows_the_outcome(X: Matrix, outcome: Numbers, names: tuple[str, ...]) -> Check:
    """Whether a feature alone, or its being missing, orders the rows too well to be true."""
    question = "Does any feature alone, or the lack of it, all but tell the outcome?"
    areas: list[tuple[float, str]] = []
    for column, name in enumerate(names):
        values = X[:, column].astype(np.float64)
        missing = np.isnan(values)
        if not missing.all():
            areas.append((auroc_either_way(outcome[~missing], values[~missing]), name))
        areas.append((auroc_either_way(outcome, missing.astype(np.float64)), f"{name} being missing"))
    known = sorted(((area, name) for area, name in areas if np.isfinite(area)), key=lambda pair: (-pair[0], pair[1]))
    if not known:
        return Check("feature-knows-outcome", question, "not_applicable", "No feature can be ordered.")
    (best, name), second = known[0], known[1][0] if len(known) > 1 else 0.5
    answer: Answer = "pass"
    if best >= TOO_GOOD or (best >= 0.75 and best - second >= FAR_AHEAD):
        answer = "fail" if best >= KNOWS_THE_OUTCOME else "review"
    return Check(
        "feature-knows-outcome", question, answer, f"Best alone: {name}, AUROC {best:.3f}; the next {second:.3f}."
    )


def no_value_is_certain(rows: Labelled, names: tuple[str, ...]) -> Check:
    """Whether some value of a feature goes with the outcome almost always, though the outcome is not that common."""
    question = "Does any value of a feature go with the outcome almost without exception?"
    if rows.outcome.mean() > 0.5:
        return Check("certain-value", question, "not_applicable", "More than half of the rows have the outcome.")
    found = [
        f"{name} ({len(inside)} rows, {int(rows.outcome[inside].sum())} with the outcome)"
        for column, name in enumerate(names)
        for inside in _slices(rows.X[:, column])
        if rate_interval(rows.outcome[inside], rows.people[inside])[0] > CERTAIN
    ]
    said = f"Certain: {'; '.join(found[:5])}." if found else f"No value of {len(names)} features is."
    return Check("certain-value", question, "fail" if found else "pass", said)


def no_row_twice(training: TrainingSet) -> Check:
    """Whether a person has two rows at one date: the same outcome would then teach and judge."""
    question = "Is every person in the set once at each date?"
    keys = np.stack([training.people(), training.as_of().astype(np.int64)])
    twice = keys.shape[1] - np.unique(keys, axis=1).shape[1]
    said = f"{twice} of {keys.shape[1]} rows repeat the person and date of another."
    return Check("row-twice", question, "fail" if twice else "pass", said)


def _outcomes_known_when_they_teach(model: RiskModel, training: TrainingSet) -> Check:
    question = "Was every outcome complete before the period that is judged with its help?"
    name, folds = "outcome-known-in-time", model.declaration["folds"]
    if folds["kind"] != "forward":
        return Check(name, question, "review", "Folds are by person, not by time: nothing is said about later years.")
    gap = training.horizon if folds["gap"] is None else Duration.parse(folds["gap"])
    said = f"The gap is {gap}, the outcome needs {training.horizon}."
    return Check(name, question, "pass" if gap.nominal_days >= training.horizon.nominal_days else "review", said)


def _follow_up(rows: Labelled) -> Check:
    total = len(rows.kept) + rows.unknown
    said = f"{rows.unknown} of {total} rows have an unknown outcome; they neither teach nor judge."
    # Left out because time had not passed is fair; left out among rows that had their time is not.
    last = rows.as_of.max()
    early = int((rows.training.as_of()[np.isnan(rows.training.outcome())] < last).sum())
    answer: Answer = "review" if early else "pass"
    if early:
        said += f" {early} of them are earlier than the last known outcome: ask why."
    return Check("follow-up-complete", "Is the follow-up complete for the rows that are used?", answer, said)


def _people_apart(model: RiskModel) -> Check:
    shared = [int(fold["people_in_both"]) for fold in model.evaluation.folds]
    said = f"People in both, by fold: {', '.join(map(str, shared))}."
    question = "Are the people judged others than those who taught?"
    return Check("people-apart", question, "review" if any(shared) else "pass", said)


def _enough_a_feature(model: RiskModel) -> Check:
    question = "Are there enough outcomes for so many features?"
    if not model.feature_names:
        return Check("outcomes-per-feature", question, "not_applicable", "The model reads no feature.")
    positives, features = model.evaluation.counts["positives"], len(model.feature_names)
    each = positives / features
    answer: Answer = "pass" if each >= ENOUGH_A_FEATURE else "review" if each >= FEW_A_FEATURE else "fail"
    said = f"{positives} positives for {features} features: {each:.1f} each ({ENOUGH_A_FEATURE:g} or more wanted)."
    return Check("outcomes-per-feature", question, answer, said)


def _enough_judged(model: RiskModel) -> Check:
    positives = model.evaluation.counts["judged_positives"]
    negatives = model.evaluation.counts["judged"] - positives
    fewer = min(positives, negatives)
    answer: Answer = "pass" if fewer >= ENOUGH_POSITIVES else "review" if fewer >= FEW_POSITIVES else "fail"
    said = f"{positives} positives and {negatives} negatives were judged ({ENOUGH_POSITIVES} of each wanted)."
    return Check("outcomes-judged", "Were enough outcomes judged to say how good it is?", answer, said)


def _calibration(model: RiskModel) -> Check:
    question = "Is calibration reported, and is it right?"
    slope, large = (model.evaluation.figure(name) for name in ("calibration_slope", "expected_observed"))
    if "not_estimable" in (slope.state, large.state):
        return Check("calibrated", question, "review", "Calibration cannot be estimated here.")
    right = slope.low <= 1 <= slope.high and large.low <= 1 <= large.high
    near = 0.8 <= slope.value <= 1.25 and 0.9 <= large.value <= 1.1
    said = (
        f"Slope {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}); expected over observed {large.value:.2f} "
        f"({large.low:.2f} to {large.high:.2f})."
    )
    return Check("calibrated", question, "pass" if right or near else "review", said)


def _comparators(model: RiskModel) -> Check:
    rivals = [name for name in model.evaluation.models if name != MODEL]
    question = "Is it judged beside what could be done without it?"
    beyond_the_base_rate = any(name != BaseRate.kind for name in rivals)
    said = f"Judged beside: {', '.join(rivals) or 'nothing'}."
    return Check("comparators", question, "pass" if beyond_the_base_rate else "fail", said)


def _slices(values: Matrix) -> list[Any]:
    """Row numbers of each value of a feature, or of each fiftieth of its range of ranks, and of the missing ones."""
    missing = np.isnan(values)
    made = [np.flatnonzero(missing)]
    known = np.flatnonzero(~missing)
    distinct, group = np.unique(values[known], return_inverse=True)
    if len(distinct) > 50:
        order = np.argsort(values[known], kind="stable")
        made += [known[part] for part in np.array_split(order, 50)]
    else:
        made += [known[group == place] for place in range(len(distinct))]
    return [rows for rows in made if len(rows) >= FEW_ROWS]
