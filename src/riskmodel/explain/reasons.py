"""Reasons in sentences: what raised and what lowered one score, family by family, in plain words.

A reason tells a family of features by the one that weighs most, with the person's value. What is protected - age,
sex, ethnicity and the like, or what a study names, such as a proxy of these - is never shown as a reason, however much
it weighs; nor is what rests on the records of other people, unless the reader may see those. That there is something
which is not shown, and which way it goes, is said. A reason says how the model came to its score, not why somebody is
at risk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.explain.changeable import changeable
from riskmodel.explain.contributions import contributions
from riskmodel.explain.families import FAMILY, FEATURE, Told, added_up, told
from riskmodel.features.feature import Feature
from riskmodel.models.fitted import Matrix
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel

TOP: Final = 3
LEAST: Final = 0.05
"""Log-odds below which a family is not worth a sentence: it moves the odds by less than a twentieth."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes
    ----------
    sentence : the feature that weighs most in the family, with the person's value
    raises : whether it raises the score (else it lowers it)
    family : what belongs together, such as "domestic abuse events as victim"
    feature : the column told
    log_odds : float, what the whole family adds
    level : "feature", or "family" where only the family holds still (see `steady`)
    changeable : whether support may change what it tells of, in words (see `changeable`); empty where it is not known
    """

    sentence: str
    raises: bool
    family: str
    feature: str
    log_odds: float
    level: str = FEATURE
    changeable: str = ""

    def __str__(self) -> str:
        return f"{'Raises' if self.raises else 'Lowers'} the score: {self.sentence}"

    def __repr__(self) -> str:
        return f"Reason({self.family!r}, {'raises' if self.raises else 'lowers'})"


@dataclass(frozen=True)
class Reasons(Sequence[tuple[Reason, ...]]):
    """The reasons of many rows, worded when they are asked for: first what raises, then what lowers.

    Attributes
    ----------
    columns : the model's columns
    contributions, values : (n, p)
    sums : (n, k), contributions by family
    hidden : (n,), what the columns add that are never shown
    """

    columns: tuple[Told, ...] = field(repr=False)
    contributions: Numbers = field(repr=False)
    values: npt.NDArray[np.float32] = field(repr=False)
    families: tuple[str, ...] = field(repr=False)
    sums: Numbers = field(repr=False)
    top: int = TOP
    never: tuple[str, ...] = ()
    others: bool = False
    hidden: Numbers = field(default_factory=lambda: np.empty(0), repr=False)

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, row: int) -> tuple[Reason, ...]: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[tuple[Reason, ...]]: ...
    def __getitem__(self, row: int | slice) -> tuple[Reason, ...] | Sequence[tuple[Reason, ...]]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return tuple(self._reason(row, place, lead) for place, lead in self.places(row))

    def __iter__(self) -> Iterator[tuple[Reason, ...]]:
        return (self[row] for row in range(len(self)))

    @cached_property
    def ranked(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The families worth a sentence and the column that leads each: two (n, 2, top) int32, -1 where there is none.

        On the second axis what raises stands first, then what lowers; the largest come first.
        """
        top = min(self.top, len(self.families))
        families = np.full((len(self), 2, top), -1, np.int32)
        leads = np.full_like(families, -1)
        for at, sign in enumerate((1, -1)):
            size = sign * self.sums
            order = np.argsort(-size, axis=1, kind="stable")[:, :top]
            families[:, at] = np.where(np.take_along_axis(size, order, axis=1) >= LEAST, order, -1)
        for place, family in enumerate(self.families):
            members = np.array([number for number, column in enumerate(self.columns) if column.family == family])
            rows, way, rank = np.nonzero(families == place)
            weights = self.contributions[np.ix_(rows, members)] * np.where(way == 0, 1, -1)[:, None]
            leads[rows, way, rank] = members[np.argmax(weights, axis=1)]
        return families, leads

    def places(self, row: int) -> tuple[tuple[int, int], ...]:
        """The families worth a sentence and the column that leads each, by number, of one row."""
        families, leads = (each[row].ravel().tolist() for each in self.ranked)
        return tuple((family, lead) for family, lead in zip(families, leads, strict=True) if family >= 0)

    def _reason(self, row: int, place: int, lead: int) -> Reason:
        family, total = self.families[place], float(self.sums[row, place])
        column = self.columns[lead]
        said = column.sentence(float(self.values[row, lead]))
        return Reason(said, total > 0, family, column.name, total, changeable=changeable(column.feature))


def reasons(model: RiskModel, X: Matrix, *, top: int = TOP, never: Sequence[str] = (), others: bool = False) -> Reasons:
    """The reasons of every row.

    Parameters
    ----------
    model : RiskModel
    X : (n_rows, n_features) float32, the rows to explain
    top : int, at most so many in each direction
    never : columns that must never be shown, beside what is protected
    others : bool, whether the reader may see what rests on records of other people

    Returns
    -------
    Reasons, a sequence with one tuple of Reason a row

    Raises
    ------
    DataRefused, EvidenceError : see `contributions`
    """
    made = contributions(model, X)
    return reasons_of(made, X, model.feature_names, model.features, top=top, never=never, others=others)


def reasons_of(
    made: Numbers,
    values: Matrix,
    names: Sequence[str],
    features: Sequence[Feature],
    *,
    top: int = TOP,
    never: Sequence[str] = (),
    others: bool = False,
) -> Reasons:
    """The reasons in contributions that are already there: (n, p + 1), the base last."""
    every = told(names, features)
    shown = [number for number, column in enumerate(every) if not column.hidden(never, others=others)]
    columns = tuple(every[number] for number in shown)
    parts = np.ascontiguousarray(made[:, :-1][:, shown])
    families, sums = added_up(parts, columns, FAMILY)
    hidden = made[:, :-1].sum(axis=1) - parts.sum(axis=1)
    return Reasons(columns, parts, np.asarray(values)[:, shown], families, sums, top, tuple(never), others, hidden)


def top_reasons(
    model: RiskModel, X: Matrix, *, top: int = TOP, never: Sequence[str] = (), rows: int = 32_768
) -> Iterator[pa.RecordBatch]:
    """The reasons of very many rows as columns, a block of rows at a time; only one block is ever held.

    Parameters
    ----------
    model : RiskModel
    X : (n_rows, n_features) float32
    top : int, at most so many in each direction
    never : columns that must never be shown, beside what is protected
    rows : int, of a block

    Yields
    ------
    pa.RecordBatch : one row for each reason: row (int64, in X), raises (bool), family and feature (dictionaries of
        text) and log_odds (what the whole family adds); by row, first what raises, the largest first
    """
    for start in range(0, len(X), rows):
        made = reasons(model, X[start : start + rows], top=top, never=never)
        families, leads = made.ranked
        row, at, rank = np.nonzero(families >= 0)
        family = families[row, at, rank]
        names = pa.array([column.name for column in made.columns], pa.string())
        yield pa.RecordBatch.from_pydict(
            {
                "row": row + start,
                "raises": at == 0,
                "family": pa.DictionaryArray.from_arrays(family, pa.array(made.families, pa.string())),
                "feature": pa.DictionaryArray.from_arrays(leads[row, at, rank], names),
                "log_odds": made.sums[row, family],
            }
        )
