"""The facts of a card that say how its study was made: who, when, from what, judged how. From the document alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskmodel.cards.words import day_words, learner_words, listed, measure_words, plain, whose_records
from riskmodel.dates import duration_words

Said = tuple[str, str]
"""A text, and the section of the card where it stands."""
SAME_FOR_ALL = "Each feature is one written definition, computed in the same way for every person and every date."
NO_REBALANCING = (
    "No rows were weighted, repeated or left out to even out how many have the outcome, so probabilities keep the rate"
    " at which it happens."
)
NOT_UPDATED = (
    "Nothing was adjusted after the model was judged. A model that is made again is another model, with a card and an"
    " approval of its own."
)
AS_TEXT = "The fitted model is kept with the run as readable text; the card holds its fingerprint."
AS_THEY_ARE = "Numbers enter as they are; none is cut into classes by looking at the outcome."
WHOLE_PROCEDURE = (
    "In every fold the whole procedure is done again on the rows that teach: filling gaps, fitting, tuning where there"
    " is any, and calibration. Nothing is learned from the rows that judge."
)


def study_facts(document: Mapping[str, Any]) -> dict[str, Said]:
    """Texts by name, each with its section; empty texts are what the card does not hold."""
    how_judged = paragraph(document, "performance", 0)
    return {
        "identified": (_identified(document), "finding"),
        "objectives": (f"To make a model and to judge it. {how_judged}", "performance"),
        "how_judged": (f"{how_judged} {WHOLE_PROCEDURE}", "performance"),
        "setting": (_setting(document), "purpose"),
        "dates": (_dates(document), "cohort"),
        "outcome_timing": (_outcome_timing(document), "label"),
        "time_rule": (_last_paragraph(document, "label"), "label"),
        "predictors": (f"{len(document['model']['features'])} features, each with meaning, source and gaps.", "annex"),
        "predictors_same": (SAME_FOR_ALL, "annex"),
        "missing": (_missing(document), "annex"),
        "imbalance": (NO_REBALANCING, "annex"),
        "continuous": (AS_THEY_ARE if document["model"]["learner"]["kind"] != "points" else "", "annex"),
        "measures": (_measures(document), "performance"),
        "updating": (NOT_UPDATED, "annex"),
        "software": (_software(document), "annex"),
        "specification": (f"{AS_TEXT} SHA-256 {document['model']['fingerprint']}.", "annex"),
        "characteristics": (_characteristics(document), "groups"),
        "judged": (_judged(document), "performance"),
        "standing": (_standing(document), "finding"),
        "bar": (_bar(document), "performance"),
        "next_steps": (f"To be looked at again by {day_words(document['text']['review_by'])}.", "people"),
    }


def paragraph(document: Mapping[str, Any], name: str, which: int) -> str:
    """A paragraph or callout of a section, counted among them; empty when there is none."""
    texts = [
        block["text"]
        for block in _blocks(document, name)
        if block["block"] == "paragraph" or (block["block"] == "callout" and which == 0)
    ]
    return str(texts[which]) if texts else ""


def _identified(document: Mapping[str, Any]) -> str:
    learner = learner_words(document["model"]["learner"]["kind"])
    return f"{document['title']}. Made and judged here, by {learner[:1].lower()}{learner[1:]}."


def _setting(document: Mapping[str, Any]) -> str:
    return f"{document['organisation']}. Records of: {whose_records(document)}."


def _dates(document: Mapping[str, Any]) -> str:
    cohort = document["cohort"]
    if cohort is None:
        return ""
    first, last = cohort["between"]
    reach = _table(document, "annex", "Until when each agency has delivered")
    until = f" Records reach to {listed(sorted({str(row[1]) for row in reach}))}." if reach else ""
    return f"People are asked about from {day_words(first)} to before {day_words(last)}.{until}"


def _outcome_timing(document: Mapping[str, Any]) -> str:
    outcome = document["outcome"]
    if outcome is None:
        return ""
    return (
        f"Looked for during {duration_words(outcome['within'])} from the as-of date, then"
        f" {duration_words(outcome['settles_after'])} are left for records to arrive."
    )


def _missing(document: Mapping[str, Any]) -> str:
    shares = [row[-1] for row in _table(document, "annex", "All ")]
    known = [share for share in shares if isinstance(share, int | float)]
    if not known:
        return ""
    with_gaps = sum(share > 0 for share in known)
    return (
        f"{with_gaps} of {len(known)} features have missing values, at most {100 * max(known):.1f}% of rows. A missing"
        " value is passed on as missing; a learner that needs a number fills it from the rows that teach and marks it."
        " Rows with an unknown outcome neither teach nor judge."
    )


def _measures(document: Mapping[str, Any]) -> str:
    keys = [key for key in document["evidence"]["claims"] if key.startswith("performance.model.all.")]
    names = dict.fromkeys(measure_words(key.split(".", 3)[3].split("@")[0]) for key in keys)
    return f"{listed(list(names))}, each with a 95% interval over draws of whole people." if names else ""


def _software(document: Mapping[str, Any]) -> str:
    used = document["software"]
    return f"riskmodel {used['riskmodel']}, Python {used['python']}; every other version stands in the annex."


def _characteristics(document: Mapping[str, Any]) -> str:
    captions = [block["caption"] for block in _blocks(document, "groups") if block["block"] == "table"]
    shown = [caption.removeprefix("Of 100, by ") for caption in captions if caption.startswith("Of 100, by ")]
    return f"Numbers of people and of outcomes are shown by {listed(shown)}." if shown else ""


def _judged(document: Mapping[str, Any]) -> str:
    claims = document["evidence"]["claims"]
    judged = (claims.get("performance.base_rate") or {}).get("n")
    rows = (claims.get("cohort.all") or {}).get("value")
    if judged is None or rows is None:
        return ""
    return f"{rows:,.0f} rows in all; {judged:,} of them judged."


def _standing(document: Mapping[str, Any]) -> str:
    state = plain(document["state"])
    return f"This card is a {state}." if state == "draft" else f"This card is {state}."


def _bar(document: Mapping[str, Any]) -> str:
    return next((str(block["text"]) for block in _blocks(document, "performance") if block["block"] == "callout"), "")


def _last_paragraph(document: Mapping[str, Any], name: str) -> str:
    texts = [block["text"] for block in _blocks(document, name) if block["block"] == "paragraph"]
    return str(texts[-1]) if texts else ""


def _table(document: Mapping[str, Any], name: str, caption: str) -> list[Any]:
    """The rows of the section's table whose caption begins so; none when there is no such table."""
    tables = (block for block in _blocks(document, name) if block["block"] == "table")
    return next((block["rows"] for block in tables if block["caption"].startswith(caption)), [])


def _blocks(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (block for section in document["sections"] if section["name"] == name for block in section["blocks"])
