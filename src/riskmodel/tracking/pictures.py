"""The plots of a card as artefacts of its run: each a picture that says in words what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from riskmodel.cards.html import pictures
from riskmodel.tracking.library import MlflowClient

WHERE = "plots"


def write_plots(client: MlflowClient, run_id: str, card: Path) -> None:
    """Draw the figures of the card in a folder and keep them with a run; a card without figures gives none."""
    document = json.loads((card / "card.json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as aside:
        for name, svg in pictures(document):
            (Path(aside) / f"{name}.svg").write_text(svg, encoding="utf-8")
        if any(Path(aside).iterdir()):
            client.log_artifacts(run_id, aside, WHERE)
