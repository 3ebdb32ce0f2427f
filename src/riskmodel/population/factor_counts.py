"""How many residents have which factor, which together, and what came after.

What came after people with a factor is set beside those without it; that is an association in records, never a cause,
and nothing about any one person. Factors of the past are those that could be seen on that day, by the one time rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import pyarrow as pa

from riskmodel.dates import moments
from riskmodel.governance.disclosure import Total
from riskmodel.histories.visibility import visible_sql
from riskmodel.population.cube import ALL
from riskmodel.population.factors import Factor, NamedCohort
from riskmodel.population.harm import Harm, harms_sql
from riskmodel.population.periods import age_at_sql, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading

FACTORS, TOGETHER, NUMBERS, AFTER, AFTER_NUMBERS, COHORTS = (
    "factors",
    "factors_together",
    "number_of_factors",
    "what_came_after",
    "what_came_after_combinations",
    "cohorts",
)


def keep_flags(reading: Reading, name: str, factors: Sequence[Factor], at: dt.datetime) -> None:
    """Who lives in the area at a moment and has which factor then, as the engine's table `name`.

    Parameters
    ----------
    at : not after the reading's own moment; only what was known then counts, addresses too
    """
    moment = f"TIMESTAMP '{at.isoformat(sep=' ')}'"
    flags = [f"{factor.sql(at)} AS {factor.name}" for factor in factors]
    kinds = sorted({kind for factor in factors for kind in factor.kinds})
    picked = ", ".join(text_sql(kind) for kind in kinds) or "''"
    first = min((factor.within.before(moments([at]))[0] for factor in factors), default=moments([at])[0])
    held = "".join(f", coalesce(f.{one.name}, {str(one.absent).lower()}) AS {one.name}" for one in factors)
    reading.keep(
        name,
        f"""WITH living AS (
                SELECT entity_id, area FROM kept_residences WHERE {visible_sql(moment, begins="starts_at")}
                    AND (ends_at IS NULL OR ends_at > {moment})
                QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY starts_at DESC, place_id) = 1
            ), flagged AS (
                SELECT entity_id{"".join(f", {flag}" for flag in flags)}
                FROM kept_events WHERE {visible_sql(moment)} AND kind IN ({picked})
                    AND happened_at >= TIMESTAMP '{first}' GROUP BY entity_id
            )
            SELECT l.entity_id, l.area, p.sex, p.ethnicity,
                   {age_at_sql(moment)} AS age
                   {held}
            FROM living l JOIN persons p USING (entity_id) LEFT JOIN flagged f USING (entity_id)""",
    )


def measure_factors(
    publication: Publication,
    reading: Reading,
    factors: Sequence[Factor],
    cohorts: Sequence[NamedCohort],
    harms: Sequence[Harm],
    *,
    aged: tuple[int, int],
    settle_days: int,
) -> dt.date:
    """Count factors, their combinations and the cohorts among residents of an age; and what came after a year ago.

    Returns
    -------
    date : the day a year before, at which "what came after" was asked
    """
    keep_flags(reading, "flags", factors, reading.as_of)
    inside = f"age BETWEEN {int(aged[0])} AND {int(aged[1])}"
    _leave_factors(publication, reading, factors, inside)
    _leave_numbers(publication, reading, factors, inside)
    if cohorts:
        _leave_cohorts(publication, reading, factors, cohorts)
    asked = reading.as_of - dt.timedelta(days=365 + settle_days)
    keep_flags(reading, "flags_before", factors, asked)
    _keep_harmed_after(reading, harms, asked)
    _leave_after(publication, reading, factors, inside)
    _leave_after_numbers(publication, reading, factors, inside)
    return asked.date()


def _leave_factors(publication: Publication, reading: Reading, factors: Sequence[Factor], inside: str) -> None:
    rows = []
    row = reading.query(
        f"SELECT count(*) AS everybody{''.join(f', count(*) FILTER (WHERE {f.name}) AS {f.name}' for f in factors)} "
        f"FROM flags WHERE {inside}"
    ).to_pylist()[0]
    for factor in factors:
        with_it = row[factor.name]
        rows.append(
            {
                "factor": factor.name,
                "people": row["everybody"],
                "with_it": with_it,
                "without_it": row["everybody"] - with_it,
            }
        )
    publication.leave(
        FACTORS,
        "Residents with each factor",
        pa.Table.from_pylist(rows),
        keys=("factor",),
        counts=("people", "with_it", "without_it"),
        within_counts={"people": ["with_it", "without_it"]},
    )
    pairs = list(combinations([factor.name for factor in factors if factor.direction == "risk"], 2))
    if not pairs:
        return
    found = reading.query(
        "SELECT "
        + ", ".join(f"count(*) FILTER (WHERE {one} AND {other}) AS c{at}" for at, (one, other) in enumerate(pairs))
        + f" FROM flags WHERE {inside}"
    ).to_pylist()[0]
    table = pa.Table.from_pylist(
        [{"factor": one, "other": other, "people": found[f"c{at}"]} for at, (one, other) in enumerate(pairs)]
    )
    publication.leave(
        TOGETHER, "Residents with both of two risk factors", table, keys=("factor", "other"), counts=("people",)
    )


def _leave_numbers(publication: Publication, reading: Reading, factors: Sequence[Factor], inside: str) -> None:
    combined = _combined_sql(factors, 4)
    table = reading.query(
        f"""SELECT {_LABELS}, count(*) AS people FROM (SELECT {combined} FROM flags WHERE {inside})
            GROUP BY GROUPING SETS ((n, g), (n), (g), ()) ORDER BY ALL"""
    )
    publication.leave(
        NUMBERS,
        "Residents by number of risk factors, with and without a protective one",
        table,
        keys=("risk_factors", "protective"),
        counts=("people",),
        totals=_COMBINED,
    )


_COMBINED: Final = (Total("risk_factors", ALL, ("protective",)), Total("protective", ALL, ("risk_factors",)))
_LABELS: Final = f"""CASE WHEN grouping(n) = 1 THEN '{ALL}' ELSE n END AS risk_factors,
    CASE WHEN grouping(g) = 1 THEN '{ALL}' ELSE g END AS protective"""


def _combined_sql(factors: Sequence[Factor], most: int) -> str:
    """How many risk factors somebody has, from `most` on as one, and whether a protective one, as n and g."""
    risks = " + ".join(f"{factor.name}::INT" for factor in factors if factor.direction == "risk") or "0"
    guards = " OR ".join(factor.name for factor in factors if factor.direction == "protective") or "false"
    return (
        f"CASE WHEN {risks} >= {most} THEN '{most} or more' ELSE ({risks})::VARCHAR END AS n, "
        f"CASE WHEN {guards} THEN 'at least one' ELSE 'none' END AS g"
    )


def _leave_cohorts(
    publication: Publication, reading: Reading, factors: Sequence[Factor], cohorts: Sequence[NamedCohort]
) -> None:
    rows = []
    for cohort in cohorts:
        found = reading.query(
            f"""SELECT count(*) FILTER (WHERE age BETWEEN {cohort.aged[0]} AND {cohort.aged[1]}) AS of_age,
                       count(*) FILTER (WHERE {cohort.sql(factors)}) AS people FROM flags"""
        ).to_pylist()[0]
        rows.append(
            {
                "cohort": cohort.name,
                "definition": cohort.fingerprint,
                "of_age": found["of_age"],
                "people": found["people"],
            }
        )
    publication.leave(
        COHORTS,
        "People in each cohort",
        pa.Table.from_pylist(rows),
        keys=("cohort", "definition"),
        counts=("of_age", "people"),
        within_counts={"of_age": ["people"]},
    )


def _keep_harmed_after(reading: Reading, harms: Sequence[Harm], asked: dt.datetime) -> None:
    """The residents of a year ago with their factors then, and whether they were harmed within the year."""
    moment = f"TIMESTAMP '{asked.isoformat(sep=' ')}'"
    reading.keep(
        "flags_and_harm",
        f"""WITH hurt AS (SELECT DISTINCT entity_id FROM events WHERE {harms_sql(harms)} AND happened_at >= {moment}
                AND happened_at < {moment} + INTERVAL 365 DAY AND entity_id IS NOT NULL)
            SELECT f.*, h.entity_id IS NOT NULL AS harmed FROM flags_before f LEFT JOIN hurt h USING (entity_id)""",
    )


def _leave_after_numbers(publication: Publication, reading: Reading, factors: Sequence[Factor], inside: str) -> None:
    """How many were harmed by the number of risk factors a year ago, with and without a protective one."""
    table = reading.query(
        f"""SELECT {_LABELS}, count(*) AS people, count(*) FILTER (WHERE harmed) AS harmed
            FROM (SELECT {_combined_sql(factors, 3)}, harmed FROM flags_and_harm WHERE {inside})
            GROUP BY GROUPING SETS ((n, g), (n), (g), ()) ORDER BY ALL"""
    )
    publication.leave(
        AFTER_NUMBERS,
        "Residents by number of risk factors a year ago, with and without a protective one, and how many were harmed",
        table,
        keys=("risk_factors", "protective"),
        counts=("people", "harmed"),
        totals=_COMBINED,
        within_counts={"people": ["harmed"]},
    )


def _leave_after(publication: Publication, reading: Reading, factors: Sequence[Factor], inside: str) -> None:
    """With and without each factor a year ago: how many were harmed within the year."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE {f.name}) AS w{at}, count(*) FILTER (WHERE {f.name} AND harmed) AS h{at}"
        for at, f in enumerate(factors)
    )
    row = reading.query(
        f"""SELECT count(*) AS everybody, count(*) FILTER (WHERE harmed) AS harmed, {counts}
            FROM flags_and_harm WHERE {inside}"""
    ).to_pylist()[0]
    rows = []
    for at, factor in enumerate(factors):
        for label, people, harmed in (
            ("with it", row[f"w{at}"], row[f"h{at}"]),
            ("without it", row["everybody"] - row[f"w{at}"], row["harmed"] - row[f"h{at}"]),
            (ALL, row["everybody"], row["harmed"]),
        ):
            rows.append({"factor": factor.name, "had": label, "people": people, "harmed": harmed})
    publication.leave(
        AFTER,
        "Residents with and without each factor a year ago, and how many were harmed in the year after",
        pa.Table.from_pylist(rows),
        keys=("factor", "had"),
        counts=("people", "harmed"),
        totals=[Total("had", ALL, ("factor",))],
        within_counts={"people": ["harmed"]},
    )
