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

from riskmodel.governance.amounts import helpers
from riskmodel.governance.disclosure import RULES, RuleSet, Total
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
    of_people : tuple of those counts that add up people's parts (a person may have many events): with each goes what it
        takes to see whether few people make it up (see `governance.amounts`)
    """

    dimensions: tuple[str, ...]
    slices: tuple[tuple[str, ...], ...]
    counts: Mapping[str, str]
    of_people: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The counts, and after them what goes with those that add up people's parts."""
        return (*self.counts, *(name for each in self.of_people for name in helpers(each)))

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


def counted(reading: Reading, rows: str, cube: Cube, rules: RuleSet = RULES["hes"]) -> pa.Table:
    """The cube of the rows of a view or table, one column a dimension (text) and one a count (int64).

    Parameters
    ----------
    reading : Reading
    rows : str, name of the view or table; with a column ``entity_id`` where counts are `of_people`
    cube : Cube
    rules : RuleSet, for how many of the largest parts are looked at together

    Examples
    --------
    >>> from riskmodel.engines.duckdb import connect
    >>> made = Reading(connect(), None)
    >>> made.keep("t", "SELECT unnest(['a', 'a', 'b']) AS place, unnest(['x', 'y', 'x']) AS year")
    >>> cube = Cube(("place", "year"), (("place", "year"),), {"n": "count(*)"})
    >>> counted(made, "t", cube).num_rows                                                       # 4 + 2 + 2 + 1
    9
    """
    counts = ", ".join(f"({expression})::BIGINT AS {name}" for name, expression in cube.counts.items())
    sets = ", ".join(f"({', '.join(map(_named, names))})" for names in cube.sets)
    found = reading.query(f"SELECT {_labels(cube)}, {counts} FROM {rows} GROUP BY GROUPING SETS ({sets})")
    return _completed([found, *(_parts(reading, rows, cube, name, rules) for name in cube.of_people)], cube)


def _parts(reading: Reading, rows: str, cube: Cube, count: str, rules: RuleSet) -> pa.Table:
    """Of one count in every cell: how many people have a part in it, and its largest parts."""
    sets = ", ".join(f"({', '.join([*map(_named, names), 'entity_id'])})" for names in cube.sets)
    people, largest, second, top = helpers(count)
    names = ", ".join(map(_named, cube.dimensions))
    return reading.query(
        f"""WITH parts AS (SELECT {_labels(cube)}, ({cube.counts[count]})::BIGINT AS part FROM {rows}
                WHERE entity_id IS NOT NULL GROUP BY GROUPING SETS ({sets}))
            SELECT {names}, count(*) AS {people}, max(part) AS {largest}, coalesce(max(part, 2)[2], 0) AS {second},
                list_sum(max(part, {rules.largest}))::BIGINT AS {top} FROM parts WHERE part > 0 GROUP BY {names}"""
    )


def _labels(cube: Cube) -> str:
    """The dimensions as SQL: what is added up over stands as "all"."""
    used = {name for names in cube.sets for name in names}
    return ", ".join(
        f"CASE WHEN grouping({_named(name)}) = 1 THEN '{ALL}' "
        f"ELSE coalesce({_named(name)}::VARCHAR, '{UNKNOWN}') END AS {_named(name)}"
        if name in used
        else f"'{ALL}' AS {_named(name)}"
        for name in cube.dimensions
    )


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


def _completed(found: list[pa.Table], cube: Cube) -> pa.Table:
    """Every combination of what occurs, sorted, a nought where nothing was counted."""
    have: dict[tuple[str, ...], dict[str, Any]] = {}
    for part in found:
        for row in part.to_pylist():
            have.setdefault(tuple(row[name] for name in cube.dimensions), {}).update(row)
    occurring = {name: sorted(set(found[0].column(name).to_pylist()) - {ALL}) for name in cube.dimensions}
    keys = {
        key
        for names in cube.sets
        for key in product(*(occurring[name] if name in names else [ALL] for name in cube.dimensions))
    }
    ordered = sorted(keys)
    columns: dict[str, pa.Array] = {
        name: pa.array([key[place] for key in ordered], pa.string()) for place, name in enumerate(cube.dimensions)
    }
    for name in cube.columns:
        columns[name] = pa.array([have.get(key, {}).get(name, 0) for key in ordered], pa.int64())
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
