"""A panel: the same units in the same periods, who is treated from when, and several measures of each cell.

Rows are units and columns are periods, always all of them: a panel with a gap or a repeated cell is refused when it is
made. A cell that nobody can know yet is NaN, never 0; estimators refuse it by name. Its repr shows counts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.roll_out import Starts, roll_out_faults, roll_out_fingerprint

Numbers: TypeAlias = "npt.NDArray[np.float64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"


@dataclass(frozen=True, repr=False, eq=False)
class Panel:
    """Units by periods.

    Attributes
    ----------
    units : (n,) labels of the units, sorted
    periods : (T,) labels of the periods, in order of time
    starts : (n,) int, index of the first treated period, `calendar.NEVER` for a unit never treated
    measures : mapping of name to (n, T) float: outcomes, exposures, weights, covariates; counts are kept in 4 bytes and
        handed out in 8 (`measure`)
    counted : str or None, when the cells were counted after their period; None for a panel not made from records
    uncounted : mapping of outcome to the number of facts in these periods that are of no unit (no place, no address)
    """

    units: npt.NDArray[Any]
    periods: npt.NDArray[Any]
    starts: Starts
    measures: Mapping[str, npt.NDArray[np.floating[Any]]]
    counted: str | None = None
    uncounted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, table: pa.Table, *, unit: str, period: str, starts: str, measures: Sequence[str], never: object = None
    ) -> Panel:
        """A panel from a long table, one row for each unit and period.

        Parameters
        ----------
        table : Arrow table
        unit, period : str, the columns that name the cell
        starts : str, the column with the unit's first treated period (in the values of `period`); null or NaN for
            never, or the value `never` where a file writes it so
        measures : names of the columns to carry; a null is NaN

        Raises
        ------
        DataRefused : a unit stands twice in a period, a unit lacks a period, or its start changes

        Examples
        --------
        >>> cells = {"who": [1, 1, 2, 2], "year": [2001, 2002] * 2, "from": [2002, 2002, 0, 0], "y": [1.0, 2, 3, 4]}
        >>> table = pa.table(cells)
        >>> panel = Panel.of(table, unit="who", period="year", starts="from", measures=["y"], never=0)
        >>> panel, panel.starts[0]
        (Panel(2 units, 1 treated, 2 periods, 1 measures), np.int64(1))
        """
        names, rows = np.unique(_values(table, unit), return_inverse=True)
        labels, columns = np.unique(_values(table, period), return_inverse=True)
        cell = rows * len(labels) + columns
        _must_be_whole(cell, len(names) * len(labels), len(names), len(labels))
        first = np.empty((len(names), len(labels)), np.float64)
        first.flat[cell] = _starts_of(table.column(starts), labels, never)
        if (changing := int((first != first[:, :1]).any(axis=1).sum())) > 0:
            raise DataRefused(
                "start-changes",
                found=f"{changing} unit(s) whose treatment date differs between periods",
                expected="one first treated period a unit",
                repair="Give each unit the first period in which it was treated.",
            )
        made = {}
        for name in measures:
            grid = np.empty((len(names), len(labels)), np.float64)
            grid.flat[cell] = _numbers(table.column(name))
            made[name] = grid
        return cls(names, labels, first[:, 0].astype(np.int64), made)

    @property
    def n_units(self) -> int:
        return len(self.units)

    @property
    def n_periods(self) -> int:
        return len(self.periods)

    @property
    def treated(self) -> Mask:
        """(n,) whether the unit is ever treated."""
        return np.asarray(self.starts != NEVER)

    @property
    def under_treatment(self) -> Mask:
        """(n, T) whether the cell lies in or after the unit's first treated period."""
        return np.asarray(np.arange(self.n_periods)[None, :] >= self.starts[:, None])

    @property
    def labels(self) -> tuple[str, ...]:
        """The periods as text."""
        return tuple(_label(period) for period in self.periods)

    @cached_property
    def roll_out(self) -> str:
        """The fingerprint of who is treated from when."""
        return roll_out_fingerprint(self.units.tolist(), self.starts, self.labels)

    def measure(self, name: str) -> Numbers:
        """(n, T) values of a measure; refuses a name that is not there and a measure with unknown cells."""
        if name not in self.measures:
            raise DeclarationError.of(
                "measure-unknown",
                where="panel",
                found=f"no measure {name!r}",
                expected=f"one of {', '.join(sorted(self.measures))}",
                repair="Name a measure of the panel.",
            )
        values = self.measures[name]
        if unknown := values.size - int(np.isfinite(values).sum()):
            raise DataRefused(
                "panel-gaps",
                found=f"{unknown:,} unknown cell(s) of {name}",
                expected="a value in every unit and period",
                repair="Keep only the periods that every agency has delivered (panel.between), or leave the units out.",
            )
        return np.asarray(values, np.float64)

    def between(self, first: int, after: int) -> Panel:
        """The periods from index `first` up to but not including `after`. Later starters are never treated in it."""
        starts = np.where(self.starts >= after, NEVER, np.maximum(self.starts - first, 0))
        measures = {name: values[:, first:after] for name, values in self.measures.items()}
        starts = np.where(self.treated, starts, NEVER)
        return replace(self, periods=self.periods[first:after], starts=starts, measures=measures)

    def keeping(self, kept: Mask) -> Panel:
        """Only the units where the (n,) mask is true."""
        measures = {name: values[kept] for name, values in self.measures.items()}
        return replace(self, units=self.units[kept], starts=self.starts[kept], measures=measures)

    def starting(self, starts: Starts) -> Panel:
        """The same cells under another roll-out."""
        return replace(self, starts=np.asarray(starts, np.int64))

    def adding(self, name: str, values: Numbers) -> Panel:
        """The panel with one measure more."""
        return replace(self, measures={**self.measures, name: np.asarray(values, np.float64)})

    def must_allow(self, *, single: bool = False, everyone: bool = False) -> None:
        """Refuse a roll-out from which no effect can be estimated (see `roll_out_faults`), every fault at once."""
        faults: list[Fault] = roll_out_faults(self.starts, self.n_periods, single=single, everyone=everyone)
        if faults:
            raise DeclarationError("roll-out-unusable", faults=faults)

    def __repr__(self) -> str:
        counts = f"{self.n_units:,} units, {int(self.treated.sum()):,} treated, {self.n_periods} periods"
        return f"Panel({counts}, {len(self.measures)} measures)"


