"""Do reasons hold still? How far the largest contributions agree between models that could as well have been the one.

A reason that another random seed or another sample of the same people would have replaced says little about the
person it is given for. This measures; it hides nothing and chooses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.models.metrics import Numbers

TOP: Final = 3


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the top reasons two models share.

    Attributes
    ----------
    level : of `families.LEVELS`
    all_rows : mean share of the top reasons in common, over all explained rows and pairs of models
    high_rows : the same over the tenth of rows with the highest scores, where reasons are read
    models : how many models were compared
    """

    level: str
    all_rows: float
    high_rows: float
    models: int


def overlap(level: str, models: list[Numbers], margin: Numbers, top: int = TOP) -> Overlap:
    """Agreement of the `top` largest contributions (of either sign) between every pair of models.

    Parameters
    ----------
    models : each (n, k) float64, contributions of the same rows by the same k names
    margin : (n,) float64, the score that says which rows are high
    """
    shares = [top_shared(one, other, top) for at, one in enumerate(models) for other in models[at + 1 :]]
    mean = np.mean(shares, axis=0)
    high = margin >= np.quantile(margin, 0.9)
    return Overlap(level, float(mean.mean()), float(mean[high].mean()), len(models))


def top_shared(one: Numbers, other: Numbers, top: int = TOP) -> Numbers:
    """Of the `top` largest contributions of each row, the share that both have: two (n, k) in, (n,) out.

    Examples
    --------
    >>> one, other = np.array([[3.0, -2, 1, 0]]), np.array([[0.0, -2, 1, 3]])
    >>> top_shared(one, other, 2).tolist()      # {0, 1} and {3, 1} share one of two
    [0.5]
    """
    top = min(top, one.shape[1])
    if not top:
        return np.ones(len(one))
    firsts, seconds = (np.argsort(-np.abs(part), axis=1, kind="stable")[:, :top] for part in (one, other))
    return np.asarray((firsts[:, :, None] == seconds[:, None, :]).any(axis=2).mean(axis=1))
