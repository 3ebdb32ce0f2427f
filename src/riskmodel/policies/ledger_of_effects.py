"""The ledger of effects: one policy, what it did to every agency's outcomes in one table, and what it moved elsewhere.

It is made from a registered plan and the panel opened for it, and names both; whatever was done otherwise than planned
is listed with it. Outcomes are judged as one family (Holm), so a table of ten outcomes does not find one by chance. The
demand of all agencies is added up in a unit that the caller states. It is not the append-only ledger of `governance`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from riskmodel.errors import DeclarationError, EvidenceError, Fault
from riskmodel.governance.ledger import Ledger
from riskmodel.policies.checks import Check, Power
from riskmodel.policies.design import Plan, PlannedOutcome
from riskmodel.policies.deviations import Deviation, deviations
from riskmodel.policies.effects import Effect, stated
from riskmodel.policies.estimators import planned_estimator, planned_question
from riskmodel.policies.multiplicity import holm
from riskmodel.policies.panel import Panel
from riskmodel.policies.registration import Registration, opened, registration
from riskmodel.policies.spillover import Spillover
from riskmodel.tables import fingerprint_document

NET = "net demand"
TABLE: Final = pa.schema(
    [
        pa.field("agency", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("meaning", pa.string(), nullable=False),  # "harm", "demand", "placebo"
        pa.field("primary", pa.bool_(), nullable=False),
        pa.field("lag", pa.int64()),  # periods since the start; null: over all of them
        pa.field("estimate", pa.float64()),
        pa.field("se", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("p_value", pa.float64()),  # of the whole effect only
        pa.field("p_family", pa.float64()),  # Holm's, over the outcomes that are no placebo
        pa.field("n_treated", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
"""One row for each outcome, and one for each outcome and lag. What is not known is null."""


@dataclass(frozen=True, slots=True)
class NetDemand:
    """The demand that a policy made for, or took from, all agencies together.

    Attributes
    ----------
    effect : Effect, for each unit and period, in `unit`; its standard error counts that agencies' demand moves together
    total : float, `effect` times the treated units and periods, with `low` and `high`; NaN when units are weighed
    unit : str, what is added up: "events", or what the costs are in
    outcomes : tuple of str, the demand outcomes in it
    """

    effect: Effect
    total: float
    low: float
    high: float
    unit: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerOfEffects:
    """What one policy did, to every outcome of its plan.

    Attributes
    ----------
    plan : str, its fingerprint
    primary : str, the name of the primary outcome
    registered : Registration, where the plan stands in the ledger
    outcomes : tuple of PlannedOutcome, in the plan's order
    effects : tuple of Effect, one for each outcome
    p_family : tuple of float, Holm's p-values of `effects`; NaN for placebos and for what is not estimable
    net_demand : NetDemand or None when the plan has no demand outcome
    checks, power : tuples of Check and Power
    deviations : tuple of Deviation
    uncounted : tuple of (outcome, int), facts that are of no unit and stand in no count
    spillovers : tuple of Spillover, effects on people at the edge, judged in the same family
    p_spillover : tuple of float, Holm's p-values of `spillovers`
    """

    plan: str
    primary: str
    registered: Registration
    outcomes: tuple[PlannedOutcome, ...]
    effects: tuple[Effect, ...] = field(repr=False)
    p_family: tuple[float, ...] = field(repr=False)
    net_demand: NetDemand | None = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)
    power: tuple[Power, ...] = field(repr=False)
    deviations: tuple[Deviation, ...]
    uncounted: tuple[tuple[str, int], ...] = ()
    spillovers: tuple[Spillover, ...] = ()
    p_spillover: tuple[float, ...] = ()

    def table(self) -> pa.Table:
        """Every agency's outcomes with their lags, TABLE."""
        rows = []
        for outcome, effect, p_family in zip(self.outcomes, self.effects, self.p_family, strict=True):
            named = {
                "agency": outcome.agency,
                "outcome": outcome.name,
                "meaning": "placebo" if outcome.placebo else outcome.meaning,
                "primary": outcome.name == self.primary,
            }
            whole = {"lag": None, "p_value": effect.p_value, "p_family": p_family}
            rows.append(named | whole | _numbers(effect))
            rows += [named | {"lag": event.event_time} | _numbers(event) for event in effect.by_event_time]
        return pa.Table.from_pylist([{name: stated(value) for name, value in row.items()} for row in rows], TABLE)

    def matrix(self) -> pa.Table:
        """Agency, outcome, and the effect at each lag from the start on, a column each; null where unknown."""
        events = [event for effect in self.effects for event in effect.by_event_time]
        lags = sorted({event.event_time for event in events if event.event_time >= 0})
        rows = []
        for outcome, effect in zip(self.outcomes, self.effects, strict=True):
            by_lag = {event.event_time: stated(event.estimate) for event in effect.by_event_time}
            rows.append(
                {"agency": outcome.agency, "outcome": outcome.name} | {f"{lag}": by_lag.get(lag) for lag in lags}
            )
        names = [("agency", pa.string()), ("outcome", pa.string()), *((f"{lag}", pa.float64()) for lag in lags)]
        return pa.Table.from_pylist(rows, pa.schema(names))

    def sentences(self) -> tuple[str, ...]:
        """The answer in plain words: the primary outcome first, then the others, net demand, checks and deviations."""
        pairs = list(zip(self.outcomes, self.effects, self.p_family, strict=True))
        pairs.sort(key=lambda pair: pair[0].name != self.primary)
        said = [_sentence(outcome, effect, p_family, self.power) for outcome, effect, p_family in pairs]
        said += [_spilled(each, p) for each, p in zip(self.spillovers, self.p_spillover, strict=True)]
        if self.net_demand is not None:
            said.append(_net_sentence(self.net_demand))
        said += [check.sentence for check in self.checks]
        said += [
            f"{lost:,} records of {name} have no place or address and stand in no count."
            for name, lost in self.uncounted
        ]
        return (*said, *(f"Not as planned - {deviation}" for deviation in self.deviations))

    def document(self) -> dict[str, Any]:
        """Everything as a JSON-able document."""
        return {
            "plan": self.plan,
            "registered": [self.registered.number, self.registered.entry, self.registered.opened_before],
            "table": self.table().to_pylist(),
            "conduct": [effect.document()["conduct"] for effect in self.effects],
            "spillovers": [
                {"name": each.planned.name, "left_out": each.left_out, "p_family": stated(p), **each.effect.document()}
                for each, p in zip(self.spillovers, self.p_spillover, strict=True)
            ],
            "net_demand": None if self.net_demand is None else _net_document(self.net_demand),
            "sentences": list(self.sentences()),
            "deviations": [str(deviation) for deviation in self.deviations],
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())


