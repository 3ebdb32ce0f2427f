"""What if those whose group is unknown were of this group or that? Bounds, not a guess.

People without a recorded ethnicity are seldom like the others, so to leave them out, or to spread them by the known
shares, is an assumption that nobody wrote down. Here nothing is assumed: the lowest and the highest value that a
group's figure could have, whoever of the unknown belongs to it (Manski 1989; Kallus, Mao and Zhou 2022 for groups). The
bounds are exact for shares. They cover missing groups only, not sampling: the interval comes on top.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riskmodel.errors import NotFound
from riskmodel.fairness.audit import Audit
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.groups import UNKNOWN
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.rules import Row


@dataclass(frozen=True, slots=True)
class Bounded:
    """A group's figure and its difference from the reference, as recorded and at the ends of what is possible.

    Attributes
    ----------
    value, lowest, highest : the figure
    gap, gap_lowest, gap_highest : less that of the reference group; None for the reference itself
    unknown_share : of all that stands below the line of the figure, the share whose group is unknown
    """

    attribute: str
    metric: str
    group: str
    reference: str
    value: float
    lowest: float
    highest: float
    gap: float | None
    gap_lowest: float | None
    gap_highest: float | None
    unknown_share: float

    def document(self) -> dict[str, Any]:
        """The bounds as JSON."""
        return asdict(self)

    @property
    def sign_is_known(self) -> bool | None:
        """Whether the gap has the same sign whoever the unknown are; None for the reference."""
        if self.gap_lowest is None or self.gap_highest is None:
            return None
        return self.gap_lowest > 0 or self.gap_highest < 0


def bounds_if_unknown(audit: Audit, attribute: str, metric: str = "tpr") -> tuple[Bounded, ...]:
    """Bounds of a share in each known group that can be estimated.

    Parameters
    ----------
    audit : Audit
    attribute : one attribute of the audit (not an intersection)
    metric : a share, such as "tpr", "fpr", "ppv", "base_rate"

    Returns
    -------
    tuple of Bounded, one a group; with nobody unknown the bounds are the figure

    Raises
    ------
    NotFound : no such share by that attribute in the audit
    """
    rows = {
        row["group"]: row
        for row in audit.table.to_pylist()
        if row["attribute"] == attribute and row["metric"] == metric and MEASURE[metric].kind == "share"
    }
    if not rows:
        raise NotFound(
            "bounds-undefined",
            found=f"no share {metric!r} by {attribute!r} in the audit",
            expected="a share such as tpr, fpr, ppv or base_rate, by an attribute of the audit",
            repair="Audit by that attribute, or ask for another figure.",
        )
    per = MEASURE[metric].per
    unknown = rows.pop(UNKNOWN, None)
    yes, no = (0.0, 0.0) if unknown is None else _parts(unknown)
    total = sum(row["denominator"] for row in rows.values()) + yes + no
    named = audit.disparities.to_pylist()
    reference = next((row["reference"] for row in named if row["attribute"] == attribute), next(iter(rows), UNKNOWN))
    made = []
    for group, row in rows.items():
        if row["state"] == NOT_ESTIMABLE:
            continue
        low, high = _lowest(row, no), _highest(row, yes)
        gap: tuple[float | None, float | None, float | None] = (None, None, None)
        other = rows.get(reference)
        if group != reference and other is not None and other["state"] != NOT_ESTIMABLE:
            # The one end: all unknown with the mark are of the group and all without it of the reference.
            gap = (
                per * (_share(row) - _share(other)),
                per * (low - _highest(other, yes)),
                per * (high - _lowest(other, no)),
            )
        share = (yes + no) / total if total else 0.0
        made.append(Bounded(attribute, metric, group, reference, per * _share(row), per * low, per * high, *gap, share))
    return tuple(made)


def _parts(row: Row) -> tuple[float, float]:
    return float(row["numerator"]), float(row["denominator"] - row["numerator"])


def _share(row: Row) -> float:
    return float(row["numerator"] / row["denominator"])


def _lowest(row: Row, no: float) -> float:
    return float(row["numerator"] / (row["denominator"] + no))


def _highest(row: Row, yes: float) -> float:
    return float((row["numerator"] + yes) / (row["denominator"] + yes))
