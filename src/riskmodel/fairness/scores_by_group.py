"""How scores are spread in each group: quantiles, mean, and how far one group's scores lie from the reference's.

A distance is the chance that somebody of the group stands above somebody of the reference, ties half: .5 is no
distance. It says nothing of right or wrong: outcomes are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmodel.fairness.estimability import NOT_ESTIMABLE, OK
from riskmodel.fairness.group_sample import reference_group
from riskmodel.fairness.groups import By
from riskmodel.fairness.prepared import prepared
from riskmodel.fairness.rules import Row, Rules

if TYPE_CHECKING:
    import pandas as pd

QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def scores_by_group(
    scores: Any, groups: Any, *, people: Any = None, by: Sequence[By] | None = None, rules: Rules | None = None
) -> pd.DataFrame:
    """The distribution of scores in each group.

    Parameters
    ----------
    scores : (n,) numbers, higher is more likely
    groups, people, by, rules : as of `audit_scores`

    Returns
    -------
    DataFrame, one row a group: attribute, group, n, people, mean, p05, p25, p50, p75, p95, reference, above (chance to
    stand above somebody of the reference), state. Groups with too few people have no figures.

    Examples
    --------
    >>> made = scores_by_group([.1, .2, .3, .4] * 10, {"sex": ["f", "f", "m", "m"] * 10})
    >>> made[["group", "p50", "above", "state"]].to_dict("records")[1]
    {'group': 'm', 'p50': 0.35, 'above': 1.0, 'state': 'ok'}
    """
    import pandas as pd

    rules = rules or Rules()
    nothing = np.full(len(scores), np.nan)
    rows = prepared(scores, nothing, groups, people=people, by=by, probabilities=False, rules=rules)
    made: list[Row] = []
    for grouping in rows.grouped:
        heads = rows.scored.people(grouping)["rows"]
        reference = reference_group(grouping, heads, rules.reference.get(grouping.attribute))
        against = rows.scored.score[grouping.codes == reference]
        for group, name in enumerate(grouping.names):
            own = rows.scored.score[grouping.codes == group]
            row: Row = {"attribute": grouping.attribute, "group": name, "n": len(own), "people": int(heads[group])}
            enough = heads[group] >= rules.minimums.people
            figures: Row = dict.fromkeys(("mean", *QUANTILES))
            if enough:
                figures = {"mean": float(own.mean())}
                figures |= {key: float(np.quantile(own, share)) for key, share in QUANTILES.items()}
            above = None
            if enough and heads[reference] >= rules.minimums.people:
                below = np.searchsorted(against, own, "left") + np.searchsorted(against, own, "right")
                above = float(below.mean() / (2 * len(against)))
            row |= figures | {"reference": grouping.names[reference], "above": above}
            made.append(row | {"state": OK if enough else NOT_ESTIMABLE})
    return pd.DataFrame(made)
