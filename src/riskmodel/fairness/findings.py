"""What an audit found, in plain sentences with numbers per hundred: what differs, by how much, and how sure that is.

A sentence never gives a verdict. "No difference was shown" is followed by the difference that is still possible,
and groups about which nothing can be said are named with their numbers: not estimable is not the same as alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.rules import Row

SURE: Final = 0.05
"""A difference is said to be shown when the chance of it among alike groups, after Holm's allowance, is below this."""

TELLS: Final = {
    "base_rate": "of 100 {unit}, the outcome was recorded for {values}",
    "selection_rate": "of 100 {unit}, {on_list} {values}",
    "tpr": "of 100 {unit} with the outcome, {on_list} {values}",
    "fpr": "of 100 {unit} without the outcome, {on_list} {values}",
    "ppv": "of 100 {unit} {listed}, the outcome was recorded for {values}",
    "observed_expected": "for every 100 outcomes that the scores expect, the number recorded was {values}",
    "auroc": "of 100 pairs of one with and one without the outcome, the one with it had the higher score in {values}",
}
"""How each headline figure is told."""

WORDS: Final = {
    "base_rate": "base rate",
    "selection_rate": "share on the list",
    "exposure": "attention",
    "tpr": "share found",
    "fnr": "share missed",
    "missed_per_100": "missed per 100",
    "fpr": "false positive rate",
    "tnr": "true negative rate",
    "in_error_per_100": "listed in error per 100",
    "ppv": "positive predictive value",
    "fdr": "share of the list in error",
    "npv": "negative predictive value",
    "for": "share of those not listed who were missed",
    "accuracy": "share right",
    "observed_expected": "observed over expected",
    "mean_score": "mean score",
    "mean_score_yes": "mean score of those with the outcome",
    "mean_score_no": "mean score of those without the outcome",
    "auroc": "AUROC",
    "brier": "Brier score",
}
"""The name of each figure in a list."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence and what it rests on.

    Attributes
    ----------
    says : "differs", "not_shown", "not_compared" or "not_estimable"
    """

    attribute: str
    metric: str | None
    says: str
    sentence: str

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Telling:
    """How rows and the list are called: "people" and "the list held", or "assessments" and "were marked"."""

    unit: str = "people"
    on_list: str = "the list held"
    listed: str = "on the list"


def findings_of(
    figures: Sequence[Row], contrasts: Sequence[Row], tests: Sequence[Row], telling: Telling
) -> tuple[Finding, ...]:
    """All findings: differences that were shown first, then those not shown, then what cannot be said."""
    table = {(row["attribute"], row["metric"], row["group"]): row for row in figures}
    made = [_tested(test, contrasts, table, telling) for test in tests]
    order = {"differs": 0, "not_shown": 1, "not_compared": 2}
    made = sorted(made, key=lambda finding: order[finding.says])
    return (*made, *_not_estimable(figures))


def _tested(test: Row, contrasts: Sequence[Row], table: dict[Any, Row], telling: Telling) -> Finding:
    attribute, metric = test["attribute"], test["metric"]
    title = f"{_capital(attribute)}: "
    if test["p_adjusted"] is None:
        text = f"{WORDS[metric]} could not be compared: fewer than two groups have enough people to estimate it."
        return Finding(attribute, metric, "not_compared", title + text)
    rows = [row for row in contrasts if row["attribute"] == attribute and row["metric"] == metric]
    rows = [row for row in rows if row["state"] != NOT_ESTIMABLE]
    own = table[attribute, metric, test["reference"]]
    if own["state"] == NOT_ESTIMABLE or not rows:
        text = f"{WORDS[metric]} of the reference group ({test['reference']}) cannot be estimated; the groups that can "
        text += f"{_differs_words(test)}."
        return Finding(attribute, metric, "differs" if _is_shown(test) else "not_shown", title + text)
    if _is_shown(test):
        return Finding(attribute, metric, "differs", title + _difference(test, rows, table, telling))
    return Finding(attribute, metric, "not_shown", title + _no_difference(test, rows, table, telling))


