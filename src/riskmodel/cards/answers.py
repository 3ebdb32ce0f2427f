"""The facts of a card under short names, for the questions that others ask: texts made from the document alone.

What the card does not hold is not among the facts; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.evidence import Claim
from riskmodel.cards.words import day_words, learner_words, listed, measure_words, plain
from riskmodel.dates import duration_words

ADVISORY = (
    "Output is a probability with its interval, for people who decide. It carries no threshold and no label, and the"
    " software refuses to turn it into an action."
)
_PHASES = {
    "draft": "pre-deployment",
    "reviewed": "pre-deployment",
    "approved": "pre-deployment",
    "in_use": "production",
    "retired": "retired",
}
_WRITTEN = (
    "intended_use",
    "contact",
    "owner",
    "benefits",
    "alternatives",
    "human_review",
    "challenge_route",
    "label_is",
    "legal",
)


def answers_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The facts that the card holds, by name; facts it does not hold are absent."""
    text = document["text"]
    facts = {
        "title": document["title"],
        "summary": document["summary"],
        "organisation": document["organisation"],
        "phase": _PHASES[document["state"]],
        "advisory": ADVISORY,
        "detailed_description": f"{text['intended_use']} It must not be used for: {text['not_for']}",
        "label": f"{text['label_is']} {text['label_is_not']}",
        "purpose": f"{document['purpose']['statement']} Lawful basis: {document['purpose']['lawful_basis']}",
        "scope": _scope(document),
        "input": f"{len(document['model']['features'])} features of a person's records, known before the as-of date.",
        "output": "A probability with its interval, for each person on each date. Never a label.",
        "maintenance": _maintenance(text),
        "learner": learner_words(document["model"]["learner"]["kind"]),
        "model_name": str(document["study"].get("name", "")),
        "model_version": f"edition {document['edition']}, fingerprint {document['model']['fingerprint']}",
        "architecture": _settings(document["model"]["learner"]),
        "performance": _performance(document),
        "against_others": _paragraph(document, "finding", -1),
        "datasets": _paragraph(document, "records", -1),
        "modality": "Tables of dated events, relations and people.",
        "quantities": _quantities(document),
        "sources": listed([plain(name) for name in document["purpose"]["controllers"]]),
        "sensitive": _sensitive(document),
        "completeness": _paragraph(document, "cohort", 0),
        "cleaning": _paragraph(document, "records", -1),
        "groups": _paragraph(document, "groups", 0),
        "reasons": _largest_reasons(document),
        "limits": _limits(document),
        **{name: text.get(name, "") for name in _WRITTEN},
    }
    return {name: fact for name, fact in facts.items() if fact}


def _scope(document: Mapping[str, Any]) -> str:
    outcome = document["outcome"]
    if outcome is None:
        return ""
    return (
        f"{_paragraph(document, 'cohort', 0)} Predicted: {plain(outcome['kind'])} within"
        f" {duration_words(outcome['within'])}."
    )


def _maintenance(text: Mapping[str, Any]) -> str:
    triggers = text.get("triggers") or []
    sent_back = f" Sent back to the board by: {'; '.join(triggers)}." if triggers else ""
    return f"Looked at again by {day_words(text['review_by'])}.{sent_back}"


def _settings(learner: Mapping[str, Any]) -> str:
    settings = ", ".join(
        f"{plain(name)} {value}" for name, value in sorted(learner.items()) if name != "kind" and value != {}
    )
    return f"{learner_words(learner['kind'])}: {settings}" if settings else learner_words(learner["kind"])


def _performance(document: Mapping[str, Any]) -> str:
    said = []
    for metric in ("auroc", "auprc", "expected_observed", "calibration_slope"):
        claim = _claim(document, f"performance.model.all.{metric}")
        if claim is not None:
            said.append(f"{measure_words(metric)}: {claim.words()}")
    return f"{'. '.join(said)}. {_paragraph(document, 'finding', 0)}".strip(". ") + "." if said else ""


def _quantities(document: Mapping[str, Any]) -> str:
    names = {"cohort.all": "rows", "cohort.yes": "with the outcome", "cohort.unknown": "with an unknown outcome"}
    said = [f"{claim.words()} {words}" for key, words in names.items() if (claim := _claim(document, key)) is not None]
    return f"{listed(said)}." if said else ""


def _sensitive(document: Mapping[str, Any]) -> str:
    asked = [
        key.split(".")[1] for key in document["evidence"]["claims"] if key.startswith("audit.") and key.count(".") > 1
    ]
    names = sorted({name for attribute in asked for name in attribute.split(", ")})
    return f"{listed([plain(name) for name in names])}, for the audit by group." if names else ""


def _largest_reasons(document: Mapping[str, Any]) -> str:
    claims = document["evidence"]["claims"]
    families = [
        (key.removeprefix("reasons.family."), claims[key]["value"])
        for key in claims
        if key.startswith("reasons.family.")
    ]
    first = sorted(families, key=lambda family: (-(family[1] or 0.0), family[0]))[:5]
    return (
        f"Share of all contributions: {listed([f'{name} {100 * (share or 0):.0f}%' for name, share in first])}."
        if first
        else ""
    )


def _limits(document: Mapping[str, Any]) -> str:
    blocks = [block for section in document["sections"] if section["name"] == "limits" for block in section["blocks"]]
    return " ".join(item for block in blocks if block["block"] == "bullets" for item in block["items"])


def _paragraph(document: Mapping[str, Any], name: str, which: int) -> str:
    """A paragraph or callout of a section, counted among them; empty when there is none."""
    blocks = [block for section in document["sections"] if section["name"] == name for block in section["blocks"]]
    texts = [
        block["text"]
        for block in blocks
        if block["block"] == "paragraph" or (block["block"] == "callout" and which == 0)
    ]
    return str(texts[which]) if texts else ""


def _claim(document: Mapping[str, Any], key: str) -> Claim | None:
    given = document["evidence"]["claims"].get(key)
    return None if given is None else Claim.from_document(key, given)
