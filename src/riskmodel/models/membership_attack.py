"""Can somebody who has the saved model tell whether a person was among those who taught it? Attacked, by group.

The attacker is given more than most have: a person's whole record with the outcome, and the saved model's raw score.
Two attacks (Yeom and others 2018; Carlini and others 2022): how well the model does on the person, and how much better
it does than models that never saw the person. Members are the people who taught the saved model. Everybody with an
outcome taught it, so the other side are the same people, as models of the same settings do on them that were made
without them. These had fewer people to learn from: what the saved model does better for that reason alone counts as
told, too, so the attack is overstated rather than understated. Where there are people whom the model never saw
(another place, a part that was held back), members are told from those as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.group_cells import group_cells
from riskmodel.models.labelled import Labelled
from riskmodel.models.membership import AUC, BESIDE, FIGURES, MADE_WITHOUT, NEVER_SEEN, OWN, TPR, Membership
from riskmodel.models.metrics import Numbers, logit
from riskmodel.models.refits import BAG, Refits
from riskmodel.models.refits import refits as made_again
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.value_attack import value_attack
from riskmodel.seeds import stream

FALSE_ALARMS: Final = 0.01
LEAST_FOR_AUC, LEAST_FOR_TPR = 50, 200
"""People on each side, and people outside, below which a group's figure is not estimated."""
_REFITS: Final = 10
Mask: TypeAlias = "npt.NDArray[np.bool_]"


