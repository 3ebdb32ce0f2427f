"""The honest comparators: what a partnership could do with no model at all.

The base rate, the single best count, and the score in use today. Each is turned into a probability on the rows that
teach, so that it is compared on equal terms; none may look at the rows that judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from riskmodel.errors import DataRefused
from riskmodel.governance.thresholds import FEWEST_ROWS
from riskmodel.models.calibrate import MonotoneSteps
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.metrics import Numbers, auroc


@dataclass(frozen=True, slots=True)
class BaseRate:
    """Everybody gets the share of positives among the rows that teach."""

    kind: ClassVar[str] = "base_rate"
    inputs: ClassVar[tuple[str, ...] | None] = ()

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedRate:
        """Learn the share."""
        del X, names, threads
        return FittedRate((), float(outcome.mean()))


@dataclass(frozen=True, slots=True)
class BestCount:
    """The one count that best orders the rows that teach (AUROC, more is riskier), as a probability.

    Parameters
    ----------
    among : tuple of feature names or None; None is every feature that counts something
    """

    kind: ClassVar[str] = "best_count"
    inputs: ClassVar[tuple[str, ...] | None] = None
    among: tuple[str, ...] | None = None

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind, "among": None if self.among is None else list(self.among)}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedCount:
        """Choose the count and learn its probabilities; the first by name order of the features wins a tie."""
        del threads
        columns = [column for column, name in enumerate(names) if self._may_use(name, X[:, column])]
        if not columns:
            raise DataRefused(
                "no-count",
                found=f"{len(names)} features, none of which is a count",
                expected="a feature of whole numbers from 0",
                repair="Add a count, name the features in BestCount(among=...), or leave the comparator out.",
            )
        # A value that is missing counts as no event here: that is how a list by counts is made in practice.
        areas = [auroc(outcome, np.nan_to_num(X[:, column].astype(np.float64))) for column in columns]
        best = columns[int(np.argmax(areas))]
        values = X[:, best].astype(np.float64)
        return FittedCount.learned(names, best, values, outcome)

    def _may_use(self, name: str, values: Matrix) -> bool:
        if self.among is not None:
            return name in self.among
        known = values[~np.isnan(values)]
        return bool(len(known) and known.min() >= 0 and (known == np.floor(known)).all())


@dataclass(frozen=True, slots=True)
class CurrentPractice:
    """The score in use today, carried in the training set, as a probability (more is riskier).

    Parameters
    ----------
    column : str, name of the carried score, with or without "carried:"
    """

    kind: ClassVar[str] = "current_practice"
    column: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The one column it reads."""
        return (self.column if self.column.startswith("carried:") else f"carried:{self.column}",)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind, "column": self.column}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedPractice:
        """Learn the probabilities of the score."""
        del threads
        return FittedPractice.learned(names, 0, X[:, 0].astype(np.float64), outcome)


@dataclass(frozen=True)
class FittedRate(Fitted):
    """The base rate."""

    kind: ClassVar[str] = "base_rate"
    names: tuple[str, ...]
    rate: float

    def predict(self, X: Matrix) -> Numbers:
        """The same probability for every row."""
        return np.full(len(X), self.rate)

    def state(self) -> dict[str, Any]:
        """The rate as JSON."""
        return {"rate": self.rate}

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedRate:
        """From what was saved."""
        del files
        return cls(names, float(state["rate"]))


@dataclass(frozen=True, repr=False)
class FittedScore(Fitted):
    """One column and the rising steps that turn it into a probability; a missing value has its own rate."""

    names: tuple[str, ...]
    column: int
    steps: MonotoneSteps
    rate_if_missing: float

    @classmethod
    def learned(cls, names: tuple[str, ...], column: int, values: Numbers, outcome: Numbers) -> Self:
        """Steps from the known values; the base rate stands in where a value is missing and too few were."""
        known = ~np.isnan(values)
        if not known.any():
            raise DataRefused(
                "score-empty",
                found=f"no value of {names[column]} in the rows that teach",
                expected="a score for at least some rows",
                repair="Check where the score is carried from, or leave the comparator out.",
            )
        steps = MonotoneSteps.learned(values[known], outcome[known], fewest=FEWEST_ROWS)
        base, lost = float(outcome.mean()), int((~known).sum())
        # A rate among those without the value, pulled towards the base rate by as much as ten rows.
        rate = (float(outcome[~known].sum()) + 10 * base) / (lost + 10)
        return cls(names, column, steps, rate)

    @property
    def chosen(self) -> str:
        """Name of the column."""
        return self.names[self.column]

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        self.must_fit(X)
        values = X[:, self.column].astype(np.float64)
        known = ~np.isnan(values)
        made = np.full(len(values), self.rate_if_missing)
        made[known] = self.steps.probability(values[known])
        return made

    def state(self) -> dict[str, Any]:
        """Column and steps as JSON."""
        return {
            "column": self.column,
            "chosen": self.chosen,
            "steps": self.steps.document(),
            "rate_if_missing": self.rate_if_missing,
        }

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> Self:
        """From what was saved."""
        del files
        steps = MonotoneSteps.from_document(state["steps"])
        return cls(names, int(state["column"]), steps, float(state["rate_if_missing"]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.chosen}, {len(self.steps.at)} steps)"


@dataclass(frozen=True, repr=False)
class FittedCount(FittedScore):
    """The best count."""

    kind: ClassVar[str] = "best_count"


@dataclass(frozen=True, repr=False)
class FittedPractice(FittedScore):
    """The score in use today."""

    kind: ClassVar[str] = "current_practice"