def _label(period: object) -> str:
    if isinstance(period, np.datetime64):
        return str(period.astype("datetime64[D]"))
    number = float(period) if isinstance(period, float | np.floating) else None
    return str(int(number)) if number is not None and number.is_integer() else str(period)


def _values(table: pa.Table, column: str) -> npt.NDArray[Any]:
    values = table.column(column)
    if values.null_count:
        raise DataRefused(
            "panel-cell-unnamed",
            found=f"{values.null_count} row(s) without {column}",
            expected="a unit and a period in every row",
            repair="Leave these rows out.",
        )
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return np.asarray(values.to_pylist(), dtype=np.str_)
    return np.asarray(values.to_numpy())


def _numbers(column: pa.ChunkedArray) -> Numbers:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _starts_of(column: pa.ChunkedArray, labels: npt.NDArray[Any], never: object) -> Numbers:
    """The index of each row's first treated period; past the last label it is ``T``, before the first it is 0."""
    values = column.to_pylist()
    at = np.full(len(values), float(NEVER))
    given = np.asarray([value is not None and value == value and value != never for value in values], bool)
    if given.any():
        dates = np.asarray([value for value in values if value is not None and value == value and value != never])
        at[given] = np.searchsorted(labels, dates.astype(labels.dtype), side="left")
    return at


def _must_be_whole(cell: npt.NDArray[np.int64], size: int, n_units: int, n_periods: int) -> None:
    times = np.bincount(cell, minlength=size)
    if twice := int((times > 1).sum()):
        raise DataRefused(
            "panel-duplicates",
            found=f"{twice:,} unit(s) and period(s) that stand twice",
            expected="one row for each unit and period",
            repair="Add up or remove the repeated rows.",
        )
    if gaps := int((times == 0).sum()):
        raise DataRefused(
            "panel-gaps",
            found=f"{gaps:,} of {size:,} cells without a row ({n_units:,} units, {n_periods} periods)",
            expected="every unit in every period",
            repair="Fill true zeros with 0, or leave out the units or periods with gaps.",
        )
