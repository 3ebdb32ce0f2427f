"""Plans in the ledger: written there before outcomes are opened, and every opening written down beside them.

The ledger shows the order: a plan that was registered after outcomes had been opened says so in its registration.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.errors import EvidenceError
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.policies.design import Plan

REGISTERED, OPENED = "plan-registered", "outcomes-opened"


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a plan stands in the ledger.

    Attributes
    ----------
    plan : str, its fingerprint
    number, entry : the ledger's entry and its hash
    opened_before : int, how often outcomes had been opened by then, by any plan in this ledger
    """

    plan: str
    number: int
    entry: str
    opened_before: int


def register(plan: Plan, ledger: Ledger) -> Registration:
    """Write the plan's fingerprint into the ledger; a plan that stands there already is not written twice.

    Raises
    ------
    EvidenceError : the ledger was cut or altered
    """
    known = registration(plan, ledger)
    if known is not None:
        return known
    ledger.append(
        REGISTERED,
        plan=plan.fingerprint,
        roll_out=plan.roll_out,
        primary=plan.primary,
        outcomes=len(plan.outcomes),
        agencies=len(plan.agencies),
        units=len(plan.units),
        treated=len(plan.starts),
    )
    written = registration(plan, ledger)
    assert written is not None
    return written


def registration(plan: Plan, ledger: Ledger) -> Registration | None:
    """Where the plan stands in the ledger, or None."""
    if not ledger.path.exists():
        return None
    verify(ledger.path).must_hold()
    opened, fingerprint = 0, plan.fingerprint
    for entry in ledger.entries():
        if entry.action == REGISTERED and entry.facts.get("plan") == fingerprint:
            return Registration(fingerprint, entry.number, entry.hash, opened)
        opened += entry.action == OPENED
    return None


def open_outcomes(plan: Plan, ledger: Ledger, histories: str) -> Registration:
    """Write down that the outcomes of these histories are opened for this plan; refuses a plan that is not registered.

    Parameters
    ----------
    histories : str, the fingerprint of the histories
    """
    known = registration(plan, ledger)
    if known is None:
        raise EvidenceError(
            "plan-not-registered",
            found="a plan that does not stand in the ledger",
            expected="a plan registered before its outcomes are opened",
            repair="Call register(plan, ledger) first; a plan that was changed is a new plan.",
        )
    ledger.append(OPENED, plan=plan.fingerprint, histories=histories)
    return known


def opened(plan: Plan, ledger: Ledger) -> bool:
    """Whether the outcomes were opened for this plan."""
    fingerprint = plan.fingerprint
    return any(entry.action == OPENED and entry.facts.get("plan") == fingerprint for entry in ledger.entries())
