"""Counts in all the slices a page needs, with their totals, as one table: a cube is protected as a whole.

If a page shows harm by year and place, by year and month, and by sex and age, these tables share their totals. Made
safe one by one they can be laid beside each other and taken apart. So all slices of one count are one long table, in
which a dimension that a slice does not use holds the word "all"; `governance.disclosure` then sees every sum there is.
Combinations in which nothing happened are there with a nought: a row that is missing would say as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.governance.disclosure import Total
from riskmodel.population.reading import Reading

ALL = "all"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cube:
    """What is counted, and by what.

    Parameters
    ----------
    dimensions : tuple of column names of the rows that are counted
    slices : tuple of tuples of dimensions; totals of each are added, down to the whole
    counts : mapping of a count to its SQL expression, such as ``{"events": "count(*)"}``
    """

    dimensions: tuple[str, ...]
    slices: tuple[tuple[str, ...], ...]
    counts: Mapping[str, str]

    @property
    def totals(self) -> tuple[Total, ...]:
        """Which rows are sums of which others."""
        return tuple(
            Total(name, ALL, tuple(other for other in self.dimensions if other != name)) for name in self.dimensions
        )

    @property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """Every grouping that is counted: the slices and all that they add up to."""
        held: set[tuple[str, ...]] = set()
        for slice_ in self.slices:
            for chosen in product((True, False), repeat=len(slice_)):
                held.add(tuple(name for name, use in zip(slice_, chosen, strict=True) if use))
        return tuple(sorted(held, key=lambda names: (len(names), names)))


def counted(reading: Reading, rows: str, cube: Cube) -> pa.Table:
    """The cube of the rows of a view or table, one column a dimension (text) and one a count (int64).

    Examples
    --------
    >>> from riskmodel.engines.duckdb import connect
    >>> made = Reading(connect(), None)
    >>> made.keep("t", "SELECT unnest(['a', 'a', 'b']) AS place, unnest(['x', 'y', 'x']) AS year")
    >>> cube = Cube(("place", "year"), (("place", "year"),), {"n": "count(*)"})
    >>> counted(made, "t", cube).num_rows                                                       # 4 + 2 + 2 + 1
    9
    """
    sets = ", ".join(f"({', '.join(map(_named, names))})" for names in cube.sets)
    used = {name for names in cube.sets for name in names}
    labels = ", ".join(
        f"CASE WHEN grouping({_named(name)}) = 1 THEN '{ALL}' "
        f"ELSE coalesce({_named(name)}::VARCHAR, '{UNKNOWN}') END AS {_named(name)}"
        if name in used
        else f"'{ALL}' AS {_named(name)}"
        for name in cube.dimensions
    )
    counts = ", ".join(f"({expression})::BIGINT AS {name}" for name, expression in cube.counts.items())
    found = reading.query(f"SELECT {labels}, {counts} FROM {rows} GROUP BY GROUPING SETS ({sets})")
    return _completed(found, cube)


MOST_SMALL = 0.25
"""A slice of which a larger share of the cells with anybody in them is small is not published at all."""


def thinned(table: pa.Table, cube: Cube, count: str, smallest: int) -> pa.Table:
    """The cube without the slices that would mostly be hidden: they tell a reader nothing and an attacker something.

    Parameters
    ----------
    count : the count that is judged
    smallest : the smallest count that may be shown
    """
    columns = [table.column(name).to_pylist() for name in cube.dimensions]
    used = [
        tuple(name for name, word in zip(cube.dimensions, words, strict=True) if word != ALL)
        for words in zip(*columns, strict=True)
    ]
    values = table.column(count).to_pylist()
    keep = [True] * len(used)
    for slice_ in {names for names in used if len(names) > 1}:
        cells = [value for names, value in zip(used, values, strict=True) if names == slice_ and value]
        if cells and sum(value < smallest for value in cells) > MOST_SMALL * len(cells):
            keep = [held and names != slice_ for held, names in zip(keep, used, strict=True)]
    return table.filter(pa.array(keep))


def _named(name: str) -> str:
    """A column's name in SQL, also where it is a word of SQL, such as group."""
    return f'"{name}"'


def _completed(found: pa.Table, cube: Cube) -> pa.Table:
    """Every combination of what occurs, sorted, a nought where nothing was counted."""
    have = {tuple(row[name] for name in cube.dimensions): row for row in found.to_pylist()}
    occurring = {name: sorted(set(found.column(name).to_pylist()) - {ALL}) for name in cube.dimensions}
    keys = {
        key
        for names in cube.sets
        for key in product(*(occurring[name] if name in names else [ALL] for name in cube.dimensions))
    }
    ordered = sorted(keys)
    columns: dict[str, pa.Array] = {
        name: pa.array([key[place] for key in ordered], pa.string()) for place, name in enumerate(cube.dimensions)
    }
    for name in cube.counts:
        columns[name] = pa.array([have[key][name] if key in have else 0 for key in ordered], pa.int64())
    return pa.table(columns)


def sliced(table: pa.Table, *by: str, **fixed: str) -> list[dict[str, Any]]:
    """The rows of one slice: `by` vary, `fixed` have the given value, every other dimension is "all".

    Examples
    --------
    >>> table = pa.table({"place": ["A", "A", "all"], "year": ["2020", "all", "all"], "n": [10, 20, 60]})
    >>> sliced(table, "place")
    [{'place': 'A', 'n': 20}]
    >>> sliced(table, "year", place="A")
    [{'year': '2020', 'n': 10}]
    """
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    dimensions = [name for name in texts if name != "disclosure"]
    keep = None
    for name in dimensions:
        column = table.column(name)
        mask = pc.not_equal(column, ALL) if name in by else pc.equal(column, fixed.get(name, ALL))
        keep = mask if keep is None else pc.and_(keep, mask)
    held = table if keep is None else table.filter(keep)
    return [{name: value for name, value in row.items() if name in by or name not in texts} for row in held.to_pylist()]
