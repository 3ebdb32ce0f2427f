"""How good the links are: counts always, and precision and recall, by group, where the truth is known.

A document of counts only. Missed and false links differ between groups - names that are misspelt more often, shared
more often - and what linkage misses, no later audit can see; so the rates are given by group, each with its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query

BINS = 20


def described(links: pa.Table) -> dict[str, Any]:
    """Counts of a table of LINKS: records, people, sizes, and how much each agency shares with others."""
    sizes = query(
        "SELECT n, count(*) AS people FROM (SELECT count(*) AS n FROM t GROUP BY entity_id) GROUP BY n ORDER BY n",
        t=links,
    )
    agencies = query(
        """SELECT agency, count(*) AS records, count(*) FILTER (wide > 1) AS elsewhere
           FROM (SELECT agency, count(DISTINCT agency) OVER (PARTITION BY entity_id) AS wide FROM t)
           GROUP BY agency ORDER BY agency""",
        t=links,
    )
    return {
        "records": links.num_rows,
        "people": len(links.column("entity_id").unique()),
        "people_by_records": {str(n): people for n, people in zip(*_lists(sizes), strict=True)},
        "agencies": {
            agency: {"records": records, "records_also_elsewhere": elsewhere}
            for agency, records, elsewhere in zip(*_lists(agencies), strict=True)
        },
    }


def histogram(probability: np.ndarray) -> list[dict[str, float | int]]:
    """How many compared pairs fall into each twentieth of the match probability (pairs below 0.01 are not kept)."""
    counts, edges = np.histogram(probability, bins=BINS, range=(0.0, 1.0))
    return [
        {"from": round(float(low), 2), "to": round(float(high), 2), "pairs": int(count)}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]


def compared(links: pa.Table, truth: pa.Table, by: Sequence[str] = ()) -> dict[str, Any]:
    """Pairwise precision, recall and F1 of links against the truth.

    Parameters
    ----------
    links : Arrow table of LINKS
    truth : Arrow table with agency, person_key, ``person`` (who it is) and the columns named in `by`
    by : columns of `truth`; a pair counts for a group when one of its two records has it, with half for each record

    Returns
    -------
    dict with "overall" and one entry for each column of `by`; each holds pairs that are true, linked and both, with
    precision, recall and f1 (None where there is nothing to divide)
    """
    columns = ", ".join(f't."{column}"' for column in by)
    joined = query(
        f"""SELECT l.entity_id, t.person{", " if by else ""}{columns} FROM links l
            JOIN truth t ON l.agency = t.agency AND l.person_key = t.person_key""",
        links=links,
        truth=truth,
    )
    counted = query(
        """SELECT *, count(*) OVER (PARTITION BY person) - 1 AS true_pairs,
                  count(*) OVER (PARTITION BY entity_id) - 1 AS linked_pairs,
                  count(*) OVER (PARTITION BY person, entity_id) - 1 AS both_pairs FROM t""",
        t=joined,
    )
    return {"overall": _rates(counted, "'all'")["all"]} | {column: _rates(counted, f'"{column}"') for column in by}


def _rates(counted: pa.Table, group: str) -> dict[str, dict[str, float | int | None]]:
    found = query(
        f"""SELECT coalesce(({group})::VARCHAR, 'unknown') AS group_name, count(*) AS records, sum(true_pairs) / 2 AS t,
                   sum(linked_pairs) / 2 AS k, sum(both_pairs) / 2 AS b FROM t GROUP BY 1 ORDER BY 1""",
        t=counted,
    )
    return {
        row["group_name"]: {
            "records": row["records"],
            "true_pairs": row["t"],
            "linked_pairs": row["k"],
            "both": row["b"],
            "precision": _share(row["b"], row["k"]),
            "recall": _share(row["b"], row["t"]),
            "f1": _share(2 * row["b"], row["k"] + row["t"]),
        }
        for row in found.to_pylist()
    }


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 6) if whole else None


def _lists(table: pa.Table) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]
