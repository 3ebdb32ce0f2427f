"""Cards and their briefs as PDF: tagged for readers of screens (PDF/UA-1), nothing fetched while it is made.

It is made of the very page that the browser shows, under the page's own print style, as pages of a population are.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from riskmodel.cards import html
from riskmodel.cards.beside import files_beside
from riskmodel.cards.model_card import PAGE_FILE, ModelCard
from riskmodel.population.pages.html import page_pdf as pdf

__all__ = ["named_in", "pdf", "write_pdfs"]


def write_pdfs(card: ModelCard, folder: str | Path) -> tuple[Path, ...]:
    """Write the card and every page beside it as PDF into a folder; returns their paths."""
    pages = {PAGE_FILE: html.page(card.document), **files_beside(card)}
    written = []
    for name, page in pages.items():
        if name.endswith(".html"):
            path = Path(folder) / f"{name.removesuffix('.html')}.pdf"
            path.write_bytes(pdf(page))
            written.append(path)
    return tuple(written)


def named_in(made: bytes) -> str | None:
    """The fingerprint of the card that a PDF was made of; None where it names none.

    WeasyPrint keeps the page's keywords with the document. It is a name, not a proof: what a PDF says is not compared.
    """
    parts = [made, *(_unpacked(part) for part in re.findall(rb"stream\r?\n(.*?)endstream", made, flags=re.DOTALL))]
    found = next((found for part in parts if (found := re.search(rb"card ([0-9a-f]{64})", part))), None)
    return None if found is None else found.group(1).decode("ascii")


def _unpacked(part: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(part)
    except zlib.error:
        return b""
