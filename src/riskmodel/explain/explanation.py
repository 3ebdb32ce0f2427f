"""What a model leans on, worked out over a sample of the rows of its training set: how large, how steady, how settled.

Held against refits it also counts what a reader would be told: how many reasons hold still, how many people are left
with none, and for how many the refits do not agree whether they would stand on a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.explain.by_group import by_group
from riskmodel.explain.contributions import ERROR_ALLOWED, METHODS, contributions_of, must_add_up, with_margin
from riskmodel.explain.families import FAMILY, FEATURE, Told, added_up, told
from riskmodel.explain.reasons import reasons_of
from riskmodel.explain.shapes import cloud, dependence
from riskmodel.explain.stability import Overlap, overlap
from riskmodel.explain.steady import Steady, counted, held_against, left_without
from riskmodel.explain.summary import Explanation, importance_table, shortened
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.arbitrariness import standings
from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.metrics import Numbers
from riskmodel.models.refits import BAG, Refits, refits_of
from riskmodel.models.risk_model import RiskModel
from riskmodel.seeds import stream

YEAR: Final = "year"
"""The attribute under which the years of the as-of dates are told apart: how reasons drift."""


def explanation(
    model: RiskModel,
    training: TrainingSet,
    *,
    rows: int = 1000,
    group_rows: int = 5000,
    refits: int | Refits = 2,
    seed: int = 0,
) -> Explanation:
    """What the model leans on, over a sample of the rows of its training set.

    Parameters
    ----------
    model, training : the model and the set on which it was fitted
    rows : how many rows are explained, drawn with the seed
    group_rows : how many are explained to tell groups and years apart, and to draw how contributions lie
    refits : Refits, such as those of a footing: reasons are held against them as in advice, and counted; or how many
        models are fitted again, each on 80 % of the people with a seed of its own, only to see whether the top
        reasons stay; below 2 nothing is measured, and the document says so
    seed : int, of the rows and of the models fitted again

    Raises
    ------
    DataRefused : a training set without rows, a kind of model without exact contributions, refits of another model
    """
    if isinstance(refits, Refits):
        refits.must_be_of(model)
    X = _matrix(model, training)
    chosen = np.sort(stream(seed, "explain", "rows").permutation(len(X))[:rows])
    sample = np.ascontiguousarray(X[chosen])
    made, margin = with_margin(model.fitted, sample)
    error = must_add_up(made, margin)
    parts, columns = made[:, :-1], told(model.feature_names, model.features, _recorded_by(training))
    members: Sequence[Fitted] = refits.members if isinstance(refits, Refits) else ()
    if not isinstance(refits, Refits) and refits > 1:
        members = refits_of(model, training, refits, seed)
    others = [contributions_of(one, sample) for one in members]
    overlaps: list[Overlap] = []
    if others:
        overlaps = [
            overlap(level, [added_up(one[:, :-1], columns, level)[1] for one in others], margin)
            for level in (FEATURE, FAMILY)
        ]
    settings: dict[str, Any] = {
        "model": model.fingerprint,
        "training": training.fingerprint,
        "rows": len(sample),
        "of_rows": len(X),
        "seed": seed,
        "kind": model.fitted.kind,
        "method": METHODS.get(model.fitted.kind, "the one thing the model reads"),
        "unit": "log-odds before calibration",
        "base": float(made[0, -1]),
        "largest_error_below": ERROR_ALLOWED if error > 0 else 0.0,
        "refits": len(others),
        "refit_share_of_people": BAG,
        "refit_top": 3,
    }
    if isinstance(refits, Refits):
        own = reasons_of(made, sample, model.feature_names, model.features)
        held = list(held_against(own, sample, model, others))
        settings["steady"] = _steadiness(held, margin)
        settings["without"] = left_without(held, training.people()[chosen], _labels(training, chosen))
        settings["settled"] = _settled(model, training, X, refits)
    return Explanation(
        importance_table(parts, sample.astype(np.float64), columns),
        *_over_people(model, training, X, columns, group_rows, seed),
        tuple(overlaps),
        settings,
    )


def _over_people(
    model: RiskModel, training: TrainingSet, X: Matrix, columns: Sequence[Told], rows: int, seed: int
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """By group and by year of the as-of date, how contributions lie, and how they go with values, over many rows."""
    chosen = np.sort(stream(seed, "explain", "groups").permutation(len(X))[:rows])
    values, people = np.ascontiguousarray(X[chosen]), training.people()[chosen]
    made = contributions_of(model.fitted, values)[:, :-1]
    years = training.table["as_of"].to_numpy()[chosen].astype("datetime64[Y]").astype(str)
    labels = _labels(training, chosen)
    wide = values.astype(np.float64)
    tables = (
        by_group(made, columns, people, labels | {YEAR: years}, seed=seed),
        cloud(made, wide, columns, people),
        dependence(made, wide, columns, people),
    )
    groups, lying, going = (
        pa.Table.from_pylist([shortened(row) for row in found.to_pylist()], schema=found.schema) for found in tables
    )
    return groups, lying, going


def _labels(training: TrainingSet, rows: npt.NDArray[np.intp]) -> dict[str, npt.NDArray[Any]]:
    return {name: np.array(training.group(name).take(rows).to_pylist(), object) for name in training.group_names}


def _steadiness(found: Sequence[Steady], margin: Numbers) -> dict[str, dict[str, float | None]]:
    """How many reasons hold still over all rows, and over the tenth with the highest scores, where they are read."""
    high = np.flatnonzero(margin >= np.quantile(margin, 0.9))
    return {"all": counted(found), "high": counted([found[int(row)] for row in high])}


def _settled(model: RiskModel, training: TrainingSet, X: Matrix, refits: Refits) -> dict[str, dict[str, float]]:
    """For each capacity of the model, how settled the places of a list on the newest date of the training set are."""
    dates = training.table["as_of"].to_numpy()
    newest = np.ascontiguousarray(X[dates == dates.max()])
    chances = np.stack([one.predict(newest) for one in refits.members])
    made = [standings(chances, float(each)) for each in model.declaration.get("capacity", ())]
    return {
        each.capacity: {"people": float(len(newest)), **each.counts()}
        for each in made
        if 1 <= each.places < len(newest)
    }


def _recorded_by(training: TrainingSet) -> dict[str, list[str]]:
    """The agencies behind each column, as the training set was built; none for a table that came without."""
    columns = training.manifest.get("columns", {}) if training.manifest else {}
    return {name: list(column.get("sources", ())) for name, column in columns.items()}


def _matrix(model: RiskModel, training: TrainingSet) -> Matrix:
    columns = [training.table.column(name).cast("float").fill_null(np.nan) for name in model.feature_names]
    X = np.empty((training.table.num_rows, len(columns)), np.float32, order="F")
    for place, column in enumerate(columns):
        X[:, place] = column.to_numpy()
    if not len(X):
        raise DataRefused(
            "nothing-to-explain",
            found="a training set without rows",
            expected="rows to explain",
            repair="Give the training set on which the model was fitted.",
        )
    return X
