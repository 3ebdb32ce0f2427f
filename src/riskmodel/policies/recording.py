"""Did harm change, or the writing down of it? The same harm as two agencies record it, held against each other.

Each source is counted in multiples of its own level before the policy, and the effect on the difference is estimated
like any other effect. Where harm falls, both fall and the difference stays; where only one agency writes down less, it
moves. What the test cannot see: both sources changing their ways alike, or a fall of exactly the harms that one source
never sees.
"""

from __future__ import annotations

import numpy as np

from riskmodel.errors import DataRefused
from riskmodel.policies.checks import Check, figures, ratio
from riskmodel.policies.effects import Asked
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.panel import Numbers, Panel


def recording_change(panel: Panel, first: Asked, second: Asked, estimate: Estimator) -> Check:
    """Whether the first source moved otherwise than the second when the policy began.

    Parameters
    ----------
    first, second : the same harm as two sources record it; the second is the one less touched by the policy

    Raises
    ------
    DataRefused : a source that recorded nothing in the treated units before they started

    Notes
    -----
    `detectable` is the change of the first source, as a share of its level, that is found four times in five.
    """
    name = f"{first.outcome} beside {second.outcome}"
    beside = _level_of(panel, first.outcome) - _level_of(panel, second.outcome)
    asked = Asked(name, None, first.confidence)
    made = estimate(panel.adding(name, beside), asked)
    changed = made.p_value < 1 - first.confidence
    said = (
        "moved apart: the way of recording changed, or what only one of them sees"
        if changed
        else "moved together, so a change of recording is not shown"
    )
    if made.state == "not_estimable":
        said = "cannot be held against each other"
    detectable = float(2.8 * made.se)  # 1.96 + 0.84: two-sided 5 %, power 80 %
    sentence = (
        f"{first.outcome} and {second.outcome}, two sources of one harm, {said} ({figures(made)} of their levels "
        f"before; a change of less than {detectable:.0%} could have gone unseen)."
    )
    return Check(
        "recording_change", first.outcome, ratio(made), made.p_value, detectable, made.state, sentence, (made,)
    )


def _level_of(panel: Panel, outcome: str) -> Numbers:
    """The measure in multiples of its mean in the treated units before they started."""
    values = panel.measure(outcome)
    before = panel.treated[:, None] & ~panel.under_treatment
    level = float(values[before].mean()) if before.any() else 0.0
    if level <= 0:
        raise DataRefused(
            "source-silent",
            found=f"no {outcome} in the treated units before they started",
            expected="a level to compare with",
            repair="Compare a source that recorded this harm before the policy, or leave the test out of the plan.",
        )
    return np.asarray(values / level)
