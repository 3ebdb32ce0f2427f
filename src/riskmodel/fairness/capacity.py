"""Who would be on a list of given length: the highest scores, ties sharing the last places in expectation.

Being on the list is a share between 0 and 1: a row tied at the edge of the list is on it with the chance that a
fair draw would give. No order of rows and no random number decides who is counted. This measures a model;
it makes no list of people.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError
from riskmodel.models.metrics import Numbers


def places(capacity: float, rows: int) -> float:
    """Places on a list among `rows`: a share of them below 1 (in whole places, at least one), or a number from 1 on.

    Examples
    --------
    >>> places(0.05, 310), places(40, 300), places(40, 30)
    (16.0, 40.0, 30.0)
    """
    return float(min(max(1, round(capacity * rows)) if capacity < 1 else capacity, rows))


def listed(scores: Numbers, capacity: float, lists: npt.NDArray[Any] | None = None) -> Numbers:
    """The chance of each row to be on the list of the highest scores.

    Parameters
    ----------
    scores : (n,) float64, higher is sooner on the list
    capacity : float, above 0; below 1 a share of the rows, from 1 on a number of places, on each list
    lists : (n,) or None, which list a row competes for (a fold or an as-of date); None is one list

    Returns
    -------
    (n,) float64 in [0, 1]; on each list they sum to its places

    Examples
    --------
    >>> listed(np.array([.9, .5, .5, .1]), 2).tolist()     # one sure, two share the second place
    [1.0, 0.5, 0.5, 0.0]
    """
    if not capacity > 0:
        raise DeclarationError.of(
            "capacity-invalid",
            where="audit.capacity",
            found=repr(capacity),
            expected="a share between 0 and 1, or a number of places",
            repair="Write how long the list can be, such as 0.05 or 200.",
        )
    share = np.zeros(len(scores))
    list_of = np.zeros(len(scores), np.int64) if lists is None else np.unique(lists, return_inverse=True)[1]
    for number in range(int(list_of.max(initial=-1)) + 1):
        rows = np.flatnonzero(list_of == number)
        share[rows] = _on_one_list(scores[rows], places(capacity, len(rows)))
    return share


def _on_one_list(scores: Numbers, available: float) -> Numbers:
    values, group = np.unique(-scores, return_inverse=True)
    tied = np.bincount(group, minlength=len(values)).astype(np.float64)
    before = np.cumsum(tied) - tied
    return np.asarray(np.clip((available - before) / tied, 0.0, 1.0)[group])
