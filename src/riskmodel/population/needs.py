"""A strategic needs assessment: what is declared, what is counted, and the one pass that counts it all.

What people declare (definition, services, costs, cohorts) and what is counted are kept apart: a count never comes from
the declaration, and a text never from the data. Everything counted leaves through one publication, so that the tables
of one edition are protected together, and against the edition before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from riskmodel.governance.disclosure import RULES, RuleSet
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.population.cube import ALL, Cube, counted
from riskmodel.population.factor_counts import measure_factors
from riskmodel.population.factors import Factor, NamedCohort, must_be_factors
from riskmodel.population.harm import Harm, TwoSources, measure_harm, must_be_harms, period_of
from riskmodel.population.overlap import measure_overlap, measure_standing
from riskmodel.population.periods import AGES, Period, age_at_sql, age_sql, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import MEMORY, Reading, reading
from riskmodel.population.search_tables import SearchPeriod, own_searches
from riskmodel.population.thresholds import JointRule, Threshold
from riskmodel.population.unseen_lists import UnseenFound, UnseenPlan, measure_unseen, must_be_lists

SUSPECTS, CLOCK = "named_as_suspect", "clock"
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Area:
    """What is known of a small area beside the records: its name, its decile of deprivation (1 most deprived), where
    its tile stands on the map."""

    area: str
    name: str = ""
    decile: int | None = None
    column: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service in place, as its provider declares it."""

    name: str
    offers: str
    cohorts: tuple[str, ...]
    places: str
    capacity: int | None
    source: str


@dataclass(frozen=True, slots=True)
class UnitCost:
    """What one event of a kind costs, where the figure is from, and who held it against that source, when.

    Without `checked_by` the figure is shown as unchecked wherever it stands.
    """

    kind: str
    pounds: float
    price_year: int
    source: str
    checked_by: str = ""
    checked_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Which event is a search, what counts as found and within how many days, and the group others are set beside."""

    kind: str = "stop_search"
    found_kinds: tuple[str, ...] = ()
    found_within_days: int = 2
    reference: str = "white"


@dataclass(frozen=True, slots=True)
class NeedsPlan:
    """Everything an assessment declares.

    Attributes
    ----------
    title, organisation, edition : str
    as_of : date; nothing that became known on that day or later is in
    years : int, whole years before the month of `as_of`
    texts : mapping of a text's name (``local_definition``, ``area_profile``, ``community_voice``, ``data_gaps``,
        ``review``) to the text
    aged : (low, high), the ages that factors are counted for
    synthetic : bool, whether the people are made up
    """

    title: str
    organisation: str
    edition: str
    as_of: dt.date
    years: int
    harms: tuple[Harm, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    ages: tuple[int, ...] = AGES
    aged: tuple[int, int] = (10, 25)
    two_sources: TwoSources | None = None
    factors: tuple[Factor, ...] = ()
    cohorts: tuple[NamedCohort, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    joint: JointRule | None = None
    services: tuple[Service, ...] = ()
    costs: tuple[UnitCost, ...] = ()
    areas: tuple[Area, ...] = ()
    searches: SearchPlan | None = None
    unseen: UnseenPlan | None = None
    settle_days: int | None = None
    synthetic: bool = False
    rules: str = "hes"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was counted: the publication, the period, and the days on which the past was asked about."""

    publication: Publication
    period: Period
    searches: SearchPeriod | None
    factors_asked: dt.date | None
    standing_asked: dt.date | None
    unseen: UnseenFound | None = None


def assess(
    histories: Histories,
    plan: NeedsPlan,
    *,
    earlier: Publication | None = None,
    ledger: Ledger | None = None,
    memory: str = MEMORY,
    threads: int | None = None,
) -> Assessment:
    """Count everything the plan asks for, in one pass over the histories, into one publication.

    Parameters
    ----------
    earlier : the last edition; what the two would give away together is hidden
    ledger : to which every release is written
    memory, threads : for the engine

    Raises
    ------
    DeclarationError : kinds that nobody records, factors or cohorts that mean nothing
    """
    _must_be_answerable(plan, histories)
    rules: RuleSet = RULES[plan.rules]
    made = Publication("needs", plan.edition, plan.as_of, rules, ledger, earlier)
    with reading(histories, dt.datetime.combine(plan.as_of, dt.time()), memory=memory, threads=threads) as opened:
        period = period_of(opened, plan.harms, plan.years, plan.settle_days)
        measure_harm(made, opened, plan.harms, period, ages=plan.ages, two_sources=plan.two_sources)
        _suspects(made, opened, plan, period)
        _clock(made, opened)
        measure_overlap(made, opened, histories.agencies)
        return Assessment(
            made,
            period,
            _searches(made, opened, plan, period, histories),
            _factors(made, opened, plan, period),
            _standing(made, opened, plan, period),
            None if plan.unseen is None else measure_unseen(made, opened, plan.unseen),
        )


