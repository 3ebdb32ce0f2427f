"""How far people and scores went the same way: changed minds, and signs that a review is only a formality.

A conclusion that always equals the judgement before it, comes within seconds, or repeats the same words says that
nobody was really looking. The figures are of reviewers together and of groups of people, never of one person, and
leave through disclosure control. They say that something wants looking at; they do not say what is right.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.advisory.review import Review
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
