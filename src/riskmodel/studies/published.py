"""Published figures beside the same figures computed here, from the study's own files, by SQL that anybody can read.

A comparison is declared in the study: what was published, where, and the query that should give it again. The queries
see the study's files as tables and nothing else: no other file, no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from riskmodel.engines.duckdb import connect
from riskmodel.errors import DeclarationError, Fault
from riskmodel.studies.declaration import PublishedTable


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure: as published (None when nobody has) and as computed here, both rounded as published."""

    figure: str
    source: str
    published: float | None
    computed: float
    sql: str

    @property
    def agrees(self) -> bool | None:
        """Whether the two are the same to the published digits; None when there is nothing to agree with."""
        return None if self.published is None else self.published == self.computed

    def document(self) -> dict[str, Any]:
        """The comparison as a JSON-able document."""
        return {
            "figure": self.figure,
            "source": self.source,
            "published": self.published,
            "computed": self.computed,
            "agrees": self.agrees,
            "sql": self.sql,
        }


def comparisons(declared: Sequence[PublishedTable], folder: Path) -> list[Comparison]:
    """Compute every declared figure over the Parquet files of a folder, each a table under its own name.

    Raises
    ------
    DeclarationError : with every query that fails or does not give one number
    """
    connection = connect()
    for path in sorted(folder.glob("*.parquet")):
        connection.register(path.stem, pq.read_table(path))
    connection.execute("SET enable_external_access = false")
    made, faults = [], []
    for figure in declared:
        try:
            rows = connection.sql(figure.sql).fetchall()
            computed = round(float(rows[0][0]), figure.digits)
            made.append(Comparison(figure.figure, figure.source, figure.value, computed, " ".join(figure.sql.split())))
        except Exception as error:  # DuckDB's errors, and whatever a query gives that is no number
            faults.append(
                Fault(f"published, {figure.figure!r}", type(error).__name__, "one number", "Correct its sql.")
            )
    connection.close()
    if faults:
        raise DeclarationError("published-invalid", faults=faults)
    return made
