"""What is kept beside a model so that its advice can be checked: how steady reasons are, and who is a stranger to it.

Both need the training set, which is not there when people are scored; so they are made once, when the model is, and
kept in a folder beside it, as text that holds no single person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from riskmodel.advisory.familiar import Familiar
from riskmodel.errors import DataRefused
from riskmodel.features.feature import Feature
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.access import Store
from riskmodel.models.fitted import Matrix
from riskmodel.models.refits import Refits, refits
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

BANDS = "bands.json"
FOOTING = "footing"
"""The name under which a store keeps the footing of its model."""


@dataclass(frozen=True, slots=True)
class Footing:
    """What advice of one model is checked against.

    Attributes
    ----------
    refits : Refits, models that could as well have been the one
    familiar : Familiar, what the features looked like in the people who taught it
    """

    refits: Refits
    familiar: Familiar

    @classmethod
    def of(cls, model: RiskModel, training: TrainingSet, *, refits_made: int = 20, seed: int = 0) -> Footing:
        """Make both from the training set of the model; see `refits` and `Familiar.of` for what is refused."""
        return cls(refits(model, training, members=refits_made, seed=seed), Familiar.of(model, training))

    @classmethod
    def kept_in(cls, store: Store | None, model: RiskModel) -> Footing | None:
        """What the store holds for this model, as a finished study left it; None where it holds none, or another's.

        Raises
        ------
        EvidenceError : it was altered since it was saved
        """
        if store is None or store.peek(FOOTING) is None:
            return None
        made = cls.load(store.result(FOOTING).folder)
        return made if made.familiar.model == model.fingerprint else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over both."""
        return fingerprint_document({"refits": self.refits.fingerprint, "familiar": self.familiar.document()})

    def must_be_of(self, model: RiskModel) -> None:
        """Refuse another model.

        Raises
        ------
        DataRefused : it was made for another model
        """
        self.refits.must_be_of(model)
        if self.familiar.model != model.fingerprint:
            raise DataRefused(
                "bands-of-another-model",
                found="bands of features that were made for another model",
                expected=f"those of the model {model.fingerprint[:12]}",
                repair="Make them with Footing.of(model, training), on the training set of this model.",
            )

    def withheld(self, X: Matrix, names: Sequence[str], features: Sequence[Feature]) -> dict[int, str]:
        """The rows whose score is withheld, and the sentence that says so.

        Raises
        ------
        DataRefused : the rows together are no longer like those who taught the model
        """
        self.familiar.must_not_have_drifted(X, names)
        words = {feature.name: str(feature.sentence) for feature in features}
        found = enumerate(self.familiar.strangers(X, names))
        return {row: withheld_words([words.get(name, name) for name in out]) for row, out in found if out}

    def save(self, folder: str | Path) -> None:
        """Write both into a folder."""
        folder = Path(folder)
        self.refits.save(folder)
        self.familiar.save(folder / BANDS)

    @classmethod
    def load(cls, folder: str | Path) -> Footing:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : a part is missing, cannot be read, or was altered since it was saved
        """
        return cls(Refits.load(folder), Familiar.load(Path(folder) / BANDS))


def withheld_words(out: Sequence[str]) -> str:
    """Why one score is withheld.

    Examples
    --------
    >>> withheld_words(["age"])
    'The score is withheld: age lies outside what the model learned from. Judge without it.'
    """
    verb = "lies" if len(out) == 1 else "lie"
    return f"The score is withheld: {'; '.join(out)} {verb} outside what the model learned from. Judge without it."
