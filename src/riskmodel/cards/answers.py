"""The facts of a card under short names, for the questions that others ask: texts made from the document alone.

Each fact names the section of the card where it stands, so that an answer can point at its evidence. What the card does
not hold is not among the facts; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskmodel.cards.answers_study import paragraph, study_facts
from riskmodel.cards.evidence import Claim
from riskmodel.cards.words import capital, day_words, learner_words, listed, measure_words, plain, whose_records
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
_WRITTEN = {
    "intended_use": "what-it-is",
    "contact": "what-it-is",
    "owner": "what-it-is",
    "benefits": "what-it-is",
    "alternatives": "what-it-is",
    "human_review": "people",
    "challenge_route": "people",
    "participation": "people",
    "label_is": "label",
    "legal": "purpose",
    "equality": "purpose",
    "impact_assessment": "purpose",
    "training": "people",
    "oversight": "people",
    "fairness_choice": "groups",
}
"""Texts that people wrote, and the section where each stands."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A text, and the section of the card where it stands."""

    text: str
    at: str


def answers_of(document: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts that the card holds, by name; facts it does not hold are absent."""
    text, model = document["text"], document["model"]
    facts = {
        "title": (document["title"], "finding"),
        "summary": (document["summary"], "finding"),
        "organisation": (document["organisation"], "finding"),
        "phase": (_PHASES[document["state"]], "finding"),
        "advisory": (ADVISORY, "finding"),
        "detailed_description": (
            f"{text['intended_use']} It must not be used for: {text['not_for']}",
            "what-it-is",
        ),
        "label": (f"{text['label_is']} {text['label_is_not']}", "label"),
        "purpose": (
            f"{document['purpose']['statement']} Lawful basis: {document['purpose']['lawful_basis']}",
            "purpose",
        ),
        "scope": (_scope(document), "cohort"),
        "input": (f"{len(model['features'])} features of a person's records, known before the as-of date.", "annex"),
        "output": ("A probability with its interval, for each person on each date. Never a label.", "finding"),
        "maintenance": (_maintenance(text), "people"),
        "learner": (learner_words(model["learner"]["kind"]), "annex"),
        "model_name": (str(document["study"].get("name", "")), "annex"),
        "model_version": (f"edition {document['edition']}, fingerprint {model['fingerprint']}", "annex"),
        "architecture": (_settings(model["learner"]), "annex"),
        "performance": (_performance(document), "performance"),
        "against_others": (paragraph(document, "finding", -1), "finding"),
        "datasets": (paragraph(document, "records", -1), "records"),
        "modality": ("Tables of dated events, relations and people.", "records"),
        "quantities": (_quantities(document), "cohort"),
        "sources": (capital(whose_records(document)), "purpose"),
        "sensitive": (_sensitive(document), "groups"),
        "completeness": (paragraph(document, "cohort", 0), "cohort"),
        "cleaning": (paragraph(document, "records", -1), "records"),
        "groups": (paragraph(document, "groups", 0), "groups"),
        "reasons": (_largest_reasons(document), "reasons"),
        "limits": (_limits(document), "limits"),
        **study_facts(document),
        **{name: (text.get(name) or "", at) for name, at in _WRITTEN.items()},
    }
    return {name: Fact(said, at) for name, (said, at) in facts.items() if said}


def _scope(document: Mapping[str, Any]) -> str:
    outcome = document["outcome"]
    if outcome is None:
        return ""
    return (
        f"{paragraph(document, 'cohort', 0)} Predicted: {plain(outcome['kind'])} within"
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
    return f"{'. '.join(said)}. {paragraph(document, 'finding', 0)}".strip(". ") + "." if said else ""


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


def _claim(document: Mapping[str, Any], key: str) -> Claim | None:
    given = document["evidence"]["claims"].get(key)
    return None if given is None else Claim.from_document(key, given)
