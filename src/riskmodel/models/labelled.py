"""The rows of a training set whose outcome is known: the only rows that teach or judge."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from riskmodel.dates import Moments
from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Matrix
from riskmodel.models.learners import Learner
from riskmodel.models.metrics import Numbers


@dataclass(frozen=True)
class Labelled:
    """Rows with a known outcome, in the order of the training set.

    Attributes
    ----------
    training : the set they come from
    X : (n, p) float32
    outcome : (n,) float64, 0 or 1
    as_of : (n,) datetime64[us]
    people : (n,) int64
    kept : (n,) int64, their row numbers in the training set
    unknown : int, rows left out because the outcome is unknown
    """

    training: TrainingSet = field(repr=False)
    X: Matrix = field(repr=False)
    outcome: Numbers = field(repr=False)
    as_of: Moments = field(repr=False)
    people: npt.NDArray[np.int64] = field(repr=False)
    kept: npt.NDArray[np.int64] = field(repr=False)
    unknown: int

    @classmethod
    def of(cls, training: TrainingSet) -> Labelled:
        """The rows of a training set with outcome yes or no.

        Raises
        ------
        DataRefused : no row has a known outcome, or a feature is infinite
        """
        outcome = training.outcome()
        kept = np.flatnonzero(~np.isnan(outcome))
        if not len(kept):
            raise DataRefused(
                "no-known-outcome",
                found=f"{len(outcome)} rows, none with a known outcome",
                expected="rows whose follow-up is complete",
                repair="Take earlier as-of dates or a shorter horizon.",
            )
        X = training.matrix()
        named = [name for name, column in zip(training.feature_names, X.T, strict=True) if np.isinf(column).any()]
        if named:
            raise DataRefused(
                "infinite-value",
                found=f"infinite values in {', '.join(named)}",
                expected="numbers, or NaN where a value is missing",
                repair="Correct the features that make them.",
            )
        return cls(
            training,
            np.ascontiguousarray(X if len(kept) == len(outcome) else X[kept]),
            outcome[kept],
            training.as_of()[kept],
            training.people()[kept],
            kept,
            len(outcome) - len(kept),
        )

    def inputs(self, learner: Learner) -> tuple[tuple[str, ...], Matrix]:
        """Names and matrix of the columns a learner reads.

        Raises
        ------
        DataRefused : the training set does not carry a column
        """
        if learner.inputs is None:
            return tuple(self.training.feature_names), self.X
        table = self.training.table
        absent = [name for name in learner.inputs if name not in table.column_names]
        if absent:
            raise DataRefused(
                "column-not-carried",
                found=f"a training set without {', '.join(absent)}",
                expected=f"the columns that {learner.kind} reads",
                repair="Carry the score when the training set is built.",
            )
        made = np.empty((len(self.kept), len(learner.inputs)), np.float32)
        for place, name in enumerate(learner.inputs):
            values = table.column(name).cast("double").fill_null(np.nan).to_numpy()
            made[:, place] = values[self.kept]
        return learner.inputs, made
