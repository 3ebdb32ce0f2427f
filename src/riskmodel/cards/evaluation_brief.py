"""One page for a councillor: what happened, how sure that is, what moved, who pays for it, and what comes next.

Everything in it stands on the evaluation card; it chooses and adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Bullets, Callout, Facts, Figure, Paragraph, Section, section_from, text_blocks
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.words import capital, day_words, with_minus

KIND = "One-page summary"


def evaluation_brief(card: ModelCard) -> dict[str, Any]:
    """The summary as a document of the card's own form, with fewer sections; render it with `cards.html`."""
    document = card.document
    sections = [_answer(document), _elsewhere(document), _sure(document), _next(document)]
    return {**document, "kind": KIND, "sections": [section.document() for section in sections]}


def _answer(document: Mapping[str, Any]) -> Section:
    kept = tuple(
        block for block in _section(document, "finding").blocks if isinstance(block, Paragraph | Callout | Figure)
    )
    return Section("finding", "What happened", kept)


def _elsewhere(document: Mapping[str, Any]) -> Section:
    """Net work and moved work in words, the gap, and people at the edge."""
    said = [block.text for block in _section(document, "elsewhere").blocks if isinstance(block, Paragraph)]
    evaluation = document["evaluation"]
    for edge in evaluation["spillovers"]:
        if edge["name"] not in evaluation["conclusion"]["harmed"]:
            said.append(f"{capital(edge['name'])}: no harm is shown.")
    said += [with_minus(each["sentence"]) for each in evaluation["inequality"][:1]]
    return Section("elsewhere", "What moved elsewhere", (Bullets(tuple(said)),))


def _sure(document: Mapping[str, Any]) -> Section:
    evaluation = document["evaluation"]
    grade, deviations = evaluation["grade"], evaluation["deviations"]
    hangs = [with_minus(each["sentence"]) for each in evaluation["without"] if each["changed"]]
    items = [
        *(f"It rests on this: {reason}." for reason in grade["reasons"]),
        *(f"It is not surer because {reason}." for reason in grade["held_back"]),
        *(f"A check speaks against it: {doubt}" for doubt in evaluation["conclusion"]["doubts"]),
        *hangs,
        "Everything was done as planned beforehand."
        if not deviations
        else f"{len(deviations)} thing(s) were done otherwise than planned: {' '.join(deviations)}",
    ]
    return Section("sure", "How sure is this", (Bullets(tuple(items)),))


def _next(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    blocks: tuple[Block, ...] = (
        *text_blocks(text["what_next"]),
        Facts((("Answers for it", text["owner"]), ("Looked at again by", day_words(text["review_by"])))),
    )
    return Section("next", "What happens next", blocks)


def _section(document: Mapping[str, Any], name: str) -> Section:
    return section_from(next(section for section in document["sections"] if section["name"] == name))
