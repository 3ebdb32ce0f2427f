"""A study replayed for coalitions of agencies: whom its model would have pointed to from their records alone, and when.

People, dates, outcomes, learner and folds are those of the study; only the records differ, and the learner is taught
again in every fold on what the coalition could see. Dates of birth, addresses and ties between people stay as all
agencies know them, and the outcome teaches everybody: one agency alone looks better than it was, so that the gain from
pooling is not overstated. Somebody of whom a coalition's records say nothing has no place on its list.

Nothing here scores anybody for today: a replay looks back, and gives places on past lists, never probabilities.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import Moments
from riskmodel.errors import DeclarationError
from riskmodel.features.build import feature_matrix
from riskmodel.features.declared import sources_of
from riskmodel.features.feature import Feature
from riskmodel.features.language import seen_by
from riskmodel.features.training_set import TrainingSet
from riskmodel.histories.store import Histories
from riskmodel.models.labelled import Labelled
from riskmodel.models.lead_time import days_before, first_events, on_the_list
from riskmodel.models.learners import Learner, fitted
from riskmodel.models.metrics import Numbers
from riskmodel.models.splits import Fold, ForwardFolds, Rows
from riskmodel.models.tuning import Tuned
from riskmodel.population.foresight import Foreseen, coalitions, nested

MOST_AGENCIES = 4
"""With more, not every coalition is taught."""
_UNSEEN = -1.0

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, repr=False)
class Columns:
    """What a coalition sees: (n_rows,) float32 columns by name, and the rows on which they say anything of the person.

    Attributes
    ----------
    names : tuple of str
    values : list of (n_rows,) float32, in the order of the names
    says : (n_rows,) bool
    """

    names: tuple[str, ...]
    values: list[npt.NDArray[np.float32]]
    says: npt.NDArray[np.bool_]

    def taken(self, rows: Rows) -> npt.NDArray[np.float32]:
        """(n, n_columns) float32 of some rows."""
        return np.column_stack([column[rows] for column in self.values])


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """The rows that a list is made of, and the people who came to harm while it was kept.

    Attributes
    ----------
    rows : (n,) int64, rows of the training set
    who, when : (m,) people harmed, ascending, and when first
    """

    rows: Rows
    who: npt.NDArray[np.int64]
    when: Moments


@dataclass(frozen=True, repr=False, eq=False)
class Replay:
    """A study that can be taught again from the records of some agencies.

    Attributes
    ----------
    histories, training : the study's
    learner : its settings
    outcome : Outcome
    capacity : places on the list of each as-of date: a share of its rows (below 1) or a number (from 1)
    labelled : the rows that teach
    split : tuple of Fold, forward in time
    sources : mapping of a feature's name to the agencies whose records it reads
    """

    histories: Histories
    training: TrainingSet
    learner: Learner
    outcome: Outcome
    capacity: float
    labelled: Labelled
    split: tuple[Fold, ...]
    sources: Mapping[str, frozenset[str]]
    _partial: dict[tuple[str, tuple[str, ...]], npt.NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        histories: Histories,
        training: TrainingSet,
        learner: Learner | Tuned,
        folds: ForwardFolds,
        *,
        capacity: float,
    ) -> Replay:
        """The replay of a study.

        Parameters
        ----------
        learner : for `Tuned`, the settings it starts from (they are not searched for again)

        Raises
        ------
        DeclarationError : a learner that reads a column of its own, or a training set without definitions
        """
        settings = learner.learner if isinstance(learner, Tuned) else learner
        if settings.inputs is not None or training.outcome_definition is None or not training.features:
            raise DeclarationError.of(
                "replay-without-features",
                where="replay",
                found=f"{settings.kind} on {len(training.features)} defined features",
                expected="a learner that reads features, and a training set built from histories",
                repair="Replay the study's own model on the training set that build_training_set made.",
            )
        labelled = Labelled.of(training)
        split = folds.split(labelled.as_of, labelled.people, training.horizon)
        sources = {one.name: frozenset(sources_of(histories, one)) for one in training.features}
        return cls(histories, training, settings, training.outcome_definition, capacity, labelled, split, sources)

    @property
    def agencies(self) -> tuple[str, ...]:
        """The agencies whose records the features read."""
        return tuple(sorted(set().union(*self.sources.values())))

    def judged(self, folds: Sequence[Fold] | None = None) -> Judged:
        """The rows of some folds, until the next fold begins, and the first harm of their people from then on."""
        chosen = self.split if folds is None else folds
        rows = np.concatenate([self.scored(fold) for fold in chosen])
        people, as_of = self.training.people()[rows], self.training.as_of()[rows]
        events = self._outcome_events()
        ends = self.outcome.within.after(as_of.max()[None])[0]
        who, when = first_events(events.filter(pc.less(events["happened_at"], pa.scalar(ends))), people, as_of)
        return Judged(rows, who, when)

    def scored(self, fold: Fold) -> Rows:
        """The rows that the fold's model gives a place to: from its test period on until the next model is taught."""
        as_of = self.training.as_of()
        later = [other.test_from for other in self.split if other.test_from > fold.test_from]
        inside = as_of >= fold.test_from
        return np.flatnonzero(inside & (as_of < min(later)) if later else inside)

    def columns(self, coalition: Collection[str], *, features: Collection[str] | None = None) -> Columns:
        """What the coalition sees of every row; with `features`, only these are looked at."""
        names, values = [], []
        says = np.zeros(self.training.table.num_rows, dtype=bool)
        for feature in self.training.features:
            wanted = features is None or feature.name in features
            column = self._seen(feature, frozenset(coalition)) if wanted else None
            if column is None:
                continue
            names.append(feature.name)
            values.append(column)
            if self.sources[feature.name] and feature.sentence.about != "about_place":
                says |= np.nan_to_num(column) != 0
        return Columns(tuple(names), values, says)

    def places(
        self, seen: Columns, folds: Sequence[Fold] | None = None, *, without: int | None = None
    ) -> dict[int, npt.NDArray[np.bool_]]:
        """For each fold by number: which of its scored rows have a place on the list of their date.

        Parameters
        ----------
        seen : Columns
        without : a person who teaches nothing (the one whose case is looked back on)
        """
        return {fold.number: self._places(seen, fold, without) for fold in (self.split if folds is None else folds)}

    def foreseen(self, coalition: Collection[str], judged: Judged) -> Foreseen:
        """How many days before the harm the coalition's list would first have held each person harmed."""
        days, listed = self.days(self.columns(coalition), judged)
        return Foreseen(tuple(sorted(coalition)), days, listed)

    def days(
        self, seen: Columns, judged: Judged, folds: Sequence[Fold] | None = None
    ) -> tuple[Numbers, npt.NDArray[np.int64]]:
        """(m,) days from the first place inside the horizon to the harm, NaN for none; and the people ever listed."""
        chosen = self.split if folds is None else folds
        made = self.places(seen, chosen)
        listed = np.concatenate([self.scored(fold)[made[fold.number]] for fold in chosen])
        people, as_of = self.training.people()[listed], self.training.as_of()[listed]
        within = float(self.outcome.within.nominal_days)
        return days_before(judged.who, judged.when, people, as_of, within), np.unique(people)

    def _places(self, seen: Columns, fold: Fold, without: int | None) -> npt.NDArray[np.bool_]:
        scored = self.scored(fold)
        says = seen.says[scored]
        p = np.full(len(scored), _UNSEEN)
        teach = fold.train if without is None else fold.train[self.labelled.people[fold.train] != without]
        if seen.names and says.any():
            X, known = seen.taken(self.labelled.kept[teach]), self.labelled.outcome[teach]
            made = fitted(self.learner, X, known, seen.names, 1, self.labelled.people[teach])
            p[says] = made.predict(seen.taken(scored[says]))
        return np.asarray(on_the_list(p, self.training.as_of()[scored], self.capacity) & says)

    def _seen(self, feature: Feature, coalition: frozenset[str]) -> npt.NDArray[np.float32] | None:
        """The feature from the coalition's records; None where it has none of those it reads."""
        sources = self.sources[feature.name]
        held = tuple(sorted(sources & coalition))
        if sources and not held:
            return None
        if len(held) == len(sources):
            return np.asarray(self.training.table[feature.name].to_numpy(), np.float32)
        key = (feature.name, held)
        if key not in self._partial:
            rows = self.training.table.select(["entity_id", "as_of"])
            made = feature_matrix(self.histories, rows, [seen_by(feature, *held)])
            self._partial[key] = np.asarray(made.column(0).to_numpy(), np.float32)
        return self._partial[key]

    def _outcome_events(self) -> pa.Table:
        events = self.histories.events
        asked = {"kind": self.outcome.kind, "role": self.outcome.role, "agency": self.outcome.agency}
        chosen = pc.is_valid(events["entity_id"])
        for name, word in asked.items():
            if word is not None:
                chosen = pc.and_(chosen, pc.fill_null(pc.equal(events[name], word), False))
        return events.filter(chosen).select(["entity_id", "happened_at"])

    def __repr__(self) -> str:
        return f"Replay({len(self.agencies)} agencies, {len(self.split)} folds)"


