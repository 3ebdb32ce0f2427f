"""An altered card, a page that says otherwise, and a card whose results have moved on are each refused."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riskmodel.cards import pdf
from riskmodel.cards.beside import write_beside
from riskmodel.cards.evidence import record_of
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.provenance import provenance
from riskmodel.cards.states import lacking, must_be_ready
from riskmodel.cards.verify import verify_card
from riskmodel.cli import app
from riskmodel.errors import EvidenceError

DAY = dt.date(2026, 12, 1)


@pytest.fixture
def saved(card: ModelCard, tmp_path: Path) -> Path:
    card.save(tmp_path)
    return tmp_path


def refused(saved: Path, **given: Any) -> EvidenceError:
    with pytest.raises(EvidenceError) as error:
        verify_card(saved, **{"today": DAY, **given})
    return error.value


def changed(saved: Path, file: str, old: str, new: str) -> None:
    path = saved / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_card_as_it_was_saved_stands(saved: Path, card: ModelCard) -> None:
    found = verify_card(saved, today=DAY)
    assert found.fingerprint == card.fingerprint
    assert not found.compared
    assert "were not made again" in str(found)


def test_a_card_made_again_from_the_same_results_stands(saved: Path, case: Any) -> None:
    found = verify_card(saved, case.draft(), today=DAY)
    assert found.compared
    assert str(found).startswith(f"The card is as it was drafted, all {found.claims} figures made again")


def test_a_changed_document_is_refused(saved: Path) -> None:
    changed(saved, "card.json", '"state": "draft"', '"state": "approved"')
    assert refused(saved).code == "card-altered"


@pytest.mark.parametrize("file", ["card.html", "card.md"])
def test_a_changed_page_is_refused(saved: Path, file: str) -> None:
    changed(saved, file, "Not approved for use", "Approved for use")
    error = refused(saved)
    assert error.code == "card-altered"
    assert file in error.found


def test_a_changed_drawing_is_refused(saved: Path) -> None:
    changed(saved, "card.html", 'class="drawing wide"', 'class="drawing wide" ')
    assert "card.html" in refused(saved).found


def test_a_card_of_other_software_is_compared_word_for_word(card: ModelCard, tmp_path: Path) -> None:
    document = {**card.document, "software": {**card.document["software"], "matplotlib": "3.10.0"}}
    ModelCard.from_document(document).save(tmp_path)
    changed(tmp_path, "card.html", 'class="drawing wide"', 'class="drawing wide" ')
    verify_card(tmp_path, today=DAY)  # another library draws another line: the words are the same
    changed(tmp_path, "card.html", "Not approved for use", "Approved for use")
    assert refused(tmp_path).code == "card-altered"


def test_a_missing_page_is_refused(saved: Path) -> None:
    (saved / "card.md").unlink()
    assert "no card.md" in refused(saved).found


def test_a_document_with_a_fresh_fingerprint_but_a_loose_figure_is_refused(saved: Path) -> None:
    document = json.loads((saved / "card.json").read_text(encoding="utf-8"))
    document["evidence"]["claims"]["performance.base_rate"]["artefact"] = "hearsay"
    ModelCard.from_document(document).save(saved)
    assert "figures without an artefact: performance.base_rate" in refused(saved).found


def forged(saved: Path, change: Callable[[dict[str, Any]], None]) -> EvidenceError:
    """The card with something changed, its fingerprint and pages made anew, as somebody would who knows how."""
    document = json.loads((saved / "card.json").read_text(encoding="utf-8"))
    change(document)
    ModelCard.from_document(document).save(saved)
    return refused(saved)


def in_table(document: dict[str, Any], caption: str, value: Any, column: int) -> None:
    table = next(
        block for section in document["sections"] for block in section["blocks"] if block.get("caption") == caption
    )
    table["rows"][0][column] = value


BETTER = {"value": 0.99, "low": 0.98, "high": 1.0, "state": "ok"}
FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a better figure": (
        lambda document: in_table(document, "Each way of ranking, all test periods together", BETTER, 1),
        "that is not among the card's figures",
    ),
    "a better band": (
        lambda document: in_table(document, "Predicted and observed, by band", BETTER, 1),
        "that is not among the card's figures",
    ),
    "a state": (lambda document: document.update(state="approved"), "which only the ledger can give"),
    "another model": (
        lambda document: document["model"].update(fingerprint="a" * 64),
        "the model of the card is not the one that its figures come from",
    ),
    "few people": (
        lambda document: in_table(document, "Of 100, by sex and ethnicity", 3, 1),
        "a number of people too small to show",
    ),
    "few behind a figure": (
        lambda document: document["evidence"]["claims"]["performance.base_rate"].update(n=5),
        "rests on a number of people too small to show",
    ),
    "a hidden figure shown": (
        lambda document: document["evidence"]["claims"]["performance.base_rate"].update(state="suppressed"),
        "is suppressed and shown all the same",
    ),
    "a figure outside its interval": (
        lambda document: document["evidence"]["claims"]["performance.model.all.auroc"].update(value=1.0),
        "lies outside its own interval",
    ),
    "a limit left out": (
        lambda document: next(
            section for section in document["sections"] if section["name"] == "limits"
        )["blocks"][0]["items"].pop(0),
        "1 of the limits that every card must print are not on it",
    ),
    "an empty text": (
        lambda document: document["text"].update(challenge_route="  to be confirmed  "),
        "nothing written for challenge_route",
    ),
    "an empty section": (
        lambda document: document["sections"][2].update(blocks=[]),
        "nothing in the sections purpose",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_that_contradicts_the_card_is_refused(name: str, saved: Path) -> None:
    change, found = FORGERIES[name]
    assert found in forged(saved, change).found


def test_a_forgery_that_contradicts_nothing_is_found_by_making_the_card_again(saved: Path, case: Any) -> None:
    document = json.loads((saved / "card.json").read_text(encoding="utf-8"))
    document["text"]["not_for"] = "Nothing."
    ModelCard.from_document(document).save(saved)
    verify_card(saved, today=DAY)
    assert "text" in refused(saved, again=case.draft()).found


def test_a_figure_of_another_run_or_other_records_is_found_by_making_the_card_again(saved: Path, case: Any) -> None:
    again = case.draft().dated(provenance("e" * 64))
    document = json.loads((saved / "card.json").read_text(encoding="utf-8"))
    (audit,) = (one for one in document["evidence"]["artefacts"] if one["name"] == "audit")
    audit["fingerprint"] = "a" * 64  # the audit of another run, on a card whose other figures are of this one
    ModelCard.from_document(document).dated(again.document["made"]).save(saved)
    assert "artefact audit" in refused(saved, again=again).found
    made = again.document["made"]
    case.draft().dated({**made, "data": "f" * 64}).save(saved)  # sealed anew, as somebody would who knows how
    assert "the fingerprint of the records" in refused(saved, again=again).found
    case.draft().dated({**made, "code": "f" * 64}).save(saved)
    assert "by other code than it names" in str(verify_card(saved, again, today=DAY))
    case.draft().dated(made).save(saved)
    assert "other code" not in str(verify_card(saved, again, today=DAY))


def test_a_figure_of_an_altered_card_is_not_told(saved: Path) -> None:
    words = ["card", "figure", str(saved), "performance.model.all.auroc"]
    assert json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)["artefact"] == "evaluation"
    changed(saved, "card.json", '"unit": "count"', '"unit": "number"')
    with pytest.raises(EvidenceError, match="card-altered"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_page_beside_the_card_that_says_otherwise_is_refused(saved: Path, card: ModelCard) -> None:
    write_beside(card, saved)
    verify_card(saved, today=DAY)
    for name in ("brief.html", "public.md", "records.json", "README.md"):
        write_beside(card, saved)
        changed(saved, name, "young people", "adults")
        assert f"{name}, which does not say" in refused(saved).found


def test_the_making_is_sealed_and_leaves_the_fingerprint(card: ModelCard, tmp_path: Path) -> None:
    made = {"at": "2026-11-23T10:00:00+00:00", "commit": "c" * 40, "code": "d" * 64, "data": "e" * 64}
    dated = card.dated(made).save(tmp_path)
    assert dated.fingerprint == card.fingerprint
    verify_card(tmp_path, today=DAY)
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "23 November 2026, 10:00 UTC" in page
    assert "c" * 40 in page
    assert "e" * 64 in page
    document = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    document["made"]["at"] = "2026-12-24T10:00:00+00:00"
    ModelCard(document).save(tmp_path)
    assert "does not fit its seal" in refused(tmp_path).found


def test_the_clock_can_be_set_where_bytes_have_to_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796083200")
    made = provenance("e" * 64)
    assert made["at"] == "2026-12-01T00:00:00+00:00"
    assert re.fullmatch(r"[0-9a-f]{64}", made["code"])
    assert re.fullmatch(r"[0-9a-f]{40}( with changes)?|not known", made["commit"])


LATER = {
    "legal": "Part 3.", "fairness_choice": "Missed people.", "triggers": ["drift"], "participation": "A forum.",
    "children": "A card of their own.", "equality": "1 March.", "impact_assessment": "1 March.",
    "training": "Half a day.", "oversight": "Counted.", "incidents": "To the lead.",
}  # fmt: skip


def test_each_state_asks_for_its_own_texts(case: Any) -> None:
    text = case.draft().document["text"]
    document = case.draft().document
    assert list(lacking(document, "draft")) == []
    assert list(lacking(document, "reviewed")) == [
        "legal", "fairness_choice", "triggers", "participation", "children"
    ]  # fmt: skip
    assert list(lacking(document, "in_use")) == list(LATER)
    assert lacking(case.draft(text | LATER).document, "retired") == {}


def test_an_open_question_keeps_a_card_from_the_board(case: Any) -> None:
    document = case.draft().document | {"unanswered": ["held_out", "rows"]}
    must_be_ready(document, "draft", DAY)
    with pytest.raises(EvidenceError, match="a person must still answer held out and rows"):
        must_be_ready(document, "reviewed", DAY)


def test_adults_need_no_word_on_children(card: ModelCard) -> None:
    document = {**card.document, "cohort": {**card.document["cohort"], "aged": [18, 25]}}
    assert "children" not in lacking(document, "reviewed")


def test_a_day_that_has_passed_keeps_a_card_from_going_on(case: Any, tmp_path: Path) -> None:
    case.draft(case.draft().document["text"] | LATER).save(tmp_path)
    verify_card(tmp_path, today=dt.date(2030, 1, 1))  # as a draft it stays what it was
    found = refused(tmp_path, state="approved", today=dt.date(2027, 6, 1)).found
    assert "to be looked at again by 2027-03-31" in found
    assert "its purpose ends by 2027-06-01" in found


def test_a_gap_keeps_a_card_from_the_next_state(case: Any, tmp_path: Path) -> None:
    text = case.draft().document["text"] | LATER
    case.draft(text).save(tmp_path / "whole")
    assert "Nothing keeps it from being in use" in str(verify_card(tmp_path / "whole", state="in_use", today=DAY))
    case.draft(text | {"equality": "tbc"}).save(tmp_path / "gap")
    verify_card(tmp_path / "gap", state="reviewed", today=DAY)
    error = refused(tmp_path / "gap", state="approved")
    assert error.code == "card-held-back"
    assert "nothing written for equality" in error.found


def test_a_stale_card_is_refused_and_says_where(saved: Path, case: Any) -> None:
    again = json.loads(json.dumps(case.draft().document))
    again["evidence"]["claims"]["performance.model.all.auroc"]["value"] = 0.5
    error = refused(saved, again=ModelCard.from_document(again))
    assert error.code == "card-stale"
    assert "figure performance.model.all.auroc" in error.found


def test_a_changed_text_makes_a_card_stale(saved: Path, case: Any) -> None:
    again = case.draft(case.draft().document["text"] | {"owner": "Someone else"})
    assert "text" in refused(saved, again=again).found


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"format": "x"}'])
def test_what_is_no_card_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "card.json").write_text(content, encoding="utf-8")
    assert refused(tmp_path).code == "card-unreadable"


def test_a_pdf_of_another_card_is_refused_and_one_of_this_card_stands(saved: Path, card: ModelCard) -> None:
    (saved / "card.pdf").write_bytes(pdf.pdf(_sheet(card.fingerprint)))
    verify_card(saved, today=DAY)
    (saved / "brief.pdf").write_bytes(pdf.pdf(_sheet("d" * 64)))
    assert "brief.pdf, which was made of another card" in refused(saved).found


def _sheet(fingerprint: str) -> str:
    head = f'<title>A card</title><meta name="keywords" content="card {fingerprint}">'
    return f'<!DOCTYPE html><html lang="en-GB"><head>{head}</head><body><p>A card.</p></body></html>'


def test_every_figure_leads_to_its_artefact_code_data_and_day(card: ModelCard) -> None:
    made = provenance("a" * 64)
    document = card.dated(made).document
    marks = {each["name"]: each["fingerprint"] for each in document["evidence"]["artefacts"]}
    claims = document["evidence"]["claims"]
    assert len(claims) > 50
    for key, claim in claims.items():
        found = record_of(document, key)
        assert {name: found[name] for name in claim} == claim
        assert found["sha256"] == marks[claim["artefact"]]
        assert (found["commit"], found["code"], found["data"], found["made_at"]) == (
            *(made[name] for name in ("commit", "code", "data")),
            made["at"],
        )
    assert record_of(card.document, "performance.base_rate")["made_at"] == "not known"
    with pytest.raises(EvidenceError, match="figure-missing"):
        record_of(document, "performance.hearsay")
