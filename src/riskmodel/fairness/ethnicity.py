"""Several records of one attribute in conflict: self-defined, officer-defined, agency-recorded, or missing.

Who belongs to a group depends on who wrote it down. Records are compared, one is chosen by a stated order of
precedence with its source kept, and a model is audited by each of them: where a finding depends on the record, that is
said. Nobody is dropped for having no record or two that disagree, nobody's group is guessed, and a self-defined
group is never overruled by what somebody else saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.groups import UNKNOWN, groupings
from riskmodel.fairness.missing_groups import Bounded, bounds_if_unknown
from riskmodel.fairness.rules import Row
from riskmodel.fairness.scored import refused
from riskmodel.models.metrics import divided

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recorded:
    """One attribute from several records.

    Attributes
    ----------
    group : (n,) str, by precedence; "unknown" where no record says anything
    source : (n,) str, which record it is from; "none" where there is none
    agreed : (n,) str, the group where all records that say anything agree; "unknown" where they do not or none does
    conflict : (n,) bool, two records that say different things
    agreement : DataFrame, one row a pair of sources: source, other, both (rows known to both), agree (share), kappa
    disagreement : DataFrame, one row a pair of different groups: source, group, other, other_group, n
    """

    group: npt.NDArray[Any] = field(repr=False)
    source: npt.NDArray[Any] = field(repr=False)
    agreed: npt.NDArray[Any] = field(repr=False)
    conflict: npt.NDArray[np.bool_] = field(repr=False)
    agreement: pd.DataFrame = field(repr=False)
    disagreement: pd.DataFrame = field(repr=False)


def reconciled(records: Mapping[str, Any], *, precedence: Sequence[str] | None = None) -> Recorded:
    """Put several records of one attribute together, by precedence, with their conflicts kept.

    Parameters
    ----------
    records : mapping of source ("self", "officer", "agency") to (n,) values; None, NaN and empty text are unknown
    precedence : sources, first the one that is believed; None is the order of `records`

    Raises
    ------
    DataRefused : fewer than two records, lengths that differ, or a precedence that names other sources

    Examples
    --------
    >>> made = reconciled({"self": ["black", None, None], "officer": ["white", "white", None]})
    >>> made.group.tolist(), made.source.tolist(), made.conflict.tolist()
    (['black', 'white', 'unknown'], ['self', 'officer', 'none'], [True, False, False])
    """
    import pandas as pd

    order = list(records) if precedence is None else list(precedence)
    if len(records) < 2 or sorted(order) != sorted(records):
        raise refused(f"{len(records)} records of the attribute and a precedence of {len(order)} sources")
    texts = {one.attribute: np.array(one.names, object)[one.codes] for one in groupings(records)}
    if len({len(text) for text in texts.values()}) > 1:
        raise refused("records of one attribute of different lengths")
    n = len(texts[order[0]])
    group, source = np.full(n, UNKNOWN, object), np.full(n, "none", object)
    for name in reversed(order):
        known = texts[name] != UNKNOWN
        group[known], source[known] = texts[name][known], name
    conflict = np.zeros(n, bool)
    for text in texts.values():
        conflict |= (text != UNKNOWN) & (text != group)
    agreed = np.where(conflict, UNKNOWN, group)
    pairs = [(one, other) for at, one in enumerate(order) for other in order[at + 1 :]]
    agreement = pd.DataFrame([_agreement(texts, *pair) for pair in pairs])
    columns = ["source", "group", "other", "other_group", "n"]
    differ = pd.DataFrame([row for pair in pairs for row in _differences(texts, *pair)], columns=columns)
    return Recorded(group, source, agreed, conflict, agreement, differ)


@dataclass(frozen=True)
class RecordedAudit:
    """An audit by each record of an attribute, by the one chosen, and by those without conflict.

    Attributes
    ----------
    recorded : Recorded
    audit : Audit; its attributes are "<attribute> (<source>)", "<attribute>" by precedence, and "<attribute> (agreed)"
    ranges : DataFrame, one row a group and figure: lowest and highest value over the records, and by which, in the
        columns metric, group, chosen, lowest, lowest_by, highest, highest_by
    bounds : tuple of Bounded, of the groups when everybody in conflict or without record may belong to any group
    """

    recorded: Recorded
    audit: Audit = field(repr=False)
    ranges: pd.DataFrame = field(repr=False)
    bounds: tuple[Bounded, ...] = field(repr=False)


def audit_recorded(
    scores: Any,
    outcomes: Any,
    records: Mapping[str, Any],
    *,
    attribute: str = "ethnicity",
    precedence: Sequence[str] | None = None,
    metric: str = "tpr",
    **how: Any,
) -> RecordedAudit:
    """Audit scores by each record of one attribute.

    Parameters
    ----------
    records, precedence : as of `reconciled`
    metric : a share, for the bounds
    how : people, capacity, decisions, lists, probabilities, rules and seed of `audit_scores`

    Examples
    --------
    >>> records = {"self": ["a", "b", None, "b"] * 30, "officer": ["a", "a", "a", "b"] * 30}
    >>> made = audit_recorded([.9, .8, .2, .1] * 30, [1, 0, 1, 0] * 30, records, metric="base_rate")
    >>> [(row["group"], row["lowest"], row["highest"]) for row in made.ranges.to_dict("records")
    ...  if row["metric"] == "base_rate"][0]
    ('a', 0.666..., 1.0)
    """
    recorded = reconciled(records, precedence=precedence)
    named = {f"{attribute} ({source})": values for source, values in records.items()}
    agreed = f"{attribute} (agreed)"
    made = audit_scores(scores, outcomes, {attribute: recorded.group, **named, agreed: recorded.agreed}, **how)
    return RecordedAudit(
        recorded, made, _ranges(made, attribute, list(records)), bounds_if_unknown(made, agreed, metric)
    )


def _agreement(texts: Mapping[str, Any], one: str, other: str) -> Row:
    """Share of rows known to both on which they agree, and Cohen's kappa (1960)."""
    both = (texts[one] != UNKNOWN) & (texts[other] != UNKNOWN)
    left, right = texts[one][both], texts[other][both]
    share = float(np.mean(left == right)) if len(left) else None
    kappa = None
    if share is not None:
        by_chance = sum(float(np.mean(left == name) * np.mean(right == name)) for name in set(left) | set(right))
        kappa = float(divided(np.array(share - by_chance), np.array(1 - by_chance), np.nan))
    return {"source": one, "other": other, "both": int(both.sum()), "agree": share, "kappa": kappa}


