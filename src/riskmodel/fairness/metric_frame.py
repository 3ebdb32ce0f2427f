"""An audit from the arguments of fairlearn's MetricFrame.

So that code written for one can be read by the other. What MetricFrame is given that an audit cannot honour is refused
and not left out: weights of rows. Control features are crossed with the sensitive ones, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.groups import By
from riskmodel.fairness.scored import numbers, refused


def audit_predictions(
    *,
    y_true: Any,
    y_pred: Any = None,
    y_score: Any = None,
    sensitive_features: Any,
    control_features: Any = None,
    sample_params: Mapping[str, Any] | None = None,
    **how: Any,
) -> Audit:
    """Audit with the arguments of MetricFrame.

    Parameters
    ----------
    y_true : (n,) 0 or 1, None or NaN where unknown
    y_pred : (n,) 0 or 1, decisions; None when there are only scores
    y_score : (n,) scores or probabilities; None when there are only decisions, which are then the scores too
    sensitive_features, control_features : Series, array, mapping or DataFrame
    sample_params : MetricFrame's parameters by row; only weights that are all 1 can be honoured
    how : people, capacity, lists, probabilities, rules, seed and about of `audit_scores`

    Raises
    ------
    DataRefused : neither decisions nor scores, or weights of rows

    Examples
    --------
    >>> made = audit_predictions(y_true=[1, 0] * 50, y_pred=[1, 1, 0, 0] * 25, sensitive_features=["f", "m"] * 50)
    >>> made.by_group("tpr", "selection_rate").to_dict("index")["f"]
    {'tpr': 0.5, 'selection_rate': 0.5}
    """
    if y_pred is None and y_score is None:
        raise refused("neither decisions (y_pred) nor scores (y_score)")
    for values in _weights(sample_params or {}):
        if not (numbers(values) == 1).all():
            raise refused("weights of rows (sample_params), which an audit of people does not take")
    sensitive = _columns(sensitive_features, "sensitive_feature")
    control = {} if control_features is None else _columns(control_features, "control_feature")
    if set(sensitive) & set(control):
        raise refused("a control feature with the name of a sensitive one")
    by: list[By] = [name if not control else (*control, name) for name in sensitive]
    if len(sensitive) > 1:
        by.append((*control, *sensitive))
    scores = y_pred if y_score is None else y_score
    settings = {"probabilities": y_score is not None} | how
    return audit_scores(scores, y_true, {**control, **sensitive}, by=by, decisions=y_pred, **settings)


def _columns(values: Any, otherwise: str) -> dict[str, Any]:
    import pandas as pd

    if isinstance(values, Mapping):
        return {str(name): column for name, column in values.items()}
    if isinstance(values, pd.DataFrame):
        return {str(name): values[name] for name in values.columns}
    if isinstance(values, pd.Series):
        return {str(values.name) if values.name is not None else f"{otherwise}_0": values}
    table = np.asarray(values, dtype=object)
    if table.ndim == 1:
        return {f"{otherwise}_0": table}
    return {f"{otherwise}_{at}": table[:, at] for at in range(table.shape[1])}


def _weights(params: Mapping[str, Any]) -> list[Any]:
    """Every column of weights, given for all metrics or metric by metric."""
    found = []
    for name, value in params.items():
        if isinstance(value, Mapping):
            found += [one for key, one in value.items() if key == "sample_weight" and one is not None]
        elif name == "sample_weight" and value is not None:
            found.append(value)
    return found
