"""Fingerprints, schemas and pseudonyms."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import DataRefused
from riskmodel.tables import (
    LINKS,
    ROWS,
    conform,
    entity_id_of,
    entity_label,
    fingerprint_document,
    fingerprint_table,
    ordered,
    pseudonyms,
)

MIXED = pa.table(
    {
        "number": pa.array([1, None, 3, 4]),
        "text": pa.array(["a", None, "", "lång"]),
        "day": pa.array([dt.date(2020, 1, 1), None, None, dt.date(1899, 12, 31)]),
        "share": pa.array([1.5, float("nan"), None, -0.0]),
        "yes": pa.array([True, None, False, True]),
        "at": pa.array([dt.datetime(2020, 1, 1, 2, 3), None, None, dt.datetime(1960, 1, 1)], pa.timestamp("us")),
    }
)


@given(st.lists(st.integers(0, 4), max_size=3))
def test_the_fingerprint_does_not_see_chunks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 4]
    pieces = [MIXED.slice(low, high - low) for low, high in pairwise(edges)]
    assert fingerprint_table(pa.concat_tables(pieces)) == fingerprint_table(MIXED)


def test_the_fingerprint_does_not_see_the_encoding() -> None:
    coded = MIXED.set_column(1, "text", MIXED["text"].combine_chunks().dictionary_encode())
    coded_fingerprint = fingerprint_table(coded.cast(MIXED.schema))
    assert coded_fingerprint == fingerprint_table(MIXED)


@pytest.mark.parametrize("name", MIXED.column_names)
def test_the_fingerprint_sees_every_column(name: str) -> None:
    place = MIXED.column_names.index(name)
    turned = MIXED.set_column(place, name, MIXED[name].take([3, 2, 1, 1]))
    assert fingerprint_table(turned) != fingerprint_table(MIXED)
    assert fingerprint_table(MIXED.rename_columns([*MIXED.column_names[:-1], "other"])) != fingerprint_table(MIXED)


def test_empty_and_unknown_are_not_the_same() -> None:
    empty, unknown = pa.table({"a": pa.array([""])}), pa.table({"a": pa.array([None], pa.string())})
    zero, nothing = pa.table({"a": pa.array([0])}), pa.table({"a": pa.array([None], pa.int64())})
    assert fingerprint_table(empty) != fingerprint_table(unknown)
    assert fingerprint_table(zero) != fingerprint_table(nothing)


def test_texts_do_not_run_together() -> None:
    assert fingerprint_table(pa.table({"a": ["ab", "c"]})) != fingerprint_table(pa.table({"a": ["a", "bc"]}))


def test_documents_are_the_same_in_any_order() -> None:
    assert fingerprint_document({"a": 1, "b": [2]}) == fingerprint_document({"b": [2], "a": 1})
    assert fingerprint_document({"a": [1, 2]}) != fingerprint_document({"a": [2, 1]})


def test_conform_fills_what_may_be_absent_and_refuses_the_rest() -> None:
    rows = conform(pa.table({"as_of": [dt.datetime(2020, 1, 1)], "entity_id": [3], "more": ["x"]}), ROWS)
    assert rows.schema == ROWS
    with pytest.raises(DataRefused, match="without feed, agency, person_key, probability"):
        conform(pa.table({"entity_id": [1]}), LINKS)
    with pytest.raises(DataRefused, match="1 empty values of entity_id"):
        conform(pa.table({"entity_id": pa.array([None], pa.int64()), "as_of": [dt.datetime(2020, 1, 1)]}), ROWS)


def test_ordered_sorts_by_every_key_with_unknown_first() -> None:
    table = pa.table({"a": [2, 1, 1, None], "b": ["x", "z", "y", "w"]})
    assert ordered(table, ["a", "b"])["b"].to_pylist() == ["w", "y", "z", "x"]


@given(st.integers(-(2**63), 2**63 - 1))
def test_labels_can_be_read_back(number: int) -> None:
    assert entity_id_of(entity_label(number)) == number


def test_pseudonyms_are_stable_positive_and_salted() -> None:
    first, again, salted = (pseudonyms(["a", "b"], salt) for salt in ("s", "s", "t"))
    assert (first == again).all()
    assert (first != salted).all()
    assert (first > 0).all()
