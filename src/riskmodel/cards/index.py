"""The front page of a folder of cards: what there is, in which state, and what each found, one entry a card.

It says only what the cards say. A card that cannot be read or was altered is listed as such, never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from riskmodel.cards import html
from riskmodel.cards.model_card import JSON_FILE, PAGE_FILE, ModelCard
from riskmodel.cards.words import day_words
from riskmodel.errors import EvidenceError

PAGE, MARKDOWN = "index.html", "README.md"
BESIDE = {"brief.html": "Brief for the board", "public.html": "Public summary", "records.html": "Records"}
"""Pages that may stand beside a card, and what they are called."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One card in the list.

    Attributes
    ----------
    folder : str
    title, summary, finding : str, empty when the card cannot be read
    state : str, in words
    facts : tuple of (term, value)
    pages : tuple of (name, address), the pages that stand beside the card
    """

    folder: str
    state: str
    title: str = ""
    summary: str = ""
    finding: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()

    @property
    def link(self) -> str:
        """Where the card's page is, from the index."""
        return f"{quote(self.folder)}/{PAGE_FILE}"

    @property
    def anchor(self) -> str:
        """An id for the page, made of letters, digits and hyphens."""
        return "card-" + "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in self.folder)


def entries(folder: str | Path) -> tuple[Entry, ...]:
    """The cards in the folders of a folder, by the folders' names."""
    return tuple(_entry(path.parent) for path in sorted(Path(folder).glob(f"*/{JSON_FILE}")))


def index_page(folder: str | Path) -> str:
    """The front page as one self-contained web page."""
    return html.render("index.html.j2", entries=entries(folder))


def index_markdown(folder: str | Path) -> str:
    """The front page as Markdown, for places that show a folder's README."""
    escaped = html.escaped_markdown
    lines = ["# Model cards", "", "Advisory only. No model here decides about anyone.", ""]
    for entry in entries(folder):
        title = f"[{escaped(entry.title)}]({entry.link})" if entry.title else escaped(entry.folder)
        lines += [f"## {title}", "", escaped(entry.state), ""]
        lines += [line for text in (entry.summary, entry.finding) if text for line in (escaped(text), "")]
        lines += [f"- [{words}]({address})" for words, address in entry.pages]
        lines += [f"- **{escaped(term)}**: {escaped(value)}" for term, value in entry.facts]
        lines.append("")
    return "\n".join(lines).strip() + "\n"


def write_index(folder: str | Path) -> Path:
    """Write the front page into the folder of cards; returns the path of the web page."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((PAGE, index_page(folder)), (MARKDOWN, index_markdown(folder))):
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return folder / PAGE


def _entry(folder: Path) -> Entry:
    try:
        card = ModelCard.load(folder)
        document = card.document
        if ModelCard.from_document(document).fingerprint != card.fingerprint:
            return Entry(folder.name, "Altered since it was saved. Not to be used.")
        return Entry(
            folder=folder.name,
            state=document.get("state_words", html.STATES[document["state"]]),
            title=document["title"],
            summary=document["summary"],
            finding=_finding(document["sections"]),
            pages=tuple(
                (words, f"{quote(folder.name)}/{page}") for page, words in BESIDE.items() if (folder / page).exists()
            ),
            facts=(
                ("Published by", document["organisation"]),
                ("Edition", document["edition"] + (f", {day_words(document['date'])}" if document["date"] else "")),
                ("Purpose", document["purpose"]["name"]),
                ("Looked at again by", day_words(document["text"]["review_by"])),
                ("Card fingerprint", card.fingerprint[:16]),
            ),
        )
    except (EvidenceError, KeyError, TypeError) as error:
        return Entry(folder.name, f"Cannot be read ({type(error).__name__}). Not to be used.")


def _finding(sections: list[dict[str, Any]]) -> str:
    """The first paragraph of the card: its finding."""
    blocks = sections[0]["blocks"] if sections else []
    return next((str(block["text"]) for block in blocks if block["block"] == "paragraph"), "")
