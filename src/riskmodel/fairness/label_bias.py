"""Whose label? How unequally would the outcome have to be recorded for a gap to vanish - or to open?

An outcome on record is the outcome and its recording together. If a share of what really happened is recorded, and
that share is not the same in two groups, a gap in the figures can be a gap in the records. No data in the records can
say whether it is; this says how large the difference in recording would have to be, so that people who know the
recording can judge. The model: what did not happen is never recorded, and within a group recording does not depend
on the score. Then the share found (tpr) does not change, and the other figures move as below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy import optimize

from riskmodel.errors import DeclarationError
from riskmodel.fairness.audit import Audit
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.rules import Row

MOVED: Final = ("base_rate", "ppv", "observed_expected", "fpr")
"""Figures that change with the share recorded. Base rate, predictive value and observed over expected are divided by
it; for the false positive rate, those who were missed in the records leave the group without the outcome."""


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """The recording at which a gap vanishes.

    Attributes
    ----------
    reference_recorded : assumed share of the reference group's outcomes that is recorded
    group_recorded : share of the group's at which the figures are the same; None when no share does it
    low, high : the same at the ends of the interval of the two figures' ratio; None beside a figure without one
    """

    attribute: str
    metric: str
    group: str
    reference: str
    reference_recorded: float
    group_recorded: float | None
    low: float | None
    high: float | None

    @property
    def sentence(self) -> str:
        """The tipping point in words, per 100 outcomes that happened.

        Examples
        --------
        >>> TippingPoint("race", "ppv", "b", "a", 0.9, 0.6, 0.5, 0.7).sentence
        'Race: the gap in positive predictive value between b and a vanishes if of 100 outcomes that happened, 90 are \
recorded in a and 60 (50 to 70) in b.'
        """
        head = f"{self.attribute[:1].upper()}{self.attribute[1:]}: the gap in {WORDS[self.metric]} between "
        head += f"{self.group} and {self.reference}"
        assumed = f"{100 * self.reference_recorded:.0f} are recorded in {self.reference}"
        if self.group_recorded is None:
            return f"{head} vanishes at no recording in {self.group} if of 100 outcomes that happened, {assumed}."
        reach = "" if self.low is None or self.high is None else f" ({100 * self.low:.0f} to {100 * self.high:.0f})"
        return (
            f"{head} vanishes if of 100 outcomes that happened, {assumed} and {100 * self.group_recorded:.0f}{reach} "
            f"in {self.group}."
        )

    def document(self) -> dict[str, Any]:
        """The tipping point as JSON."""
        return asdict(self)


def figure_if_recorded(
    metric: str, above: float, below: float, yes: float, listed_yes: float, recorded: float
) -> float:
    """A figure as it would be if `recorded` of the group's outcomes are on record.

    Parameters
    ----------
    above, below : sums above and below the line, as recorded
    yes, listed_yes : recorded outcomes of the group, and those of them on the list
    recorded : share, above 0

    Examples
    --------
    Of 100 without a recorded outcome 20 are on the list; of 50 recorded, 30. If half is recorded, 50 more happened,
    30 of them on the list: 20 - 30 of 100 - 50 is no figure; if 5 of 6 are recorded, 14 of 90 are left.

    >>> figure_if_recorded("fpr", 20, 100, 50, 30, 0.5)
    nan
    >>> round(figure_if_recorded("fpr", 20, 100, 50, 30, 5 / 6), 4)       # (20 - 6) / (100 - 10)
    0.1556
    """
    if metric != "fpr":
        return above / below / recorded
    hidden = 1 / recorded - 1
    left, of = above - hidden * listed_yes, below - hidden * yes
    return left / of if of > 0 and 0 <= left <= of else float("nan")


def tipping_points(
    audit: Audit, attribute: str, metric: str = "ppv", *, recorded: Sequence[float] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
) -> tuple[TippingPoint, ...]:
    """For each group and each assumed recording in the reference group, where the gap vanishes.

    Parameters
    ----------
    audit : Audit
    attribute : one of the audit's attributes or intersections
    metric : of `MOVED`
    recorded : assumed shares recorded in the reference group, above 0 and at most 1

    Raises
    ------
    DeclarationError : a figure that recording does not move, or a share outside 0 to 1
    """
    if metric not in MOVED or not all(0 < share <= 1 for share in recorded):
        raise DeclarationError.of(
            "tipping-undefined",
            where="tipping_points",
            found=f"{metric!r} at {len(recorded)} shares",
            expected=f"one of {', '.join(MOVED)}, and shares above 0 and at most 1",
            repair="The share found (tpr) does not change with recording that does not depend on the score.",
        )
    rows = {(row["group"], row["metric"]): row for row in audit.table.to_pylist() if row["attribute"] == attribute}
    gaps = [row for row in audit.disparities.to_pylist() if (row["attribute"], row["metric"]) == (attribute, metric)]
    made = []
    for gap in gaps:
        if gap["state"] == NOT_ESTIMABLE:
            continue
        for share in recorded:
            found, low, high = _tipping(rows, gap, metric, share)
            made.append(TippingPoint(attribute, metric, gap["group"], gap["reference"], share, found, low, high))
    return tuple(made)


def _tipping(
    rows: dict[Any, Row], gap: Row, metric: str, share: float
) -> tuple[float | None, float | None, float | None]:
    if metric == "fpr":
        target = _at(rows, gap["reference"], metric, share)
        return _share_that_gives(rows, gap["group"], metric, target), None, None
    if gap["ratio"] is None:
        return None, None, None
    # The figures are divided by the share recorded: they agree where the shares have the figures' own ratio.
    parts = (gap["ratio"], gap["ratio_low"], gap["ratio_high"])
    ratio, low, high = (None if part is None else share * part for part in parts)
    if ratio is None or ratio > 1:  # more than everything would have to be recorded
        return None, None, None
    return ratio, low, None if high is None else min(high, 1.0)


def _share_that_gives(rows: dict[Any, Row], group: str, metric: str, target: float) -> float | None:
    if not np.isfinite(target):
        return None
    tried = np.linspace(1.0, 0.02, 491)
    away = np.array([_at(rows, group, metric, float(share)) - target for share in tried])
    for here, there, one, other in zip(tried[:-1], tried[1:], away[:-1], away[1:], strict=True):
        if one == 0:
            return float(here)
        if np.isfinite([one, other]).all() and one * other <= 0:
            root = optimize.brentq(lambda share: _at(rows, group, metric, share) - target, there, here)
            return float(root)
    return None


def _at(rows: dict[Any, Row], group: str, metric: str, share: float) -> float:
    own, found = rows[group, metric], rows[group, "tpr"]
    return figure_if_recorded(
        metric, own["numerator"], own["denominator"], found["denominator"], found["numerator"], share
    )
