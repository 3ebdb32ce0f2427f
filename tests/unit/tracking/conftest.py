"""A small run to record, and a folder to record it in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import Duration
from riskmodel.fairness.audit import Audit, audit
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fit import fit
from riskmodel.models.learners import BaseRate, LightGBM
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

CARD = {
    "fingerprint": "c" * 64,
    "title": "Small",
    "purpose": {
        "name": "early-support",
        "statement": "To offer help early.",
        "lawful_basis": "Crime and Disorder Act 1998, section 115",
        "controllers": ["health"],
        "fields": ["birth_date"],
        "expires": "2199-01-01",
    },
    "outcome": {"kind": "violence", "agency": "health"},
}


@dataclass(frozen=True)
class Finished:
    """A run that is ready to be recorded."""

    model: RiskModel
    audit: Audit
    training: TrainingSet
    card: Path

    def given(self) -> dict[str, Any]:
        """The arguments of `record`."""
        return {
            "study": "small",
            "model": self.model,
            "audit": self.audit,
            "training": self.training,
            "card": self.card,
        }


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """300 made-up people on 8 dates, two features, one group column."""
    draw, people, dates = stream(2, "tracking case"), 300, 8
    as_of = np.datetime64("2018-01-01", "us") + np.arange(dates) * np.timedelta64(182, "D")
    seen = draw.poisson(1.0, people * dates).astype(np.float32)
    missing = np.where(draw.random(people * dates) < 0.2, np.nan, seen).astype(np.float32)
    table = pa.table(
        {
            "entity_id": np.repeat(np.arange(people), dates),
            "as_of": np.tile(as_of, people),
            "outcome": (draw.random(people * dates) < 0.05 + 0.1 * seen).astype(float),
            "group:sex": pa.array(np.repeat(draw.choice(["female", "male"], people), dates).tolist(), pa.string()),
            "violence_count_2y": seen,
            "absence_total_1y": missing,
        }
    )
    training = TrainingSet.of(table, None, Duration(6, 0))
    model = fit(
        training,
        LightGBM(seed=3, rounds=10),
        ForwardFolds(2),
        comparators=(BaseRate(),),
        capacity=(0.1,),
        replicates=100,
    )
    card = tmp_path_factory.mktemp("card")
    (card / "card.json").write_text(json.dumps(CARD), encoding="utf-8")
    (card / "card.md").write_text("# A card\n", encoding="utf-8")
    return Finished(model, audit(model, ["sex"], training=training, capacity=0.1), training, card)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty result folder of a study; the working directory is elsewhere and stays empty."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "run"
    folder.mkdir()
    yield folder
    assert list(elsewhere.iterdir()) == []