def replayed(replay: Replay, *, told: Told | None = None) -> tuple[list[Foreseen], str]:
    """The study's model taught again for one agency, coalitions, and all together.

    With more than four agencies: one, all but one, all, and nested ones between.

    Returns
    -------
    list of Foreseen, over the same people harmed; and the judged time in words
    """
    names = replay.agencies
    judged = replay.judged()
    asked = coalitions(names, MOST_AGENCIES)
    if len(names) > MOST_AGENCIES:
        asked = [chosen for chosen in asked if len(chosen) in (1, len(names) - 1, len(names))]
    made: list[Foreseen] = []
    more = len(names) - 3 if len(names) > MOST_AGENCIES else 0
    for coalition in asked:
        _tell(told, coalition, len(made), len(asked) + more)
        made.append(replay.foreseen(coalition, judged))
    for coalition in nested(made, names) if more else []:
        _tell(told, coalition, len(made), len(asked) + more)
        made.append(replay.foreseen(coalition, judged))
    return made, _period(replay.training.as_of()[judged.rows])


def _tell(told: Told | None, coalition: Sequence[str], done: int, total: int) -> None:
    if told is not None:
        told(" + ".join(coalition) if len(coalition) < 3 else f"{len(coalition)} agencies", done, total)


def _period(as_of: Moments) -> str:
    return f"lists from {_day(as_of.min()):%B %Y} to {_day(as_of.max()):%B %Y}"


