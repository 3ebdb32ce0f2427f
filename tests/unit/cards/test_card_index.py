"""The front page of a folder of cards: every card, its state and finding; a broken card is listed, not left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.cards.index import entries, index_markdown, index_page, write_index
from riskmodel.cards.model_card import ModelCard


@pytest.fixture
def folder(card: ModelCard, tmp_path: Path) -> Path:
    card.save(tmp_path / "a good one")
    card.save(tmp_path / "altered")
    path = tmp_path / "altered" / "card.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"state": "draft"', '"state": "approved"'), encoding="utf-8"
    )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{", encoding="utf-8")
    (tmp_path / "no card").mkdir()
    return tmp_path


def test_every_card_is_listed_with_its_state(folder: Path) -> None:
    assert [(entry.folder, entry.state) for entry in entries(folder)] == [
        ("a good one", "Draft. Not approved for use."),
        ("altered", "Altered since it was saved. Not to be used."),
        ("broken", "Cannot be read (EvidenceError). Not to be used."),
    ]


def test_the_page_links_to_the_card_and_tells_its_finding(folder: Path) -> None:
    page = index_page(folder)
    assert '<a href="a%20good%20one/card.html">Early support for young people</a>' in page
    assert "Of 100 young people on a list" in page
    assert "3 cards." in page
    assert "brief.html" not in page  # nothing stands beside this one
    (folder / "a good one" / "brief.html").write_text("x", encoding="utf-8")
    assert '<a href="a%20good%20one/brief.html">Brief for the board</a>' in index_page(folder)
    assert "<script" not in page


def test_the_markdown_says_the_same(folder: Path) -> None:
    text = index_markdown(folder)
    assert "## [Early support for young people](a%20good%20one/card.html)" in text
    assert "- **Looked at again by**: 31 March 2027" in text


def test_an_empty_folder_has_a_page_too(tmp_path: Path) -> None:
    assert write_index(tmp_path / "cards") == tmp_path / "cards" / "index.html"
    assert "There is no card yet." in (tmp_path / "cards" / "index.html").read_text(encoding="utf-8")


def test_titles_cannot_become_markup(card: ModelCard, tmp_path: Path) -> None:
    ModelCard.from_document({**card.document, "title": "<script>x</script>"}).save(tmp_path / "x")
    assert "<script" not in index_page(tmp_path)
    assert "<script" not in index_markdown(tmp_path)
