"""Drawing whole people again, from sums: the cost does not grow with rows times replicates.

Rows of one person go together, so people are drawn, never rows (cluster bootstrap; Field and Welsh 2007), with
independent Poisson(1) weights (Chamandy et al. 2012). What a figure needs of a person is a handful of sums, so rows are
added up once and only sums are weighted. Above `BLOCKS` people, people are dealt at random into that many blocks,
which are drawn whole: blocks are as independent as people, so the spread of the replicates has the same expectation.

Sums are held as whole numbers in floating point (values are scaled to a power of two first), so that every product
and sum is exact and the replicates are the same bits with any number of threads. Nothing here knows a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.models.metrics import Numbers
from riskmodel.seeds import stream

BLOCKS: Final = 4096
"""At most so many blocks: with 1,000 replicates their number no longer matters to the precision of an interval."""

_EXACT_BITS: Final = 49
"""Bits for the largest possible sum of a column; weights may raise it 16-fold before a sum leaves the exact range."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How people are drawn.

    Attributes
    ----------
    block : (n,) int64, the block of each row
    n_blocks : int
    weights : (n_replicates, n_blocks) float64, how often each block is drawn
    """

    block: npt.NDArray[np.int64]
    n_blocks: int
    weights: Numbers

    def __repr__(self) -> str:
        return f"Drawing({self.weights.shape[0]} replicates of {self.n_blocks} blocks)"


def drawing(person: npt.NDArray[np.int64], n_people: int, replicates: int, seed: int) -> Drawing:
    """Deal people into blocks and draw the blocks.

    Parameters
    ----------
    person : (n,) int64, 0 .. n_people - 1, whose row it is
    """
    n_blocks = max(1, min(n_people, BLOCKS))
    if n_people > n_blocks:
        of_person = stream(seed, "fairness", "blocks").permutation(n_people) % n_blocks
    else:
        of_person = np.arange(n_people)
    weights = stream(seed, "fairness", "bootstrap").poisson(1.0, (replicates, n_blocks)).astype(np.float64)
    return Drawing(np.asarray(of_person[person], np.int64), n_blocks, weights)


def block_sums(drawn: Drawing, codes: npt.NDArray[np.int32], n_groups: int, columns: list[Numbers]) -> Numbers:
    """Sums of each column (`in_units`) by block and group: (n_columns, n_blocks, n_groups)."""
    key = drawn.block * n_groups + codes
    made = np.empty((len(columns), drawn.n_blocks, n_groups))
    for number, column in enumerate(columns):
        made[number] = np.bincount(key, column, drawn.n_blocks * n_groups).reshape(drawn.n_blocks, n_groups)
    return made


def in_units(column: Numbers) -> Numbers:
    """The column rounded to whole units of a power of two small enough that sums of it are exact in any order.

    Columns between -1 and 1 of one length have one unit, so that their differences are exact too.

    Examples
    --------
    >>> float(abs(in_units(np.array([0.1, 0.2])) - [0.1, 0.2]).max()) < 1e-14
    True
    """
    size = len(column) * max(1.0, float(np.abs(column).max(initial=0.0)))
    unit = float(2.0 ** (np.ceil(np.log2(max(size, 1.0))) - _EXACT_BITS))
    made = column / unit
    np.rint(made, out=made)
    made *= unit
    return made


def replicate_sums(drawn: Drawing, sums: Numbers) -> Numbers:
    """Sums of every replicate: (n_columns, n_blocks, n_groups) in, (n_columns, n_replicates, n_groups) out."""
    return np.asarray(drawn.weights @ sums)


def standard_errors(replicates: Numbers) -> Numbers:
    """Standard deviation of each group's replicates, those that cannot be computed left out: (b, g) in, (g,) out."""
    known = np.isfinite(replicates)
    count = known.sum(axis=0)
    filled = np.where(known, replicates, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    squares = (np.where(known, replicates - mean, 0.0) ** 2).sum(axis=0)
    return np.asarray(np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan))