@dataclass(frozen=True, slots=True)
class FirstPlace:
    """When a coalition's lists would first have held one person.

    Attributes
    ----------
    day : date of the first list with a place, or None
    lists : int, lists on which the person could have stood
    known : int, those at which the coalition's records said anything of the person
    first, last : dates of these lists, or None
    """

    day: dt.date | None
    lists: int
    known: int
    first: dt.date | None
    last: dt.date | None

    @property
    def words(self) -> str:
        """Over how many lists that is said."""
        if self.first is None or self.last is None:
            return "never asked"
        return f"{self.lists} lists from {self.first:%-d %B %Y} to {self.last:%-d %B %Y}"


def first_place(replay: Replay, coalition: Collection[str], entity: int) -> FirstPlace:
    """When the coalition's list would first have held a person, by models that were taught nothing of them.

    Only places on lists are told, never a probability: it is for looking back on a case, not for scoring one.
    """
    people, as_of = replay.training.people(), replay.training.as_of()
    asked = [fold for fold in replay.split if (people[replay.scored(fold)] == entity).any()]
    seen = replay.columns(coalition)
    rows = np.concatenate([replay.scored(fold) for fold in asked]) if asked else np.empty(0, np.int64)
    own = rows[people[rows] == entity]
    days = sorted(_day(moment) for moment in as_of[own])
    known = int(seen.says[own].sum())
    if not known:
        return FirstPlace(None, len(days), 0, *((days[0], days[-1]) if days else (None, None)))
    made = replay.places(seen, asked, without=entity)
    listed = np.concatenate([made[fold.number] for fold in asked])
    with_place = as_of[rows[listed & (people[rows] == entity)]]
    first = _day(with_place.min()) if len(with_place) else None
    return FirstPlace(first, len(days), known, days[0], days[-1])


def _day(moment: np.datetime64) -> dt.date:
    day: dt.date = moment.astype("datetime64[D]").astype(dt.date)
    return day
