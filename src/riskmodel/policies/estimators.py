"""The estimators by the names that plans use, all with one face: a panel and what is asked in, an Effect out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from riskmodel.policies.design import ESTIMATORS, Plan
from riskmodel.policies.effects import Asked, Effect
from riskmodel.policies.group_time import Comparison, group_time
from riskmodel.policies.imputation import imputation
from riskmodel.policies.interrupted import interrupted
from riskmodel.policies.panel import Panel
from riskmodel.policies.poisson import poisson
from riskmodel.policies.stepped_wedge import stepped_wedge
from riskmodel.policies.synthetic import single_did, synthetic_did
from riskmodel.policies.synthetic_control import synthetic_control
from riskmodel.policies.twfe import twfe
from riskmodel.policies.two_stage import two_stage

Estimator: TypeAlias = Callable[[Panel, Asked], Effect]


def estimator(name: str, comparison: str = "never_treated") -> Estimator:
    """The estimator of that name; `comparison` is of use to group_time only.

    Examples
    --------
    >>> estimator("twfe") is twfe
    True
    """
    if name == "group_time":
        return lambda panel, asked: group_time(panel, asked, comparison=cast(Comparison, comparison))
    known: dict[str, Estimator] = {
        "imputation": lambda panel, asked: imputation(panel, asked, leave_out=True),
        "two_stage": two_stage,
        "twfe": twfe,
        "stepped_wedge": stepped_wedge,
        "poisson": lambda panel, asked: poisson(panel, asked),
        "synthetic_control": synthetic_control,
        "interrupted": interrupted,
        "synthetic_did": lambda panel, asked: synthetic_did(panel, asked),
        "single_did": lambda panel, asked: single_did(panel, asked),
    }
    if name not in known:
        raise KeyError(f"{name} is not one of {', '.join(ESTIMATORS)}")
    return known[name]


def planned_estimator(plan: Plan) -> Estimator:
    """The estimator that the plan names."""
    return estimator(plan.estimator, plan.comparison)


def planned_question(plan: Plan, outcome: str) -> Asked:
    """The outcome, with the weights and confidence that the plan names."""
    return Asked(outcome, plan.weights, plan.confidence)
