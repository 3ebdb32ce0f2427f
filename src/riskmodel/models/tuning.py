"""A learner whose settings are searched for, inside the rows that teach: the rows that judge are never looked at.

The only importer of optuna (Akiba et al. 2019; tree-structured Parzen estimator). In every fold, and for the final
fit, the search is done anew on the rows that teach: a trial is judged by the log loss on people whom its model had
not seen. So what is judged is the whole procedure, the search included.

A search is the same every time. Trials that were finished before an interruption are in the journal by what they were
made from, so that a search that is taken up again goes the same way and fits only what is missing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault, NotInstalled
from riskmodel.models.calibrate import inner_parts
from riskmodel.models.fitted import Matrix
from riskmodel.models.learners import Learner, fitted
from riskmodel.models.metrics import Numbers, log_loss
from riskmodel.seeds import derived
from riskmodel.tables import fingerprint_document

Varied: TypeAlias = tuple[Any, ...]
"""(low, high), (low, high, "log"), or ("one of", ...): whole numbers when both ends are."""


@dataclass(frozen=True)
class Tuned:
    """A learner and the settings that may be varied.

    Parameters
    ----------
    learner : the settings to start from; those that lie in their ranges are the first trial
    vary : name of a setting -> (low, high), (low, high, "log") or ("one of", first, second, ...)
    trials : int, how many settings are tried in each search
    seed : int, of the search and of its parts

    Examples
    --------
    >>> from riskmodel.models.learners import LightGBM
    >>> Tuned(LightGBM(), {"leaves": (4, 31), "learning_rate": (0.01, 0.2, "log")}, trials=20).kind
    'lightgbm'
    >>> Tuned(LightGBM(), {"depth": (2, 5)})
    Traceback (most recent call last):
        ...
    riskmodel.errors.DeclarationError: model.vary.depth: found a setting that lightgbm does not have; expected ...
    """

    inputs: ClassVar[tuple[str, ...] | None] = None
    learner: Learner
    vary: Mapping[str, Varied] = field(hash=False)
    trials: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        settings = self.learner.document()
        faults = [fault for name, given in self.vary.items() if (fault := self._fault(name, given, settings))]
        if not self.vary:
            faults.append(Fault("model.vary", "nothing", "at least one setting", "Name what may be varied."))
        if self.trials < 2:
            faults.append(Fault("model.trials", str(self.trials), "at least 2", "Ask for more trials."))
        if faults:
            raise DeclarationError("tuning-invalid", faults=faults)

    @property
    def kind(self) -> str:
        """That of the learner: its name in tables."""
        return self.learner.kind

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        varied = {name: list(given) for name, given in sorted(self.vary.items())}
        return {"learner": self.learner.document(), "vary": varied, "trials": self.trials, "seed": self.seed}

    def _fault(self, name: str, given: Varied, settings: Mapping[str, Any]) -> Fault | None:
        where = f"model.vary.{name}"
        if name not in settings or name in ("kind", "seed"):
            known = ", ".join(sorted(set(settings) - {"kind", "seed"}))
            return Fault(where, f"a setting that {self.kind} does not have", f"one of {known}", "Correct the name.")
        if _is_a_choice(given) or _is_a_range(given):
            return None
        expected = '(low, high), (low, high, "log") or ("one of", first, second)'
        return Fault(where, repr(given), expected, "Correct the range.")


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of settings and its log loss on people not seen; None where the learner refused the settings."""

    settings: Mapping[str, Any]
    log_loss: float | None


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes
    ----------
    where : str, "fold 1", ... or "final"
    learner : the settings with the least log loss; the earliest wins a tie
    trials : in the order in which they were tried
    """

    where: str
    learner: Learner = field(repr=False)
    trials: tuple[Trial, ...] = field(repr=False)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        trials = [{"settings": dict(trial.settings), "log_loss": trial.log_loss} for trial in self.trials]
        return {"where": self.where, "chosen": self.learner.document(), "trials": trials}


class Journal:
    """Finished trials by what they were made from, one JSON line each; a line cut off by a crash is passed over."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._known: dict[str, float | None] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path is not None and path.exists() else ():
            try:
                entry = json.loads(line)
                self._known[entry["trial"]] = entry["log_loss"]
            except (ValueError, KeyError, TypeError):
                continue

    def __contains__(self, trial: str) -> bool:
        return trial in self._known

    def __getitem__(self, trial: str) -> float | None:
        return self._known[trial]

    def add(self, trial: str, loss: float | None) -> None:
        """Keep a finished trial."""
        with self._lock:
            self._known[trial] = loss
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"trial": trial, "log_loss": loss}) + "\n")


