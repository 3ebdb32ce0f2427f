"""Scores into honest probabilities, learned only on predictions for people whom the model had not seen.

Where the predictions come from: the rows that teach are cut into parts by person; each part is predicted by a model
of the others; the calibration is learned on all of these together and put after the model that learned from all.
So the test period is never touched, and every row that teaches is used. Inner folds forward in time were rejected:
with an outcome of a year or more, the first periods have no past long enough. The price: a base rate that drifts is
not corrected, and calibration-in-the-large on the later test period shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.rules import RULES
from riskmodel.governance.thresholds import FEWEST_ROWS
from riskmodel.models.fitted import floats, rounded
from riskmodel.models.metrics import Numbers, expit, logit, recalibration
from riskmodel.models.splits import person_parts
from riskmodel.models.uncertainty import rate_interval

Method: TypeAlias = Literal["isotonic", "sigmoid"]
PARTS = 3
ENOUGH_ROWS = 50
"""Rows behind every step where there are many: of as many the share is told to within some 14 points."""


@dataclass(frozen=True)
class MonotoneSteps:
    """Isotonic regression, joined through the middles of its steps (Oron and Flournoy 2017, centred isotonic).

    The steps themselves are those of isotonic regression (Zadrozny and Elkan 2002), the smallest joined with their
    neighbours: a step of one row would tell that person's score and outcome, and one of a dozen would give the people
    at the top of a list a chance that hardly anybody stands behind. Joining their middles keeps the order within a
    step, so that a list is not full of ties. The lowest and the highest step are held away from 0 and 1: k of n counts
    as (k + 1/2) / (n + 1) there, because nobody's chance was shown to be nil or certain.

    Attributes
    ----------
    at : (n_steps,) float64, ascending, mean score of each step
    value : (n_steps,) float64, ascending, probability
    rows : (n_steps,) int64, how many rows taught each step, to the nearest five
    low, high : (n_steps,) float64, ascending, what share the rows of each step leave open, whole people as the unit
    """

    kind: ClassVar[str] = "isotonic"
    at: Numbers
    value: Numbers
    rows: npt.NDArray[np.int64]
    low: Numbers
    high: Numbers

    @classmethod
    def learned(
        cls,
        score: Numbers,
        outcome: Numbers,
        people: npt.NDArray[np.int64] | None = None,
        *,
        fewest: int | None = None,
    ) -> MonotoneSteps:
        """From (n,) scores and (n,) outcomes 0/1.

        Parameters
        ----------
        people : (n,) int64, whose rows they are; by default each row is somebody else's
        fewest : int, rows behind each step; by default a twentieth of them, from `FEWEST_ROWS` to `ENOUGH_ROWS`
        """
        scores, group = np.unique(score, return_inverse=True)
        fewest = fewest or min(ENOUGH_ROWS, max(FEWEST_ROWS, len(score) // 20))
        rows = np.bincount(group).astype(np.float64)
        positives = np.bincount(group, weights=outcome)
        blocks = _joined(isotonic_regression(positives / rows, weights=rows, increasing=True).blocks, rows, fewest)
        block_rows = np.add.reduceat(rows, blocks[:-1])
        block_positives = np.add.reduceat(positives, blocks[:-1])
        middle = np.add.reduceat(rows * scores, blocks[:-1]) / block_rows
        value = plain_shares(_held(block_positives / block_rows, block_positives, block_rows))
        step = np.searchsorted(blocks[1:], group, side="right")
        people = np.arange(len(score)) if people is None else people
        bounds = np.array([rate_interval(outcome[step == at], people[step == at]) for at in range(len(value))])
        low, high = np.minimum(bounds[:, 0], value), np.maximum(bounds[:, 1], value)
        return cls(
            rounded(middle, 15),
            value,
            np.array([RULES["hes"].rounded(int(n)) for n in block_rows], np.int64),
            plain_shares(np.minimum.accumulate(low[::-1])[::-1]),
            plain_shares(np.maximum.accumulate(high)),
        )

    def probability(self, score: Numbers) -> Numbers:
        """Probability of each score; outside the steps, that of the nearest."""
        return np.interp(score, self.at, self.value)

    def interval(self, probability: Numbers) -> tuple[Numbers, Numbers]:
        """What the rows behind the steps leave open around each probability."""
        low, high = (np.interp(probability, self.value, bound) for bound in (self.low, self.high))
        return np.minimum(low, probability), np.maximum(high, probability)

    def document(self) -> dict[str, Any]:
        """The steps as JSON."""
        return {
            "kind": self.kind,
            "at": floats(self.at),
            "value": floats(self.value),
            "rows": [int(number) for number in self.rows],
            "low": floats(self.low),
            "high": floats(self.high),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> MonotoneSteps:
        """From its document."""
        return cls(
            np.array(document["at"], np.float64),
            np.array(document["value"], np.float64),
            np.array(document["rows"], np.int64),
            np.array(document["low"], np.float64),
            np.array(document["high"], np.float64),
        )

    def __repr__(self) -> str:
        return f"MonotoneSteps({len(self.at)} steps, {int(self.rows.sum())} rows)"


@dataclass(frozen=True)
class Sigmoid:
    """Platt's (1999) calibration: a straight line on the log-odds, learned on softened outcomes."""

    kind: ClassVar[str] = "sigmoid"
    intercept: float
    slope: float

    @classmethod
    def learned(cls, score: Numbers, outcome: Numbers) -> Sigmoid:
        """From (n,) probabilities and (n,) outcomes 0/1; a line that would turn the order round is held flat."""
        yes, no = float(outcome.sum()), float(len(outcome) - outcome.sum())
        softened = np.where(outcome == 1, (yes + 1) / (yes + 2), 1 / (no + 2))
        intercept, slope = rounded(recalibration(softened, score, with_slope=True))
        if not np.isfinite(slope) or slope <= 0:
            return cls(float(rounded(logit(softened.mean(keepdims=True)))[0]), 0.0)
        return cls(float(intercept), float(slope))

    def probability(self, score: Numbers) -> Numbers:
        """Probability of each score."""
        return expit(self.intercept + self.slope * logit(score))

    def interval(self, probability: Numbers) -> tuple[Numbers, Numbers]:
        """A line says nothing on single probabilities: the probability itself."""
        return probability, probability

    def document(self) -> dict[str, Any]:
        """The line as JSON."""
        return {"kind": self.kind, "intercept": self.intercept, "slope": self.slope}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Sigmoid:
        """From its document."""
        return cls(float(document["intercept"]), float(document["slope"]))


