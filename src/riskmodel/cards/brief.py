"""The board brief: two pages of the card for people who have ten minutes, with what only they can answer.

Everything in it stands on the card already; it chooses and never adds. It keeps the finding, what the model must not be
used for, whether it is better than simpler ways, how groups differ, the limits with the run's own figures, and the
questions that no run can answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards import limits
from riskmodel.cards.blocks import (
    Block,
    Bullets,
    Callout,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Section,
    section_from,
    text_blocks,
)
from riskmodel.cards.evidence import Claim
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.questionnaire import algo_care_record
from riskmodel.cards.words import day_words, learner_words, uncapital

PAGE, MARKDOWN = "brief.html", "brief.md"
_KEPT_LIMITS = (limits.RECORDED, limits.GOOD_HELP, limits.HUMAN, limits.SYNTHETIC)
_KEPT_STARTS = ("Most ", "Of 100 ", "Not estimable")


def board_brief(card: ModelCard) -> dict[str, Any]:
    """The brief as a document of the card's own form, with fewer sections; render it with `cards.html`."""
    document = card.document
    sections = [
        _finding(document),
        _use(document),
        _good(document),
        _groups(document),
        _limits(document),
        _people(document),
        _questions(card),
    ]
    return {**document, "kind": "Board brief", "sections": [section.document() for section in sections]}


def _finding(document: Mapping[str, Any]) -> Section:
    """The card's own finding; the figures beside the picture are its own words."""
    section = _section(document, "finding")
    kept = tuple(block for block in section.blocks if isinstance(block, Paragraph | Figure | Callout))
    return Section("finding", "The finding", kept)


def _use(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    blocks: tuple[Block, ...] = (
        Heading("What it is for"), *text_blocks(text["intended_use"]),
        Heading("What it must not be used for"), *text_blocks(text["not_for"]),
        Heading("What is predicted, and what that is not"), *text_blocks(text["label_is"]),
        *text_blocks(text["label_is_not"]),
    )  # fmt: skip
    return Section("use", "What it is for, and what not", blocks)


def _good(document: Mapping[str, Any]) -> Section:
    """The success bar, and the ranking beside each simpler way, in sentences."""
    bar = [block for block in _section(document, "performance").blocks if isinstance(block, Callout)]
    claims = document["evidence"]["claims"]
    said = []
    for key in sorted(key for key in claims if key.startswith("lead.") and key.endswith(".all.auroc")):
        lead = Claim.from_document(key, claims[key])
        said.append(f"Against {uncapital(learner_words(key.split('.')[1]))}: {_lead_words(lead)}")
    blocks: tuple[Block, ...] = (
        (*bar, Bullets(tuple(said))) if said else (*bar, Paragraph("No simpler way was run beside it."))
    )
    return Section("good", "Is it better than simpler ways", blocks)


def _lead_words(lead: Claim) -> str:
    if not lead.usable or lead.low is None or lead.high is None:
        return "no difference could be estimated."
    if lead.low > 0:
        return f"it ranks people better. {_pairs(lead.value, lead.low, lead.high)} more."
    if lead.high < 0:
        return f"it ranks people worse. {_pairs(lead.value, -lead.high, -lead.low)} fewer."
    return "no difference in ranking was shown."


def _pairs(value: float | None, low: float, high: float) -> str:
    """A lead in AUROC as pairs of people: how many more of 100 it puts in the right order."""
    return (
        "Of 100 pairs of one with the outcome and one without, it puts the right one first in"
        f" {100 * abs(value or 0.0):.0f} ({100 * low:.0f} to {100 * high:.0f})"
    )


def _groups(document: Mapping[str, Any]) -> Section:
    """What was found by each attribute in a sentence, and how many differences were found in all."""
    blocks = _section(document, "groups").blocks
    found, under = 0, ""
    for block in blocks:
        under = block.text if isinstance(block, Heading) else under
        if under.startswith("By ") and isinstance(block, Bullets) and not block.folded:
            found += len(block.items)
    differences = "1 difference between groups was" if found == 1 else f"{found} differences between groups were"
    more = f"{differences} found, intersections of groups among them. " if found else ""
    where = "All figures, what is still possible and what could not be estimated stand on the card."
    return Section(
        "groups",
        "Is it the same for everyone",
        (*(block for block in blocks if isinstance(block, Callout)), Paragraph(more + where)),
    )


def _limits(document: Mapping[str, Any]) -> Section:
    items = [
        item for block in _section(document, "limits").blocks if isinstance(block, Bullets) for item in block.items
    ]
    kept = tuple(item for item in items if item in _KEPT_LIMITS or item.startswith(_KEPT_STARTS))
    left = len(items) - len(kept)
    return Section("limits", "Keep in mind", (Bullets(kept), Paragraph(f"{left} more limits stand on the card.")))


def _people(document: Mapping[str, Any]) -> Section:
    text = document["text"]
    blocks: tuple[Block, ...] = (
        *text_blocks(text["human_review"]),
        *text_blocks(text["challenge_route"]),
        Facts((("Answers for it", text["owner"]), ("Looked at again by", day_words(text["review_by"])),
               ("How it ends", text["decommission"]))),
    )  # fmt: skip
    return Section("people", "People decide", blocks)


def _questions(card: ModelCard) -> Section:
    """What neither the run nor the study's authors have answered."""
    missing = [answer.question.label for answer in algo_care_record(card).answers if answer.origin == "missing"]
    if not missing:
        said = "Every question of ALGO-CARE has an answer on the card. Whether they are good enough is for the board."
        return Section("questions", "For the board to judge", (Paragraph(said),))
    intro = Paragraph("Nobody has answered these yet. The run cannot.")
    return Section("questions", "For the board to judge", (intro, Bullets(tuple(missing), numbered=True)))


def _section(document: Mapping[str, Any], name: str) -> Section:
    return section_from(next(section for section in document["sections"] if section["name"] == name))
