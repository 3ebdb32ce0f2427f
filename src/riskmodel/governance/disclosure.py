"""The one function through which a table of counts or sums leaves: small ones are hidden, the others rounded.

People are found in small numbers. A count below the rule's threshold is not shown, nor one from which it could be
worked out, and what is shown is rounded; rates are made again from the rounded counts. A hidden count is visibly
"suppressed": it is never printed as a nought unless the rule set says so. The rules are data, so that a partnership
can follow its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.amounts import amount_cells, amount_rest, helpers
from riskmodel.governance.derivable import Cell, Sum, further_hidden
from riskmodel.governance.editions import Before, Edition, with_few_coming
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.rules import RULES, RuleSet
from riskmodel.governance.sums import Rest, Total, sums_over_rows

__all__ = ["RULES", "SHOWN", "SUPPRESSED", "Edition", "RuleSet", "Total", "released"]

SHOWN: Final = "shown"
SUPPRESSED: Final = "suppressed"


def released(
    table: pa.Table,
    counts: Sequence[str],
    *,
    amounts: Sequence[str] = (),
    totals: Sequence[Total] = (),
    within_counts: Mapping[str, Sequence[str]] | None = None,
    ratios: Mapping[str, tuple[str, str]] | None = None,
    earlier: Edition | Sequence[Edition] = (),
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
    name: str = "table",
) -> pa.Table:
    """The table as it may leave.

    Parameters
    ----------
    table : Arrow, one row a group; other columns than those named here pass through and may hold no figures of people
    counts : names of the columns that count people, whole numbers without nulls
    amounts : names of columns that are sums over people (events, days, pounds), each with the columns that
        `amounts.concentrated` makes beside it; these are taken out. Hidden, too, where few people dominate the sum
    totals : which rows are sums of others
    within_counts : mapping of a count (or an amount) to those that are parts of it, such as ``{"n": ["positives"]}``:
        what is left over (the people without the outcome) is protected too, though it is not printed
    ratios : mapping of a column to (numerator, denominator) count columns; made again from the rounded counts, null
        where either is suppressed
    earlier : Edition or all of them, the same table as it left before: a count is suppressed, too, when the two figures
        together would show that from 1 to just below the threshold people came or went
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
    held = _counts(table, counts, [*amounts, *(part for one in amounts for part in helpers(one))], totals, ratios or {})
    cells = [rules.cell(int(count)) for name_ in counts for count in held[name_]]
    cells += [cell for one in amounts for cell in amount_cells(table, one, rules)]
    columns, rows = [*counts, *amounts], table.num_rows
    editions = (earlier,) if isinstance(earlier, Edition) else earlier
    before = [Before.of(edition, table, columns, rules) for edition in editions]
    for each in before:
        cells = each.remembered(cells)

    def rest(place: int, left: int) -> Cell:
        return amount_rest(left, rules) if place >= len(counts) else rules.cell(left, printed=False)

    sums = sums_over_rows(table, len(columns), totals, cells, rest)
    sums += _sums_in_rows(rows, columns, within_counts or {}, cells, rest)
    hidden = _hidden(cells, sums)
    while telling := {at for each in before for at in each.telling(cells, sums, hidden, rules)}:
        cells = [with_few_coming(cell, rules) if at in telling else cell for at, cell in enumerate(cells)]
        hidden = _hidden(cells, sums)
    printed = {
        column: [
            _print(cells[at], at in hidden, column in counts, rules) for at in range(place * rows, (place + 1) * rows)
        ]
        for place, column in enumerate(columns)
    }
    closed = [
        any(place * rows + row in hidden and cells[place * rows + row].count for place in range(len(columns)))
        for row in range(rows)
    ]
    table = table.drop_columns([part for one in amounts for part in helpers(one)])
    made = _with_counts(table, printed, ratios or {})
    made = made.append_column("disclosure", pa.array([SUPPRESSED if row else SHOWN for row in closed], pa.string()))
    if ledger is not None:
        ledger.append("released", table=name, rules=rules.name, rows=table.num_rows, suppressed=sum(closed))
    return made


def _hidden(cells: Sequence[Cell], sums: Sequence[Sum]) -> set[int]:
    return {at for at, cell in enumerate(cells) if cell.shown is None} | further_hidden(cells, sums)


def _print(cell: Cell, hide: bool, of_people: bool, rules: RuleSet) -> int | None:
    if not hide:
        return rules.rounded(cell.count)
    return 0 if of_people and rules.small_becomes_zero and cell.count < rules.smallest_shown else None


def _counts(
    table: pa.Table,
    counts: Sequence[str],
    further: Sequence[str],
    totals: Sequence[Total],
    ratios: Mapping[str, tuple[str, str]],
) -> dict[str, npt.NDArray[np.int64]]:
    wanted = {*counts, *further, *(name for total in totals for name in (total.column, *total.within)), *ratios}
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


def _sums_in_rows(
    rows: int, columns: Sequence[str], within: Mapping[str, Sequence[str]], cells: list[Cell], rest: Rest
) -> list[Sum]:
    """Each count or amount with its parts and a rest; the rest gets a cell of its own at the end of `cells`."""
    sums = []
    for whole, parts in within.items():
        for row in range(rows):
            total = columns.index(whole) * rows + row
            places = tuple(columns.index(part) * rows + row for part in parts)
            left = cells[total].count - sum(cells[at].count for at in places)
            if left >= 0:
                cells.append(rest(columns.index(whole), left))
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
