"""When, and what came first: the chance of the outcome by each day, with death, custody and moving away as rivals.

In discrete time (Tutz and Schmid 2016): the follow-up is cut into periods, and for each cause a learner says how
likely it is in a period among those who are still at risk. The chance that the outcome has happened by a day, the
cumulative incidence, adds up what is left over after all causes. Any learner of the package serves, with its missing
values and its directions; `cox` is the classical model beside it, on scikit-survival (the extra ``survival``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DataRefused, DeclarationError, NotInstalled
from riskmodel.models.fitted import Fitted, Matrix, restored
from riskmodel.models.learners import BaseRate, Learner, Logistic, fitted
from riskmodel.models.metrics import Numbers

PERIOD = "period"
"""The column that tells a learner which period it is, from 0."""
FEW_TO_LEARN = 20
"""A cause with fewer events gets one rate for each period's worth of time, whatever the features."""


@dataclass(frozen=True)
class SurvivalRows:
    """Rows with a clock.

    Attributes
    ----------
    X : (n_rows, n_features) float32, NaN where missing
    names : feature names
    days : (n_rows,) float64, above 0
    cause : (n_rows,) int, 0 censored, 1 the outcome, 2 and above competing events
    people : (n_rows,) int64
    """

    X: Matrix = field(repr=False)
    names: tuple[str, ...]
    days: Numbers = field(repr=False)
    cause: npt.NDArray[np.int64] = field(repr=False)
    people: npt.NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        n = len(self.days)
        if self.X.shape != (n, len(self.names)) or len(self.cause) != n or len(self.people) != n:
            raise DataRefused(
                "matrix-shape",
                found=f"{self.X.shape[0]} rows of {self.X.shape[1]} features, {n} times, {len(self.cause)} causes",
                expected=f"one time and cause a row, and {len(self.names)} features",
                repair="Take all from the same rows, those without follow-up left out.",
            )
        if not n or not np.isfinite(self.days).all() or self.days.min() < 0 or (self.cause < 0).any():
            raise DataRefused(
                "times-invalid",
                found=f"{n} rows, {int(np.sum(~np.isfinite(self.days)))} without a time, "
                f"{int(np.sum(self.days < 0))} below 0",
                expected="a number of days from 0 for every row",
                repair="Leave out rows whose as-of date lies beyond the end of follow-up.",
            )

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class DiscreteTime:
    """Settings of the discrete-time model.

    Parameters
    ----------
    learner : what learns each cause's hazard from the features and the number of the period
    every : float, days of a period
    until : float, days; the last period ends there
    """

    learner: Learner = field(default_factory=Logistic)
    every: float = 91.0
    until: float = 730.0

    def __post_init__(self) -> None:
        if not 0 < self.every <= self.until:
            raise DeclarationError.of(
                "survival-invalid",
                where="every",
                found=f"periods of {self.every:g} days until day {self.until:g}",
                expected="periods above 0 and no longer than the whole",
                repair="Correct the days.",
            )

    @property
    def ends(self) -> Numbers:
        """Days at which the periods end."""
        made = np.arange(self.every, self.until + 1e-9, self.every)
        return made if made[-1] >= self.until - 1e-9 else np.append(made, self.until)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"learner": self.learner.document(), "every": self.every, "until": self.until}


@dataclass(frozen=True)
class FittedSurvival:
    """What has been learned for each cause.

    Attributes
    ----------
    names : the features, in order
    ends : (n_periods,) float64, days
    hazards : cause -> a learner of its hazard; reads the features, then the period
    """

    names: tuple[str, ...]
    ends: Numbers = field(repr=False)
    hazards: Mapping[int, Fitted] = field(repr=False)

    def incidence(self, X: Matrix, cause: int = 1) -> Numbers:
        """Chance that `cause` has come first by the end of each period: (n_rows, n_periods) float64, rising."""
        if X.shape[1] != len(self.names):
            raise DataRefused(
                "features-differ",
                found=f"a matrix of shape {X.shape}",
                expected=f"rows by {len(self.names)} features",
                repair="Build the matrix with the features of the model.",
            )
        free, made = np.ones(len(X)), np.zeros((len(X), len(self.ends)))
        total = np.zeros(len(X))
        for period in range(len(self.ends)):
            rates = {one: learned.predict(_in_period(X, period)) for one, learned in self.hazards.items()}
            whole = np.sum(list(rates.values()), axis=0)
            shrunk = np.where(whole > 1, 1 / np.maximum(whole, 1e-300), 1.0)  # causes learned apart may add up to more
            total = total + free * rates.get(cause, 0.0) * shrunk
            free = free * (1 - whole * shrunk)
            made[:, period] = total
        return made

    def by(self, X: Matrix, days: float, cause: int = 1) -> Numbers:
        """Chance that `cause` has come first by a day, straight between the ends of periods: (n_rows,) float64."""
        made = np.column_stack([np.zeros(len(X)), self.incidence(X, cause)])
        ends = np.append(0.0, self.ends)
        if not 0 <= days <= ends[-1] + 1e-9:
            raise DataRefused(
                "beyond-the-follow-up",
                found=f"day {days:g}",
                expected=f"a day from 0 to {ends[-1]:g}",
                repair="Ask within the time that was learned, or learn a longer one.",
            )
        after = int(np.clip(np.searchsorted(ends, days, side="left"), 1, len(ends) - 1))
        share = (days - ends[after - 1]) / (ends[after] - ends[after - 1])
        return np.asarray(made[:, after - 1] + share * (made[:, after] - made[:, after - 1]))

    def document(self) -> dict[str, Any]:
        """As JSON; native files are kept inside as text."""
        hazards = [
            {"cause": cause, "learner": learned.document(), "files": dict(learned.files())}
            for cause, learned in sorted(self.hazards.items())
        ]
        return {"names": list(self.names), "ends": [float(end) for end in self.ends], "hazards": hazards}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FittedSurvival:
        """From its document."""
        hazards = {int(one["cause"]): restored(one["learner"], one["files"]) for one in document["hazards"]}
        return cls(tuple(document["names"]), np.array(document["ends"], np.float64), hazards)


