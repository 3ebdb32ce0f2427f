"""A follow-up: what happened after a conclusion, by the steps and codes that a partnership allows.

An offer comes before its answer, and an answer before what changed. How they are written down stands in `support`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from riskmodel.errors import DeclarationError
from riskmodel.governance.declarations import code_faults, read_declaration, unknown_key_faults

Step: TypeAlias = Literal["offered", "not_available", "taken_up", "refused", "changed"]
AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "offered": (),
    "not_available": (),
    "taken_up": ("offered",),
    "refused": ("offered",),
    "changed": ("taken_up", "refused", "not_available"),
}
"""What has to have been written down before each step, one of them at least; nothing before the first ones."""


@dataclass(frozen=True, slots=True)
class SupportForm:
    """What the partnership can offer, and how it says what changed; it writes the codes, none is proposed here.

    Parameters
    ----------
    kinds : tuple of codes, such as ("mentor", "family-worker")
    changes : tuple of codes, such as ("better", "same", "worse", "not-known")
    """

    kinds: tuple[str, ...]
    changes: tuple[str, ...]

    def __post_init__(self) -> None:
        faults = code_faults("support", {"kinds": (self.kinds, 1), "changes": (self.changes, 2)})
        if faults:
            raise DeclarationError("support-form-invalid", faults=faults)

    @classmethod
    def load(cls, path: str | Path) -> SupportForm:
        """A form from a TOML file with ``kinds`` and ``changes``, at the top or under ``[support]``."""
        held = read_declaration(path, "support-form")
        given = held.get("support", held)
        if faults := unknown_key_faults("support", given, ("kinds", "changes")):
            raise DeclarationError("support-form-invalid", faults=faults)
        return cls(tuple(given.get("kinds", ())), tuple(given.get("changes", ())))


@dataclass(frozen=True, slots=True, repr=False)
class FollowUp:
    """One thing that happened after a conclusion.

    Attributes
    ----------
    review : str, SHA-256 of the concluded review
    list_fingerprint, pseudonym : of that review
    step : one of `Step`
    code : the kind of support, or for "changed" what changed
    on : date on which it happened
    role : of whoever writes it down
    words : in their own words
    at : str, UTC, when it was written down
    """

    review: str
    list_fingerprint: str
    pseudonym: str
    step: Step
    code: str
    on: dt.date
    role: str
    words: str
    at: str

    def document(self) -> dict[str, Any]:
        """As JSON-able values, texts and pseudonym included: for its own file only."""
        return {**asdict(self), "on": self.on.isoformat()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FollowUp:
        """The follow-up that `document` describes."""
        return cls(**{**document, "on": dt.date.fromisoformat(document["on"])})

    def __repr__(self) -> str:
        return f"FollowUp({self.step}, {self.code!r}, by {self.role!r})"
