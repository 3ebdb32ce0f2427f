"""How a training set was made: definitions, inputs, counts at each exclusion, missing rates; no person."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel import __version__
from riskmodel.cohorts.cohort import Cohort, Eligible
from riskmodel.cohorts.outcome import Outcome
from riskmodel.features.declared import sources_of
from riskmodel.features.feature import Feature
from riskmodel.histories.store import Histories

CARRIED: Final = "carried:"
DEFINITIONS: Final = ("histories", "cohort", "outcome", "features", "groups", "carried")
"""The parts of a manifest that decide what a training set holds."""


def definitions_of(
    histories: Histories,
    cohort: Cohort,
    outcome: Outcome,
    features: Sequence[Feature],
    groups: Sequence[str],
    carry: Sequence[Feature],
) -> dict[str, Any]:
    """Everything that decides what a training set holds, as JSON."""
    return {
        "histories": histories.fingerprint,
        "cohort": cohort.document(),
        "outcome": outcome.document(),
        "features": [feature.document() for feature in features],
        "groups": list(groups),
        "carried": [feature.document() for feature in carry],
    }


def manifest_of(
    histories: Histories,
    definitions: dict[str, Any],
    chosen: Eligible,
    table: pa.Table,
    columns: Sequence[Feature],
    left_out: Mapping[str, int],
) -> dict[str, Any]:
    """The record of a training set that was just made."""
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
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions that decide how numbers come out."""
    return {
        "riskmodel": __version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
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
    unknown = table["outcome"].null_count
    if unknown:
        notes.append(f"The outcome of {unknown:,} rows is unknown: their follow-up ends beyond what was delivered.")
    first = pc.min(histories.events["happened_at"]).as_py()
    if first is None or not len(as_of):
        return notes
    earliest = as_of.min()[None]
    for feature in columns:
        opens = [window.opens.before(earliest)[0] for window in feature.windows if window.opens is not None]
        if any(moment < np.datetime64(first) for moment in opens):
            notes.append(f"{feature.name} looks back beyond the first event ({first:%Y-%m-%d}) in some rows.")
    return notes
