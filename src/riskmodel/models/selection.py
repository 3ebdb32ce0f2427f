"""Which of the judged models to use: the simplest that is within the noise of the best.

A model that a person can add up is worth more than a third decimal. A simpler model is preferred when the data cannot
show that the larger one is better: the interval of the difference, on the same people and draws, reaches 0 in both
ranking and squared error. The rule advises those who decide; it replaces no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from riskmodel.models.evaluation import MODEL
from riskmodel.models.risk_model import RiskModel

SIMPLEST_FIRST: Final = ("best_count", "points", "logistic", "explainable_boosting", "lightgbm", "stack")
IN_WORDS: Final = {
    "best_count": "the single best count",
    "points": "a points score",
    "logistic": "a logistic regression",
    "explainable_boosting": "a sum of one curve a feature",
    "lightgbm": "gradient-boosted trees",
    "stack": "a stack of learners",
}


@dataclass(frozen=True, slots=True)
class Preference:
    """What the evaluation speaks for.

    Attributes
    ----------
    model : name in the tables; "model" when nothing simpler is within the noise
    reason : str, one or two sentences with the differences
    """

    model: str
    reason: str


def preferred(model: RiskModel) -> Preference:
    """The simplest judged model that is within the noise of the fitted one.

    Only comparators simpler than the fitted learner are looked at, the simplest first.
    """
    own = model.learner.kind
    simpler = SIMPLEST_FIRST[: SIMPLEST_FIRST.index(own)] if own in SIMPLEST_FIRST else ()
    judged = [(name, re.sub(r"_\d+$", "", name)) for name in model.evaluation.models]  # "logistic_2" is a logistic
    named = sorted((pair for pair in judged if pair[1] in simpler), key=lambda pair: simpler.index(pair[1]))
    behind = []
    for name, kind in named:
        area, error = (model.evaluation.difference(metric, name) for metric in ("auroc", "brier"))
        said = (
            f"AUROC {area.value:+.3f} ({area.low:+.3f} to {area.high:+.3f}), "
            f"Brier {error.value:+.4f} ({error.low:+.4f} to {error.high:+.4f})"
        )
        if area.low <= 0 and error.high >= 0:
            return Preference(
                name, f"{IN_WORDS[kind].capitalize()} is within the noise of this model and is to be preferred: {said}."
            )
        behind.append(f"{IN_WORDS[kind]} ({said})")
    if not behind:
        return Preference(MODEL, "No simpler model was judged beside it.")
    return Preference(MODEL, f"It is better than every simpler model that was judged: {'; '.join(behind)}.")
