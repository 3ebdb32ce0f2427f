"""Logistic regression with a ridge penalty: the learner to beat, and often the one to use.

The only importer of sklearn.linear_model. Standardisation, medians for what is missing and the marks that it was
missing are learned from the rows that teach and from no other. Prediction is plain arithmetic on the numbers in the
document, so that anyone can do the sum.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.models.fitted import Fitted, Matrix, floats, rounded
from riskmodel.models.metrics import Numbers, expit


@dataclass(frozen=True, slots=True)
class Logistic:
    """Settings of the penalised logistic regression.

    Parameters
    ----------
    penalty : float, ridge penalty on standardised coefficients, as so many rows' worth of pull towards 0
        (1 / C of scikit-learn); the intercept is free
    """

    kind: ClassVar[str] = "logistic"
    inputs: ClassVar[tuple[str, ...] | None] = None
    penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            raise DeclarationError.of(
                "learner-invalid",
                where="model.penalty",
                found=repr(self.penalty),
                expected="a number above 0",
                repair="Raise the penalty.",
            )

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind, "penalty": self.penalty}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 0) -> FittedLogistic:
        """Learn from (n, p) float32 features and (n,) outcomes 0/1."""
        del threads
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        missing = np.isnan(X)
        marked = tuple(int(column) for column in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)))
        medians = _medians(X, missing)
        design = _design(X, medians, marked)
        centre, spread = design.mean(axis=0), design.std(axis=0)
        spread = np.where(spread > 1e-9 * (1 + np.abs(centre)), spread, np.inf)
        centre, spread = rounded(centre), rounded(spread)
        standard = (design - centre) / spread
        # newton-cholesky reaches the optimum to many digits, so the rounding hides the order of threaded sums.
        solver = LogisticRegression(C=1 / self.penalty, solver="newton-cholesky", tol=1e-9, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said in the state instead
            warnings.filterwarnings("ignore", category=RuntimeWarning, module="sklearn")
            solver.fit(standard, outcome)
        converged = bool(np.all(solver.n_iter_ < 200))
        slopes = rounded(np.where(np.isinf(spread), 0.0, solver.coef_[0] / spread))
        intercept = float(rounded(np.array(solver.intercept_[0] - centre @ slopes)))
        spreads = np.where(np.isinf(spread), 0.0, spread)
        return FittedLogistic(names, medians, marked, slopes, intercept, spreads, converged)


@dataclass(frozen=True)
class FittedLogistic(Fitted):
    """Coefficients on the features' own scale.

    Attributes
    ----------
    medians : (p,) float64, put in where a value is missing
    marked : columns with a mark of their own for being missing
    slopes : (p + marks,) float64, log-odds a unit
    intercept : float, log-odds
    spreads : (p + marks,) float64, standard deviation among the rows that taught; 0 for a constant
    """

    kind: ClassVar[str] = "logistic"
    names: tuple[str, ...]
    medians: Numbers
    marked: tuple[int, ...]
    slopes: Numbers
    intercept: float
    spreads: Numbers
    converged: bool

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        return expit(self.log_odds(X))

    def log_odds(self, X: Matrix) -> Numbers:
        """Log-odds of each row."""
        self.must_fit(X)
        # einsum, not BLAS: the same bits with any number of threads.
        return np.asarray(self.intercept + np.einsum("ij,j->i", _design(X, self.medians, self.marked), self.slopes))

    def state(self) -> dict[str, Any]:
        """The coefficients as JSON."""
        return {
            "medians": floats(self.medians),
            "marked": list(self.marked),
            "slopes": floats(self.slopes),
            "intercept": self.intercept,
            "spreads": floats(self.spreads),
            "converged": self.converged,
        }

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedLogistic:
        """From what was saved."""
        del files
        return cls(
            names,
            np.array(state["medians"], np.float64),
            tuple(state["marked"]),
            np.array(state["slopes"], np.float64),
            float(state["intercept"]),
            np.array(state["spreads"], np.float64),
            bool(state["converged"]),
        )

    def __repr__(self) -> str:
        return f"FittedLogistic({len(self.names)} features, {len(self.marked)} marks for missing)"


def _medians(X: Matrix, missing: Any) -> Numbers:
    medians = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        known = X[~missing[:, column], column]
        if len(known):
            medians[column] = float(np.median(known.astype(np.float64)))
    return medians


def _design(X: Matrix, medians: Numbers, marked: tuple[int, ...]) -> Numbers:
    """Features with medians where missing, then the marks: (n, p + marks) float64."""
    design = np.empty((X.shape[0], X.shape[1] + len(marked)))
    design[:, : X.shape[1]] = X
    missing = np.isnan(X)
    design[:, : X.shape[1]][missing] = np.broadcast_to(medians, X.shape)[missing]
    design[:, X.shape[1] :] = missing[:, list(marked)]
    return design
