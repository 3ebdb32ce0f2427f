"""Which of the judged models to use: the simplest that is within the noise of the best.

A model that a person can add up is worth more than a third decimal. A simpler model is preferred when the data cannot
show that the larger one is better: the interval of the difference, on the same people and draws, reaches 0 in both
ranking and squared error. The rule advises those who decide; it replaces no model.

Over several periods a model is judged by its regret: how far it was, in each, from the one that turned out best there.
Whoever won the last period may have been lucky; a model that was never far from the best is the safer choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.errors import NotFound
from riskmodel.models.evaluation import ALL, MODEL, Evaluation
from riskmodel.models.metrics import SMALLER_IS_BETTER
from riskmodel.models.risk_model import RiskModel

SIMPLEST_FIRST: Final = ("best_count", "points", "logistic", "explainable_boosting", "lightgbm", "stack")
IN_WORDS: Final = {
    "best_count": "the single best count",
    "points": "a points score",
    "logistic": "a logistic regression",
    "explainable_boosting": "a sum of one curve a feature",
    "lightgbm": "gradient-boosted trees",
    "stack": "a stack of learners",
}


@dataclass(frozen=True, slots=True)
class Preference:
    """What the evaluation speaks for.

    Attributes
    ----------
    model : name in the tables; "model" when nothing simpler is within the noise
    reason : str, one or two sentences with the differences
    """

    model: str
    reason: str


def preferred(model: RiskModel) -> Preference:
    """The simplest judged model that is within the noise of the fitted one.

    Only comparators simpler than the fitted learner are looked at, the simplest first.
    """
    own = model.learner.kind
    simpler = SIMPLEST_FIRST[: SIMPLEST_FIRST.index(own)] if own in SIMPLEST_FIRST else ()
    judged = [(name, re.sub(r"_\d+$", "", name)) for name in model.evaluation.models]  # "logistic_2" is a logistic
    named = sorted((pair for pair in judged if pair[1] in simpler), key=lambda pair: simpler.index(pair[1]))
    behind = []
    for name, kind in named:
        area, error = (model.evaluation.difference(metric, name) for metric in ("auroc", "brier"))
        said = (
            f"AUROC {area.value:+.3f} ({area.low:+.3f} to {area.high:+.3f}), "
            f"Brier {error.value:+.4f} ({error.low:+.4f} to {error.high:+.4f})"
        )
        if area.low <= 0 and error.high >= 0:
            return Preference(
                name, f"{IN_WORDS[kind].capitalize()} is within the noise of this model and is to be preferred: {said}."
            )
        behind.append(f"{IN_WORDS[kind]} ({said})")
    if not behind:
        return Preference(MODEL, "No simpler model was judged beside it.")
    return Preference(MODEL, f"It is better than every simpler model that was judged: {'; '.join(behind)}.")


def regrets(evaluation: Evaluation, metric: str = "auroc", near: float = 0.01) -> pa.Table:
    """How far each judged model was from the best of its period, over the test periods.

    Parameters
    ----------
    evaluation : Evaluation, with at least one test period in which every model has the metric
    metric : one for which more, or less, is better: not a calibration, which has a right value in the middle
    near : in the metric's own unit; within this of the best counts as near

    Returns
    -------
    Arrow, rows {model, periods, mean, worst, won, near}: mean and largest regret, shares of the periods in which it was
    the best and in which it was near, the least mean regret first; a tie goes to the simpler model

    Raises
    ------
    NotFound : no such metric by period

    """
    name = metric.split("@")[0]
    values: dict[str, dict[str, float]] = {}
    for row in evaluation.metrics.to_pylist():
        if row["metric"] == metric and row["fold"] != ALL and row["value"] is not None:
            values.setdefault(row["fold"], {})[row["model"]] = row["value"]
    whole = [found for found in values.values() if len(found) == len(evaluation.models)]
    if not whole or name.startswith("calibration") or name == "expected_observed":
        raise NotFound(
            "regret-missing",
            found=f"{len(whole)} periods in which every model has {metric!r}",
            expected="a metric of ranking, error or yield, by period",
            repair="Ask for a metric such as auroc, brier or precision at a capacity.",
        )
    sign = -1.0 if name in SMALLER_IS_BETTER else 1.0
    table = sign * np.array([[found[model] for model in evaluation.models] for found in whole])
    regret = table.max(axis=1, keepdims=True) - table
    rows = [
        {
            "model": model,
            "periods": len(whole),
            "mean": float(regret[:, place].mean()),
            "worst": float(regret[:, place].max()),
            "won": float((regret[:, place] == 0).mean()),
            "near": float((regret[:, place] <= near + 1e-12).mean()),
        }
        for place, model in enumerate(evaluation.models)
    ]
    rows.sort(key=lambda row: (row["mean"], _simplicity(str(row["model"]))))
    return pa.Table.from_pylist(rows)


def _simplicity(model: str) -> int:
    kind = re.sub(r"_\d+$", "", model)
    return SIMPLEST_FIRST.index(kind) if kind in SIMPLEST_FIRST else len(SIMPLEST_FIRST)
