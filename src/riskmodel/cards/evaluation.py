"""The evaluation card: what a policy did, how well that is known, and what it moved elsewhere.

It is a card of the same system: sections of blocks, every figure a claim that points at a fingerprinted artefact, the
same pages and the same check (`verify`). It is drafted from the document of an evaluation and from what people wrote.
The card never says that a policy is good; that is for people to judge who see all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards import evaluation_assurance as assurance
from riskmodel.cards import evaluation_elsewhere as beyond
from riskmodel.cards import evaluation_sections as sections
from riskmodel.cards.evaluation_given import EvaluationGiven
from riskmodel.cards.evidence import Evidence
from riskmodel.cards.model_card import FORMAT, ModelCard, purpose_document, software
from riskmodel.cards.text import is_empty
from riskmodel.errors import EvidenceError
from riskmodel.governance.purposes import Purpose

KIND = "Evaluation card"
REQUIRED = ("title", "summary", "policy", "not_answered", "owner", "contact", "review_by", "what_next")
_HOLDS = {
    "plan": "the plan, as registered",
    "histories": "the linked records that outcomes were counted from",
    "power": "what the study could see, from the periods before",
    "evaluation": "the effects, checks and their conclusion",
}


def draft_evaluation(
    evaluation: Mapping[str, Any],
    made_of: Mapping[str, str],
    purpose: Purpose,
    *,
    text: Mapping[str, Any],
    study: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The document of an evaluation card.

    Parameters
    ----------
    evaluation : the document that `studies.policy_evaluation.evaluate` made
    made_of : fingerprints of plan, histories, power and evaluation
    text : what people wrote, with every name of REQUIRED
    study : name, title, edition and date

    Raises
    ------
    EvidenceError : texts are missing or only hold their place, or an artefact has no fingerprint
    """
    empty = [name for name in REQUIRED if is_empty(text.get(name))]
    if empty:
        raise EvidenceError(
            "card-incomplete",
            found=f"no usable text for {', '.join(empty)}",
            expected="every required text of an evaluation card",
            repair="Write them under [card]. A card with gaps is not published.",
        )
    evidence = Evidence()
    for name, holds in _HOLDS.items():
        evidence.artefact(name, made_of.get(name, ""), holds)
    given = EvaluationGiven(evaluation, text, evidence)
    used = software()
    made = [
        sections.finding(given),
        sections.policy(given),
        sections.over_time(given),
        sections.matrix(given),
        beyond.elsewhere(given),
        beyond.inequality(given),
        assurance.doubts(given),
        assurance.grade(given),
        assurance.plan(given),
        assurance.limits(given),
        assurance.annex(given, used),
    ]
    head = {
        "format": FORMAT,
        "kind": KIND,
        "state": "draft",
        "state_words": "Draft. Not yet read by the board.",
        "title": text["title"],
        "summary": text["summary"],
        "organisation": text.get("organisation") or text["owner"],
        "edition": study["edition"],
        "date": study["date"],
        "study": dict(study),
        "purpose": purpose_document(purpose),
        "text": dict(text),
        "evaluation": dict(evaluation),
        "software": used,
        "evidence": evidence.document(),
        "sections": [section.document() for section in made if section is not None],
    }
    return ModelCard.from_document(head).document
