"""Are these people like those the model learned from? A score on a stranger is withheld, and one on strangers refused.

A person is out of range where a value lies far beyond the outer edges of a feature's bands; a list has drifted where
its people lie in other bands than those who taught.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from riskmodel.advisory.bands import Bands, bands_of
from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Matrix, write_json
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

DRIFTED: Final = 0.25
"""Population stability index from which a population counts as another one (the usual rule; Siddiqi 2006)."""
_CHANCE: Final = 0.001
"""Chance of withholding a list of people drawn from those who taught, over all its features together."""


@dataclass(frozen=True)
class Familiar:
    """What a model's features looked like in the people who taught it, in bands of many.

    Attributes
    ----------
    model : str, fingerprint of the model
    people : int, how many taught
    bands : mapping of column to Bands
    """

    model: str
    people: int
    bands: dict[str, Bands] = field(repr=False)

    @classmethod
    def of(cls, model: RiskModel, training: TrainingSet) -> Familiar:
        """Learn the bands from the training set of the model.

        Raises
        ------
        DataRefused : the training set is not the one on which the model was fitted
        """
        if training.fingerprint != model.training_fingerprint:
            raise DataRefused(
                "training-set-other",
                found="a training set on which the model was not fitted",
                expected=f"the training set {model.training_fingerprint[:12]}",
                repair="Give the training set that was passed to fit.",
            )
        return cls.of_rows(model, training, np.arange(training.table.num_rows))

    @classmethod
    def of_rows(cls, model: RiskModel, training: TrainingSet, rows: npt.NDArray[np.intp]) -> Familiar:
        """The bands of some rows of a training set."""
        people = np.unique(training.people()[rows], return_inverse=True)[1]
        names = [name for name in model.feature_names if name in training.feature_names]
        bands = {name: bands_of(training.table[name].to_numpy()[rows], people) for name in names}
        return cls(model.fingerprint, int(people.max()) + 1, bands)

    def strangers(self, X: Matrix, names: Sequence[str]) -> list[tuple[str, ...]]:
        """The columns in which each row lies out of range: none for most."""
        made: list[tuple[str, ...]] = [()] * len(X)
        for place, name in enumerate(names):
            if name in self.bands:
                for row in np.flatnonzero(self.bands[name].out_of_range(X[:, place])):
                    made[row] = (*made[row], name)
        return made

    def drift(self, X: Matrix, names: Sequence[str]) -> dict[str, float]:
        """The population stability index of each column: 0 where the rows lie in the bands as those who taught."""
        return {
            name: stability_index(self.bands[name].taught(), self.bands[name].shares_of(X[:, place]), len(X))
            for place, name in enumerate(names)
            if name in self.bands and len(X)
        }

    def must_not_have_drifted(self, X: Matrix, names: Sequence[str]) -> None:
        """Refuse a list of people whose features are no longer those of the people who taught.

        A feature counts when its index is above `DRIFTED`, and above what chance gives a list of this length.

        Raises
        ------
        DataRefused : with the columns and how far they moved
        """
        found = self.drift(X, names)
        moved = {name: index for name, index in found.items() if index > max(DRIFTED, self._by_chance(name, len(X)))}
        if moved:
            listed = ", ".join(f"{name} ({index:.2f})" for name, index in sorted(moved.items()))
            raise DataRefused(
                "list-drifted",
                found=f"people who are no longer like those who taught the model, by population stability index: "
                f"{listed}",
                expected=f"an index of at most {DRIFTED} in every feature",
                repair="Find out what changed, in people or in recording, and fit and approve the model again.",
            )

    def _by_chance(self, name: str, rows: int) -> float:
        """What the index of rows drawn from the people who taught stays below (Yurdakul and Naranjo 2020)."""
        bands = len(self.bands[name].shares)
        return float(chi2.ppf(1 - _CHANCE / max(len(self.bands), 1), bands) * (1 / rows + 1 / self.people))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"model": self.model, "people": self.people, "bands": {n: asdict(b) for n, b in self.bands.items()}}

    def save(self, path: str | Path) -> None:
        """Write the bands as JSON, with their fingerprint."""
        write_json(Path(path), {**self.document(), "fingerprint": fingerprint_document(self.document())})

    @classmethod
    def load(cls, path: str | Path) -> Familiar:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since it was saved
        """
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            bands = {
                name: Bands(**{**each, "edges": tuple(each["edges"]), "shares": tuple(each["shares"])})
                for name, each in held["bands"].items()
            }
            made = cls(held["model"], held["people"], bands)
            whole = fingerprint_document(made.document()) == held["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise EvidenceError(
                "bands-altered",
                found="saved bands that cannot be read, or are not those of their fingerprint",
                expected="the file as it was written",
                repair="Make it again with Familiar.of(model, training).",
            )
        return made

    def __repr__(self) -> str:
        return f"Familiar({len(self.bands)} features, {self.people:,} people)"


def stability_index(before: Numbers, now: Numbers, rows: int) -> float:
    """Population stability index of two (k,) arrays of shares; an empty band counts as half a row.

    Examples
    --------
    >>> round(stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4]), 1000), 4)    # .1 ln 1.2 - .1 ln .8
    0.0405
    """
    least = 0.5 / max(rows, 1)
    before, now = np.maximum(before, least), np.maximum(now, least)
    return float(np.sum((now - before) * np.log(now / before)))
