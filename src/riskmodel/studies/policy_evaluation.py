"""Everything that a plan names, made once, as one document: effects, checks, people at the edge, inequality, grade.

The document is all that an evaluation card is drafted from. It holds aggregates only; counts of people go through the
disclosure rules first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.governance.disclosure import released
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.policies import checks as checking
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.checks import Check, Power
from riskmodel.policies.conclusion import Conclusion, conclude
from riskmodel.policies.design import Plan
from riskmodel.policies.effects import Asked, Effect, stated
from riskmodel.policies.estimators import planned_estimator, planned_question
from riskmodel.policies.evidence_grade import evidence_grade
from riskmodel.policies.few_clusters import placebo_units, wild_cluster_bootstrap
from riskmodel.policies.group_time import Comparison, group_time
from riskmodel.policies.honest import honest_bounds
from riskmodel.policies.inequality import InequalityEffect, inequality_effect
from riskmodel.policies.ledger_of_effects import LedgerOfEffects, ledger_of_effects
from riskmodel.policies.panel import Panel
from riskmodel.policies.panels import open_panel, panel_before
from riskmodel.policies.recording import recording_change
from riskmodel.policies.sensitivity import linkage_range, without_each_partner
from riskmodel.policies.spillover import Spillover, spillover, spillover_panel
from riskmodel.studies.policy_declaration import PolicyDeclaration
from riskmodel.studies.policy_words import finding_words, period_word
from riskmodel.studies.stages import Steps

_POWER_DRAWS = 200


def power_before(plan: Plan, histories: Histories, seed: int, steps: Steps) -> list[dict[str, Any]]:
    """The minimum detectable effect of every outcome, from the periods before anybody started."""
    before, estimate = panel_before(histories, plan), planned_estimator(plan)
    starts, periods, made = plan.first_treated(), len(plan.calendar), []
    for done, outcome in enumerate(plan.outcomes):
        steps(outcome.name, done, len(plan.outcomes))
        asked = planned_question(plan, outcome.name)
        power = checking.minimum_detectable_effect(
            before, starts, periods, asked, estimate, draws=_POWER_DRAWS, seed=seed
        )
        made.append({name: stated(value) for name, value in asdict(power).items()})
    return made


def evaluate(
    declared: PolicyDeclaration,
    plan: Plan,
    histories: Histories,
    roll_out: pa.Table,
    ledger: Ledger,
    power: Sequence[Mapping[str, Any]],
    steps: Steps,
) -> dict[str, Any]:
    """Open the outcomes and make what the plan names, in its order."""
    steps("outcomes opened", 0, 4)
    panel = open_panel(histories, plan, ledger)
    steps("people at the edge", 1, 4)
    spillovers = [_spilled(histories, plan, number, ledger) for number in range(len(plan.spillovers))]
    steps("checks", 2, 4)
    checks = made_checks(declared, plan, panel)
    steps("effects", 3, 4)
    made = ledger_of_effects(
        plan,
        panel,
        ledger,
        costs=declared.costs,
        checks=checks,
        power=[_power_of(one) for one in power],
        spillovers=spillovers,
    )
    inequality = _inequality(declared, plan, panel, roll_out)
    return _document(declared, plan, panel, made, inequality)


def _power_of(document: Mapping[str, Any]) -> Power:
    given: dict[str, Any] = {name: float("nan") if value is None else value for name, value in document.items()}
    return Power(**given)


def made_checks(declared: PolicyDeclaration, plan: Plan, panel: Panel) -> list[Check]:
    """The checks that the plan names; what is not estimable says so and stays in the list."""
    estimate, settings = planned_estimator(plan), declared.policy
    primary = planned_question(plan, plan.primary)
    harms = [planned_question(plan, each.name) for each in plan.outcomes if each.meaning == "harm" and not each.placebo]
    made: list[Check] = []
    for test in plan.tests:
        if test == "pre_trends":
            made += [checking.pre_trends(panel, asked) for asked in harms]
        elif test == "honest_bounds":
            made.append(honest_bounds(panel, primary)[0])
        elif test == "few_clusters":
            made.append(wild_cluster_bootstrap(panel, primary, seed=settings.seed))
        elif test == "placebo_units":
            made.append(placebo_units(panel, primary, estimate, draws=settings.draws, seed=settings.seed))
        elif test == "placebo_dates":
            made.append(checking.placebo_dates(panel, primary, settings.placebo_shift))
        elif test == "placebo_outcomes":
            placebos = [planned_question(plan, each.name) for each in plan.outcomes if each.placebo]
            made += checking.placebo_outcomes(panel, placebos, estimate)
        elif test == "randomisation":
            made.append(checking.randomisation(panel, primary, estimate, draws=settings.draws, seed=settings.seed))
        elif test == "recording_change":
            pairs = [[planned_question(plan, name) for name in pair] for pair in plan.same_harm]
            made += [recording_change(panel, first, second, estimate) for first, second in pairs]
    return made


def _spilled(histories: Histories, plan: Plan, number: int, ledger: Ledger) -> Spillover:
    planned = plan.spillovers[number]
    panel, left_out = spillover_panel(histories, plan, planned, ledger)
    return spillover(panel, planned, planned_estimator(plan), left_out=left_out)


def _inequality(
    declared: PolicyDeclaration, plan: Plan, panel: Panel, roll_out: pa.Table
) -> tuple[InequalityEffect, ...]:
    if not plan.ranked_by:
        return ()
    of = dict(zip(roll_out[declared.policy.unit].to_pylist(), roll_out[plan.ranked_by].to_pylist(), strict=True))
    rank = np.asarray([of[unit] for unit in panel.units.tolist()], np.float64)
    names = [each.name for each in plan.outcomes if each.meaning == "harm" and not each.placebo]
    estimate = planned_estimator(plan)
    return tuple(inequality_effect(panel, rank, planned_question(plan, name), estimate) for name in names)


def _document(
    declared: PolicyDeclaration,
    plan: Plan,
    panel: Panel,
    made: LedgerOfEffects,
    inequality: Sequence[InequalityEffect],
) -> dict[str, Any]:
    primary = next(effect for effect in made.effects if effect.outcome == plan.primary)
    said = conclude(made)
    before = int(panel.starts[panel.treated].min())
    others = int((~panel.treated).sum())
    grade = evidence_grade(primary, made.checks, declared.policy.assigned, before=before, others=others)
    outcomes = [_outcome(plan, panel, made, place) for place in range(len(made.outcomes))]
    document = {
        "plan": plan.document(),
        "plan_fingerprint": plan.fingerprint,
        "registered": {"entry": made.registered.number},  # its hash holds the time of day: it stays in the ledger
        "assigned": declared.policy.assigned,
        "links": declared.links.model_dump(mode="json"),
        "period": period_word(str(plan.every)),
        "periods": {"first": panel.labels[0], "last": panel.labels[-1], "n": panel.n_periods, "before": before},
        "units": {"n": panel.n_units, "treated": int(panel.treated.sum()), "others": others},
        "waves": _waves(panel),
        "outcomes": outcomes,
        "net_demand": None if made.net_demand is None else _net(made),
        "spillovers": [_edge(each, p) for each, p in zip(made.spillovers, made.p_spillover, strict=True)],
        "inequality": [_gap(each) for each in inequality],
        "checks": [_check(check) for check in made.checks],
        "conclusion": _concluded(said),
        "grade": {"level": grade.level, "words": grade.words, "reasons": grade.reasons, "held_back": grade.held_back},
        "without": [{"agency": each.agency, "changed": each.changed, "sentence": each.sentence}
                    for each in without_each_partner(made)],
        "linkage": _linkage(declared, made),
        "deviations": [str(each) for each in made.deviations],
        "uncounted": [list(each) for each in made.uncounted],
        "conduct": [effect.document()["conduct"] for effect in made.effects],
    }  # fmt: skip
    document["finding"] = finding_words(document, declared.card.policy_words)
    return document


def _outcome(plan: Plan, panel: Panel, made: LedgerOfEffects, place: int) -> dict[str, Any]:
    outcome, effect = made.outcomes[place], made.effects[place]
    observed = float(panel.measure(outcome.name)[panel.under_treatment].mean())
    without, ends = observed - effect.estimate, (effect.low, effect.high)
    power = next((each for each in made.power if each.outcome == outcome.name), None)
    whole = {name: stated(getattr(effect, name)) for name in ("estimate", "se", "low", "high", "p_value")}
    return {
        **outcome.document(),
        "primary": outcome.name == plan.primary,
        **whole,
        "p_family": stated(made.p_family[place]),
        "state": effect.state,
        "reason": effect.reason,
        "n": effect.n_treated,
        "without_policy": stated(without),
        "relative": [stated(each / without) if without > 0 else None for each in (effect.estimate, *ends)],
        "detectable": None if power is None else stated(power.detectable),
        "power": None if power is None else power.sentence,
        "path": _path(panel, effect, planned_question(plan, outcome.name)),
    }


def _path(panel: Panel, effect: Effect, asked: Asked) -> list[dict[str, Any]]:
    """The effect by time since the start: periods before it from group-time effects, those after as planned."""
    comparison: Comparison = "never_treated" if (~panel.treated).any() else "not_yet_treated"
    earlier = group_time(panel, asked, base="universal", comparison=comparison)
    before = [event for event in earlier.by_event_time if event.event_time < 0]
    after = [event for event in effect.by_event_time if event.event_time >= 0]
    if not after:
        after = [event for event in earlier.by_event_time if event.event_time >= 0]
    names = ("event_time", "estimate", "low", "high", "n_treated", "state")
    return [{name: stated(getattr(event, name)) for name in names} for event in [*before, *after]]


def _waves(panel: Panel) -> list[dict[str, Any]]:
    starts, counts = np.unique(panel.starts, return_counts=True)
    return [
        {"from": "never" if start == NEVER else panel.labels[start], "units": int(count)}
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
    ]


def _net(made: LedgerOfEffects) -> dict[str, Any]:
    net = made.net_demand
    assert net is not None
    names = ("event_time", "estimate", "low", "high", "n_treated", "state")
    by_lag = [event for event in net.effect.by_event_time if event.event_time >= 0]
    return {
        "unit": net.unit,
        "outcomes": list(net.outcomes),
        **{name: stated(getattr(net, name)) for name in ("total", "low", "high")},
        "each": {name: stated(getattr(net.effect, name)) for name in ("estimate", "low", "high")},
        "state": net.effect.state,
        "path": [{name: stated(getattr(event, name)) for name in names} for event in by_lag],
    }


def _edge(each: Spillover, p_family: float) -> dict[str, Any]:
    counts = pa.table({"who": ["exposed", "others", "left out"], "n": [each.n_exposed, each.n_others, each.left_out]})
    shown = dict(zip(counts["who"].to_pylist(), released(counts, ["n"])["n"].to_pylist(), strict=True))
    whole = {name: stated(getattr(each.effect, name)) for name in ("estimate", "se", "low", "high", "p_value")}
    return {
        **each.planned.document(),
        **whole,
        "p_family": stated(p_family),
        "state": each.effect.state,
        "reason": each.effect.reason,
        "counts": shown,
    }


def _gap(each: InequalityEffect) -> dict[str, Any]:
    change = {
        name: {part: stated(value) for part, value in asdict(getattr(each, name)).items()} for name in ("gap", "slope")
    }
    names = ("estimate", "low", "high", "state")
    groups = [{name: stated(getattr(effect, name)) for name in names} for effect in each.groups]
    levels = [stated(level) for level in each.levels]
    return {
        "outcome": each.outcome,
        **change,
        "groups": groups,
        "levels": levels,
        "gap_before": stated(each.gap_before),
        "sentence": each.sentence,
    }


def _check(check: Check) -> dict[str, Any]:
    names = ("test", "outcome", "statistic", "p_value", "detectable", "state", "sentence")
    return {name: stated(getattr(check, name)) for name in names}


def _concluded(said: Conclusion) -> dict[str, Any]:
    moved = [list(pair) for pair in said.moved]
    return {"answer": said.answer, "moved": moved, "harmed": list(said.harmed), "doubts": list(said.doubts)}


def _linkage(declared: PolicyDeclaration, made: LedgerOfEffects) -> list[dict[str, Any]]:
    shares = [(each.missed, each.false) for each in declared.linkage_error]
    return [
        {"name": each.planned.name, **{name: stated(value) for name, value in asdict(one).items()}}
        for each in made.spillovers
        if each.effect.state != "not_estimable"
        for one in linkage_range(each.effect, each.n_exposed, each.n_others, shares)
    ]
