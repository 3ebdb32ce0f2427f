"""Risk and protective factors of a population: how many have which, which together, and what came after.

A factor is a declared record of a person within a time, or the lack of one. What came after people with a factor is
set beside those without it; that is an association in records, never a cause, and nothing about any one person. Factors
of the past are those that could be seen on that day, by the one time rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import pyarrow as pa

from riskmodel.dates import Duration, moments
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.disclosure import Total
from riskmodel.histories.visibility import visible_sql
from riskmodel.population.cube import ALL
from riskmodel.population.harm import Harm, age_at_sql, harms_sql, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.tables import fingerprint_document

FACTORS, TOGETHER, NUMBERS, AFTER, COHORTS = (
    "factors",
    "factors_together",
    "number_of_factors",
    "what_came_after",
    "cohorts",
)
Direction = Literal["risk", "protective"]


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing in the records that raises or lowers risk, as the literature or the partnership says.

    Parameters
    ----------
    name : str, small letters and underscores
    title : str
    direction : "risk" or "protective"
    kinds : tuple of str, the records that count
    within : Duration, how far back
    role, agency : str or None, narrow the records
    absent : bool, the factor is the *lack* of such a record (no exclusion, say)
    level : str, "person", "family", "place" or "community"
    source : str, why it is taken for a factor
    """

    name: str
    title: str
    direction: Direction
    kinds: tuple[str, ...]
    within: Duration
    role: str | None = None
    agency: str | None = None
    absent: bool = False
    level: str = "person"
    source: str = ""

    def sql(self, at: dt.datetime) -> str:
        """Whether a person has it at a moment, as SQL over their visible events."""
        since = self.within.before(moments([at]))[0]
        names = ", ".join(text_sql(kind) for kind in self.kinds)
        more = "".join(
            f" AND {column} = {text_sql(word)}"
            for column, word in (("role", self.role), ("agency", self.agency))
            if word
        )
        held = f"count(*) FILTER (WHERE kind IN ({names}) AND happened_at >= TIMESTAMP '{since}'{more}) > 0"
        return f"NOT coalesce({held}, false)" if self.absent else f"coalesce({held}, false)"


@dataclass(frozen=True, slots=True)
class NamedCohort:
    """A group that a service is for, as dated code: whoever wrote it, anybody can count it again.

    Parameters
    ----------
    name, title : str
    aged : (low, high) completed years, both in
    all_of, any_of : names of factors
    at_least : int, how many risk factors a person has at least
    valid_from : date, since when the definition holds
    author : str, the role that answers for it
    """

    name: str
    title: str
    aged: tuple[int, int]
    valid_from: dt.date
    author: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    at_least: int = 0

    @property
    def definition(self) -> str:
        """The rule in words."""
        parts = [f"aged {self.aged[0]} to {self.aged[1]}"]
        if self.all_of:
            parts.append("all of: " + ", ".join(self.all_of))
        if self.any_of:
            parts.append("any of: " + ", ".join(self.any_of))
        if self.at_least:
            parts.append(f"at least {self.at_least} risk factors")
        return "; ".join(parts)

    @property
    def fingerprint(self) -> str:
        """Of the definition, so that a changed one is seen."""
        document: dict[str, Any] = {
            "aged": list(self.aged),
            "all_of": list(self.all_of),
            "any_of": list(self.any_of),
            "at_least": self.at_least,
            "valid_from": self.valid_from.isoformat(),
        }
        return fingerprint_document(document)[:12]

    def sql(self, factors: Sequence[Factor]) -> str:
        """The condition over the table of flags."""
        risks = " + ".join(f"{factor.name}::INT" for factor in factors if factor.direction == "risk") or "0"
        parts = [f"age BETWEEN {self.aged[0]} AND {self.aged[1]}", *self.all_of]
        if self.any_of:
            parts.append(f"({' OR '.join(self.any_of)})")
        if self.at_least:
            parts.append(f"({risks}) >= {self.at_least}")
        return " AND ".join(parts)


def must_be_factors(factors: Sequence[Factor], cohorts: Sequence[NamedCohort], kinds: Sequence[str]) -> None:
    """Refuse factors that no agency records, names that are no names, and cohorts of unknown factors."""
    faults: list[Fault] = []
    for factor in factors:
        unknown = sorted(set(factor.kinds) - set(kinds))
        if unknown or not factor.kinds:
            found = f"{factor.name} of {', '.join(unknown) or 'no records'}"
            faults.append(Fault("factors", found, f"some of {', '.join(kinds)}", "Name kinds that an agency records."))
        if (
            not factor.name.replace("_", "").isalnum()
            or not factor.name.isascii()
            or factor.name != factor.name.lower()
        ):
            faults.append(Fault("factors", repr(factor.name), "small letters and underscores", "Rename the factor."))
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        faults.append(Fault("factors", "a name twice", "each name once", "Rename one of them."))
    for cohort in cohorts:
        if missing := sorted({*cohort.all_of, *cohort.any_of} - set(names)):
            repair = "Declare them as factors first."
            faults.append(Fault(f"cohort {cohort.name}", ", ".join(missing), f"some of {', '.join(names)}", repair))
    if faults:
        raise DeclarationError("factors-invalid", faults=faults)


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
    _leave_after(publication, reading, factors, harms, inside, asked)
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
    risks = " + ".join(f"{factor.name}::INT" for factor in factors if factor.direction == "risk") or "0"
    guards = " OR ".join(factor.name for factor in factors if factor.direction == "protective") or "false"
    table = reading.query(
        f"""SELECT CASE WHEN grouping(n) = 1 THEN '{ALL}' ELSE n END AS risk_factors,
                   CASE WHEN grouping(g) = 1 THEN '{ALL}' ELSE g END AS protective, count(*) AS people
            FROM (SELECT CASE WHEN {risks} >= 4 THEN '4 or more' ELSE ({risks})::VARCHAR END AS n,
                         CASE WHEN {guards} THEN 'at least one' ELSE 'none' END AS g FROM flags WHERE {inside})
            GROUP BY GROUPING SETS ((n, g), (n), (g), ()) ORDER BY ALL"""
    )
    publication.leave(
        NUMBERS,
        "Residents by number of risk factors, with and without a protective one",
        table,
        keys=("risk_factors", "protective"),
        counts=("people",),
        totals=[Total("risk_factors", ALL, ("protective",)), Total("protective", ALL, ("risk_factors",))],
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


def _leave_after(
    publication: Publication,
    reading: Reading,
    factors: Sequence[Factor],
    harms: Sequence[Harm],
    inside: str,
    asked: dt.datetime,
) -> None:
    """Of the residents of a year ago, with and without each factor then: how many were harmed within the year."""
    moment = f"TIMESTAMP '{asked.isoformat(sep=' ')}'"
    reading.keep(
        "harmed_after",
        f"""SELECT DISTINCT entity_id FROM events WHERE {harms_sql(harms)} AND happened_at >= {moment}
            AND happened_at < {moment} + INTERVAL 365 DAY AND entity_id IS NOT NULL""",
    )
    counts = ", ".join(
        f"count(*) FILTER (WHERE {f.name}) AS w{at}, count(*) FILTER (WHERE {f.name} AND harmed) AS h{at}"
        for at, f in enumerate(factors)
    )
    row = reading.query(
        f"""SELECT count(*) AS everybody, count(*) FILTER (WHERE harmed) AS harmed, {counts} FROM (
                SELECT f.*, h.entity_id IS NOT NULL AS harmed FROM flags_before f LEFT JOIN harmed_after h
                USING (entity_id) WHERE {inside})"""
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
