"""An audit: what the scores do in each group, how the groups differ, and how sure that is.

It reads out-of-fold predictions, so that no row is judged by a model that learned from it, or any scores given to
it. It gives no verdict, moves no threshold and changes no score. Intervals cover which people happened to be in the
data; they do not cover wrong labels, wrong linkage or change over time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.fairness.audit_tables import COLUMNS, arrow_table
from riskmodel.fairness.calibration import calibration_curves, calibration_slopes, score_bands
from riskmodel.fairness.crossed import crossed_aurocs
from riskmodel.fairness.figures import group_figures
from riskmodel.fairness.findings import Telling, findings_of
from riskmodel.fairness.groups import By
from riskmodel.fairness.heterogeneity import allowed_for
from riskmodel.fairness.matched import matched_rows
from riskmodel.fairness.prepared import prepared
from riskmodel.fairness.result import METHOD, Audit
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel

__all__ = ["METHOD", "Audit", "audit", "audit_scores"]


def audit(
    model: RiskModel,
    by: Sequence[By] | None = None,
    *,
    training: TrainingSet,
    capacity: float | None = None,
    seed: int = 0,
    rules: Rules | None = None,
) -> Audit:
    """Audit a fitted model's out-of-fold predictions by the groups of its training set.

    Parameters
    ----------
    model : RiskModel; its evaluation holds the predictions (entity_id, as_of, fold, outcome, p)
    by : attributes and intersections (tuples); None is every group column of the training set alone
    training : TrainingSet, which gives the groups of each row
    capacity : how long the list is, in each test period: a share below 1 or a number of places; None is the middle
        one of those at which the model was judged, and no list when it was judged at none
    seed : int, of the bootstrap
    rules : Rules or None for the defaults

    Raises
    ------
    DataRefused : predictions for rows that the training set does not hold
    """
    predictions = model.evaluation.predictions
    judged_at = model.declaration["capacity"]
    if capacity is None and judged_at:
        capacity = judged_at[len(judged_at) // 2]
    rows = pa.array(matched_rows(predictions, training))
    groups = {name: training.group(name).take(rows) for name in training.group_names}
    return audit_scores(
        numbers(predictions.column("p")),
        numbers(predictions.column("outcome")),
        groups,
        people=np.asarray(predictions.column("entity_id"), np.int64),
        by=by,
        capacity=capacity,
        lists=np.asarray(predictions.column("fold")),
        rules=rules,
        seed=seed,
        about={"model": model.fingerprint, "training": training.fingerprint, "predictions": "out of fold"},
    )


def audit_scores(
    scores: Any,
    outcomes: Any,
    groups: Any,
    *,
    people: Any = None,
    by: Sequence[By] | None = None,
    capacity: float | None = None,
    decisions: Any = None,
    listed: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
) -> Audit:
    """Audit any scores by group.

    Parameters
    ----------
    scores : (n,) numbers, higher is more likely
    outcomes : (n,) 0 or 1; None or NaN where it is unknown
    groups : mapping of attribute to (n,) values, DataFrame or Arrow table; a missing value is the group "unknown"
    people : (n,) or None, whose row it is; None is a person a row
    by : attributes and intersections; None is every attribute alone
    capacity : how long the list of highest scores is (below 1 a share, from 1 on places), or None
    decisions : (n,) 0 or 1, or None: what was decided, in place of a list at capacity
    listed : (n,) 0 to 1, or None: the chance of each row to be on a list made elsewhere, in place of a capacity
    lists : (n,) or None, rows that compete for one list (a fold, an as-of date)
    probabilities : bool; False for scores such as deciles, for which calibration and Brier mean nothing
    rules, seed : how the audit is made
    about : mapping, put into the settings as it is

    Returns
    -------
    Audit

    Raises
    ------
    DataRefused : lengths differ, a score is missing, an outcome is neither 0, 1 nor unknown, a probability is
        outside 0 to 1, or more than one of capacity, decisions and listed is given

    Examples
    --------
    >>> made = audit_scores([.9, .8, .2, .1] * 25, [1, 0, 1, 0] * 25, {"sex": ["f", "m"] * 50}, capacity=0.5)
    >>> row = made.figure("sex", "f", "tpr")
    >>> row["numerator"], row["denominator"], row["state"]
    (25.0, 50.0, 'imprecise')
    """
    rows = prepared(
        scores,
        outcomes,
        groups,
        people=people,
        by=by,
        capacity=capacity,
        decisions=decisions,
        listed=listed,
        lists=lists,
        probabilities=probabilities,
        rules=rules,
        seed=seed,
    )
    scored, grouped, rules = rows.scored, rows.grouped, rows.rules
    made = [group_figures(scored, grouping, rows.measures, rows.drawn, rules) for grouping in grouped]
    alone = [grouping for grouping in grouped if grouping.parts == 1]
    tables: dict[str, list[Row]] = {
        "table": [row for part in made for row in part.figures],
        "disparities": [row for part in made for row in part.contrasts],
        "heterogeneity": _with_allowance([row for part in made for row in part.tests]),
        "estimates": [row for part in made for row in part.estimates],
        "crossed": [row for grouping in alone for row in crossed_aurocs(scored, grouping, rules)],
        "curves": [],
        "slopes": [],
    }
    if probabilities:
        band = score_bands(scored)
        tables["curves"] = [row for grouping in grouped for row in calibration_curves(scored, grouping, band, rules)]
        tables["slopes"] = [row for grouping in alone for row in calibration_slopes(scored, grouping, rules)]
    settings = {
        "by": [grouping.attribute for grouping in grouped],
        "capacity": capacity,
        "decisions": decisions is not None,
        "listed": listed is not None,
        "probabilities": probabilities,
        "rows": len(scored.score),
        "people": scored.n_people,
        "unknown_outcomes": int(np.isnan(scored.outcome).sum()),
        "seed": seed,
        "rules": rules.document(),
        **(about or {}),
    }
    telling = Telling("people" if scored.n_people == len(scored.score) else "assessments")
    if decisions is not None:
        telling = Telling(telling.unit, "the decision was yes for", "with the decision yes")
    found = findings_of(tables["table"], tables["disparities"], tables["heterogeneity"], telling)
    return Audit(
        **{name: arrow_table(rows, COLUMNS[name]) for name, rows in tables.items()},
        finding_list=found,
        settings=settings,
    )


def _with_allowance(tests: list[Row]) -> list[Row]:
    """The tests with p values that allow for all of them."""
    made = [number for number, row in enumerate(tests) if row["p"] is not None]
    allowed = dict(zip(made, allowed_for([tests[number]["p"] for number in made]), strict=True))
    return [row | {"p_adjusted": allowed.get(number)} for number, row in enumerate(tests)]