def _must_be_answerable(plan: NeedsPlan, histories: Histories) -> None:
    """Refuse kinds, factors and lists that nobody records."""
    kinds = sorted(histories.kinds)
    must_be_harms(plan.harms, kinds)
    must_be_factors(plan.factors, plan.cohorts, kinds)
    if plan.unseen is not None:
        must_be_lists(plan.unseen, histories.kinds)


def _factors(made: Publication, opened: Reading, plan: NeedsPlan, period: Period) -> dt.date | None:
    if not plan.factors:
        return None
    return measure_factors(
        made, opened, plan.factors, plan.cohorts, plan.harms, aged=plan.aged, settle_days=period.settle_days
    )


def _standing(made: Publication, opened: Reading, plan: NeedsPlan, period: Period) -> dt.date | None:
    if not plan.thresholds or plan.joint is None:
        return None
    return measure_standing(made, opened, plan.thresholds, plan.joint, plan.harms, settle_days=period.settle_days)


def _searches(
    made: Publication, opened: Reading, plan: NeedsPlan, period: Period, histories: Histories
) -> SearchPeriod | None:
    asked = plan.searches
    if asked is None or asked.kind not in histories.kinds:
        return None
    return own_searches(
        made,
        opened,
        period,
        kind=asked.kind,
        found_kinds=asked.found_kinds,
        found_within_days=asked.found_within_days,
        reference=asked.reference,
    )


def _suspects(publication: Publication, opened: Reading, plan: NeedsPlan, period: Period) -> None:
    """People named as suspects of the harm, by age and sex: who is named depends on what police find."""
    kinds = ", ".join(text_sql(harm.kind) for harm in plan.harms)
    age = age_at_sql("e.happened_at")
    opened.keep(
        "suspects",
        f"""SELECT e.entity_id, p.sex, {age_sql(age, plan.ages)} AS age FROM events e JOIN persons p USING (entity_id)
            WHERE e.role = 'suspect' AND e.kind IN ({kinds}) AND {period.inside_sql("e.happened_at")}""",
    )
    counts = {"events": "count(*)", "people": "count(DISTINCT entity_id)"}
    cube = Cube(("sex", "age"), (("sex", "age"),), counts, of_people=("events",))
    publication.leave(
        SUSPECTS,
        f"People named as suspects, {period.words}",
        counted(opened, "suspects", cube, publication.rules),
        keys=cube.dimensions,
        counts=("events", "people"),
        of_people=cube.of_people,
        totals=cube.totals,
        whole_rows=True,
    )


def _clock(publication: Publication, opened: Reading) -> None:
    """Events of harm by day of the week and part of the day; records without a time of day are left out."""
    opened.keep(
        "by_the_clock",
        """SELECT entity_id, isodow(happened_at)::VARCHAR AS weekday,
                  lpad((hour(happened_at) // 6 * 6)::VARCHAR, 2, '0') || '-'
                      || lpad((hour(happened_at) // 6 * 6 + 6)::VARCHAR, 2, '0') AS hours
           FROM harm WHERE happened_at::TIME <> TIME '00:00:00'""",
    )
    cube = Cube(("weekday", "hours"), (("weekday", "hours"),), {"events": "count(*)"}, of_people=("events",))
    table = counted(opened, "by_the_clock", cube, publication.rules)
    names = [ALL if day == ALL else _WEEK[int(day) - 1] for day in table.column("weekday").to_pylist()]
    publication.leave(
        CLOCK,
        "Events of harm by day of the week and hours of the day",
        table.set_column(0, "weekday", pa.array(names, pa.string())),
        keys=cube.dimensions,
        counts=("events",),
        of_people=cube.of_people,
        totals=cube.totals,
    )
