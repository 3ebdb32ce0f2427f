"""Logistic regression with a ridge penalty: the learner to beat, and often the one to use.

Standardisation, medians for what is missing and the marks that it was missing are learned from the rows that teach
and from no other. The solver is Newton's method on blocks of rows: a second copy of the data is never made, it ends at
the optimum to many digits, and rounding then hides the order of threaded sums, so the same rows give the same bytes.
Prediction is plain arithmetic on the numbers in the document, so that anyone can do the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.models.fitted import Fitted, Matrix, floats, rounded
from riskmodel.models.metrics import Numbers, expit

_BLOCK = 8192


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
    penalty: float = 10.0

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

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedLogistic:
        """Learn from (n, p) float32 features and (n,) outcomes 0/1."""
        del threads
        missing = np.isnan(X)
        marked = tuple(int(column) for column in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)))
        medians = _medians(X, missing)
        centre, spread = _moments(X, medians, marked)
        varies = spread > 1e-9 * (1 + np.abs(centre))
        scale = np.where(varies, spread, np.inf)

        def standard(rows: slice) -> Numbers:
            return np.asarray((_design(X[rows], medians, marked) - centre) / scale)

        intercept, coefficients, converged = _newton(standard, outcome, len(centre), self.penalty)
        slopes = rounded(coefficients / scale)
        spreads = rounded(np.where(varies, spread, 0.0))
        start = float(rounded(np.array(intercept - float(np.sum(centre * slopes)))))
        return FittedLogistic(names, medians, marked, slopes, start, spreads, converged)


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


def _newton(
    standard: Callable[[slice], Numbers], outcome: Numbers, n_columns: int, penalty: float
) -> tuple[float, Numbers, bool]:
    """Intercept and coefficients at the optimum of the penalised likelihood, and whether it was reached."""
    ridge = np.append(0.0, np.full(n_columns, penalty))
    base = float(outcome.mean())
    at = np.append(np.log(base / (1 - base)), np.zeros(n_columns))
    loss, gradient, curvature = _penalised(standard, outcome, at, ridge)
    for _ in range(100):
        move = np.linalg.solve(curvature, -gradient)
        if float(np.abs(move).max()) < 1e-10 * (1 + float(np.abs(at).max())):
            return float(at[0] + move[0]), at[1:] + move[1:], True
        made = _penalised(standard, outcome, at + move, ridge)
        while made[0] > loss + 1e-12 * abs(loss) and float(np.abs(move).max()) > 1e-14:
            move = move / 2
            made = _penalised(standard, outcome, at + move, ridge)
        at = at + move
        loss, gradient, curvature = made
    return float(at[0]), at[1:], False


def _penalised(
    standard: Callable[[slice], Numbers], outcome: Numbers, at: Numbers, ridge: Numbers
) -> tuple[float, Numbers, Numbers]:
    """Penalised negative log-likelihood, its gradient and its curvature, summed over blocks of rows in order."""
    loss = 0.5 * float(ridge @ (at * at))
    gradient, curvature = ridge * at, np.diag(ridge)
    for start in range(0, len(outcome), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = standard(rows)
        design = np.concatenate([np.ones((len(block), 1)), block], axis=1)
        line, known = design @ at, outcome[rows]
        q = expit(line)
        loss += float(np.sum(np.logaddexp(0, line) - known * line))
        gradient = gradient + design.T @ (q - known)
        curvature = curvature + (design * (q * (1 - q))[:, None]).T @ design
    return loss, gradient, curvature


def _moments(X: Matrix, medians: Numbers, marked: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of each column of the design, in two passes over blocks of rows."""
    starts = range(0, len(X), _BLOCK)
    total = sum(_design(X[start : start + _BLOCK], medians, marked).sum(axis=0) for start in starts)
    centre = rounded(np.asarray(total) / len(X))
    squares = sum(((_design(X[start : start + _BLOCK], medians, marked) - centre) ** 2).sum(axis=0) for start in starts)
    return centre, rounded(np.sqrt(np.asarray(squares) / len(X)))


def _medians(X: Matrix, missing: Any) -> Numbers:
    medians = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        known = X[~missing[:, column], column]
        if len(known):
            medians[column] = float(np.median(known.astype(np.float64)))
    return rounded(medians, 3)  # the median is the value of one person


def _design(X: Matrix, medians: Numbers, marked: tuple[int, ...]) -> Numbers:
    """Features with medians where missing, then the marks: (n, p + marks) float64."""
    design = np.empty((X.shape[0], X.shape[1] + len(marked)))
    design[:, : X.shape[1]] = X
    missing = np.isnan(X)
    design[:, : X.shape[1]][missing] = np.broadcast_to(medians, X.shape)[missing]
    design[:, X.shape[1] :] = missing[:, list(marked)]
    return design
