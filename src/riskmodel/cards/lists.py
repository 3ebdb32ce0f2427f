"""Which figures of a list would tell a small number of people: those found, those listed in vain, those missed.

Yield and recall of a list are shares of whole people; beside its length and the number with the outcome they give the
counts back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pyarrow as pa

from riskmodel.cards.disclosed import is_small

Place: TypeAlias = tuple[str, str, str]
"""Model, fold, length of the list."""


def telling_lists(metrics: pa.Table) -> frozenset[Place]:
    """The lists of an evaluation behind which a small number stands; nothing that is said of them may be shown.

    Parameters
    ----------
    metrics : Arrow, rows {model, fold, metric, value, positives, ...} of `Evaluation.metrics`
    """
    found: dict[Place, dict[str, Mapping[str, Any]]] = {}
    for row in metrics.to_pylist():
        metric, _, label = str(row["metric"]).partition("@")
        if label:
            found.setdefault((row["model"], row["fold"], label), {})[metric] = row
    return frozenset(place for place, rows in found.items() if _tells(rows.get("recall"), rows.get("precision")))


def is_of(row: Mapping[str, Any], lists: frozenset[Place]) -> bool:
    """Whether a figure is of one of the lists."""
    return (row["model"], row["fold"], str(row["metric"]).partition("@")[2]) in lists


def _tells(recall: Mapping[str, Any] | None, precision: Mapping[str, Any] | None) -> bool:
    if recall is None or precision is None or recall["value"] is None or precision["value"] is None:
        return False
    hits = round(recall["value"] * recall["positives"])
    in_vain = round(hits / precision["value"]) - hits if precision["value"] else 0
    return any(is_small(count) for count in (hits, recall["positives"] - hits, in_vain))
