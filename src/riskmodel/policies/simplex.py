"""Weights that are not negative and sum to 1, and bring columns as near to a target as they can, up to a constant.

Two solvers of one problem: the exact one, and the Frank-Wolfe steps of the authors of synthetic DiD, which stop a
little before the optimum and are kept because published numbers were made with them.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from riskmodel.policies.panel import Numbers

_HELD = 1e4
_LEAST = 1e-7  # of the largest entry: where many weights fit equally well, the evenest are taken
_ITERATIONS, _BEFORE_SPARSE = 10_000, 100


def exact_weights(columns: Numbers, target: Numbers, ridge: float, *, constant: bool = True) -> Numbers:
    """The minimiser of ``|(A w - b) - mean|^2 / rows + ridge^2 |w|^2`` on the simplex, by non-negative least squares.

    Without `constant` the mean is not taken off: levels, too, are to be met.

    Parameters
    ----------
    columns : (rows, n)
    target : (rows,)

    Examples
    --------
    >>> exact_weights(np.array([[0.0, 4.0], [0.0, 8.0]]), np.array([1.0, 2.0]), 0.0).round(6).tolist()
    [0.75, 0.25]
    """
    a, b = (columns - columns.mean(axis=0), target - target.mean()) if constant else (columns, target)
    n, scale = a.shape[1], float(max(np.abs(a).max(), np.abs(b).max())) or 1.0
    held, ridge = _HELD * scale, max(ridge, _LEAST * scale)
    rows = np.vstack([a, ridge * np.sqrt(len(b)) * np.eye(n), np.full((1, n), held)])
    weights, _ = nnls(rows, np.concatenate([b, np.zeros(n), [held]]), maxiter=100 * n + 100)
    return np.asarray(weights / weights.sum(), np.float64)


def frank_wolfe_weights(
    columns: Numbers, target: Numbers, ridge: float, step: float, *, constant: bool = True
) -> Numbers:
    """The same problem in two rounds: briefly, then without the weights below a quarter of the largest.

    Stops when a step gains less than the square of `step`.
    """
    a, b = (columns - columns.mean(axis=0), target - target.mean()) if constant else (columns, target)
    weights = _steps(a, b, np.full(a.shape[1], 1 / a.shape[1]), ridge, step, _BEFORE_SPARSE)
    weights = np.where(weights <= weights.max() / 4, 0.0, weights)
    return _steps(a, b, weights / weights.sum(), ridge, step, _ITERATIONS)


def _steps(a: Numbers, b: Numbers, weights: Numbers, ridge: float, step: float, most: int) -> Numbers:
    penalty, last = len(b) * ridge**2, np.inf
    for _ in range(most):
        slope = a.T @ (a @ weights - b) + penalty * weights
        towards = -weights
        towards[int(np.argmin(slope))] += 1.0
        moved = a @ towards
        curve = float(moved @ moved + penalty * (towards @ towards))
        if curve <= 0:
            break
        weights = weights + min(1.0, max(0.0, -float(slope @ towards) / curve)) * towards
        value = float(ridge**2 * (weights @ weights) + ((a @ weights - b) ** 2).sum() / len(b))
        if last - value <= step**2:
            break
        last = value
    return weights
