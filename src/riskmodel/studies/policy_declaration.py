"""What the ``study.toml`` of a policy evaluation may say: the plan, where the records lie, and the texts of its card.

A study with a ``[policy]`` table is one. The plan is made from it and from the roll-out (who, from when) alone: nothing
here reads an outcome.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pyarrow as pa
from pydantic import Field

from riskmodel.dates import Duration
from riskmodel.errors import DeclarationError, Fault
from riskmodel.policies.design import ESTIMANDS, Plan, PlannedOutcome, PlannedSpillover
from riskmodel.studies.declaration import PurposeTable, StudyTable, Table


class PolicyTable(Table):
    """The plan: what is asked of whom, and how it will be judged."""

    question: str
    unit: Literal["person", "dyad", "place", "area"] = "area"
    begins: dt.date
    ends: dt.date
    every: str
    primary: str
    estimand: str = ESTIMANDS[0]
    estimator: str = "imputation"
    comparison: str = "never_treated"
    settles_after: str = "0d"
    confidence: float = 0.95
    tests: list[str] = Field(default=["pre_trends", "minimum_detectable_effect"])
    stopping: str = "one analysis, when the last period has settled"
    waiver: str = ""
    assigned: Literal["by lot", "by rule", "by need", "by choice", "unknown"]
    same_harm: list[list[str]] = Field(default_factory=list)
    ranked_by: str = ""
    placebo_shift: int = Field(default=2, ge=1)  # periods by which the pretended start lies earlier
    draws: int = Field(default=199, ge=19, le=9_999)  # of roll-outs dealt out at random
    seed: int = 0


class PolicyWorldTable(Table):
    """A synthetic society with a policy, made on the spot."""

    kind: Literal["works", "moves_demand", "harms_children", "records_only", "null"]
    areas: int = Field(default=120, ge=12, le=2_000)
    children: int = Field(default=1_500, ge=1, le=200_000)
    seed: int = Field(ge=0)


class PolicyRecordsTable(Table):
    """Where the linked records and the roll-out come from: a synthetic society, or a folder of Parquet files."""

    world: PolicyWorldTable | None = None
    folder: str | None = None
    covered_until: dict[str, dt.date]
    licence: str = ""


class PlannedOutcomeTable(Table):
    """One outcome: which events of which agency are counted, and what one costs."""

    name: str
    agency: str
    kind: str
    role: str | None = None
    meaning: Literal["harm", "demand"] = "harm"
    placebo: bool = False
    where: Literal["event", "home"] = "event"
    cost: float | None = None

    def planned(self) -> PlannedOutcome:
        """The outcome as a plan holds it."""
        return PlannedOutcome(self.name, self.agency, self.kind, self.role, self.meaning, self.placebo, self.where)


class SpilloverTable(Table):
    """People at the edge of the policy, and what is counted of them."""

    name: str
    through: str
    agency: str
    kind: str
    outcome: PlannedOutcomeTable

    def planned(self) -> PlannedSpillover:
        """The spillover as a plan holds it."""
        return PlannedSpillover(self.name, self.through, self.agency, self.kind, self.outcome.planned())


class LinkageErrorTable(Table):
    """Shares of ties that the linkage missed or made wrongly, to see what hangs on them."""

    missed: float = Field(ge=0, lt=1)
    false: float = Field(ge=0, lt=1)


class LinksTable(Table):
    """The need that the policy answers, and the risk models that it rests on, by their cards' folders."""

    need: str
    risk_models: list[str] = Field(default_factory=list)


class EvaluationTextTable(Table):
    """What only people can write on an evaluation card."""

    title: str
    summary: str
    policy: str
    policy_words: str = "the policy"
    not_answered: str
    owner: str
    contact: str
    organisation: str = ""
    review_by: dt.date
    what_next: str
    synthetic: bool = False
    limits_extra: list[str] = Field(default_factory=list)


class PolicyDeclaration(Table):
    """The whole ``study.toml`` of a policy evaluation."""

    study: StudyTable
    purpose: PurposeTable
    policy: PolicyTable
    records: PolicyRecordsTable
    outcomes: list[PlannedOutcomeTable] = Field(min_length=1)
    spillovers: list[SpilloverTable] = Field(default_factory=list)
    linkage_error: list[LinkageErrorTable] = Field(default_factory=list)
    links: LinksTable
    card: EvaluationTextTable

    @property
    def costs(self) -> dict[str, float] | None:
        """What one event of each demand outcome costs; None when no cost is given."""
        costs = {each.name: each.cost for each in self.outcomes if each.cost is not None}
        return costs or None


def is_of_a_policy(text: str) -> bool:
    """Whether the study evaluates a policy: its text has a ``[policy]``."""
    return any(line.strip() == "[policy]" for line in text.splitlines())


def plan_of(declared: PolicyDeclaration, roll_out: pa.Table) -> Plan:
    """The plan of a study with the units and dates of its roll-out.

    Parameters
    ----------
    roll_out : Arrow table with the unit (a column named as the unit), and its day `starts`, null for never

    Raises
    ------
    DeclarationError : what a plan refuses, and a roll-out without the columns that the study names
    """
    policy = declared.policy
    needed = [policy.unit, "starts", *([policy.ranked_by] if policy.ranked_by else [])]
    faults = [
        Fault("roll_out", f"no column {name}", "the unit, starts, and the rank", "Correct the file or the study.")
        for name in needed
        if name not in roll_out.column_names
    ]
    faults += [
        Fault("policy.same_harm", f"{len(pair)} names", "two outcomes", 'Write ["violence", "injuries"].')
        for pair in policy.same_harm
        if len(pair) != 2
    ]
    if faults:
        raise DeclarationError("roll-out-invalid", faults=faults)
    units, starts = roll_out[policy.unit].to_pylist(), roll_out["starts"].to_pylist()
    return Plan(
        question=policy.question,
        unit=policy.unit,
        units=tuple(units),
        starts=tuple((unit, day) for unit, day in zip(units, starts, strict=True) if day is not None),
        begins=policy.begins,
        ends=policy.ends,
        every=Duration.parse(policy.every),
        outcomes=tuple(outcome.planned() for outcome in declared.outcomes),
        primary=policy.primary,
        estimand=policy.estimand,
        estimator=policy.estimator,
        comparison=policy.comparison,
        tests=tuple(policy.tests),
        settles_after=Duration.parse(policy.settles_after),
        confidence=policy.confidence,
        stopping=policy.stopping,
        waiver=policy.waiver,
        same_harm=tuple((pair[0], pair[1]) for pair in policy.same_harm),
        spillovers=tuple(spillover.planned() for spillover in declared.spillovers),
        ranked_by=policy.ranked_by,
    )
