"""The one function through which a table of counts leaves: small counts are hidden, the others rounded.

People are found in small numbers. A count below the rule's threshold is not shown, nor one from which it could be
worked out, and what is shown is rounded; rates are made again from the rounded counts. A hidden count is visibly
"suppressed": it is never printed as a nought unless the rule set says so. The rules are data, so that a partnership
can follow its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.derivable import Cell, Sum, further_hidden
from riskmodel.governance.ledger import Ledger

SHOWN: Final = "shown"
SUPPRESSED: Final = "suppressed"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How counts of people are made safe.

    Parameters
    ----------
    name : str
    source : str, where the rule is published
    smallest_shown : int, counts from 1 to one below this are hidden
    round_to : int, shown counts are rounded to the nearest multiple (halves up)
    small_becomes_zero : bool, print 0 for noughts and small counts alike, instead of "suppressed"
    """

    name: str
    source: str
    smallest_shown: int
    round_to: int
    small_becomes_zero: bool = False

    def document(self) -> dict[str, Any]:
        """The rules as JSON-able values."""
        return asdict(self)

    def rounded(self, count: int) -> int:
        """The count as shown.

        Examples
        --------
        >>> [RULES["hes"].rounded(count) for count in (0, 8, 12, 13, 102)]
        [0, 10, 10, 15, 100]
        """
        return (2 * count + self.round_to) // (2 * self.round_to) * self.round_to

    def cell(self, count: int, *, printed: bool = True) -> Cell:
        """What a reader may learn of a count; one that is not `printed` can only be worked out."""
        most = float(self.smallest_shown - 1)
        promised = (1.0, most) if 0 < count <= most else None
        if not printed:
            return Cell(count, None, (0.0, np.inf), promised, printed)
        if self.small_becomes_zero:
            known, hide = ((0.0, most) if count <= most else (0.0, np.inf)), count <= most
        else:
            known, hide = (1.0, np.inf), promised is not None
        return Cell(count, None if hide else self._span(count), known, promised)

    def _span(self, count: int) -> tuple[float, float]:
        """The counts that are shown by the same figure as this one."""
        return self.span_of(self.rounded(count))

    def span_of(self, figure: int) -> tuple[float, float]:
        """The least and greatest count that a printed figure may stand for."""
        if figure == 0:
            return 0.0, float(self.smallest_shown - 1) if self.small_becomes_zero else 0.0
        low = figure - self.round_to // 2
        return float(max(low, self.smallest_shown)), float(figure + (self.round_to - 1) // 2)


RULES: Final[Mapping[str, RuleSet]] = {
    rules.name: rules
    for rules in (
        RuleSet("hes", "NHS Digital, disclosure control for Hospital Episode Statistics, September 2018", 8, 5),
        RuleSet("ons-10-5", "counts below 10 hidden, the others to the nearest 5", 10, 5),
        RuleSet("opensafely", "OpenSAFELY, counts of 7 or fewer to 0, then to the nearest 5", 8, 5, True),
    )
}
"""The rule sets that come with the package, by name."""


@dataclass(frozen=True, slots=True)
class Total:
    """Which rows are the sum of which: where `column` is `label`, the counts are those of all its other rows.

    Parameters
    ----------
    column : str, such as "group"
    label : str, such as "all"
    within : tuple of column names that have to be equal between the parts and their total, such as ("attribute",)
    """

    column: str
    label: str
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Edition:
    """A table as it left earlier, and the columns that say which of its rows is which.

    Parameters
    ----------
    table : Arrow, what `released` returned then
    keys : tuple of column names, such as ("attribute", "group")
    """

    table: pa.Table
    keys: tuple[str, ...]

    def figures(self, count: str) -> dict[tuple[Any, ...], int]:
        """The figures of a count that were shown, by row."""
        if count not in self.table.column_names:
            return {}
        rows = zip(*(self.table.column(name).to_pylist() for name in self.keys), strict=True)
        figures = zip(rows, self.table.column(count).to_pylist(), strict=True)
        return {row: figure for row, figure in figures if figure is not None}

    def __repr__(self) -> str:
        return f"Edition({self.table.num_rows:,} rows)"


def released(
    table: pa.Table,
    counts: Sequence[str],
    *,
    totals: Sequence[Total] = (),
    within_counts: Mapping[str, Sequence[str]] | None = None,
    ratios: Mapping[str, tuple[str, str]] | None = None,
    earlier: Edition | None = None,
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
    name: str = "table",
) -> pa.Table:
    """The table as it may leave.

    Parameters
    ----------
    table : Arrow, one row a group; other columns than those named here pass through and may hold no figures of people
    counts : names of the columns that count people, whole numbers without nulls
    totals : which rows are sums of others
    within_counts : mapping of a count to counts that are parts of it, such as ``{"n": ["positives"]}``: what is left
        over (the people without the outcome) is protected too, though it is not printed
    ratios : mapping of a column to (numerator, denominator) count columns; made again from the rounded counts, null
        where either is suppressed
    earlier : Edition, the same table as it left before: a count is suppressed, too, when the two figures together
        would show that from 1 to just below the threshold people came or went
    rules : RuleSet
    ledger : Ledger, to which the release is written
    name : str, of the table, for the ledger

    Returns
    -------
    pa.Table : the same rows and columns, suppressed counts null, and a last column ``disclosure`` ("shown" or
        "suppressed") for each row

    Raises
    ------
    DataRefused : a count is null, negative, or no whole number
    DeclarationError : a named column is not there

    Examples
    --------
    >>> flow = pa.table({"group": ["a", "b", "all"], "n": [1, 41, 42]})
    >>> released(flow, ["n"], totals=[Total("group", "all")]).to_pydict()
    {'group': ['a', 'b', 'all'], 'n': [None, None, 40], 'disclosure': ['suppressed', 'suppressed', 'shown']}
    """
    held = _counts(table, counts, totals, ratios or {})
    cells = [rules.cell(int(count)) for name_ in counts for count in held[name_]]
    if earlier is not None:
        cells = _against_earlier(table, counts, cells, earlier, rules)
    sums = _sums_over_rows(table, counts, totals, cells)
    sums += _sums_in_rows(table.num_rows, counts, within_counts or {}, cells, rules)
    hidden = {at for at, cell in enumerate(cells) if cell.shown is None} | further_hidden(cells, sums)
    printed: dict[str, list[int | None]] = {}
    for place, column in enumerate(counts):
        places = range(place * table.num_rows, (place + 1) * table.num_rows)
        printed[column] = [_print(cells[at], at in hidden, rules) for at in places]
    closed = [
        any(
            place * table.num_rows + row in hidden and cells[place * table.num_rows + row].count
            for place in range(len(counts))
        )
        for row in range(table.num_rows)
    ]
    made = _with_counts(table, printed, ratios or {})
    made = made.append_column("disclosure", pa.array([SUPPRESSED if row else SHOWN for row in closed], pa.string()))
    if ledger is not None:
        ledger.append("released", table=name, rules=rules.name, rows=table.num_rows, suppressed=sum(closed))
    return made


def _print(cell: Cell, hide: bool, rules: RuleSet) -> int | None:
    if not hide:
        return rules.rounded(cell.count)
    return 0 if rules.small_becomes_zero and cell.count < rules.smallest_shown else None


def _counts(
    table: pa.Table, counts: Sequence[str], totals: Sequence[Total], ratios: Mapping[str, tuple[str, str]]
) -> dict[str, npt.NDArray[np.int64]]:
    wanted = {*counts, *(name for total in totals for name in (total.column, *total.within)), *ratios}
    if absent := sorted(wanted - set(table.column_names)):
        raise DeclarationError.of(
            "column-missing",
            where="disclosure",
            found=f"a table without {', '.join(absent)}",
            expected="every column that is named",
            repair="Name columns the table has.",
        )
    held = {}
    for name in counts:
        column = table.column(name)
        values = (
            np.asarray(column.to_numpy(zero_copy_only=False), float) if column.null_count == 0 else np.array([-1.0])
        )
        if not np.all((values >= 0) & (values == np.floor(values))):
            raise DataRefused(
                "count-invalid",
                found=f"a value in {name} that is no count",
                expected="whole numbers of at least 0, none empty",
                repair="Count people before releasing; leave rows that cannot be counted out.",
            )
        held[name] = values.astype(np.int64)
    return held


def _against_earlier(
    table: pa.Table, counts: Sequence[str], cells: Sequence[Cell], earlier: Edition, rules: RuleSet
) -> list[Cell]:
    """The cells as a reader of both editions sees them.

    Hidden are figures that beside the earlier one would give a small change away. A figure that was shown before and
    still holds is known to the reader, so that hiding it now protects nothing else.
    """
    rows = list(zip(*(table.column(name).to_pylist() for name in earlier.keys), strict=True))
    made = list(cells)
    for place, count in enumerate(counts):
        before = earlier.figures(count)
        for row, key in enumerate(rows):
            at = place * table.num_rows + row
            cell = made[at]
            if key not in before:
                continue
            span = rules.span_of(before[key])
            if cell.shown is not None and _tells_a_small_change(cell.shown, span, rules):
                most = rules.smallest_shown - 1
                wide = (float(max(1, cell.count - most)), float(cell.count + most))
                made[at] = Cell(cell.count, None, (1.0, np.inf), wide)
            elif cell.shown is not None and span[0] <= cell.count <= span[1]:
                made[at] = replace(cell, hidden=span)
    return made


def _tells_a_small_change(now: tuple[float, float], before: tuple[float, float], rules: RuleSet) -> bool:
    """Whether it is certain that somebody came or went, and that they were fewer than the threshold."""
    least, greatest = now[0] - before[1], now[1] - before[0]
    certain = least > 0 or greatest < 0
    return certain and max(abs(least), abs(greatest)) < rules.smallest_shown


def _sums_over_rows(
    table: pa.Table, counts: Sequence[str], totals: Sequence[Total], cells: Sequence[Cell]
) -> list[Sum]:
    sums = []
    for total in totals:
        labels = table.column(total.column).to_pylist()
        keys = list(zip(*(table.column(name).to_pylist() for name in total.within), strict=True)) or [()] * len(labels)
        for row, label in enumerate(labels):
            if label != total.label:
                continue
            parts = [at for at, key in enumerate(keys) if key == keys[row] and labels[at] != total.label]
            for place in range(len(counts)):
                start = place * table.num_rows
                made = Sum(start + row, tuple(start + at for at in parts))
                # only where the rows truly add up; a person may count in several groups of a ragged table
                if parts and sum(cells[at].count for at in made.parts) == cells[made.total].count:
                    sums.append(made)
    return sums


def _sums_in_rows(
    rows: int, counts: Sequence[str], within: Mapping[str, Sequence[str]], cells: list[Cell], rules: RuleSet
) -> list[Sum]:
    """Each count with its parts and a rest; the rest gets a cell of its own at the end of `cells`."""
    sums = []
    for whole, parts in within.items():
        for row in range(rows):
            total = counts.index(whole) * rows + row
            places = tuple(counts.index(part) * rows + row for part in parts)
            rest = cells[total].count - sum(cells[at].count for at in places)
            if rest >= 0:
                cells.append(rules.cell(rest, printed=False))
                sums.append(Sum(total, (*places, len(cells) - 1)))
    return sums


def _with_counts(
    table: pa.Table, printed: Mapping[str, list[int | None]], ratios: Mapping[str, tuple[str, str]]
) -> pa.Table:
    for name, values in printed.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.int64()))
    for name, (over, under) in ratios.items():
        pairs = zip(printed[over], printed[under], strict=True)
        made = [None if top is None or not bottom else top / bottom for top, bottom in pairs]
        table = table.set_column(table.column_names.index(name), name, pa.array(made, pa.float64()))
    return table
