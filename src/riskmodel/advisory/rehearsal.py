"""Had the model been asked about the newest people of its training set: how many scores would have been withheld?

As in use: what is familiar is learned from the earlier dates, and the people of the newest date are held against it.
For the card, before there is a list: counts and shares by group, never whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.advisory.familiar import DRIFTED, Familiar
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.group_cells import group_cells
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.uncertainty import wilson

LEAST: Final = 50
"""People of whom a group has to have so many for its share to be told."""


def rehearsed(model: RiskModel, training: TrainingSet, by: Sequence[str] = ()) -> dict[str, Any] | None:
    """How many scores would be withheld on the newest date of a training set; None where it has one date only.

    Parameters
    ----------
    model, training : the model and the set on which it was fitted
    by : attributes of the training set's groups

    Returns
    -------
    dict : as_of, people; refused_above, the stability index from which a list is refused, with the feature that moved
        most and its index; and rows of {attribute, group, people, withheld, share, low, high, state}: 95 % Wilson
        intervals, state "ok" or "not_estimable" for fewer than 50 people
    """
    dates = training.table["as_of"].to_numpy()
    newest = dates == dates.max()
    if newest.all():
        return None
    familiar = Familiar.of_rows(model, training, np.flatnonzero(~newest))
    names = [name for name in model.feature_names if name in training.feature_names]
    columns = [training.table[name].to_numpy()[newest].astype(np.float32) for name in names]
    X = np.column_stack(columns)
    out = np.array([bool(found) for found in familiar.strangers(X, names)])
    groups = {name: np.array(training.group(name).to_pylist(), object)[newest] for name in by}
    moved = familiar.drift(X, names)
    most = max(moved, key=lambda name: moved[name], default=None)
    return {
        "as_of": str(dates.max())[:10],
        "people": len(out),
        "refused_above": DRIFTED,
        "moved_most": most,
        "index": None if most is None else float(f"{moved[most]:.4g}"),
        "rows": [_row(attribute, group, out[mask]) for attribute, group, mask in group_cells(len(out), groups)],
    }


def _row(attribute: str, group: str, out: npt.NDArray[np.bool_]) -> Mapping[str, Any]:
    people, withheld = len(out), int(out.sum())
    row: dict[str, Any] = {"attribute": attribute, "group": group, "people": people, "withheld": withheld}
    if people < LEAST:
        return {**row, "share": None, "low": None, "high": None, "state": "not_estimable"}
    low, high = wilson(withheld / people, people)
    figures = {"share": withheld / people, "low": low, "high": high}
    return {**row, **{name: float(f"{value:.6g}") for name, value in figures.items()}, "state": "ok"}
