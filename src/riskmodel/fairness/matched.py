"""Which row of a training set a prediction belongs to, by person and as-of date."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet


def matched_rows(predictions: pa.Table, training: TrainingSet) -> npt.NDArray[np.int64]:
    """The row of the training set behind each prediction.

    Raises
    ------
    DataRefused : predictions for rows that the training set does not hold
    """
    own_person, own_date = np.asarray(training.people(), np.int64), training.as_of().astype("datetime64[us]")
    person = np.asarray(predictions.column("entity_id"), np.int64)
    date = np.asarray(predictions.column("as_of")).astype("datetime64[us]")
    people, dates = np.unique(own_person), np.unique(own_date)
    own_key = np.searchsorted(people, own_person) * len(dates) + np.searchsorted(dates, own_date)
    at_person = np.minimum(np.searchsorted(people, person), len(people) - 1)
    at_date = np.minimum(np.searchsorted(dates, date), len(dates) - 1)
    key = at_person * len(dates) + at_date
    order = np.argsort(own_key, kind="stable")
    position = np.minimum(np.searchsorted(own_key[order], key), len(order) - 1)
    rows = order[position]
    found = (own_person[rows] == person) & (own_date[rows] == date)
    if not found.all():
        raise DataRefused(
            "audit-rows-missing",
            found=f"{int((~found).sum())} predictions for rows that the training set does not hold",
            expected="the training set on which the model was fitted",
            repair="Give the model's own training set.",
        )
    return np.asarray(rows, np.int64)
