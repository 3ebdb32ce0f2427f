"""Is a card what it was, and does it still say what the results say?

Without results: the document still fits its fingerprint, and the pages still say what the document says. With the
results of the run: every figure and every section is made again from them and compared. Any difference refuses the
card; nothing here repairs one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from riskmodel import __version__
from riskmodel.cards.model_card import FORMAT, MARKDOWN_FILE, PAGE_FILE, ModelCard
from riskmodel.errors import EvidenceError


@dataclass(frozen=True, slots=True)
class Verification:
    """A card that stood up to the check.

    Attributes
    ----------
    fingerprint : str
    claims : int, figures on the card
    compared : bool, whether they were made again from the results
    """

    fingerprint: str
    claims: int
    compared: bool

    def __str__(self) -> str:
        made = (
            f"all {self.claims} figures made again"
            if self.compared
            else f"its {self.claims} figures were not made again"
        )
        return f"The card is as it was drafted, {made}; fingerprint {self.fingerprint}."


def verify_card(folder: str | Path, again: ModelCard | None = None) -> Verification:
    """Check a saved card.

    Parameters
    ----------
    folder : with card.json, card.html and card.md
    again : ModelCard or None, the card drafted anew from the results that the saved one names

    Raises
    ------
    EvidenceError : the card was altered, or is stale because the results say something else now; all of it is named
    """
    folder = Path(folder)
    card = ModelCard.load(folder)
    altered = [*_document_faults(card), *_page_faults(card, folder)]
    if altered:
        raise EvidenceError(
            "card-altered",
            found="; ".join(altered),
            expected="the card as it was saved",
            repair="Make the card again from the results; do not use this one.",
        )
    stale = [] if again is None else _differences(card.document, again.document)
    if stale:
        raise EvidenceError(
            "card-stale",
            found=f"a card that says otherwise than the results in {len(stale)} places: {'; '.join(stale[:20])}",
            expected="the figures of the results",
            repair="Make the card again, and give the board the new one.",
        )
    return Verification(card.fingerprint, len(card.document["evidence"]["claims"]), again is not None)


def _document_faults(card: ModelCard) -> list[str]:
    if card.document.get("format") != FORMAT:
        return [f"the format {card.document.get('format')!r}, not {FORMAT!r}"]
    if ModelCard.from_document(card.document).fingerprint != card.fingerprint:
        return ["a document that does not fit its fingerprint"]
    names = {artefact["name"] for artefact in card.document["evidence"]["artefacts"]}
    loose = sorted(key for key, claim in card.document["evidence"]["claims"].items() if claim["artefact"] not in names)
    return [f"figures without an artefact: {', '.join(loose)}"] if loose else []


def _page_faults(card: ModelCard, folder: Path) -> list[str]:
    """Pages that do not say what the document says: to the byte under the same software, else word for word."""
    faults = []
    files = card.files()
    for name in (PAGE_FILE, MARKDOWN_FILE):
        path = folder / name
        if not path.exists():
            faults.append(f"no {name}")
            continue
        found, wanted = path.read_text(encoding="utf-8"), files[name]
        if not _made_here(card.document):
            found, wanted = _spoken(found), _spoken(wanted)
        if found != wanted:
            faults.append(f"{name}, which does not say what card.json says")
    return faults


def _made_here(document: Mapping[str, Any]) -> bool:
    made_by = document["software"]
    here = {"riskmodel": __version__, "matplotlib": version("matplotlib"), "jinja2": version("jinja2")}
    return all(made_by.get(name) == number for name, number in here.items())


def _spoken(page: str) -> str:
    """The words of a page, without drawings, style and markup."""
    words = re.sub(r"<(svg|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", words).split())


def _differences(saved: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Where two cards say different things: artefacts, figures, texts, sections."""
    differing = []
    for part in ("model", "cohort", "outcome", "purpose", "text", "study"):
        if saved.get(part) != again.get(part):
            differing.append(part)
    for kind, find in (("artefact", _artefacts), ("figure", _claims), ("section", _sections)):
        before, after = find(saved), find(again)
        differing += [f"{kind} {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return differing


def _artefacts(document: Mapping[str, Any]) -> dict[str, Any]:
    return {artefact["name"]: artefact["fingerprint"] for artefact in document["evidence"]["artefacts"]}


def _claims(document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(document["evidence"]["claims"])


def _sections(document: Mapping[str, Any]) -> dict[str, Any]:
    return {section["name"]: section for section in document["sections"] if section["name"] != "annex"}
