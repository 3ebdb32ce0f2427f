"""The audit by group at every list length the model was judged at, with nothing in it that may not be shown.

The same rules as on the card: a share that would tell a small number of people is suppressed. Lists of different
lengths lie inside one another, so a figure is suppressed as well when the step from the last shown list would tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.disclosed import count_or_none, gives_away, is_small
from riskmodel.fairness.audit import Audit, audit
from riskmodel.fairness.measures import MEASURE
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel

FILE = "groups.json"
METRICS = ("tpr", "fpr", "ppv", "selection_rate", "observed_expected", "auroc")
"""What is shown by group, in this order."""


def by_capacity(model: RiskModel, made: Audit, training: TrainingSet) -> dict[str, Any]:
    """The disclosed audit as a document.

    Parameters
    ----------
    model, training : of the run
    made : Audit, at its own capacity, which is taken as it is

    Returns
    -------
    dict : ``rules`` in words; ``rows``, each with capacity, attribute, group, metric, value, low, high, people, state
    """
    own = made.settings.get("capacity")
    lengths = sorted({float(each) for each in (*model.declaration["capacity"], *([own] if own else []))})
    by = [tuple(name.split(", ")) if ", " in name else name for name in made.settings["by"]]
    audits: dict[float | None, Audit] = {
        length: made if length == own else audit(model, by, training=training, capacity=length) for length in lengths
    }
    return of_audits(audits or {None: made}, own)


def of_audits(audits: Mapping[float | None, Audit], own: float | None) -> dict[str, Any]:
    """Audits by list length, shortest first, as the same document."""
    rows: list[dict[str, Any]] = []
    last: dict[tuple[str, str, str], float] = {}
    for length, held in audits.items():
        for row in held.table.to_pylist():
            if row["metric"] in METRICS:
                rows.append({"capacity": length, **_disclosed(row, last)})
    return {"capacity": own, "rows": rows}


def _disclosed(row: Mapping[str, Any], last: dict[tuple[str, str, str], float]) -> dict[str, Any]:
    """One figure as it may be shown; `last` holds the counts behind the figures already shown, by group."""
    key = (row["attribute"], row["group"], row["metric"])
    kind = MEASURE[row["metric"]].kind
    state, count = row["state"], row["numerator"]
    if state in ("ok", "imprecise") and count is not None and kind in ("share", "ratio"):
        step = abs(count - last[key]) if key in last else 0.0
        tells = gives_away(count, row["denominator"]) if kind == "share" else is_small(count)
        if tells or is_small(step):
            state = "suppressed"
        else:
            last[key] = count
    shown = state in ("ok", "imprecise")
    return {
        "attribute": key[0],
        "group": key[1],
        "metric": key[2],
        **{end: row[end] if shown and row[end] == row[end] else None for end in ("value", "low", "high")},
        "people": count_or_none(row["people"]),
        "state": state,
    }
