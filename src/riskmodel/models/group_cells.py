"""Everybody, and then each group of each attribute: the rows that a figure by group is worked out from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ALL: Final = "all"
"""The attribute, and the group, of everybody."""


def group_cells(rows: int, groups: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Attribute, group and (n,) mask of its rows; rows without a label are in no group of that attribute.

    Parameters
    ----------
    rows : int, n
    groups : mapping of attribute to (n,) labels, None where unknown

    Examples
    --------
    >>> held = {"sex": np.array(["female", None, "male", "female"], object)}
    >>> [(attribute, group, mask.tolist()) for attribute, group, mask in group_cells(4, held)][:2]
    [('all', 'all', [True, True, True, True]), ('sex', 'female', [True, False, False, True])]
    """
    yield ALL, ALL, np.ones(rows, bool)
    for name, held in groups.items():
        yield from ((name, str(word), held == word) for word in sorted({*held.tolist()} - {None}))
