"""The list as a file: caveats inside, review columns empty, no order of risk unless capacity was approved."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.advisory.export import BASIS, CAVEATS, REVIEW_COLUMNS, csv_bytes, safe_text
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.words import MADE_UP
from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.governance.ledger import Ledger

ROOM = {name: pa.nulls(1, pa.string()) for name in REVIEW_COLUMNS}


def lines_of(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    text = path.read_text(encoding="utf-8")
    head = [line for line in text.splitlines() if line.startswith("#")]
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return head, list(csv.DictReader(io.StringIO(body)))


def test_both_files_carry_the_caveats_and_room_for_the_review(scored: Any, tmp_path: Path) -> None:
    scored.export(tmp_path / "list")
    head, rows = lines_of(tmp_path / "list" / "advisory_list.csv")
    assert head[0] == "# ADVICE, NOT DECISIONS."
    assert any("This is advice, not a decision" in line for line in head)
    assert any(f"Valid until {scored.basis.valid_until.day} " in line for line in head)
    assert any("No list leaves the building." in line for line in head)
    assert len(rows) == scored.people
    assert all(row[name] == "" for row in rows for name in REVIEW_COLUMNS)
    table = pq.read_table(tmp_path / "list" / "advisory_list.parquet")
    assert table.column_names[-3:] == list(REVIEW_COLUMNS)
    assert b"This is advice, not a decision" in table.schema.metadata[CAVEATS]
    assert json.loads(table.schema.metadata[BASIS])["model"] == scored.basis.model
    assert table["review: decision"].null_count == scored.people


def test_the_same_list_is_written_with_the_same_bytes(scored: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        scored.export(tmp_path / name)
    for file in ("advisory_list.csv", "advisory_list.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_order_is_by_pseudonym_and_says_that_it_means_nothing(scored: Any, tmp_path: Path) -> None:
    head, rows = lines_of(scored.export(tmp_path) / "advisory_list.csv")
    assert [row["pseudonym"] for row in rows] == list(scored.pseudonyms)
    assert any("the order means nothing" in line for line in head)


def test_by_capacity_there_are_as_many_people_as_the_board_allowed(scored: Any, tmp_path: Path) -> None:
    head, rows = lines_of(scored.export(tmp_path, order="capacity") / "advisory_list.csv")
    everybody = sorted((scored.person(each).probability for each in scored.pseudonyms), reverse=True)
    listed = [scored.person(row["pseudonym"]).probability for row in rows]
    assert listed == everybody[:5]
    ties = everybody[5:].count(everybody[4])
    assert any(f"5 of {scored.people} people" in line and f"{ties} more have the same" in line for line in head)


def test_without_an_approved_capacity_there_is_no_order_of_risk(partnership: Any, tmp_path: Path) -> None:
    scores: Scores = partnership.scores(partnership.approved())
    with pytest.raises(NotPermitted, match="capacity-not-approved"):
        scores.export(tmp_path, order="capacity")
    assert partnership.last_entry()[1]["code"] == "capacity-not-approved"
    with pytest.raises(DeclarationError, match="order-unknown"):
        scores.export(tmp_path, order="probability")
    assert list(tmp_path.glob("advisory*")) == []


def test_an_export_is_in_the_ledger(scored: Any, partnership: Any, tmp_path: Path) -> None:
    scored.export(tmp_path, order="capacity")
    action, facts = partnership.last_entry()
    assert action == "export"
    assert (facts["people"], facts["order"], facts["list"]) == (5, "capacity", scored.fingerprint)


def let_out(asked: str, scores: Scores, folder: Path) -> Any:
    """Everything by which a score leaves or is drawn."""
    if asked == "export":
        return scores.export(folder)
    if asked == "list":
        return scores.to_table()
    who = scores.pseudonyms[0]
    return scores.waterfall(who) if asked == "waterfall" else scores.brief(who, folder / "brief.html")


@pytest.mark.parametrize("asked", ["export", "list", "brief", "waterfall"])
def test_attack_a_list_that_no_longer_holds(asked: str, past: Any, partnership: Any, tmp_path: Path) -> None:
    """Past its day, lengthened in memory, under an approval that was withdrawn, or kept with another ledger."""

    def must_be_refused(code: str, scores: Any) -> None:
        with pytest.raises(NotPermitted, match=code):
            let_out(asked, scores, tmp_path)
        entry = list(scores.ledger.entries())[-1]
        assert (entry.action, entry.facts["code"], entry.facts["asked"]) == ("refused", code, asked)

    must_be_refused("score-no-longer-valid", past)
    must_be_refused("list-not-recorded", replace(past, basis=replace(past.basis, valid_until=dt.date(9999, 1, 1))))
    must_be_refused("approval-not-recorded", replace(past, ledger=Ledger(tmp_path / "other.jsonl")))
    held, kept = partnership.scores(partnership.approved("held.toml")), tmp_path / "kept"
    kept.mkdir()
    assert let_out(asked, held, kept)
    partnership.approved("withdrawn.toml", decision="withdrawn")
    must_be_refused("approval-superseded", held)
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".html", ".csv", ".parquet")]


def test_a_list_of_made_up_people_says_so_wherever_it_goes_and_outlives_its_day(
    partnership: Any, tmp_path: Path
) -> None:
    made = partnership.scores(partnership.approved(), cohort=partnership.cohort, made_up=True)
    assert partnership.last_entry()[1]["made_up"] is True
    head, _ = lines_of(made.export(tmp_path) / "advisory_list.csv")
    assert head[0] == f"# {MADE_UP}"
    assert MADE_UP.encode() in pq.read_table(tmp_path / "advisory_list.parquet").schema.metadata[CAVEATS]
    assert made.person(made.pseudonyms[0]).explain().startswith(MADE_UP)
    assert MADE_UP in made.brief(made.pseudonyms[0], tmp_path / "brief.html").read_text()
    real = replace(made, basis=replace(made.basis, made_up=False))
    with pytest.raises(NotPermitted, match="list-not-recorded"):  # the mark cannot be taken off
        real.export(tmp_path / "real")


def test_attack_exporting_after_the_approval_ended(scored: Any, partnership: Any, tmp_path: Path) -> None:
    ended = replace(scored.basis.approval, valid_until=dt.date.today())
    late = replace(scored, basis=replace(scored.basis, approval=replace(ended, seal=ended.fingerprint)))
    with pytest.raises(NotPermitted, match="approval-expired"):
        late.export(tmp_path)
    assert partnership.last_entry()[1] == {
        "code": "approval-expired",
        "asked": "export",
        "purpose": "early-support",
        "list": late.fingerprint,
    }


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=2"])
def test_attack_a_text_that_a_spreadsheet_would_run(text: str) -> None:
    assert safe_text(text) == f"'{text}"
    table = pa.table({"raises": [text], **ROOM}).replace_schema_metadata({CAVEATS: b"=not a formula either"})
    written = csv_bytes(table).decode()
    assert written.startswith("# =not")
    cell = next(iter(csv.reader(io.StringIO(written.split("\n", 2)[2]))))[0]
    assert cell.startswith("'")


def test_plain_texts_and_numbers_stay() -> None:
    assert safe_text("number of arson events: 3") == "number of arson events: 3"
    table = pa.table({"p": [0.123456], "n": [3], **ROOM}).replace_schema_metadata({CAVEATS: b"x"})
    assert csv_bytes(table).decode().endswith('\n0.1235,3,"","",""\n')


def test_attack_a_list_without_room_for_the_review_or_without_caveats(scored: Any) -> None:
    table = scored.to_table()
    for less in (table.drop_columns([REVIEW_COLUMNS[1]]), table.replace_schema_metadata(None)):
        with pytest.raises(NotPermitted, match="list-without-review"):
            csv_bytes(less)
