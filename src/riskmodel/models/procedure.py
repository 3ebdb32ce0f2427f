"""How a learner is taught and calibrated on some rows: the same procedure in every fold and for the model that is kept.

The pieces of work are independent of each other and run on one thread each: learners that share threads wait for each
other whenever the machine has other work. The number of workers never changes what is learned.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from riskmodel.models import calibrate as calibration
from riskmodel.models.calibrate import Calibration, Method
from riskmodel.models.evaluation import MODEL
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Learner, fitted
from riskmodel.models.metrics import Numbers
from riskmodel.models.splits import Fold, Rows
from riskmodel.models.tuning import Journal, Search, Teaching, Tuned, searched

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


@dataclass
class Steps:
    """Tells the progress callback which step begins."""

    told: Progress | None
    total: int
    done: int = 0

    def begin(self, what: str) -> None:
        if self.told is not None:
            self.told(what, self.done, self.total)
        self.done += 1


@dataclass(frozen=True)
class Procedure:
    """Teaches learners on parts of the labelled rows, and keeps what its searches found."""

    labelled: Labelled = field(repr=False)
    seed: int
    pool: Executor
    journal: Journal
    searches: list[Search] = field(default_factory=list)

    def begin(
        self, learner: Learner | Tuned, train: Rows, score: Rows, method: Method | None, where: str
    ) -> Callable[[], Taught]:
        """Start to teach the learner on some rows and to score others; call what is returned to wait for it."""
        if not isinstance(learner, Tuned):
            return self._begun(learner, train, score, method)
        search = self.pool.submit(self._search, learner, train, where)

        def wait() -> Taught:
            found = search.result()
            self.searches.append(found)
            return self._begun(found.learner, train, score, method)()

        return wait

    def _begun(self, learner: Learner, train: Rows, score: Rows, method: Method | None) -> Callable[[], Taught]:
        outcome, people = self.labelled.outcome[train], self.labelled.people[train]
        parts = [] if method is None else calibration.inner_parts(outcome, people, self.seed)
        work = self.pool.submit(self._job, learner, train, score)
        inner = [(scored, self.pool.submit(self._job, learner, train[teach], train[scored])) for teach, scored in parts]

        def wait() -> Taught:
            made, scores = work.result()
            unseen = np.empty(len(train))
            for scored, part in inner:
                unseen[scored] = part.result()[1]
            calibrated = calibration.learned(method, unseen, outcome, people) if inner else calibration.AsItIs()
            return Taught(learner, made, calibrated, calibrated.probability(scores))

        return wait

    def unseen(
        self, candidates: Mapping[str, Learner | Tuned], split: Sequence[Fold], method: Method | None, steps: Steps
    ) -> dict[str, Numbers]:
        """Each candidate's probability for every row that is judged, NaN for the rows that are not."""
        begun = [
            (fold, name, self.begin(learner, fold.train, fold.test, method if name == MODEL else None, _name(fold)))
            for fold in split
            for name, learner in candidates.items()
        ]
        made = {name: np.full(len(self.labelled.outcome), np.nan) for name in candidates}
        for fold, name, wait in begun:
            steps.begin(f"{_name(fold)} of {len(split)}: {candidates[name].kind.replace('_', ' ')}")
            made[name][fold.test] = wait().probability
        return made

    def _job(self, learner: Learner, train: Rows, score: Rows) -> tuple[Fitted, Numbers]:
        names, X = self.labelled.inputs(learner)
        made = fitted(learner, X[train], self.labelled.outcome[train], names, 1, self.labelled.people[train])
        return made, made.predict(X[score])

    def _search(self, tuned: Tuned, train: Rows, where: str) -> Search:
        names, X = self.labelled.inputs(tuned.learner)
        outcome, people = self.labelled.outcome[train], self.labelled.people[train]
        origin = self.labelled.training.fingerprint
        return searched(tuned, Teaching(where, origin, X[train], outcome, people, names), self.journal)


@dataclass(frozen=True)
class Taught:
    """A learner that was taught, its calibration, and the probabilities of the rows it was asked to score."""

    learner: Learner
    fitted: Fitted
    calibration: Calibration
    probability: Numbers = field(repr=False)


@contextmanager
def workers(threads: int) -> Iterator[Executor]:
    """Threads for independent pieces of work; the linear algebra underneath stays on one thread each."""
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    with threadpool_limits(1, user_api="blas"):
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def taught_and_calibrated(
    learner: Learner,
    rows: tuple[Matrix, Numbers, Rows],
    names: tuple[str, ...],
    method: Method | None,
    seed: int,
) -> tuple[Fitted, Calibration]:
    """A learner taught on rows (matrix, outcome, people), its calibration learned on people its parts had not seen.

    The procedure of `fit` on one thread, for those who repeat it on rows of their own.
    """
    X, outcome, people = rows
    made = fitted(learner, X, outcome, names, 1, people)
    if method is None:
        return made, calibration.AsItIs()
    unseen = np.empty(len(outcome))
    for teach, scored in calibration.inner_parts(outcome, people, seed):
        part = fitted(learner, X[teach], outcome[teach], names, 1, people[teach])
        unseen[scored] = part.predict(X[scored])
    return made, calibration.learned(method, unseen, outcome, people)


def _name(fold: Fold) -> str:
    return f"fold {fold.number}"
