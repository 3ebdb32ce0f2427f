"""What may be said, by rule: the answer of an evaluation follows from its numbers, not from who writes the report.

The rules are fixed and read in order. Where the primary harm fell in one agency's records and an independent source of
the same harm moved otherwise, the answer is that recording changed: the fall is refused. Work that fell for one agency
and rose for another has moved. Harm to kin stands beside the answer whatever the answer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from riskmodel.policies.ledger_of_effects import LedgerOfEffects

Answer = Literal["fell", "rose", "no change shown", "recording changed", "not estimable"]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the ledger of effects allows to be said.

    Attributes
    ----------
    answer : what happened to the primary outcome
    moved : tuple of (from, to), demand outcomes that fell and those that rose while they fell
    harmed : tuple of str, spillovers that rose: harm to people at the edge
    doubts : tuple of str, checks that speak against the answer, in words
    """

    answer: Answer
    moved: tuple[tuple[str, str], ...]
    harmed: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def works(self) -> bool:
        """Whether it may be said that the policy did what it is for, without harm to kin and without a failed check."""
        return self.answer == "fell" and not self.harmed and not self.doubts


def conclude(made: LedgerOfEffects) -> Conclusion:
    """Read the answer from a ledger of effects; `alarm` is 1 less the plan's confidence.

    1. No estimate of the primary outcome: "not estimable".
    2. The family's p-value of the primary is not below the alarm: "no change shown".
    3. A recording test of the primary rings: "recording changed".
    4. Otherwise "fell" or "rose".
    """
    place = [outcome.name for outcome in made.outcomes].index(made.primary)
    primary, alarm = made.effects[place], 1 - made.effects[place].conduct.confidence
    shown = [outcome.name for outcome, p in zip(made.outcomes, made.p_family, strict=True) if p < alarm]
    by_name = {effect.outcome: effect for effect in made.effects}
    recording = [check for check in made.checks if check.test == "recording_change" and check.outcome == made.primary]
    if primary.state == "not_estimable":
        answer: Answer = "not estimable"
    elif made.primary not in shown:
        answer = "no change shown"
    elif any(check.p_value < alarm for check in recording):
        answer = "recording changed"
    else:
        answer = "fell" if primary.estimate < 0 else "rose"
    demand = [outcome.name for outcome in made.outcomes if outcome.meaning == "demand" and outcome.name in shown]
    moved = tuple((down, up) for down in demand for up in demand if by_name[down].estimate < 0 < by_name[up].estimate)
    harmed = tuple(
        each.planned.name
        for each, p in zip(made.spillovers, made.p_spillover, strict=True)
        if p < alarm and each.effect.estimate > 0
    )
    doubts = tuple(
        check.sentence
        for check in made.checks
        if check.test in ("pre_trends", "placebo_dates", "placebo_outcomes") and _rings(check.p_value, alarm)
    )
    return Conclusion(answer, moved, harmed, doubts)


def _rings(p_value: float, alarm: float) -> bool:
    return bool(np.isfinite(p_value) and p_value < alarm)
