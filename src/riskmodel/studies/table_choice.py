"""Which model is used is decided on the teaching rows alone, and written down before a judged row is scored.

Every candidate scores the teaching rows by folds of people; the least mean of the groups' Brier scores wins. To say
what the choosing itself costs, it is made once more for each fold from the other folds only and scored on the fold
left out. The choice is hashed into the ledger; `must_be_recorded` refuses one that is not there as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.errors import EvidenceError
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.ledger import Ledger
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Fitted, Learner, fitted
from riskmodel.models.metrics import Numbers
from riskmodel.models.splits import person_parts
from riskmodel.models.tuning import Teaching, Tuned, searched
from riskmodel.tables import fingerprint_document

FILE, ACTION = "choice.json", "choice"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for each round, from what, and by which figures."""

    document: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document)

    def chosen(self, round_: int) -> str:
        """The candidate of a round, as it was declared."""
        return str(self.document["rounds"][str(round_)]["chosen"])

    def text(self) -> str:
        """The file: the document with its hash."""
        return json.dumps({"sha256": self.fingerprint, "choice": self.document}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, text: str) -> Choice:
        """The choice in a file; refuses one that was altered."""
        held = json.loads(text)
        made = cls(held["choice"])
        if made.fingerprint != held["sha256"]:
            raise _refused("choice-altered", "a choice that is not that of its hash")
        return made

    def record(self, ledger: Ledger) -> None:
        """Write the hash into the ledger, with what was chosen for each round."""
        chosen = {f"round_{number}": made["chosen"] for number, made in self.document["rounds"].items()}
        ledger.append(ACTION, sha256=self.fingerprint, **chosen)

    def is_recorded(self, ledger: Ledger) -> bool:
        """Whether exactly this choice is in the ledger."""
        return any(e.action == ACTION and e.facts.get("sha256") == self.fingerprint for e in ledger.entries())

    def must_be_recorded(self, ledger: Ledger) -> None:
        """Refuse to go on unless exactly this choice is in the ledger."""
        if not self.is_recorded(ledger):
            raise _refused("choice-not-recorded", "a choice of model that is not in the ledger")


def chosen_by_folds(
    training: TrainingSet,
    candidates: Mapping[str, Learner | Tuned],
    by: str,
    folds: int,
    seed: int,
    step: Callable[[str], None],
) -> dict[str, Any]:
    """The figures of every candidate on the teaching rows, and which one they choose."""
    labelled = Labelled.of(training)
    part = person_parts(labelled.people, folds, seed)
    group = np.array(training.group(by).to_pylist())[labelled.kept]
    unseen = {}
    for name, learner in candidates.items():
        step(name)
        made = np.empty(len(part))
        for number in range(folds):
            out = part == number
            made[out] = taught(learner, labelled, np.flatnonzero(~out), f"fold {number + 1}").predict(labelled.X[out])
        unseen[name] = (made - labelled.outcome) ** 2
    every = np.ones(len(part), bool)
    scores = {name: _mean_of_groups(losses, group, every) for name, losses in unseen.items()}
    again = np.empty(len(part))
    for number in range(folds):
        others = part != number
        best = min(unseen, key=lambda name: _mean_of_groups(unseen[name], group, others))
        again[~others] = unseen[best][~others]
    return {
        "training": training.fingerprint,
        "rows": len(part),
        "mean_brier": {name: round(value, 6) for name, value in scores.items()},
        "chosen": min(scores, key=lambda name: scores[name]),
        "mean_brier_of_choosing": round(_mean_of_groups(again, group, every), 6),
    }


def taught(learner: Learner | Tuned, labelled: Labelled, rows: npt.NDArray[np.int64], where: str) -> Fitted:
    """A learner taught on some of the rows; settings that may vary are searched for within these rows first."""
    X, outcome, people = labelled.X[rows], labelled.outcome[rows], labelled.people[rows]
    names = labelled.training.feature_names
    if isinstance(learner, Tuned):
        teaching = Teaching(where, labelled.training.fingerprint, X, outcome, people, names)
        learner = searched(learner, teaching).learner
    return fitted(learner, X, outcome, names, 1, people)  # small tables: a second thread would mostly wait


def _mean_of_groups(losses: Numbers, group: Any, rows: Any) -> float:
    names: Sequence[str] = sorted(set(group))
    return float(np.mean([losses[rows & (group == name)].mean() for name in names]))


def _refused(code: str, found: str) -> EvidenceError:
    return EvidenceError(
        code,
        found=found,
        expected="a choice made on the teaching rows and written into the ledger first",
        repair="Run the stage `choose` again; judged rows are scored only after it.",
    )
