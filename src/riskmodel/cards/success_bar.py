"""The success bar: what the model had to reach, fixed before the run, and whether it did.

A bar is a sentence that a machine can check: ``auroc beats best_count`` or ``auroc >= 0.70``, joined by ``and``.
"Beats" asks for a difference whose whole interval is on the better side where the run has one, and for the better
value otherwise (which is said). A bar that cannot be read is printed as it stands and left to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from riskmodel.cards.evidence import Claim

Verdict = Literal["met", "not met", "not shown", "for people to judge"]

_TERM = re.compile(r"^(?P<metric>[\w@.%-]+)\s+(?:beats\s+(?P<rival>[\w-]+)|(?P<sign>>=|<=)\s*(?P<level>[\d.]+))$")
SMALLER_IS_BETTER = ("brier", "log_loss", "missed_per_100")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of the bar."""

    text: str
    metric: str = ""
    rival: str = ""
    sign: str = ""
    level: float | None = None

    @property
    def readable(self) -> bool:
        """Whether a machine can check it."""
        return bool(self.metric)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one condition."""

    term: Term
    verdict: Verdict
    said: str


def terms(bar: str | None) -> tuple[Term, ...]:
    """The conditions of a bar.

    Examples
    --------
    >>> [(term.metric, term.rival, term.level) for term in terms("auroc beats best_count and auroc >= 0.7")]
    [('auroc', 'best_count', None), ('auroc', '', 0.7)]
    >>> terms("the board is content")[0].readable
    False
    """
    if not bar or not bar.strip():
        return ()
    found = [_TERM.match(part.strip()) for part in re.split(r"\s+and\s+", bar.strip())]
    if not all(found):
        return (Term(bar.strip()),)
    return tuple(
        Term(match[0], match["metric"], match["rival"] or "", match["sign"] or "",
             float(match["level"]) if match["level"] else None)
        for match in found if match
    )  # fmt: skip


def judged(
    term: Term,
    metric_of: Callable[[str, str], Claim | None],
    difference_of: Callable[[str, str], Claim | None],
) -> Finding:
    """Whether a condition was met.

    Parameters
    ----------
    term : Term
    metric_of : (who, metric) -> Claim; who is "model" or a comparator's name
    difference_of : (comparator, metric) -> Claim of model minus comparator, or None where the run made none
    """
    if not term.readable:
        return Finding(term, "for people to judge", "This cannot be checked by machine.")
    own = metric_of("model", term.metric)
    if own is None or not own.usable or own.value is None:
        return Finding(term, "not shown", f"The run has no usable {term.metric}.")
    if term.level is not None:
        return _against_level(term, own, own.value, term.level)
    rival = metric_of(term.rival, term.metric)
    if rival is None or not rival.usable or rival.value is None:
        return Finding(term, "not shown", f"The run has no usable {term.metric} of {term.rival}.")
    return _against_rival(term, own, rival, difference_of(term.rival, term.metric))


def _against_level(term: Term, own: Claim, value: float, level: float) -> Finding:
    met = value >= level if term.sign == ">=" else value <= level
    return Finding(term, "met" if met else "not met", f"{term.metric} is {own.words()}.")


def _against_rival(term: Term, own: Claim, rival: Claim, difference: Claim | None) -> Finding:
    smaller = term.metric.split("@")[0] in SMALLER_IS_BETTER
    said = f"{own.words()} against {rival.words()}"
    if difference is not None and difference.low is not None and difference.high is not None:
        better = difference.high < 0 if smaller else difference.low > 0
        worse = difference.low > 0 if smaller else difference.high < 0
        verdict: Verdict = "met" if better else "not met" if worse else "not shown"
        return Finding(term, verdict, f"{said}; difference {difference.words()}.")
    gain = (own.value or 0.0) - (rival.value or 0.0)  # both are there: the caller looked
    better = gain < 0 if smaller else gain > 0
    return Finding(term, "met" if better else "not met", f"{said}; the run made no interval of the difference.")
