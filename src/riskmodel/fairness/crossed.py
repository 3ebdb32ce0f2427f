"""Ranking across groups: does somebody of one group with the outcome stand above somebody of another without it?

A model can rank well within each group and still place one group's people without the outcome above the other's
with it. The cross-group AUROC (Kallus and Zhou 2019) is the chance of the right order between two groups. It needs
people with the outcome in one and without it in the other; where they are too few nothing is said.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.intervals import critical_values, interval
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import Scored
from riskmodel.models.metrics import Numbers

MOST_GROUPS: Final = 12
"""Above so many groups the pairs are too many to read, and none is made."""


def crossed_aurocs(scored: Scored, grouping: Grouping, rules: Rules) -> list[Row]:
    """The AUROC of every ordered pair of groups: those with the outcome in one, those without it in the other.

    Returns
    -------
    rows {attribute, with_outcome, without_outcome, value, low, high, positives, negatives, state}; the pair of a group
    with itself is its own AUROC
    """
    if len(grouping.names) > MOST_GROUPS:
        return []
    people = scored.people(grouping)
    sides = [_Side.of(scored, np.flatnonzero(grouping.codes == code)) for code in range(len(grouping.names))]
    rows = []
    for one, name in enumerate(grouping.names):
        for other, against in enumerate(grouping.names):
            rest = min(people["yes"][one], people["no"][other])
            rows.append(
                {
                    "attribute": grouping.attribute,
                    "with_outcome": name,
                    "without_outcome": against,
                    **_pair(sides[one], sides[other], float(rest), scored.n_people, rules),
                    "positives": len(sides[one].yes),
                    "negatives": len(sides[other].no),
                }
            )
    return rows


class _Side:
    """Sorted scores of one group, and whose they are."""

    __slots__ = ("no", "no_person", "yes", "yes_person")

    def __init__(self, yes: Numbers, yes_person: npt.NDArray[np.int64], no: Numbers, no_person: npt.NDArray[np.int64]):
        self.yes, self.yes_person, self.no, self.no_person = yes, yes_person, no, no_person

    @classmethod
    def of(cls, scored: Scored, rows: npt.NDArray[np.int64]) -> _Side:
        """The rows of a group with a known outcome, in the order of their scores."""
        yes, no = rows[scored.outcome[rows] == 1], rows[scored.outcome[rows] == 0]
        return cls(scored.score[yes], scored.person[yes], scored.score[no], scored.person[no])


def _pair(one: _Side, other: _Side, people: float, n_people: int, rules: Rules) -> Row:
    nothing: Row = {"value": None, "low": None, "high": None, "state": NOT_ESTIMABLE}
    if not rules.minimums.allow(people, people, ratio=False):
        return nothing
    won = _below(other.no, one.yes)
    lost = 1 - _below(one.yes, other.no)
    value = float(won.mean())
    influence = np.bincount(one.yes_person, weights=(won - value) / len(won), minlength=n_people)
    influence += np.bincount(other.no_person, weights=(lost - value) / len(lost), minlength=n_people)
    error = np.sqrt(float(influence @ influence) * people / (people - 1))
    figure, head = np.array([value]), np.array([people])
    critical = critical_values(rules.confidence, head)
    low, high = interval(MEASURE["auroc"], figure, np.array([error]), head, head, critical)
    bounds = value, float(low[0]), float(high[0])
    state = rules.minimums.state(*bounds, ratio=False)
    return dict(zip(("value", "low", "high", "state"), (*bounds, state), strict=True))


def _below(scores: Numbers, at: Numbers) -> Numbers:
    """The share of (sorted) scores below each of `at`, ties half."""
    left, right = (np.searchsorted(scores, at, side=side) for side in ("left", "right"))
    return np.asarray((left + right) / (2 * len(scores)), np.float64)
