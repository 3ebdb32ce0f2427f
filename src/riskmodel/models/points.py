"""A points score: at most ten yes-or-no items with whole-number points that a person can add up on paper.

Items are of the form "arrests at least 2", "days since referral under 90" or "level unknown". They are chosen one
after the other by what they add to the likelihood, given small whole numbers by the loss they cost, and the total is
turned into a probability by one line on the log-odds. Every number in it can be read, argued with and checked by
hand; where it is within the noise of a larger model, it is the one to use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.thresholds import FEWEST_ROWS, plain_between
from riskmodel.models.fitted import Fitted, Matrix, rounded
from riskmodel.models.metrics import Numbers, expit

Rule: TypeAlias = Literal["at least", "under", "unknown"]
Mask: TypeAlias = "npt.NDArray[np.bool_]"

_TRIED_IN_FULL: Final = 12
"""Items that look best by the slope of the likelihood are fitted in full; the best of them is taken."""
_LEAST_GAIN: Final = 2.0
"""An item has to raise the log-likelihood by at least this much (about p = .05 for one item)."""


@dataclass(frozen=True, slots=True)
class PointsScore:
    """Settings of the points score.

    Parameters
    ----------
    items : int, at most so many, 1 to 10
    largest : int, most points of one item, 1 to 10
    cuts : int, most thresholds tried for a feature
    """

    kind: ClassVar[str] = "points"
    inputs: ClassVar[tuple[str, ...] | None] = None
    items: int = 10
    largest: int = 5
    cuts: int = 6

    def __post_init__(self) -> None:
        bounds = {"items": 10, "largest": 10, "cuts": 50}
        faults = [
            Fault(f"model.{name}", repr(getattr(self, name)), f"a whole number from 1 to {most}", f"Correct {name}.")
            for name, most in bounds.items()
            if not 1 <= getattr(self, name) <= most
        ]
        if faults:
            raise DeclarationError("learner-invalid", faults=faults)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind, "items": self.items, "largest": self.largest, "cuts": self.cuts}

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedPoints:
        """Choose the items and their points from (n, p) float32 features and (n,) outcomes 0/1."""
        del threads
        chosen, pattern = _chosen(X, outcome, self.items, self.cuts)
        groups = _Groups.of(pattern, outcome, len(chosen))
        points = _whole_numbers(groups, self.largest) if chosen else np.empty(0, np.int64)
        (intercept, slope), _ = _line(groups, points)
        items = tuple(
            Item(column, rule, cut, int(worth))
            for (column, rule, cut), worth in zip(chosen, points, strict=True)
            if worth
        )
        return FittedPoints(names, items, float(rounded(np.array(intercept))), float(rounded(np.array(slope))))


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the sheet: a feature, a rule and its points."""

    column: int
    rule: Rule
    cut: float
    points: int

    def holds(self, X: Matrix) -> Mask:
        """Whether the item holds for each row; a missing value holds for "unknown" only."""
        return _holds(X[:, self.column], self.rule, self.cut)


@dataclass(frozen=True)
class FittedPoints(Fitted):
    """Items with whole-number points, and the line from their total to a probability."""

    kind: ClassVar[str] = "points"
    names: tuple[str, ...]
    items: tuple[Item, ...]
    intercept: float
    slope: float

    def total(self, X: Matrix) -> npt.NDArray[np.int64]:
        """Points of each row."""
        self.must_fit(X)
        made = np.zeros(len(X), np.int64)
        for item in self.items:
            made += item.points * item.holds(X)
        return made

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        return expit(self.intercept + self.slope * self.total(X).astype(np.float64))

    def sheet(self) -> tuple[tuple[str, int], ...]:
        """The items in words with their points, most first."""
        ranked = sorted(self.items, key=lambda item: (-item.points, item.column, item.rule, item.cut))
        return tuple((self._words(item), item.points) for item in ranked)

    def state(self) -> dict[str, Any]:
        """The items as JSON."""
        items = [[item.column, item.rule, item.cut, item.points] for item in self.items]
        return {"items": items, "intercept": self.intercept, "slope": self.slope}

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedPoints:
        """From what was saved."""
        del files
        items = tuple(Item(int(column), rule, float(cut), int(points)) for column, rule, cut, points in state["items"])
        return cls(names, items, float(state["intercept"]), float(state["slope"]))

    def _words(self, item: Item) -> str:
        name = self.names[item.column]
        return f"{name} unknown" if item.rule == "unknown" else f"{name} {item.rule} {item.cut:g}"

    def __repr__(self) -> str:
        return f"FittedPoints({len(self.items)} items, at most {sum(item.points for item in self.items)} points)"