def membership_attack(
    model: RiskModel,
    training: TrainingSet,
    *,
    refits: Refits | None = None,
    strangers: TrainingSet | None = None,
    by: Sequence[str] = (),
    replicates: int = 200,
    most_people: int = 10_000,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Membership:
    """Attack a model with the rows that taught it.

    Parameters
    ----------
    model, training : the model and the set on which it was fitted
    refits : Refits of the model, such as those of its footing; by default ten are made
    strangers : TrainingSet of people none of whom taught the model, with outcomes
    by : attributes of the groups; figures for each group
    replicates : int, bootstrap draws of people
    most_people : int, a random part of more people is used
    seed : int
    progress : called as models are asked

    Returns
    -------
    Membership : with 95 % intervals over draws of people; a person's rows count as one

    Raises
    ------
    DataRefused : another training set or refits of another model, too few people, or strangers who taught it
    """
    refits = refits or made_again(model, training, members=_REFITS, seed=seed)
    refits.must_be_of(model)
    everybody = np.unique(Labelled.of(training).people)
    asked = _Asked.of(model, training, by, most_people, stream(seed, "membership", "people"))
    out = ~refits.taught(everybody)[:, np.searchsorted(everybody, asked.people)]
    unknown = out.sum(axis=0) >= 2
    if unknown.sum() < LEAST_FOR_AUC:
        raise DataRefused(
            "too-few-to-attack",
            found=f"{len(everybody):,} people and {len(refits.members)} models made again",
            expected=f"at least {LEAST_FOR_AUC} people whom two of these never saw",
            repair="Attack a model of more people.",
        )
    unseen = np.empty(out.shape)
    for number, one in enumerate(refits.members):
        unseen[number] = asked.right(one, out[number])
        if progress is not None:
            progress("models asked", number + 1, len(refits.members))
    asked, unseen, out = asked.some(unknown), unseen[:, unknown], out[:, unknown]
    picked = np.where(out, stream(seed, "membership", "picked").random(out.shape), -1.0).argmax(axis=0)
    instead = unseen[picked, np.arange(len(picked))]
    held_against = (np.nansum(unseen, axis=0) - instead) / (out.sum(axis=0) - 1)
    own = asked.right(model.fitted)
    members = _Side({OWN: own, BESIDE: own - held_against}, asked.groups)
    without = _Side({OWN: instead, BESIDE: instead - held_against}, asked.groups)
    rows = list(_figures(members, without, MADE_WITHOUT, replicates, seed))
    if strangers is not None:
        _must_be_strangers(strangers, everybody)
        others = _Asked.of(model, strangers, by, most_people, stream(seed, "membership", "strangers"))
        side = _strangers(others, model, refits, out.sum(axis=0) - 1, seed)
        rows += _figures(members, side, NEVER_SEEN, replicates, seed)
    return Membership(
        pa.Table.from_pylist(rows, schema=FIGURES),
        value_attack(model, refits.members, asked.X[asked.first], asked.outcome[asked.first], picked, seed=seed),
        {
            "model": model.fingerprint,
            "training": training.fingerprint,
            "refits": refits.fingerprint,
            "models_made_again": len(refits.members),
            "share_of_people": BAG,
            "people": len(asked.people),
            "strangers": 0 if strangers is None else len(others.people),
            "replicates": replicates,
            "seed": seed,
        },
    )


@dataclass(frozen=True)
class _Asked:
    """Some people's rows: inputs and outcome, whose each is, where each person's first row stands, and their groups."""

    X: Matrix = field(repr=False)
    outcome: Numbers
    whose: npt.NDArray[np.intp]
    people: npt.NDArray[np.int64]
    first: npt.NDArray[np.intp]
    groups: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(
        cls, model: RiskModel, training: TrainingSet, by: Sequence[str], most: int, draw: np.random.Generator
    ) -> _Asked:
        labelled = Labelled.of(training)
        X = labelled.inputs(model.learner)[1]
        some = draw.permutation(np.unique(labelled.people))[:most]
        rows = np.flatnonzero(np.isin(labelled.people, some))
        people, first, whose = np.unique(labelled.people[rows], return_index=True, return_inverse=True)
        kept = labelled.kept[rows[first]]
        groups = {name: np.array(training.group(name).take(kept).to_pylist(), object) for name in by}
        return cls(np.ascontiguousarray(X[rows]), labelled.outcome[rows], whose, people, first, groups)

    def right(self, fitted: Fitted, of: Mask | None = None) -> Numbers:
        """How right a model is on each person: the mean over their rows of the log-odds of what became of them."""
        made = np.full(len(self.people), np.nan)
        rows = np.arange(len(self.whose)) if of is None else np.flatnonzero(of[self.whose])
        if len(rows):
            odds = logit(fitted.predict(self.X[rows]))
            right = np.bincount(self.whose[rows], np.where(self.outcome[rows] == 1, odds, -odds), len(made))
            counts = np.bincount(self.whose[rows], minlength=len(made))
            np.divide(right, counts, out=made, where=counts > 0)
        return made

    def some(self, people: Mask) -> _Asked:
        """Only some of the people."""
        rows = np.flatnonzero(people[self.whose])
        _, first, whose = np.unique(self.whose[rows], return_index=True, return_inverse=True)
        groups = {name: held[people] for name, held in self.groups.items()}
        return _Asked(self.X[rows], self.outcome[rows], whose, self.people[people], first, groups)


@dataclass(frozen=True)
class _Side:
    """Members or others: each person's score under each attack, higher for supposed members, and their groups."""

    scores: Mapping[str, Numbers]
    groups: Mapping[str, npt.NDArray[Any]]

    def cells(self) -> Iterator[tuple[str, str, Mask]]:
        """Everybody, and each group of each attribute."""
        return group_cells(len(self.scores[OWN]), self.groups)


def _must_be_strangers(strangers: TrainingSet, everybody: npt.NDArray[np.int64]) -> None:
    if known := len(np.intersect1d(strangers.people(), everybody)):
        raise DataRefused(
            "strangers-taught",
            found=f"{known:,} people among the strangers who taught the model",
            expected="people none of whom taught it",
            repair="Leave them out.",
        )


def _strangers(
    asked: _Asked, model: RiskModel, refits: Refits, held_against: npt.NDArray[np.int64], seed: int
) -> _Side:
    """People nobody ever saw, each held against as many models as a member is."""
    draw = stream(seed, "membership", "held against")
    right = np.array([asked.right(one) for one in refits.members])
    lots = draw.random(right.shape).argsort(axis=0).argsort(axis=0)
    some = lots < draw.choice(held_against, right.shape[1])
    own = asked.right(model.fitted)
    return _Side({OWN: own, BESIDE: own - (right * some).sum(axis=0) / some.sum(axis=0)}, asked.groups)


def _figures(members: _Side, others: _Side, beside: str, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """Every figure of both attacks; where both sides are the same people, a draw of them is a draw of both."""
    theirs = {(attribute, group): mask for attribute, group, mask in others.cells()}
    nobody = np.zeros(len(others.scores[OWN]), bool)
    for attribute, group, mine in members.cells():
        other = theirs.get((attribute, group), nobody)
        drawn = stream(seed, "membership", attribute, group)
        weights = drawn.poisson(1.0, (replicates, int(mine.sum())))
        same = beside == MADE_WITHOUT
        also = weights if same else drawn.poisson(1.0, (replicates, int(other.sum())))
        n = int(mine.sum()) + (0 if same else int(other.sum()))
        for attack in (OWN, BESIDE):
            about = {"attack": attack, "beside": beside, "attribute": attribute, "group": group, "n": n}
            figures = told_apart(members.scores[attack][mine], others.scores[attack][other], np.hstack([weights, also]))
            yield from ({**about, **figure} for figure in figures)


def told_apart(members: Numbers, others: Numbers, weights: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """How well scores tell members from others.

    Parameters
    ----------
    members, others : (n_members,) and (n_others,) float64, higher for supposed members
    weights : (replicates, n_members + n_others) int64, how often each is drawn

    Returns
    -------
    list of mappings {metric, value, low, high, state} : `AUC` and `TPR`

    Examples
    --------
    >>> members, others = np.array([3.0, 1.0] * 50), np.array([2.0, 0.0] * 50)
    >>> auc, _ = told_apart(members, others, np.ones((1, 200), np.int64))
    >>> auc["value"], auc["state"]
    (0.75, 'ok')
    """
    enough = {
        AUC: min(len(members), len(others)) >= LEAST_FOR_AUC,
        TPR: len(others) >= LEAST_FOR_TPR and len(members) >= LEAST_FOR_AUC,
    }
    if not any(enough.values()):
        return [{"metric": metric, "state": "not_estimable"} for metric in enough]
    draws = np.concatenate([np.ones((1, weights.shape[1])), weights]).astype(np.float64)
    member = np.arange(weights.shape[1]) < len(members)
    made = _curve(np.concatenate([members, others]), member, draws)
    rows: list[dict[str, Any]] = []
    for metric, drawn in zip((AUC, TPR), made, strict=True):
        if not enough[metric]:
            rows.append({"metric": metric, "state": "not_estimable"})
            continue
        low, high = np.quantile(drawn[1:], (0.025, 0.975))
        value, low, high = (float(f"{one:.6g}") for one in (drawn[0], min(low, drawn[0]), max(high, drawn[0])))
        rows.append({"metric": metric, "value": value, "low": low, "high": high, "state": "ok"})
    return rows


def _curve(score: Numbers, member: Mask, draws: Numbers) -> Numbers:
    """AUC and the share of members above the score that so few others exceed, for each draw: (2, n_draws)."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # equal scores are told together
    made = np.empty((2, len(draws)))
    for number, drawn in enumerate(draws):
        weight = drawn[order]
        found = np.append(0.0, np.cumsum(weight * member[order])[ends])
        alarms = np.append(0.0, np.cumsum(weight * ~member[order])[ends])
        made[0, number] = np.sum(np.diff(alarms) * (found[1:] + found[:-1])) / (2 * found[-1] * alarms[-1])
        last = np.searchsorted(alarms, FALSE_ALARMS * alarms[-1], side="right") - 1
        made[1, number] = found[last] / found[-1]
    return made
