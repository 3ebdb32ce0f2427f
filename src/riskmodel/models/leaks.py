"""Leaks that one table cannot show: values filled in afterwards, records without a time of their own, people twice.

A training set that was built from histories saw only what was known on the day. What would an extract have seen that
looks back from today? Where the answer differs, and differs more for those to whom the outcome happened, somebody
fills in records afterwards: a feature made without `known_at` would know the future.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.features.training_set import TrainingSet, completed
from riskmodel.histories.store import Histories
from riskmodel.models.checking import Answer, Check
from riskmodel.models.fitted import Matrix
from riskmodel.models.labelled import Labelled
from riskmodel.models.metrics import Numbers, auroc_either_way
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.uncertainty import rate_interval
from riskmodel.seeds import stream

GAIN: Final = 0.02
"""An AUROC that a feature gains by looking back from today, from which it wants a look."""
AT_ONCE: Final = 0.98
"""With at least this share of an agency's records known at the very moment they happened, nobody stamps them."""
ALIKE_AT_MOST: Final = 0.01
TELLING: Final = 8
"""Two rows of so many values that are neither missing nor 0, all equal, are hardly two people."""
SAMPLE: Final = 5000


def no_feature_is_filled_in_later(training: TrainingSet, histories: Histories, seed: int = 0) -> Check:
    """Whether a feature would tell more about the outcome if it were made from today's records.

    The features of a sample of the rows are computed once more as if every record had been known when it happened and
    only its last version had ever been written; their AUROC is set beside that of the features as known on the day.
    """
    name = "filled-in-later"
    question = "Would a feature tell more of the outcome if it were made from what is known today?"
    if not training.features:
        return Check(name, question, "not_applicable", "The set came without the definitions of its features.")
    rows = _sample(training, seed)
    outcome = rows.outcome()
    if len(np.unique(outcome)) < 2:
        return Check(name, question, "not_applicable", "The sampled rows have one outcome only.")
    keys = rows.table.select(["entity_id", "as_of"])
    columns, _, _ = completed(_in_hindsight(histories), keys, training.features, None)
    gains = [
        (_either_way(outcome, later) - _either_way(outcome, rows.table[feature.name].to_numpy()), feature.name)
        for feature, later in zip(training.features, columns, strict=True)
    ]
    gain, best = max((pair for pair in gains if np.isfinite(pair[0])), default=(0.0, "none"))
    filled = [f"{feature} ({more:+.3f})" for more, feature in sorted(gains, reverse=True) if more >= GAIN]
    said = f"Most gained: {best}, AUROC {gain:+.3f}, over {len(outcome)} rows."
    if filled:
        said = f"An extract without times would leak through {'; '.join(filled[:5])}. As built here, it does not."
    return Check(name, question, "review" if filled else "pass", said)


def records_have_their_own_time(histories: Histories) -> Check:
    """Whether every agency says when it knew, apart from when it happened."""
    question = "Do all agencies say when they knew of something, apart from when it happened?"
    events = histories.events
    same = pc.equal(events["happened_at"], events["known_at"])
    counted = pa.table({"agency": events["agency"], "same": same.cast(pa.float64())})
    shares = counted.group_by("agency").aggregate([("same", "mean"), ("same", "count")]).to_pylist()
    unstamped = sorted(row["agency"] for row in shares if row["same_mean"] >= AT_ONCE)
    said = f"{len(shares) - len(unstamped)} of {len(shares)} agencies do."
    if unstamped:
        said += f" Known as soon as it happened: {', '.join(unstamped)}; what they fill in later cannot be seen here."
    return Check("own-time", question, "review" if unstamped else "pass", said)


