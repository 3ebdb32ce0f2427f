"""The page: one file, no network, no script, everything escaped, every figure with its table, readable structure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from riskmodel.cards import html
from riskmodel.cards.model_card import ModelCard

ATTACK = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
VOID = {"meta", "wbr", "link", "br", "img", "hr", "input", "path", "use", "rect"}


class Reader(HTMLParser):
    """Collects tags, ids and headings, and checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name == "href" and str(value).startswith("#"):
                self.links.append(str(value)[1:])
            followed = tag == "a" and str(value).startswith("https://")  # a source that a reader may choose to open
            if name in ("src", "href", "action") and not followed and not str(value).startswith(("#", "data:")):
                self.outside.append(str(value))
            assert not name.startswith("on"), f"an event handler on {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(card: ModelCard) -> str:
    return card.files()["card.html"]


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_tags_close_in_order(read: Reader) -> None:
    assert read.open == []


def test_ids_are_unique_and_every_link_leads_somewhere(read: Reader) -> None:
    assert len(read.ids) == len(set(read.ids))
    assert set(read.links) <= set(read.ids)


def test_nothing_is_fetched_and_nothing_runs(page: str, read: Reader) -> None:
    assert read.outside == []
    assert not {"script", "iframe", "object", "embed", "form"} & set(read.tags)
    assert "url(http" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_it_has_a_language_a_title_one_h1_and_landmarks(page: str, read: Reader) -> None:
    assert '<html lang="en-GB">' in page
    assert read.tags.count("h1") == 1
    assert {"main", "nav", "footer", "header", "title"} <= set(read.tags)
    levels = [int(tag[1]) for tag in read.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_drawing_has_its_words_and_a_table_in_its_section(card: ModelCard, page: str) -> None:
    for section in card.document["sections"]:
        kinds = [block["block"] for block in section["blocks"]]
        assert "figure" not in kinds or "table" in kinds, section["name"]
    drawings = re.findall(r"<svg[^>]*>", page)
    assert drawings
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', drawing) for drawing in drawings)


def test_every_table_has_a_caption_and_scoped_headings(read: Reader, page: str) -> None:
    assert read.tags.count("caption") == read.tags.count("table") > 10
    assert len(re.findall(r'<th scope="(?:col|row)"', page)) == read.tags.count("th")


def test_the_state_and_that_it_is_advice_stand_at_the_top(page: str) -> None:
    top = page[page.index("<body") : page.index('<nav class="contents"')]
    assert "Draft. Not approved for use." in top
    assert "Advisory only. Not a decision about anyone." in top


def test_text_from_people_and_data_cannot_become_markup(case: Any) -> None:
    hostile = case.draft().document["text"] | dict.fromkeys(
        ("title", "summary", "organisation", "people", "intended_use", "owner", "outcome_words"), ATTACK
    )
    report = {"feeds": {ATTACK: {"delivered": 1, "accepted": 0, "quarantined": {ATTACK: 1}}}}
    files = case.draft(hostile, intake_report=report).files()
    for name in ("card.html", "card.md"):
        assert "<script" not in files[name]
        assert "<img" not in files[name]
    Reader().feed(files["card.html"])


def test_markdown_shows_text_as_it_is_written() -> None:
    assert (
        html.escaped_markdown("a | b\n# c *d* [e](javascript:f) `g`")
        == "a \\| b # c \\*d\\* \\[e](javascript:f) \\`g\\`"
    )
    assert html.escaped_markdown("# not a heading") == "\\# not a heading"
    assert html.escaped_markdown("1. not a list") == "1\\. not a list"


def test_every_state_of_a_card_has_its_words(card: ModelCard) -> None:
    for state, said in html.STATES.items():
        assert said in html.page({**card.document, "state": state}).replace("&#39;", "'")


CONTRAST = [("#0b0c0c", "#ffffff"), ("#505a5f", "#ffffff"), ("#1a5599", "#ffffff"), ("#8a3300", "#ffffff"),
            ("#0b0c0c", "#fdf3ea"), ("#ffffff", "#12436d"), ("#0b0c0c", "#f3f5f6"), ("#c8500a", "#ffffff"),
            ("#0b0c0c", "#ffdd00")]  # fmt: skip


@pytest.mark.parametrize(("ink", "paper"), CONTRAST)
def test_contrast_is_at_least_that_of_wcag_aa(ink: str, paper: str) -> None:
    lighter, darker = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
