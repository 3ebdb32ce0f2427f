"""Linkage on public data with the defaults: FEBRL 3 and 4 (Christen 2008) and the clerical labels of fake_1000."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from riskmodel.linkage.identity import matched

BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "linkage" / "public_records.py"


@pytest.fixture(scope="module")
def public() -> Iterator[ModuleType]:
    """The mapping of the public sets that the bench uses too."""
    spec = importlib.util.spec_from_file_location("public_records", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["public_records"] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["public_records"]


FEBRL_4 = ("febrl4a.parquet", "febrl4b.parquet")


@pytest.fixture(scope="module")
def febrl(published_data: Callable[[str, str], Path], public: ModuleType) -> Callable[[tuple[str, ...], bool], Any]:
    """The records of these files and how well they are linked with defaults, each worked out once."""

    @cache
    def linked(files: tuple[str, ...], with_number: bool) -> tuple[Any, dict[str, float]]:
        known = public.febrl(published_data("record_linkage", files[0]), *files, with_number=with_number)
        return known, public.pair_scores(_clusters(known), known)

    return linked


@pytest.mark.data
@pytest.mark.parametrize(
    ("files", "with_number", "least_precision", "least_f1"),
    [
        (("febrl3.parquet",), True, 0.999, 0.99),
        (FEBRL_4, True, 0.998, 0.995),
        (("febrl3.parquet",), False, 0.997, 0.994),
        (FEBRL_4, False, 0.998, 0.995),
    ],
)
def test_febrl(
    febrl: Callable[[tuple[str, ...], bool], Any],
    files: tuple[str, ...],
    with_number: bool,
    least_precision: float,
    least_f1: float,
) -> None:
    _, scores = febrl(files, with_number)
    assert scores["precision"] >= least_precision
    assert scores["f1"] >= least_f1


@pytest.mark.data
def test_fake_1000_against_its_clerical_labels(published_data: Callable[[str, str], Path], public: ModuleType) -> None:
    """A plain Splink model in the manner of its tutorial reaches .736 in benchmarks/linkage/bench_public.py."""
    known = public.fake_1000(published_data("record_linkage", "fake_1000.parquet"))
    scores = public.pair_scores(_clusters(known), known)
    assert scores["precision"] >= 0.99
    assert scores["f1"] >= 0.87


@pytest.mark.data
@pytest.mark.nightly  # the world in codes is linked every time (tests/truth/test_linkage_in_codes.py)
def test_febrl_4_in_codes_is_linked_as_well_as_in_clear(
    febrl: Callable[[tuple[str, ...], bool], Any], public: ModuleType
) -> None:
    known, clear = febrl(FEBRL_4, False)
    coded = replace(known, people=public.coded(known.people))
    assert public.pair_scores(_clusters(coded), coded)["f1"] >= clear["f1"] - 0.01


def _clusters(known: object) -> dict[str, int]:
    found = matched(known.people)  # type: ignore[attr-defined] # a class of a module loaded by path
    return dict(zip(found.records.column("person_key").to_pylist(), found.cluster.tolist(), strict=True))
