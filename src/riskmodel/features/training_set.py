"""The training set: who, when, what was known, what came of it - and the record of how it was made.

A training set is immutable and the same to the byte for the same input, whatever cores or blocks made it. Its
manifest holds every definition, the fingerprint of what it was made from, the counts at each exclusion and how much
is missing in each column; it never holds a person. Made from histories in a store, it is kept there as "training".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cohorts.cohort import Cohort, Eligible, Step, eligible
from riskmodel.cohorts.outcome import Outcome, outcome_of
from riskmodel.dates import Duration, Moments, years
from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused, DeclarationError, Fault, NotFound
from riskmodel.features.build import Progress, filled
from riskmodel.features.declared import checked
from riskmodel.features.feature import Feature, from_document
from riskmodel.features.follow_up import check_as_of, check_horizon
from riskmodel.features.form import GROUP, KEYS, formed, table_of
from riskmodel.features.manifest import CARRIED, DEFINITIONS, definitions_of, manifest_of, versions
from riskmodel.features.on_spark import filled_on_spark
from riskmodel.governance.access import Store
from riskmodel.histories.store import Histories
from riskmodel.tables import combined_fingerprint, fingerprint_document, fingerprint_table

RESULT: Final = "training"
RECORD: Final = "record"
"""The document of a kept training set; "manifest" is the result folder's own."""
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
        made = formed(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False))
        document = {"features": [node.document() for node in features or ()], "given": True}
        return cls(made, tuple(features or ()), horizon=years(1) if horizon is None else horizon, manifest=document)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The feature columns, in order."""
        return tuple(
            name for name in self.table.column_names if name not in KEYS and not name.startswith((GROUP, CARRIED))
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

    def taken(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The features of some rows: (n, n_features) float32, row after row; only these are copied."""
        made = np.empty((len(rows), len(self._columns)), np.float32)
        for number, column in enumerate(self._columns):
            made[:, number] = column[rows]
        return made

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.float32], ...]:
        return tuple(np.asarray(self.table[name].to_numpy(), np.float32) for name in self.feature_names)

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
    engine: str | None = None,
) -> TrainingSet:
    """The training set of a cohort: features from what was known before each as-of date, outcomes from after it.

    Parameters
    ----------
    groups : columns of persons to keep for the audit; they are not features
    carry : features to keep beside the others, not to train on (the score of current practice)
    threads : cores to use; the result is the same for any number
    progress : called with (rows done, rows in all)
    engine : "duckdb" computes in this process; ``local[2]``, ``local[*]``, ``spark://HOST:PORT``, ``yarn`` and
        ``k8s://...`` compute the features on Spark; None is the store's own (see `connect`), else this process. The
        result is the same to the byte

    Raises
    ------
    NotInstalled : Spark is asked for, and pyspark or Java is missing
    NotPermitted : the histories hold records of an agency that the store's purpose does not name
    DeclarationError : features, groups or outcome that these histories cannot answer, all at once
    DataRefused : nobody is eligible, an as-of date lies after the last delivery, or no outcome at all is known yet
    """
    _check(histories, groups, features, carry)
    definitions = definitions_of(histories, cohort, outcome, features, groups, carry)
    store = histories.store
    if store is not None:
        store.must_cover(histories.agencies)
    engine = engine or (store.engine if store is not None else "duckdb")
    kept = store.kept(RESULT, definitions) if store is not None else None
    if kept is not None:
        return stored(kept)
    chosen = eligible(histories, cohort)
    check_as_of(histories, chosen.rows)
    outcomes = outcome_of(histories, outcome, chosen.rows)
    check_horizon(histories, outcome, outcomes)
    every = [*features, *carry]
    columns, _, left_out = completed(
        histories, chosen.rows, every, _earlier(store, definitions), threads=threads, progress=progress, engine=engine
    )
    table = table_of(histories, chosen.rows, outcomes, groups, features, carry, columns)
    manifest = manifest_of(histories, definitions, chosen, table, every, left_out) | {"engine": engine}
    if store is not None:
        with store.writing(RESULT, definitions) as draft:
            draft.write(RESULT, table, order_by=["entity_id", "as_of"])
            draft.write_document(RECORD, manifest)
    return TrainingSet(table, tuple(features), cohort, outcome, outcome.horizon, manifest, chosen.flow)


