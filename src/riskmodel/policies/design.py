"""The plan of an evaluation, written before the outcomes are opened: what is asked, of whom, and how it will be judged.

A plan is frozen. It is hashed and written into the ledger (`registration`); outcomes are opened only for a plan that
stands there, and whatever is done afterwards is held against it (`deviations`). It holds no outcome and estimates
nothing, and its repr shows no unit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from riskmodel.dates import Duration, days, moments
from riskmodel.errors import DeclarationError, Fault
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.roll_out import Starts, roll_out_faults, roll_out_fingerprint
from riskmodel.tables import fingerprint_document

UnitKind = Literal["person", "dyad", "place", "area"]
ESTIMATORS = (
    "group_time",
    "imputation",
    "two_stage",
    "twfe",
    "stepped_wedge",
    "poisson",
    "synthetic_did",
    "synthetic_control",
    "single_did",
    "interrupted",
)
COMPARISONS = ("never_treated", "not_yet_treated")
ESTIMANDS = ("average effect on the treated", "effect on the treated by time since the start")
CHECKS = (
    "pre_trends",
    "honest_bounds",
    "placebo_dates",
    "placebo_units",
    "placebo_outcomes",
    "randomisation",
    "few_clusters",
    "recording_change",
    "minimum_detectable_effect",
)
_SINGLE = ("synthetic_did", "synthetic_control", "single_did", "interrupted")
_EVERYONE = ("imputation", "two_stage", "twfe", "stepped_wedge", "poisson")


@dataclass(frozen=True, slots=True)
class PlannedOutcome:
    """A count of one agency's events in each unit and period.

    Parameters
    ----------
    name : str, how the outcome is called in every table
    agency, kind : str, who records it and the event kind
    role : str or None, only events with this role
    meaning : "harm" (what the policy is for) or "demand" (work that it makes for an agency)
    placebo : bool, an outcome that the policy cannot move
    where : "event" (an area or place counts what happened there) or "home" (what happened to those who lived there);
        of no meaning for persons
    """

    name: str
    agency: str
    kind: str
    role: str | None = None
    meaning: Literal["harm", "demand"] = "harm"
    placebo: bool = False
    where: Literal["event", "home"] = "event"

    def document(self) -> dict[str, Any]:
        """The outcome as a JSON-able document."""
        return {name: getattr(self, name) for name in ("name", "agency", "kind", "role", "meaning", "placebo", "where")}


@dataclass(frozen=True, slots=True)
class PlannedSpillover:
    """What the policy may do to people at its edge: those with a tie to somebody to whom something was done.

    Parameters
    ----------
    name : str, how it is called in every table
    through : str, the tie, such as "parent" or "co_resident" (`ties.TIES` has those that are derived)
    agency, kind : str, the event that exposes, such as the parent's imprisonment
    outcome : PlannedOutcome, what is counted of the exposed person
    """

    name: str
    through: str
    agency: str
    kind: str
    outcome: PlannedOutcome

    def document(self) -> dict[str, Any]:
        """The spillover as a JSON-able document."""
        given = {name: getattr(self, name) for name in ("name", "through", "agency", "kind")}
        return given | {"outcome": self.outcome.document()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be evaluated and how, before any outcome is seen.

    Parameters
    ----------
    question : str, one sentence
    unit : "person", "dyad" (two people, written "3-17"), "place" (an address, and so a household) or "area"
    units : tuple of int or str, everyone in the study, treated or not
    starts : tuple of (unit, date), the day on which each treated unit's treatment began
    begins, ends, every : the calendar; a unit is treated from the period that holds its date
    outcomes : tuple of PlannedOutcome, of at least two agencies unless `waiver` says why not
    primary : str, the name of the one outcome that the answer rests on
    estimand, estimator, comparison : one of ESTIMANDS, ESTIMATORS, COMPARISONS
    weights : str or None, the exposure that weighs the units
    tests : tuple of str, of CHECKS
    settles_after : Duration, how long after a period's end its records are counted
    confidence : float, of the intervals
    stopping : str, when the analysis is done and that it is done once
    waiver : str, why the outcomes are of one agency only
    same_harm : tuple of (outcome, outcome), the same harm as two sources record it, the more independent one second
    spillovers : tuple of PlannedSpillover, effects on kin and periphery
    ranked_by : str, by what units are ranked to judge inequality ("" when it is not judged)

    Raises
    ------
    DeclarationError : the plan cannot answer its question; every fault at once, a sentence each
    """

    question: str
    unit: UnitKind
    units: tuple[int | str, ...] = field(repr=False)
    starts: tuple[tuple[int | str, dt.date], ...] = field(repr=False)
    begins: dt.date
    ends: dt.date
    every: Duration
    outcomes: tuple[PlannedOutcome, ...]
    primary: str
    estimand: str = ESTIMANDS[0]
    estimator: str = "group_time"
    comparison: str = "never_treated"
    weights: str | None = None
    tests: tuple[str, ...] = ("pre_trends", "minimum_detectable_effect")
    settles_after: Duration = days(0)
    confidence: float = 0.95
    stopping: str = "one analysis, when the last period has settled"
    waiver: str = ""
    same_harm: tuple[tuple[str, str], ...] = ()
    spillovers: tuple[PlannedSpillover, ...] = ()
    ranked_by: str = ""

    def __post_init__(self) -> None:
        faults = [*_word_faults(self), *_outcome_faults(self), *_source_faults(self), *_unit_faults(self)]
        if not faults:
            single = self.estimator in _SINGLE
            everyone = self.comparison == "not_yet_treated" or self.estimator in _EVERYONE
            faults = roll_out_faults(self.first_treated(), len(self.calendar), single=single, everyone=everyone)
        if faults:
            raise DeclarationError("plan-invalid", faults=faults)

    @property
    def calendar(self) -> Calendar:
        """The periods of the study."""
        return Calendar(self.begins, self.ends, self.every)

    @property
    def agencies(self) -> tuple[str, ...]:
        """The agencies whose outcomes are judged; an outcome that cannot move is no one's outcome."""
        return tuple(sorted({outcome.agency for outcome in self.outcomes if not outcome.placebo}))

    def first_treated(self) -> Starts:
        """The index of each unit's first treated period, in the order of `units`."""
        place = {unit: i for i, unit in enumerate(self.units)}
        made = np.full(len(self.units), NEVER, np.int64)
        if self.starts:
            days_of = moments([day for _, day in self.starts])
            made[[place[unit] for unit, _ in self.starts]] = self.calendar.indices_of(days_of)
        return made

    @property
    def roll_out(self) -> str:
        """The fingerprint of who is treated from when."""
        return roll_out_fingerprint(self.units, self.first_treated(), self.calendar.labels)

    def document(self) -> dict[str, Any]:
        """The plan as a JSON-able document. Units stand in it by their roll-out's fingerprint only."""
        names = ("question", "unit", "primary", "estimand", "estimator", "comparison", "weights", "confidence")
        return {name: getattr(self, name) for name in (*names, "stopping", "waiver")} | {
            "outcomes": [outcome.document() for outcome in self.outcomes],
            "tests": list(self.tests),
            "same_harm": [list(pair) for pair in self.same_harm],
            "spillovers": [spillover.document() for spillover in self.spillovers],
            "ranked_by": self.ranked_by,
            "calendar": [str(self.begins), str(self.ends), str(self.every)],
            "settles_after": str(self.settles_after),
            "n_units": len(self.units),
            "n_treated": len(self.starts),
            "roll_out": self.roll_out,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())