def no_person_twice_across_folds(model: RiskModel, training: TrainingSet) -> Check:
    """Whether judged rows are copies of rows of other people that taught: one person under two numbers."""
    name, question = "person-twice", "Are the rows that judge free of copies of rows that taught, under another number?"
    labelled = Labelled.of(training)
    folds = model.evaluation.predictions
    if not folds.num_rows or not len(labelled.X):
        return Check(name, question, "not_applicable", "The judged rows are not at hand.")
    telling = _telling(labelled.X)
    fold = _fold_of(labelled, folds)
    group = np.unique(np.ascontiguousarray(labelled.X[telling]), axis=0, return_inverse=True)[1].ravel()
    people, fold = labelled.people[telling], fold[telling]
    judged = fold >= 0
    n = int(judged.sum())
    if not n:
        return Check(name, question, "not_applicable", f"No judged row has {TELLING} values to compare.")
    alike = np.zeros(len(group), bool)
    forward = model.declaration["folds"]["kind"] == "forward"
    for number in np.unique(fold[judged]):
        # Rows that were never judged teach every fold; going forward, earlier folds teach later ones, else all others.
        teaches = (fold < number) if forward else (fold != number)
        here = fold == number
        first = np.full(group.max() + 1, -1, np.int64)
        first[group[teaches]] = people[teaches]
        alike[here] = (first[group[here]] >= 0) & (first[group[here]] != people[here])
    low, _ = rate_interval(alike.astype(np.float64)[judged], people[judged])
    said = f"{int(alike.sum())} of {n} judged rows with at least {TELLING} values equal a row of another number."
    answer: Answer = "fail" if low > 0.1 else "review" if low > ALIKE_AT_MOST else "pass"
    return Check(name, question, answer, said)


def _sample(training: TrainingSet, seed: int) -> TrainingSet:
    """Rows with a known outcome, at most `SAMPLE`: as many with the outcome as there are, up to half."""
    outcome = training.outcome()
    order = stream(seed, "filled-in-later").permutation(len(outcome))
    yes, no = order[outcome[order] == 1], order[outcome[order] == 0]
    chosen = np.sort(np.concatenate([yes[: SAMPLE // 2], no[: SAMPLE - min(len(yes), SAMPLE // 2)]]))
    return TrainingSet.of(training.table.take(chosen), training.features, training.horizon)


def _in_hindsight(histories: Histories) -> Histories:
    """The histories as an extract of today has them: last versions only, each known when it happened."""
    events = histories.events.filter(pc.is_null(histories.events["known_until"]))
    place = events.column_names.index("known_at")
    known = pc.min_element_wise(events["known_at"], events["happened_at"]).cast(events["known_at"].type)
    return Histories.of(
        events=events.set_column(place, events.field(place), known),
        persons=histories.persons,
        residences=histories.residences,
        relations=histories.relations,
        covered_until=histories.covered_until,
    )


def _either_way(outcome: Numbers, values: npt.NDArray[np.float32]) -> float:
    """AUROC of a feature, whichever way it points; what is missing counts as one more lowest value."""
    return auroc_either_way(outcome, np.nan_to_num(values.astype(np.float64), nan=-1e30))


def _telling(X: Matrix) -> npt.NDArray[np.int64]:
    return np.flatnonzero(((X != 0) & ~np.isnan(X)).sum(axis=1) >= TELLING)


def _fold_of(labelled: Labelled, judged: pa.Table) -> npt.NDArray[np.int64]:
    """The fold that judged each row, -1 for rows that only taught: (n,) int64."""
    keys = np.stack([labelled.people, labelled.as_of.astype(np.int64)], axis=1)
    dates = judged["as_of"].to_numpy().astype("datetime64[us]").astype(np.int64)
    wanted = np.stack([judged["entity_id"].to_numpy(), dates], axis=1)
    together = np.unique(np.concatenate([keys, wanted]), axis=0, return_inverse=True)[1].ravel()
    by_key = np.full(together.max() + 1, -1, np.int64)
    by_key[together[len(keys) :]] = judged["fold"].to_numpy()
    return by_key[together[: len(keys)]]
