"""The same outcome from person to area to the whole: do the levels tell one story?

An effect on people (micro), on places or areas (meso) and on everybody together (macro) should add up: what people were
spared is what their areas were spared. Where it does not, events are lost between levels (no address, moved away), or
people outside the study carried the effect. The check compares totals, not averages, so that units of any size fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from riskmodel.errors import DeclarationError
from riskmodel.policies.effects import Asked, Effect
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.panel import Panel


@dataclass(frozen=True, slots=True)
class LevelEffect:
    """One level: the effect on a unit, and summed over all treated units and periods.

    Attributes
    ----------
    level : str, such as "person" or "area"
    effect : Effect
    events : float, events counted in the treated units since they started
    total, low, high : float, events more or fewer because of the policy
    """

    level: str
    effect: Effect
    events: float
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Coherence:
    """Two levels that should add up to the same.

    Attributes
    ----------
    levels : tuple of LevelEffect, as given
    difference : float, between the totals that differ most
    p_value : float, of no difference, taking levels as independent (so it rings too seldom, never too often)
    lost : float, share of the events of the fullest level that the emptiest one does not count
    coherent : bool, neither the totals nor the counts speak against it
    sentence : str
    """

    levels: tuple[LevelEffect, ...]
    difference: float
    p_value: float
    lost: float
    coherent: bool
    sentence: str


def coherence(panels: Mapping[str, Panel], asked: Asked, estimate: Estimator, *, most_lost: float = 0.05) -> Coherence:
    """Estimate one outcome on the panels of several levels and see whether they add up.

    Parameters
    ----------
    panels : mapping of level to the panel of the same outcome, periods and policy
    most_lost : share of events that may be missing between two levels

    Raises
    ------
    DeclarationError : fewer than two levels, or panels of different periods
    """
    if len(panels) < 2 or len({panel.labels for panel in panels.values()}) > 1:
        raise DeclarationError.of(
            "levels-unlike", where="coherence", found=f"{len(panels)} level(s), with differing periods or alone",
            expected="at least two panels of the same periods", repair="Count each level over the same calendar.",
        )  # fmt: skip
    made = tuple(_level(name, panel, asked, estimate) for name, panel in panels.items())
    pairs = [(one, two) for i, one in enumerate(made) for two in made[i + 1 :]]
    worst = max(pairs, key=lambda pair: abs(pair[0].total - pair[1].total))
    difference = worst[0].total - worst[1].total
    errors = [(each.high - each.low) / 2 / _far(asked) for each in worst]
    se = float(np.hypot(errors[0], errors[1]))
    p_value = float(2 * stats.norm.sf(abs(difference) / se)) if se > 0 else float("nan")
    counts = [each.events for each in made]
    lost = 1 - min(counts) / max(counts) if max(counts) > 0 else 0.0
    coherent = bool(p_value >= 1 - asked.confidence and lost <= most_lost)
    totals = ", ".join(f"{each.total:+,.0f} by {each.level}" for each in made)
    said = "The levels add up" if coherent else "The levels do not add up"
    missing = f"; {lost:.0%} of the events of one level are missing from another" if lost > most_lost else ""
    sentence = f"{said} for {asked.outcome}: {totals} (difference p = {p_value:.3f}{missing})."
    return Coherence(made, difference, p_value, lost, coherent, sentence)


def _level(name: str, panel: Panel, asked: Asked, estimate: Estimator) -> LevelEffect:
    effect, under = estimate(panel, asked), panel.under_treatment
    cells = int(under.sum())
    events = float(panel.measure(asked.outcome)[under].sum())
    return LevelEffect(name, effect, events, effect.estimate * cells, effect.low * cells, effect.high * cells)


def _far(asked: Asked) -> float:
    return float(stats.norm.ppf(0.5 + asked.confidence / 2))
