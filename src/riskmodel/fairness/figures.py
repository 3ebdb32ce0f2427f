"""All figures of one grouping: by group, each group against the reference, and over all groups at once.

A figure that cannot be estimated has no value and takes no part in what follows; its counts stay visible. Nothing
here words a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.fairness.bootstrap import Drawing, block_sums, replicate_sums, standard_errors
from riskmodel.fairness.estimability import IMPRECISE, NOT_ESTIMABLE, OK, Minimums
from riskmodel.fairness.groups import UNKNOWN, Grouping
from riskmodel.fairness.heterogeneity import Heterogeneity, heterogeneity
from riskmodel.fairness.intervals import Bounds, critical_values, difference, interval, quotient
from riskmodel.fairness.measures import Measure, added, replicates_of, value_of
from riskmodel.fairness.scored import Scored
from riskmodel.fairness.shrinkage import shrunken
from riskmodel.models.metrics import Numbers

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """How an audit is made.

    Parameters
    ----------
    minimums : Minimums, what a figure must rest on
    reference : mapping of attribute (or "sex, ethnicity") to the group that others are compared with; where none is
        given, the known group with the most people
    confidence : float, 0.95 for 95 % intervals
    replicates : int, bootstrap replicates
    """

    minimums: Minimums = field(default_factory=Minimums)
    reference: Mapping[str, str] = field(default_factory=dict, hash=False)
    confidence: float = 0.95
    replicates: int = 1000

    def document(self) -> dict[str, Any]:
        """The rules as JSON."""
        return {
            "minimums": self.minimums.document(),
            "reference": dict(sorted(self.reference.items())),
            "confidence": self.confidence,
            "replicates": self.replicates,
        }


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The tables of one grouping, as rows."""

    figures: list[Row]
    contrasts: list[Row]
    tests: list[Row]
    estimates: list[Row]


@dataclass(frozen=True, slots=True)
class _Sample:
    """One grouping's sums, its replicates and its head counts."""

    grouping: Grouping
    sums: Numbers
    blocks: Numbers
    drawn: Numbers
    people: Mapping[str, Numbers]
    overlap: bool
    reference: int


@dataclass(frozen=True, slots=True)
class _Figure:
    """One measure over all groups."""

    measure: Measure
    value: Numbers
    error: Numbers
    below: Numbers
    people: Numbers
    low: Numbers
    high: Numbers
    states: list[str]
    replicates: Numbers

    def bounds(self, group: int) -> Bounds:
        """Figure and interval of one group."""
        return float(self.value[group]), float(self.low[group]), float(self.high[group])

    def at(self, critical: float) -> _Figure:
        """The same with intervals at another critical value."""
        wide = np.full(len(self.value), critical)
        low, high = interval(self.measure, self.value, self.error, self.below, self.people, wide)
        return replace(self, low=low, high=high)


def group_figures(
    scored: Scored, grouping: Grouping, measures: tuple[Measure, ...], drawn: Drawing, rules: Rules
) -> GroupFigures:
    """Every measure of every group of one grouping, every contrast, every test."""
    sample = _sample(scored, grouping, drawn, rules)
    figures: list[Row] = []
    contrasts: list[Row] = []
    tests: list[Row] = []
    estimates: list[Row] = []
    for measure in measures:
        figure = _figure(measure, sample, rules)
        figures += _figure_rows(figure, sample)
        contrasts += _contrast_rows(figure, sample, rules)
        if measure.headline:
            made = _test(figure, sample, rules)
            tests.append(_test_row(figure, sample, made))
            estimates += _estimate_rows(figure, sample, made, rules)
    return GroupFigures(figures, contrasts, tests, estimates)


def _sample(scored: Scored, grouping: Grouping, drawn: Drawing, rules: Rules) -> _Sample:
    columns = scored.columns(grouping)
    n_groups = len(grouping.names)
    totals = [np.bincount(grouping.codes, weights=column, minlength=n_groups) for column in columns]
    sums = np.stack(totals).astype(np.float64)
    blocks = block_sums(drawn, grouping.codes, n_groups, columns)
    people = scored.people(grouping)
    overlap = bool(people["rows"].sum() > scored.n_people)
    reference = _reference(grouping, people["rows"], rules.reference.get(grouping.attribute))
    return _Sample(grouping, sums, blocks, replicate_sums(drawn, blocks), people, overlap, reference)


def _reference(grouping: Grouping, people: Numbers, wanted: str | None) -> int:
    if wanted is not None:
        if wanted not in grouping.names:
            raise DeclarationError.of(
                "reference-unknown",
                where=f"audit.reference of {grouping.attribute}",
                found=repr(wanted),
                expected=f"one of its {len(grouping.names)} groups",
                repair="Name a group as the data write it.",
            )
        return grouping.names.index(wanted)
    known = np.array([UNKNOWN not in name.split(", ") for name in grouping.names])
    return int(np.argmax(np.where(known | ~known.any(), people, -1.0)))


