"""Whether a list still stands: one that was corrected is neither exported nor opened again."""

from __future__ import annotations

from riskmodel.errors import NotPermitted
from riskmodel.governance.ledger import Ledger

CORRECTED = "corrected"
"""The action of the entry that withdraws a list."""


def must_stand(ledger: Ledger, list_fingerprint: str) -> None:
    """Refuse a list that the ledger says was replaced by a corrected one.

    Raises
    ------
    NotPermitted : it was withdrawn
    """
    for entry in ledger.entries():
        if entry.action == CORRECTED and entry.facts.get("list") == list_fingerprint:
            raise NotPermitted(
                "list-withdrawn",
                found=f"a list that was withdrawn on {entry.at[:10]}, because a record was wrong",
                expected="the corrected list",
                repair="Use the corrected list, and tell everybody who has the first one.",
            )