Candidate: TypeAlias = tuple[int, Rule, float]


@dataclass(frozen=True)
class _Groups:
    """Rows by which items hold for them: all that the choice of points needs.

    Attributes
    ----------
    holds : (n_groups, n_items) float64, 0 or 1
    rows, positives : (n_groups,) float64
    """

    holds: Numbers
    rows: Numbers
    positives: Numbers

    @classmethod
    def of(cls, pattern: npt.NDArray[np.int64], outcome: Numbers, n_items: int) -> _Groups:
        rows = np.bincount(pattern, minlength=1 << n_items)
        positives = np.asarray(np.bincount(pattern, weights=outcome, minlength=1 << n_items), np.float64)
        kept = np.flatnonzero(rows)
        bits = (kept[:, None] >> np.arange(n_items)) & 1
        return cls(bits.astype(np.float64), rows[kept].astype(np.float64), positives[kept])


def _candidates(X: Matrix, cuts: int) -> list[Candidate]:
    """All items that a set of features allows: thresholds at quantiles or between values, no longer than they must."""
    made: list[Candidate] = []
    for column in range(X.shape[1]):
        values = X[:, column]
        known = values[~np.isnan(values)].astype(np.float64)
        distinct = np.unique(known)
        if len(distinct) > cuts + 1:
            inner = np.quantile(known, np.linspace(0, 1, cuts + 2)[1:-1])
            cuts_here = np.unique(rounded(inner, 2)).tolist()
        else:
            cuts_here = [plain_between(float(low), float(high), reaching=True) for low, high in pairwise(distinct)]
        for cut in cuts_here:
            made += [(column, "at least", cut), (column, "under", cut)]
        if len(known) < len(values):
            made.append((column, "unknown", 0.0))
    return [one for one in made if _parts_many(X, one)]


def _parts_many(X: Matrix, candidate: Candidate) -> bool:
    """Whether enough rows are on both sides: an item that holds for one person would tell what that person has."""
    column, rule, cut = candidate
    holds = int(_holds(X[:, column], rule, cut).sum())
    return FEWEST_ROWS <= holds <= len(X) - FEWEST_ROWS


def _chosen(X: Matrix, outcome: Numbers, most: int, cuts: int) -> tuple[list[Candidate], npt.NDArray[np.int64]]:
    """Items in the order in which they were taken, and which of them hold for each row, as bits."""
    candidates = _candidates(X, cuts)
    chosen: list[Candidate] = []
    pattern = np.zeros(len(outcome), np.int64)
    coefficients, loss = _likelihood(_Groups.of(pattern, outcome, 0))
    while len(chosen) < most and candidates:
        bits = (pattern[:, None] >> np.arange(len(chosen))) & 1
        p = expit(coefficients[0] + bits.astype(np.float64) @ coefficients[1:])
        likely = _likeliest(X, candidates, outcome - p, p * (1 - p))
        best: tuple[float, Candidate, npt.NDArray[np.int64], Numbers] | None = None
        for candidate in likely:
            tried = pattern | (_holds(X[:, candidate[0]], candidate[1], candidate[2]).astype(np.int64) << len(chosen))
            found, at = _likelihood(_Groups.of(tried, outcome, len(chosen) + 1))
            if (found[1:] > 0).all() and (best is None or at < best[0]):
                best = (at, candidate, tried, found)
        if best is None or loss - best[0] < _LEAST_GAIN:
            break
        loss, taken, pattern, coefficients = best
        chosen.append(taken)
        candidates = [candidate for candidate in candidates if candidate != taken]
    return chosen, pattern


