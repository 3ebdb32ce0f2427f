"""What a recorded run says of its card: the tags by which runs and versions are found, and the card read back whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskmodel.advisory.words import outcome_words
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import Duration

CARD, MODEL, PURPOSE = "riskmodel.card", "riskmodel.model_fingerprint", "riskmodel.purpose"
TITLE, EDITION, DATE = "riskmodel.title", "riskmodel.edition", "riskmodel.date"
EVALUATION = "evaluation"
"""The kind of a run, and of a version, that holds an evaluation of a policy and no model."""
COHORT, OUTCOME, REVIEW_BY = "riskmodel.cohort", "riskmodel.outcome", "riskmodel.review_by"


def about(folder: Path) -> dict[str, str]:
    """The tags of a run and its version, from the card in a folder; what the card does not hold has no tag.

    A run is found by them: ``tags.`riskmodel.purpose` = 'early-support'``.
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    cohort, outcome = card.get("cohort") or {}, card.get("outcome") or {}
    known = {
        CARD: card["fingerprint"],
        TITLE: card.get("title"),
        EDITION: card.get("edition"),
        DATE: card.get("date"),
        PURPOSE: _inside(card, "purpose", "name"),
        REVIEW_BY: _inside(card, "text", "review_by"),
        COHORT: " ".join(f"{name}={value}" for name, value in sorted(cohort.items()) if value not in (None, [], "")),
        OUTCOME: " ".join(str(outcome[name]) for name in ("kind", "agency") if outcome.get(name)),
    }
    return {name: str(value)[:500] for name, value in known.items() if value}


def advice_basis(folder: Path) -> dict[str, Any]:
    """What advice of the model rests on beside an approval: the card's fingerprint, its purpose and its outcome."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    outcome = card.get("outcome") or {}
    said = outcome_words(None)
    if outcome.get("kind") and outcome.get("within"):
        said = outcome_words(Outcome(outcome["kind"], within=Duration.parse(outcome["within"])))
    return {CARD: card["fingerprint"], "purpose": card["purpose"], "outcome": said}


def _inside(card: Mapping[str, Any], part: str, name: str) -> Any:
    return (card.get(part) or {}).get(name)
