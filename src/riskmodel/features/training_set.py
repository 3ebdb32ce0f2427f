"""The training set: who, when, what was known, what came of it - and the record of how it was made.

A training set is immutable and the same to the byte for the same input, whatever cores or blocks made it. Its
manifest holds every definition, the fingerprint of what it was made from, the counts at each exclusion and how much
is missing in each column; it never holds a person. Made from histories in a store, it is kept there as "training".
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel import __version__
from riskmodel.cohorts.cohort import Cohort, Eligible, Step, eligible
from riskmodel.cohorts.outcome import Outcome, outcome_of
from riskmodel.dates import Duration, Moments, years
from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.features.build import Progress, filled
from riskmodel.features.declared import checked
from riskmodel.features.feature import Feature, from_document
from riskmodel.histories.store import Histories
from riskmodel.tables import combined_fingerprint, fingerprint_document, fingerprint_table

RESULT: Final = "training"
GROUP: Final = "group:"
CARRIED: Final = "carried:"
_KEYS: Final = ("entity_id", "as_of", "outcome")
_NOT_FINGERPRINTED: Final = ("versions", "engine")
"""Facts of the manifest that may differ between machines which make the same training set."""


@dataclass(frozen=True, repr=False, eq=False)
class TrainingSet:
    """Rows of people and as-of dates with features, outcome and groups.

    Attributes
    ----------
    table : Arrow: entity_id, as_of, outcome (int8; null is unknown), ``group:...`` (string), features (float32, NaN
        where there is no answer), ``carried:...`` (float32, not features)
    features : the nodes, empty when the set came without definitions
    cohort, outcome_definition : None when the set came without them
    horizon : Duration, from the as-of date until the outcome is judged
    manifest : JSON-able record of how it was made
    flow : people and rows left at each step of the cohort
    """

    table: pa.Table
    features: tuple[Feature, ...] = ()
    cohort: Cohort | None = None
    outcome_definition: Outcome | None = None
    horizon: Duration = field(default_factory=Duration)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    flow: tuple[Step, ...] = ()

    @classmethod
    def of(cls, table: Any, features: Sequence[Feature] | None = None, horizon: Duration | None = None) -> TrainingSet:
        """A training set from an Arrow or pandas table of this form.

        Parameters
        ----------
        table : entity_id, as_of, outcome (1, 0, missing), ``group:...``, ``carried:...``; all others are features
        features : the nodes of the feature columns, when they are known
        horizon : from the as-of date until the outcome is judged; a year when None

        Raises
        ------
        DataRefused : a key column is missing, or an outcome is neither 1 nor 0 nor missing
        """
        made = _formed(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False))
        document = {"features": [node.document() for node in features or ()], "given": True}
        return cls(made, tuple(features or ()), horizon=years(1) if horizon is None else horizon, manifest=document)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The feature columns, in order."""
        return tuple(
            name for name in self.table.column_names if name not in _KEYS and not name.startswith((GROUP, CARRIED))
        )

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups, such as ("sex", "ethnicity")."""
        return tuple(name.removeprefix(GROUP) for name in self.table.column_names if name.startswith(GROUP))

    @property
    def carried_names(self) -> tuple[str, ...]:
        """The columns carried beside the features, such as the score of current practice."""
        return tuple(name.removeprefix(CARRIED) for name in self.table.column_names if name.startswith(CARRIED))

    def matrix(self) -> npt.NDArray[np.float32]:
        """The features: (n_rows, n_features) float32, column after column in memory, NaN where there is no answer."""
        columns = [self.table[name].to_numpy() for name in self.feature_names]
        return np.stack(columns).T if columns else np.empty((self.table.num_rows, 0), np.float32)

    def outcome(self) -> npt.NDArray[np.float64]:
        """The outcome: (n_rows,) float64, 1 yes, 0 no, NaN unknown."""
        return np.asarray(self.table["outcome"].cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)

    def as_of(self) -> Moments:
        """The as-of dates: (n_rows,) datetime64[us]."""
        return np.asarray(self.table["as_of"].to_numpy(), "datetime64[us]")

    def people(self) -> npt.NDArray[np.int64]:
        """The entity of each row: (n_rows,) int64."""
        return np.asarray(self.table["entity_id"].to_numpy(), np.int64)

    def group(self, name: str) -> pa.Array:
        """One group column: (n_rows,) Arrow string, null where unknown."""
        return self.table[GROUP + name].combine_chunks()

    def carried(self, name: str) -> npt.NDArray[np.float32]:
        """One carried column: (n_rows,) float32."""
        return np.asarray(self.table[CARRIED + name].to_numpy(), np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Over the table and the definitions, not over the machine that made them."""
        definitions = {name: part for name, part in self.manifest.items() if name not in _NOT_FINGERPRINTED}
        return combined_fingerprint(
            {"table": fingerprint_table(self.table), "definitions": fingerprint_document(definitions)}
        )

    def __repr__(self) -> str:
        people = pc.count_distinct(self.table["entity_id"]).as_py()
        return f"TrainingSet({self.table.num_rows:,} rows, {people:,} people, {len(self.feature_names)} features)"


