"""Figures in the shape of `MetricFrame.by_group`, under fairlearn's names or ours; not estimable is missing, not 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from riskmodel.errors import NotFound
from riskmodel.fairness.estimability import NOT_ESTIMABLE

if TYPE_CHECKING:
    import pandas as pd

NAMES: Final = {
    "selection_rate": "selection_rate",
    "true_positive_rate": "tpr",
    "recall_score": "tpr",
    "false_positive_rate": "fpr",
    "true_negative_rate": "tnr",
    "false_negative_rate": "fnr",
    "precision_score": "ppv",
    "accuracy_score": "accuracy",
    "mean_prediction": "mean_score",
    "roc_auc_score": "auroc",
    "brier_score_loss": "brier",
}
"""fairlearn's and scikit-learn's name of a figure, and ours."""


def by_group(table: pa.Table, attribute: str, metrics: tuple[str, ...]) -> pd.DataFrame:
    """Figures of an attribute or intersection as MetricFrame shows them; NaN where not estimable, never 0."""
    import pandas as pd

    wanted = [NAMES.get(name, name) for name in metrics]
    rows = [row for row in table.to_pylist() if row["attribute"] == attribute]
    known = list(dict.fromkeys(row["metric"] for row in rows))
    if not rows or set(wanted) - set(known):
        raise NotFound(
            "audit-figure",
            found=f"{len(set(wanted) - set(known))} figures by {attribute!r} that are not in the audit",
            expected=", ".join(known) or "an attribute of the audit",
            repair="Ask for figures that it has.",
        )
    cells = {(row["group"], row["metric"]): np.nan if row["state"] == NOT_ESTIMABLE else row["value"] for row in rows}
    groups = list(dict.fromkeys(row["group"] for row in rows))
    shown = list(zip(metrics, wanted, strict=True)) if metrics else [(name, name) for name in known]
    made = pd.DataFrame(
        {name: [cells[group, metric] for group in groups] for name, metric in shown}, index=groups, dtype=float
    )
    parts = attribute.split(", ")
    if len(parts) > 1:
        made.index = pd.MultiIndex.from_tuples([tuple(group.split(", ")) for group in groups], names=parts)
        return made
    made.index.name = attribute
    return made
