"""Thresholds as plain numbers: they say where a model parts people, not what any of them has.

Trees put a threshold half-way between the values of two people: whoever knows one of them has the other to the last
digit. Each threshold is replaced by the shortest number between the same two values, so that everybody stays on the
same side. Where there is no neighbour to be known, it is cut to three digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import ceil, floor, isfinite, log10
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

FEWEST_ROWS: Final = 10
"""No number in a model's file rests on fewer rows."""
_SAMPLED: Final = 100_000
"""Rows in which neighbours are looked for; of more, every n-th is taken."""
_CATEGORICAL: Final = 1
_SIZES: Final = re.compile(r"^tree_sizes=(.*)$", re.MULTILINE)


def plain_between(low: float, high: float, *, reaching: bool = False) -> float:
    """The shortest number between two values, and of these the one nearest the middle.

    Parameters
    ----------
    low, high : float, low below high
    reaching : bool, `high` itself may be taken

    Examples
    --------
    >>> plain_between(57, 81), plain_between(2, 3), plain_between(2, 3, reaching=True), plain_between(1.2345, 1.2378)
    (70.0, 2.5, 3.0, 1.236)
    """
    middle = low + (high - low) / 2
    for digits in range(-ceil(log10(high - low)), 330):
        step = 10.0**-digits
        for times in (round(middle / step), floor(high / step)):
            made = round(times * step, max(digits, 0))
            if low < made < high or (reaching and made == high):
                return float(made)
    return middle


def sampled(rows: int) -> slice:
    """Which rows neighbours are looked for in."""
    return slice(None, None, max(1, -(-rows // _SAMPLED)))


def plain_thresholds(text: str, X: npt.NDArray[np.float32]) -> str:
    """A LightGBM model text with plain thresholds.

    Parameters
    ----------
    text : str, as ``Booster.model_to_string()`` writes it
    X : (n_rows, n_features) float32, rows that taught it, NaN where missing

    Returns
    -------
    str : gives each of these rows the same score
    """
    held = _SIZES.search(text)
    if held is None:
        return text
    plain = Neighbours(X)
    begin = text.index("Tree=0\n")
    trees = list(_cut(text[begin:], [int(size) for size in held.group(1).split()]))
    made = [_plain_tree(tree, plain) for tree in trees]
    sizes = " ".join(str(len(tree.encode())) for tree in made)
    head = _SIZES.sub(f"tree_sizes={sizes}", text[:begin])
    return head + "".join(made) + text[begin + sum(map(len, trees)) :]


def _cut(text: str, sizes: Sequence[int]) -> Iterator[str]:
    place = 0
    for size in sizes:
        yield text[place : place + size]
        place += size


class Neighbours:
    """The values of people on both sides of a threshold, by feature.

    Parameters
    ----------
    X : (n_rows, n_features) float32, rows that taught the model, NaN where missing
    """

    def __init__(self, X: npt.NDArray[np.float32]) -> None:
        self._rows = X
        self._values: dict[int, npt.NDArray[np.float64]] = {}

    def plain(self, feature: int, threshold: float, side: Literal["left", "right"] = "right") -> float:
        """What stands for a threshold; `side` "right" where a value equal to it counts as below, "left" as above."""
        if feature not in self._values:
            column = self._rows[:, feature].astype(np.float64)
            self._values[feature] = np.unique(column[~np.isnan(column)])
        known = self._values[feature]
        place = int(np.searchsorted(known, threshold, side=side))
        if 0 < place < len(known) and isfinite(threshold):
            return plain_between(float(known[place - 1]), float(known[place]))
        return float(f"{threshold:.3g}")


def _plain_tree(text: str, neighbours: Neighbours) -> str:
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if not lines.get("threshold"):
        return text
    parts = zip(*(lines[name].split() for name in ("split_feature", "threshold", "decision_type")), strict=True)
    made = [
        threshold if int(kind) & _CATEGORICAL else repr(neighbours.plain(int(feature), float(threshold)))
        for feature, threshold, kind in parts
    ]
    return text.replace(f"\nthreshold={lines['threshold']}\n", f"\nthreshold={' '.join(made)}\n")
