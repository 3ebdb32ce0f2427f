"""Who would be on a list of given length: the highest scores, ties sharing the last places in expectation.

Being on the list is a share between 0 and 1: a row tied at the edge of the list is on it with the chance that a
fair draw would give. No order of rows and no random number decides who is counted. This measures a model;
it makes no list of people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError
from riskmodel.models.judging import share_of_a_place
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
    return _by_list(scores, capacity, lists, share_of_a_place)


def attention(scores: Numbers, capacity: float, lists: npt.NDArray[Any] | None = None) -> Numbers:
    """What attention a list read from the top gives each row: 1 / log2(1 + place), 0 below the list's end.

    The discount is the usual one of ranking exposure (Singh and Joachims 2018); ties share their places' attention.

    Examples
    --------
    >>> attention(np.array([.9, .5, .5, .1]), 3).round(3).tolist()      # (1 / log2(3) + 1 / log2(4)) / 2
    [1.0, 0.565, 0.565, 0.0]
    """
    return _by_list(scores, capacity, lists, _attention_on_one_list)


def _by_list(
    scores: Numbers, capacity: float, lists: npt.NDArray[Any] | None, on_one: Callable[[Numbers, float], Numbers]
) -> Numbers:
    if lists is None:
        return on_one(scores, places(capacity, len(scores)))
    made = np.zeros(len(scores))
    list_of = np.unique(lists, return_inverse=True)[1]
    for number in range(int(list_of.max(initial=-1)) + 1):
        rows = np.flatnonzero(list_of == number)
        made[rows] = on_one(scores[rows], places(capacity, len(rows)))
    return made


def _attention_on_one_list(scores: Numbers, available: float) -> Numbers:
    on_list = np.flatnonzero(share_of_a_place(scores, available) > 0)
    _, tie, tied = np.unique(-scores[on_list], return_inverse=True, return_counts=True)
    place = np.arange(1, len(on_list) + 1)
    worth = np.clip(available - place + 1, 0.0, 1.0) / np.log2(1 + place)
    made = np.zeros(len(scores))
    made[on_list] = (np.add.reduceat(worth, np.cumsum(tied) - tied) / tied)[tie]
    return made
