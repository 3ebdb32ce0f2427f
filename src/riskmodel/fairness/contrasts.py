"""Each group against the reference: difference and ratio with their intervals, alone and for all groups at once."""

from __future__ import annotations

import numpy as np

from riskmodel.fairness.bootstrap import standard_errors
from riskmodel.fairness.estimability import IMPRECISE, NOT_ESTIMABLE, OK
from riskmodel.fairness.group_sample import Figure, Sample, finite
from riskmodel.fairness.intervals import critical_values, difference, quotient
from riskmodel.fairness.rules import Row, Rules
from riskmodel.models.metrics import Numbers


def contrast_rows(figure: Figure, sample: Sample, rules: Rules) -> list[Row]:
    """A row for every group but the reference; nothing is said where one of the two cannot be estimated."""
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


def _contrast(figure: Figure, wide: Figure, group: int, reference: int, overlap: bool) -> Row:
    correlation = _correlation(figure.replicates[:, group], figure.replicates[:, reference]) if overlap else 0.0
    one, other = figure.bounds(group), figure.bounds(reference)
    gap, low, high = difference(one, other, correlation)
    _, together_low, together_high = difference(wide.bounds(group), wide.bounds(reference), correlation)
    ratio = quotient(one, other, correlation)
    both_ok = figure.states[group] == OK and figure.states[reference] == OK
    return {
        "difference": gap,
        "low": finite(low),
        "high": finite(high),
        "together_low": finite(together_low),
        "together_high": finite(together_high),
        "ratio": None if ratio is None else finite(ratio[0]),
        "ratio_low": None if ratio is None else finite(ratio[1]),
        "ratio_high": None if ratio is None else finite(ratio[2]),
        "state": OK if both_ok else IMPRECISE,
    }


def _no_contrast() -> Row:
    names = ("difference", "low", "high", "together_low", "together_high", "ratio", "ratio_low", "ratio_high")
    return {**dict.fromkeys(names), "state": NOT_ESTIMABLE}


def _together(figure: Figure, reference: int, compared: list[int], confidence: float) -> float:
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
