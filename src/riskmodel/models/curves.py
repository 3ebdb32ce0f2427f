"""Explainable boosting: one curve a feature, added up (Lou, Caruana and Gehrke 2012; a generalised additive model).

The only importer of interpret. As good as trees on many tables of records, and every part of a prediction is a value
read off a curve that a person can look at. Interactions are left out on purpose: the sum then has no part that cannot
be drawn. Prediction is plain arithmetic on the numbers in the document.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.thresholds import FEWEST_ROWS, Neighbours, sampled
from riskmodel.models.fitted import Fitted, Matrix, floats, rounded
from riskmodel.models.metrics import Numbers, expit
from riskmodel.seeds import derived


@dataclass(frozen=True, slots=True)
class ExplainableBoosting:
    """Settings of the explainable boosting machine.

    Parameters
    ----------
    seed : int
    bags : int, machines that are averaged, each stopped early on rows of its own
    bins : int, most steps of a curve; each holds about as many rows as another, so that no step is one person's
    learning_rate : float
    min_rows_per_leaf : int

    Examples
    --------
    >>> ExplainableBoosting(bins=1)
    Traceback (most recent call last):
        ...
    riskmodel.errors.DeclarationError: model.bins: found 1; expected at least 2. Raise bins. [learner-invalid]
    """

    kind: ClassVar[str] = "explainable_boosting"
    inputs: ClassVar[tuple[str, ...] | None] = None
    seed: int = 0
    bags: int = 6
    bins: int = 64
    learning_rate: float = 0.02
    min_rows_per_leaf: int = 30

    def __post_init__(self) -> None:
        least = {"bags": 1, "bins": 2, "min_rows_per_leaf": 1}
        faults = [
            Fault(f"model.{name}", repr(getattr(self, name)), f"at least {bound}", f"Raise {name}.")
            for name, bound in least.items()
            if getattr(self, name) < bound
        ]
        if not 0 < self.learning_rate <= 1:
            found = repr(self.learning_rate)
            faults.append(Fault("model.learning_rate", found, "above 0 and at most 1", "Correct learning_rate."))
        if faults:
            raise DeclarationError("learner-invalid", faults=faults)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        settings = (name for name in self.__dataclass_fields__ if name not in ("kind", "inputs"))
        return {"kind": self.kind, **{name: getattr(self, name) for name in settings}}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedCurves:
        """Learn from (n, p) float32 features and (n,) outcomes 0/1; features without two values get no curve."""
        del threads  # one: the order of its sums would leave a trace
        from interpret.glassbox import ExplainableBoostingClassifier

        # What it warns of is that its own plots leave missing values out; ours is a term of its own.
        warnings.filterwarnings("ignore", "Missing values detected", UserWarning)
        used = [column for column in range(X.shape[1]) if len(np.unique(X[~np.isnan(X[:, column]), column])) > 1]
        if not used:
            base = float(outcome.mean())
            return FittedCurves(names, (), float(np.log(base / (1 - base))))
        machine = ExplainableBoostingClassifier(
            feature_names=[names[column] for column in used],
            feature_types=["continuous"] * len(used),
            interactions=0,
            outer_bags=self.bags,
            max_bins=max(3, min(self.bins, len(X) // FEWEST_ROWS)),
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_rows_per_leaf,
            random_state=derived(self.seed, "explainable-boosting") % 2**31,
            n_jobs=1,
        ).fit(X[:, used].astype(np.float64), outcome.astype(np.int64))
        near = Neighbours(X[sampled(len(X))])
        curves = tuple(
            Curve(used[place], _plain(near, used[place], machine.bins_[place][0]), rounded(scores))
            for (place,), scores in zip(machine.term_features_, machine.term_scores_, strict=True)
        )
        return FittedCurves(names, curves, float(rounded(machine.intercept_)[0]))


def _plain(near: Neighbours, column: int, cuts: Sequence[float]) -> Numbers:
    """Cuts as plain numbers: left as they are, one may lie half-way between two people's values."""
    return np.array([near.plain(column, float(cut), "left") for cut in cuts], np.float64)


@dataclass(frozen=True)
class Curve:
    """What one feature adds to the log-odds, in steps.

    Attributes
    ----------
    column : int, the feature
    cuts : (n_cuts,) float64, ascending; a value at a cut belongs to the step above it
    scores : (n_cuts + 3,) float64, log-odds: for a missing value, for each step, and for nothing else
    """

    column: int
    cuts: Numbers = field(repr=False)
    scores: Numbers = field(repr=False)

    def of(self, values: npt.NDArray[np.float32]) -> Numbers:
        """Log-odds that each of (n,) values adds."""
        step = np.searchsorted(self.cuts, values.astype(np.float64), side="right") + 1
        step[np.isnan(values)] = 0
        return np.asarray(self.scores[step])


@dataclass(frozen=True)
class FittedCurves(Fitted):
    """Curves that have learned, and the log-odds they start from."""

    kind: ClassVar[str] = "explainable_boosting"
    names: tuple[str, ...]
    curves: tuple[Curve, ...] = field(repr=False)
    intercept: float

    def contributions(self, X: Matrix) -> Numbers:
        """What each feature adds to the log-odds of each row, exactly: (n_rows, n_features) float64.

        Each curve has mean 0 over the rows that taught it, so these are also the Shapley values of the sum.
        """
        self.must_fit(X)
        made = np.zeros(X.shape)
        for curve in self.curves:
            made[:, curve.column] = curve.of(X[:, curve.column])
        return made

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        self.must_fit(X)
        total = np.full(len(X), self.intercept)
        for curve in self.curves:
            total += curve.of(X[:, curve.column])
        return expit(total)

    def state(self) -> dict[str, Any]:
        """The curves as JSON."""
        curves = [
            {"column": curve.column, "cuts": floats(curve.cuts), "scores": floats(curve.scores)}
            for curve in self.curves
        ]
        return {"curves": curves, "intercept": self.intercept}

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedCurves:
        """From what was saved."""
        del files
        curves = tuple(
            Curve(int(one["column"]), np.array(one["cuts"], np.float64), np.array(one["scores"], np.float64))
            for one in state["curves"]
        )
        return cls(names, curves, float(state["intercept"]))

    def __repr__(self) -> str:
        return f"FittedCurves({len(self.curves)} curves of {len(self.names)} features)"
