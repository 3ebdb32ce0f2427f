"""An audit read back is the audit that was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.seeds import stream


def test_an_audit_is_read_back_as_it_was(tmp_path: Path) -> None:
    random = stream(1, "audit kept")
    score = random.random(400)
    outcome = (random.random(400) < score).astype(float)
    group = np.where(random.random(400) < 0.5, "a", "b").tolist()
    made = audit_scores(score, outcome, {"group": [*group[:397], "c", "c", None]}, capacity=0.1)
    made.save(tmp_path)
    kept = Audit.load(tmp_path)
    assert kept.fingerprint == made.fingerprint
    assert kept.document() == made.document()
    assert kept.findings == made.findings
    assert kept.table.schema == made.table.schema
