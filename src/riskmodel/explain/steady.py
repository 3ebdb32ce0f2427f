"""Which of one person's reasons hold still: only those are shown, each at the level at which it does.

A reason is held against what models that could as well have been the one would have said of the same person. Where
nine of ten name the same family in the same direction, and tell it by the same feature, the feature is told; where
they only agree on the family, the family is; and where they do not agree, nothing is said, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from riskmodel.explain.contributions import contributions_of
from riskmodel.explain.families import FAMILY
from riskmodel.explain.reasons import LEAST, TOP, Reason, Reasons, reasons, reasons_of
from riskmodel.models.fitted import Matrix
from riskmodel.models.group_cells import group_cells
from riskmodel.models.metrics import Numbers
from riskmodel.models.refits import Refits
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.uncertainty import rate_interval

AGREE: Final = 0.9
"""A reason holds still when at least this share of the refits give it too."""
NO_STABLE_REASON: Final = "no stable reason"
LEAST_PEOPLE: Final = 50
"""People of whom a group has to have so many for its share to be told."""
_BLOCK: Final = 1024
"""Rows that are explained at a time: the contributions of few enough to fit in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Steady:
    """One person's reasons that hold still.

    Attributes
    ----------
    reasons : tuple of Reason
    unsteady_raising, unsteady_lowering : int, how many were left out because they do not hold still
    refits : int, how many models were asked; 0 when nobody measured, and then nothing was left out
    hidden : float, what is never shown as a reason adds, in log-odds
    """

    reasons: tuple[Reason, ...]
    unsteady_raising: int = 0
    unsteady_lowering: int = 0
    refits: int = 0
    hidden: float = 0.0

    @property
    def left_out(self) -> int:
        """How many reasons were left out because they do not hold still."""
        return self.unsteady_raising + self.unsteady_lowering

    @property
    def not_shown(self) -> str:
        """That something is never shown as a reason, and which way it goes; empty where it weighs next to nothing."""
        if abs(self.hidden) < LEAST:
            return ""
        way = "raises" if self.hidden > 0 else "lowers"
        return f"What is never shown as a reason (age and the like, records of other people) {way} this score as well."

    def otherwise(self, *, raises: bool) -> str:
        """What is said in a direction in which there is nothing to tell."""
        left_out = self.unsteady_raising if raises else self.unsteady_lowering
        return NO_STABLE_REASON if left_out else "nothing stands out"

    @property
    def note(self) -> str:
        """Whether the reasons were held against refits, and what was left out, in one sentence."""
        if not self.refits:
            return "Whether these reasons hold still when the model is made again was not measured."
        of = f"{self.refits} models made from other samples of the same people"
        if not self.left_out:
            return f"Each reason is one that at least {100 * AGREE:.0f} % of {of} give too."
        further = f"{self.left_out} further reason{'s are' if self.left_out > 1 else ' is'}"
        return f"{further} not shown: fewer than {100 * AGREE:.0f} % of {of} give the same."


@dataclass(frozen=True)
class SteadyReasons(Sequence[Steady]):
    """The reasons of many rows, worked out when they are asked for and never kept.

    Attributes
    ----------
    model : RiskModel
    X : (n_rows, n_features) float32
    refits : Refits or None, the models to hold reasons against
    """

    model: RiskModel
    X: Matrix = field(repr=False)
    refits: Refits | None = None
    top: int = TOP
    never: tuple[str, ...] = ()
    others: bool = False

    def __post_init__(self) -> None:
        if self.refits is not None:
            self.refits.must_be_of(self.model)

    def __len__(self) -> int:
        return len(self.X)

    @overload
    def __getitem__(self, row: int) -> Steady: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Steady]: ...
    def __getitem__(self, row: int | slice) -> Steady | Sequence[Steady]:
        if isinstance(row, slice):
            return list(self.of(range(*row.indices(len(self)))))
        return next(self.of([range(len(self))[row]]))

    def __iter__(self) -> Iterator[Steady]:
        return self.of(range(len(self)))

    def of(self, rows: Sequence[int]) -> Iterator[Steady]:
        """The reasons of some rows in the order given, a block at a time."""
        for start in range(0, len(rows), _BLOCK):
            X = np.ascontiguousarray(self.X[np.asarray(rows[start : start + _BLOCK])])
            told = reasons(self.model, X, top=self.top, never=self.never, others=self.others)
            if self.refits is None:
                yield from (Steady(each, hidden=float(told.hidden[row])) for row, each in enumerate(told))
            else:
                yield from held_against(told, X, self.model, (contributions_of(one, X) for one in self.refits.members))


