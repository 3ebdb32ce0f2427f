"""A refusal is an entry of the ledger before anybody hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from riskmodel.errors import DataRefused, EvidenceError, NotPermitted
from riskmodel.governance.entries import Fact
from riskmodel.governance.ledger import Ledger

REFUSED = "refused"
"""The action of such an entry."""


@contextmanager
def refusals_noted(ledger: Ledger, **facts: Fact) -> Iterator[None]:
    """Write a refusal with its code and some facts into the ledger, then let it go on."""
    try:
        yield
    except (NotPermitted, DataRefused, EvidenceError) as refusal:
        ledger.append(REFUSED, code=refusal.code, **facts)
        raise
