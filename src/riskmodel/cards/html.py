"""A card's document as a web page and as Markdown: one file each, nothing fetched, no script, all text escaped.

Both are made from ``card.json`` alone, so that a page can be made again and compared. Nothing here adds a fact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from riskmodel.cards import figures
from riskmodel.cards.blocks import Figure, section_from
from riskmodel.cards.words import day_words
from riskmodel.explain.drawings import Width
from riskmodel.population.pages.html import type_sheet

STATES: Mapping[str, str] = {
    "draft": "Draft. Not approved for use.",
    "reviewed": "Reviewed. Not approved for use.",
    "approved": "Approved by the board, within its conditions.",
    "in_use": "In use, within the board's conditions.",
    "retired": "Retired. Not to be used.",
}


def page(document: Mapping[str, Any]) -> str:
    """The card as one self-contained web page."""
    return _environment(escaped=True).get_template("card.html.j2").render(**_context(document), drawing=_drawing)


def markdown(document: Mapping[str, Any]) -> str:
    """The card as Markdown: figures become their words, their tables stay."""
    text = _environment(escaped=False).get_template("card.md.j2").render(**_context(document))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def pictures(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each drawing of a card by itself: its name, made of its section and caption, and the SVG with its words."""
    for section in document.get("sections", ()):
        for place, block in enumerate(section_from(section).blocks, start=1):
            if isinstance(block, Figure):
                said = re.sub(r"[^a-z0-9]+", "-", block.caption.lower()).strip("-")
                drawn = str(_drawing(block, f"{section['name']}-{place}", "wide"))
                yield f"{section['name']}-{said}", alone(drawn)


def alone(drawn: str) -> str:
    """A drawing as a file of its own."""
    named = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return drawn.replace("<svg ", f'<svg {named} style="background:#fff;font-family:Arial,sans-serif" ', 1)


def render(template: str, **given: Any) -> str:
    """Another page in the same type, from a template of this package."""
    css = Markup(stylesheet())
    return _environment(escaped=True).get_template(template).render(css=css, **given)


def stylesheet() -> str:
    """The type of every page, and what cards alone have."""
    return type_sheet() + _template("card.css")


def escaped_markdown(text: str) -> str:
    """Text that Markdown shows as it is written.

    Examples
    --------
    >>> escaped_markdown("a | b <script> [x](y) mental_health")
    'a \\\\| b &lt;script> \\\\[x](y) mental_health'
    """
    flat = " ".join(str(text).split())
    flat = re.sub(r"([\\`*|\[])", r"\\\1", flat).replace("&", "&amp;").replace("<", "&lt;")
    flat = re.sub(r"^(\d+)\.(?=\s)", r"\1\\.", flat)
    return re.sub(r"^(#+|>|-|\+)(?=\s)", r"\\\1", flat)


def _context(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "card": document,
        "sections": [section_from(section) for section in document["sections"]],
        "sources": {artefact["name"]: artefact for artefact in document["evidence"]["artefacts"]},
        "state_words": document.get("state_words", STATES[document["state"]]),
        "kind": document.get("kind", "Model card"),
        "day": day_words,
        "css": Markup(stylesheet()),
    }


def _drawing(block: Figure, name: str, width: Width) -> Markup:
    return Markup(_drawn(block.drawing, json.dumps(block.data, sort_keys=True), name, block.alt, width))


@lru_cache(maxsize=512)
def _drawn(drawing: str, data: str, name: str, alt: str, width: Width) -> str:
    """A drawing is the same for the same data, so that a page shown again is not drawn again."""
    return figures.svg(drawing, json.loads(data), name, alt, width)


@cache
def _environment(*, escaped: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escaped_markdown
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """A machine name that may break after a point or an underscore."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])", name))


def _template(name: str) -> str:
    return (files("riskmodel.cards") / "templates" / name).read_text(encoding="utf-8")
