"""Whether the advice on a list still holds: approved, valid, on record as it was made, and not replaced.

What no longer holds is neither given out nor opened for a review. It can be looked back on, by whoever has to answer
for it or was scored, and then says at its top that it is not to be acted on.
"""

from __future__ import annotations

import datetime as dt

from riskmodel.advisory.basis import Basis
from riskmodel.errors import NotPermitted
from riskmodel.governance.ledger import Ledger

MADE = "score"
"""The action of the entry that a list was made."""
CORRECTED = "corrected"
"""The action of the entry that withdraws a list."""
BRIEF = "brief"
"""What the entry of a brief has in the place of a list's order."""
PAST, WITHDRAWN = "score-no-longer-valid", "list-withdrawn"


def must_hold(ledger: Ledger, basis: Basis, list_fingerprint: str) -> None:
    """Refuse a list whose approval or validity has ended, that the ledger does not have, or that was corrected.

    Raises
    ------
    NotPermitted : with one sentence that says what to do
    """
    ledger.must_not_be_ahead()
    basis.approval.must_allow(basis.model, basis.card, basis.purpose, dt.date.today())
    basis.approval.must_be_recorded(ledger)
    _must_stand(ledger, list_fingerprint)
    if not basis.made_up:
        must_be_valid(basis.valid_until)


def must_be_valid(until: dt.date) -> None:
    """Refuse scores from the day on which they no longer hold.

    Raises
    ------
    NotPermitted : that day has come
    """
    if dt.date.today() >= until:
        raise NotPermitted(
            PAST,
            found=f"scores that were valid until {until}",
            expected="scores that still hold",
            repair="Ask for a new list.",
        )


def no_longer(ledger: Ledger, basis: Basis, list_fingerprint: str) -> NotPermitted | None:
    """Why a list no longer holds; None while it does."""
    try:
        must_hold(ledger, basis, list_fingerprint)
    except NotPermitted as refusal:
        return refusal
    return None


def _must_stand(ledger: Ledger, list_fingerprint: str) -> None:
    about = [entry for entry in ledger.entries(list_fingerprint) if entry.facts.get("list") == list_fingerprint]
    if not any(entry.action == MADE for entry in about):
        raise NotPermitted(
            "list-not-recorded",
            found="a list that the ledger does not have as it is",
            expected="a list as it was made",
            repair="Ask for the list again; nothing in it may be changed, its date least of all.",
        )
    for entry in about:
        if entry.action == CORRECTED:
            raise NotPermitted(
                WITHDRAWN,
                found=f"a list that was withdrawn on {entry.at[:10]}, because a record was wrong",
                expected="the corrected list",
                repair="Use the corrected list, and tell everybody who has the first one.",
            )
