"""A forecasting challenge's scores on judged rows: Brier by sex, their mean, and the fairness score, with intervals.

Intervals draw people again within each sex; the model is not fitted again. Forecasts may be cut off at a cap, or
flattened towards their middle, to draw accuracy against the fairness score: either can take everybody below .5, where
every false positive rate is 0, and leaves the order of people as it was. So beside each score stands what the trick
does not touch: the difference in false positives of a list of those at most risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodel.models.metrics import Numbers, auroc, brier, divided, expit, logit
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
        made = _of_sex(*of_sex, _weights(len(rows), seed, word))
        found |= {name: float(values[0]) for name, values in _named(made, word)}
        drawn |= {name: values[1:] for name, values in _named(made, word)}
    found["average"], drawn["average"] = (found["men"] + found["women"]) / 2, (drawn["men"] + drawn["women"]) / 2
    return {name: {"value": _known(value), **_interval(drawn.get(name))} for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Trick:
    """A change of all forecasts that keeps the order of people: cut off at a cap, flattened by a slope, or neither."""

    cap: float = 1.0
    slope: float = 1.0

    def of(self, probability: Numbers) -> Numbers:
        """The forecasts changed: (n,) float64. The middle about which they are flattened is their mean log-odds."""
        made = np.minimum(probability, self.cap)
        if self.slope == 1.0:
            return made
        lines = logit(made)
        return expit(lines.mean() + self.slope * (lines - lines.mean()))


def frontier(
    outcome: Numbers,
    probability: Numbers,
    sex: Any,
    ethnicity: Any,
    tricks: Sequence[Trick],
    listed: float = 0.2,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Accuracy against the fairness score, by sex, for the forecasts changed in each way.

    Parameters
    ----------
    outcome, probability, sex, ethnicity : as for `challenge_scores`
    tricks : the changes, each by itself
    listed : float, the share of each sex that stands on the list
    seed : int

    Returns
    -------
    list of {"cap", "slope", "average", "men", "women"}; of each sex "brier", "gap" and "fair" as in the challenge,
    "reached", the share at .5 or above, and "listed", the rate of false positives of Black people less that of white
    people on a list of the `listed` most at risk, ties shared; each {"value", "low", "high"}
    """
    made: list[dict[str, Any]] = [{"cap": trick.cap, "slope": trick.slope} for trick in tricks]
    for word, code in SEXES:
        rows = np.flatnonzero(sex == code)
        weight = _weights(len(rows), seed, word)
        for trick, one in zip(tricks, made, strict=True):
            changed = trick.of(probability)[rows]
            of_sex = _of_sex(outcome[rows], changed, ethnicity[rows] == "black", weight)
            of_sex |= _of_list(outcome[rows], changed, ethnicity[rows] == "black", weight, listed)
            one[word] = {
                name: {"value": _known(float(values[0])), **_interval(values[1:])} for name, values in of_sex.items()
            }
    return [one | {"average": round((one["men"]["brier"]["value"] + one["women"]["brier"]["value"]) / 2, 6)}
            for one in made]  # fmt: skip


def _of_sex(outcome: Numbers, probability: Numbers, black: Any, weight: Numbers) -> dict[str, Numbers]:
    """Brier score, gap of false positive rates, fairness score and share at .5 for (n_draws, n) weights."""
    score = weight @ (probability - outcome) ** 2 / weight.sum(axis=1)
    said = (probability >= THRESHOLD).astype(np.float64)
    gap = np.abs(_difference(outcome, said, black, weight))
    reached = weight @ said / weight.sum(axis=1)
    return {"brier": score, "gap": gap, "fair": (1 - score) * (1 - gap), "reached": reached}


def _of_list(outcome: Numbers, probability: Numbers, black: Any, weight: Numbers, listed: float) -> dict[str, Numbers]:
    """Difference in false positives, Black less white, of the list of those at most risk."""
    return {"listed": _difference(outcome, on_list(probability, listed), black, weight)}


def on_list(probability: Numbers, share: float) -> Numbers:
    """How much each person stands on the list of the `share` most at risk: 1, 0, or a part where the last places tie.

    Examples
    --------
    >>> on_list(np.array([0.9, 0.4, 0.4, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    places = share * len(probability)
    if places <= 0:
        return np.zeros(len(probability))
    last = np.sort(probability)[::-1][min(int(np.ceil(places)), len(probability)) - 1]
    above, tied = probability > last, probability == last
    return np.where(above, 1.0, np.where(tied, min((places - above.sum()) / tied.sum(), 1.0), 0.0))


def _difference(outcome: Numbers, said: Numbers, black: Any, weight: Numbers) -> Numbers:
    """False positive rate of Black people less that of white people, for each draw."""
    of_black, of_white = (
        divided(weight[:, rows] @ said[rows], weight[:, rows].sum(axis=1))
        for rows in (black & (outcome == 0), ~black & (outcome == 0))
    )
    return np.asarray(of_black - of_white)


def _named(made: dict[str, Numbers], word: str) -> list[tuple[str, Numbers]]:
    return [(word if name == "brier" else f"{name}_{word}", values) for name, values in made.items()]


def _weights(n: int, seed: int, word: str) -> Numbers:
    """How often each person counts: everybody once in the first row, then in each draw with replacement."""
    generator = stream(seed, "challenge-scores", word)
    made = np.ones((REPLICATES + 1, n))
    for number in range(REPLICATES):
        made[number + 1] = np.bincount(generator.integers(0, n, n), minlength=n)
    return made


def _known(value: float) -> float | None:
    """The figure, or None where there was nobody to count."""
    return round(value, 6) if np.isfinite(value) else None


def _interval(drawn: Numbers | None) -> dict[str, float]:
    if drawn is None or not np.isfinite(drawn).any():
        return {}
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return {"low": round(float(low), 6), "high": round(float(high), 6)}