def _likeliest(X: Matrix, candidates: Sequence[Candidate], residual: Numbers, weight: Numbers) -> list[Candidate]:
    """The items with the steepest rise of the likelihood for its curvature (score test), risk-raising ones only."""
    total = float(weight.sum())
    strength = np.zeros(len(candidates))
    for place, (column, rule, cut) in enumerate(candidates):
        holds = _holds(X[:, column], rule, cut)
        slope, curvature = float(residual[holds].sum()), float(weight[holds].sum())
        curvature -= curvature * curvature / total
        if slope > 0 and curvature > 0:
            strength[place] = slope * slope / curvature
    order = np.argsort(-strength, kind="stable")[:_TRIED_IN_FULL]
    return [candidates[place] for place in order if strength[place] > 0]


def _whole_numbers(groups: _Groups, largest: int) -> npt.NDArray[np.int64]:
    """Points that cost the least likelihood: the best scale first, then one item up or down as long as it helps."""
    coefficients, _ = _likelihood(groups)
    best = np.ones(len(coefficients) - 1, np.int64)
    loss = _line(groups, best)[1]
    for top in np.arange(1, largest + 0.5, 0.5):
        points = np.clip(np.rint(coefficients[1:] * top / coefficients[1:].max()), 0, largest).astype(np.int64)
        at = _line(groups, points)[1]
        if at < loss - 1e-9:
            best, loss = points, at
    moved = True
    while moved:
        moved = False
        for place in range(len(best)):
            for step in (-1, 1):
                points = best.copy()
                points[place] += step
                if 0 <= points[place] <= largest and points.any():
                    at = _line(groups, points)[1]
                    if at < loss - 1e-6:
                        best, loss, moved = points, at, True
    return best


def _line(groups: _Groups, points: npt.NDArray[np.int64]) -> tuple[tuple[float, float], float]:
    """Intercept and slope of the log-odds on the total, and the loss."""
    total = groups.holds @ points.astype(np.float64)
    coefficients, loss = _likelihood(_Groups(total[:, None], groups.rows, groups.positives))
    return (float(coefficients[0]), float(coefficients[1])), loss


def _likelihood(groups: _Groups) -> tuple[Numbers, float]:
    """Coefficients (intercept first) and negative log-likelihood of a logistic regression on groups.

    A pull of half a row towards 0 keeps an item that parts the outcomes perfectly from growing without end.
    """
    design = np.concatenate([np.ones((len(groups.rows), 1)), groups.holds], axis=1)
    ridge = np.append(0.0, np.full(design.shape[1] - 1, 0.5))
    base = groups.positives.sum() / groups.rows.sum()
    at = np.append(np.log(base / (1 - base)), np.zeros(design.shape[1] - 1))
    loss = _loss(design, groups, ridge, at)
    for _ in range(50):
        p = expit(design @ at)
        gradient = ridge * at + design.T @ (groups.rows * p - groups.positives)
        weight = groups.rows * p * (1 - p)
        curvature = np.diag(ridge + 1e-12) + (design * weight[:, None]).T @ design
        move = np.linalg.solve(curvature, -gradient)
        new = _loss(design, groups, ridge, at + move)
        while new > loss + 1e-10 * abs(loss) and np.abs(move).max() > 1e-12:
            move = move / 2
            new = _loss(design, groups, ridge, at + move)
        at, loss = at + move, new
        if np.abs(move).max() < 1e-9:
            break
    return at, loss


def _loss(design: Numbers, groups: _Groups, ridge: Numbers, at: Numbers) -> float:
    line = design @ at
    return float(groups.rows @ np.logaddexp(0, line) - groups.positives @ line + 0.5 * ridge @ (at * at))


def _holds(values: Matrix, rule: Rule, cut: float) -> Mask:
    if rule == "unknown":
        return np.isnan(values)
    return np.asarray(values >= cut if rule == "at least" else values < cut)