def counted(found: Sequence[Steady]) -> dict[str, float | None]:
    """How many reasons hold still over many rows, for a card: counts and shares of rows, never whom.

    Returns
    -------
    dict : rows; told, at the level of a feature and of a family; not_told; share_told, of all reasons there were; and
        no_stable_reason, the share of rows that had reasons and are left with none (null without such rows)
    """
    kept = [reason for each in found for reason in each.reasons]
    by_family = sum(reason.level == FAMILY for reason in kept)
    left_out = sum(each.unsteady_raising + each.unsteady_lowering for each in found)
    had = [each for each in found if each.reasons or each.unsteady_raising or each.unsteady_lowering]
    return {
        "rows": float(len(found)),
        "told_by_feature": float(len(kept) - by_family),
        "told_by_family": float(by_family),
        "not_told": float(left_out),
        "share_told": len(kept) / (len(kept) + left_out) if kept or left_out else None,
        "no_stable_reason": sum(not each.reasons for each in had) / len(had) if had else None,
    }


def left_without(
    found: Sequence[Steady], people: npt.NDArray[np.int64], groups: Mapping[str, npt.NDArray[Any]]
) -> list[dict[str, Any]]:
    """Of the rows that had reasons, the share that is left with none, for everybody and in each group.

    Parameters
    ----------
    found : the reasons of n rows
    people : (n,) int64, whose row each is
    groups : mapping of attribute to (n,) labels; rows without one are in no group

    Returns
    -------
    list of mappings {attribute, group, people, share, low, high, state} : 95 % intervals with people as the unit;
        "not_estimable" for fewer than `LEAST_PEOPLE`
    """
    had = np.array([bool(each.reasons or each.unsteady_raising or each.unsteady_lowering) for each in found], bool)
    none = np.array([not each.reasons for each in found], np.float64)
    rows: list[dict[str, Any]] = []
    for attribute, group, cell in group_cells(len(had), groups):
        mask = had & cell
        row: dict[str, Any] = {"attribute": attribute, "group": group, "people": len(np.unique(people[mask]))}
        enough = row["people"] >= LEAST_PEOPLE
        low, high = rate_interval(none[mask], people[mask]) if enough else (None, None)
        share = float(none[mask].mean()) if enough else None
        rows.append({**row, "share": share, "low": low, "high": high, "state": "ok" if enough else "not_estimable"})
    return rows


def held_against(told: Reasons, X: Matrix, model: RiskModel, others: Iterable[Numbers]) -> Iterator[Steady]:
    """The reasons of each row that enough other models give too, by what features add to it in each: (n, p + 1)."""
    families, leads = told.ranked
    same_family, same_feature = np.zeros(families.shape), np.zeros(families.shape)
    members = 0
    for made in others:
        members += 1
        other = reasons_of(
            made, X, model.feature_names, model.features, top=told.top, never=told.never, others=told.others
        )
        their_families, their_leads = other.ranked
        # Each of ours beside each of theirs of the same direction; a family stands there once, so "any" is "which".
        both = families[..., :, None] == their_families[..., None, :]
        same_family += both.any(axis=-1)
        same_feature += (both & (leads[..., :, None] == their_leads[..., None, :])).any(axis=-1)
    for row, found in enumerate(told):
        given = families[row] >= 0
        by_family, by_feature = (each[row][given] / members for each in (same_family, same_feature))
        yield replace(_shown(found, by_family, by_feature, members), hidden=float(told.hidden[row]))


def _shown(own: Sequence[Reason], family: Numbers, feature: Numbers, members: int) -> Steady:
    kept: list[Reason] = []
    left_out = {True: 0, False: 0}
    for reason, by_family, by_feature in zip(own, family, feature, strict=True):
        if by_feature >= AGREE:
            kept.append(reason)
        elif by_family >= AGREE:
            whole = f"{reason.family[:1].upper()}{reason.family[1:]}, all measures of them taken together"
            kept.append(replace(reason, sentence=whole, level=FAMILY))
        else:
            left_out[reason.raises] += 1
    return Steady(tuple(kept), left_out[True], left_out[False], members)
