"""The public summary: one page in plain words for the people whose records are read, and anybody else.

Everything on it stands on the card; it chooses and adds nothing. It says first what the list does and does not mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards import html
from riskmodel.cards.blocks import Block, Bullets, Callout, Facts, Figure, Paragraph, Section, section_from, text_blocks
from riskmodel.cards.limits import RECORDED, SYNTHETIC
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.words import day_words, whose_records

PAGE, MARKDOWN = "public.html", "public.md"
KIND = "Public summary"
DECIDES = "A computer makes the list. It decides nothing. A person looks at each case and makes up their own mind."


def public_summary(card: ModelCard) -> dict[str, Any]:
    """The summary as a document of the card's own form; render it with `cards.html`."""
    document = card.document
    sections = [_what(document), _found(document), _people(document), _ask(document)]
    return {**document, "kind": KIND, "sections": [section.document() for section in sections]}


def public_files(card: ModelCard) -> dict[str, str]:
    """The page and the Markdown, by file name."""
    document = public_summary(card)
    return {PAGE: html.page(document), MARKDOWN: html.markdown(document)}


def _what(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    blocks: list[Block] = [
        *text_blocks(text["intended_use"]),
        *text_blocks(text["not_for"]),
        Paragraph(f"It reads records that are kept by: {whose_records(document)}."),
    ]
    return Section("what", "What it is for, and what not", tuple(blocks))


def _found(document: Mapping[str, Any]) -> Section:
    """The finding in hundreds, with its picture, and what the records cannot show."""
    finding = section_from(next(section for section in document["sections"] if section["name"] == "finding"))
    kept: list[Block] = [
        block for block in finding.blocks if isinstance(block, Figure) or (isinstance(block, Paragraph) and block.lead)
    ]
    kept.append(Callout(RECORDED))
    if document["text"].get("synthetic"):
        kept.append(Callout(SYNTHETIC, "warning"))
    return Section("found", "What it found", tuple(kept))


def _people(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    written = (*text_blocks(text["human_review"]), *text_blocks(text["challenge_route"]))
    return Section("people", "Who decides, and how to object", (Paragraph(DECIDES), *written))


def _ask(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    facts = Facts(
        (
            ("Questions to", text["contact"]),
            ("Answers for it", text["owner"]),
            ("Looked at again by", day_words(text["review_by"])),
        )
    )
    more = Bullets(("All figures, by group and with their intervals, stand on the model card.",))
    return Section("ask", "Who to ask", (facts, more))
