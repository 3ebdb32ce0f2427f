"""What a ``needs.toml`` beside a study may say: the declared half of a needs assessment. Anything else is refused.

Everything that is not counted stands here: what counts as harm and how grave it is, factors and cohorts as dated code,
agencies' thresholds, services, unit costs, and the texts that only people can write.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from riskmodel.dates import Duration
from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.governance.disclosure import RULES
from riskmodel.population.factors import Factor, NamedCohort
from riskmodel.population.harm import Harm, TwoSources
from riskmodel.population.needs import Area, NeedsPlan, SearchPlan, Service, UnitCost
from riskmodel.population.periods import AGES
from riskmodel.population.thresholds import JointRule, Threshold
from riskmodel.population.unseen_lists import MISSED_LINKS, KnownBy, UnseenPlan
from riskmodel.studies.declaration import FILE, Table, parsed

NEEDS_FILE = "needs.toml"


class AssessmentTable(Table):
    """What the assessment is called, and as of when."""

    title: str
    organisation: str
    edition: str
    as_of: dt.date
    years: int = Field(default=4, ge=1, le=15)
    ages: list[int] = Field(default_factory=lambda: list(AGES))
    aged: list[int] = Field(default=[10, 25], min_length=2, max_length=2)
    areas: str | None = None
    settle_days: int | None = Field(default=None, ge=0, le=400)
    synthetic: bool = False
    rules: str = "hes"


class HarmTable(Table):
    kind: str
    weight: float = Field(gt=0)
    source: str
    role: str | None = None
    title: str = ""


class TwoSourcesTable(Table):
    kind: str
    agency: str
    other_kinds: list[str] = Field(min_length=1)
    other_agency: str
    within_days: int = Field(default=3, ge=0, le=60)


class FactorTable(Table):
    name: str
    title: str
    direction: Literal["risk", "protective"]
    kinds: list[str] = Field(min_length=1)
    within: str
    role: str | None = None
    agency: str | None = None
    absent: bool = False
    level: Literal["person", "family", "place", "community"] = "person"
    source: str = ""


class CohortTable(Table):
    name: str
    title: str
    aged: list[int] = Field(min_length=2, max_length=2)
    valid_from: dt.date
    author: str
    all_of: list[str] = Field(default_factory=list)
    any_of: list[str] = Field(default_factory=list)
    at_least: int = Field(default=0, ge=0)


class ThresholdTable(Table):
    agency: str
    count: int = Field(ge=1)
    within: str
    kinds: list[str] = Field(default_factory=list)
    least_value: float | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    source: str = ""


class JointTable(Table):
    count: int = Field(ge=1)
    within: str
    agencies: int = Field(default=2, ge=1)


class ServiceTable(Table):
    name: str
    offers: str
    cohorts: list[str] = Field(default_factory=list)
    places: str = ""
    capacity: int | None = Field(default=None, ge=0)
    source: str


class CostTable(Table):
    kind: str
    pounds: float = Field(ge=0)
    price_year: int
    source: str
    checked_by: str = ""
    checked_on: dt.date | None = None


class SearchTable(Table):
    kind: str = "stop_search"
    found_kinds: list[str] = Field(default_factory=list)
    found_within_days: int = Field(default=2, ge=1, le=365)
    reference: str = "white"


class ListTable(Table):
    name: str
    agency: str
    kinds: list[str] = Field(min_length=1)
    role: str | None = None


class UnseenTable(Table):
    title: str
    within: str
    lists: list[ListTable] = Field(alias="list", min_length=3, max_length=10)
    missed_links: list[float] = Field(default_factory=lambda: list(MISSED_LINKS))


class NeedsDeclaration(Table):
    """The whole ``needs.toml``."""

    assessment: AssessmentTable
    texts: dict[str, str] = Field(default_factory=dict)
    harm: list[HarmTable] = Field(min_length=1)
    two_sources: TwoSourcesTable | None = None
    factor: list[FactorTable] = Field(default_factory=list)
    cohort: list[CohortTable] = Field(default_factory=list)
    threshold: list[ThresholdTable] = Field(default_factory=list)
    joint: JointTable | None = None
    service: list[ServiceTable] = Field(default_factory=list)
    cost: list[CostTable] = Field(default_factory=list)
    searches: SearchTable | None = None
    unseen: UnseenTable | None = None


def load_plan(folder: str | Path) -> NeedsPlan:
    """The plan that the ``needs.toml`` of a study folder declares.

    Raises
    ------
    NotFound : no ``needs.toml``, or no file of areas that it names
    DeclarationError : every unknown key and wrong type at once, each with its line
    """
    folder = Path(folder)
    path = folder / NEEDS_FILE
    if not path.is_file():
        raise NotFound(
            "needs-missing",
            found=f"no {NEEDS_FILE} in {folder}",
            expected="the declared half of a needs assessment",
            repair=f"Write {NEEDS_FILE} beside study.toml; docs/population.md shows one.",
        )
    try:
        declared = parsed(path.read_text(encoding="utf-8-sig"), NeedsDeclaration)
    except DeclarationError as error:
        faults = [replace(fault, where=fault.where.replace(FILE, NEEDS_FILE)) for fault in error.faults]
        raise DeclarationError("needs-invalid", faults=faults) from None
    return _plan(folder, declared)


def _plan(folder: Path, declared: NeedsDeclaration) -> NeedsPlan:
    head = declared.assessment
    if head.rules not in RULES:
        raise DeclarationError.of(
            "rules-unknown",
            where=f"{NEEDS_FILE} rules",
            found=repr(head.rules),
            expected=f"one of {', '.join(RULES)}",
            repair="Name a rule set for disclosure control.",
        )
    joint = declared.joint
    return NeedsPlan(
        head.title,
        head.organisation,
        head.edition,
        head.as_of,
        head.years,
        tuple(Harm(**table.model_dump()) for table in declared.harm),
        texts=declared.texts,
        ages=tuple(head.ages),
        aged=(head.aged[0], head.aged[1]),
        two_sources=None if declared.two_sources is None else TwoSources(**_plain(declared.two_sources)),
        factors=tuple(Factor(**_plain(table)) for table in declared.factor),
        cohorts=tuple(NamedCohort(**_plain(table)) for table in declared.cohort),
        thresholds=tuple(Threshold(**_plain(table)) for table in declared.threshold),
        joint=None if joint is None else JointRule(joint.count, Duration.parse(joint.within), joint.agencies),
        services=tuple(Service(**_plain(table)) for table in declared.service),
        costs=tuple(UnitCost(**table.model_dump()) for table in declared.cost),
        areas=_areas(folder / head.areas) if head.areas else (),
        searches=None if declared.searches is None else SearchPlan(**_plain(declared.searches)),
        unseen=None if declared.unseen is None else _unseen(declared.unseen),
        settle_days=head.settle_days,
        synthetic=head.synthetic,
        rules=head.rules,
    )


def _unseen(table: UnseenTable) -> UnseenPlan:
    lists = tuple(KnownBy(**_plain(one)) for one in table.lists)
    return UnseenPlan(table.title, lists, Duration.parse(table.within), tuple(table.missed_links))


def _plain(table: Table) -> dict[str, Any]:
    """A table's values as the nouns take them: lists as tuples, lengths of time read."""
    made: dict[str, Any] = {}
    for name, value in table.model_dump().items():
        made[name] = tuple(value) if isinstance(value, list) else value
        if name == "within":
            made[name] = Duration.parse(str(value))
    return made


def _areas(path: Path) -> tuple[Area, ...]:
    """The areas of a CSV file: area, name, decile, column, row; all but the first may be empty."""
    if not path.is_file():
        raise NotFound(
            "areas-missing",
            found=f"no {path.name} in {path.parent}",
            expected="the file of areas that is named",
            repair="Put it beside needs.toml, or remove `areas`.",
        )
    made = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            try:
                decile, column, place = (
                    int(row[name]) if row.get(name) else None for name in ("decile", "column", "row")
                )
                area = row["area"]
            except (KeyError, ValueError):
                area, decile, column, place = "", None, None, None
            if not area or (decile is not None and not 1 <= decile <= 10):
                raise DataRefused(
                    "areas-invalid",
                    found=f"line {line} of {path.name}, which names no area or no decile from 1 to 10",
                    expected="the columns area, name, decile, column and row",
                    repair="Correct the line.",
                )
            made.append(Area(area, row.get("name") or "", decile, column, place))
    return tuple(made)
