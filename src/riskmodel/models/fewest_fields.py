"""The smallest set of records that sees as much: which kinds of record a study could do without.

What is asked of partners is a kind of record of an agency, not a column of a matrix. Kinds are put in order by what the
model loses when one is shuffled, the shortest row of them that still sees enough is found, and each of it is tried to
be left out. All of this happens on the earlier folds; whether the choice holds is told from the last fold, which had no
part in it. It is a small set, not for certain the smallest: not every set can be tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskmodel.features.feature import Feature
from riskmodel.models.coalitions import Columns, Judged, Replay, Told
from riskmodel.models.learners import fitted
from riskmodel.models.metrics import Numbers, auroc
from riskmodel.models.splits import Fold
from riskmodel.population.foresight import ENOUGH
from riskmodel.seeds import stream


@dataclass(frozen=True, slots=True)
class Field:
    """Records of one kind, as partners are asked for them.

    Attributes
    ----------
    kinds : tuple of str; empty is every kind
    agencies : tuple of str, that record it; empty for what no event says (dates of birth, addresses)
    columns : tuple of str, the fields of a record that the features read
    features : tuple of str, the features made of it
    """

    kinds: tuple[str, ...]
    agencies: tuple[str, ...]
    columns: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def title(self) -> str:
        """The kind in words."""
        if not self.agencies:
            return " and ".join(self.columns).replace("_", " ")
        return ", ".join(self.kinds).replace("_", " ") or "every record of every kind"


@dataclass(frozen=True, slots=True, repr=False)
class FewestFields:
    """What was kept, and how far it carries.

    Attributes
    ----------
    kept, left_out : tuple of Field, the weightiest first
    confirmed : (both, small only, all only, neither), people harmed in the last fold, by which model saw it coming:
        the small set's or that of all fields
    days_small, days_all : (m,) float64, days before the harm for the same people, NaN for unseen
    """

    kept: tuple[Field, ...]
    left_out: tuple[Field, ...]
    confirmed: tuple[int, int, int, int]
    days_small: Numbers
    days_all: Numbers

    def __repr__(self) -> str:
        return f"FewestFields({len(self.kept)} of {len(self.kept) + len(self.left_out)} kinds of record)"


def fields_of(replay: Replay) -> tuple[Field, ...]:
    """The kinds of record that the study's features read, each with its features."""
    held: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Feature]] = {}
    for feature in replay.training.features:
        agencies = tuple(sorted(replay.sources[feature.name]))
        kinds = tuple(sorted({kind for events in feature.selections for kind in events.kinds})) if agencies else ()
        shared = () if agencies else feature.fields
        held.setdefault((kinds or shared, agencies), []).append(feature)
    return tuple(
        Field(
            kinds if agencies else (),
            agencies,
            tuple(sorted({name for one in features for name in one.fields})),
            tuple(one.name for one in features),
        )
        for (kinds, agencies), features in held.items()
    )


def fewest_fields(replay: Replay, *, told: Told | None = None) -> FewestFields:
    """The smallest set of record kinds found that sees as much as all of them."""
    whole = replay.columns(replay.agencies)
    chosen_on, last = (replay.split[:-1] or replay.split), replay.split[-1]
    judged = replay.judged(chosen_on)
    order = _by_weight(replay, whole, chosen_on)
    goal = ENOUGH * _found(replay, whole, judged, chosen_on)
    kept = _shortest(replay, order, goal, judged, chosen_on, told)
    for field in tuple(reversed(kept)):
        fewer = tuple(one for one in kept if one != field)
        if fewer and _found(replay, _of(replay, fewer), judged, chosen_on) >= goal:
            kept = fewer
    held_back = replay.judged([last])
    small, _ = replay.days(_of(replay, kept), held_back, [last])
    every, _ = replay.days(whole, held_back, [last])
    return FewestFields(kept, tuple(one for one in order if one not in kept), _agreement(small, every), small, every)


def _shortest(
    replay: Replay,
    order: Sequence[Field],
    goal: float,
    judged: Judged,
    folds: Sequence[Fold],
    told: Told | None,
) -> tuple[Field, ...]:
    """The shortest beginning of the row that reaches the goal, found by halving; all of it where none does."""
    least, most = 1, len(order)
    while least < most:
        if told is not None:
            told("fewest kinds of record", len(order) - (most - least), len(order))
        size = (least + most) // 2
        if _found(replay, _of(replay, order[:size]), judged, folds) >= goal:
            most = size
        else:
            least = size + 1
    return tuple(order[:most])


def _found(replay: Replay, seen: Columns, judged: Judged, folds: Sequence[Fold]) -> int:
    days, _ = replay.days(seen, judged, folds)
    return int(np.isfinite(days).sum())


def _of(replay: Replay, fields: Sequence[Field]) -> Columns:
    """What some kinds of record say; whom they say nothing of is not listed."""
    return replay.columns(replay.agencies, features={name for field in fields for name in field.features})


def _by_weight(replay: Replay, whole: Columns, folds: Sequence[Fold]) -> tuple[Field, ...]:
    """Fields by the loss of AUROC when their columns are shuffled together; every-kind records come last.

    The model is taught on the fold's own rows and judged on its labelled test rows (Breiman 2001, grouped).
    """
    fields = fields_of(replay)
    lost = np.zeros(len(fields))
    places = {name: at for at, name in enumerate(whole.names)}
    for fold in folds:
        labelled = replay.labelled
        X = whole.taken(labelled.kept[fold.train])
        made = fitted(replay.learner, X, labelled.outcome[fold.train], whole.names, 1, labelled.people[fold.train])
        test, known = whole.taken(labelled.kept[fold.test]), labelled.outcome[fold.test]
        best = auroc(known, made.predict(test))
        for number, field in enumerate(fields):
            columns = [places[name] for name in field.features]
            mixed = test.copy()
            mixed[:, columns] = mixed[stream(fold.number, "fewest-fields", str(number)).permutation(len(test))][
                :, columns
            ]
            lost[number] += best - auroc(known, made.predict(mixed))
    reads_all = [not field.kinds and bool(field.agencies) for field in fields]
    order = sorted(range(len(fields)), key=lambda at: (reads_all[at], -lost[at], fields[at].features))
    return tuple(fields[at] for at in order)


def _agreement(small: Numbers, every: Numbers) -> tuple[int, int, int, int]:
    one, other = np.isfinite(small), np.isfinite(every)
    return int((one & other).sum()), int((one & ~other).sum()), int((~one & other).sum()), int((~one & ~other).sum())
