"""Did acting on advice help? The funnel from a flag to an outcome, and what may be learnt from it.

People are flagged, some of them are offered help, some of those take it up, and outcomes follow. Comparing those who
took help with those who did not says who takes help. What can be learnt depends on how the offer was decided: by lot
(an encouragement design: the effect of the offer, and of help on those whom the offer moved), place after place
(a staggered roll-out: use `group_time` on areas), or to everyone flagged (nothing can be learnt, and this says so).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa
from scipy import stats

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.disclosure import RULES, RuleSet, released
from riskmodel.policies.cross_section import effect_of_groups, mean_difference
from riskmodel.policies.effects import Effect
from riskmodel.policies.panel import Mask, Numbers

Offered = Literal["by lot", "to everyone", "by judgement"]
WEAK = 10.0
"""The F statistic of the offer on take-up below which the effect of help itself is not to be trusted."""


@dataclass(frozen=True, repr=False, eq=False)
class Funnel:
    """One row a person, at the time of the advice.

    Attributes
    ----------
    flagged, offered, taken_up : (n,) bool
    outcome : (n,) float, after the advice; lower is better for harm
    """

    flagged: Mask
    offered: Mask
    taken_up: Mask
    outcome: Numbers

    def __post_init__(self) -> None:
        sizes = {len(each) for each in (self.flagged, self.offered, self.taken_up, self.outcome)}
        if len(sizes) > 1 or not np.isfinite(self.outcome).all():
            raise DataRefused(
                "funnel-unusable",
                found="columns of different lengths" if len(sizes) > 1 else "unknown outcomes",
                expected="one row a person, with an outcome that is known",
                repair="Leave out people without enough follow-up, and say how many.",
            )

    def table(self, rules: RuleSet = RULES["hes"]) -> pa.Table:
        """How many reached each step, as may leave: step, people."""
        kept = self.flagged
        counts = [len(kept), int(kept.sum()), int((kept & self.offered).sum()), int((kept & self.taken_up).sum())]
        steps = pa.table({"step": ["in question", "flagged", "offered help", "took it up"], "people": counts})
        return released(steps, ["people"], rules=rules)

    def __repr__(self) -> str:
        return f"Funnel({len(self.flagged):,} people)"


@dataclass(frozen=True, slots=True)
class AdviceEffect:
    """What was learnt, or that nothing can be.

    Attributes
    ----------
    offer : Effect or None, of being offered help, on those flagged
    help : Effect or None, of help itself on those whom the offer moved to take it (CACE)
    moved : float, share of the flagged whom the offer moved, NaN when unknown
    strength : float, F statistic of the offer on take-up
    learnt : bool
    sentence : str
    """

    offer: Effect | None = field(repr=False)
    help: Effect | None = field(repr=False)
    moved: float
    strength: float
    learnt: bool
    sentence: str


def did_advice_help(
    funnel: Funnel, offered: Offered, *, name: str = "outcome", confidence: float = 0.95
) -> AdviceEffect:
    """The effect of acting on advice, where the way in which help was offered allows it.

    Parameters
    ----------
    offered : how it was decided who, of those flagged, was offered help

    Notes
    -----
    The effect of help on those whom the offer moved is the effect of the offer over the share that it moved (Angrist,
    Imbens and Rubin 1996). It supposes that the offer does nothing by itself, and turns nobody away. Its interval is
    Anderson and Rubin's, which holds however weak the offer is; where that interval has no end, none is given.
    """
    of = funnel.flagged
    y, d, z = funnel.outcome[of], funnel.taken_up[of].astype(np.float64), funnel.offered[of]
    if offered == "to everyone" or (len(z) and (z.all() or not z.any())):
        who = "everybody" if len(z) and z.all() else "nobody" if not z.any() else "by rule everybody"
        return _nothing(
            f"Of {name} it cannot be learnt whether help worked: {who} who was flagged was offered it, so "
            "there is nobody to compare with. Draw lots where help is scarce, or start in one place after the other."
        )
    if offered == "by judgement":
        return _nothing(
            f"Of {name} it cannot be learnt from this funnel whether help worked: people chose who was offered it, "
            "and they choose by what also decides the outcome. Compare people alike at the time, with care."
        )
    if offered != "by lot":
        raise DeclarationError.of(
            "offer-unknown", where="did_advice_help", found=repr(offered),
            expected="by lot, to everyone or by judgement", repair="Say how the offer was decided.",
        )  # fmt: skip
    offer = mean_difference(y, z, name=name, confidence=confidence)
    taken = mean_difference(d, z, name="take-up", confidence=confidence)
    moved = taken.estimate
    strength = float((moved / taken.se) ** 2) if taken.se > 0 else float("inf") if moved else 0.0
    return _learnt(name, confidence, (y, d, z), offer, moved, strength)


def _learnt(
    name: str, confidence: float, columns: tuple[Numbers, Numbers, Mask], offer: Effect, moved: float, strength: float
) -> AdviceEffect:
    y, d, z = columns
    span = f"({offer.low:+.3g} to {offer.high:+.3g})"
    said = f"Offering help changed {name} by {offer.estimate:+.3g} {span} for each person flagged"
    if not moved > 0 or strength < WEAK:
        sentence = f"{said}; the offer moved too few people to say what help itself does (F {strength:.1f})."
        return AdviceEffect(offer, None, moved, strength, True, sentence)
    estimate = offer.estimate / moved
    low, high = _anderson_rubin(y, d, z, confidence)
    se = _delta_error(y - estimate * d, z, moved)
    whole = effect_of_groups(name, "encouragement", estimate, se, z, confidence)
    help_ = replace(whole, low=low, high=high)
    span = f"({low:+.3g} to {high:+.3g})"
    sentence = f"{said}; help itself, for the {moved:.0%} whom the offer moved, by {estimate:+.3g} {span}."
    return AdviceEffect(offer, help_, moved, strength, True, sentence)


def _anderson_rubin(y: Numbers, d: Numbers, z: Mask, confidence: float) -> tuple[float, float]:
    """Every effect b for which ``y - b d`` does not differ between offered and not: the roots of a quadratic."""
    one, two = z, ~z
    far = float(stats.norm.ppf(0.5 + confidence / 2)) ** 2

    def variance(a: Numbers, b: Numbers) -> float:
        return float(np.cov(a[one], b[one])[0, 1] / one.sum() + np.cov(a[two], b[two])[0, 1] / two.sum())

    gap_y, gap_d = float(y[one].mean() - y[two].mean()), float(d[one].mean() - d[two].mean())
    a = gap_d**2 - far * variance(d, d)
    b = -2 * (gap_y * gap_d - far * variance(y, d))
    c = gap_y**2 - far * variance(y, y)
    root = b**2 - 4 * a * c
    if a <= 0 or root < 0:
        return -float("inf"), float("inf")
    return (-b - np.sqrt(root)) / (2 * a), (-b + np.sqrt(root)) / (2 * a)


def _delta_error(rest: Numbers, z: Mask, moved: float) -> float:
    return float(np.sqrt(rest[z].var(ddof=1) / z.sum() + rest[~z].var(ddof=1) / (~z).sum()) / abs(moved))


def _nothing(sentence: str) -> AdviceEffect:
    nan = float("nan")
    return AdviceEffect(None, None, nan, nan, False, sentence)
