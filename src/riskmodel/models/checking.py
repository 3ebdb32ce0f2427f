"""One question that a study has to answer, its answer, and what the answer rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Answer: TypeAlias = Literal["pass", "review", "fail", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer, and what the answer rests on.

    Attributes
    ----------
    name : str, stable and kebab-case
    question : str
    answer : "pass", "review", "fail" or "not_applicable"
    evidence : str, counts and feature names, never a person
    """

    name: str
    question: str
    answer: Answer
    evidence: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