def _differences(texts: Mapping[str, Any], one: str, other: str) -> list[Row]:
    apart = (texts[one] != UNKNOWN) & (texts[other] != UNKNOWN) & (texts[one] != texts[other])
    pairs, counts = np.unique(
        np.stack([texts[one][apart], texts[other][apart]]).astype(str), axis=1, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    return [
        {"source": one, "group": pairs[0, at], "other": other, "other_group": pairs[1, at], "n": int(counts[at])}
        for at in order
    ]


def _ranges(made: Audit, attribute: str, sources: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    values: dict[tuple[str, str], dict[str, float]] = {}
    for row in made.table.to_pylist():
        if row["state"] != NOT_ESTIMABLE:
            values.setdefault((row["metric"], row["group"]), {})[row["attribute"]] = row["value"]
    rows = []
    for (metric, group), own in values.items():
        by_source = {source: own[name] for source in sources if (name := f"{attribute} ({source})") in own}
        if not by_source:
            continue
        low, high = min(by_source, key=by_source.__getitem__), max(by_source, key=by_source.__getitem__)
        made_row: Row = {"metric": metric, "group": group, "chosen": own.get(attribute)}
        made_row |= {"lowest": by_source[low], "lowest_by": low, "highest": by_source[high], "highest_by": high}
        rows.append(made_row)
    return pd.DataFrame(rows)
