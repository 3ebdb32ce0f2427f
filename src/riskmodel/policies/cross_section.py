"""Two groups measured once: the difference of their means, and the difference at equal covariates.

Right where treatment was drawn by lot; elsewhere it compares people who differ, and no formula here can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskmodel.errors import DataRefused
from riskmodel.policies.deviations import Conduct
from riskmodel.policies.effects import FEW, Effect, State, interval
from riskmodel.policies.panel import Mask, Numbers
from riskmodel.tables import fingerprint_document


def mean_difference(outcome: Numbers, treated: Mask, *, name: str = "outcome", confidence: float = 0.95) -> Effect:
    """Mean of the treated less mean of the others, with Welch's unequal-variance standard error and freedom.

    Parameters
    ----------
    outcome : (n,) float64
    treated : (n,) bool

    Raises
    ------
    DataRefused : unknown values, or fewer than two people in a group

    Examples
    --------
    >>> made = mean_difference(np.array([1.0, 3, 5, 7]), np.array([False, False, True, True]))
    >>> made.estimate, round(made.se, 3)
    (4.0, 1.414)
    """
    y, d = _checked(outcome, treated, {})
    one, two = y[d], y[~d]
    parts = np.array([one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)])
    se = float(np.sqrt(parts.sum()))
    spread = float((parts**2 / np.array([len(one) - 1, len(two) - 1])).sum())
    freedom = float(parts.sum() ** 2 / spread) if spread > 0 else np.inf
    estimate = float(one.mean() - two.mean())
    return effect_of_groups(name, "mean_difference", estimate, se, d, confidence, freedom=freedom)


def regression_adjusted(
    outcome: Numbers,
    treated: Mask,
    covariates: Mapping[str, Numbers],
    *,
    interacted: bool = False,
    name: str = "outcome",
    confidence: float = 0.95,
) -> Effect:
    """The difference at equal covariates by least squares, with HC2 standard errors.

    Parameters
    ----------
    covariates : mapping of name to (n,) values
    interacted : let each group have slopes of its own, around the means of the treated: then it is the average effect
        on the treated (Imbens and Wooldridge 2009), not a variance-weighted average
    """
    y, d = _checked(outcome, treated, covariates)
    held = np.column_stack([np.asarray(values, np.float64) for values in covariates.values()])
    centred = held - held[d].mean(axis=0)
    parts = [np.ones(len(y)), d.astype(np.float64), centred]
    x = np.column_stack([*parts, centred * d[:, None]] if interacted else parts)
    scale = np.sqrt((x**2).mean(axis=0))
    x = x / np.where(scale > 0, scale, 1.0)
    bread = np.linalg.pinv(x.T @ x, hermitian=True)
    slopes = bread @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    residual = (y - x @ slopes) / np.sqrt(np.clip(1 - leverage, 1e-12, None))
    influence = (x @ bread[1]) * residual / scale[1]
    se, freedom = float(np.sqrt(influence @ influence)), float(len(y) - np.linalg.matrix_rank(x))
    estimator = "regression_adjusted_interacted" if interacted else "regression_adjusted"
    estimate = float(slopes[1] / scale[1])
    return effect_of_groups(
        name, estimator, estimate, se, d, confidence, covariates=tuple(covariates), freedom=freedom
    )  # fmt: skip


def effect_of_groups(
    name: str,
    estimator: str,
    estimate: float,
    se: float,
    treated: Mask,
    confidence: float,
    *,
    covariates: tuple[str, ...] = (),
    freedom: float = np.inf,
) -> Effect:
    """An Effect of one comparison of two groups, with its interval and state."""
    low, high, p_value = interval(estimate, se, confidence, freedom)
    n, n_treated = len(treated), int(treated.sum())
    known = bool(np.isfinite(low))
    few = min(n_treated, n - n_treated) < FEW
    state: State = "not_estimable" if not known else "imprecise" if few else "ok"
    reason = "no standard error can be worked out" if not known else f"fewer than {FEW} in a group" if few else ""
    roll_out = fingerprint_document(np.flatnonzero(treated).tolist())
    conduct = Conduct(name, estimator, None, None, covariates, confidence, ("once", "once", 1), roll_out)
    return Effect(
        name, estimator, estimate, se, low, high, p_value, n, n_treated, state, reason, (), conduct, np.zeros((0, 0))
    )  # fmt: skip


def _checked(outcome: Numbers, treated: Mask, covariates: Mapping[str, Numbers]) -> tuple[Numbers, Mask]:
    y, d = np.asarray(outcome, np.float64), np.asarray(treated, np.bool_)
    unknown = int((~np.isfinite(y)).sum()) + sum(int((~np.isfinite(values)).sum()) for values in covariates.values())
    if unknown or min(int(d.sum()), int((~d).sum())) < 2:
        raise DataRefused(
            "groups-unusable",
            found=f"{unknown} unknown value(s), {int(d.sum())} treated and {int((~d).sum())} others",
            expected="known values and at least two people in each group",
            repair="Leave out the people without values, or say how they were filled.",
        )
    return y, d