@dataclass(frozen=True)
class AsItIs:
    """No calibration."""

    kind: ClassVar[str] = "none"

    def probability(self, score: Numbers) -> Numbers:
        """The score itself."""
        return score

    def interval(self, probability: Numbers) -> tuple[Numbers, Numbers]:
        """Nothing was learned: the probability itself."""
        return probability, probability

    def document(self) -> dict[str, Any]:
        """Says that there is none."""
        return {"kind": self.kind}


Calibration: TypeAlias = MonotoneSteps | Sigmoid | AsItIs


def must_be_method(method: object) -> None:
    """Refuse a method that is not known."""
    if method not in ("isotonic", "sigmoid", None):
        raise DeclarationError.of(
            "calibration-unknown",
            where="calibrate",
            found=repr(method),
            expected="'isotonic', 'sigmoid' or None",
            repair="Choose one of them.",
        )


def learned(
    method: Method | None, score: Numbers, outcome: Numbers, people: npt.NDArray[np.int64] | None = None
) -> Calibration:
    """The calibration of scores that were made for rows the model had not seen."""
    must_be_method(method)
    if method is None:
        return AsItIs()
    return MonotoneSteps.learned(score, outcome, people) if method == "isotonic" else Sigmoid.learned(score, outcome)


def from_document(document: Mapping[str, Any]) -> Calibration:
    """A calibration from its document."""
    if document["kind"] == MonotoneSteps.kind:
        return MonotoneSteps.from_document(document)
    return Sigmoid.from_document(document) if document["kind"] == Sigmoid.kind else AsItIs()


def inner_parts(
    outcome: Numbers, people: npt.NDArray[np.int64], seed: int, parts: int = PARTS
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows that teach and rows that are scored by what they taught, for each part: no person in both.

    Parameters
    ----------
    outcome : (n,) float64
    people : (n,) int64
    seed : int
    parts : int

    Raises
    ------
    DataRefused : a part would be taught by rows of one outcome only
    """
    part = person_parts(people, parts, seed)
    made = [(np.flatnonzero(part != number), np.flatnonzero(part == number)) for number in range(parts)]
    n_people = len(np.unique(people))
    if any(len(np.unique(outcome[teach])) < 2 or not len(scored) for teach, scored in made):
        raise DataRefused(
            "too-few-positives",
            found=f"{int(outcome.sum())} positives among {len(outcome)} rows of {n_people} people that teach",
            expected=f"rows of both outcomes outside each of {parts} parts",
            repair="Fit without calibration, ask for fewer folds, or gather more outcomes.",
        )
    return made


def plain_shares(shares: Numbers) -> Numbers:
    """Shares to four figures: of how many rows they are the share of how many cannot be told from them.

    Examples
    --------
    >>> plain_shares(np.array([1 / 3, 0.98765, 0.005263157])).tolist()
    [0.3333, 0.9877, 0.005263]
    """
    return rounded(shares, 4)


def _joined(blocks: npt.NDArray[Any], rows: Numbers, fewest: int) -> npt.NDArray[np.int64]:
    """Ends of steps such that each has enough rows: from the left, what is left over joins the last."""
    upto = np.append(0.0, np.cumsum(rows))[blocks]
    kept = [0]
    for place in range(1, len(blocks)):
        if upto[place] - upto[kept[-1]] >= fewest:
            kept.append(place)
    kept = [*kept[:-1], len(blocks) - 1] if len(kept) > 1 else [0, len(blocks) - 1]
    return np.asarray(blocks[kept], np.int64)


def _held(rate: Numbers, positives: Numbers, rows: Numbers) -> Numbers:
    """Step values held away from 0 and 1, still ascending."""
    softened = (positives + 0.5) / (rows + 1)
    value = rate.copy()
    if value[0] == 0:
        value[0] = min(softened[0], value[1]) if len(value) > 1 else softened[0]
    if value[-1] == 1:
        value[-1] = max(softened[-1], value[-2]) if len(value) > 1 else softened[-1]
    return value
