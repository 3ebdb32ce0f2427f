"""Two-way fixed effects: one coefficient on "under treatment" beside an effect of each unit and period.

Under a staggered roll-out with effects that differ it compares the newly treated with the already treated and can even
have the wrong sign (Goodman-Bacon 2021): it is here because everyone reports it, to stand beside `group_time`.
"""

from __future__ import annotations

import numpy as np

from riskmodel.policies.effects import Asked, Effect, effect
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.two_way import TwoWay


def twfe(panel: Panel, asked: Asked, *, covariates: tuple[str, ...] = ()) -> Effect:
    """The coefficient, with standard errors clustered by unit.

    Small-sample factor ``G/(G-1) * (N-1)/(N-K)``, K the regressors and the periods (unit effects are nested in the
    clusters and not counted), as reghdfe and fixest do; the interval is Student's t with G - 1 degrees of freedom.

    Raises
    ------
    DeclarationError : the roll-out allows no comparison
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=True)
    weights = np.ones((panel.n_units, panel.n_periods)) if asked.weights is None else panel.measure(asked.weights)
    two_way = TwoWay.of(weights)
    y = two_way.residual(panel.measure(asked.outcome))
    columns = [panel.under_treatment.astype(np.float64), *(panel.measure(name) for name in covariates)]
    x = np.stack([two_way.residual(column) for column in columns], axis=-1)
    bread = np.linalg.pinv(np.einsum("itk,it,itl->kl", x, weights, x), hermitian=True)
    slopes = bread @ np.einsum("itk,it,it->k", x, weights, y)
    residual = y - x @ slopes
    used = weights > 0
    n_cells, clusters = int(used.sum()), int(used.any(axis=1).sum())
    regressors = x.shape[2] + int(used.any(axis=0).sum())
    factor = clusters / (clusters - 1) * (n_cells - 1) / max(n_cells - regressors, 1)
    influence: Numbers = np.einsum("itk,it,it->ik", x, weights, residual) @ bread[0] * np.sqrt(factor)
    conduct = asked.conduct(panel, "twfe", covariates=covariates)
    se = float(np.sqrt(influence @ influence))
    return effect(panel, asked, conduct, float(slopes[0]), se, influence=influence, freedom=clusters - 1)
