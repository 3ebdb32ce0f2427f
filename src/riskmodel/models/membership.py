"""Can somebody who has the model tell whether a person was among those who taught it? Attacked, and counted by group.

The attacker is given more than most have: a person's whole record with the outcome, and the model's raw score. Two
attacks (Yeom and others 2018; Carlini and others 2022): how well the model does on the person, and how much better it
does than similar models that never saw the person. The learner of the model is taught on random halves of the people;
each half's model is attacked with both halves, so that what is found holds for a model of half the size: one of all
people gives less away. It is no proof of safety: a stronger attack may exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused, EvidenceError, NotFound
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import write_json
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Learner, fitted
from riskmodel.models.metrics import Numbers, logit
from riskmodel.models.procedure import workers
from riskmodel.models.splits import person_parts
from riskmodel.seeds import derived, stream
from riskmodel.tables import fingerprint_document

FILE: Final = "membership.json"
ALL: Final = "all"
OWN, BESIDE = "how well it does", "beside similar models"
"""The two attacks."""
AUC, TPR = "auc", "tpr@0.01"
"""How often the attacker names the right one of two people, one a member; members found at one false alarm in 100."""
FALSE_ALARMS: Final = 0.01
LEAST_FOR_AUC, LEAST_FOR_TPR = 50, 200
"""People on each side, and people outside, below which a group's figure is not estimated."""
CLEAR_AUC, CLEAR_TPR = 0.6, 0.05
Told: TypeAlias = Literal["clearly", "slightly", "not shown"]
Mask: TypeAlias = "npt.NDArray[np.bool_]"
_SCHEMA: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("attack", "attribute", "group", "metric")),
        *(pa.field(name, pa.float64()) for name in ("value", "low", "high")),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Membership:
    """What the attacks found.

    Attributes
    ----------
    table : Arrow, rows {attack, attribute, group, metric, value, low, high, n, state}; attribute and group are "all"
        for everybody; `AUC` is .5 and `TPR` .01 for an attacker who guesses; n is people; state is "ok" or
        "not_estimable"
    settings : how it was made
    """

    table: pa.Table = field(repr=False)
    settings: Mapping[str, Any]

    def figure(self, attack: str, metric: str = AUC, attribute: str = ALL, group: str = ALL) -> dict[str, Any]:
        """One row of the table.

        Raises
        ------
        NotFound : no such attack, metric or group
        """
        wanted = {"attack": attack, "attribute": attribute, "group": group, "metric": metric}
        for row in self.table.to_pylist():
            if all(row[name] == value for name, value in wanted.items()):
                return dict(row)
        raise NotFound(
            "figure-missing",
            found=f"no {metric!r} of the attack {attack!r} for {attribute!r}, {group!r}",
            expected="a row of the table",
            repair="Ask for a figure that the attacks made.",
        )

    @property
    def told(self) -> Told:
        """Whether members can be told: judged by the lower ends of the intervals over everybody."""
        lows = {
            metric: max(self.figure(attack, metric)["low"] or 0.0 for attack in (OWN, BESIDE)) for metric in (AUC, TPR)
        }
        if lows[AUC] > CLEAR_AUC or lows[TPR] > CLEAR_TPR:
            return "clearly"
        return "slightly" if lows[AUC] > 0.5 else "not shown"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"table": self.table.to_pylist(), "settings": dict(self.settings)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())

    def save(self, folder: str | Path) -> None:
        """Write ``membership.json`` into a folder."""
        write_json(Path(folder) / FILE, {**self.document(), "fingerprint": self.fingerprint})

    @classmethod
    def load(cls, folder: str | Path) -> Membership:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since
        """
        try:
            held = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
            made = cls(pa.Table.from_pylist(held["table"], schema=_SCHEMA), held["settings"])
            whole = made.fingerprint == held["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
            whole = False
        if not whole:
            raise EvidenceError(
                "membership-damaged",
                found=f"no {FILE} as it was written",
                expected="the file as it was written",
                repair="Run the attacks again.",
            )
        return made

    def __repr__(self) -> str:
        return f"Membership(members told: {self.told}, {self.figure(OWN)['n']:,} people)"


def membership_attack(
    training: TrainingSet,
    learner: Learner,
    *,
    by: Sequence[str] = (),
    models: int = 6,
    replicates: int = 200,
    most_people: int = 20_000,
    seed: int = 0,
    threads: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Membership:
    """Attack a learner as taught on a training set.

    Parameters
    ----------
    training : TrainingSet
    learner : frozen settings, such as `RiskModel.learner`
    by : attributes of the training set's groups; figures for each group
    models : int, an even number from 4, models that are attacked; each is also a stranger to the people of the others
    replicates : int, bootstrap draws of people
    most_people : int, a random part of larger training sets is used
    seed : int
    threads : int, 0 is one a core
    progress : called as models are taught

    Returns
    -------
    Membership : with 95 % intervals over draws of people; a person's rows count as one

    Raises
    ------
    DataRefused : too few people
    """
    labelled = Labelled.of(training)
    names, X = labelled.inputs(learner)
    people, first, which = np.unique(labelled.people, return_index=True, return_inverse=True)
    asked = _some(len(people), most_people, seed)
    rows = np.flatnonzero(asked[which])
    if asked.sum() < 2 * LEAST_FOR_AUC or models < 4 or models % 2:
        raise DataRefused(
            "too-few-to-attack",
            found=f"{int(asked.sum()):,} people and {models} models",
            expected=f"at least {2 * LEAST_FOR_AUC} people, and an even number of models from 4",
            repair="Attack a model of more people.",
        )
    outcome, whose = labelled.outcome[rows], which[rows]
    inside = np.array([half for pair in range(models // 2) for half in _halves(whose, derived(seed, "halves", pair))])
    right = np.empty((models, len(rows)))

    def teach(number: int) -> None:
        taught = rows[inside[number]]
        made = fitted(learner, X[taught], labelled.outcome[taught], names, 1, labelled.people[taught])
        odds = logit(made.predict(X[rows]))
        right[number] = np.where(outcome == 1, odds, -odds)

    with workers(threads) as pool:
        for number, done in enumerate([pool.submit(teach, number) for number in range(models)], start=1):
            done.result()
            if progress is not None:
                progress("models attacked", number, models)
    place = np.cumsum(asked) - 1
    of_person = [_per_person(scores, place[whose], int(asked.sum())) for scores in (right, _beside(right, inside))]
    members = np.array([np.bincount(place[whose], weights=one, minlength=int(asked.sum())) > 0 for one in inside])
    groups = {name: np.array(training.group(name).take(labelled.kept[first[asked]]).to_pylist(), object) for name in by}
    table = _figures(dict(zip((OWN, BESIDE), of_person, strict=True)), members, groups, replicates, seed)
    return Membership(
        table,
        {
            "learner": learner.document(),
            "training": training.fingerprint,
            "people": int(asked.sum()),
            "models": models,
            "replicates": replicates,
            "seed": seed,
        },
    )


def _some(people: int, most: int, seed: int) -> Mask:
    chosen = np.ones(people, bool)
    if people > most:
        chosen[stream(seed, "membership", "people").permutation(people)[most:]] = False
    return chosen


def _halves(people: npt.NDArray[np.int64], seed: int) -> tuple[Mask, Mask]:
    part = person_parts(people, 2, seed)
    return part == 0, part == 1


def _beside(right: Numbers, inside: Mask) -> Numbers:
    """How much better each model does on a row than others that never saw it, as many for members as for strangers."""
    made = np.empty_like(right)
    outside = ~inside
    strangers = len(right) // 2 - 1
    for number in range(len(right)):
        # a member's own model is none of those outside: leave its complement out, so that numbers are equal
        twin = number ^ 1
        others = outside.copy()
        others[number] = False
        others[twin] = False
        made[number] = right[number] - (right * others).sum(axis=0) / strangers
    return made


def _per_person(scores: Numbers, whose: npt.NDArray[np.int64], people: int) -> Numbers:
    rows = np.bincount(whose, minlength=people)
    return np.array([np.bincount(whose, weights=one, minlength=people) / rows for one in scores])


def _figures(
    scores: Mapping[str, Numbers], members: Mask, groups: Mapping[str, Any], replicates: int, seed: int
) -> pa.Table:
    people = members.shape[1]
    cells = [(ALL, ALL, np.ones(people, bool))]
    cells += [(name, str(word), held == word) for name, held in groups.items() for word in sorted({*held} - {None})]
    rows: list[dict[str, Any]] = []
    for attack, found in scores.items():
        for attribute, group, mask in cells:
            weights = stream(seed, "membership", attribute, group).poisson(1.0, (replicates, int(mask.sum())))
            figures = told_apart(found[:, mask], members[:, mask], weights)
            about = {"attack": attack, "attribute": attribute, "group": group}
            rows += [{**about, **figure} for figure in figures]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def told_apart(scores: Numbers, members: Mask, weights: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """How well scores tell members from others, over several attacked models.

    Parameters
    ----------
    scores : (n_models, n_people) float64, higher for supposed members
    members : (n_models, n_people) bool
    weights : (replicates, n_people) int64, how often each person is drawn

    Returns
    -------
    list of mappings {metric, value, low, high, n, state} : `AUC` and `TPR`

    Examples
    --------
    >>> scores, members = np.array([[3.0, 2.0, 1.0, 0.0] * 50]), np.array([[True, False, True, False] * 50])
    >>> auc, _ = told_apart(scores, members, np.ones((1, 200), np.int64))
    >>> auc["value"], auc["n"]
    (0.75, 200)
    """
    n, inside = scores.shape[1], members.sum(axis=1)
    outside = n - inside
    enough = {
        AUC: n > 0 and min(inside.min(), outside.min()) >= LEAST_FOR_AUC,
        TPR: n > 0 and outside.min() >= LEAST_FOR_TPR and inside.min() >= LEAST_FOR_AUC,
    }
    if not any(enough.values()):
        return [{"metric": metric, "n": n, "state": "not_estimable"} for metric in enough]
    draws = np.concatenate([np.ones((1, n)), weights]).astype(np.float64)
    made = np.mean([_curve(one, held, draws) for one, held in zip(scores, members, strict=True)], axis=0)
    rows: list[dict[str, Any]] = []
    for metric, drawn in zip((AUC, TPR), made, strict=True):
        if not enough[metric]:
            rows.append({"metric": metric, "n": n, "state": "not_estimable"})
            continue
        low, high = np.quantile(drawn[1:], (0.025, 0.975))
        value, low, high = (float(f"{one:.6g}") for one in (drawn[0], min(low, drawn[0]), max(high, drawn[0])))
        rows.append({"metric": metric, "value": value, "low": low, "high": high, "n": n, "state": "ok"})
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
