"""Harm in an area over some years, counted once for every page: when, where, who was hurt, how often again.

Harm is what is declared as harm, with a weight that says how grave it is and where the weight is from. Events count
with the place they happened at, or else with the home of the person at the time. Every count here leaves through a
publication; the rest of the package sees only what left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DeclarationError, Fault
from riskmodel.population.cube import Cube, counted, thinned
from riskmodel.population.periods import AGES, Period, age_at_sql, age_sql, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.population.repeats import repeats

HARM, RESIDENTS, AGAIN, CLOSE_PAIRS, TWO_SOURCES = (
    "harm",
    "residents",
    "people_harmed_again",
    "close_pairs",
    "two_sources",
)


_MOST_FOR_PAIRS = 400_000


@dataclass(frozen=True, slots=True)
class Harm:
    """One kind of event that counts as harm.

    Parameters
    ----------
    kind : str, as the histories name it
    weight : float, above 0, how grave one such event is beside the others
    source : str, where the weight is from
    role : str or None, count only events with this role (such as "victim", so that one incident counts once a victim)
    title : str, how pages name it
    """

    kind: str
    weight: float
    source: str
    role: str | None = None
    title: str = ""

    @property
    def words(self) -> str:
        """The name for pages."""
        return self.title or self.kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class TwoSources:
    """The same harm seen by two agencies: what one records and the other does not is harm that went unreported.

    Parameters
    ----------
    kind, agency : what the first agency records, such as an injury by violence at the hospital
    other_kinds, other_agency : what the other agency would have recorded, such as violence
    within_days : how far apart the two records of one person may lie
    """

    kind: str
    agency: str
    other_kinds: tuple[str, ...]
    other_agency: str
    within_days: int = 3


def must_be_harms(harms: Sequence[Harm], kinds: Sequence[str]) -> None:
    """Refuse harm that no agency records, that weighs nothing, or whose weight has no source."""
    faults = [] if harms else [Fault("harm", "none", "at least one kind of harm", "Declare what counts as harm.")]
    for harm in harms:
        if harm.kind not in kinds:
            faults.append(Fault("harm", harm.kind, f"one of {', '.join(kinds)}", "Name a kind that an agency records."))
        if not harm.weight > 0 or not harm.source.strip():
            found = f"{harm.kind} with weight {harm.weight:g} and source {harm.source!r}"
            faults.append(Fault("harm", found, "a weight above 0 and where it is from", "Add both."))
    if len({harm.kind for harm in harms}) < len(harms):
        faults.append(Fault("harm", "a kind twice", "each kind once", "Declare one weight for each kind."))
    if faults:
        raise DeclarationError("harm-invalid", faults=faults)


def period_of(reading: Reading, harms: Sequence[Harm], years: int, settle_days: int | None = None) -> Period:
    """The last whole years before the as-of date, and how many of their last months are provisional.

    Parameters
    ----------
    settle_days : None to measure it: the days within which 95 of 100 records of the harm became known
    """
    ends = reading.as_of.date().replace(day=1)
    if settle_days is None:
        found = reading.query(
            f"""SELECT quantile_cont(date_diff('day', happened_at, known_at), 0.95) AS days FROM events
                WHERE {harms_sql(harms)} AND known_at >= happened_at
                AND happened_at < TIMESTAMP '{ends}' - INTERVAL 1 YEAR
                AND happened_at >= TIMESTAMP '{ends}' - INTERVAL {years + 1} YEAR"""
        )
        settle_days = int(np.ceil(found.column("days")[0].as_py() or 0))
    settled = ends - dt.timedelta(days=settle_days)
    open_months = (ends.year - settled.year) * 12 + ends.month - settled.month
    return Period(ends, years, min(open_months, 12 * years), settle_days)


def measure_harm(
    publication: Publication,
    reading: Reading,
    harms: Sequence[Harm],
    period: Period,
    *,
    ages: Sequence[int] = AGES,
    two_sources: TwoSources | None = None,
    seed: int = 0,
) -> None:
    """Count harm and residents into the publication."""
    keep_harm(reading, harms, period, ages)
    keep_residents(reading, period, ages)
    _leave_harm(publication, reading, period)
    _leave_residents(publication, reading, period)
    _people_again(publication, reading)
    _close_pairs(publication, reading, seed)
    if two_sources is not None:
        _two_sources(publication, reading, two_sources, period)


def _leave_harm(publication: Publication, reading: Reading, period: Period) -> None:
    cube = Cube(
        ("kind", "year", "month", "area", "sex", "age", "ethnicity"),
        (("kind", "year"), ("year", "month"), ("kind", "area"), ("area", "age"), ("sex", "age"), ("ethnicity",)),
        {"events": "count(*)", "people": "count(DISTINCT entity_id)"},
        of_people=("events",),
    )
    publication.leave(
        HARM,
        f"Recorded harm, {period.words}",
        thinned(counted(reading, "harm", cube, publication.rules), cube, "people", publication.rules.smallest_shown),
        keys=cube.dimensions,
        counts=("events", "people"),
        of_people=cube.of_people,
        totals=cube.totals,
        whole_rows=True,
    )


def _leave_residents(publication: Publication, reading: Reading, period: Period) -> None:
    at_risk = Cube(
        ("year", "area", "sex", "age", "ethnicity"),
        (("year",), ("area", "age"), ("sex", "age"), ("ethnicity",)),
        {"resident_years": "count(*)", "people": f"count(*) FILTER (WHERE year = {text_sql(period.labels[-1])})"},
    )
    publication.leave(
        RESIDENTS,
        f"Residents at the middle of each year, {period.words}",
        thinned(counted(reading, "residents", at_risk), at_risk, "people", publication.rules.smallest_shown),
        keys=at_risk.dimensions,
        counts=("resident_years", "people"),
        totals=at_risk.totals,
        whole_rows=True,
    )


def keep_harm(reading: Reading, harms: Sequence[Harm], period: Period, ages: Sequence[int]) -> None:
    """The harm of the period as the engine's table ``harm``, one row an event and person."""
    age = age_at_sql("e.happened_at")
    reading.keep("area_of", "SELECT place_id, min(area) AS area FROM homes WHERE area IS NOT NULL GROUP BY place_id")
    reading.keep(
        "picked",
        f"""SELECT entity_id, happened_at, agency, kind, place_id, event_id FROM events WHERE {harms_sql(harms)}
            AND {period.inside_sql("happened_at")}""",
    )
    reading.keep(
        "home_of",
        "SELECT entity_id, starts_at, ends_at, area FROM homes WHERE entity_id IN (SELECT entity_id FROM picked)",
    )
    reading.keep(
        "harm",
        f"""SELECT e.entity_id, e.event_id, e.place_id, e.agency, e.kind, e.happened_at,
                   {period.label_sql("e.happened_at")} AS year, strftime(e.happened_at, '%m') AS month,
                   coalesce(a.area, CASE WHEN h.ends_at IS NULL OR e.happened_at < h.ends_at THEN h.area END) AS area,
                   p.sex, p.ethnicity, {age_sql(age, ages)} AS age
            FROM picked e LEFT JOIN area_of a USING (place_id)
            ASOF LEFT JOIN home_of h ON e.entity_id = h.entity_id AND e.happened_at >= h.starts_at
            LEFT JOIN persons p ON p.entity_id = e.entity_id""",
    )


