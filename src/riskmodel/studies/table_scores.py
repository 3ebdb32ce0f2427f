"""A forecasting challenge's scores on judged rows: Brier by sex, their mean, and the fairness score, with intervals.

Intervals draw people again within each sex; the model is not fitted again. A forecast may be cut off at a cap to draw
accuracy against the fairness score: a cap below .5 makes every false positive rate 0 without making anything fairer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskmodel.models.metrics import Numbers, auroc, brier, divided
from riskmodel.seeds import stream

THRESHOLD = 0.5
"""The challenge's own, for its fairness score; nothing here is for use."""
REPLICATES = 2000
SEXES = (("men", "male"), ("women", "female"))


def challenge_scores(
    outcome: Numbers, probability: Numbers, sex: Any, ethnicity: Any, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Each score with its interval.

    Parameters
    ----------
    outcome, probability : (n,) float64
    sex : (n,) of "male" and "female"
    ethnicity : (n,) of "black" and "white"

    Returns
    -------
    men, women, average, all, auroc, fair_men, fair_women -> {"value", "low", "high"}
    """
    found: dict[str, float] = {"all": brier(outcome, probability), "auroc": auroc(outcome, probability)}
    drawn: dict[str, Numbers] = {}
    for word, code in SEXES:
        rows = np.flatnonzero(sex == code)
        of_sex = outcome[rows], probability[rows], ethnicity[rows] == "black"
        found |= {name: float(value[0]) for name, value in _of_sex(word, *of_sex, np.ones((1, len(rows)))).items()}
        drawn |= _of_sex(word, *of_sex, _weights(len(rows), seed, word))
    found["average"], drawn["average"] = (found["men"] + found["women"]) / 2, (drawn["men"] + drawn["women"]) / 2
    return {name: {"value": _known(value), **_interval(drawn.get(name))} for name, value in found.items()}


def frontier(
    outcome: Numbers, probability: Numbers, sex: Any, ethnicity: Any, caps: list[float]
) -> list[dict[str, Any]]:
    """Scores with the forecasts cut off at each cap: men, women, average, gap_men, gap_women, fair_men, fair_women."""
    made = []
    for cap in caps:
        found: dict[str, Any] = {"cap": cap}
        for word, code in SEXES:
            rows = np.flatnonzero(sex == code)
            capped = np.minimum(probability[rows], cap)
            one = _of_sex(word, outcome[rows], capped, ethnicity[rows] == "black", np.ones((1, len(rows))))
            found |= {name: _known(float(value[0])) for name, value in one.items()}
        made.append(found | {"average": round((found["men"] + found["women"]) / 2, 6)})
    return made


def _of_sex(word: str, outcome: Numbers, probability: Numbers, black: Any, weight: Numbers) -> dict[str, Numbers]:
    """Brier score, gap of false positive rates and fairness score for (n_draws, n) weights."""
    score = weight @ (probability - outcome) ** 2 / weight.sum(axis=1)
    said = (probability >= THRESHOLD).astype(np.float64)
    rates = [divided(weight[:, rows] @ said[rows], weight[:, rows].sum(axis=1)) for rows in
             (black & (outcome == 0), ~black & (outcome == 0))]  # fmt: skip
    gap = np.abs(rates[0] - rates[1])
    return {word: score, f"gap_{word}": gap, f"fair_{word}": (1 - score) * (1 - gap)}


def _weights(n: int, seed: int, word: str) -> Numbers:
    generator = stream(seed, "challenge-scores", word)
    made = np.empty((REPLICATES, n))
    for number in range(REPLICATES):
        made[number] = np.bincount(generator.integers(0, n, n), minlength=n)
    return made


def _known(value: float) -> float | None:
    """The figure, or None where there was nobody to count."""
    return round(value, 6) if np.isfinite(value) else None


def _interval(drawn: Numbers | None) -> dict[str, float]:
    if drawn is None or not np.isfinite(drawn).any():
        return {}
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return {"low": round(float(low), 6), "high": round(float(high), 6)}
