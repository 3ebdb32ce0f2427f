"""The working capacity: the one list length at which the card tells its finding, and what such a list held."""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.cards.disclosed import count_or_none
from riskmodel.cards.evidence import Claim
from riskmodel.cards.given import MODEL, Given

_FEW_DATES = 200


@dataclass(frozen=True)
class Working:
    """The list at the working capacity.

    Attributes
    ----------
    label : str, such as "5%" or "200"
    words : str, the list in words
    precision, recall : Claim or None
    base : Claim, the share with the outcome among all rows judged
    best_rival : (name, precision) of the comparator with the highest precision, or None
    """

    label: str
    words: str
    precision: Claim | None
    recall: Claim | None
    base: Claim | None
    best_rival: tuple[str, Claim] | None


def capacity_labels(given: Given) -> tuple[str, ...]:
    """The list lengths that the evaluation looked at, in its order."""
    metrics = dict.fromkeys(str(name) for name in given.model.evaluation.metrics["metric"].to_pylist())
    return tuple(name.partition("@")[2] for name in metrics if name.startswith("precision@"))


def working_capacity(given: Given) -> Working | None:
    """The audit's capacity where the evaluation has it, else the middle one of the evaluation; None without any."""
    labels = capacity_labels(given)
    if not labels:
        return None
    asked = _label(given.audit.settings.get("capacity"))
    label = asked if asked in labels else labels[len(labels) // 2]
    rivals = [(name, claim) for name in given.comparators if (claim := given.figure(f"precision@{label}", name))]
    usable = [(name, claim) for name, claim in rivals if claim.usable]
    best = max(usable, key=lambda rival: (rival[1].value or 0.0, rival[0]), default=None)
    return Working(
        label,
        _words(given, label),
        given.figure(f"precision@{label}"),
        given.figure(f"recall@{label}"),
        base_rate(given),
        best,
    )


def base_rate(given: Given) -> Claim | None:
    """The share with the outcome among all rows judged."""
    for row in given.model.evaluation.metrics.to_pylist():
        if row["model"] == MODEL and row["fold"] == "all" and row["n"]:
            share = row["positives"] / row["n"]
            return given.worked_out(
                "performance.base_rate", share, "evaluation", n=count_or_none(row["n"]), unit="share"
            )
    return None


def _label(capacity: float | None) -> str:
    if capacity is None:
        return ""
    return f"{100 * capacity:g}%" if capacity < 1 else f"{capacity:g}"


def _words(given: Given, label: str) -> str:
    """The list in words, with its length where a list is made on a few dates."""
    if not label.endswith("%"):
        return f"a list of the {label} highest scores"
    said = f"a list of the highest-scoring {label}"
    judged = given.model.evaluation.predictions
    dates = len(judged["as_of"].unique())
    if given.training.manifest.get("checked"):
        return f"{said} (about {places_of(label, judged.num_rows):,.0f} of them)"
    if dates > _FEW_DATES:
        return said
    places = places_of(label, judged.num_rows) / dates
    return f"{said} (about {places:,.0f} of them on each date)"


def places_of(label: str, rows: int) -> float:
    """Places on a list of a share of the rows, such as "20%"."""
    return float(label[:-1]) / 100 * rows