def _word_faults(plan: Plan) -> list[Fault]:
    faults = []
    for name in ("question", "stopping"):
        if not getattr(plan, name).strip():
            faults.append(Fault(f"plan.{name}", "nothing", "a sentence", f"Write the {name} of the evaluation."))
    choices = {
        "unit": get_args(UnitKind),
        "estimand": ESTIMANDS,
        "estimator": ESTIMATORS,
        "comparison": COMPARISONS,
    }
    for name, allowed in choices.items():
        if (given := getattr(plan, name)) not in allowed:
            faults.append(
                Fault(f"plan.{name}", repr(given), f"one of {', '.join(allowed)}", f"Choose the {name} from these.")
            )
    for test in plan.tests:
        if test not in CHECKS:
            faults.append(Fault("plan.tests", repr(test), f"one of {', '.join(CHECKS)}", "Name tests that exist."))
    if not 0.5 < plan.confidence < 1:
        faults.append(
            Fault(
                "plan.confidence", str(plan.confidence), "a share between 0.5 and 1", "Write, say, confidence = 0.95."
            )
        )
    return faults


def _outcome_faults(plan: Plan) -> list[Fault]:
    names = [outcome.name for outcome in plan.outcomes]
    faults = []
    if len(set(names)) < len(names):
        faults.append(Fault("plan.outcomes", "two outcomes of one name", "a name each", "Rename one of them."))
    if plan.primary not in [outcome.name for outcome in plan.outcomes if not outcome.placebo]:
        faults.append(
            Fault(
                "plan.primary", repr(plan.primary), "the name of an outcome that may move", "Name one of the outcomes."
            )
        )
    if len(plan.agencies) < 2 and not plan.waiver.strip():
        faults.append(
            Fault(
                "plan.outcomes",
                f"outcomes of {len(plan.agencies)} agency",
                "outcomes of at least two agencies, or a waiver",
                "Add what the policy may move elsewhere, or write in `waiver` why nobody else's outcomes are judged.",
            )
        )
    if "placebo_outcomes" in plan.tests and not any(outcome.placebo for outcome in plan.outcomes):
        faults.append(
            Fault("plan.tests", "placebo_outcomes without a placebo outcome", "one marked placebo", "Mark an outcome.")
        )
    return faults


