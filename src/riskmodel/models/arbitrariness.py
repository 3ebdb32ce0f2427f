"""How much of a place on the list is chance: the same procedure on other draws of the people, with other seeds.

Models that are equally good on the whole can disagree about one person (predictive multiplicity; Marx, Calmon and
Ustun 2020). Whoever is on the list of some of them and not of others has a place that the data do not settle. Nothing
here says who is on a list: it says for how many the answer would be another, and for whom it should be left open.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.calibrate import Calibration
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.judging import capacity_label, places, share_of_a_place
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Learner
from riskmodel.models.metrics import Numbers, expit, logit
from riskmodel.models.procedure import taught_and_calibrated
from riskmodel.models.risk_model import RiskModel
from riskmodel.seeds import derived, stream

Standing: TypeAlias = Literal["settled", "not settled"]
SETTLED = 0.9
"""A place, or its absence, is settled when at least this share of the models agree on it."""


@dataclass(frozen=True)
class Ensemble:
    """Models of the same procedure, each on another draw of the people and with another seed.

    Attributes
    ----------
    members : what each has learned, and its calibration
    """

    members: tuple[tuple[Fitted, Calibration], ...] = field(repr=False)

    def probabilities(self, X: Matrix) -> Numbers:
        """Calibrated probability of each row by each model: (n_models, n_rows) float64."""
        return np.stack([calibration.probability(made.predict(X)) for made, calibration in self.members])

    def interval(self, X: Matrix, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
        """Lowest and highest probability of each row: the mean of the models' log-odds and their spread.

        It covers what another draw of the people would have taught. It does not cover a wrong form of the model,
        wrong labels or a change over time.
        """
        lines = logit(self.probabilities(X))
        reach = NormalDist().inv_cdf((1 + confidence) / 2) * lines.std(axis=0, ddof=1)
        middle = lines.mean(axis=0)
        return expit(middle - reach), expit(middle + reach)

    def standings(self, X: Matrix, capacity: float) -> Standings:
        """Who would have a place on a list of these rows, by how many of the models.

        Parameters
        ----------
        X : (n_rows, n_features) float32, everybody who could be on the list
        capacity : share of the rows (below 1) or places (from 1)
        """
        return standings(self.probabilities(X), capacity)

    def __repr__(self) -> str:
        return f"Ensemble({len(self.members)} models)"


@dataclass(frozen=True)
class Standings:
    """How settled the places of a list are.

    Attributes
    ----------
    capacity : str, such as "5%"
    places : float, places on the list
    share : (n_rows,) float64, the share of the models that would have the row on the list; ties share a place
    overlap : float, of the places of one model's list, the share that another model fills with the same people
    """

    capacity: str
    places: float
    share: Numbers = field(repr=False)
    overlap: float

    def settled(self) -> npt.NDArray[np.bool_]:
        """Whether at least `SETTLED` of the models agree on each row: (n_rows,) bool."""
        return np.asarray((self.share >= SETTLED) | (self.share <= 1 - SETTLED))

    def counts(self) -> dict[str, float]:
        """Rows always on the list, never on it, and left open; and the places that change hands."""
        return {
            "always": float((self.share >= SETTLED).sum()),
            "never": float((self.share <= 1 - SETTLED).sum()),
            "open": float((~self.settled()).sum()),
            "places": self.places,
            "overlap": self.overlap,
        }

    @property
    def sentence(self) -> str:
        """In words, for a card."""
        counts = self.counts()
        return (
            f"Of a list of {self.places:g} places, an equally good model would fill {100 * self.overlap:.0f} in 100 "
            f"with the same people. {counts['always']:g} people are on the list of nearly every model; for "
            f"{counts['open']:g} the models disagree, and the list should say so."
        )


def standings(probabilities: Numbers, capacity: float) -> Standings:
    """Who would have a place on a list by how many of several models: (n_models, n_rows) probabilities.

    Only the order counts, so that the models need no calibration.

    Examples
    --------
    >>> chances = np.array([[0.9, 0.5, 0.1], [0.8, 0.1, 0.4]])
    >>> standings(chances, 2).share.tolist()
    [1.0, 0.5, 0.5]
    """
    number = next(iter(places([capacity], probabilities.shape[1]).values()))
    on_list = np.stack([share_of_a_place(p, number) for p in probabilities])
    return Standings(capacity_label(capacity), number, on_list.mean(axis=0), _overlap(on_list, number))


def ensemble(
    model: RiskModel,
    training: TrainingSet,
    *,
    members: int = 20,
    rivals: Sequence[Learner] = (),
    seed: int = 0,
    threads: int = 0,
) -> Ensemble:
    """Fit the model's own procedure again, each time on people drawn with replacement and with another seed.

    Parameters
    ----------
    model : RiskModel
    training : the set on which it was fitted
    members : int, at least 2
    rivals : other learners that are equally good; each gets as many members
    seed : int, of the draws
    threads : int, 0 is one a core; never changes the result
    """
    if members < 2:
        raise DeclarationError.of(
            "ensemble-invalid",
            where="members",
            found=str(members),
            expected="at least 2 models",
            repair="Ask for more.",
        )
    labelled, method = Labelled.of(training), model.declaration.get("calibrate")
    people, person = np.unique(labelled.people, return_inverse=True)
    order = np.argsort(person, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(person))])

    def drawn(job: tuple[int, Learner]) -> tuple[Fitted, Calibration]:
        number, learner = job
        chosen = stream(seed, "ensemble", number).integers(0, len(people), len(people))
        rows = np.concatenate([order[starts[one] : starts[one + 1]] for one in chosen])
        sizes = starts[chosen + 1] - starts[chosen]
        # A person who is drawn twice stays one person where parts are made: nobody stands on both sides.
        names, X = labelled.inputs(learner)
        given = X[rows], labelled.outcome[rows], np.repeat(chosen, sizes)
        return taught_and_calibrated(_with_seed(learner, number), given, names, method, seed)

    jobs = [(number, learner) for learner in (model.learner, *rivals) for number in range(members)]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        return Ensemble(tuple(pool.map(drawn, jobs)))


def _with_seed(learner: Learner, number: int) -> Learner:
    changed: Any = learner
    return replace(changed, seed=derived(changed.seed, "ensemble", number)) if hasattr(changed, "seed") else learner


def _overlap(on_list: Numbers, number: float) -> float:
    """Mean over pairs of models of the shared places, as a share of the list."""
    models = len(on_list)
    both = float(np.square(on_list.sum(axis=0)).sum() - np.square(on_list).sum())
    return both / (models * (models - 1) * number)
