"""What leaves: once, protected with its sums, against the last edition, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError, EvidenceError, NotFound
from riskmodel.governance.disclosure import RULES, RuleSet, Total
from riskmodel.governance.ledger import Ledger
from riskmodel.population.estimate import Estimate
from riskmodel.population.publication import Publication, changes, safe_cell

EXACT = RuleSet("exact", "for this test", 8, 1)
TOTALS = [Total("area", "all")]


def table(**counts: int) -> pa.Table:
    areas = {**counts, "all": sum(counts.values())}
    return pa.table({"area": list(areas), "n": list(areas.values())})


def edition(counts: dict[str, int], earlier: Publication | None = None, rules: RuleSet = EXACT) -> Publication:
    name = "1" if earlier is None else "2"
    made = Publication("needs", name, dt.date(2022, 1, 1), rules, earlier=earlier)
    made.leave("harm", "Harm", table(**counts), keys=("area",), counts=("n",), totals=TOTALS)
    return made


def shown(made: Publication) -> dict[str, int | None]:
    held = made.tables["harm"].table
    return dict(zip(held.column("area").to_pylist(), held.column("n").to_pylist(), strict=True))


def test_a_total_beside_one_hidden_cell_does_not_open_it():
    # 5 is small; with 100 and 40 shown it would be 145 - 140, so that a second one has to go
    assert shown(edition({"a": 5, "b": 40, "c": 100})) == {"a": None, "b": None, "c": 100, "all": 145}


def test_two_editions_cannot_be_subtracted_to_find_who_came():
    first = edition({"a": 40, "b": 60})
    second = edition({"a": 43, "b": 60}, first)  # three people came to a
    assert shown(first)["a"] == 40
    assert shown(second)["a"] is None
    assert shown(second)["all"] is None  # 103 - 100 would say the same


def test_what_the_last_edition_hid_stays_hidden():
    # b was hidden to protect a; shown now, a = 145 - 100 - 40 of the last edition
    first = edition({"a": 5, "b": 40, "c": 100})
    second = edition({"a": 0, "b": 40, "c": 100}, first)
    assert shown(second)["b"] is None
    assert second.tables["harm"].table.column("disclosure").to_pylist()[1] == "suppressed"


def test_editions_are_held_against_their_own_kind_only(tmp_path: Path):
    first = edition({"a": 40})
    with pytest.raises(DeclarationError, match="edition-other"):
        Publication("other", "2", dt.date(2023, 1, 1), EXACT, earlier=first)
    with pytest.raises(NotFound, match="edition-missing"):
        Publication.load(tmp_path)


def test_an_edition_comes_back_from_its_folder_and_an_altered_one_is_refused(tmp_path: Path):
    made = edition({"a": 5, "b": 40, "c": 100})
    made.figure("harm", "share", Estimate(0.4, 0.3, 0.5, 40, "ok", "Wilson 1927"))
    made.save(tmp_path)
    back = Publication.load(tmp_path)
    assert shown(back) == shown(made)
    assert back.figures == made.figures
    assert back.record() == made.record()
    other = edition({"a": 5, "b": 41, "c": 100})
    other.save(tmp_path / "other")
    (tmp_path / "data" / "harm.parquet").write_bytes((tmp_path / "other" / "data" / "harm.parquet").read_bytes())
    with pytest.raises(EvidenceError, match="edition-altered"):
        Publication.load(tmp_path)


def test_changes_are_those_of_figures_that_both_editions_show():
    first, one = edition({"a": 40}), Estimate(2.0, 1.0, 3.0, 40, "ok", "exact")
    first.figure("harm", "rate", one)
    first.figure("harm", "hidden then", Estimate.hidden("exact"))
    second = edition({"a": 60}, first)
    for what in ("rate", "hidden then", "new"):
        second.figure("harm", what, Estimate(3.0, 2.0, 4.0, 60, "ok", "exact"))
    assert [(made.what, made.before, made.now) for made in changes(second)] == [("rate", 2.0, 3.0)]


def test_a_figure_needs_a_table_that_left_and_a_table_leaves_once():
    made = edition({"a": 40})
    with pytest.raises(DeclarationError, match="figure-without-table"):
        made.figure("people", "rate", Estimate.hidden("exact"))
    with pytest.raises(DeclarationError, match="table-twice"):
        made.leave("harm", "Harm", table(a=40), keys=("area",), counts=("n",))


def test_every_release_is_in_the_ledger_and_none_of_its_numbers_is(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    made = Publication("needs", "1", dt.date(2022, 1, 1), RULES["hes"], ledger)
    made.leave("harm", "Harm", table(a=1234, b=3), keys=("area",), counts=("n",), totals=TOTALS)
    (entry,) = ledger.entries()
    assert entry.action == "released"
    assert entry.facts["table"] == "needs 1 harm"
    assert 1234 not in entry.facts.values()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "\rx", "  =1"])
def test_no_cell_of_a_download_is_a_formula(tmp_path: Path, text: str):
    made = Publication("needs", "1", dt.date(2022, 1, 1))
    rows = pa.table({"area": [text], "n": [40]})
    made.leave("harm", "Harm", rows, keys=("area",), counts=("n",))
    made.save(tmp_path)
    with (tmp_path / "data" / "harm.csv").open(encoding="utf-8", newline="") as file:
        (row,) = list(csv.reader(file))[1:]
    assert row == [f"'{text}", "40", "shown"]
    assert safe_cell(-40) == -40