def ledger_of_effects(
    plan: Plan,
    panel: Panel,
    ledger: Ledger,
    *,
    effects: Sequence[Effect] | None = None,
    costs: Mapping[str, float] | None = None,
    cost_unit: str = "pounds",
    checks: Sequence[Check] = (),
    power: Sequence[Power] = (),
    spillovers: Sequence[Spillover] = (),
) -> LedgerOfEffects:
    """Estimate every outcome of the plan and put them side by side.

    Parameters
    ----------
    panel : the panel opened for the plan
    ledger : where the plan was registered
    effects : estimates made otherwise, instead of the planned ones; how they depart from the plan is listed, and so is
        an outcome that is not in the plan, which gets no row
    costs : what one event of each demand outcome costs, in `cost_unit`; without it events are added up as they are
    checks, power : results of `checks`; planned ones that are not given are listed as deviations
    spillovers : effects on people at the edge; planned ones that are not given are listed as deviations

    Raises
    ------
    EvidenceError : the plan does not stand in the ledger
    DeclarationError : a demand outcome without a cost, or a cost for something else
    """
    registered = registration(plan, ledger)
    if registered is None:
        raise EvidenceError(
            "plan-not-registered",
            found="a plan that does not stand in the ledger",
            expected="a plan registered before its outcomes were opened",
            repair="Register the plan, open its panel, and estimate then.",
        )
    given = {effect.outcome: effect for effect in effects or ()}
    made = [given.get(outcome.name) or _planned(plan, panel, outcome.name) for outcome in plan.outcomes]
    judged = [i for i, outcome in enumerate(plan.outcomes) if not outcome.placebo]
    p_family = np.full(len(made), np.nan)
    in_family = holm([made[i].p_value for i in judged] + [each.effect.p_value for each in spillovers])
    p_family[judged] = in_family[: len(judged)]
    done = {check.test for check in checks} | ({"minimum_detectable_effect"} if power else set())
    missing = [Deviation("check", test, "not made") for test in plan.tests if test not in done]
    named = [each.planned.name for each in spillovers]
    missing += [Deviation("spillover", each.name, "not made") for each in plan.spillovers if each.name not in named]
    missing += [
        Deviation("spillover", "not in the plan", each.planned.name)
        for each in spillovers
        if each.planned not in plan.spillovers
    ]
    if not opened(plan, ledger):
        missing.append(Deviation("opening", "outcomes opened for this plan in the ledger", "not written down"))
    return LedgerOfEffects(
        plan.fingerprint,
        plan.primary,
        registered,
        plan.outcomes,
        tuple(made),
        tuple(p_family.tolist()),
        _net_demand(plan, panel, costs, cost_unit),
        tuple(checks),
        tuple(power),
        (*deviations(plan, [effect.conduct for effect in {**_by_name(made), **given}.values()], registered), *missing),
        tuple((outcome.name, lost) for outcome in plan.outcomes if (lost := panel.uncounted.get(outcome.name, 0))),
        tuple(spillovers),
        tuple(in_family[len(judged) :]),
    )


