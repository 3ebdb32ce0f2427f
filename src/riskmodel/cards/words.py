"""Small wordings of the card: durations, dates, names of learners and measures, lists. No figure is worded here."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

LEARNERS: Mapping[str, str] = {
    "lightgbm": "Gradient-boosted trees (LightGBM)",
    "logistic": "Logistic regression",
    "explainable_boosting": "A sum of one curve a feature (explainable boosting)",
    "points": "Points score",
    "stack": "A stack of learners",
    "base_rate": "Base rate for everyone",
    "best_count": "Best single count",
    "current_practice": "Current practice",
}
"""How learners and comparators are called, by their kind."""

MEASURES: Mapping[str, str] = {
    "auroc": "Ranking (AUROC)",
    "auprc": "Average precision",
    "brier": "Brier score",
    "scaled_brier": "Scaled Brier score",
    "log_loss": "Log loss",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "expected_observed": "Expected over observed",
    "ici": "Mean distance from what happened (ICI)",
    "e50": "Median distance (E50)",
    "e90": "Distance for the worst tenth (E90)",
    "emax": "Largest distance (Emax)",
    "precision": "On the list with the outcome",
    "recall": "With the outcome on the list",
    "missed_per_100": "Missed per 100",
    "lift": "Times the base rate",
}
"""How measures are called in tables."""

_MONTHS = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - one line
)


def measure_words(metric: str) -> str:
    """A measure by its name, with the capacity where it has one.

    Examples
    --------
    >>> measure_words("precision@5%"), measure_words("auroc")
    ('On the list with the outcome, list of 5%', 'Ranking (AUROC)')
    """
    name, _, capacity = metric.partition("@")
    words = MEASURES.get(name, name.replace("_", " "))
    return f"{words}, list of {capacity}" if capacity else words


def learner_words(kind: str) -> str:
    """A learner or comparator by its kind."""
    return LEARNERS.get(kind, kind.replace("_", " "))


def day_words(day: dt.date | str | None) -> str:
    """A day as it is written in British English.

    Examples
    --------
    >>> day_words(dt.date(2026, 3, 1)), day_words("2026-11-23T00:00:00"), day_words(None)
    ('1 March 2026', '23 November 2026', 'not known')
    """
    if not day:
        return "not known"
    date = day if isinstance(day, dt.date) else dt.date.fromisoformat(str(day)[:10])
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def listed(items: Sequence[str], joined_by: str = "and") -> str:
    """Items as a phrase.

    Examples
    --------
    >>> listed(["police"]), listed(["police", "health", "housing"])
    ('police', 'police, health and housing')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joined_by} {items[-1]}"


def plain(name: str) -> str:
    """A machine name as words.

    Examples
    --------
    >>> plain("childrens_services"), plain("injury_by_violence")
    ("children's services", 'injury by violence')
    """
    return name.replace("_", " ").replace("-", " ").replace("childrens ", "children's ")


def with_minus(text: str) -> str:
    """A sentence whose negative numbers have a minus and not a hyphen.

    Examples
    --------
    >>> with_minus("it became narrower (-3.76, 95% interval -6.8 to -0.7) for those aged 10-17")
    'it became narrower (\u22123.76, 95% interval \u22126.8 to \u22120.7) for those aged 10-17'
    """
    return re.sub(r"(?<=[\s(])-(?=\d)", "\u2212", text)


def group_words(group: str) -> str:
    """A group, or an intersection of groups, as a label.

    Examples
    --------
    >>> group_words("female, black"), group_words("not_stated")
    ('Female, Black', 'Not stated')
    """
    return ", ".join(capital(part) for part in plain(group).split(", "))


def whose_records(document: Mapping[str, Any]) -> str:
    """Whose records a card rests on, as its readers know them."""
    return "; ".join(document.get("whose_records") or [plain(name) for name in document["purpose"]["controllers"]])


_LEAD = re.compile(r"^(?P<metric>[\w@.%-]+) beats (?P<rival>[\w-]+)(?: by (?P<by>\S+))?$")
_LEVEL = re.compile(r"^(?P<metric>[\w@.%-]+) *(?P<sign>>=|<=) *(?P<level>\S+)$")


def condition_words(condition: str) -> str:
    """A condition of the success bar as a reader knows it; one in other words stays as it was written.

    Examples
    --------
    >>> condition_words("auroc beats best_count by 0.02")
    'Ranking (AUROC) better than best single count by 0.02 or more'
    >>> condition_words("precision@5% >= 0.2"), condition_words("The board is content")
    ('On the list with the outcome, list of 5%: 0.2 or more', 'The board is content')
    """
    if lead := _LEAD.match(condition):
        by = f" by {lead['by']} or more" if lead["by"] else ""
        return f"{measure_words(lead['metric'])} better than {uncapital(learner_words(lead['rival']))}{by}"
    if level := _LEVEL.match(condition):
        more = "or more" if level["sign"] == ">=" else "or less"
        return f"{measure_words(level['metric'])}: {level['level']} {more}"
    return condition


def uncapital(text: str) -> str:
    """The text with a small first letter."""
    return text[:1].lower() + text[1:]


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
