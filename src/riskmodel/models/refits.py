"""Models that could as well have been the one: the same learner on other samples of the people, with other seeds.

They are made once, while the training set is there, and kept beside the model as text: each person's reasons are held
against what the others would have said, and what the model remembers of a person against models that never saw them.
They advise on nobody.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Fitted, write_json
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import fitted, load_fitted
from riskmodel.models.risk_model import RiskModel
from riskmodel.seeds import derived, stream
from riskmodel.tables import fingerprint_document

BAG: Final = 0.8
"""Share of the people on whom each model is fitted again."""
DOCUMENT: Final = "refits.json"


@dataclass(frozen=True)
class Refits:
    """Models of the same learner, each on another sample of the people.

    Attributes
    ----------
    model : str, fingerprint of the model they stand beside
    training : str, fingerprint of the training set
    seed : int, of the samples
    members : what each has learned
    """

    model: str
    training: str
    seed: int
    members: tuple[Fitted, ...] = field(repr=False)

    def taught(self, people: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Who of the people taught each member, given all people of the training set: (n_members, n_people).

        Parameters
        ----------
        people : (n_people,) int64, everybody with a known outcome, sorted
        """
        return np.array([_drawn(self.seed, number, len(people)) for number in range(len(self.members))])

    def must_be_of(self, model: RiskModel) -> None:
        """Refuse to stand beside another model.

        Raises
        ------
        DataRefused : they were made for another model
        """
        if self.model != model.fingerprint:
            raise DataRefused(
                "refits-of-another-model",
                found="refits that were made for another model",
                expected=f"those of the model {model.fingerprint[:12]}",
                repair="Make them with refits(model, training), on the training set of this model.",
            )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all that the members learned."""
        learned = [{**one.document(), "texts": dict(one.files())} for one in self.members]
        return fingerprint_document({**self._document(), "learned": learned})

    def save(self, folder: str | Path) -> None:
        """Write them into a folder, each in one of its own, as native text and JSON."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(self.members):
            one.save(folder / f"refit-{number:02}")
        write_json(folder / DOCUMENT, {**self._document(), "fingerprint": self.fingerprint})

    @classmethod
    def load(cls, folder: str | Path) -> Refits:
        """Read what `save` wrote; nothing in the folder is run.

        Raises
        ------
        EvidenceError : a part is missing, cannot be read, or was altered since it was saved
        """
        folder = Path(folder)
        try:
            document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
            members = tuple(load_fitted(folder / f"refit-{number:02}") for number in range(document["members"]))
            made = cls(document["model"], document["training"], document["seed"], members)
            whole = made.fingerprint == document["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise EvidenceError(
                "refits-altered",
                found="saved refits that cannot be read, or are not those of their fingerprint",
                expected="the files as they were written",
                repair="Make them again with refits(model, training).",
            )
        return made

    def _document(self) -> dict[str, Any]:
        return {"model": self.model, "training": self.training, "seed": self.seed, "members": len(self.members)}

    def __repr__(self) -> str:
        return f"Refits({len(self.members)} models)"


def refits(model: RiskModel, training: TrainingSet, *, members: int = 20, seed: int = 0) -> Refits:
    """Fit the learner again on samples of 80 % of the people, drawn without replacement, each with a seed of its own.

    Parameters
    ----------
    model, training : the model and the set on which it was fitted
    members : int, at least 10, so that "nine of ten agree" can be told
    seed : int, of the samples

    Raises
    ------
    DeclarationError : too few members
    DataRefused : the training set is not the one on which the model was fitted
    """
    if members < 10:
        raise DeclarationError.of(
            "refits-too-few",
            where="refits.members",
            found=str(members),
            expected="at least 10 models, so that nine of ten can agree",
            repair="Ask for 20.",
        )
    if training.fingerprint != model.training_fingerprint:
        raise DataRefused(
            "training-set-other",
            found="a training set on which the model was not fitted",
            expected=f"the training set {model.training_fingerprint[:12]}",
            repair="Give the training set that was passed to fit.",
        )
    return Refits(model.fingerprint, training.fingerprint, seed, tuple(refits_of(model, training, members, seed)))


def refits_of(model: RiskModel, training: TrainingSet, members: int, seed: int) -> list[Fitted]:
    """What each refit has learned, in order; each is made on a thread of its own."""
    labelled = Labelled.of(training)
    names, X = labelled.inputs(model.learner)
    people, person = np.unique(labelled.people, return_inverse=True)

    def again(number: int) -> Fitted:
        rows = np.flatnonzero(_drawn(seed, number, len(people))[person])
        learner: Any = model.learner
        if hasattr(learner, "seed"):
            learner = replace(learner, seed=derived(learner.seed, "explain", number))
        return fitted(learner, np.ascontiguousarray(X[rows]), labelled.outcome[rows], names, 1, labelled.people[rows])

    with ThreadPoolExecutor(min(members, os.cpu_count() or 1)) as pool:
        return list(pool.map(again, range(members)))


def _drawn(seed: int, number: int, people: int) -> npt.NDArray[np.bool_]:
    """The people who teach one of them."""
    return stream(seed, "explain", "refit", number).random(people) < BAG
