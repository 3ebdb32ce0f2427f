"""Cubes: every slice with its totals, noughts where nothing happened, and slices that would be hidden left out."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from riskmodel.engines.duckdb import connect
from riskmodel.governance.disclosure import released
from riskmodel.population.cube import Cube, counted, sliced, thinned
from riskmodel.population.reading import Reading

ROWS = pa.table(
    {"place": ["a"] * 50 + ["b"] * 20, "year": ["1"] * 30 + ["2"] * 20 + ["1"] * 20, "who": list(range(70))}
)
CUBE = Cube(("place", "year"), (("place", "year"),), {"events": "count(*)"})


def read(rows: pa.Table) -> Reading:
    made = Reading(connect(), dt.datetime(2022, 1, 1))
    made.connection.register("given", rows)
    return made


def test_a_cube_holds_every_slice_its_totals_and_its_noughts():
    made = counted(read(ROWS), "given", CUBE)
    found = {(row["place"], row["year"]): row["events"] for row in made.to_pylist()}
    assert found == {
        ("a", "1"): 30, ("a", "2"): 20, ("b", "1"): 20, ("b", "2"): 0, ("a", "all"): 50, ("b", "all"): 20,
        ("all", "1"): 50, ("all", "2"): 20, ("all", "all"): 70,
    }  # fmt: skip


def test_a_missing_word_is_unknown_and_a_dimension_without_a_slice_is_all():
    rows = pa.table({"place": ["a", None], "year": ["1", "1"]})
    made = counted(read(rows), "given", Cube(("place", "year"), (("place",),), {"events": "count(*)"}))
    assert {(row["place"], row["year"]) for row in made.to_pylist()} == {
        ("a", "all"), ("unknown", "all"), ("all", "all")
    }  # fmt: skip


def test_the_slices_of_one_cube_cannot_be_laid_beside_each_other():
    """By place 5 + 60, by year 30 + 35: the years show the sum of the places, and the 5 stays hidden all the same."""
    rows = pa.table({"place": ["a"] * 5 + ["b"] * 60, "year": ["1"] * 30 + ["2"] * 35})
    cube = Cube(("place", "year"), (("place",), ("year",)), {"events": "count(*)"})
    left = released(counted(read(rows), "given", cube), ["events"], totals=cube.totals)
    by_place = {row["place"]: row["events"] for row in sliced(left, "place")}
    assert by_place["a"] is None
    (whole,) = sliced(left)
    assert whole["events"] == 65
    assert by_place["b"] in (None, 60)


def test_slices_that_would_mostly_be_hidden_are_left_out():
    few = pa.table({"place": ["a"] * 3 + ["b"] * 40, "year": ["1"] * 20 + ["2"] * 23})
    table = counted(read(few), "given", CUBE)
    assert not sliced(thinned(table, CUBE, "events", 8), "place", "year")  # a/1 is 3 of three cells with anybody
    assert len(sliced(thinned(table, CUBE, "events", 8), "place")) == 2
    whole = counted(read(ROWS), "given", CUBE)
    assert thinned(whole, CUBE, "events", 8).num_rows == whole.num_rows