def keep_residents(reading: Reading, period: Period, ages: Sequence[int]) -> None:
    """Who lived in the area at the middle of each year: the person-years at risk, as the table ``residents``."""
    age = age_at_sql("m.moment")
    years = ", ".join(
        f"('{label}', TIMESTAMP '{period.starts.replace(year=period.starts.year + place)}' + INTERVAL 6 MONTH)"
        for place, label in enumerate(period.labels)
    )
    reading.keep(
        "residents",
        f"""SELECT h.entity_id, m.label AS year, h.area, p.sex, p.ethnicity, {age_sql(age, ages)} AS age
            FROM (VALUES {years}) m(label, moment)
            JOIN homes h ON h.starts_at <= m.moment AND (h.ends_at IS NULL OR m.moment < h.ends_at)
            JOIN persons p ON p.entity_id = h.entity_id WHERE p.birth_date IS NULL OR p.birth_date <= m.moment
            QUALIFY row_number() OVER (PARTITION BY h.entity_id, m.label ORDER BY h.starts_at DESC, h.place_id) = 1""",
    )


def harms_sql(harms: Sequence[Harm]) -> str:
    """Whether an event counts as harm, as SQL."""
    parts = [
        f"(kind = {text_sql(harm.kind)}{f' AND role = {text_sql(harm.role)}' if harm.role else ''})" for harm in harms
    ]
    return f"({' OR '.join(parts)})"


