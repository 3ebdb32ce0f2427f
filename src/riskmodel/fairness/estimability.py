"""What can be said at all: the smallest numbers on which a figure may rest, and the four states of a figure.

A figure that cannot be estimated has no value: not 0, not 1, not the value of everybody. It takes no part in any
comparison, so that a group of four can neither make a gap nor hide one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from riskmodel.errors import DeclarationError, Fault

State: TypeAlias = Literal["ok", "imprecise", "not_estimable", "suppressed"]

OK: Final = "ok"
IMPRECISE: Final = "imprecise"
NOT_ESTIMABLE: Final = "not_estimable"


@dataclass(frozen=True, slots=True)
class Minimums:
    """How much a figure must rest on.

    Parameters
    ----------
    people : int, different people below the line of a figure (those with the outcome, for the share of them found).
        Default 10: with fewer, one single person moves the figure by more than ten in a hundred, and the interval
        spans more than half of all possible values, so that the figure says more about who happened to be recorded
        than about the group.
    expected : float, events the scores expect, for observed over expected. Default 5, the usual bound under which
        a count is too small for an approximate test (Cochran 1954).
    half_width : float, above which half the interval's width makes a share "imprecise". Default 0.10: ten in a hundred.
    factor : float, the same for a ratio: an interval that reaches further than `factor` times, or one over it.
        Default 2.
    """

    people: int = 10
    expected: float = 5.0
    half_width: float = 0.10
    factor: float = 2.0

    def __post_init__(self) -> None:
        bounds = {"people": 2, "expected": 0, "half_width": 0, "factor": 1}
        faults = [
            Fault(f"minimums.{name}", repr(getattr(self, name)), f"at least {least}", f"Raise {name}.")
            for name, least in bounds.items()
            if not getattr(self, name) >= least
        ]
        if faults:
            raise DeclarationError("minimums-invalid", faults=faults)

    def document(self) -> dict[str, Any]:
        """The minimums as JSON."""
        return asdict(self)

    def allow(self, people: float, below: float, *, ratio: bool) -> bool:
        """Whether a figure on so many people, with `below` under its line, can be estimated."""
        return bool(people >= self.people and below >= (self.expected if ratio else self.people))

    def state(self, value: float, low: float, high: float, *, ratio: bool, scale: float = 1.0) -> State:
        """The state of a figure that can be estimated."""
        if not np.isfinite([value, low, high]).all():
            return IMPRECISE if np.isfinite(value) else NOT_ESTIMABLE
        if ratio:
            wide = low <= 0 or value <= 0 or high / value > self.factor or value / low > self.factor
        else:
            wide = (high - low) / 2 > self.half_width * scale
        return IMPRECISE if wide else OK
