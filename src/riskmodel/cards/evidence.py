"""Every figure on a card is a claim: a value with its interval, n and state, and the artefact that it came from.

A claim that points at no artefact cannot be made, and a figure without a claim is not printed. A claim whose state
is "not_estimable" or "suppressed" keeps its n and says so in words; it is never shown as a zero. This module words
single figures; it writes no sentence about what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from riskmodel.errors import EvidenceError

State = Literal["ok", "imprecise", "not_estimable", "suppressed"]
Unit = Literal["share", "number", "count"]

SAID: Mapping[str, str] = {
    "not_estimable": "not estimable",
    "suppressed": "suppressed",
    "unknown": "not known",
}
"""How a state reads where there is no figure to print."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """One finished piece of the run that figures come from.

    Attributes
    ----------
    name : str, such as "model" or "audit"
    fingerprint : str, its SHA-256
    holds : str, what it is, in words
    """

    name: str
    fingerprint: str
    holds: str

    def document(self) -> dict[str, str]:
        """The artefact as JSON."""
        return {"name": self.name, "fingerprint": self.fingerprint, "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure and where it came from.

    Attributes
    ----------
    key : str, unique on the card, such as "performance.model.auc"
    value, low, high : float or None, in the unit; None where not estimable or suppressed
    n : int or None, how many the figure rests on
    state : "ok", "imprecise", "not_estimable" or "suppressed"
    unit : "share" (0 to 1), "number" or "count"
    artefact : str, the name of the artefact that holds it
    found_at : mapping, the row of the artefact's table that holds it; empty for a figure worked out from several
    """

    key: str
    value: float | None
    artefact: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    state: State = "ok"
    unit: Unit = "number"
    found_at: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether there is a figure to print."""
        return self.value is not None and self.state in ("ok", "imprecise")

    def document(self) -> dict[str, Any]:
        """The claim as JSON."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "state": self.state,
            "unit": self.unit,
            "artefact": self.artefact,
            "found_at": dict(self.found_at),
        }

    @classmethod
    def from_document(cls, key: str, given: Mapping[str, Any]) -> Claim:
        """A claim from its JSON."""
        return cls(key=key, **given)

    def words(self) -> str:
        """The figure as a reader sees it.

        Examples
        --------
        >>> Claim("auc", 0.7132, "model", 0.69, 0.74).words()
        '0.713 (0.690 to 0.740)'
        >>> Claim("ppv", None, "audit", state="not_estimable").words()
        'not estimable'
        >>> Claim("ppv", 0.25, "audit", 0.1, 0.5, state="imprecise", unit="share").words()
        '25.0% (10.0% to 50.0%), imprecise'
        """
        return interval_words(self.value, self.low, self.high, self.state, self.unit)


class Evidence:
    """The claims and artefacts of one card, gathered while it is drafted."""

    def __init__(self) -> None:
        self._artefacts: dict[str, Artefact] = {}
        self._claims: dict[str, Claim] = {}

    def artefact(self, name: str, fingerprint: str, holds: str) -> None:
        """Register an artefact; refuses one without a fingerprint."""
        if not fingerprint:
            raise EvidenceError(
                "artefact-unmarked",
                found=f"the artefact {name!r} without a fingerprint",
                expected="the SHA-256 of what is in it",
                repair="Make the artefact with the package's own verbs, which fingerprint what they make.",
            )
        self._artefacts[name] = Artefact(name, fingerprint, holds)

    def claim(self, claim: Claim) -> Claim:
        """Register a figure; refuses one whose artefact was not given, or a second figure under the same key."""
        if claim.artefact not in self._artefacts:
            raise EvidenceError(
                "claim-without-evidence",
                found=f"the figure {claim.key!r}, said to come from {claim.artefact!r}",
                expected=f"one of the artefacts {', '.join(sorted(self._artefacts)) or '(none was given)'}",
                repair="Give the artefact to the card, or leave the figure out.",
            )
        if self._claims.setdefault(claim.key, claim) != claim:
            raise EvidenceError(
                "claim-contradicted",
                found=f"two different figures for {claim.key!r}",
                expected="one figure",
                repair="Give the second figure its own key.",
            )
        return claim

    def get(self, key: str) -> Claim | None:
        """The claim under that key, or None."""
        return self._claims.get(key)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims[key] for key in sorted(self._claims))

    def document(self) -> dict[str, Any]:
        """Artefacts and claims as JSON, sorted by name."""
        return {
            "artefacts": [self._artefacts[name].document() for name in sorted(self._artefacts)],
            "claims": {claim.key: claim.document() for claim in self},
        }


