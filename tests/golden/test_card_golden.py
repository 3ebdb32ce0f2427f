"""A card written by hand, block by block, and the page and the Markdown that it has to become.

The files in ``card/`` are read and judged by people; when a change of them is meant, run this module as a script.
Drawings are left out: their bytes belong to the version of the library that draws them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from riskmodel.cards import html
from riskmodel.cards.blocks import Bullets, Callout, Column, Facts, Figure, Heading, Paragraph, Section, Table

FOLDER = Path(__file__).with_name("card")


def interval(
    value: float | None, low: float | None = None, high: float | None = None, state: str = "ok"
) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "state": state}


def document() -> dict[str, Any]:
    """One block of each kind, and one cell of each kind."""
    sections = [
        Section("finding", "The finding in plain words", (
            Paragraph("Of 100 people on the list, about 14 were hurt. The other 86 were not.", lead=True),
            Figure("frequencies", "What being on the list means", "A square of 100 dots, 14 of them filled.",
                   {"panels": [{"title": "100 on the list", "share": 0.14, "said": "about 14 (filled) were hurt"}]},
                   "evaluation"),
            Callout("This is advice. It is not a decision.", "warning"),
        )),
        Section("groups", "Is it the same for everyone", (
            Table("Figures by ethnicity",
                  (Column("Group"), Column("People", "count"), Column("Found", "share_interval"),
                   Column("Missing", "share")),
                  (("White", 1050, interval(0.163, 0.112, 0.231), 0.0),
                   ("Asian", 185, interval(0.289, 0.119, 0.552, "imprecise"), 0.25),
                   ("Mixed | other", "suppressed", interval(None, state="not_estimable"), None)),
                  source="evaluation", note="Counts below 8 are hidden.", marked=(0,)),
            Heading("What cannot be said"),
            Bullets(("Nothing of *Mixed | other*.",), folded="One group"),
        )),
        Section("annex", "Technical annex", (
            Facts((("Learner", "Logistic regression <b>"), ("Features", "2"))),
            Table("All features", (Column("Feature", "code"), Column("Meaning")),
                  (("violence_count_2y", "Violence, last 2 years"),), folded=True),
            Bullets(("First do this.", "Then that."), numbered=True),
        )),
    ]  # fmt: skip
    return {
        "format": "riskmodel-card/1",
        "fingerprint": "c0" * 32,
        "state": "draft",
        "title": "A card & its <title>",
        "summary": "What it is, in one sentence.",
        "organisation": "Example partnership",
        "edition": "2",
        "date": "2026-11-23",
        "evidence": {
            "artefacts": [
                {"name": "evaluation", "fingerprint": "ab" * 32, "holds": "evaluation on forward folds"},
                {"name": "model", "fingerprint": "cd" * 32, "holds": "fitted model"},
            ],
            "claims": {},
        },
        "sections": [section.document() for section in sections],
    }


def rendered() -> dict[str, str]:
    """The files by name, drawings left out."""
    page = re.sub(r"<svg.*?</svg>", "<svg></svg>", html.page(document()), flags=re.DOTALL)
    return {"card.html": page, "card.md": html.markdown(document())}


@pytest.mark.parametrize("name", ["card.html", "card.md"])
def test_the_card_reads_as_it_was_judged_to(name: str) -> None:
    assert rendered()[name] == (FOLDER / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
