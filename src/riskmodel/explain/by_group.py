"""What the model leans on for each group, and how far it raises one group's scores above the others', with intervals.

Two figures for each group and each name at a level: the share of all contributions that the name makes up, and the
gap, its mean contribution in the group less that among everybody else. The gaps of all families add up to the gap in
mean log-odds. Rows of a person go together: standard errors are those of ratios of sums over people (linearised). The
intervals of the gaps of one attribute and level hold together, for all its groups and names at once, by drawing the
people's weights (Mammen 1993); those of shares hold one by one. Groups of few people are said not to be estimable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.explain.families import Told, added_up
from riskmodel.models.metrics import Numbers
from riskmodel.seeds import stream

LEAST: Final = 50
"""People of whom a group has to have at least so many."""
LEVELS: Final = ("family", "agency", "about", "contact")
EVERYBODY: Final = "all"
_DRAWS: Final = 1000
_NORMAL_95: Final = 1.959963984540054

SCHEMA: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("attribute", "group", "level", "name")),
        *(pa.field(name, pa.float64()) for name in ("share", "share_low", "share_high", "gap", "gap_low", "gap_high")),
        pa.field("people", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class _Ratio:
    """A ratio of two sums over people, and what each person adds to its error: (k,) and (n_people, k)."""

    value: Numbers
    influence: Numbers

    @property
    def error(self) -> Numbers:
        n = len(self.influence)
        return np.asarray(np.sqrt((self.influence**2).sum(axis=0) * n / max(n - 1, 1)))


def by_group(
    contributions: Numbers,
    columns: Sequence[Told],
    people: npt.NDArray[np.int64],
    groups: Mapping[str, npt.NDArray[Any]],
    *,
    levels: Sequence[str] = LEVELS,
    seed: int = 0,
) -> pa.Table:
    """Shares and gaps of every group at every level.

    Parameters
    ----------
    contributions : (n, p) float64, without the base
    columns : what the p columns are
    people : (n,) int64, whose row each is
    groups : mapping of attribute to (n,) labels; rows without one stand under "unknown". The whole is added as "all"
    levels : of `families.LEVELS`
    seed : int, of the draws

    Returns
    -------
    pa.Table : one row for each attribute, group, level and name, of `SCHEMA`; gap is null for "all" and where there is
        nobody else. state is "ok", or "not_estimable" for fewer than `LEAST` people, in the group or beside it
    """
    person = np.unique(people, return_inverse=True)[1]
    weights = stream(seed, "explain", "by group").standard_normal((_DRAWS, int(person.max()) + 1))
    rows: list[dict[str, Any]] = []
    whole = {EVERYBODY: np.full(len(people), EVERYBODY)}
    for level in levels:
        names, sums = added_up(contributions, columns, level)
        for attribute, labels in (whole | dict(groups)).items():
            told = np.array(["unknown" if label is None else str(label) for label in labels])
            rows += _of_attribute(attribute, told, level, names, sums, person, weights)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _of_attribute(
    attribute: str,
    labels: npt.NDArray[np.str_],
    level: str,
    names: Sequence[str],
    sums: Numbers,
    person: npt.NDArray[np.int64],
    weights: Numbers,
) -> list[dict[str, Any]]:
    made, gaps = [], {}
    for group in sorted(set(labels.tolist())):
        inside = labels == group
        people, others = (len(np.unique(person[rows])) for rows in (inside, ~inside))
        share = _share(sums, person, inside) if people >= LEAST else None
        if share is not None and others >= LEAST:
            gaps[group] = _gap(sums, person, inside)
        made.append((group, people, share))
    critical = _together(list(gaps.values()), weights)
    rows = []
    for group, people, share in made:
        gap = gaps.get(group)
        for at, name in enumerate(names):
            row = {"attribute": attribute, "group": group, "level": level, "name": name, "people": people}
            row["state"] = "not_estimable" if share is None else "ok"
            if share is not None:
                reach = _NORMAL_95 * share.error[at]
                row |= {"share": share.value[at], "share_low": max(share.value[at] - reach, 0.0)}
                row["share_high"] = min(share.value[at] + reach, 1.0)
            if gap is not None:
                reach = critical * gap.error[at]
                row |= {"gap": gap.value[at], "gap_low": gap.value[at] - reach, "gap_high": gap.value[at] + reach}
            rows.append({name_: float(each) if isinstance(each, np.floating) else each for name_, each in row.items()})
    return rows


def _share(sums: Numbers, person: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_]) -> _Ratio:
    """Each name's share of all absolute contributions of the rows."""
    parts = _by_person(np.abs(sums) * rows[:, None], person)
    return _ratio(parts, parts.sum(axis=1))


def _gap(sums: Numbers, person: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_]) -> _Ratio:
    """Each name's mean contribution in the rows less that in all others."""
    one, other = (
        _ratio(_by_person(sums * chosen[:, None], person), np.asarray(np.bincount(person, chosen), np.float64))
        for chosen in (rows, ~rows)
    )
    return _Ratio(one.value - other.value, one.influence - other.influence)


def _by_person(values: Numbers, person: npt.NDArray[np.int64]) -> Numbers:
    return np.column_stack([np.bincount(person, column) for column in values.T])


def _ratio(parts: Numbers, of: Numbers) -> _Ratio:
    total = of.sum()
    value = parts.sum(axis=0) / total if total > 0 else np.zeros(parts.shape[1])
    return _Ratio(value, (parts - of[:, None] * value) / (total or 1.0))


def _together(gaps: Sequence[_Ratio], weights: Numbers) -> float:
    """By how many standard errors all the gaps together stay within their intervals in 95 of 100 draws."""
    if not gaps:
        return _NORMAL_95
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.column_stack([np.where(each.error > 0, each.influence / each.error, 0.0) for each in gaps])
    largest = np.abs(weights @ scaled).max(axis=1)
    return max(float(np.quantile(largest, 0.95)), _NORMAL_95)
