"""The stage that asks whether linkage could be the reason: the whole audit, made again in every linked world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from riskmodel.fairness.audit import Audit, audit
from riskmodel.fairness.linked_worlds import audit_over_draws
from riskmodel.fairness.rules import Rules
from riskmodel.governance.access import Store
from riskmodel.linkage.people import People
from riskmodel.linkage.pooling import LEAST_DRAWS
from riskmodel.linkage.rates_by_group import rates_from_worlds
from riskmodel.models import fit as fitting
from riskmodel.studies import stages
from riskmodel.studies.study import Study

NAME: Final = "linked_worlds"
FILE: Final = "linked_worlds.json"
FEWEST: Final = 100
"""Bootstrap draws of a fit whose own intervals nobody reads."""


def are_drawn(study: Study) -> bool:
    """Whether the study draws worlds enough to say anything."""
    return study.declaration.linkage.draws >= LEAST_DRAWS


def audit_over_worlds(
    store: Store, study: Study, people: People, best: Audit, steps: stages.Steps
) -> dict[str, Any] | None:
    """The document of the audit made again in every linked world, or None for a study that draws none.

    In a world everything is made again, from histories to model; comparators are left out.
    """
    if not are_drawn(study):
        return None
    settings, judged = study.audit_settings, study.model_settings
    inputs = {
        "people": people.fingerprint,
        "audit": best.fingerprint,
        "study": study.declaration.model_dump(mode="json"),
    }
    reference = {row["attribute"]: row["reference"] for row in best.disparities.to_pylist()}

    def audited(world: People) -> Audit:
        if world.draw is None:
            return best
        steps("linked worlds", world.draw, people.draws)
        training = stages.training_set(study, stages.assemble(store, world), _quietly)
        model = fitting.fit(
            training,
            study.learner,
            study.folds,
            calibrate=None if judged.calibrate == "none" else judged.calibrate,
            comparators=(),
            capacity=tuple(judged.capacity),
            seed=judged.seed,
            replicates=FEWEST,
        )
        rules = Rules(reference=reference)
        return audit(
            model, study.audited_by, training=training, capacity=settings.capacity, rules=rules, seed=judged.seed
        )

    def make(folder: Path) -> None:
        known = [name for name in best.settings["by"] if name in people.persons.column_names]
        links = [rates_from_worlds(people, by=name) for name in known]
        found = audit_over_draws(people, audited, links=links).document()
        (folder / FILE).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    kept = stages.made_once(store, NAME, inputs, make).folder
    document: dict[str, Any] = json.loads((kept / FILE).read_text(encoding="utf-8"))
    return document


def _quietly(name: str, done: int, total: int) -> None:
    """No progress of what is done many times over."""
