"""Leaks that a column carries in how its values were made: an average of the outcome, or a number given afterwards.

A place, a school or an officer is often replaced by the outcome's average there ("target encoding"). Where the average
was taken over all rows, each row's own outcome is part of its feature. Such values lie nearer to the rates that are
then observed than chance allows: a rate observed among n people scatters around any honest forecast of it.

A number that was given when something was known (a case number, the order of an extract) can tell the outcome too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from riskmodel.models.checking import Answer, Check
from riskmodel.models.labelled import Labelled
from riskmodel.models.metrics import Numbers, auroc

LEAST_ROWS, LEAST_VALUES = 5, 10
"""Values with fewer rows say too little; fewer such values make no test."""
TOO_NEAR: Final = 1e-6
"""The chance of scattering so little by luck, below which a feature is not believed."""
EXPLAINED: Final = 0.5
"""The least share of the scatter between values that a straight line explains: else the values are no averages."""
ORDERED: Final = 0.7
"""AUROC of the persons' numbers, either way, from which they want a look."""


def no_feature_averages_the_outcome(rows: Labelled, names: tuple[str, ...]) -> Check:
    """Whether the observed rates lie nearer to a straight line through a feature's values than chance allows."""
    name = "averaged-outcome"
    question = "Is every feature free of averages of the outcome itself?"
    asked = [(luck, name) for column, name in enumerate(names)
             if (luck := _luck(rows.X[:, column], rows.outcome)) is not None]  # fmt: skip
    if not asked:
        return Check(name, question, "not_applicable", "No feature has enough values with enough rows.")
    found = sorted(feature for luck, feature in asked if luck < TOO_NEAR / len(asked))
    said = f"No rate follows its value too closely, of {len(asked)} features that could show it."
    if found:
        said = f"Observed rates follow the values more closely than chance allows: {', '.join(found[:5])}."
    return Check(name, question, "fail" if found else "pass", said)


def numbers_tell_nothing(rows: Labelled) -> Check:
    """Whether the persons' numbers order the outcome, as when they were given after it was known."""
    name, question = "numbers-in-order", "Do the persons' own numbers say nothing about the outcome?"
    people, first = np.unique(rows.people, return_inverse=True)
    ever = np.zeros(len(people))
    np.maximum.at(ever, first, rows.outcome)
    area = auroc(ever, np.arange(len(people), dtype=np.float64))
    if not np.isfinite(area):
        return Check(name, question, "not_applicable", "All people have one outcome.")
    either = max(area, 1 - area)
    answer: Answer = "review" if either >= ORDERED else "pass"
    said = f"AUROC of the numbers over {len(people)} people: {either:.3f}."
    if answer == "review":
        said += " Ask when they were given: the order of the rows, or a feature made of the number, would know."
    return Check(name, question, answer, said)


def _luck(values: npt.NDArray[np.float32], outcome: Numbers) -> float | None:
    """The chance that the rates at each value scatter so little about a line; None where that cannot be asked."""
    known = ~np.isnan(values)
    distinct, group, n = np.unique(values[known], return_inverse=True, return_counts=True)
    enough = n >= LEAST_ROWS
    if enough.sum() < LEAST_VALUES:
        return None
    rate = (np.bincount(group, weights=outcome[known]) / n)[enough]
    at, n = distinct[enough].astype(np.float64), n[enough].astype(np.float64)
    slope, base = np.polyfit(at, rate, 1, w=np.sqrt(n))
    line = base + slope * at
    scatter, all_scatter = n @ (rate - line) ** 2, n @ (rate - np.average(rate, weights=n)) ** 2
    if all_scatter == 0 or 1 - scatter / all_scatter < EXPLAINED:
        return 1.0
    expected = np.clip(line, 0.01, 0.99)
    return float(chi2.cdf(np.sum(n * (rate - line) ** 2 / (expected * (1 - expected))), len(at) - 2))