def _planned(plan: Plan, panel: Panel, outcome: str) -> Effect:
    return planned_estimator(plan)(panel, planned_question(plan, outcome))


def _by_name(effects: Sequence[Effect]) -> dict[str, Effect]:
    return {effect.outcome: effect for effect in effects}


def _net_demand(plan: Plan, panel: Panel, costs: Mapping[str, float] | None, cost_unit: str) -> NetDemand | None:
    names = [outcome.name for outcome in plan.outcomes if outcome.meaning == "demand" and not outcome.placebo]
    _must_price(names, costs)
    if not names:
        return None
    price = dict.fromkeys(names, 1.0) if costs is None else costs
    summed = panel.adding(NET, np.sum([price[name] * panel.measure(name) for name in names], axis=0))
    effect = _planned(plan, summed, NET)
    # a weighted average is not the average of the cells, so nothing can be multiplied up from it
    cells = int(panel.under_treatment.sum()) if plan.weights is None else float("nan")
    unit = "events" if costs is None else cost_unit
    return NetDemand(effect, effect.estimate * cells, effect.low * cells, effect.high * cells, unit, tuple(names))


def _must_price(names: Sequence[str], costs: Mapping[str, float] | None) -> None:
    if costs is None:
        return
    faults = [
        Fault(f"costs.{name}", "no cost", "what one event costs", "Give a cost, 0 if it makes no work.")
        for name in names
        if name not in costs
    ]
    faults += [
        Fault(f"costs.{name}", "a cost of no demand outcome", f"of {', '.join(names) or 'none'}", "Remove it.")
        for name in costs
        if name not in names
    ]
    if faults:
        raise DeclarationError("costs-invalid", faults=faults)


def _sentence(outcome: PlannedOutcome, effect: Effect, p_family: float, power: Sequence[Power]) -> str:
    name = f"{outcome.name} ({outcome.agency}{', placebo' if outcome.placebo else ''})"
    if effect.state == "not_estimable":
        return f"{name}: not estimable, because of {effect.reason}."
    found = "fell" if effect.estimate < 0 else "rose"
    beside = f" Imprecise: {effect.reason}." if effect.state == "imprecise" else ""
    judged = effect.p_value if outcome.placebo else p_family
    if not judged < 1 - effect.conduct.confidence:
        found = "no change is shown, and changes within the interval are not ruled out"
        seen = [made.sentence for made in power if made.outcome == outcome.name]
        beside += " " + (seen[0] if seen else "Which change the study could have seen was not worked out.")
    return f"{name}: {found} ({_figures(effect)}).{beside}"


def _spilled(spillover: Spillover, p_family: float) -> str:
    effect, planned = spillover.effect, spillover.planned
    who = f"{planned.name}: {spillover.n_exposed:,} people reached through {planned.through} ({planned.kind})"
    if effect.state == "not_estimable":
        return f"{who}: not estimable, because of {effect.reason}."
    shown = p_family < 1 - effect.conduct.confidence
    found = ("rose" if effect.estimate > 0 else "fell") if shown else "no change is shown"
    return f"{who}, {planned.outcome.name} {found} ({_figures(effect)})."


def _figures(effect: Effect) -> str:
    span = f"{effect.conduct.confidence:.0%} interval {effect.low:+.3g} to {effect.high:+.3g}"
    return f"{effect.estimate:+.3g} for each unit and period, {span}"


def _net_sentence(net: NetDemand) -> str:
    names = f"Net demand of {', '.join(net.outcomes)} together"
    if not np.isfinite(net.effect.low):
        return f"{names}: not estimable."
    if not np.isfinite(net.low):
        return f"{names}, in {net.unit}: {_figures(net.effect)}."
    span = f"{net.effect.conduct.confidence:.0%} interval {net.low:+,.0f} to {net.high:+,.0f}"
    return f"{names}: {net.total:+,.0f} {net.unit} over all treated units and periods, {span}."


def _net_document(net: NetDemand) -> dict[str, Any]:
    figures = {name: stated(getattr(net, name)) for name in ("total", "low", "high")}
    return figures | {"unit": net.unit, "outcomes": list(net.outcomes), "effect": net.effect.document()}


def _numbers(effect: Any) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in ("estimate", "se", "low", "high", "n_treated", "state")}
