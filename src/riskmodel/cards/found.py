"""The card of a run that was made without riskmodel: what its scores do, by whom they rest, and what nobody has said.

It is a card of the same system: every figure is a claim with its evidence, the pages and the check are the same. It is
always a draft. Its unanswered questions are in the document under ``unanswered``; a board is not asked before they are
answered.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from riskmodel.cards import found_sections as sections
from riskmodel.cards.found_given import FoundGiven
from riskmodel.cards.model_card import FORMAT, ModelCard, software
from riskmodel.cards.sections.fairness import fairness
from riskmodel.tables import fingerprint_document

KIND = "Model card of a run made elsewhere"


def draft_found(given: FoundGiven, *, date: dt.date | None = None, edition: str = "1") -> ModelCard:
    """The card of a run that was made without riskmodel.

    Parameters
    ----------
    given : the run, the scored rows and their audit, and what people wrote
    date, edition : of the card; no clock is read
    """
    _gathered(given)
    used = software()
    made = (
        sections.finding(given),
        sections.unanswered(given),
        sections.what_it_is(given),
        sections.purpose(given),
        sections.label(given),
        sections.cohort(given),
        sections.performance(given),
        fairness(given),
        sections.limits(given),
        sections.people_decide(given),
        sections.annex(given, used),
    )
    document = {
        **_head(given, date, edition),
        "software": used,
        "evidence": given.evidence.document(),
        "sections": [section.document() for section in made if section is not None],
    }
    return ModelCard.from_document(document)


def _gathered(given: FoundGiven) -> None:
    """Register what the figures come from."""
    run, evidence = given.run, given.evidence
    evidence.artefact("model", run.model, "the model's file, as MLflow keeps it")
    evidence.artefact("run", fingerprint_document(run.document()), "the run's own record in MLflow")
    evidence.artefact("rows", given.scored.fingerprint, "scores, outcomes and groups of the rows judged")
    if given.run.datasets:
        evidence.artefact("training", given.run.datasets[0][1], "rows that the run says it learned from")
    evidence.artefact("evaluation", fingerprint_document(given.judged_document()), "evaluation of the scores")
    evidence.artefact("audit", given.audit.fingerprint, "audit by group")


def _head(given: FoundGiven, date: dt.date | None, edition: str) -> dict[str, Any]:
    text, run, purpose = given.text, given.run, given.purpose
    open_questions = len(text.unanswered)
    still = f" {open_questions} question{'s are' if open_questions > 1 else ' is'} still for a person to answer."
    return {
        "format": FORMAT,
        "kind": KIND,
        "state": "draft",
        "state_words": f"Draft. Not approved for use.{still if open_questions else ''}",
        "title": text.answers.get("title", f"{run.experiment}: {run.name}"),
        "summary": text.said("summary"),
        "organisation": text.answers.get("organisation") or text.answers.get("owner") or run.experiment,
        "edition": edition,
        "date": date.isoformat() if date else None,
        "study": {"name": run.experiment, "title": run.name},
        "purpose": purpose.document(),
        "model": {
            "fingerprint": run.model,
            "learner": {"kind": run.made_by},
            "features": list(run.columns),
            "training_fingerprint": run.datasets[0][1] if run.datasets else "",
        },
        "run": run.document(),
        "cohort": None,
        "outcome": {"kind": given.outcome},
        "text": dict(text.answers),
        "unanswered": list(text.unanswered),
    }