def with_features(training: TrainingSet, histories: Histories, added: Sequence[Feature]) -> TrainingSet:
    """The training set with more features; only these are computed. To the byte as if made at once.

    Raises
    ------
    DataRefused : the training set was not made from these histories
    """
    if training.manifest.get("histories") != histories.fingerprint:
        raise DataRefused(
            "histories-differ",
            found="histories other than those of the training set",
            expected="the same histories",
            repair="Build the training set again from these histories.",
        )
    features = [*training.features, *added]
    carry = [from_document(document) for document in training.manifest["carried"]]
    _check(histories, training.group_names, features, carry)
    rows = training.table.select(["entity_id", "as_of"])
    columns, _, left_out = completed(histories, rows, [*features, *carry], training)
    groups = training.group_names
    table = table_of(histories, rows, training.table["outcome"], groups, features, carry, columns)
    definitions = {**training.manifest, "features": [feature.document() for feature in features]}
    wanted = {name: definitions[name] for name in DEFINITIONS}
    flow = Eligible(rows, training.flow)
    manifest = manifest_of(histories, wanted, flow, table, [*features, *carry], left_out)
    return TrainingSet(
        table, tuple(features), training.cohort, training.outcome_definition, training.horizon, manifest, training.flow
    )


def completed(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    earlier: TrainingSet | None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    engine: str = "duckdb",
) -> tuple[list[npt.NDArray[np.float32]], tuple[str, ...], dict[str, int]]:
    """The columns of the features, those of an earlier set taken over and the rest computed.

    Returns
    -------
    columns : one (n_rows,) float32 array a feature
    computed : the names of the features that were computed now
    left_out : tie rows beyond the bound, by choice of ties
    """
    found: dict[int, npt.NDArray[np.float32]] = {}
    left_out: dict[str, int] = {}
    if earlier is not None and earlier.table.select(["entity_id", "as_of"]).equals(rows):
        held = _columns_by_document(earlier)
        for number, feature in enumerate(features):
            column = held.get(fingerprint_document(feature.document()))
            if column is not None:
                found[number] = np.asarray(earlier.table[column].to_numpy(), np.float32)
        used = {"_or_".join(events.through) for feature in features for events in feature.selections}
        left_out = {tie: number for tie, number in earlier.manifest["ties_left_out"].items() if tie in used}
    missing = [number for number in range(len(features)) if number not in found]
    if missing:
        chosen = [features[number] for number in missing]
        if engine == "duckdb":
            matrix, more = filled(histories, rows, chosen, threads=threads, progress=progress)
        else:
            matrix, more = filled_on_spark(engine, histories, rows, chosen, progress=progress)
        left_out |= more
        found |= dict(zip(missing, matrix, strict=True))
    return [found[number] for number in range(len(features))], tuple(features[n].name for n in missing), left_out


def _columns_by_document(training: TrainingSet) -> dict[str, str]:
    """Which column holds the feature of a document (by the document's fingerprint)."""
    found = {}
    for part, prefix in (("features", ""), ("carried", CARRIED)):
        for document in training.manifest[part]:
            found[fingerprint_document(document)] = prefix + from_document(document).name
    return found


def _earlier(store: Store | None, definitions: dict[str, Any]) -> TrainingSet | None:
    """The set that the store holds, if it has the same rows and was made by the same versions."""
    if store is None:
        return None
    try:
        made = stored(store.result(RESULT))
    except NotFound:
        return None
    same = all(made.manifest[part] == definitions[part] for part in ("histories", "cohort", "outcome"))
    return made if same and made.manifest["versions"] == versions() else None


def stored(result: Result) -> TrainingSet:
    """The training set in a store's result."""
    manifest = result.document(RECORD)
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
