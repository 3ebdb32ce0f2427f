"""How far apart two groups are in being put forward: by a list alone, and after people judged.

A narrower gap does not show that it is the right one. The figures leave through disclosure control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.advisory.review import Review
from riskmodel.errors import DataRefused
from riskmodel.governance.disclosure import RULES, RuleSet, released
from riskmodel.models.uncertainty import wilson


@dataclass(frozen=True, slots=True)
class Gap:
    """How far apart two groups are in being put forward: by the list alone, and after people judged.

    Attributes
    ----------
    groups : the two groups; a gap above 0 means the first is put forward more often
    by_list, by_people : float, differences of shares
    by_list_interval, by_people_interval : (low, high), 95 %, Newcombe's (1998) hybrid of Wilson intervals
    narrowed : float, how much smaller the gap is with people; below 0 it is wider
    people : (n, n) reviewed in each group
    """

    groups: tuple[str, str]
    by_list: float
    by_people: float
    by_list_interval: tuple[float, float]
    by_people_interval: tuple[float, float]
    people: tuple[int, int]

    @property
    def narrowed(self) -> float:
        """How much smaller the gap is with people."""
        return abs(self.by_list) - abs(self.by_people)


def gap_with_and_without_people(
    reviews: Sequence[Review],
    groups: Mapping[str, str],
    pair: tuple[str, str],
    *,
    on_list: Set[str],
    put_forward: Set[str],
    rules: RuleSet = RULES["hes"],
) -> Gap:
    """The gap between two groups in who stands on a list, and in whom people put forward.

    Counts are rounded by the rule set before anything is made of them.

    Parameters
    ----------
    reviews : concluded ones, of people on the list and off it
    groups : mapping of pseudonym to group
    pair : the two groups to compare
    on_list : pseudonyms on the list of working capacity
    put_forward : the choice codes of the review form that put a person forward for support
    rules : RuleSet

    Raises
    ------
    DataRefused : a count of people is too small to be shown

    Notes
    -----
    Cheng and others (2022), on the Allegheny screening tool: the gap between Black and white children was 20 points
    by the tool alone and 9 with workers. A narrower gap does not show that it is the right one.
    """
    ended = [review for review in reviews if review.after is not None and groups.get(review.pseudonym) in pair]
    counts = {name: [0, 0, 0] for name in pair}
    for review in ended:
        held = counts[groups[review.pseudonym]]
        held[0] += 1
        held[1] += review.pseudonym in on_list
        held[2] += review.after is not None and review.after.choice in put_forward
    columns = ("reviewed", "listed", "put_forward")
    table = pa.table(
        {"group": list(pair), **{name: [counts[each][at] for each in pair] for at, name in enumerate(columns)}}
    )
    shown = released(table, columns, within_counts={"reviewed": ["listed"]}, rules=rules)
    if any(shown[name].null_count for name in columns) or 0 in shown["reviewed"].to_pylist():
        raise DataRefused(
            "gap-too-few-people",
            found="a count of people that is too small to be shown",
            expected=f"at least {rules.smallest_shown} in every count",
            repair="Wait for more reviews, or compare larger groups.",
        )
    n, listed, forward = (shown[name].to_pylist() for name in columns)
    return Gap(
        pair,
        listed[0] / n[0] - listed[1] / n[1],
        forward[0] / n[0] - forward[1] / n[1],
        _difference_interval(listed, n),
        _difference_interval(forward, n),
        (n[0], n[1]),
    )


def _difference_interval(counts: Sequence[int], n: Sequence[int]) -> tuple[float, float]:
    """Newcombe (1998), method 10: the distances of the two Wilson limits, added as squares."""
    first, second = counts[0] / n[0], counts[1] / n[1]
    (low1, high1), (low2, high2) = (wilson(share, size) for share, size in zip((first, second), n, strict=True))
    below = float(np.hypot(first - low1, high2 - second))
    above = float(np.hypot(high1 - first, second - low2))
    return first - second - below, first - second + above
