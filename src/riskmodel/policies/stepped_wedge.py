"""Stepped wedge: everybody gets the policy, and when was drawn by lot (Hussey and Hughes 2007).

Units keep a level of their own that was drawn too, so that comparisons between units count beside those within them:
sharper than fixed unit effects, and right only if the order really was drawn. One effect for all times is assumed. The
error is clustered by unit with few-unit degrees of freedom, and does not need the model of levels to be right.
"""

from __future__ import annotations

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.policies.effects import Asked, Effect, effect
from riskmodel.policies.panel import Numbers, Panel


def stepped_wedge(panel: Panel, asked: Asked) -> Effect:
    """The effect by generalised least squares: periods fixed, units' levels drawn.

    The spread of the levels is found by the method of moments (Swamy and Arora 1972); standard errors are clustered by
    unit with the factor G / (G - 1) and G - 2 degrees of freedom.

    Raises
    ------
    DeclarationError : the roll-out allows no comparison, or weights were asked for
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=True)
    if asked.weights is not None:
        raise DeclarationError.of(
            "weights-unknown", where="stepped_wedge", found=f"weights {asked.weights}", expected="none",
            repair="Ask without weights, or use twfe.",
        )  # fmt: skip
    y, d = panel.measure(asked.outcome), panel.under_treatment.astype(np.float64)
    theta = _pooling(y, d)
    x, z = _less(d, theta), _less(y, theta)
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)  # period effects are partialled out: every period has every unit
    denominator = float((x**2).sum())
    estimate = float((x * z).sum() / denominator)
    clusters = panel.n_units
    influence = ((x * (z - estimate * x)).sum(axis=1) / denominator) * np.sqrt(clusters / (clusters - 1))
    se = float(np.sqrt(influence @ influence))
    conduct = asked.conduct(panel, "stepped_wedge")
    return effect(panel, asked, conduct, estimate, se, influence=influence, freedom=max(clusters - 2, 1))


def _less(values: Numbers, theta: float) -> Numbers:
    """The values less a share of each unit's mean."""
    return np.asarray(values - theta * values.mean(axis=1, keepdims=True))


def _pooling(y: Numbers, d: Numbers) -> float:
    """The share of a unit's mean to take off: 0 where units have no level of their own, 1 where it is all."""
    n, periods = y.shape
    x, z = _less(d, 1.0), _less(y, 1.0)
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)
    within = z - x * float((x * z).sum() / max(float((x**2).sum()), 1e-300))
    noise = float((within**2).sum()) / max((n - 1) * (periods - 1) - 1, 1)
    means, doses = y.mean(axis=1) - y.mean(), d.mean(axis=1) - d.mean()
    slope = float(doses @ means) / float(doses @ doses) if float(doses @ doses) > 0 else 0.0
    between = float(((means - slope * doses) ** 2).sum()) / max(n - 2, 1)
    level = max(between - noise / periods, 0.0)
    return 1.0 - float(np.sqrt(noise / (noise + periods * level))) if noise + level > 0 else 0.0
