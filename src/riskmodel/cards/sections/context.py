"""What became of models like this one elsewhere: facts with their sources, the same on every card."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from riskmodel.cards.blocks import Column, Paragraph, Section, Table

INTRO = (
    "None of this is about the model on this card. It shows what such models did elsewhere, for good and ill, so that"
    " its figures can be read beside something."
)


@cache
def context() -> Section:
    """The section, from the list that comes with the package."""
    text = (files("riskmodel.cards") / "context.toml").read_text(encoding="utf-8")
    facts = tomllib.loads(text)["fact"]
    rows = tuple((fact["text"], {"text": fact["source"], "href": fact["link"]}) for fact in facts)
    table = Table("What is known from elsewhere", (Column("What was found"), Column("Source", "link")), rows)
    return Section("context", "Such models elsewhere", (Paragraph(INTRO), table))
