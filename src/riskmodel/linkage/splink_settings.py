"""What is compared, and what was learned of it, in Splink's own words and in the dialect of an engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from riskmodel.linkage.comparisons import Comparison, Level
from riskmodel.linkage.training import Numbers, Parameters

RAREST: Final = 0.0001
"""A name shared by fewer than one in ten thousand counts as if by one in ten thousand: it may be a misspelling."""
Words: TypeAlias = Callable[[str], str]


def settings_of(parameters: Parameters, words: Words, *, frequencies: bool) -> dict[str, Any]:
    """Splink's settings for these parameters, in the dialect of an engine."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": parameters.match_rate,
        "comparisons": [
            _comparison(one, parameters.m[column], parameters.u[column], words, frequencies=frequencies)
            for column, one in enumerate(parameters.comparisons)
        ],
        "blocking_rules_to_generate_predictions": ["l.record = r.record"],  # never used: the pairs are given
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": not frequencies,
    }


def _comparison(one: Comparison, m: Numbers, u: Numbers, words: Words, *, frequencies: bool) -> dict[str, Any]:
    missing = {"sql_condition": _columns(words(one.missing)), "label_for_charts": "missing", "is_null_level": True}
    levels = [
        _level(level, float(m[code]), float(u[code]), words, frequencies=frequencies)
        for level, code in zip(one.levels, range(len(one.levels) - 1, -1, -1), strict=True)
    ]
    return {"output_column_name": one.name, "comparison_levels": [missing, *levels]}


def _level(level: Level, m: float, u: float, words: Words, *, frequencies: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "sql_condition": _columns(words(level.condition)),
        "label_for_charts": level.name,
        "m_probability": m,
        "u_probability": u,
    }
    if frequencies and level.frequency:
        settings |= {
            "tf_adjustment_column": level.frequency,
            "tf_minimum_u_value": RAREST,
            "disable_tf_exact_match_detection": True,
        }
    return settings


def _columns(condition: str) -> str:
    """Splink writes l.name as name_l inside conditions."""
    return re.sub(r"\b([lr])\.([a-z_]+)\b", r"\2_\1", condition)
