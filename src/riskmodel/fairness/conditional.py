"""Do groups still differ among those who are alike in something that may rightly matter - a control feature?

A figure of each group is made within every stratum of the control and put together with one set of weights, those of
everybody (direct standardisation), so that groups are compared as if they had the same mix. Strata in which not every
compared group can be estimated take no part, and how much of the data that leaves out is said. A control can hide what
it is meant to explain: number of earlier arrests is itself a record of who was watched. To choose one is a judgement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.fairness.bootstrap import standard_errors
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.group_sample import finite, reference_group, sample_of
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.intervals import critical_values
from riskmodel.fairness.measures import Measure, added, replicates_of, value_of
from riskmodel.fairness.prepared import Prepared, prepared
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import refused
from riskmodel.models.metrics import Numbers

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("attribute", "control", "metric", "group", "reference", "crude", "value", "low", "high"),
    *("difference", "difference_low", "difference_high", "strata", "covered", "state"),
)


def audit_conditional(
    scores: Any,
    outcomes: Any,
    groups: Any,
    *,
    attribute: str,
    control: str | Sequence[str],
    metrics: Sequence[str] = ("selection_rate", "tpr", "fpr", "ppv"),
    people: Any = None,
    capacity: float | None = None,
    decisions: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Figures of each group as if all groups had everybody's mix of the control.

    Parameters
    ----------
    scores, outcomes, people, capacity, decisions, lists, probabilities, rules, seed : as of `audit_scores`
    groups : mapping, DataFrame or Arrow table that holds the attribute and the control
    attribute : the groups compared
    control : one column or several, cut into bands beforehand where they are numbers
    metrics : figures; the AUROC is not one that can be put together

    Returns
    -------
    DataFrame, one row a figure and group: crude (without control), value (with it), difference to the reference with
    interval, strata used, covered (share of what is below the line that lies in them), state

    Raises
    ------
    DataRefused : a figure that means nothing here or cannot be put together

    Examples
    --------
    Among boys and among girls the list holds half; there are more boys in the north.

    >>> sex, area = ["f"] * 40 + ["m"] * 120, ["n"] * 20 + ["s"] * 20 + ["n"] * 100 + ["s"] * 20
    >>> made = audit_conditional([.5] * 160, [0, 1] * 80, {"sex": sex, "area": area}, attribute="sex", control="area",
    ...                    metrics=["base_rate"], rules=Rules(replicates=50))
    >>> made[["group", "crude", "value", "strata", "covered"]].to_dict("records")[0]
    {'group': 'f', 'crude': 0.5, 'value': 0.5, 'strata': 2, 'covered': 1.0}
    """
    import pandas as pd

    controls = (control,) if isinstance(control, str) else tuple(control)
    # The attribute comes last, so that a cell is stratum x groups + group.
    rows = prepared(
        scores,
        outcomes,
        groups,
        people=people,
        by=[attribute, controls],
        capacity=capacity,
        decisions=decisions,
        lists=lists,
        probabilities=probabilities,
        rules=rules,
        seed=seed,
    )
    own, strata = rows.grouped
    cells = _cells(strata, own)
    made: list[Row] = []
    alone, sample = (
        sample_of(rows.scored, own, rows.drawn, rows.rules),
        sample_of(rows.scored, cells, rows.drawn, rows.rules),
    )
    for name in metrics:
        measure = rows.measure(name)
        if measure.kind == "auroc":
            raise refused("the AUROC with a control; audit within each stratum instead")
        crude = value_of(measure, alone.sums)
        made += _rows_of(rows, measure, own, strata, crude, sample)
    return pd.DataFrame(made, columns=list(COLUMNS))


def _cells(strata: Grouping, own: Grouping) -> Grouping:
    """Every group in every stratum, those without rows too."""
    names = tuple(f"{stratum}, {group}" for stratum in strata.names for group in own.names)
    codes = (strata.codes.astype(np.int64) * len(own.names) + own.codes).astype(np.int32)
    return Grouping(f"{strata.attribute}, {own.attribute}", names, codes, strata.parts + 1)


def _rows_of(
    rows: Prepared, measure: Measure, own: Grouping, strata: Grouping, crude: Numbers, sample: Any
) -> list[Row]:
    shape = (len(strata.names), len(own.names))
    below = added(sample.sums, measure.below).reshape(shape)
    heads = sample.people[measure.rests_on].reshape(shape)
    minimums, ratio = rows.rules.minimums, measure.kind == "ratio"
    allowed = np.array([[minimums.allow(h, b, ratio=ratio) for h, b in zip(*pair, strict=True)]
                        for pair in zip(heads, below, strict=True)])  # fmt: skip
    reference = reference_group(own, rows.scored.people(own)["rows"], rows.rules.reference.get(own.attribute))
    made: list[Row] = []
    for group, name in enumerate(own.names):
        kept = np.flatnonzero(allowed[:, group] & allowed[:, reference])
        head: Row = {"attribute": own.attribute, "control": strata.attribute, "metric": measure.name, "group": name}
        head |= {"reference": own.names[reference], "crude": finite(float(crude[group])), "strata": len(kept)}
        weight = below.sum(axis=1)
        head["covered"] = float(weight[kept].sum() / weight.sum()) if weight.sum() else 0.0
        made.append(head | _standardised(rows, measure, sample, shape, (group, reference), kept, weight[kept]))
    return made


def _standardised(
    rows: Prepared, measure: Measure, sample: Any, shape: tuple[int, int], pair: tuple[int, int], kept: Any, weight: Any
) -> Row:
    names = ("value", "low", "high", "difference", "difference_low", "difference_high")
    if not len(kept):
        return {**dict.fromkeys(names), "state": NOT_ESTIMABLE}
    share = weight / weight.sum()
    value = value_of(measure, sample.sums).reshape(shape)[kept]
    drawn = replicates_of(measure, sample.sums, sample.drawn).reshape(-1, *shape)[:, kept]
    own, other = (value[:, group] @ share for group in pair)
    own_drawn, other_drawn = (np.einsum("rs,s->r", drawn[:, :, group], share) for group in pair)
    heads = sample.people[measure.rests_on].reshape(shape)[kept][:, list(pair)].sum(axis=0).min()
    critical = float(critical_values(rows.rules.confidence, np.array([heads]))[0])
    error, gap_error = (
        critical * float(standard_errors(part[:, None])[0]) for part in (own_drawn, own_drawn - other_drawn)
    )
    most = np.inf if measure.kind == "ratio" else measure.per
    low, high = max(own - error, 0.0), min(own + error, most)
    state = rows.rules.minimums.state(own, low, high, ratio=measure.kind == "ratio", scale=measure.per)
    made: Row = {"value": float(own), "low": finite(low), "high": finite(high), "state": state}
    if pair[0] == pair[1]:
        return made | dict.fromkeys(names[3:])
    gap = float(own - other)
    return made | {"difference": gap, "difference_low": finite(gap - gap_error),
                   "difference_high": finite(gap + gap_error)}  # fmt: skip