def _difference(test: Row, rows: list[Row], table: dict[Any, Row], telling: Telling) -> str:
    apart = [row for row in rows if _excludes_zero(row)]
    apart = sorted(apart, key=lambda row: (-abs(row["difference"]), row["group"]))
    if not apart:
        told = _told(test, sorted(rows, key=lambda row: -abs(row["difference"]))[:1], table, telling)
        return f"{told} The groups {_differs_words(test)}, but no single group stands apart from the reference."
    gaps = "; ".join(f"{row['group']} {_gap(row)}" for row in apart[:4])
    more = f" {len(apart) - 4} more groups stand apart, see the table." if len(apart) > 4 else ""
    return (
        f"{_told(test, apart[:4], table, telling)} Against {test['reference']}: {gaps}. "
        f"The groups {_differs_words(test)}.{more}"
    )


def _no_difference(test: Row, rows: list[Row], table: dict[Any, Row], telling: Telling) -> str:
    widest = max(rows, key=lambda row: (_possible(row), row["group"]))
    possible = _possible(widest)
    size = f"up to {_per_hundred(possible)} in 100" if possible < float("inf") else "of any size"
    told = _told(test, [widest], table, telling)
    return (
        f"{told} No difference between the {test['groups']} groups was shown ({_chance(test)}); "
        f"between {widest['group']} and {test['reference']} one of {size} is not ruled out."
    )


def _told(test: Row, rows: list[Row], table: dict[Any, Row], telling: Telling) -> str:
    groups = [*[row["group"] for row in rows], test["reference"]]
    values = [_value(table[test["attribute"], test["metric"], group], first=not at) for at, group in enumerate(groups)]
    joined = ", ".join(values[:-1]) + " and " + values[-1]
    words = TELLS[test["metric"]].format(
        values=joined, unit=telling.unit, on_list=telling.on_list, listed=telling.listed
    )
    return f"{words}."


def _value(row: Row, *, first: bool) -> str:
    low, high = (_per_hundred(row[name]) if row[name] is not None else "?" for name in ("low", "high"))
    imprecise = ", imprecise" if row["state"] == "imprecise" else ""
    interval = "95 % interval " if first else ""
    return f"{_per_hundred(row['value'])} ({interval}{low} to {high}{imprecise}) for {row['group']}"


def _gap(row: Row) -> str:
    more = "more" if row["difference"] > 0 else "fewer"
    ends = [row["together_low"], row["together_high"]]
    sizes = sorted(abs(end) for end in ends if end is not None)
    reach = f" ({_per_hundred(sizes[0])} to {_per_hundred(sizes[1])})" if len(sizes) == 2 else ""
    return f"{_per_hundred(abs(row['difference']))} {more} in 100{reach}"


def _differs_words(test: Row) -> str:
    if not _is_shown(test):
        return f"were not shown to differ ({_chance(test)})"
    return f"differ more than chance would have it ({_chance(test)})"


def _chance(test: Row) -> str:
    p = test["p_adjusted"]
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _is_shown(test: Row) -> bool:
    return test["p_adjusted"] is not None and test["p_adjusted"] < SURE


def _excludes_zero(row: Row) -> bool:
    low, high = row["together_low"], row["together_high"]
    return (low is not None and low > 0) or (high is not None and high < 0)


def _possible(row: Row) -> float:
    ends = (row["together_low"], row["together_high"])
    return max(float("inf") if end is None else abs(end) for end in ends)


def _not_estimable(figures: Sequence[Row]) -> list[Finding]:
    made = []
    for attribute in dict.fromkeys(row["attribute"] for row in figures):
        rows = [row for row in figures if row["attribute"] == attribute and row["state"] == NOT_ESTIMABLE]
        parts = []
        for group in dict.fromkeys(row["group"] for row in rows):
            own = [row for row in rows if row["group"] == group]
            metrics = ", ".join(WORDS[row["metric"]] for row in own)
            counts = f"{_counted(own[0]['people'], 'person', 'people')}, {own[0]['positives']} with the outcome"
            parts.append(f"{group} ({counts}): {metrics}")
        if parts:
            text = f"{_capital(attribute)}: not estimable for {'; '.join(parts)}."
            made.append(Finding(attribute, None, "not_estimable", f"{text} That is not the same as no difference."))
    return made


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _per_hundred(value: float) -> str:
    hundred = 100 * value
    return f"{hundred:.0f}" if abs(hundred) >= 10 else f"{hundred:.1f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
