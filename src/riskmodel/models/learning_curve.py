"""Would more data help? The same procedure taught on fewer people, or on a shorter past, and judged on the same rows.

The rows that judge are those of the last fold, in every point of the curve. People are added in one random order, so
that a larger part holds the smaller one. A curve that is still rising says that more people are worth having; one
that is flat says that they are not, and that other fields might be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.dates import Duration
from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.evaluation import FIGURES
from riskmodel.models.judging import judge, places
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Learner, fitted
from riskmodel.models.splits import ForwardFolds, Rows
from riskmodel.models.uncertainty import Resampling
from riskmodel.seeds import stream

SCHEMA = pa.schema(
    [
        pa.field("varied", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("people", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("taught_positives", pa.int64(), nullable=False),
        *[field for field in FIGURES if field.name not in ("model", "fold")],
    ]
)


@dataclass(frozen=True, slots=True)
class _Part:
    varied: str
    name: str
    rows: Rows


def learning_curve(
    training: TrainingSet,
    learner: Learner,
    folds: ForwardFolds = ForwardFolds(4),  # noqa: B008 - frozen settings, safe to share
    *,
    people: Sequence[float] = (0.1, 0.2, 0.4, 0.7, 1.0),
    history: Sequence[Duration] = (),
    capacity: Sequence[float] = (0.05,),
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen settings, safe to share
) -> pa.Table:
    """Figures on the last fold by how much the learner was taught.

    Parameters
    ----------
    training : TrainingSet
    learner : frozen settings; taught without calibration, which has a need for people of its own
    folds : the last test period judges every point
    people : shares of the people who may teach, above 0 and at most 1
    history : how far before the test period the rows that teach may lie, such as ``(years(1), years(2))``
    capacity : shares of the rows, or places
    resampling : draws of people for the intervals; its seed orders the people

    Returns
    -------
    Arrow, rows {varied ("people" or "history"), part, people, rows, taught_positives, metric, value, low, high, n,
    positives, state}; a part that holds outcomes of one kind only is left out

    Raises
    ------
    DataRefused : no part can teach
    """
    labelled = Labelled.of(training)
    last = folds.split(labelled.as_of, labelled.people, training.horizon)[-1]
    names, X = labelled.inputs(learner)
    outcome, who = labelled.outcome[last.test], labelled.people[last.test]
    on_list = places(capacity, len(last.test))
    made: list[dict[str, object]] = []
    for part in _parts(labelled, last.train, last.test_from, people, history, resampling.seed):
        if len(np.unique(labelled.outcome[part.rows])) < 2:
            continue
        taught = fitted(learner, X[part.rows], labelled.outcome[part.rows], names, 0, labelled.people[part.rows])
        found = judge(outcome, {part.name: taught.predict(X[last.test])}, who, on_list, resampling, "learning")
        first = {
            "varied": part.varied,
            "part": part.name,
            "people": len(np.unique(labelled.people[part.rows])),
            "rows": len(part.rows),
            "taught_positives": int(labelled.outcome[part.rows].sum()),
        }
        made += [figure.row(**first) for figure in found.figures[part.name]]
    if not made:
        raise DataRefused(
            "nothing-teaches",
            found=f"{len(last.train)} rows that may teach, in no part with both outcomes",
            expected="parts with and without the outcome",
            repair="Ask for larger parts or a longer history.",
        )
    return pa.Table.from_pylist(made, schema=SCHEMA)


def _parts(
    labelled: Labelled,
    train: Rows,
    test_from: np.datetime64,
    shares: Sequence[float],
    history: Sequence[Duration],
    seed: int,
) -> Iterator[_Part]:
    known, person = np.unique(labelled.people[train], return_inverse=True)
    rank = stream(seed, "learning-curve").permutation(len(known))[person]
    for share in shares:
        yield _Part("people", f"{100 * share:g}%", train[rank < round(share * len(known))])
    for length in history:
        recent = length.after(labelled.as_of[train]) >= test_from
        yield _Part("history", str(length), train[recent])
