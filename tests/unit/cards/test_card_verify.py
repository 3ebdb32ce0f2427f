"""An altered card, a page that says otherwise, and a card whose results have moved on are each refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.verify import verify_card
from riskmodel.errors import EvidenceError


@pytest.fixture
def saved(card: ModelCard, tmp_path: Path) -> Path:
    card.save(tmp_path)
    return tmp_path


def refused(saved: Path, **given: Any) -> EvidenceError:
    with pytest.raises(EvidenceError) as error:
        verify_card(saved, **given)
    return error.value


def changed(saved: Path, file: str, old: str, new: str) -> None:
    path = saved / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_card_as_it_was_saved_stands(saved: Path, card: ModelCard) -> None:
    found = verify_card(saved)
    assert found.fingerprint == card.fingerprint
    assert not found.compared
    assert "were not made again" in str(found)


def test_a_card_made_again_from_the_same_results_stands(saved: Path, case: Any) -> None:
    found = verify_card(saved, case.draft())
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
    verify_card(tmp_path)  # another library draws another line: the words are the same
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
