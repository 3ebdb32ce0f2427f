"""Pages from templates: escaped, without script, in the type of the cards; and cards' sections, kept once rendered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from riskmodel.board.glossary import anchor, explained
from riskmodel.board.motions import CHOICE_WORDS, EVALUATION_WORDS
from riskmodel.board.shelf import Item
from riskmodel.cards import html, parts
from riskmodel.cards.blocks import Figure
from riskmodel.cards.words import capital, day_words, plain
from riskmodel.explain.drawings import Width
from riskmodel.governance.standings import Standing

STATE_WORDS: Mapping[str, str] = {
    "draft": "Draft",
    "reviewed": "Before the board",
    "approved": "Approved",
    "in_use": "In use",
    "retired": "Retired",
}
EVALUATION_STATES: Mapping[str, str] = {
    **STATE_WORDS,
    "approved": "Accepted for publication",
    "retired": "No longer accepted",
}
STEP_WORDS: Mapping[str, str] = {
    "submitted": "Put before the board",
    "asked": "A question",
    "answered": "An answer",
    "proposed": "A proposal",
    "voted": "A vote",
    "decided": "The decision was written down",
    "into-use": "Taken into use",
}
_NOTES: Mapping[str, str] = {
    "refused": "Rejected by the board",
    "deferred": "The board asked for more",
    "withdrawn": "Withdrawn by the board",
    "replaced": "Replaced by a later decision",
}
_KEPT = 200


def render(template: str, **given: Any) -> str:
    """A page."""
    return _environment().get_template(template).render(**given)


def stylesheet() -> str:
    """The cards' type and what the reading room adds."""
    own = (files("riskmodel.board") / "templates" / "board.css").read_text(encoding="utf-8")
    return f"{html.stylesheet()}\n{own}"


def address(item: Item, *more: str) -> str:
    """The address of a version's page."""
    version = item.version
    return "/".join(["/models", quote(item.shelf, safe=""), quote(version.name, safe=""), str(version.number), *more])


def states_of(item: Item) -> Mapping[str, str]:
    """The words for the states of a model, or of an evaluation."""
    return EVALUATION_STATES if item.is_evaluation else STATE_WORDS


def choices_of(item: Item) -> Mapping[str, str]:
    """The words for what may be decided on a model, or on an evaluation."""
    return EVALUATION_WORDS if item.is_evaluation else CHOICE_WORDS


def note(standing: Standing) -> str:
    """What the last decision was, where the state alone does not say it."""
    return _NOTES.get(standing.decision, "") if standing.state in ("draft", "retired") else ""


class Sections:
    """The sections of cards as pages, by the card's fingerprint."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, dict[str, Markup]] = OrderedDict()
        self._drawn: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._lock = threading.Lock()  # drawings are not made by several threads at once

    def of(self, document: Mapping[str, Any], base: str) -> dict[str, Markup]:
        """The inside of each section, words explained, drawings as pictures under `base`."""
        key = f"{document['fingerprint']} {base}"
        held = self._held.get(key)
        if held is None:
            made = parts.section_pages(document, lambda figure, name, width: _picture(figure, name, width, base))
            held = {name: explained(inside, name) for name, inside in made.items()}
            self._held[key] = held
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return held

    def drawing(self, document: Mapping[str, Any], name: str, width: Width) -> str | None:
        """One drawing of a card or of its brief, or None when it has none of that name."""
        figure = parts.figures_of(document).get(name)
        if figure is None:
            return None
        key = (f"{document['fingerprint']} {document.get('kind', '')}", name, width)
        with self._lock:
            if key not in self._drawn:
                self._drawn[key] = parts.drawn(figure, name, width)
                while len(self._drawn) > 10 * _KEPT:
                    self._drawn.popitem(last=False)
            return self._drawn[key]


def ready_to_draw() -> None:
    """Draw once for nobody: what draws takes a second to load, and no reader should wait for it."""
    panel = {"title": "", "share": 0.5, "said": ""}
    parts.drawn(Figure("frequencies", "", "", {"panels": [panel]}), "ready", "wide")


def _picture(figure: Figure, name: str, width: Width, base: str) -> Markup:
    """A picture that the browser asks for at the width it has; the narrow one comes with the wide one."""
    if width == "narrow":
        return Markup("")
    made = Markup(
        '<picture><source media="(max-width: 40rem)" srcset="{base}/{name}-narrow.svg">'
        '<img class="picture" src="{base}/{name}-wide.svg" alt="{alt}"></picture>'
    )
    return made.format(base=base, name=name, alt=figure.alt)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("riskmodel.board"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day_words,
        "moment": _moment,
        "plain": plain,
        "capital": capital,
        "anchor": anchor,
        "lines": _lines,
    }
    environment.globals |= {
        "state_words": STATE_WORDS, "states_of": states_of, "choices_of": choices_of, "address": address, "note": note,
        "step_words": STEP_WORDS,
    }  # fmt: skip
    return environment


def _moment(at: str) -> str:
    """A moment in UTC, ISO 8601, as it is written."""
    return f"{day_words(at)}, {at[11:16]}"


def _lines(text: str) -> Markup:
    """What somebody wrote, its line ends kept."""
    return Markup("<br>").join(escape(line) for line in text.split("\n"))