def build_training_set(
    histories: Histories,
    cohort: Cohort,
    outcome: Outcome,
    features: Sequence[Feature],
    *,
    groups: Sequence[str] = ("sex", "ethnicity"),
    carry: Sequence[Feature] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> TrainingSet:
    """The training set of a cohort: features from what was known before each as-of date, outcomes from after it.

    Parameters
    ----------
    groups : columns of persons to keep for the audit; they are not features
    carry : features to keep beside the others, not to train on (the score of current practice)
    threads : cores to use; the result is the same for any number
    progress : called with (rows done, rows in all)

    Raises
    ------
    DeclarationError : features, groups or outcome that these histories cannot answer, all at once
    DataRefused : nobody is eligible
    """
    _check(histories, groups, features, carry)
    definitions = _definitions(histories, cohort, outcome, features, groups, carry)
    store = histories.store
    kept = store.kept(RESULT, definitions) if store is not None else None
    if kept is not None:
        return stored(kept)
    chosen = eligible(histories, cohort)
    matrix, left_out = filled(histories, chosen.rows, [*features, *carry], threads=threads, progress=progress)
    table = _table(histories, chosen.rows, outcome_of(histories, outcome, chosen.rows), groups, features, carry, matrix)
    manifest = _manifest(histories, definitions, chosen, table, [*features, *carry], left_out)
    if store is not None:
        with store.writing(RESULT, definitions) as draft:
            draft.write(RESULT, table, order_by=["entity_id", "as_of"])
            draft.write_document("manifest", manifest)
    return TrainingSet(table, tuple(features), cohort, outcome, outcome.horizon, manifest, chosen.flow)


def stored(result: Result) -> TrainingSet:
    """The training set in a store's result."""
    manifest = result.document("manifest")
    outcome = Outcome.from_document(manifest["outcome"])
    return TrainingSet(
        result.table(RESULT),
        tuple(from_document(document) for document in manifest["features"]),
        Cohort.from_document(manifest["cohort"]),
        outcome,
        outcome.horizon,
        manifest,
        tuple(Step(**step) for step in manifest["flow"]),
    )


def _check(histories: Histories, groups: Sequence[str], features: Sequence[Feature], carry: Sequence[Feature]) -> None:
    faults: list[Fault] = []
    allowed = [name for name in histories.persons.column_names if name not in ("entity_id", "known_at", "birth_date")]
    for name in groups:
        if name not in allowed:
            repair = f"Choose from {', '.join(allowed)}."
            faults.append(Fault("groups", repr(name), "a column of persons that holds groups", repair))
    try:
        checked(histories, [*features, *carry])
    except DeclarationError as error:
        faults.extend(error.faults)
    if faults:
        raise DeclarationError("features-invalid", faults=faults)


def _definitions(
    histories: Histories,
    cohort: Cohort,
    outcome: Outcome,
    features: Sequence[Feature],
    groups: Sequence[str],
    carry: Sequence[Feature],
) -> dict[str, Any]:
    return {
        "histories": histories.fingerprint,
        "cohort": cohort.document(),
        "outcome": outcome.document(),
        "features": [feature.document() for feature in features],
        "groups": list(groups),
        "carried": [feature.document() for feature in carry],
    }


def _table(
    histories: Histories,
    rows: pa.Table,
    outcome: pa.Array,
    groups: Sequence[str],
    features: Sequence[Feature],
    carry: Sequence[Feature],
    matrix: npt.NDArray[np.float32],
) -> pa.Table:
    place = pc.index_in(rows["entity_id"], value_set=histories.persons["entity_id"].combine_chunks())
    columns = {
        "entity_id": rows["entity_id"],
        "as_of": rows["as_of"],
        "outcome": outcome,
        **{GROUP + name: histories.persons[name].take(place).cast(pa.string()) for name in groups},
        **{feature.name: pa.array(matrix[number]) for number, feature in enumerate(features)},
        **{CARRIED + one.name: pa.array(matrix[len(features) + number]) for number, one in enumerate(carry)},
    }
    return pa.table(columns, schema=pa.schema([_field(name, column.type) for name, column in columns.items()]))


def _field(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=name == "outcome" or name.startswith(GROUP))


def _manifest(
    histories: Histories,
    definitions: dict[str, Any],
    chosen: Eligible,
    table: pa.Table,
    columns: Sequence[Feature],
    left_out: Mapping[str, int],
) -> dict[str, Any]:
    yes = int(pc.sum(table["outcome"]).as_py() or 0)
    unknown = table["outcome"].null_count
    return {
        **definitions,
        "covered_until": {agency: str(day) for agency, day in sorted(histories.covered_until.items())},
        "flow": [{"name": step.name, "people": step.people, "rows": step.rows} for step in chosen.flow],
        "rows": table.num_rows,
        "outcomes": {"yes": yes, "no": table.num_rows - yes - unknown, "unknown": unknown},
        "columns": {feature.name: _column(histories, feature, table) for feature in columns},
        "ties_left_out": dict(sorted(left_out.items())),
        "notes": _notes(histories, table, columns),
        "engine": "duckdb",
        "versions": {
            "riskmodel": __version__,
            "numpy": np.__version__,
            "pyarrow": pa.__version__,
            "python": platform.python_version(),
        },
    }


def _column(histories: Histories, feature: Feature, table: pa.Table) -> dict[str, Any]:
    name = feature.name if feature.name in table.column_names else CARRIED + feature.name
    missing = float(np.isnan(table[name].to_numpy()).mean()) if table.num_rows else 0.0
    return {
        "says": str(feature.sentence),
        "sources": sources_of(histories, feature),
        "tags": list(feature.tags),
        "needs": list(feature.needs),
        "missing": round(missing, 6),
    }


def sources_of(histories: Histories, feature: Feature) -> list[str]:
    """The agencies whose records a feature rests on in these histories."""
    found = set()
    for events in feature.selections:
        kinds = events.kinds or tuple(histories.kinds)
        recording = {agency for kind in kinds for agency in histories.kinds.get(kind, ())}
        found |= recording & set(events.agencies) if events.agencies else recording
    return sorted(found)


def _notes(histories: Histories, table: pa.Table, columns: Sequence[Feature]) -> list[str]:
    """What a reader should know about the reach of the data, in sentences."""
    notes = []
    as_of = np.asarray(table["as_of"].to_numpy(), "datetime64[us]")
    for agency in sorted({agency for feature in columns for agency in sources_of(histories, feature)}):
        day = histories.covered_until.get(agency)
        late = 0 if day is None else int((as_of > np.datetime64(day, "us")).sum())
        if late:
            notes.append(
                f"{late:,} rows lie after {day}, until when {agency} has delivered: its events are incomplete."
            )
    first = pc.min(histories.events["happened_at"]).as_py()
    if first is None or not len(as_of):
        return notes
    earliest = as_of.min()[None]
    for feature in columns:
        opens = [window.opens.before(earliest)[0] for window in feature.windows if window.opens is not None]
        if any(moment < np.datetime64(first) for moment in opens):
            notes.append(f"{feature.name} looks back beyond the first event ({first:%Y-%m-%d}) in some rows.")
    return notes


def _formed(table: pa.Table) -> pa.Table:
    absent = [name for name in _KEYS if name not in table.column_names]
    if absent:
        raise DataRefused(
            "columns-missing",
            found=f"a table without {', '.join(absent)}",
            expected=f"the columns {', '.join(_KEYS)}",
            repair="Give every row an entity, an as-of date and an outcome (missing where unknown).",
        )
    kinds = {"entity_id": pa.int64(), "as_of": pa.timestamp("us"), "outcome": pa.int8()}
    columns = {}
    for name in table.column_names:
        column = table[name]
        if name == "outcome":
            column = pc.if_else(pc.is_nan(column.cast(pa.float64())), None, column.cast(pa.float64()))
            strange = pc.sum(pc.invert(pc.is_in(column.drop_null(), value_set=pa.array([0.0, 1.0])))).as_py() or 0
            if strange:
                raise DataRefused(
                    "outcome-invalid",
                    found=f"{strange} outcomes that are neither 1 nor 0",
                    expected="1 (yes), 0 (no) or missing (unknown)",
                    repair="Code the outcome as 1, 0 or missing.",
                )
        kind = kinds.get(name) or (pa.string() if name.startswith(GROUP) else pa.float32())
        column = column.cast(kind, safe=False)
        columns[name] = column.fill_null(np.nan) if kind == pa.float32() else column
    return pa.table(columns, schema=pa.schema([_field(name, column.type) for name, column in columns.items()]))
