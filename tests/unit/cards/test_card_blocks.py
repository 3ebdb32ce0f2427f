"""Blocks keep values, read back from JSON as they were, and word figures for readers."""

from __future__ import annotations

import json

import pytest

from riskmodel.cards.blocks import (
    Block,
    Bullets,
    Callout,
    Column,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Section,
    Table,
    section_from,
    text_blocks,
)

BLOCKS: list[Block] = [
    Paragraph("Words.", lead=True),
    Heading("A heading"),
    Callout("Mind this.", "warning"),
    Bullets(("one", "two"), numbered=True, folded="Two things"),
    Facts((("Owner", "Head of support"),)),
    Table(
        "Caption", (Column("Name"), Column("Share", "share_interval")),
        (("a", {"value": 0.5, "low": 0.4, "high": 0.6, "state": "ok"}), ("b", None)), "audit", "Note.", True, (0,),
    ),
    Figure("bars", "Caption", "Alt", {"rows": []}, "audit"),
]  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_reads_back_from_json(block: Block) -> None:
    section = Section("name", "Title", (block,))
    assert section_from(json.loads(json.dumps(section.document()))) == section


def test_peoples_own_text_becomes_paragraphs_and_lists() -> None:
    text = "It must not be used for:\n- policing\n- any decision\n  about a child\n\nNor for\nranking streets."
    assert text_blocks(text) == [
        Paragraph("It must not be used for:"),
        Bullets(("policing", "any decision about a child")),
        Paragraph("Nor for ranking streets."),
    ]


def test_a_table_words_its_cells_and_keeps_the_interval_apart() -> None:
    table = Table("c", (Column("Group"), Column("Found", "share_interval"), Column("People", "count")),
                  (("a", {"value": 0.289, "low": 0.119, "high": 0.552, "state": "imprecise"}, 1234),
                   ("b", {"value": None, "low": None, "high": None, "state": "suppressed"}, "suppressed")))  # fmt: skip
    assert table.worded() == [["a", "28.9% (11.9% to 55.2%), imprecise", "1,234"], ["b", "suppressed", "suppressed"]]
    assert table.in_parts()[0] == [("a", "", ""), ("28.9%", "(11.9% to 55.2%)", "imprecise"), ("1,234", "", "")]
    assert table.in_parts()[1][1] == ("suppressed", "", "")


def test_a_table_with_a_row_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Table("c", (Column("a"), Column("b")), (("only one",),)).worded()
