"""The audit by group and by length of the list, from what the run recorded as fit to be shown.

Every figure here was made and disclosed when the run was recorded; nothing is computed from people's rows in the
reading room, so there is nothing behind a suppressed cell. A run recorded without it shows the card's own figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.cards.blocks import Cell, Column, Kind, Table
from riskmodel.cards.words import capital, group_words, listed, plain, uncapital
from riskmodel.fairness.findings import WORDS

_RATIOS = {"observed_expected", "auroc"}
CALLED: Mapping[str, str] = {
    "base_rate": "With the outcome",
    "selection_rate": "On the list",
    "tpr": "Found, of those with the outcome",
    "fpr": "Listed in error, of those without it",
    "ppv": "Listed and right, of those on the list",
    "observed_expected": "Recorded for each one expected",
    "auroc": "In the right order (AUROC)",
}
"""What the figures are called, in the words of the card."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What may be chosen, what is chosen, and the two tables.

    Attributes
    ----------
    attributes, capacities, metrics : tuple of (value, words), to choose from
    attribute, capacity, metric : str, chosen
    groups : Table, every figure of each group at the chosen length
    lengths : Table or None, the chosen figure of each group at every length
    """

    attributes: tuple[tuple[str, str], ...]
    capacities: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    attribute: str
    capacity: str
    metric: str
    groups: Table
    lengths: Table | None


def explored(recorded: Mapping[str, Any] | None, card: Mapping[str, Any], asked: Mapping[str, str]) -> Explored | None:
    """What the audit says for a choice of attribute, length and figure; None when nothing was audited.

    Parameters
    ----------
    recorded : the disclosed audit by list length of the run, or None
    card : the card's document
    asked : ``attribute``, ``capacity`` and ``metric`` as asked for; what is not there is answered by the first
    """
    rows = list(recorded["rows"]) if recorded is not None else _of_card(card)
    if not rows:
        return None
    own = str(recorded["capacity"]) if recorded is not None else ""
    attributes = _choices([row["attribute"] for row in rows], _by)
    capacities = _choices([_key(row["capacity"]) for row in rows], _length)
    metrics = _choices([row["metric"] for row in rows], _called)
    attribute = _chosen(asked.get("attribute"), attributes, "")
    capacity = _chosen(asked.get("capacity"), capacities, own)
    metric = _chosen(asked.get("metric"), metrics, "tpr")
    held = {(row["group"], _key(row["capacity"]), row["metric"]): row for row in rows if row["attribute"] == attribute}
    names = tuple(dict.fromkeys(row["group"] for row in rows if row["attribute"] == attribute))
    at = [name for name, _ in capacities]
    by_length = None
    if len(at) > 1:
        columns = [Column(_length(each), _kind(metric)) for each in at]
        what = dict(metrics)[metric]
        caption = f"{what}, by {_by(attribute)} and by how long the list is"
        by_length = _table(caption, names, columns, [(each, metric) for each in at], held)
    shown = [Column(words, _kind(name)) for name, words in metrics]
    caption = f"Figures by {_by(attribute)}" + (f", {uncapital(_length(capacity))}" if capacity else "")
    groups = _table(caption, names, shown, [(capacity, name) for name, _ in metrics], held)
    return Explored(attributes, capacities, metrics, attribute, capacity, metric, groups, by_length)


def _called(metric: str) -> str:
    return CALLED.get(metric) or capital(WORDS.get(metric, plain(metric)))


def _table(
    caption: str,
    groups: Sequence[str],
    columns: Sequence[Column],
    keys: Sequence[tuple[str, str]],
    held: Mapping[tuple[str, str, str], Mapping[str, Any]],
) -> Table:
    rows = tuple(
        (group_words(group), *(_cell(held.get((group, capacity, metric))) for capacity, metric in keys))
        for group in groups
    )
    return Table(caption, (Column("Group"), *columns), rows)


def _cell(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return {"value": None, "low": None, "high": None, "state": "not_estimable"}
    return {name: row[name] for name in ("value", "low", "high", "state")}


def _of_card(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for key, claim in card["evidence"]["claims"].items():
        at = claim["found_at"]
        if key.startswith("audit.") and at.get("table") == "table":
            names = {name: at[name] for name in ("attribute", "group", "metric")}
            rows.append(
                {"capacity": None, **names, **{name: claim[name] for name in ("value", "low", "high", "state")}}
            )
    return rows


def _choices(values: Sequence[str], worded: Any) -> tuple[tuple[str, str], ...]:
    return tuple((value, worded(value)) for value in dict.fromkeys(values))


def _chosen(asked: str | None, choices: Sequence[tuple[str, str]], preferred: str) -> str:
    names = [name for name, _ in choices]
    return asked if asked in names else preferred if preferred in names else names[0]


def _key(capacity: float | None) -> str:
    return "" if capacity is None else str(capacity)


def _length(capacity: str) -> str:
    if not capacity:
        return "The card's list"
    share = float(capacity)
    return f"List of {100 * share:g}%" if share < 1 else f"List of {share:g}"


def _by(attribute: str) -> str:
    return listed([plain(name) for name in attribute.split(", ")])


def _kind(metric: str) -> Kind:
    return "number_interval" if metric in _RATIOS else "share_interval"
