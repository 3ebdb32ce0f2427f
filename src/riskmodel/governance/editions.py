"""What a table gives away beside the editions of it that left before: that few people came or went.

A reader of two editions subtracts them. When it is certain that a count changed, and by fewer people than the
threshold, the newer figure is hidden; certain not only by the two figures, but by all that follows from the sums of
each edition. A figure that was shown before and still holds is known to the reader, so that hiding it now protects
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.errors import EvidenceError
from riskmodel.governance.derivable import Cell, Sum, feasible
from riskmodel.governance.rules import RuleSet

Span = tuple[float, float]


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

    def figures(self, count: str) -> dict[tuple[Any, ...], int | None]:
        """The figures of a count, by row; None where it was hidden."""
        if count not in self.table.column_names:
            return {}
        return dict(zip(self.rows(self.table), self.table.column(count).to_pylist(), strict=True))

    def rows(self, table: pa.Table) -> list[tuple[Any, ...]]:
        """Which row of a table is which."""
        return list(zip(*(table.column(name).to_pylist() for name in self.keys), strict=True))

    def __repr__(self) -> str:
        return f"Edition({self.table.num_rows:,} rows)"


@dataclass(frozen=True, slots=True)
class Before:
    """What a reader of an earlier edition knows of each place of the present table.

    Attributes
    ----------
    spans : (least, greatest) of each figure that was shown then, by its place now
    cells : of the earlier edition, at the places of now
    """

    spans: dict[int, Span]
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, edition: Edition, table: pa.Table, columns: Sequence[str], rules: RuleSet) -> Before:
        """An edition laid beside the table that is to leave."""
        spans: dict[int, Span] = {}
        cells: list[Cell] = []
        for column in columns:
            held = edition.figures(column)
            for key in edition.rows(table):
                figure = held.get(key)
                if figure is not None:
                    spans[len(cells)] = rules.span_of(figure)
                cells.append(Cell(0, spans.get(len(cells)), (0.0, np.inf), None))
        return cls(spans, tuple(cells))

    def remembered(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells of now, each as a reader knows it who remembers what was shown and still holds."""
        return [
            replace(cell, hidden=span)
            if (span := self.spans.get(at)) and cell.shown is not None and span[0] <= cell.count <= span[1]
            else cell
            for at, cell in enumerate(cells)
        ]

    def telling(self, cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], rules: RuleSet) -> Iterator[int]:
        """Places whose figure would tell, beside the earlier one, of a change by fewer people than the threshold."""
        then = [each for each in sums if max(each.total, *each.parts) < len(self.cells)]
        closed = {at for at, cell in enumerate(self.cells) if cell.shown is None}
        for at, before in self.spans.items():
            now = cells[at].shown
            if at in hidden or now is None or not _may_tell(now, before, rules):
                continue
            if _tells(_tight(cells, sums, hidden, at, now), _tight(self.cells, then, closed, at, before), rules):
                yield at


def with_few_coming(cell: Cell, rules: RuleSet) -> Cell:
    """The cell hidden so that its change from an earlier edition may be anything up to the threshold."""
    most = rules.smallest_shown - 1
    return Cell(cell.count, None, (1.0, np.inf), (float(max(1, cell.count - most)), float(cell.count + most)))


def _may_tell(now: Span, before: Span, rules: RuleSet) -> bool:
    """Whether it is certain by the figures that somebody came or went, and they may have been few."""
    least, greatest = now[0] - before[1], now[1] - before[0]
    return (least > 0 or greatest < 0) and min(abs(least), abs(greatest)) < rules.smallest_shown


def _tells(now: Span, before: Span, rules: RuleSet) -> bool:
    least, greatest = now[0] - before[1], now[1] - before[0]
    return (least > 0 or greatest < 0) and max(abs(least), abs(greatest)) < rules.smallest_shown


def _tight(cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], at: int, shown: Span) -> Span:
    """What the sums leave of a figure; all that was shown where they do not fit (an edition that did not add up)."""
    try:
        least, greatest = feasible(cells, sums, hidden, at)
    except EvidenceError:
        return shown
    return max(least, shown[0]), min(greatest, shown[1])
