"""A review: what a person judged before seeing the score, that they looked, and what they concluded and why.

Nothing is pre-filled, every choice needs a reason code and words of the reviewer's own, and nobody has to follow the
score. How reviews are written down and opened stands in `reviews`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.declarations import code_faults, read_declaration, unknown_key_faults


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """What a reviewer may choose from; the partnership writes it, none is proposed here.

    Parameters
    ----------
    choices : tuple of codes, such as ("offer-support", "no-offer", "ask-for-more")
    reasons : tuple of reason codes, such as ("known-to-worker", "support-in-place", "record-is-wrong")
    judgement_first : bool, whether a score is opened only for a review that holds a judgement; a study that turns
        this off cannot tell whether people change their minds or only follow
    """

    choices: tuple[str, ...]
    reasons: tuple[str, ...]
    judgement_first: bool = True

    def __post_init__(self) -> None:
        faults = code_faults("review", {"choices": (self.choices, 2), "reasons": (self.reasons, 1)})
        if faults:
            raise DeclarationError("review-form-invalid", faults=faults)

    @classmethod
    def load(cls, path: str | Path) -> ReviewForm:
        """A form from a TOML file: ``choices`` and ``reasons``, at the top or, as in a study, under ``[review]``."""
        held = read_declaration(path, "review-form")
        given = held.get("review", held)
        faults = unknown_key_faults("review", given, ("choices", "reasons", "judgement_first"))
        first = given.get("judgement_first", True)
        if not isinstance(first, bool):
            faults = [*faults, Fault("review.judgement_first", repr(first), "true or false", "Correct it.")]
        if faults:
            raise DeclarationError("review-form-invalid", faults=faults)
        return cls(tuple(given.get("choices", ())), tuple(given.get("reasons", ())), first)


@dataclass(frozen=True, slots=True, repr=False)
class Judgement:
    """What somebody chose, the code of the reason, and the reason in their own words."""

    choice: str
    reason: str
    words: str

    def __repr__(self) -> str:
        return f"Judgement({self.choice!r}, {self.reason!r}, {len(self.words.split())} words)"


@dataclass(frozen=True, slots=True, repr=False)
class Review:
    """One person's case as one reviewer saw it.

    Attributes
    ----------
    list_fingerprint : str, of the list of scores
    pseudonym : str
    role : str, the reviewer's role
    before : Judgement or None, formed without the score; None where the study does not ask for one
    begun_at : str, UTC
    looked_at : str or None, when the score was opened
    after : Judgement or None, the conclusion
    concluded_at : str or None
    """

    list_fingerprint: str
    pseudonym: str
    role: str
    before: Judgement | None
    begun_at: str
    looked_at: str | None = None
    after: Judgement | None = None
    concluded_at: str | None = None

    @property
    def changed(self) -> bool | None:
        """Whether the choice changed after the score was seen; None without a judgement before or a conclusion."""
        if self.after is None or self.before is None:
            return None
        return self.after.choice != self.before.choice

    def document(self) -> dict[str, Any]:
        """The review as JSON-able values, texts and pseudonym included: for its own file only."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Review:
        """The review that `document` describes."""
        judged = {name: None if (held := document[name]) is None else Judgement(**held) for name in ("before", "after")}
        return cls(**{**document, **judged})

    def __repr__(self) -> str:
        stage = "concluded" if self.after else "score seen" if self.looked_at else "judged, score not seen"
        return f"Review({stage}, by {self.role!r})"
