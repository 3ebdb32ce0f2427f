"""Which figures of a table are the sums of which others, as a reader knows and as the figures bear out.

A total that is larger than its printed parts has a rest (people of no group, a category that was left out): nobody
prints it, everybody can work it out. It becomes a cell of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from riskmodel.governance.derivable import Cell, Sum

Rest = Callable[[int, int], Cell]
"""Makes the cell of a rest that is not printed: of the number of its column of figures, and how much is left."""


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


def sums_over_rows(table: pa.Table, columns: int, totals: Sequence[Total], cells: list[Cell], rest: Rest) -> list[Sum]:
    """The sums among the rows of a table, for each of its columns of figures.

    Parameters
    ----------
    columns : how many columns of figures `cells` holds, one after the other
    cells : of the table; rests get cells of their own at its end
    rest : makes those
    """
    sums = []
    for total in totals:
        labels = table.column(total.column).to_pylist()
        keys = list(zip(*(table.column(name).to_pylist() for name in total.within), strict=True)) or [()] * len(labels)
        for row, label in enumerate(labels):
            if label != total.label:
                continue
            parts = [at for at, key in enumerate(keys) if key == keys[row] and labels[at] != total.label]
            for place in range(columns if parts else 0):
                start = place * table.num_rows
                whole, some = start + row, tuple(start + at for at in parts)
                left = cells[whole].count - sum(cells[at].count for at in some)
                # parts that are more than their total overlap, as where a person counts in several groups
                if left > 0:
                    cells.append(rest(place, left))
                    some = (*some, len(cells) - 1)
                if left >= 0:
                    sums.append(Sum(whole, some))
    return sums
