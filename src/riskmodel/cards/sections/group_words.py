"""What an audit found, as a lay member of a board reads it: numbers per 100, group by group, and the gap between them.

A figure that may not be shown is left out of a sentence, and the sentence says so. Nothing here gives a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from riskmodel.cards.evidence import hundred_words, interval_words
from riskmodel.cards.given import Audited
from riskmodel.cards.words import group_words, listed, plain
from riskmodel.fairness.findings import WORDS, Finding

LABELS: Final[Mapping[str, str]] = {
    "base_rate": "Outcome recorded, of 100",
    "selection_rate": "On the list, of 100",
    "tpr": "Found, of 100 with the outcome",
    "fpr": "Listed in error, of 100 without the outcome",
    "ppv": "Listed and right, of 100 on the list",
    "observed_expected": "Outcomes recorded, for each 100 that the scores expect",
    "auroc": "In the right order, of 100 pairs of one with and one without the outcome",
}
_MOST: Final = 4


def headline(given: Audited, attribute: str) -> str:
    """The finding by one attribute in a sentence or two."""
    says = {one.metric: one.says for one in given.audit.finding_list if one.attribute == attribute}
    differing = [metric for metric, said in says.items() if said == "differs" and metric is not None]
    by = f"By {by_words(attribute)}"
    if not differing:
        return f"{by}: no difference between groups was shown beyond what chance would give."
    parts = [
        _among(given, attribute, metric, words)
        for metric, words in (
            ("tpr", f"of 100 {given.text.people} with the outcome, the list finds"),
            ("fpr", f"of 100 {given.text.people} without the outcome, the list wrongly holds"),
            ("observed_expected", "for each 100 outcomes that the scores expect, recorded"),
        )
        if metric in differing
    ]
    told = [part for part in parts if part is not None]
    if told:
        return f"{by}: {'; '.join(told)}."
    return f"{by}: groups differ beyond what chance would give, in {listed([WORDS[metric] for metric in differing])}."


def said(given: Audited, finding: Finding) -> str:
    """One comparison of groups: each group's figure, the gap, and how likely it would be by chance."""
    metric, attribute = str(finding.metric), finding.attribute
    test = _one(given.audit.heterogeneity.to_pylist(), attribute, metric)
    if finding.says == "not_compared" or test is None or test["p_adjusted"] is None:
        return f"{LABELS[metric]}: fewer than two groups have enough people to compare."
    rows = _shown(given, attribute, metric)
    chance = _chance(test["p_adjusted"])
    if finding.says == "differs":
        apart = [row for row in rows if row["together_low"] > 0 or row["together_high"] < 0]
        if not apart:
            return f"{LABELS[metric]}: the groups differ ({chance}), but no group that may be shown stands apart."
        apart = sorted(apart, key=lambda row: -abs(row["difference"]))
        more = f" {len(apart) - _MOST} more groups stand apart." if len(apart) > _MOST else ""
        return f"{_values(given, apart[:_MOST], metric)} {_gaps(apart[:_MOST])} ({chance}).{more}"
    if not rows:
        return f"{LABELS[metric]}: no difference was shown ({chance}); the figures rest on too few people to be shown."
    widest = max(rows, key=_possible)
    ruled = f"a difference of up to {hundred_words(_possible(widest))} is not ruled out"
    return f"{_values(given, [widest], metric)} No difference was shown ({chance}); {ruled}."


def by_words(attribute: str) -> str:
    """An attribute or an intersection as a phrase."""
    return listed(plain(attribute).split(", "))


def _among(given: Audited, attribute: str, metric: str, words: str) -> str | None:
    """The figure of the group furthest from the reference, and of the reference; None where they may not be shown."""
    rows = _shown(given, attribute, metric)
    if not rows:
        return None
    row = max(rows, key=lambda one: (abs(one["difference"]), one["group"]))
    groups = row["group"], row["reference"]
    told = [f"{group_words(group)} {_figure(given, attribute, group, metric)}" for group in groups]
    return f"{words}: {', '.join(told)}"


def _shown(given: Audited, attribute: str, metric: str) -> list[Mapping[str, Any]]:
    """The contrasts of groups whose figures, and whose reference's, may be shown."""
    rows = [
        row for row in given.audit.disparities.to_pylist() if (row["attribute"], row["metric"]) == (attribute, metric)
    ]

    def usable(group: str) -> bool:
        claim = given.group_figure(attribute, group, metric)
        return claim is not None and claim.usable

    ends = ("difference", "together_low", "together_high")
    return [
        row
        for row in rows
        if usable(row["group"]) and usable(row["reference"]) and all(row[name] is not None for name in ends)
    ]


def _values(given: Audited, rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    attribute, groups = rows[0]["attribute"], (*(row["group"] for row in rows), rows[0]["reference"])
    told = [f"{group_words(group)} {_figure(given, attribute, group, metric)}" for group in groups]
    return f"{LABELS[metric]}: {'; '.join(told)}."


def _figure(given: Audited, attribute: str, group: str, metric: str) -> str:
    """A group's figure in 100, with its interval."""
    claim = given.group_figure(attribute, group, metric)
    assert claim is not None  # only groups whose figures may be shown come here
    return interval_words(claim.value, claim.low, claim.high, claim.state, "hundred")


def _gaps(rows: Sequence[Mapping[str, Any]]) -> str:
    told = []
    for row in rows:
        more = "more" if row["difference"] > 0 else "fewer"
        low, high = sorted(abs(row[name]) for name in ("together_low", "together_high"))
        told.append(f"{hundred_words(abs(row['difference']))} {more} ({hundred_words(low)} to {hundred_words(high)})")
    if len(rows) == 1:
        return f"{group_words(rows[0]['group'])} against {group_words(rows[0]['reference'])}: {told[0]}"
    named = "; ".join(f"{group_words(row['group'])} {gap}" for row, gap in zip(rows, told, strict=True))
    return f"Against {group_words(rows[0]['reference'])}: {named}"


def _one(rows: Sequence[Mapping[str, Any]], attribute: str, metric: str) -> Mapping[str, Any] | None:
    return next((row for row in rows if (row["attribute"], row["metric"]) == (attribute, metric)), None)


def _possible(row: Mapping[str, Any]) -> float:
    return float(max(abs(row["together_low"]), abs(row["together_high"])))


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
