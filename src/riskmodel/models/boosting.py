"""Gradient-boosted trees (LightGBM; Ke et al. 2017), set for rare outcomes and for the same bytes every time.

The only importer of lightgbm. Classes are never re-weighted: that would destroy the probabilities. Missing values go
their own way in each split. The number of threads is a matter of the machine and leaves no trace in the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Condition
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.model_files import scrubbed
from riskmodel.governance.thresholds import plain_thresholds, sampled
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.metrics import Numbers
from riskmodel.seeds import derived

BOOSTER = "booster.txt"
_BATCH = 8192
"""Rows that are laid out at a time when a training set is read in batches."""
_MANY = 250_000
"""Rows from which a prediction is worth all cores, and the wait for them."""


class _Turns:
    """Who may call LightGBM: calls on one thread beside each other, a call on more threads alone.

    LightGBM keeps its number of threads in one global, and a call that raises it while another learns has that one
    write beyond its buffers, which can kill the process (met once with 4.7). Calls that all set it to one are safe.
    """

    def __init__(self) -> None:
        self._changed, self._calls, self._alone = Condition(), 0, False

    @contextmanager
    def taken(self, threads: int) -> Iterator[None]:
        """The turn of a call on so many threads."""
        alone = threads != 1
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not (alone and self._calls))
            self._calls, self._alone = self._calls + 1, alone
        try:
            yield
        finally:
            with self._changed:
                self._calls, self._alone = self._calls - 1, False
                self._changed.notify_all()


_TURNS = _Turns()


@dataclass(frozen=True, slots=True)
class LightGBM:
    """Settings of gradient-boosted trees.

    The defaults are cautious: a person seen every quarter is not so many people, and the outcome is rare.

    Parameters
    ----------
    seed : int
    rounds : int, number of trees
    leaves : int, leaves of a tree; small trees for small data
    learning_rate : float
    min_rows_per_leaf : int
    min_information_per_leaf : float, least sum of p (1 - p) in a leaf: at a base rate of 1 % the default of 3 asks for
        about 300 rows, at 50 % for 12
    feature_share : float, share of features each tree may use; 1 where there are few and they work together
    penalty : float, L2 penalty on leaf values
    monotone : mapping of feature name to +1 (risk never falls as it rises) or -1

    Examples
    --------
    >>> LightGBM(seed=7).rounds
    150
    >>> LightGBM(leaves=1)
    Traceback (most recent call last):
        ...
    riskmodel.errors.DeclarationError: model.leaves: found 1; expected at least 2. Raise leaves. [learner-invalid]
    """

    kind: ClassVar[str] = "lightgbm"
    inputs: ClassVar[tuple[str, ...] | None] = None
    seed: int = 0
    rounds: int = 150
    leaves: int = 12
    learning_rate: float = 0.05
    min_rows_per_leaf: int = 30
    min_information_per_leaf: float = 3.0
    feature_share: float = 0.4
    penalty: float = 20.0
    monotone: Mapping[str, int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        least = {"rounds": 1, "leaves": 2, "min_rows_per_leaf": 1, "min_information_per_leaf": 0, "penalty": 0}
        faults = [
            Fault(f"model.{name}", repr(getattr(self, name)), f"at least {bound}", f"Raise {name}.")
            for name, bound in least.items()
            if getattr(self, name) < bound
        ]
        faults += [
            Fault(f"model.{name}", repr(getattr(self, name)), "above 0 and at most 1", f"Correct {name}.")
            for name in ("learning_rate", "feature_share")
            if not 0 < getattr(self, name) <= 1
        ]
        faults += [
            Fault(f"model.monotone.{name}", repr(sign), "1 or -1", "Write 1 for rising, -1 for falling risk.")
            for name, sign in self.monotone.items()
            if sign not in (1, -1)
        ]
        if faults:
            raise DeclarationError("learner-invalid", faults=faults)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return {
            "kind": self.kind,
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("kind", "inputs")},
            "monotone": dict(sorted(self.monotone.items())),
        }

    def fitted(self, X: Matrix, outcome: Numbers, names: tuple[str, ...], threads: int = 1) -> FittedLightGBM:
        """Learn from (n, p) float32 features and (n,) outcomes 0/1; `threads` 0 is one a core."""
        import lightgbm

        settings = self._parameters(names, threads)
        rows = np.ascontiguousarray(X, np.float32)
        with _TURNS.taken(threads):
            data = lightgbm.Dataset(rows, label=outcome, free_raw_data=True, params=self._data_parameters(threads))
            booster = lightgbm.train(settings, data, num_boost_round=self.rounds)
            text = booster.model_to_string(num_iteration=-1)
        return FittedLightGBM(names, _giving_nobody_away(text, rows[sampled(len(rows))]))

    def fitted_in_batches(self, training: TrainingSet, threads: int = 1) -> FittedLightGBM:
        """Learn from the rows whose outcome is known, straight off the table: no matrix of them is ever made.

        The same trees to the byte as `fitted` on the matrix, for less memory: LightGBM bins a batch of rows at a time.
        """
        import lightgbm

        outcome = training.outcome()
        known = np.flatnonzero(~np.isnan(outcome))
        settings = self._parameters(training.feature_names, threads)
        with _TURNS.taken(threads):
            rows = _as_sequence(training, known)
            data = lightgbm.Dataset(rows, label=outcome[known], params=self._data_parameters(threads))
            booster = lightgbm.train(settings, data, num_boost_round=self.rounds)
            text = booster.model_to_string(num_iteration=-1)
        return FittedLightGBM(
            training.feature_names, _giving_nobody_away(text, training.taken(known[sampled(len(known))]))
        )

    def _data_parameters(self, threads: int) -> dict[str, Any]:
        least = {"min_data_in_leaf": self.min_rows_per_leaf}
        return {"verbosity": -1, "max_bin": 255, **least, "force_row_wise": True, "num_threads": threads}

    def _parameters(self, names: tuple[str, ...], threads: int) -> dict[str, Any]:
        unknown = sorted(set(self.monotone) - set(names))
        if unknown:
            raise DeclarationError.of(
                "monotone-unknown",
                where="model.monotone",
                found=", ".join(unknown),
                expected="names of features in the training set",
                repair="Correct the names or leave them out.",
            )
        parameters = {
            **self._data_parameters(threads),
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_sum_hessian_in_leaf": self.min_information_per_leaf,
            "lambda_l2": self.penalty,
            "feature_fraction": self.feature_share,
            "seed": derived(self.seed, "lightgbm"),
            "deterministic": True,
        }
        if self.monotone:
            parameters["monotone_constraints"] = [self.monotone.get(name, 0) for name in names]
            parameters["monotone_constraints_method"] = "intermediate"
        return parameters


@dataclass(frozen=True)
class FittedLightGBM(Fitted):
    """Trees that have learned; `text` is LightGBM's own format."""

    kind: ClassVar[str] = "lightgbm"
    names: tuple[str, ...]
    text: str = field(repr=False)

    @cached_property
    def booster(self) -> Any:
        """The LightGBM booster (lightgbm.Booster), for contributions."""
        import lightgbm

        with _TURNS.taken(1):
            return lightgbm.Booster(model_str=self.text)

    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row."""
        self.must_fit(X)
        return self._asked(X, _threads(X)) if len(X) else np.empty(0)

    def log_odds(self, X: Matrix) -> Numbers:
        """Log-odds of each row."""
        return self._asked(X, _threads(X), raw_score=True) if len(X) else np.empty(0)

    def contributions(self, X: Matrix) -> Numbers:
        """Path-dependent TreeSHAP of each row with the base as last column, LightGBM's own: (n, p + 1) float64."""
        # alone, because LightGBM writes down how deep each tree is whenever it is asked for contributions
        return self._asked(X, 0, pred_contrib=True) if len(X) else np.empty((0, X.shape[1] + 1))

    def _asked(self, X: Matrix, threads: int, **what: bool) -> Numbers:
        booster, rows = self.booster, np.ascontiguousarray(X, np.float32)
        with _TURNS.taken(threads):
            return np.asarray(booster.predict(rows, num_threads=threads, **what), np.float64)

    def state(self) -> dict[str, Any]:
        """Where the trees are."""
        return {"booster": BOOSTER}

    def files(self) -> Mapping[str, str]:
        """The native text."""
        return {BOOSTER: self.text}

    @classmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> FittedLightGBM:
        """From what was saved."""
        return cls(names, files[state["booster"]])


def _threads(X: Matrix) -> int:
    return 0 if len(X) >= _MANY else 1


def _giving_nobody_away(text: str, rows: Matrix) -> str:
    """The model's text without people's values, and without the number of threads that happened to make it."""
    return plain_thresholds(scrubbed(re.sub(r"\[num_threads: -?\d+\]", "[num_threads: 0]", text)), rows)


def _as_sequence(training: TrainingSet, rows: npt.NDArray[np.int64]) -> Any:
    """The rows as LightGBM asks for them: by slices, and one by one in ascending order when it samples."""
    import lightgbm

    class Batches(lightgbm.Sequence):  # type: ignore[misc] # LightGBM has no types
        batch_size = _BATCH

        def __init__(self) -> None:
            self.begin, self.held = 0, training.taken(rows[:_BATCH])

        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, wanted: Any) -> Any:
            if isinstance(wanted, slice):
                return training.taken(rows[wanted])
            if not self.begin <= wanted < self.begin + len(self.held):
                self.begin = wanted
                self.held = training.taken(rows[wanted : wanted + _BATCH])
            return self.held[wanted - self.begin].astype(np.float64)

    return Batches()
