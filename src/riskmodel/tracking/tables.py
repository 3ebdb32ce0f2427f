"""The figures of a run as others may read them on a tracking server: counts rounded, what tells of few people hidden.

The same rules as on the card. The table as it is stays with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from riskmodel.cards.disclosed import count_or_none
from riskmodel.cards.lists import is_of, telling_lists
from riskmodel.governance.disclosure import SUPPRESSED
from riskmodel.models.risk_model import RiskModel

_HIDDEN = {"value": None, "low": None, "high": None, "state": SUPPRESSED}


def figures(model: RiskModel) -> pa.Table:
    """Every figure of the evaluation."""
    held = model.evaluation.metrics
    lists = telling_lists(held)
    rows = [_shown(row, tells=is_of(row, lists)) for row in held.to_pylist()]
    return pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in held.schema]))


def _shown(row: Mapping[str, Any], *, tells: bool) -> dict[str, Any]:
    counts = {name: count_or_none(row[name]) for name in ("n", "positives")}
    return {**row, **counts, **(_HIDDEN if tells else {})}
