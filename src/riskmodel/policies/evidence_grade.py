"""How strong the evidence is, by rule: the Maryland Scientific Methods Scale, with the reasons for the level.

The scale (Sherman et al. 1997; wording after Farrington, Gottfredson, Sherman and Welsh 2002) grades the design, not
the result: 1 one look in time, 2 before and after without a comparison that can be trusted, 3 before and after beside
one comparison, 4 before and after in many treated and comparison units with other causes held, 5 drawn by lot. A
design that its own checks contradict is graded down. The rules are fixed here; nobody chooses a grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from riskmodel.policies.checks import Check
from riskmodel.policies.effects import FEW, Effect

Assigned = Literal["by lot", "by rule", "by need", "by choice", "unknown"]
Level = Literal[0, 1, 2, 3, 4, 5]
LEVELS: dict[int, str] = {
    0: "nothing can be said",
    1: "one look in time: what goes together, not what causes what",
    2: "before and after, without a comparison that can be trusted",
    3: "before and after, beside units without the policy",
    4: "before and after, in many units with and without the policy, their own levels and shared swings held",
    5: "drawn by lot",
}
_BESIDE = ("interrupted", "single_did", "synthetic_did", "synthetic_control")


@dataclass(frozen=True, slots=True)
class Grade:
    """A level of the scale and why it is not another.

    Attributes
    ----------
    level : int, 0 to 5
    reasons : tuple of str, what the level rests on
    held_back : tuple of str, what keeps it from the next level
    """

    level: Level
    reasons: tuple[str, ...]
    held_back: tuple[str, ...]

    @property
    def words(self) -> str:
        """The level in words.

        Examples
        --------
        >>> Grade(2, (), ()).words
        'Level 2 of 5: before and after, without a comparison that can be trusted'
        """
        return f"Level {self.level} of 5: {LEVELS[self.level]}"


def evidence_grade(effect: Effect, checks: Sequence[Check], assigned: Assigned, *, before: int, others: int) -> Grade:
    """Grade the evidence for one effect.

    Parameters
    ----------
    effect : Effect, of the primary outcome
    checks : the checks that were made of it and of placebo outcomes
    assigned : how it was decided who gets the policy; "by lot" needs a draw that anybody can look up
    before : int, untreated periods before the first start; 0 for one look in time
    others : int, units that are never treated, or not yet
    """
    if effect.state == "not_estimable":
        return Grade(0, (f"the effect cannot be estimated: {effect.reason}",), ())
    treated = effect.n_treated
    if assigned == "by lot":
        return _drawn_by_lot(treated, others)
    lot = "who gets the policy was not drawn by lot"
    if before < 1:
        return Grade(1, ("treated and others are compared once",), ("nothing was measured before the start", lot))
    if others < 1:
        return Grade(2, ("before and after are compared",), ("there is no comparison", lot))
    contradicted = _contradicted(effect, checks)
    if contradicted:
        return Grade(2, ("before and after are compared, beside others",), (*contradicted, lot))
    reasons = [f"{before} periods before the first start, {treated} treated and {others} comparison units"]
    if effect.estimator in _BESIDE or treated < FEW or others < FEW:
        return Grade(3, tuple(reasons), (f"fewer than {FEW} treated or comparison units", lot))
    looked = [check for check in checks if check.test == "pre_trends" and check.outcome == effect.outcome]
    if not looked or looked[0].state == "not_estimable":
        return Grade(3, tuple(reasons), ("whether treated and others moved alike before the start was not tested", lot))
    reasons.append("treated and comparison units were not seen to move apart before the start")
    return Grade(4, tuple(reasons), (lot,))


def _drawn_by_lot(treated: int, others: int) -> Grade:
    reasons = (f"who gets the policy, or when, was drawn by lot: {treated} treated, {others} others",)
    if min(treated, others) < FEW:
        return Grade(4, reasons, (f"with fewer than {FEW} units on one side a lot does not make the sides alike",))
    return Grade(5, reasons, ())


def _contradicted(effect: Effect, checks: Sequence[Check]) -> list[str]:
    """Checks that show treated and comparison units not to be comparable."""
    alarm = 1 - effect.conduct.confidence
    said = []
    for check in checks:
        own = check.outcome == effect.outcome and check.test in ("pre_trends", "placebo_dates")
        if (own or check.test == "placebo_outcomes") and np.isfinite(check.p_value) and check.p_value < alarm:
            said.append(f"the check {check.test.replace('_', ' ')} of {check.outcome} speaks against it")
    return said
