"""What was done otherwise than planned: how each effect was estimated, held against the plan, line by line.

How an effect was estimated is written down by the estimator itself (`Conduct`), not declared by whoever reports it. A
deviation is no fault; one that is not listed is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.policies.design import Plan
from riskmodel.policies.registration import Registration


@dataclass(frozen=True, slots=True)
class Conduct:
    """How an effect was in fact estimated: what a plan is compared with.

    Attributes
    ----------
    periods : first and last period, and how many
    roll_out : str, the fingerprint of who is treated from when
    counted : str or None, how long after its period a cell was counted; None when it was not made from records
    """

    outcome: str
    estimator: str
    comparison: str | None
    weights: str | None
    covariates: tuple[str, ...]
    confidence: float
    periods: tuple[str, str, int]
    roll_out: str
    counted: str | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that was done otherwise than planned."""

    what: str
    planned: str
    done: str

    def __str__(self) -> str:
        return f"{self.what}: planned {self.planned}; done {self.done}."


def deviations(plan: Plan, conducts: Sequence[Conduct], registered: Registration | None) -> tuple[Deviation, ...]:
    """Everything that was done otherwise than planned, in a fixed order; an empty tuple means nothing was.

    Parameters
    ----------
    conducts : how each effect that is reported was estimated
    registered : where the plan stands in the ledger, None when it does not
    """
    found = []
    if registered is None:
        found.append(Deviation("registration", "before the outcomes were opened", "never"))
    elif registered.opened_before:
        found.append(
            Deviation(
                "registration",
                "before any outcome was opened",
                f"after outcomes had been opened {registered.opened_before} time(s)",
            )
        )
    planned = [outcome.name for outcome in plan.outcomes]
    reported = [conduct.outcome for conduct in conducts]
    found += [Deviation("outcome", name, "not reported") for name in planned if name not in reported]
    found += [Deviation("outcome", "not in the plan", name) for name in dict.fromkeys(reported) if name not in planned]
    labels, roll_out = plan.calendar.labels, plan.roll_out
    for conduct in conducts:
        found += _departures(plan, conduct, labels, roll_out)
    return tuple(found)


def _departures(plan: Plan, conduct: Conduct, labels: tuple[str, ...], roll_out: str) -> list[Deviation]:
    comparison = plan.comparison if plan.estimator == "group_time" else None
    pairs: list[tuple[str, object, object]] = [
        ("estimator", plan.estimator, conduct.estimator),
        ("weights", plan.weights, conduct.weights),
        ("confidence", plan.confidence, conduct.confidence),
        ("periods", (labels[0], labels[-1], len(labels)), conduct.periods),
        ("covariates", (), conduct.covariates),
        ("counting", f"{plan.settles_after} after each period", conduct.counted or "not from records"),
    ]
    if conduct.estimator == plan.estimator:
        pairs.append(("comparison", comparison, conduct.comparison))
    made = [
        Deviation(f"{what} of {conduct.outcome}", _said(wanted), _said(done))
        for what, wanted, done in pairs
        if wanted != done
    ]
    if conduct.roll_out != roll_out:
        made.append(Deviation(f"units and dates of {conduct.outcome}", "as registered", "others"))
    return made


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(str, value[:2])) + f" ({value[2]} periods)" if len(value) == 3 else _listed(value)
    return "none" if value is None else str(value)


def _listed(names: tuple[object, ...]) -> str:
    return ", ".join(map(str, names)) or "none"