def record_of(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """All that is known of one figure of a card: the figure, the artefact that holds it, and how that was made.

    Parameters
    ----------
    document : of a card
    key : str, the figure's key under ``evidence.claims``

    Returns
    -------
    dict : value, low, high, n, state, unit, found_at; artefact and its sha256; commit, code, data and made_at, each
        "not known" on a card without a record of its making

    Raises
    ------
    EvidenceError : the card has no such figure, or names an artefact that it does not hold
    """
    claims, made = document["evidence"]["claims"], document.get("made") or {}
    marks = {each["name"]: each["fingerprint"] for each in document["evidence"]["artefacts"]}
    if key not in claims or claims[key]["artefact"] not in marks:
        raise EvidenceError(
            "figure-missing",
            found=f"no figure {key!r} with its artefact on this card",
            expected=f"one of its {len(claims)} figures",
            repair="Take a key from evidence.claims of card.json.",
        )
    how = {name: made.get(name, SAID["unknown"]) for name in ("commit", "code", "data")}
    return {**claims[key], "sha256": marks[claims[key]["artefact"]], **how, "made_at": made.get("at", SAID["unknown"])}


def count_words(value: float | None) -> str:
    """A whole number with thousands separated.

    Examples
    --------
    >>> count_words(20000), count_words(None)
    ('20,000', 'not known')
    """
    return SAID["unknown"] if _absent(value) else f"{value:,.0f}"


def share_words(value: float | None, digits: int = 1) -> str:
    """A share between 0 and 1 as a percentage.

    Examples
    --------
    >>> share_words(0.1234), share_words(-0.005), share_words(None)
    ('12.3%', '\u22120.5%', 'not known')
    """
    return SAID["unknown"] if value is None or math.isnan(value) else f"{number_words(100 * value, digits)}%"


def hundred_words(value: float | None) -> str:
    """A share as so many in a hundred, to the whole number from ten on.

    Examples
    --------
    >>> hundred_words(0.264), hundred_words(0.0731), hundred_words(1.021), hundred_words(None)
    ('26', '7.3', '102', 'not known')
    """
    if value is None or math.isnan(value):
        return SAID["unknown"]
    return f"{100 * value:.0f}" if abs(100 * value) >= 9.95 else f"{100 * value:.1f}"


def number_words(value: float | None, digits: int = 3) -> str:
    """A number with fixed decimals.

    Examples
    --------
    >>> number_words(0.5), number_words(-0.0001), number_words(float("nan"))
    ('0.500', '0.000', 'not known')
    """
    if value is None or math.isnan(value):
        return SAID["unknown"]
    # A rounded nought has no sign, and a negative number has a true minus, not a hyphen.
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not float(text.replace(",", "")) else text.replace("-", "\u2212")


def interval_words(
    value: float | None, low: float | None, high: float | None, state: str = "ok", unit: str = "number"
) -> str:
    """A value with its interval, or the state in words where there is no value."""
    if state in SAID:
        return SAID[state]
    if _absent(value):
        return SAID["unknown"]
    word = {"share": share_words, "count": count_words, "hundred": hundred_words}.get(unit, number_words)
    within = f" ({word(low)} to {word(high)})" if not _absent(low) and not _absent(high) else ""
    return word(value) + within + (", imprecise" if state == "imprecise" else "")


def per_hundred(value: float | None) -> str:
    """A share as a count of people in a hundred, in words that do not pretend to precision.

    Examples
    --------
    >>> [per_hundred(share) for share in (0.137, 0.004, 0.997, 0.0, None)]
    ['about 14', 'fewer than 1', 'more than 99', 'none', 'an unknown number']
    """
    if value is None or math.isnan(value):
        return "an unknown number"
    if value == 0:
        return "none"
    if value == 1:
        return "all"
    if value < 0.005:
        return "fewer than 1"
    if value > 0.995:
        return "more than 99"
    return f"about {round(100 * value)}"


def _absent(value: float | None) -> bool:
    return value is None or math.isnan(value)
