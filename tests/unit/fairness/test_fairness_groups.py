"""Who belongs to which group; a missing value is a group of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.fairness.groups import UNKNOWN, groupings


@pytest.mark.parametrize(
    "values",
    [
        ["b", None, "a", "", " a ", "Unknown"],
        np.array(["b", np.nan, "a", "", " a ", "unknown"], object),
        pd.Series(["b", pd.NA, "a", "", " a ", "unknown"]),
        pd.Series(["b", None, "a", "", " a ", "UNKNOWN"], dtype="category"),
        pa.array(["b", None, "a", "", " a ", "unknown"]),
        pa.chunked_array([["b", None], ["a", "", " a ", "unknown"]]).dictionary_encode(),
    ],
)
def test_none_nan_and_empty_text_are_the_group_unknown(values):
    (made,) = groupings({"g": values})
    assert made.names == ("a", "b", UNKNOWN)
    assert made.codes.tolist() == [1, 2, 0, 2, 0, 2]


def test_numbers_are_groups_too_and_nan_is_unknown():
    (made,) = groupings({"band": np.array([2.0, np.nan, 1.0])})
    assert made.names == ("1", "2", UNKNOWN)
    assert made.codes.tolist() == [1, 2, 0]


def test_numbers_and_texts_mixed():
    (made,) = groupings({"band": [1, "x", None]})
    assert made.names == ("1", "x", UNKNOWN)


def test_an_intersection_has_only_the_groups_that_occur():
    frame = pd.DataFrame({"sex": ["f", "f", "m", None], "area": ["n", "s", "n", "s"]})
    (made,) = groupings(frame, [("sex", "area")])
    assert made.attribute == "sex, area"
    assert made.names == ("f, n", "f, s", "m, n", "unknown, s")
    assert made.codes.tolist() == [0, 1, 2, 3]


def test_faults_of_the_declaration_are_gathered():
    with pytest.raises(DeclarationError) as refused:
        groupings({"sex": ["f"]}, ["gender", ("sex", "sex"), "region"])
    assert refused.value.code == "groups-unknown"
    assert len(refused.value.faults) == 3


def test_free_text_is_not_a_grouping_and_its_values_are_not_told():
    with pytest.raises(DataRefused) as refused:
        groupings({"note": [f"Ann Example {number}" for number in range(600)]})
    assert refused.value.code == "groups-too-many"
    assert "Ann" not in str(refused.value)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", None])), min_size=1))
def test_every_row_has_exactly_one_group_and_an_intersection_refines_both(rows):
    columns = {"one": [row[0] for row in rows], "two": [row[1] for row in rows]}
    one, two, both = groupings(columns, ["one", "two", ("one", "two")])
    for number in range(len(rows)):
        parts = both.names[both.codes[number]].split(", ")
        assert parts == [one.names[one.codes[number]], two.names[two.codes[number]]]
    assert (np.bincount(both.codes, minlength=len(both.names)) > 0).all()