def _source_faults(plan: Plan) -> list[Fault]:
    """Pairs of sources that are none, a test of them without a pair, and spillovers of one name."""
    agency = {outcome.name: outcome.agency for outcome in plan.outcomes}
    faults = [
        Fault(
            "plan.same_harm",
            f"{first!r} and {second!r}",
            "two outcomes of the plan from different agencies",
            "Name one outcome of each agency that records the harm.",
        )
        for first, second in plan.same_harm
        if agency.get(first) is None or agency.get(second) is None or agency[first] == agency[second]
    ]
    if "recording_change" in plan.tests and not plan.same_harm:
        faults.append(
            Fault("plan.tests", "recording_change without two sources", "a pair in same_harm", "Name the two sources.")
        )
    names = [spillover.name for spillover in plan.spillovers] + list(agency)
    if len(set(names)) < len(names):
        faults.append(Fault("plan.spillovers", "a name that is taken", "a name for each effect", "Rename one of them."))
    return faults


def _unit_faults(plan: Plan) -> list[Fault]:
    faults = []
    units, treated = set(plan.units), [unit for unit, _ in plan.starts]
    kind = str if plan.unit in ("area", "dyad") else int
    if odd := sum(not isinstance(unit, kind) or isinstance(unit, bool) for unit in plan.units):
        expected = f"{plan.unit} names as texts" if kind is str else f"{plan.unit} ids as whole numbers"
        faults.append(Fault("plan.units", f"{odd} unit(s) of another type", expected, "Give the ids of the histories."))
    if len(units) < len(plan.units):
        faults.append(
            Fault(
                "plan.units", f"{len(plan.units) - len(units)} unit(s) twice", "each unit once", "Remove the repeats."
            )
        )
    if len(set(treated)) < len(treated):
        faults.append(
            Fault(
                "plan.starts",
                f"{len(treated) - len(set(treated))} unit(s) with two dates",
                "one date for each treated unit",
                "Keep the first date; a unit once treated stays treated.",
            )
        )
    if strangers := len(set(treated) - units):
        faults.append(
            Fault("plan.starts", f"{strangers} treated unit(s) not in the study", "units of the study", "Add them.")
        )
    return faults
