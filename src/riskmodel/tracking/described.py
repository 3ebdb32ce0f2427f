"""What a person reads in MLflow before any figure: what a run is for, what it found, and where to look further."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskmodel.tracking.library import MlflowClient
from riskmodel.tracking.writing import NOTE

_KIND, _TRAINING = "mlflow.experimentKind", "custom_model_development"
"""Without it MLflow takes an experiment for one of language models, and opens it on empty pages of those."""
_STUDY = """Figures of the run are the model's over all forward folds; comparators stand beside it in *all folds*. \
`interval/` has the bounds, `at_5_percent/` a list of 5 in 100 people, `resources/` what each stage took. \
`plots/` and `tables/` are those of the card, `card/card.html` is what the board reads."""
_EVALUATION = """Figures are effects, `interval/` their bounds; all of them stand with their state in `tables/`. \
`plots/` are those of the card, `card/card.html` is what the board reads."""


def words(folder: Path) -> str:
    """The description of a run or a version, as Markdown, from the card in a folder."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    parts = [f"**{card.get('title', 'Untitled')}**. {card.get('summary') or ''}".strip()]
    if finding := _finding(card):
        parts.append(finding)
    parts.append("Advisory only: not a decision about anyone, and no use without the board's approval of this card.")
    parts.append(_EVALUATION if "evaluation" in card else _STUDY)
    return "\n\n".join(parts)


def describe_experiment(client: MlflowClient, where: str, text: str) -> None:
    """Say of an experiment what it holds."""
    client.set_experiment_tag(where, _KIND, _TRAINING)
    client.set_experiment_tag(where, NOTE, text)


def _finding(card: Mapping[str, Any]) -> str:
    """The sentence that the card begins with."""
    for section in card.get("sections", ()):
        for block in section["blocks"]:
            if block["block"] == "paragraph" and block["lead"]:
                return str(block["text"])
    return ""
