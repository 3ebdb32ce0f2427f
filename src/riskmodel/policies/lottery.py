"""Where a lot was drawn: for people, within blocks, or for whole groups of people; and an offer that not all took up.

A lot makes the sides alike on average, whatever nobody measured. It must be looked at as it was drawn: within blocks
where it was drawn within blocks, by group where whole groups were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riskmodel.errors import DataRefused
from riskmodel.policies.cross_section import effect_of_groups, mean_difference
from riskmodel.policies.effects import Effect
from riskmodel.policies.panel import Mask, Numbers


def blocked_difference(
    outcome: Numbers, treated: Mask, block: Sequence[object], *, name: str = "outcome", confidence: float = 0.95
) -> Effect:
    """The difference within blocks, blocks weighed by their size, with Neyman's variance.

    Raises
    ------
    DataRefused : unknown values, or a block with fewer than two people on a side

    Examples
    --------
    >>> y, drawn = np.array([1.0, 3, 4, 6, 10, 12, 10, 12]), np.array([0, 0, 1, 1, 0, 0, 1, 1], bool)
    >>> made = blocked_difference(y, drawn, list("aaaabbbb"))  # 3 in block a, 0 in block b
    >>> made.estimate, made.se  # each block's variance is 2 / 2 + 2 / 2, a quarter of each counts
    (1.5, 1.0)
    """
    y, d = np.asarray(outcome, np.float64), np.asarray(treated, np.bool_)
    labels, of = np.unique(np.asarray([str(each) for each in block]), return_inverse=True)
    sides = np.stack([np.bincount(of[d], minlength=len(labels)), np.bincount(of[~d], minlength=len(labels))])
    if (small := int((sides.min(axis=0) < 2).sum())) or not np.isfinite(y).all():
        raise DataRefused(
            "blocks-unusable",
            found=f"{small} block(s) with fewer than two on a side, {int((~np.isfinite(y)).sum())} unknown value(s)",
            expected="two people on each side of every block, and known values",
            repair="Join small blocks as the protocol says, or leave them out and say so.",
        )
    share = np.bincount(of) / len(y)
    parts = [(y[d & (of == k)], y[~d & (of == k)]) for k in range(len(labels))]
    estimate = float(sum(w * (one.mean() - two.mean()) for w, (one, two) in zip(share, parts, strict=True)))
    variance = sum(
        w**2 * (one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
        for w, (one, two) in zip(share, parts, strict=True)
    )
    freedom = float(len(y) - 2 * len(labels))
    return effect_of_groups(
        name, "blocked_difference", estimate, float(np.sqrt(variance)), d, confidence, freedom=freedom
    )


def cluster_difference(
    outcome: Numbers, treated: Mask, cluster: Sequence[object], *, name: str = "outcome", confidence: float = 0.95
) -> Effect:
    """Whole groups were drawn: the difference of the groups' means, each group counting once.

    Raises
    ------
    DataRefused : a group that was partly treated, unknown values, or fewer than two groups on a side
    """
    y, d = np.asarray(outcome, np.float64), np.asarray(treated, np.bool_)
    _, of = np.unique(np.asarray([str(each) for each in cluster]), return_inverse=True)
    share = np.bincount(of, d.astype(np.float64)) / np.bincount(of)
    if mixed := int(((share > 0) & (share < 1)).sum()):
        raise DataRefused(
            "clusters-mixed", found=f"{mixed} group(s) with treated and untreated people",
            expected="groups drawn as a whole", repair="Compare people, within groups, with blocked_difference.",
        )  # fmt: skip
    means = np.bincount(of, y) / np.bincount(of)
    return mean_difference(means, share > 0.5, name=name, confidence=confidence)
