"""The tables of an audit: their columns, and rows in and out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from riskmodel.fairness.rules import Row

_TEXT = ("attribute", "group", "metric", "reference", "state", "with_outcome", "without_outcome")
_WHOLE = ("n", "people", "positives", "negatives", "groups", "left_out", "band")
_DIGITS = 9
_ENDS = ("value", "low", "high")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "table": (
        *("attribute", "group", "metric", *_ENDS, "n", "people", "positives"),
        *("numerator", "denominator", "state"),
    ),
    "disparities": (
        *("attribute", "metric", "group", "reference", "difference", "low", "high", "together_low", "together_high"),
        *("ratio", "ratio_low", "ratio_high", "state"),
    ),
    "heterogeneity": (
        *("attribute", "metric", "reference", "groups", "left_out", "statistic", "df_groups", "df_people"),
        *("p", "p_adjusted", "spread", "spread_low", "spread_high", "state"),
    ),
    "estimates": ("attribute", "metric", "group", "estimate", "low", "high", "kept", "state"),
    "crossed": ("attribute", "with_outcome", "without_outcome", *_ENDS, "positives", "negatives", "state"),
    "curves": (
        *("attribute", "group", "band", "from_score", "until_score", "predicted", "observed", "low", "high"),
        *("n", "people", "positives", "state"),
    ),
    "slopes": ("attribute", "group", *_ENDS, "n", "people", "positives", "state"),
}
"""The tables of an audit and their columns."""


def arrow_table(rows: Sequence[Row], names: Sequence[str]) -> pa.Table:
    """Rows as an Arrow table with the columns named, text, whole numbers or numbers by their name."""
    kinds = {name: pa.string() if name in _TEXT else pa.int64() if name in _WHOLE else pa.float64() for name in names}
    return pa.table({name: pa.array([row[name] for row in rows], kinds[name]) for name in names})


def plain_rows(table: pa.Table) -> list[Row]:
    """The rows for JSON, with nine significant digits."""
    return [{name: _short(value) for name, value in row.items()} for row in table.to_pylist()]


def _short(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
