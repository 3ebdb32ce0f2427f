"""The parts of a card's page, for a page around them: each section apart, with drawings of the caller's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from riskmodel.cards import figures, html
from riskmodel.cards.blocks import Figure, Table, section_from
from riskmodel.explain.drawings import Width

Drawing = Callable[[Figure, str, Width], Markup]
"""What stands for a figure, given the figure, its name on the page and the width asked for."""


def section_pages(document: Mapping[str, Any], drawing: Drawing) -> dict[str, Markup]:
    """The inside of each section of a card, by the section's name, as the card's own page has it."""
    template = html._environment(escaped=True).get_template("card.html.j2")
    module: Any = template.make_module({**html._context(document), "drawing": drawing})
    return {
        section.name: Markup("\n").join(
            Markup(module.show(block, f"{section.name}-{place}")) for place, block in enumerate(section.blocks, start=1)
        )
        for section in (section_from(given) for given in document["sections"])
    }


def figures_of(document: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures of a card by their names on its page."""
    return {
        f"{section.name}-{place}": block
        for section in (section_from(given) for given in document["sections"])
        for place, block in enumerate(section.blocks, start=1)
        if isinstance(block, Figure)
    }


def drawn(figure: Figure, name: str, width: Width) -> str:
    """One figure as a picture of its own."""
    return html.alone(figures.svg(figure.drawing, figure.data, name, figure.alt, width))


def table_page(document: Mapping[str, Any], table: Table) -> Markup:
    """One more table about a card, as its own page would have it."""
    template = html._environment(escaped=True).get_template("card.html.j2")
    context = html._context({**document, "sections": []})
    module: Any = template.make_module({**context, "drawing": None})
    return Markup(module.show(table, "table"))
