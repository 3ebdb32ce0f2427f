"""What every score of one list rests on: the date, the model, the card, the purpose and the board's approval."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from riskmodel.governance.approvals import Approval
from riskmodel.governance.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Basis:
    """What every score of one list rests on.

    Attributes
    ----------
    as_of : date
    valid_until : date, the first day on which the scores may no longer be looked at
    model, card, histories : str, fingerprints
    purpose : Purpose
    approval : Approval
    outcome : str, what the probability is of, in words
    footing : str or None, fingerprint of what the advice was checked against (see `footing`); None: it was not
    never : tuple of columns that the study never shows as a reason
    relatives : bool, whether the reader may see what rests on records of other people
    card_at : str, where the card lies, for the reader to follow
    made_up : bool, whether nobody on the list exists; such a list shows what one looks like, and its day is not today's
    """

    as_of: dt.date
    valid_until: dt.date
    model: str
    card: str
    histories: str
    purpose: Purpose
    approval: Approval
    outcome: str
    footing: str | None = None
    never: tuple[str, ...] = ()
    relatives: bool = False
    card_at: str = ""
    made_up: bool = False

    def document(self) -> dict[str, Any]:
        """The basis as JSON-able values."""
        asked = {
            "footing": self.footing,
            "never": list(self.never),
            "relatives": self.relatives,
            "made_up": self.made_up,
        }
        return {
            **{name: value for name, value in asked.items() if value},
            "as_of": self.as_of.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "model": self.model,
            "card": self.card,
            "histories": self.histories,
            "purpose": self.purpose.name,
            "approval": self.approval.fingerprint,
            "outcome": self.outcome,
        }
