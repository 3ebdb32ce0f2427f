"""How an audit is made: what a figure must rest on, whom groups are compared with, how sure an interval is.

The rules are the study's and are kept with the audit. Nothing here looks at data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from riskmodel.fairness.estimability import Minimums

Row = dict[str, Any]
"""One row of a table of the audit."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How an audit is made.

    Parameters
    ----------
    minimums : Minimums, what a figure must rest on
    reference : mapping of attribute (or "sex, ethnicity") to the group that others are compared with; where none is
        given, the known group with the most people
    confidence : float, 0.95 for 95 % intervals
    replicates : int, bootstrap replicates
    """

    minimums: Minimums = field(default_factory=Minimums)
    reference: Mapping[str, str] = field(default_factory=dict, hash=False)
    confidence: float = 0.95
    replicates: int = 1000

    def document(self) -> dict[str, Any]:
        """The rules as JSON."""
        return {
            "minimums": self.minimums.document(),
            "reference": dict(sorted(self.reference.items())),
            "confidence": self.confidence,
            "replicates": self.replicates,
        }
