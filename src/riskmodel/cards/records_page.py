"""The records that others ask for, on one page beside the card.

Every answer says who gave it, and where its evidence stands; what a person must answer is said to be missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from riskmodel.cards import html
from riskmodel.cards.blocks import Block, Callout, Paragraph, Section
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.questionnaire import (
    Record,
    algo_care_record,
    atrs_record,
    duties_record,
    probast_record,
    tripod_record,
)

PAGE, MARKDOWN, JSON_FILE = "records.html", "records.md", "records.json"
_ABOUT: Mapping[str, str] = {
    "atrs": "What a public body publishes about a tool that helps it decide.",
    "algo-care": "What a police force or its partners ask before they use such a tool (Oswald, Grace, Urwin and Barnes"
    " 2018).",
    "duties": "What law and codes ask beyond these: human involvement, equality, Serious Violence Duty, and more.",
    "tripod": "What a report of a prediction model has to tell (Collins and others, BMJ 2024).",
    "probast": "How a study of a prediction model could mislead (Moons and others, BMJ 2025). The run answers what a"
    " machine can see. Whether each part is sound, and fits the use that is meant, is for a person to judge.",
}


def records(card: ModelCard) -> dict[str, Record]:
    """The records by the name of their section."""
    return {
        "atrs": atrs_record(card),
        "algo-care": algo_care_record(card),
        "duties": duties_record(card),
        "tripod": tripod_record(card),
        "probast": probast_record(card),
    }


def records_document(card: ModelCard) -> dict[str, Any]:
    """All records as a document of the card's own form; render it with `cards.html`."""
    sections = [_section(name, record) for name, record in records(card).items()]
    return {**card.document, "kind": "Records", "sections": [section.document() for section in sections]}


def records_files(card: ModelCard) -> dict[str, str]:
    """The page, the Markdown and the JSON, by file name."""
    document = records_document(card)
    held = {name: record.document() for name, record in records(card).items()}
    return {
        PAGE: html.page(document),
        MARKDOWN: html.markdown(document),
        JSON_FILE: json.dumps(held, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
    }


def _section(name: str, record: Record) -> Section:
    total, missing = len(record.answers), len(record.missing)
    asked = sum(answer.origin == "asked by machine" for answer in record.answers)
    machine = f", {asked} of them asked by machine" if asked else ""
    blocks: list[Block] = [
        Paragraph(_ABOUT[name]),
        Callout(
            f"{total - missing} of {total} are answered{machine}. {missing} wait for a person."
            if missing
            else f"All {total} are answered{machine}. Whether the answers are good enough is for people.",
            "warning" if missing else "note",
        ),
    ]
    for table in record.tables():
        blocks.append(table)
    return Section(name, f"{record.name}, version {record.version}", tuple(blocks))
