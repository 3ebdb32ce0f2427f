"""The success bar: what the model has to reach, written before the fit, and whether it did.

A bar is a sentence that a machine can check, of conditions joined by "and": ``auroc >= 0.70``,
``auroc beats best_count``, ``auroc beats best_count by 0.02``, ``auroc at least 0.02 above best_count``. The
verdict looks at the whole interval: met, not met, or cannot tell when the interval lies on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.models.metrics import SMALLER_IS_BETTER

Verdict: TypeAlias = Literal["met", "not met", "cannot tell", "for people to judge"]
Measured: TypeAlias = tuple[float, float, float]
"""Value, low and high."""

_NUMBER = r"(?P<by>\d*\.?\d+)"
_FORMS = (
    re.compile(r"^(?P<metric>[\w@.%-]+)\s*(?P<sign>>=|<=)\s*(?P<level>-?\d*\.?\d+)$"),
    re.compile(rf"^(?P<metric>[\w@.%-]+)\s+beats\s+(?P<rival>[\w-]+)(?:\s+by\s+{_NUMBER})?$"),
    re.compile(rf"^(?P<metric>[\w@.%-]+)\s+at least\s+{_NUMBER}\s+(?:above|below|better than)\s+(?P<rival>[\w-]+)$"),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a bar: a level, or a lead over a comparator. Without a metric it is left to people."""

    text: str
    metric: str = ""
    rival: str = ""
    sign: str = ""
    level: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one condition: the numbers looked at and the verdict."""

    condition: str
    verdict: Verdict
    value: float | None
    low: float | None
    high: float | None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SuccessBar:
    """The conditions a model has to meet.

    Examples
    --------
    >>> [(c.metric, c.rival, c.level) for c in SuccessBar.parse("auroc beats best_count by 0.02").conditions]
    [('auroc', 'best_count', 0.02)]
    """

    text: str
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, text: str) -> SuccessBar:
        """Read a bar; a condition that no machine can check is kept as it stands."""
        parts = [part.strip() for part in re.split(r"\s+and\s+", text.strip()) if part.strip()]
        return cls(text.strip(), tuple(_condition(part) for part in parts))

    def must_be_about(self, metrics: Sequence[str], comparators: Sequence[str]) -> None:
        """Refuse a metric or a comparator that the evaluation will not have."""
        for condition in self.conditions:
            for word, known in ((condition.metric, metrics), (condition.rival, comparators)):
                if word and word not in known:
                    raise DeclarationError.of(
                        "success-bar-unknown",
                        where="success_bar",
                        found=repr(word),
                        expected=f"one of {', '.join(known) or 'no comparator'}",
                        repair="Correct the word, or add the comparator or capacity.",
                    )

    def judged(
        self, metric_of: Callable[[str], Measured], lead_of: Callable[[str, str], Measured]
    ) -> tuple[Finding, ...]:
        """Whether each condition was met.

        Parameters
        ----------
        metric_of : metric -> (value, low, high) of the model
        lead_of : comparator, metric -> (value, low, high) of model minus comparator
        """
        return tuple(_finding(condition, metric_of, lead_of) for condition in self.conditions)


def _condition(text: str) -> Condition:
    for form in _FORMS:
        match = form.match(text)
        if match:
            found = match.groupdict()
            level = float(found.get("level") or found.get("by") or 0)
            return Condition(text, found["metric"], found.get("rival") or "", found.get("sign") or "", level)
    return Condition(text)


def _finding(
    condition: Condition, metric_of: Callable[[str], Measured], lead_of: Callable[[str, str], Measured]
) -> Finding:
    if not condition.metric:
        return Finding(condition.text, "for people to judge", None, None, None)
    smaller = condition.metric.split("@")[0] in SMALLER_IS_BETTER
    if condition.rival:
        measured = lead_of(condition.rival, condition.metric)
        upwards, level = not smaller, -condition.level if smaller else condition.level
    else:
        measured = metric_of(condition.metric)
        upwards, level = condition.sign == ">=", condition.level
    value, low, high = measured
    if not np.isfinite([value, low, high]).all():
        return Finding(condition.text, "cannot tell", None, None, None)
    # To "beat" by nothing, the whole interval has to be beyond 0; a level or a lead that is reached exactly counts.
    strict = bool(condition.rival) and condition.level == 0
    worst, best, bar = (low, high, level) if upwards else (-high, -low, -level)
    good, bad = worst > bar or (worst == bar and not strict), best < bar
    verdict: Verdict = "met" if good else "not met" if bad else "cannot tell"
    return Finding(condition.text, verdict, value, low, high)
