"""Is a card what it was, and does it still say what the results say?

Without results: the document still fits its fingerprint, its figures do not contradict each other, nothing small is
shown, no required text is empty, no day has passed, and the pages still say what the document says. What counts is what
is rendered from card.json; of a PDF only the name of its card is looked at. With the results of the run: every figure
and every section is made again from them and compared. Any fault refuses the card; nothing here repairs one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from riskmodel import __version__
from riskmodel.cards.beside import files_beside
from riskmodel.cards.model_card import FORMAT, JSON_FILE, MARKDOWN_FILE, PAGE_FILE, ModelCard
from riskmodel.cards.pdf import named_in
from riskmodel.cards.provenance import seal
from riskmodel.cards.states import must_be_ready
from riskmodel.errors import EvidenceError
from riskmodel.governance.standings import State


@dataclass(frozen=True, slots=True)
class Verification:
    """A card that stood up to the check.

    Attributes
    ----------
    fingerprint : str
    claims : int, figures on the card
    compared : bool, whether they were made again from the results
    state : what it may go on to
    other_code : bool, whether they were made again by other code than the card names
    """

    fingerprint: str
    claims: int
    compared: bool
    state: State = "draft"
    other_code: bool = False

    def __str__(self) -> str:
        made = (
            f"all {self.claims} figures made again"
            if self.compared
            else f"its {self.claims} figures were not made again"
        )
        made += ", by other code than it names" if self.other_code else ""
        on = "" if self.state == "draft" else f" Nothing keeps it from being {self.state.replace('_', ' ')}."
        return f"The card is as it was drafted, {made}; fingerprint {self.fingerprint}.{on}"


def verify_card(
    folder: str | Path, again: ModelCard | None = None, *, state: State = "draft", today: dt.date | None = None
) -> Verification:
    """Check a saved card.

    Parameters
    ----------
    folder : with card.json, card.html and card.md, and whatever stands beside them
    again : ModelCard or None, the card drafted anew from the results that the saved one names
    state : what the card is to go on to; "draft" asks for no more than a card has to hold
    today : date or None, the day on which its days are looked at; None is today

    Raises
    ------
    EvidenceError : the card was altered, is stale because the results say something else now, or is held back from the
        state; all of it is named
    """
    folder = Path(folder)
    card = whole(ModelCard.load(folder))
    _refuse("card-altered", _page_faults(card, folder), "the card as it was saved", _AGAIN)
    must_be_ready(card.document, state, today or dt.date.today())
    stale = [] if again is None else _differences(card.document, again.document)
    if stale:
        said = f"a card that says otherwise than the results in {len(stale)} places: {'; '.join(stale[:20])}"
        _refuse("card-stale", [said], "the figures of the results", _NEW)
    code = [] if again is None else [_made(each).get("code") for each in (card.document, again.document)]
    other = len(set(code) - {None}) > 1
    return Verification(card.fingerprint, len(card.document["evidence"]["claims"]), again is not None, state, other)


def whole(card: ModelCard) -> ModelCard:
    """The card, when its document fits its fingerprint and what is said of its making fits its seal.

    Raises
    ------
    EvidenceError : the document was altered
    """
    _refuse("card-altered", _document_faults(card), "the card as it was saved", _AGAIN)
    return card


_AGAIN = "Make the card again from the results; do not use this one."
_NEW = "Make the card again, and give the board the new one."


def _refuse(code: str, found: list[str], expected: str, repair: str) -> None:
    if found:
        raise EvidenceError(code, found="; ".join(found), expected=expected, repair=repair)


def _document_faults(card: ModelCard) -> list[str]:
    document = card.document
    if document.get("format") != FORMAT:
        return [f"the format {document.get('format')!r}, not {FORMAT!r}"]
    if ModelCard.from_document(document).fingerprint != card.fingerprint:
        return ["a document that does not fit its fingerprint"]
    made = document.get("made")
    if made is not None and made.get("seal") != seal(made, card.fingerprint):
        return ["what is said about when, by which code and from which data it was made does not fit its seal"]
    return []


def _page_faults(card: ModelCard, folder: Path) -> list[str]:
    """Pages that do not say what the document says: to the byte under the same software, else word for word."""
    wanted = {**{name: text for name, text in card.files().items() if name != JSON_FILE}, **files_beside(card)}
    faults = [f"no {name}" for name in (PAGE_FILE, MARKDOWN_FILE) if not (folder / name).exists()]
    for name, text in wanted.items():
        if not (folder / name).exists():
            continue
        found = (folder / name).read_text(encoding="utf-8")
        if not _made_here(card.document):
            found, text = _spoken(found), _spoken(text)
        if found != text:
            faults.append(f"{name}, which does not say what {JSON_FILE} says")
    for path in sorted(folder.glob("*.pdf")):
        named = named_in(path.read_bytes())
        if named is not None and named != card.fingerprint:
            faults.append(f"{path.name}, which was made of another card")
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
    data = [_made(each).get("data") for each in (saved, again)]
    if None not in data and data[0] != data[1]:
        differing.append("the fingerprint of the records that it was made from")
    for kind, find in (("artefact", _artefacts), ("figure", _claims), ("section", _sections)):
        before, after = find(saved), find(again)
        differing += [f"{kind} {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return differing


def _made(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a card says of its making, which is no part of its fingerprint."""
    return document.get("made") or {}


def _artefacts(document: Mapping[str, Any]) -> dict[str, Any]:
    return {artefact["name"]: artefact["fingerprint"] for artefact in document["evidence"]["artefacts"]}


def _claims(document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(document["evidence"]["claims"])


def _sections(document: Mapping[str, Any]) -> dict[str, Any]:
    return {section["name"]: section for section in document["sections"] if section["name"] != "annex"}
