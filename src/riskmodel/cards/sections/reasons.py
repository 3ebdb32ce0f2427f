"""What the model leans on, by family and by feature, and what such reasons cannot say."""

from __future__ import annotations

from riskmodel.cards.blocks import Block, Paragraph, Section
from riskmodel.cards.given import Given

CANNOT = (
    "These figures say what the model leaned on in these records. They do not say what causes the event, what would"
    " happen if something were changed, or that the model is free of bias."
)


def reasons(given: Given) -> Section:
    """Global importance by family and feature."""
    blocks: list[Block] = [Paragraph(CANNOT)]
    return Section("reasons", "What the model leans on", tuple(blocks))
