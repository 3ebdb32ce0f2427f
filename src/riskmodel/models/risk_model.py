"""The fitted model: a calibrated probability, what became of similar cases, and how it did beside its comparators.

It advises and never decides: it has no threshold and makes no yes or no. It is saved as text and tables that load
without running code, the same bytes every time, and its fingerprint is over all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import riskmodel.features.nodes  # noqa: F401 - the words of the language, so that documents can name them
from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.features.feature import Feature, from_document
from riskmodel.models import calibrate
from riskmodel.models.calibrate import Calibration
from riskmodel.models.evaluation import Evaluation
from riskmodel.models.fitted import Fitted, Matrix, write_json
from riskmodel.models.learners import Learner, learner_from_document, load_fitted
from riskmodel.models.metrics import Numbers
from riskmodel.models.similar import NaturalFrequency, SimilarCases
from riskmodel.tables import fingerprint_document

DOCUMENT = "model.json"


@dataclass(frozen=True)
class RiskModel:
    """A model that was fitted and judged.

    Attributes
    ----------
    learner : the settings that were declared
    fitted : what was learned from all rows with a known outcome
    calibration : how its scores become probabilities
    features : the nodes of the features, empty when the training set came without them
    similar : past cases by probability, counts only
    evaluation : figures, curves and predictions on rows not seen
    declaration : all settings of the fit, as JSON
    training_fingerprint : of the training set
    """

    learner: Learner
    fitted: Fitted = field(repr=False)
    calibration: Calibration = field(repr=False)
    features: tuple[Feature, ...] = field(repr=False)
    similar: SimilarCases = field(repr=False)
    evaluation: Evaluation = field(repr=False)
    declaration: Mapping[str, Any] = field(repr=False)
    training_fingerprint: str

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns it reads, in order."""
        return self.fitted.names

    def score(self, X: Matrix) -> Numbers:
        """The learner's own probability before calibration, (n_rows,) float64."""
        return self.fitted.predict(X)

    def predict(self, X: Matrix) -> Numbers:
        """Calibrated probability of each row.

        Parameters
        ----------
        X : (n_rows, n_features) float32 in the order of `feature_names`, NaN where missing

        Returns
        -------
        (n_rows,) float64

        Raises
        ------
        DataRefused : another number of columns, or infinite values
        """
        if np.isinf(X).any():
            raise DataRefused(
                "infinite-value",
                found=f"{int(np.isinf(X).sum())} infinite feature values",
                expected="numbers, or NaN where a value is missing",
                repair="Correct the feature that makes them.",
            )
        return self.calibration.probability(self.score(X))

    def interval(self, probability: Numbers) -> tuple[Numbers, Numbers]:
        """Lowest and highest share that fits each probability: by past cases with a similar one (see `similar`), and by
        the rows that the calibration learned from (see `calibrate`), whichever leaves more open."""
        probability = np.atleast_1d(np.asarray(probability, np.float64))
        both = self.similar.interval(probability), self.calibration.interval(probability)
        return np.minimum(both[0][0], both[1][0]), np.maximum(both[0][1], both[1][1])

    def natural_frequency(self, probability: float) -> NaturalFrequency:
        """Of N past cases with a similar probability, k had the outcome."""
        return self.similar.natural_frequency(float(probability))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that was learned, declared and found out."""
        learned = {"fitted": self.fitted.document(), "files": dict(self.fitted.files())}
        return fingerprint_document({**self._document(), **learned, "evaluation": self.evaluation.fingerprint})

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder: native text, JSON, and Parquet tables of the evaluation."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.fitted.save(folder)
        self.evaluation.save(folder)
        write_json(folder / DOCUMENT, {**self._document(), "fingerprint": self.fingerprint})

    def without_rows(self) -> RiskModel:
        """The same model, of the same fingerprint, without the rows of the people it was judged on."""
        return replace(self, evaluation=self.evaluation.without_rows())

    @classmethod
    def load(cls, folder: str | Path) -> RiskModel:
        """Read what `save` wrote; runs nothing that is in the folder.

        Raises
        ------
        EvidenceError : a part is missing, cannot be read, or was altered since it was saved
        """
        folder = Path(folder)
        try:
            document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
            made = cls(
                learner=learner_from_document(document["learner"]),
                fitted=load_fitted(folder),
                calibration=calibrate.from_document(document["calibration"]),
                features=tuple(from_document(feature) for feature in document["features"]),
                similar=SimilarCases.from_document(document["similar"]),
                evaluation=Evaluation.load(folder),
                declaration=document["declaration"],
                training_fingerprint=document["training_fingerprint"],
            )
            stated = document["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise EvidenceError(
                "model-damaged",
                found=f"a saved model that cannot be read ({type(error).__name__})",
                expected="the files as they were written",
                repair="Fit the model again, or copy the folder again.",
            ) from error
        if made.fingerprint != stated:
            raise EvidenceError(
                "model-altered",
                found="a saved model whose content is not that of its fingerprint",
                expected="the files as they were written",
                repair="Fit the model again; do not use this folder.",
            )
        return made

    def _document(self) -> dict[str, Any]:
        return {
            "learner": self.learner.document(),
            "calibration": self.calibration.document(),
            "features": [feature.document() for feature in self.features],
            "feature_names": list(self.feature_names),
            "similar": self.similar.document(),
            "declaration": dict(self.declaration),
            "training_fingerprint": self.training_fingerprint,
        }

    def __repr__(self) -> str:
        counts = self.evaluation.counts
        return (
            f"RiskModel({self.learner.kind}, {len(self.feature_names)} features, {counts['labelled']} rows with a "
            f"known outcome, {counts['positives']} positive, judged on {counts['judged']} in "
            f"{len(self.evaluation.folds)} folds)"
        )
