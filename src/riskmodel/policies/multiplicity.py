"""Several questions at once: p-values that hold the chance of any false alarm in the family (Holm 1979)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value adjusted for the family, in the given order; an unknown one stays unknown but counts as a question.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    values = np.asarray(p_values, np.float64)
    adjusted, largest = np.full(len(values), np.nan), 0.0
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    for rank, place in enumerate(order.tolist()):
        if np.isnan(values[place]):
            continue
        largest = max(largest, min(1.0, (len(values) - rank) * float(values[place])))
        adjusted[place] = largest
    return [float(value) for value in adjusted]
