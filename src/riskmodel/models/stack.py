"""A stack: several learners, and the weights with which their log-odds are added up (Wolpert 1992; Breiman 1996).

The weights are learned on predictions for people whom the learners had not seen, and none is below 0: a learner can
be left out, never turned round. Because the sum is of log-odds, what a feature adds to a stack is the weighted sum
of what it adds to the parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from riskmodel.errors import DeclarationError
from riskmodel.models.boosting import LightGBM
from riskmodel.models.calibrate import inner_parts
from riskmodel.models.curves import ExplainableBoosting
from riskmodel.models.fitted import Fitted, Matrix, floats, restored, rounded
from riskmodel.models.logistic import Logistic
from riskmodel.models.metrics import Numbers, expit, log_losses, logit
from riskmodel.models.points import PointsScore

Part = LightGBM | Logistic | ExplainableBoosting | PointsScore
PARTS: Mapping[str, Any] = {made.kind: made for made in (LightGBM, Logistic, ExplainableBoosting, PointsScore)}
_PULL = 1e-3
"""A slight pull of the weights towards equal shares, in rows' worth a row: it settles what the data leave open."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Settings of a stack.

    Parameters
    ----------
    of : two learners or more
    seed : int, for the parts on which the weights are learned
    """

    kind: ClassVar[str] = "stack"
    inputs: ClassVar[tuple[str, ...] | None] = None
    of: tuple[Part, ...] = (LightGBM(), Logistic())
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.of) < 2 or any(type(part) not in PARTS.values() for part in self.of):
            raise DeclarationError.of(
                "learner-invalid",
                where="model.of",
                found=f"{len(self.of)} parts: {', '.join(getattr(part, 'kind', '?') for part in self.of)}",
                expected=f"at least two of {', '.join(sorted(PARTS))}",
                repair="Name the learners that are stacked.",
            )

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {"kind": self.kind, "of": [part.document() for part in self.of], "seed": self.seed}

    def fitted(
        self,
        X: Matrix,
        outcome: Numbers,
        names: tuple[str, ...],
        threads: int = 1,
        people: npt.NDArray[np.int64] | None = None,
    ) -> FittedStack:
        """Learn; `people` keeps all rows of a person on one side when the weights are learned."""
        who = np.arange(len(outcome)) if people is None else people
        unseen = np.empty((len(outcome), len(self.of)))
        for teach, scored in inner_parts(outcome, who, self.seed):
            for place, part in enumerate(self.of):
                made = part.fitted(X[teach], outcome[teach], names, threads)
                unseen[scored, place] = made.predict(X[scored])
        intercept, weights = _weights(logit(unseen), outcome)
        return FittedStack(
            names, tuple(part.fitted(X, outcome, names, threads) for part in self.of), intercept, weights
        )


@dataclass(frozen=True)
class FittedStack(Fitted):
    """Learners that have learned, and what their log-odds count.

    Attributes
    ----------
    parts : the learners
    intercept : float, log-odds
    weights : (n_parts,) float64, 0 or above
    """

    kind: ClassVar[str] = "stack"
    names: tuple[str, ...]
    parts: tuple[Fitted, ...] = field(repr=False)
    intercept: float
    weights: Numbers

    def log_odds(self, X: Matrix) -> Numbers:
        """Log-odds of each row."""
        self.must_fit(X)
        total = np.full(len(X), self.intercept)
        for part, weight in zip(self.parts, self.weights, strict=True):
            total += weight * logit(part.predict(X))
        return total

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        return expit(self.log_odds(X))

    def state(self) -> dict[str, Any]:
        """Parts and weights as JSON."""
        return {
            "parts": [part.document() for part in self.parts],
            "intercept": self.intercept,
            "weights": floats(self.weights),
        }

    def files(self) -> Mapping[str, str]:
        """The parts' native files, each with the number of its part before its name."""
        return {f"{place}-{name}": text for place, part in enumerate(self.parts) for name, text in part.files().items()}

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedStack:
        """From what was saved."""
        parts = tuple(restored(one, _of_part(files, place)) for place, one in enumerate(state["parts"]))
        return cls(names, parts, float(state["intercept"]), np.array(state["weights"], np.float64))

    def __repr__(self) -> str:
        shares = ", ".join(f"{part.kind} {weight:.2f}" for part, weight in zip(self.parts, self.weights, strict=True))
        return f"FittedStack({shares})"


def parts_from_documents(documents: Sequence[Any]) -> tuple[Any, ...]:
    """The learners of a stack from their documents; what cannot be read is left as it is, for the stack to refuse."""
    return tuple(
        PARTS[one["kind"]](**{name: value for name, value in one.items() if name != "kind"})
        if isinstance(one, Mapping) and one.get("kind") in PARTS
        else one
        for one in documents
    )


def _of_part(files: Mapping[str, str], place: int) -> dict[str, str]:
    start = f"{place}-"
    return {name.removeprefix(start): text for name, text in files.items() if name.startswith(start)}


def _weights(lines: Numbers, outcome: Numbers) -> tuple[float, Numbers]:
    """Intercept and weights of 0 or above with the least log loss on (n, parts) log-odds not seen before."""
    n, parts = lines.shape
    equal = np.full(parts, 1 / parts)

    def loss(at: Numbers) -> tuple[float, Numbers]:
        p = expit(at[0] + lines @ at[1:])
        off = at[1:] - equal
        gradient = np.append(np.sum(p - outcome), lines.T @ (p - outcome)) / n
        gradient[1:] += 2 * _PULL * off
        return float(np.mean(log_losses(outcome, p)) + _PULL * off @ off), gradient

    bounds = [(None, None), *[(0.0, None)] * parts]
    found = minimize(loss, np.append(0.0, equal), jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14})
    made = rounded(found.x, 6)  # the search ends where a seventh digit no longer matters
    return float(made[0]), made[1:]
