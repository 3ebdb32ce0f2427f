"""The audit by group at every list length the model was judged at, with nothing in it that may not be shown.

A share that would tell a small number of people is suppressed. Lists of different lengths lie inside one another, so a
figure is suppressed as well when the step from the last shown list would tell; and groups add up, so where one figure
is missing a second is, or what is missing would be what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from riskmodel.cards.disclosed import count_or_none, gives_away, is_small
from riskmodel.fairness.audit import Audit, audit
from riskmodel.fairness.measures import MEASURE
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel

Key: TypeAlias = tuple[str, str, str]
"""Attribute, group, metric."""
FILE = "groups.json"
METRICS = ("tpr", "fpr", "ppv", "selection_rate", "observed_expected", "auroc")
"""What is shown by group, in this order."""
OF_A_LIST = ("tpr", "selection_rate", "fpr", "ppv")
"""Figures of one list that give one another; the first are kept before the others."""


def by_capacity(model: RiskModel, made: Audit, training: TrainingSet) -> dict[str, Any]:
    """The disclosed audit as a document.

    Parameters
    ----------
    model, training : of the run
    made : Audit, at its own capacity, which is taken as it is

    Returns
    -------
    dict : ``rules`` in words; ``rows``, each with capacity, attribute, group, metric, value, low, high, people, state
    """
    own = made.settings.get("capacity")
    lengths = sorted({float(each) for each in (*model.declaration["capacity"], *([own] if own else []))})
    by = [tuple(name.split(", ")) if ", " in name else name for name in made.settings["by"]]
    audits: dict[float | None, Audit] = {
        length: made if length == own else audit(model, by, training=training, capacity=length) for length in lengths
    }
    return of_audits(audits or {None: made}, own)


def of_audits(audits: Mapping[float | None, Audit], own: float | None) -> dict[str, Any]:
    """Audits by list length, shortest first, as the same document."""
    rows: list[dict[str, Any]] = []
    last: dict[Key, float] = {}
    for length, held in audits.items():
        at = {
            (row["attribute"], row["group"], row["metric"]): row
            for row in held.table.to_pylist()
            if row["metric"] in METRICS
        }
        hidden = _hidden(at, last)
        last |= {key: row["numerator"] for key, row in at.items() if key not in hidden and row["numerator"] is not None}
        rows += [{"capacity": length, **_disclosed(key, row, key in hidden)} for key, row in at.items()]
    return {"capacity": own, "rows": rows}


def _hidden(at: Mapping[Key, Mapping[str, Any]], last: Mapping[Key, float]) -> set[Key]:
    """The figures of one list length that may not be shown: those that tell a few people, and those that tell those.

    The groups of an attribute are all the people together, and a group crossed with another attribute is its own parts,
    so of figures that add up one may not be missing alone: it would be what is left. And of one group's list, any two
    figures give the others.
    """
    counted = {key: row for key, row in at.items() if MEASURE[row["metric"]].kind in ("share", "ratio")}
    hidden = {key for key, row in counted.items() if _tells(row, last.get(key))}
    unsaid = {key for key, row in counted.items() if row["state"] == "not_estimable" and row["people"]}
    sums = _sums(counted)
    while True:
        of_lists = {
            (attribute, group, name)
            for attribute, group, metric in hidden
            if metric in OF_A_LIST
            for name in [each for each in OF_A_LIST if (attribute, group, each) not in hidden | unsaid][1:]
        }
        alone = [whole for whole in sums if len(whole & (hidden | unsaid)) == 1 and len(whole) > 1]
        fewest = {min(whole - hidden - unsaid, key=lambda key: (counted[key]["people"] or 0, key)) for whole in alone}
        if not of_lists & set(counted) | fewest:
            return hidden
        hidden |= of_lists & set(counted) | fewest


def _tells(row: Mapping[str, Any], shorter: float | None) -> bool:
    """Whether a figure tells of a few people: by itself, or by the step from the shorter list that is shown."""
    count: float | None = row["numerator"]
    if row["state"] not in ("ok", "imprecise") or count is None:
        return bool(row["state"] == "suppressed")
    share = MEASURE[row["metric"]].kind == "share"
    alone = gives_away(count, row["denominator"]) if share else is_small(count)
    return alone or (shorter is not None and is_small(abs(count - shorter)))


def _sums(keys: Collection[Key]) -> list[frozenset[Key]]:
    """Which figures add up: to that of all people, or to that of a group."""
    sums: dict[tuple[str, ...], set[Key]] = defaultdict(set)
    for attribute, group, metric in keys:
        sums[attribute, metric].add((attribute, group, metric))
        names, values = attribute.split(", "), group.split(", ")
        if len(names) == 1 or len(names) != len(values):
            continue
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            if len(names) == 2 and (name, value, metric) in keys:
                sums[attribute, str(place), value, metric] |= {(attribute, group, metric), (name, value, metric)}
    return [frozenset(whole) for whole in sums.values()]


def _disclosed(key: Key, row: Mapping[str, Any], hidden: bool) -> dict[str, Any]:
    """One figure as it may be shown."""
    state = "suppressed" if hidden else row["state"]
    shown = state in ("ok", "imprecise")
    return {
        "attribute": key[0],
        "group": key[1],
        "metric": key[2],
        **{end: row[end] if shown and row[end] == row[end] else None for end in ("value", "low", "high")},
        "people": count_or_none(row["people"]),
        "state": state,
    }
