"""Does a model that was taught here serve there? External validation, and what it takes to put it right.

Four ways, each judged on the same people of the other place or time: as it is; with the intercept moved; with
intercept and slope; taught anew by the same procedure. What is learned there is learned on one half of the people and
judged on the other, and the other way round, so that nobody judges what they taught (Steyerberg 2019, chapters 15, 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.calibrate import inner_parts
from riskmodel.models.evaluation import figures_table
from riskmodel.models.judging import Figure, Judged, judge, places
from riskmodel.models.labelled import Labelled
from riskmodel.models.metrics import Numbers, expit, logit, recalibration
from riskmodel.models.procedure import taught_and_calibrated
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import Rows
from riskmodel.models.uncertainty import Resampling

AS_IT_IS, INTERCEPT, SLOPE, REFIT = "as it is", "intercept moved", "intercept and slope", "taught anew"
WAYS = (AS_IT_IS, INTERCEPT, SLOPE, REFIT)
FEW_TO_TEACH = 100
"""With fewer people with the outcome there, what is taught anew there rests on little (Collins et al. 2016)."""


@dataclass(frozen=True)
class Transport:
    """What became of the model elsewhere.

    Attributes
    ----------
    figures : Arrow, rows {model, fold, metric, value, low, high, n, positives, state}; `model` is the way
    leads : Arrow, the same; the lead of the model as it is over each other way
    unlike : Arrow, rows {feature, here, there, missing_here, missing_there, distance}: medians, shares missing, and
        the distance of the two distributions (Kolmogorov-Smirnov, 0 to 1), the most unlike first
    advice : str, the least that puts it right, in a sentence
    """

    figures: pa.Table = field(repr=False)
    leads: pa.Table = field(repr=False)
    unlike: pa.Table = field(repr=False)
    advice: str


def transported(
    model: RiskModel,
    elsewhere: TrainingSet,
    here: TrainingSet | None = None,
    *,
    capacity: Sequence[float] = (0.05,),
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen settings, safe to share
) -> Transport:
    """Judge a model on people of another place or time.

    Parameters
    ----------
    model : RiskModel
    elsewhere : TrainingSet with the model's features, of people who did not teach it
    here : the set that taught it, to say what is unlike; None leaves that out
    capacity : shares of the rows, or places
    resampling : draws of people for the intervals; its seed also cuts the people in two

    Raises
    ------
    DataRefused : a feature of the model is not there, or the outcomes are of one kind only
    """
    rows = _rows(model, elsewhere)
    halves = inner_parts(rows.outcome, rows.people, resampling.seed, parts=2)
    ways = {way: np.empty(len(rows.outcome)) for way in WAYS}
    ways[AS_IT_IS] = model.predict(rows.X)
    for teach, judged in halves:
        ways[INTERCEPT][judged] = _moved(ways[AS_IT_IS], rows.outcome, teach, judged, with_slope=False)
        ways[SLOPE][judged] = _moved(ways[AS_IT_IS], rows.outcome, teach, judged, with_slope=True)
        ways[REFIT][judged] = _taught_anew(model, rows, teach, judged, resampling.seed)
    on_list = places(capacity, len(rows.outcome))
    found = judge(rows.outcome, ways, rows.people, on_list, resampling, "transport")
    return Transport(
        figures_table([figure.row(model=way, fold="all") for way in WAYS for figure in found.figures[way]]),
        figures_table([figure.row(model=way, fold="all") for way in WAYS[1:] for figure in found.leads[way]]),
        _NOTHING_COMPARED if here is None else _unlike(model.feature_names, here, rows),
        _advice(found, int(rows.outcome.sum())),
    )


_NOTHING_COMPARED = pa.table(
    {
        "feature": pa.array([], pa.string()),
        **{name: pa.array([], pa.float64()) for name in ("here", "there", "missing_here", "missing_there", "distance")},
    }
)


def _rows(model: RiskModel, elsewhere: TrainingSet) -> Labelled:
    absent = [name for name in model.feature_names if name not in elsewhere.feature_names]
    if absent:
        raise DataRefused(
            "features-differ",
            found=f"a training set without {', '.join(absent[:5])}{' and others' if len(absent) > 5 else ''}",
            expected=f"the {len(model.feature_names)} features of the model",
            repair="Build the set elsewhere with the features of the model.",
        )
    labelled = Labelled.of(elsewhere)
    order = [elsewhere.feature_names.index(name) for name in model.feature_names]
    return replace(labelled, X=np.ascontiguousarray(labelled.X[:, order]))


def _moved(p: Numbers, outcome: Numbers, teach: Rows, judged: Rows, *, with_slope: bool) -> Numbers:
    """Probabilities on the line learned from the rows that teach; as they were where no line can be learned."""
    intercept, slope = recalibration(outcome[teach], p[teach], with_slope=with_slope)
    if not np.isfinite([intercept, slope]).all():
        return np.asarray(p[judged])
    return expit(intercept + slope * logit(p[judged]))


def _taught_anew(model: RiskModel, rows: Labelled, teach: Rows, judged: Rows, seed: int) -> Numbers:
    """The same learner, taught and calibrated there."""
    given = rows.X[teach], rows.outcome[teach], rows.people[teach]
    method = model.declaration.get("calibrate")
    made, calibration = taught_and_calibrated(model.learner, given, model.feature_names, method, seed)
    return calibration.probability(made.predict(rows.X[judged]))


def _unlike(names: Sequence[str], here: TrainingSet, there: Labelled) -> pa.Table:
    taught = Labelled.of(here)
    made: list[dict[str, Any]] = []
    for column, name in enumerate(names):
        ours = taught.X[:, here.feature_names.index(name)].astype(np.float64)
        theirs = there.X[:, column].astype(np.float64)
        known_ours, known_theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
        made.append(
            {
                "feature": name,
                "here": float(np.median(known_ours)) if len(known_ours) else None,
                "there": float(np.median(known_theirs)) if len(known_theirs) else None,
                "missing_here": float(np.isnan(ours).mean()),
                "missing_there": float(np.isnan(theirs).mean()),
                "distance": _distance(known_ours, known_theirs),
            }
        )
    made.sort(key=lambda row: (-(row["distance"] or 0.0), row["feature"]))
    return pa.Table.from_pylist(made, schema=_NOTHING_COMPARED.schema)


def _distance(ours: Numbers, theirs: Numbers) -> float | None:
    """Largest gap between the two cumulative distributions."""
    if not len(ours) or not len(theirs):
        return None
    at = np.unique(np.concatenate([ours, theirs]))
    shares = [np.searchsorted(np.sort(values), at, side="right") / len(values) for values in (ours, theirs)]
    return float(np.abs(shares[0] - shares[1]).max())


def _advice(found: Judged, positives: int) -> str:
    """The least that puts it right: nothing, the intercept, the slope, or teaching it anew."""
    few = "" if positives >= FEW_TO_TEACH else f" Only {positives} rows there have the outcome."
    own = {figure.metric: figure for figure in found.figures[AS_IT_IS]}
    lead = next(figure for figure in found.leads[REFIT] if figure.metric == "auroc")
    if own["auroc"].state == "not_estimable":
        return f"It cannot be told: there is no AUROC there.{few}"
    if lead.high < 0:
        return f"Teach it anew: a model of theirs ranks people better than this one, beyond the noise.{few}"
    if _misses(own["calibration_slope"], 0.8, 1.25):
        return f"Learn intercept and slope there: its probabilities are too extreme, or not extreme enough.{few}"
    if _misses(own["expected_observed"], 0.9, 1.1):
        return f"Move the intercept there: it ranks people as well, but the outcome is more or less common.{few}"
    return f"It can be used as it is: nothing learned there is better beyond the noise.{few}"


def _misses(figure: Figure, low: float, high: float) -> bool:
    """Whether a figure that should be 1 is not, beyond the noise and by more than matters (low to high)."""
    return (figure.low > 1 and figure.value > high) or (figure.high < 1 and figure.value < low)
