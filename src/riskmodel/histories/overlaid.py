"""Tables laid over those of other histories: measures of areas, or ties of one's own, beside what was assembled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from riskmodel.histories.store import Histories, Kept
from riskmodel.tables import AREA_VALUES, combined_fingerprint, conform, fingerprint_table, ordered


@dataclass(frozen=True, repr=False, eq=False)
class Overlaid:
    """Tables over those of another result; where both have one, these are read."""

    base: Kept
    tables: Mapping[str, pa.Table]

    @cached_property
    def fingerprint(self) -> str:
        parts = {name: fingerprint_table(table) for name, table in self.tables.items()}
        return combined_fingerprint(parts | {"": self.base.fingerprint})

    @property
    def rows(self) -> Mapping[str, int]:
        return {**self.base.rows, **{name: table.num_rows for name, table in self.tables.items()}}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        if name not in self.tables:
            return self.base.table(name, columns)
        return self.tables[name] if columns is None else self.tables[name].select(columns)

    def document(self, name: str) -> Any:
        return self.base.document(name)


def with_area_values(histories: Histories, values: pa.Table) -> Histories:
    """The same histories, with dated measures of areas beside them.

    Parameters
    ----------
    values : Arrow table of AREA_VALUES: from when each value holds, since when it was known, until when

    Examples
    --------
    >>> from datetime import datetime
    >>> from riskmodel.tables import EVENTS
    >>> row = {"area": "E01", "measure": "imd_decile", "value": 2.0, "source": "mhclg",
    ...        "starts_at": datetime(2019, 9, 26), "known_at": datetime(2019, 9, 26)}
    >>> made = with_area_values(Histories.of(events=EVENTS.empty_table()), pa.Table.from_pylist([row]))
    >>> made.area_values["measure"].to_pylist()
    ['imd_decile']
    """
    made = ordered(conform(values, AREA_VALUES), ["area", "measure", "starts_at", "known_at", "value"])
    return Histories(histories.store, Overlaid(histories.result, {"area_values": made}))
