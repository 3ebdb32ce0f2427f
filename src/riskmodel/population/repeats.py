"""Harm that comes back: to the same place, and to places in the same neighbourhood, sooner than chance would have it.

Events cluster in places and in seasons; neither is repetition. Knox's test counts pairs that are close in both place
and time and asks how many there would be if the same dates fell on the same places at random. Histories hold no
coordinates, so "near" means another address of the same small area. The finding is about places, not about who did it.

Sources: Knox 1964; Johnson et al. 2007 (repeat and near-repeat bands); Ornstein and Hammond 2017 (the permutation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DeclarationError
from riskmodel.seeds import stream

SAME, NEAR = "the same address", "another address of the same area"
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class Repeats:
    """Pairs of events close in place and time.

    Attributes
    ----------
    table : Arrow, one row a band: ``place`` (`SAME` or `NEAR`), ``days`` ("1 to 7"), ``pairs`` (a count of pairs, to be
        released before anybody sees it), ``expected`` by chance, ``p`` (share of the draws with as many pairs or more)
    events : int
    draws : int
    """

    table: pa.Table
    events: int
    draws: int

    def __repr__(self) -> str:
        return f"Repeats({self.events:,} events, {self.draws} draws)"


def repeats(
    place: npt.ArrayLike,
    area: npt.ArrayLike,
    day: npt.ArrayLike,
    *,
    bands: Sequence[int] = (7, 14, 28, 56),
    draws: int = 199,
    seed: int = 0,
) -> Repeats:
    """Count close pairs and how many chance would give.

    Parameters
    ----------
    place, area : (events,) int64, the address and the small area of each event
    day : (events,) int64, whole days; pairs on the same day are left out, since they are often one incident
    bands : rising ends of the bands, days

    Examples
    --------
    Twenty burglaries at one address, a week apart, among events scattered over a year:

    >>> days = list(range(0, 140, 7)) + list(range(3, 363, 9))
    >>> made = repeats([1] * 20 + list(range(2, 42)), [1] * 60, days, draws=99)
    >>> row = made.table.to_pylist()[0]
    >>> row["place"], row["days"], row["pairs"], row["p"]
    ('the same address', '1 to 7', 19, 0.01)
    """
    where, around, when = (np.asarray(column, dtype=np.int64) for column in (place, area, day))
    if list(bands) != sorted(set(bands)) or not bands or bands[0] < 1 or not len(where) == len(around) == len(when):
        raise DeclarationError.of(
            "bands-invalid",
            where="bands",
            found=", ".join(map(str, bands)) or "none",
            expected="rising numbers of days of at least 1, and one place, area and day an event",
            repair="Write the ends of the bands, such as 7, 14, 28.",
        )
    ends = np.array([0, *bands])
    observed = _bands(where, around, when, ends)
    draw = stream(seed, "repeats", len(where), draws)
    chance = np.array([_bands(where, around, draw.permutation(when), ends) for _ in range(draws)]).reshape(
        draws, 2, len(bands)
    )
    p = (1 + (chance >= observed).sum(axis=0)) / (draws + 1)
    expected = chance.mean(axis=0)
    rows = [
        {
            "place": name,
            "days": f"{ends[at] + 1} to {ends[at + 1]}",
            "pairs": int(observed[side, at]),
            "expected": float(expected[side, at]),
            "p": float(p[side, at]),
        }
        for side, name in enumerate((SAME, NEAR))
        for at in range(len(bands))
    ]
    return Repeats(pa.Table.from_pylist(rows), len(where), draws)


def _bands(where: Whole, around: Whole, when: Whole, ends: Whole) -> npt.NDArray[np.int64]:
    """(2, bands) pairs at the same address, and in the same area at another one."""
    same, near = _pairs(where, when, ends), _pairs(around, when, ends)
    return np.array([same, near - same])


def _pairs(group: Whole, when: Whole, ends: Whole) -> Whole:
    """Pairs of one group whose days differ by more than each end and at most the next."""
    if not len(when):
        return np.zeros(len(ends) - 1, dtype=np.int64)
    first = int(when.min())
    stride = int(when.max()) - first + int(ends[-1]) + 1
    _, code = np.unique(group, return_inverse=True)
    key = np.sort(code * stride + (when - first))  # groups lie further apart than the longest band
    within = np.array([int((np.searchsorted(key, key + end, side="right")).sum()) for end in ends])
    return np.asarray(np.diff(within), dtype=np.int64)
