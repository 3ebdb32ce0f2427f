"""What is written beside a card: board brief, public summary, records under the standards, front matter for hubs.

All of it is made from the card alone, so that it can be made again and compared; no file beside a card adds a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskmodel.cards import html
from riskmodel.cards.brief import MARKDOWN, PAGE, board_brief
from riskmodel.cards.evaluation import KIND as EVALUATION
from riskmodel.cards.evaluation_brief import evaluation_brief
from riskmodel.cards.front_matter import FILE as README
from riskmodel.cards.front_matter import readme
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.public import public_files
from riskmodel.cards.records_page import records_files

PUBLISHED = ("card.*", "brief.*", "public.*", "records.*", README)
"""The names of everything that a card's folder may hold."""


def brief_of(card: ModelCard) -> dict[str, Any] | None:
    """The two pages for the board as a document; None while a person must still answer something on the card."""
    if card.document.get("unanswered"):
        return None
    return evaluation_brief(card) if card.document.get("kind") == EVALUATION else board_brief(card)


def files_beside(card: ModelCard) -> Mapping[str, str]:
    """The files that stand beside the card, by name; none beside one on which a person must still answer."""
    brief = brief_of(card)
    if brief is None:
        return {}
    pages = {PAGE: html.page(brief), MARKDOWN: html.markdown(brief)}
    if card.document.get("kind") == EVALUATION:
        return pages
    return {
        **pages,
        **public_files(card),
        **records_files(card),
        README: readme(card),
    }


def write_beside(card: ModelCard, folder: str | Path) -> None:
    """Write them into the folder of the card."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files_beside(card).items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
