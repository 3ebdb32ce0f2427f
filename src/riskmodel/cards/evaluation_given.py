"""What the sections of an evaluation card are made from, and how one of its figures becomes a claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskmodel.cards.evidence import Claim, Evidence

Row = Mapping[str, Any]


def chance_words(p_value: float | None) -> str:
    """A p-value as a reader sees it.

    Examples
    --------
    >>> chance_words(0.00004), chance_words(0.0312), chance_words(None)
    ('below 0.001', '0.031', 'not known')
    """
    if p_value is None:
        return "not known"
    return "below 0.001" if p_value < 0.0005 else f"{p_value:.3f}"


@dataclass(frozen=True, slots=True)
class EvaluationGiven:
    """The evaluation, what people wrote, and the claims gathered while the card is drafted."""

    evaluation: Row
    text: Row
    evidence: Evidence

    @property
    def outcomes(self) -> list[Row]:
        """The outcomes, the primary one first."""
        rows: list[Row] = list(self.evaluation["outcomes"])
        return sorted(rows, key=lambda row: not row["primary"])

    @property
    def primary(self) -> Row:
        """The primary outcome."""
        return self.outcomes[0]

    @property
    def period(self) -> str:
        """What a period is called."""
        return str(self.evaluation["period"])

    def interval(self, key: str, row: Row, artefact: str = "evaluation", n: int | None = None) -> dict[str, Any]:
        """A figure with its interval as a claim, and as a cell of a table."""
        state = row.get("state", "ok")
        value = row["estimate"] if state != "not_estimable" else None
        low, high = (row["low"], row["high"]) if value is not None else (None, None)
        claim = Claim(key, value, artefact, low, high, n if n is not None else row.get("n"), state)
        self.evidence.claim(claim)
        return {"value": value, "low": low, "high": high, "state": state}

    def number(self, key: str, value: float | None, artefact: str = "evaluation", unit: Any = "number") -> float | None:
        """A single figure as a claim."""
        state: Any = "ok" if value is not None else "not_estimable"
        self.evidence.claim(Claim(key, value, artefact, state=state, unit=unit))
        return value