@dataclass(frozen=True)
class Teaching:
    """The rows on which a search is done.

    Attributes
    ----------
    where : str, "fold 1", ... or "final"
    origin : str, the fingerprint of the set that the rows come from
    X, outcome, people : as for `learners.fitted`
    names : feature names
    """

    where: str
    origin: str
    X: Matrix = field(repr=False)
    outcome: Numbers = field(repr=False)
    people: npt.NDArray[np.int64] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)


def searched(tuned: Tuned, rows: Teaching, journal: Journal | None = None) -> Search:
    """Search on the rows that teach.

    Raises
    ------
    NotInstalled : optuna is missing
    """
    optuna = _optuna()
    journal = Journal() if journal is None else journal
    sampler = optuna.samplers.TPESampler(seed=derived(tuned.seed, "tuning", rows.where) % 2**32)
    study = optuna.create_study(sampler=sampler)
    start = tuned.learner.document()
    study.enqueue_trial({name: start[name] for name, given in tuned.vary.items() if _lies_in(start[name], given)})
    space = {name: _distribution(optuna, given) for name, given in tuned.vary.items()}
    made: list[Trial] = []
    for _ in range(tuned.trials):
        asked = study.ask(space)
        settings = dict(asked.params)
        loss = _loss(tuned, settings, rows, journal)
        study.tell(asked, loss, state=None if loss is not None else optuna.trial.TrialState.FAIL)
        made.append(Trial(settings, loss))
    known = [trial for trial in made if trial.log_loss is not None]
    best = min(known, key=lambda trial: float(trial.log_loss or 0.0)) if known else made[0]
    return Search(rows.where, _with(tuned.learner, best.settings), tuple(made))


def _loss(tuned: Tuned, settings: Mapping[str, Any], rows: Teaching, journal: Journal) -> float | None:
    """The log loss of settings on people not seen, from the journal where it is there."""
    made_from = [rows.origin, rows.where, tuned.learner.document(), dict(settings), tuned.seed]
    trial = fingerprint_document(made_from)
    if trial not in journal:
        try:
            journal.add(trial, _judged(_with(tuned.learner, settings), rows, tuned.seed))
        except DeclarationError:  # settings within their ranges that mean nothing together
            journal.add(trial, None)
    return journal[trial]


def _judged(learner: Learner, rows: Teaching, seed: int) -> float:
    unseen = np.empty(len(rows.outcome))
    for teach, scored in inner_parts(rows.outcome, rows.people, seed):
        made = fitted(learner, rows.X[teach], rows.outcome[teach], rows.names, 1, rows.people[teach])
        unseen[scored] = made.predict(rows.X[scored])
    return float(f"{log_loss(rows.outcome, unseen):.12g}")


def _with(learner: Learner, settings: Mapping[str, Any]) -> Learner:
    changed: Learner = replace(learner, **settings)  # type: ignore[type-var]  # every learner is a dataclass
    return changed


def _is_a_choice(given: Sequence[Any]) -> bool:
    return len(given) > 2 and given[0] == "one of"


def _is_a_range(given: Sequence[Any]) -> bool:
    if len(given) not in (2, 3) or not all(isinstance(end, (int, float)) for end in given[:2]):
        return False
    return given[0] < given[1] and (len(given) == 2 or (given[2] == "log" and given[0] > 0))


def _lies_in(value: Any, given: Varied) -> bool:
    return value in given[1:] if _is_a_choice(given) else bool(given[0] <= value <= given[1])


def _distribution(optuna: Any, given: Varied) -> Any:
    if _is_a_choice(given):
        return optuna.distributions.CategoricalDistribution(list(given[1:]))
    low, high, log = given[0], given[1], len(given) == 3
    whole = isinstance(low, int) and isinstance(high, int)
    made = optuna.distributions.IntDistribution if whole else optuna.distributions.FloatDistribution
    return made(low, high, log=log)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise NotInstalled(
            "optuna-missing",
            found="no optuna on this machine",
            expected="the extra that searches for settings",
            repair="Install it with: pip install 'riskmodel-advisory[tune]'.",
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
