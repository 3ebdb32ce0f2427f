"""Onset and repeat are two questions: who begins, and who goes on. A model of both can look good by telling them apart.

Rows are parted by whether the person had such an event before the as-of date. Each part gets a model of its own by
the same procedure, and the model of everybody is judged on each part alone. Where its AUROC within the parts is far
below the one of everybody, most of what it knows is who has a past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused, NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.evaluation import figures_table
from riskmodel.models.fit import fit
from riskmodel.models.judging import judge, places
from riskmodel.models.learners import Learner
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import Folds, ForwardFolds
from riskmodel.models.uncertainty import Resampling

ONSET, REPEAT = "onset", "repeat"
EVERYBODY, OWN = "model of everybody", "model of its own"


@dataclass(frozen=True)
class OnsetAndRepeat:
    """A model of everybody, one of those without a past, one of those with, and how they do on each part.

    Attributes
    ----------
    everybody, onset, repeat : RiskModel
    figures : Arrow, rows {model, fold, metric, value, low, high, n, positives, state}; `fold` is "onset" or "repeat",
        `model` is "model of everybody" or "model of its own", on the rows that both judged
    """

    everybody: RiskModel
    onset: RiskModel
    repeat: RiskModel
    figures: pa.Table = field(repr=False)


def parted(training: TrainingSet, prior: str) -> Mapping[str, TrainingSet]:
    """The rows of a training set without and with a prior event.

    Parameters
    ----------
    training : TrainingSet
    prior : the feature or carried column that counts earlier events, such as "offence_count"; 0 or missing is none

    Returns
    -------
    {"onset": ..., "repeat": ...}

    Raises
    ------
    NotFound : no such column
    DataRefused : all rows are of one kind
    """
    column = next((name for name in (prior, f"carried:{prior}") if name in training.table.column_names), None)
    if column is None:
        raise NotFound(
            "prior-missing",
            found=f"no column {prior!r} in the training set",
            expected=f"one of its features: {', '.join(training.feature_names[:8])} ...",
            repair="Count earlier events of the outcome's kind in a feature, or carry that count.",
        )
    before = pc.fill_null(pc.greater(training.table[column], 0), False)
    rows = {ONSET: training.table.filter(pc.invert(before)), REPEAT: training.table.filter(before)}
    if not all(table.num_rows for table in rows.values()):
        raise DataRefused(
            "one-kind-only",
            found=", ".join(f"{table.num_rows} {name} rows" for name, table in rows.items()),
            expected="rows of both kinds",
            repair="Check what the prior column counts.",
        )
    return {
        name: replace(training, table=table, manifest={**training.manifest, "rows_kept": f"{name} by {prior}"})
        for name, table in rows.items()
    }


def onset_and_repeat(
    training: TrainingSet,
    prior: str,
    learner: Learner,
    folds: Folds = ForwardFolds(4),  # noqa: B008 - frozen settings, safe to share
    *,
    capacity: Sequence[float] = (0.05,),
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen settings, safe to share
    **settings: Any,
) -> OnsetAndRepeat:
    """Fit both questions apart and together.

    Parameters
    ----------
    training, learner, folds, capacity : as for `fit`
    prior : as for `parted`
    resampling : draws of people for the intervals
    settings : further settings of `fit`
    """
    parts = parted(training, prior)

    settings = {"seed": resampling.seed, "replicates": resampling.replicates, **settings}

    def made(rows: TrainingSet) -> RiskModel:
        return fit(rows, learner, folds, capacity=capacity, **settings)

    everybody, models = made(training), {name: made(rows) for name, rows in parts.items()}
    figures = [row for name, own in models.items() for row in _beside(everybody, own, name, capacity, resampling)]
    return OnsetAndRepeat(everybody, models[ONSET], models[REPEAT], figures_table(figures))


def _beside(
    everybody: RiskModel, own: RiskModel, name: str, capacity: Sequence[float], resampling: Resampling
) -> list[dict[str, Any]]:
    """Figures of both models on the rows of one part that both have judged."""
    keys = ["entity_id", "as_of"]
    left = own.evaluation.predictions.select([*keys, "outcome", "p"])
    right = everybody.evaluation.predictions.select([*keys, "p"]).rename_columns([*keys, "p_everybody"])
    both = left.join(right, keys, join_type="inner").sort_by([(key, "ascending") for key in keys])
    if not both.num_rows:
        return []
    outcome, people = both["outcome"].to_numpy().astype(np.float64), both["entity_id"].to_numpy()
    probabilities = {EVERYBODY: both["p_everybody"].to_numpy(), OWN: both["p"].to_numpy()}
    found = judge(outcome, probabilities, people, places(capacity, len(outcome)), resampling, name)
    return [figure.row(model=model, fold=name) for model, figures in found.figures.items() for figure in figures]
