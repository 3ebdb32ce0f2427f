"""All figures of one grouping: by group, each group against the reference, and over all groups at once.

A figure that cannot be estimated has no value and takes no part in what follows; its counts stay visible. Nothing
here words a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskmodel.fairness.bootstrap import Drawing
from riskmodel.fairness.contrasts import contrast_rows
from riskmodel.fairness.estimability import NOT_ESTIMABLE, OK
from riskmodel.fairness.group_sample import Figure, Sample, figure_of, finite, sample_of
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.heterogeneity import Heterogeneity, heterogeneity
from riskmodel.fairness.measures import Measure, added
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import Scored
from riskmodel.fairness.shrinkage import shrunken

__all__ = ["GroupFigures", "Row", "Rules", "group_figures"]


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The tables of one grouping, as rows."""

    figures: list[Row]
    contrasts: list[Row]
    tests: list[Row]
    estimates: list[Row]


def group_figures(
    scored: Scored, grouping: Grouping, measures: tuple[Measure, ...], drawn: Drawing, rules: Rules
) -> GroupFigures:
    """Every measure of every group of one grouping, every contrast, every test."""
    sample = sample_of(scored, grouping, drawn, rules)
    figures: list[Row] = []
    contrasts: list[Row] = []
    tests: list[Row] = []
    estimates: list[Row] = []
    for measure in measures:
        figure = figure_of(measure, sample, rules)
        figures += _figure_rows(figure, sample)
        contrasts += contrast_rows(figure, sample, rules)
        if measure.headline:
            made = _test(figure, sample, rules)
            tests.append(_test_row(figure, sample, made))
            estimates += _estimate_rows(figure, sample, made, rules)
    return GroupFigures(figures, contrasts, tests, estimates)


def _figure_rows(figure: Figure, sample: Sample) -> list[Row]:
    measure, sums = figure.measure, sample.sums
    above, below = added(sums, measure.above), figure.below
    if measure.kind == "auroc":
        negatives = added(sums, {"known": 1, "yes": -1})
        above, below = above * negatives, below * negatives
    yes = added(sums, {"yes": 1})
    return [
        {
            "attribute": sample.grouping.attribute,
            "group": name,
            "metric": measure.name,
            **_said(figure, group),
            "n": int(sums[0, group]),
            "people": int(sample.people["rows"][group]),
            "positives": int(yes[group]),
            "numerator": float(above[group]),
            "denominator": float(below[group]),
            "state": figure.states[group],
        }
        for group, name in enumerate(sample.grouping.names)
    ]


def _said(figure: Figure, group: int) -> Row:
    if figure.states[group] == NOT_ESTIMABLE:
        return {"value": None, "low": None, "high": None}
    value, low, high = figure.bounds(group)
    return {"value": value, "low": finite(low), "high": finite(high)}


def _test(figure: Figure, sample: Sample, rules: Rules) -> Heterogeneity | None:
    kept = figure.estimable
    if len(kept) < 2:
        return None
    return heterogeneity(figure.measure, sample.sums, sample.blocks, figure.people, kept, rules.confidence)


def _estimate_rows(figure: Figure, sample: Sample, made: Heterogeneity | None, rules: Rules) -> list[Row]:
    kept = figure.estimable
    moved = made and shrunken(figure.value[kept], np.array(made.variances), made.spread, rules.confidence)
    if not moved:
        return []
    most = np.inf if figure.measure.kind == "ratio" else figure.measure.per
    return [
        {
            "attribute": sample.grouping.attribute,
            "metric": figure.measure.name,
            "group": sample.grouping.names[group],
            "estimate": float(np.clip(moved.value[place], 0, most)),
            "low": float(np.clip(moved.low[place], 0, most)),
            "high": float(np.clip(moved.high[place], 0, most)),
            "kept": float(moved.kept[place]),
            "state": figure.states[group],
        }
        for place, group in enumerate(kept)
    ]


def _test_row(figure: Figure, sample: Sample, made: Heterogeneity | None) -> Row:
    kept = figure.estimable
    return {
        "attribute": sample.grouping.attribute,
        "metric": figure.measure.name,
        "reference": sample.grouping.names[sample.reference],
        "groups": len(kept),
        "left_out": len(figure.states) - len(kept),
        "statistic": made and made.statistic,
        "df_groups": made and made.df_groups,
        "df_people": made and made.df_people,
        "p": made and made.p,
        "p_adjusted": None,
        "spread": made and finite(made.spread),
        "spread_low": made and finite(made.low),
        "spread_high": made and finite(made.high),
        "state": OK if made else NOT_ESTIMABLE,
    }