def fit_survival(rows: SurvivalRows, settings: DiscreteTime = DiscreteTime()) -> FittedSurvival:
    """Learn the hazard of each cause.

    Raises
    ------
    DataRefused : the outcome never happens in these rows
    """
    if not (rows.cause == 1).any():
        raise DataRefused(
            "one-outcome-only",
            found=f"{len(rows)} rows, none with the outcome",
            expected="rows with the outcome",
            repair="Check the outcome's kind and the dates.",
        )
    ends = settings.ends
    row, period, cause = _person_periods(rows, ends)
    X = np.column_stack([rows.X[row], period]).astype(np.float32)
    hazards: dict[int, Fitted] = {}
    for number in range(1, int(rows.cause.max()) + 1):
        happened = (cause == number).astype(np.float64)
        if not happened.any():
            continue
        learner = settings.learner if happened.sum() >= FEW_TO_LEARN else BaseRate()
        hazards[number] = fitted(learner, X, happened, (*rows.names, PERIOD), 0, rows.people[row])
    return FittedSurvival(rows.names, ends, hazards)


def _person_periods(
    rows: SurvivalRows, ends: Numbers
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """One line for each row and period in which it is at risk: row, period, and the cause that ended it there or 0.

    A row that is censored inside a period leaves at the period's start: it was not seen through.
    """
    last = np.minimum(np.searchsorted(ends, rows.days, side="left"), len(ends))
    seen = np.where(rows.cause > 0, last + 1, np.searchsorted(ends, rows.days, side="right"))
    lines = np.minimum(seen, len(ends)).astype(np.int64)
    row = np.repeat(np.arange(len(rows)), lines)
    period = np.arange(len(row)) - np.repeat(np.cumsum(lines) - lines, lines)
    ended = (rows.cause[row] > 0) & (period == last[row])
    return row, period, np.where(ended, rows.cause[row], 0)


def _in_period(X: Matrix, period: int) -> Matrix:
    return np.column_stack([X, np.full(len(X), period)]).astype(np.float32)


def cox(rows: SurvivalRows, penalty: float = 0.0) -> dict[str, float]:
    """Log hazard ratios of the outcome in a Cox model; competing events are censored (a cause-specific hazard).

    Parameters
    ----------
    rows : without missing values
    penalty : float, ridge penalty

    Returns
    -------
    feature -> log hazard ratio a unit; ties by Efron (1977)

    Raises
    ------
    NotInstalled : scikit-survival is missing
    DataRefused : a feature has missing values
    """
    try:
        from sksurv.linear_model import CoxPHSurvivalAnalysis
    except ImportError as error:
        raise NotInstalled(
            "survival-missing",
            found="no scikit-survival on this machine",
            expected="the extra with the Cox model",
            repair="Install it with: pip install 'riskmodel-advisory[survival]'.",
        ) from error
    missing: Sequence[str] = [name for name, column in zip(rows.names, rows.X.T, strict=True) if np.isnan(column).any()]
    if missing:
        raise DataRefused(
            "values-missing",
            found=f"missing values in {', '.join(missing)}",
            expected="a value in every row",
            repair="Use DiscreteTime, which takes missing values, or fill them with a reason.",
        )
    clock = np.array(list(zip(rows.cause == 1, rows.days, strict=True)), dtype=[("event", bool), ("days", float)])
    made = CoxPHSurvivalAnalysis(alpha=penalty, ties="efron").fit(rows.X.astype(np.float64), clock)
    return dict(zip(rows.names, (float(value) for value in made.coef_), strict=True))
