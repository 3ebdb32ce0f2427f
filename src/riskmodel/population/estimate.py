"""One figure about a population: its value, its interval, what it rests on, and whether it may be relied on.

A figure that cannot be estimated has no value and says why; it is never a nought. Nothing here computes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from riskmodel.errors import DataRefused, DeclarationError

Numbers = npt.NDArray[np.float64]

State = Literal["ok", "imprecise", "not_estimable", "suppressed"]
OK: Final[State] = "ok"
IMPRECISE: Final[State] = "imprecise"
NOT_ESTIMABLE: Final[State] = "not_estimable"
SUPPRESSED: Final[State] = "suppressed"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float or None; None where nothing can be said. An upper bound may be infinite.
    n : int, the events or people that the figure rests on
    state : "ok", "imprecise" (the bounds differ more than fourfold, or cannot be given), "not_estimable", or
        "suppressed" (too few people for the figure to leave)
    method : str, how the interval was made, with the paper
    note : str, what the reader has to know beside it; empty when nothing
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    state: State
    method: str
    note: str = ""

    @classmethod
    def of(cls, value: float, low: float, high: float, n: int, method: str, note: str = "") -> Estimate:
        """A figure above 0 or at it, its state judged by how far its bounds lie apart.

        Examples
        --------
        >>> Estimate.of(2.0, 1.5, 2.6, 40, "exact").state, Estimate.of(2.0, 0.2, 7.0, 2, "exact").state
        ('ok', 'imprecise')
        """
        wide = not np.isfinite(high) or low <= 0 or high > 4 * low
        return cls(float(value), float(low), float(high), int(n), IMPRECISE if wide else OK, method, note)

    @classmethod
    def none(cls, n: int, method: str, why: str) -> Estimate:
        """No figure, and the reason."""
        return cls(None, None, None, int(n), NOT_ESTIMABLE, method, why)

    @classmethod
    def hidden(cls, method: str) -> Estimate:
        """A figure that rests on counts which may not leave; not even how many is said."""
        return cls(None, None, None, 0, SUPPRESSED, method, "too few people for the figure to leave")

    def document(self) -> dict[str, Any]:
        """The figure as JSON-able values; an infinite bound is the word "infinite"."""
        made = asdict(self)
        return {name: "infinite" if part == np.inf else part for name, part in made.items()}


def critical_value(confidence: float) -> float:
    """The normal quantile of a two-sided interval.

    Raises
    ------
    DeclarationError : a confidence that is not between 0 and 1

    Examples
    --------
    >>> round(critical_value(0.95), 4)
    1.96
    """
    if not 0 < confidence < 1:
        raise DeclarationError.of(
            "confidence-invalid",
            where="confidence",
            found=f"{confidence:g}",
            expected="a share between 0 and 1, such as 0.95",
            repair="Write 95 % as 0.95.",
        )
    return float(stats.norm.ppf((1 + confidence) / 2))


def checked(name: str, values: npt.ArrayLike, *, above: float | None = None, whole: bool = False) -> Numbers:
    """Figures as (n,) float64, refused when one is missing, negative, not above `above`, or no whole number."""
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if above is not None:
        wrong |= numbers <= above
    if whole:
        wrong |= numbers != np.floor(numbers)
    if not numbers.size or wrong.any():
        least = f"above {above:g}" if above is not None else "of at least 0"
        raise DataRefused(
            "figure-invalid",
            found=f"{int(wrong.sum())} of {numbers.size} values of {name} that cannot be used",
            expected=f"{'whole numbers' if whole else 'numbers'} {least}, none missing, at least one",
            repair="Correct the figures, or leave the groups without them out and say so.",
        )
    return numbers


def same_length(**columns: Numbers) -> None:
    """Refuse columns of which one is longer than another."""
    if len({len(column) for column in columns.values()}) > 1:
        raise DataRefused(
            "lengths-differ",
            found=", ".join(f"{len(column)} {name}" for name, column in columns.items()),
            expected="as many of each",
            repair="Give one value of each for every group.",
        )