def _figure(measure: Measure, sample: _Sample, rules: Rules) -> _Figure:
    value = value_of(measure, sample.sums)
    below, people = added(sample.sums, measure.below), sample.people[measure.rests_on]
    replicates = replicates_of(measure, sample.sums, sample.drawn)
    error = standard_errors(replicates)
    critical = critical_values(rules.confidence, people)
    low, high = interval(measure, value, error, below, people, critical)
    states = [
        _state(measure, rules.minimums, *(float(part[group]) for part in (value, low, high, below, people)))
        for group in range(len(value))
    ]
    return _Figure(measure, value, error, below, people, low, high, states, replicates)


def _state(
    measure: Measure, minimums: Minimums, value: float, low: float, high: float, below: float, people: float
) -> str:
    ratio = measure.kind == "ratio"
    if not minimums.allow(people, people if measure.kind == "auroc" else below, ratio=ratio):
        return NOT_ESTIMABLE
    return minimums.state(value, low, high, ratio=ratio, scale=measure.per)


def _figure_rows(figure: _Figure, sample: _Sample) -> list[Row]:
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


def _said(figure: _Figure, group: int) -> Row:
    if figure.states[group] == NOT_ESTIMABLE:
        return {"value": None, "low": None, "high": None}
    value, low, high = figure.bounds(group)
    return {"value": value, "low": _finite(low), "high": _finite(high)}


def _contrast_rows(figure: _Figure, sample: _Sample, rules: Rules) -> list[Row]:
    reference = sample.reference
    usable = figure.states[reference] != NOT_ESTIMABLE
    compared = [
        group
        for group in range(len(figure.states))
        if group != reference and usable and figure.states[group] != NOT_ESTIMABLE
    ]
    wide = figure.at(_together(figure, reference, compared, rules.confidence))
    rows = []
    for group, name in enumerate(sample.grouping.names):
        if group == reference:
            continue
        head: Row = {
            "attribute": sample.grouping.attribute,
            "metric": figure.measure.name,
            "group": name,
            "reference": sample.grouping.names[reference],
        }
        made = _contrast(figure, wide, group, reference, sample.overlap) if group in compared else _no_contrast()
        rows.append(head | made)
    return rows


def _contrast(figure: _Figure, wide: _Figure, group: int, reference: int, overlap: bool) -> Row:
    correlation = _correlation(figure.replicates[:, group], figure.replicates[:, reference]) if overlap else 0.0
    one, other = figure.bounds(group), figure.bounds(reference)
    gap, low, high = difference(one, other, correlation)
    _, together_low, together_high = difference(wide.bounds(group), wide.bounds(reference), correlation)
    ratio = quotient(one, other, correlation)
    both_ok = figure.states[group] == OK and figure.states[reference] == OK
    return {
        "difference": gap,
        "low": _finite(low),
        "high": _finite(high),
        "together_low": _finite(together_low),
        "together_high": _finite(together_high),
        "ratio": None if ratio is None else _finite(ratio[0]),
        "ratio_low": None if ratio is None else _finite(ratio[1]),
        "ratio_high": None if ratio is None else _finite(ratio[2]),
        "state": OK if both_ok else IMPRECISE,
    }


def _no_contrast() -> Row:
    names = ("difference", "low", "high", "together_low", "together_high", "ratio", "ratio_low", "ratio_high")
    return {**dict.fromkeys(names), "state": NOT_ESTIMABLE}


def _together(figure: _Figure, reference: int, compared: list[int], confidence: float) -> float:
    """The critical value at which all contrasts with the reference hold at once (Dunnett's, by the bootstrap)."""
    people = figure.people[[reference, *compared]]
    alone = float(critical_values(confidence, people).max(initial=1.96)) if len(people) else 1.96
    if not compared:
        return alone
    gaps = figure.replicates[:, compared] - figure.replicates[:, [reference]]
    error = standard_errors(gaps)
    moves = np.abs(gaps - np.nanmean(np.where(np.isfinite(gaps), gaps, np.nan), axis=0))
    sizes = np.divide(moves, error, out=np.zeros_like(moves), where=(error > 0) & np.isfinite(moves))
    return max(alone, float(np.quantile(sizes.max(axis=1), confidence)))


def _correlation(one: Numbers, other: Numbers) -> float:
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return 0.0
    return float(np.corrcoef(one[known], other[known])[0, 1])


def _test(figure: _Figure, sample: _Sample, rules: Rules) -> Heterogeneity | None:
    kept = _estimable(figure)
    if len(kept) < 2:
        return None
    return heterogeneity(figure.measure, sample.sums, sample.blocks, figure.people, kept, rules.confidence)


def _estimable(figure: _Figure) -> list[int]:
    return [group for group, state in enumerate(figure.states) if state != NOT_ESTIMABLE]


def _estimate_rows(figure: _Figure, sample: _Sample, made: Heterogeneity | None, rules: Rules) -> list[Row]:
    kept = _estimable(figure)
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


def _test_row(figure: _Figure, sample: _Sample, made: Heterogeneity | None) -> Row:
    kept = _estimable(figure)
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
        "spread": made and _finite(made.spread),
        "spread_low": made and _finite(made.low),
        "spread_high": made and _finite(made.high),
        "state": OK if made else NOT_ESTIMABLE,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
