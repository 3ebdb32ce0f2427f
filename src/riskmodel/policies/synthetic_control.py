"""Synthetic control (Abadie, Diamond and Hainmueller 2010): a weighted mix of untreated units that met the treated one.

The mix meets the treated units' mean in every period before the start, in level too; what it does afterwards stands for
what would have been. Whether the difference is more than chance is judged by doing the same to every untreated unit:
the p-value is the rank of how much worse the fit became. A mix that did not fit before the start is said so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.simplex import exact_weights, frank_wolfe_weights
from riskmodel.policies.synthetic import Solver, one_start

_FEWEST_PLACEBOS = 20
_BAD_FIT = 0.5


@dataclass(frozen=True, repr=False, eq=False)
class Mix:
    """A synthetic control.

    Attributes
    ----------
    weights : (n_comparison,) not negative, sum to 1
    gap : (T,) treated less mix, in every period
    start : int, first treated period
    """

    weights: Numbers
    gap: Numbers
    start: int

    @property
    def misfit(self) -> float:
        """Root mean square of the gap before the start."""
        return float(np.sqrt((self.gap[: self.start] ** 2).mean()))

    @property
    def ratio(self) -> float:
        """The same after the start over that before."""
        after = float(np.sqrt((self.gap[self.start :] ** 2).mean()))
        return after / max(self.misfit, 1e-12 * (after or 1.0))


def synthetic_control(panel: Panel, asked: Asked, *, solver: Solver = "exact") -> Effect:
    """The effect on the treated, averaged over the periods since the start.

    The standard error is the spread of the placebo effects, the p-value the rank of the ratio of misfits among all
    placebos (so with 19 comparison units it is never below .05).

    Parameters
    ----------
    solver : "exact" weights, or the "frank_wolfe" steps with which published numbers were made (placebos are exact)

    Raises
    ------
    DeclarationError : the treated do not all start together, nobody is never treated, or weights were asked for
    DataRefused : unknown cells
    """
    panel.must_allow(single=True)
    start = one_start(panel, asked, "synthetic_control")
    outcome = panel.measure(asked.outcome)
    treated, others = outcome[panel.treated].mean(axis=0), outcome[~panel.treated]
    made = mix(treated, others, start, solver)
    path, conduct = made.gap[start:], asked.conduct(panel, "synthetic_control")
    if len(others) < 2:
        nan = float("nan")
        reason = f"{len(others)} comparison unit is too few for placebos"
        return effect(panel, asked, conduct, float(path.mean()), nan, reason=reason, single=True)
    placebos = [mix(others[i], np.delete(others, i, axis=0), start) for i in range(len(others))]
    spread = np.stack([each.gap[start:] for each in placebos])
    se = float(spread.mean(axis=1).std())
    counts = [int(panel.treated.sum())] * len(path)
    events = event_effects(range(len(path)), path, spread.std(axis=0), counts, asked)
    level = float(np.abs(treated[:start] - treated[:start].mean()).mean())
    reason = f"only {len(others)} comparison units as placebos" if len(others) < _FEWEST_PLACEBOS else ""
    if made.misfit > _BAD_FIT * max(level, 1e-12) and made.misfit > 0.05 * abs(float(treated[:start].mean())):
        reason = "the mix did not meet the treated before the start"
    whole = effect(panel, asked, conduct, float(path.mean()), se, events=events, single=True, reason=reason)
    rank = 1 + sum(each.ratio >= made.ratio * (1 - 1e-12) for each in placebos)
    return replace(whole, p_value=rank / (1 + len(placebos)))


def mix(treated: Numbers, others: Numbers, start: int, solver: Solver = "exact") -> Mix:
    """The mix of the (n, T) comparison units that comes nearest to the (T,) treated series before the start."""
    before, wanted = others[:, :start].T, treated[:start]
    if solver == "exact":
        weights = exact_weights(before, wanted, 0.0, constant=False)
    else:
        noise = float(np.diff(before, axis=0).std(ddof=1))
        weights = frank_wolfe_weights(before, wanted, 1e-6 * noise, 1e-5 * noise, constant=False)
    return Mix(weights, treated - weights @ others, start)
