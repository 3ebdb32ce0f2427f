"""How far people and scores went the same way: changed minds, and signs that a review is only a formality.

A conclusion that always equals the judgement before it, comes within seconds, or repeats the same words says that
nobody was really looking. The figures are of reviewers together and of groups of people, never of one person, and
leave through disclosure control. They say that something wants looking at; they do not say what is right.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.advisory.review import Review
from riskmodel.errors import DataRefused
from riskmodel.governance.disclosure import RULES, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger
from riskmodel.models.uncertainty import wilson

EVERYBODY = "all"
QUICK = 30.0
"""Seconds between opening a score and the conclusion below which nobody can have read it."""


def changed_minds(
    reviews: Sequence[Review],
    groups: Mapping[str, str] | None = None,
    *,
    by: Mapping[str, str] | None = None,
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
) -> pa.Table:
    """How often the conclusion differs from the judgement formed without the score.

    Parameters
    ----------
    reviews : only concluded ones with a judgement before the score count
    groups : mapping of pseudonym to group; without it, one row for all. People in no group stand under "unknown"
    by : mapping of the reviewer's role to a group of reviewers, such as their years of experience, instead of `groups`
    rules : RuleSet, for what may be shown

    Returns
    -------
    pa.Table : group, concluded, changed (counts as they may leave), share, low, high (95 % Wilson interval of the
        rounded counts; null where suppressed), disclosure
    """
    ended = [review for review in reviews if review.changed is not None]
    concluded, changed = Counter[str](), Counter[str]()
    for review in ended:
        names = [EVERYBODY]
        if by is not None:
            names.append(by.get(review.role, "unknown"))
        elif groups is not None:
            names.append(groups.get(review.pseudonym, "unknown"))
        concluded.update(names)
        changed.update(names if review.changed else [])
    order = [*sorted(set(concluded) - {EVERYBODY}), EVERYBODY]
    table = pa.table(
        {
            "group": order,
            "concluded": [concluded[name] for name in order],
            "changed": [changed[name] for name in order],
        }
    )
    made = released(
        table,
        ["concluded", "changed"],
        totals=[Total("group", EVERYBODY)],
        within_counts={"concluded": ["changed"]},
        rules=rules,
        ledger=ledger,
        name="changed minds",
    )
    return _with_shares(made)


@dataclass(frozen=True, slots=True)
class Formality:
    """Signs that reviews are only a formality.

    Attributes
    ----------
    concluded : int, reviews with a conclusion
    unchanged : float or None, of those with a judgement before the score, the share whose choice stayed as it was
    median_seconds : float or None, from opening the score to the conclusion
    quick : float or None, the share concluded within `QUICK` seconds
    repeated_words : float or None, the share whose reason is word for word that of another review
    opened_only : int, reviews whose score was opened and that never came to a conclusion
    """

    concluded: int
    unchanged: float | None
    median_seconds: float | None
    quick: float | None
    repeated_words: float | None
    opened_only: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """What wants looking at, in words; empty when nothing does."""
        said = []
        if self.unchanged == 1.0 and self.concluded >= 20:
            said.append(f"No conclusion of {self.concluded} differs from the judgement before the score.")
        if self.quick is not None and self.quick > 0.1:
            said.append(
                f"{100 * self.quick:.0f} % of conclusions came within {QUICK:.0f} seconds of opening the score."
            )
        if self.repeated_words is not None and self.repeated_words > 0.2:
            said.append(f"{100 * self.repeated_words:.0f} % of reasons repeat another one word for word.")
        if self.opened_only:
            plural = "" if self.opened_only == 1 else "s"
            said.append(f"{self.opened_only} opened score{plural} never came to a conclusion.")
        return tuple(said)


def formality(reviews: Sequence[Review]) -> Formality:
    """The signs over some reviews; None where there is nothing to say it from."""
    ended = [review for review in reviews if review.after is not None]
    opened = sum(review.looked_at is not None and review.after is None for review in reviews)
    if not ended:
        return Formality(0, None, None, None, None, opened)
    seconds = np.array([_seconds(review) for review in ended])
    words = [" ".join(review.after.words.lower().split()) for review in ended if review.after is not None]
    again = Counter(words)
    known = [review.changed for review in ended if review.changed is not None]
    return Formality(
        concluded=len(ended),
        unchanged=float(np.mean([not changed for changed in known])) if known else None,
        median_seconds=float(np.median(seconds)),
        quick=float(np.mean(seconds < QUICK)),
        repeated_words=float(np.mean([again[text] > 1 for text in words])),
        opened_only=opened,
    )


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


def _seconds(review: Review) -> float:
    start, end = (dt.datetime.fromisoformat(str(at)) for at in (review.looked_at, review.concluded_at))
    return (end - start).total_seconds()


def _with_shares(table: pa.Table) -> pa.Table:
    shares: dict[str, list[float | None]] = {"share": [], "low": [], "high": []}
    for row in table.to_pylist():
        known = bool(row["concluded"]) and row["changed"] is not None
        share = row["changed"] / row["concluded"] if known else None
        low, high = wilson(share, row["concluded"]) if share is not None else (None, None)
        for name, value in (("share", share), ("low", low), ("high", high)):
            shares[name].append(value)
    state = table["disclosure"]
    table = table.drop_columns(["disclosure"])
    for name, values in shares.items():
        table = table.append_column(name, pa.array(values, pa.float64()))
    return table.append_column("disclosure", state)
