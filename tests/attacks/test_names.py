"""Attacks through names: what a group, a place or a code is called comes from data, and data comes from anybody."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.governance.ledger import Ledger
from riskmodel.population.publication import Publication, write_csv

FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", '  =HYPERLINK("http://x")')


@pytest.mark.parametrize("name", FORMULAS)
def test_attack_a_formula_in_a_name_that_reaches_a_table(name: str, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    made = Publication("needs", "2026", dt.date(2026, 1, 1), ledger=ledger)
    table = pa.table({"place": [name, "Mill Lane"], "people": [40, 60]})
    made.leave("people", "People", table, keys=("place",), counts=("people",))
    made.save(tmp_path)
    with (tmp_path / "data" / "people.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][0] == f"'{name}"  # a text to every spreadsheet, and still the name
    assert [entry.action for entry in ledger.entries()] == ["released"]  # who let it out is on record


def test_attack_a_formula_as_the_name_of_a_column(tmp_path: Path) -> None:
    write_csv(pa.table({"=1+1": [1]}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().splitlines()[0] == "'=1+1"
