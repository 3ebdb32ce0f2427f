"""How a feature lay in the people who taught: edges between bands of many, and never the value of one person.

Kept are, for each feature, edges between bands of at least `LEAST` people and the share of rows in each band: never the
least or the greatest value, and no band of few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.models.fitted import floats
from riskmodel.models.metrics import Numbers

LEAST: Final = 20
"""People in every band that is kept."""
BANDS: Final = 10
OUTER: Final = 8
"""People whose values lie at or beyond each outer edge: the smallest count that the rules of disclosure show."""
REACH: Final = 1.0
"""How far beyond the outer edges a value may lie, as a share of the distance between them."""


@dataclass(frozen=True, slots=True)
class Bands:
    """One feature as the people who taught had it.

    Attributes
    ----------
    edges : tuple of float, ascending upper ends of all bands but the last; a value on an edge lies below it
    shares : tuple of float, of the rows with a value, the share in each band
    missing : float or None, share of rows without a value; None when so few people had none that it is not said
    low, high : float or None, the outer edges: beyond each lie the values of `OUTER` people; None for a
        feature that hardly varied, of which no range can be told
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float | None
    low: float | None
    high: float | None

    def out_of_range(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which values lie further beyond the outer edges than these are apart: (n,) bool.

        A missing value is out of range where nobody, or nearly nobody, who taught lacked one.
        """
        values = coarse(values)
        gone = np.isnan(values)
        made = gone & (self.missing is None)
        if self.low is not None and self.high is not None:
            reach = REACH * (self.high - self.low)
            with np.errstate(invalid="ignore"):
                made |= (values < self.low - reach) | (values > self.high + reach)
        return made

    def shares_of(self, values: npt.NDArray[Any]) -> Numbers:
        """The share of the values in each band, and of those missing as the last."""
        known = coarse(values[~np.isnan(values)])
        counts = np.bincount(np.searchsorted(self.edges, known, side="left"), minlength=len(self.shares))
        return np.append(counts, len(values) - len(known)) / len(values)

    def taught(self) -> Numbers:
        """The same of the people who taught."""
        missing = self.missing or 0.0
        return np.append(np.array(self.shares) * (1 - missing), missing)


def bands_of(values: npt.NDArray[Any], people: npt.NDArray[np.int64]) -> Bands:
    """The bands of one feature.

    Parameters
    ----------
    values : (n_rows,) float, NaN where missing
    people : (n_rows,) int64, whose row each is

    Examples
    --------
    >>> age = np.repeat([10.0, 11.0, 12.0, 81.0], [40, 40, 40, 1])      # one person of 81
    >>> made = bands_of(age, np.arange(121))
    >>> made.edges, made.low, made.high                                 # the 81 is nowhere
    ((10.0, 11.0), 10.0, 12.0)
    >>> made.out_of_range(np.array([8.0, 14.0, 14.5, 81.0])).tolist()   # as far again as 10 is from 12
    [False, False, True, True]
    """
    values = coarse(values)
    gone = np.isnan(values)
    missing = float(gone.mean()) if _distinct(people[gone]) >= LEAST else None
    known, owner = values[~gone], people[~gone]
    order = np.argsort(known, kind="stable")
    known, owner = known[order], owner[order]
    edges: list[float] = []
    begun, wanted, width = 0, len(known) / BANDS, len(known) / BANDS
    starts = np.flatnonzero(np.diff(known)) + 1  # the first row of each further value
    while (at := int(np.searchsorted(starts, wanted))) < len(starts):
        end = int(starts[at])
        if min(_distinct(owner[begun:end]), _distinct(owner[end:])) >= LEAST:
            edges.append(float(known[end - 1]))
            begun = end
        wanted = end + width
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    low, high = _outer(known, owner), _outer(-known[::-1], owner[::-1])
    if low is None or high is None or not low < -high:
        low = high = None
    shares = floats(counts / max(len(known), 1))
    return Bands(tuple(edges), tuple(shares), missing, low, None if high is None else -high)


def coarse(values: npt.NDArray[Any]) -> Numbers:
    """The values to three figures, so that no edge is the exact value of anybody.

    Examples
    --------
    >>> coarse(np.array([0.0, 17.0, 1234.0, -0.98765, np.nan])).tolist()
    [0.0, 17.0, 1230.0, -0.988, nan]
    """
    values = np.asarray(values, np.float64)
    size = np.abs(values)
    above = np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(np.int64)
    made = values.copy()
    for decade in np.unique(above[~np.isnan(values)]):
        own = above == decade
        made[own] = np.round(values[own], int(2 - decade))
    return made


def _outer(known: Numbers, owner: npt.NDArray[np.int64]) -> float | None:
    """From the lower end, the value at which `OUTER` different people have been met."""
    _, first = np.unique(owner, return_index=True)
    return float(known[np.sort(first)[OUTER - 1]]) if len(first) >= OUTER else None


def _distinct(people: npt.NDArray[np.int64]) -> int:
    return len(np.unique(people))
