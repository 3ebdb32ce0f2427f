"""Risk modelling and fairness for violence-reduction partnerships: advisory decision support, never a decision.

The public names load when first used; ``import riskmodel`` itself loads no heavy library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "RiskmodelError": "errors",
    "NotPermitted": "errors",
    "NotADecision": "errors",
    "Duration": "dates",
    "Window": "dates",
    "days": "dates",
    "weeks": "dates",
    "months": "dates",
    "years": "dates",
    "Purpose": "governance.purposes",
    "Approval": "governance.approvals",
    "draft_approval": "governance.approvals",
    "sign_off": "governance.approvals",
    "connect": "governance.access",
    "Contract": "feeds.contract",
    "Delivery": "feeds.delivery",
    "receive": "feeds.intake",
    "link": "linkage.identity",
    "over_draws": "linkage.pooling",
    "Measured": "linkage.pooling",
    "rates_from_truth": "linkage.rates_by_group",
    "rates_from_worlds": "linkage.rates_by_group",
    "rates_from_labels": "linkage.clerical",
    "pairs_to_judge": "linkage.clerical",
    "assemble": "histories.store",
    "Cohort": "cohorts.cohort",
    "Outcome": "cohorts.outcome",
    "TrainingSet": "features.training_set",
    "build_training_set": "features.training_set",
    "LightGBM": "models.learners",
    "Logistic": "models.learners",
    "ExplainableBoosting": "models.learners",
    "PointsScore": "models.learners",
    "Stack": "models.learners",
    "Tuned": "models.tuning",
    "BaseRate": "models.learners",
    "BestCount": "models.learners",
    "CurrentPractice": "models.learners",
    "ForwardFolds": "models.splits",
    "RiskModel": "models.risk_model",
    "PlaceFolds": "models.splits",
    "fit": "models.fit",
    "referee": "models.checks",
    "membership_attack": "models.membership_attack",
    "Audit": "fairness.audit",
    "audit": "fairness.audit",
    "audit_scores": "fairness.audit",
    "audit_predictions": "fairness.metric_frame",
    "audit_conditional": "fairness.conditional",
    "audit_labels": "fairness.labels",
    "discovered_and_reported": "fairness.labels",
    "audit_contact": "fairness.contact",
    "audit_recorded": "fairness.ethnicity",
    "worst_subgroup": "fairness.subgroups",
    "scores_by_group": "fairness.scores_by_group",
    "proxies": "fairness.proxies",
    "cost_of_leaving_out": "fairness.left_out",
    "place_share": "fairness.place_share",
    "Recording": "fairness.feedback",
    "simulate_feedback": "fairness.feedback",
    "mitigation_candidates": "fairness.mitigate",
    "mitigation_frontier": "fairness.frontier",
    "record_alternatives": "tracking.alternatives",
    "recorded_alternatives": "tracking.alternatives",
    "audit_over_draws": "fairness.linked_worlds",
    "tipping_points": "fairness.label_bias",
    "bounds_if_unknown": "fairness.missing_groups",
    "explanation": "explain.explanation",
    "interventional": "explain.interventional",
    "Footing": "advisory.footing",
    "score": "advisory.score",
    "Review": "advisory.review",
    "Reviews": "advisory.reviews",
    "ReviewForm": "advisory.review",
    "FollowUps": "advisory.support",
    "SupportForm": "advisory.follow_up",
    "ModelCard": "cards.model_card",
    "card_of_run": "tracking.found_runs",
    "Plan": "policies.design",
    "PlannedOutcome": "policies.design",
    "PlannedSpillover": "policies.design",
    "Panel": "policies.panel",
    "Effect": "policies.effects",
    "LedgerOfEffects": "policies.ledger_of_effects",
    "ledger_of_effects": "policies.ledger_of_effects",
    "open_panel": "policies.panels",
    "conclude": "policies.conclusion",
    "evidence_grade": "policies.evidence_grade",
    "did_advice_help": "policies.advice",
    "PolicyStudy": "studies.policy_study",
    "PolicyWorld": "world.policy",
    "Publication": "population.publication",
    "NeedsPlan": "population.needs",
    "assess": "population.needs",
    "who_knew": "population.who_knew",
    "GroupContext": "population.context",
    "World": "world.society",
    "Study": "studies.study",
}

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"riskmodel has no name {name!r}; it has {', '.join(sorted(_WHERE))}")
    return getattr(import_module(f"riskmodel.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