def _people_again(publication: Publication, reading: Reading) -> None:
    """People by how often they were harmed, and the events that were theirs."""
    reading.keep(
        "again",
        """SELECT entity_id, CASE WHEN times >= 4 THEN '4 or more' ELSE times::VARCHAR END AS times
           FROM (SELECT entity_id, count(*) OVER (PARTITION BY entity_id) AS times FROM harm
                 WHERE entity_id IS NOT NULL)""",
    )
    counts = {"people": "count(DISTINCT entity_id)", "events": "count(*)"}
    cube = Cube(("times",), (("times",),), counts, of_people=("events",))
    publication.leave(
        AGAIN,
        "People by how often they were harmed",
        counted(reading, "again", cube, publication.rules),
        keys=cube.dimensions,
        counts=tuple(counts),
        of_people=cube.of_people,
        totals=cube.totals,
        whole_rows=True,
    )


def _close_pairs(publication: Publication, reading: Reading, seed: int) -> None:
    """Pairs of events close in place and time, of one row an event and address."""
    rows = reading.query(
        f"""SELECT place_id, hash(area)::HUGEINT % 1000000007 AS area, date_diff('day', DATE '2000-01-01', happened_at)
            AS day FROM (SELECT DISTINCT place_id, area, happened_at FROM harm WHERE place_id IS NOT NULL
            AND area IS NOT NULL) ORDER BY place_id, day LIMIT {_MOST_FOR_PAIRS}"""
    )
    columns = [np.asarray(rows.column(name).to_numpy(), dtype=np.int64) for name in ("place_id", "area", "day")]
    made = repeats(*columns, seed=seed, draws=199 if rows.num_rows < 50_000 else 49)
    left = publication.leave(
        CLOSE_PAIRS, "Pairs of events close in place and time", made.table, keys=("place", "days"), counts=("pairs",)
    )
    shown = pc.is_valid(left.column("pairs"))
    for name in ("expected", "p"):  # what chance expects follows from the events, and is left out with the pairs
        closed = pc.if_else(shown, left.column(name), pa.scalar(None, pa.float64()))
        left = left.set_column(left.column_names.index(name), name, closed)
    held = publication.tables[CLOSE_PAIRS]
    publication.tables[CLOSE_PAIRS] = type(held)(held.name, held.title, held.keys, held.counts, left)


def _two_sources(publication: Publication, reading: Reading, asked: TwoSources, period: Period) -> None:
    """Events of the first agency by year: those that the other agency has too, and those it has not."""
    kinds = ", ".join(text_sql(kind) for kind in asked.other_kinds)
    reading.keep(
        "seen_by_one",
        f"""WITH one AS (SELECT event_id, entity_id, happened_at, {period.label_sql("happened_at")} AS year FROM events
                WHERE kind = {text_sql(asked.kind)} AND agency = {text_sql(asked.agency)} AND entity_id IS NOT NULL
                AND {period.inside_sql("happened_at")}),
            matched AS (SELECT DISTINCT one.event_id FROM one JOIN events o ON o.entity_id = one.entity_id
                AND o.agency = {text_sql(asked.other_agency)} AND o.kind IN ({kinds})
                AND abs(date_diff('day', one.happened_at, o.happened_at)) <= {int(asked.within_days)})
            SELECT year, entity_id, event_id IN (FROM matched) AS known FROM one""",
    )
    counts = {
        "events": "count(*)",
        "also_known": "count(*) FILTER (WHERE known)",
        "only_here": "count(*) FILTER (WHERE NOT known)",
    }
    cube = Cube(("year",), (("year",),), counts, of_people=tuple(counts))
    publication.leave(
        TWO_SOURCES,
        f"{asked.kind.replace('_', ' ').capitalize()} at {asked.agency}, and whether {asked.other_agency} knew",
        counted(reading, "seen_by_one", cube, publication.rules),
        keys=cube.dimensions,
        counts=tuple(counts),
        of_people=cube.of_people,
        totals=cube.totals,
        within_counts={"events": ("also_known", "only_here")},
        whole_rows=True,
    )
