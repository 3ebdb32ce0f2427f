"""One small run, made once: 500 made-up people on 12 dates, three features whose effect was planted."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.cards.model_card import ModelCard
from riskmodel.cohorts.cohort import Cohort, Step
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import Duration, days, months, years
from riskmodel.explain.explanation import explanation
from riskmodel.explain.summary import Explanation
from riskmodel.fairness.audit import Audit, audit
from riskmodel.features.language import age, count
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.purposes import Purpose
from riskmodel.models.fit import fit
from riskmodel.models.learners import LightGBM
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

TEXT: dict[str, Any] = {
    "title": "Early support for young people",
    "summary": "Which young people might be offered support first. Made-up people.",
    "organisation": "Example partnership",
    "people": "young people",
    "outcome_words": "were treated for an injury by violence within a year",
    "intended_use": "To choose whose case a youth worker looks at first.",
    "not_for": "Never for:\n- policing\n- any decision without a person",
    "label_is": "An attendance coded as an injury by violence.",
    "label_is_not": "It is not violence itself.",
    "human_review": "A youth worker reads each case before anything is done.",
    "challenge_route": "Through the data protection lead.",
    "owner": "Head of early support",
    "contact": "support@example.org",
    "review_by": dt.date(2027, 3, 31),
    "decommission": "With the purpose, on 1 June 2027.",
    "synthetic": True,
}
REPORT: dict[str, Any] = {
    "feeds": {
        "police.events": {"delivered": 1000, "accepted": 990, "quarantined": {"unknown-code": 7, "future-date": 3},
                          "alarms": ["clock: 3 records were known before they happened."]},
        "health.events": {"delivered": 500, "accepted": 500, "quarantined": {}},
    }
}  # fmt: skip
QUALITY: dict[str, Any] = {
    "settings": {"method": "probabilistic", "threshold": 0.9},
    "records": 1200,
    "people": 503,
    "agencies": {"police": {"records": 700, "records_also_elsewhere": 400},
                 "health": {"records": 500, "records_also_elsewhere": 3}},
}  # fmt: skip
PUBLISHED = [
    {"figure": "AUC", "published": 0.7022, "computed": 0.7022, "agrees": True, "source": "Someone 2016"},
    {"figure": "People", "published": 998.0, "computed": 997.0, "agrees": False, "source": "Someone 2019"},
]


@dataclass(frozen=True)
class Case:
    """What a card is drafted from."""

    model: RiskModel
    audit: Audit
    purpose: Purpose
    training: TrainingSet
    explanation: Explanation

    def draft(self, text: Mapping[str, Any] = TEXT, **changed: Any) -> ModelCard:
        """A card of the case, with something changed."""
        given: dict[str, Any] = {
            "model": self.model, "audit": self.audit, "purpose": self.purpose, "training": self.training,
            "explanation": self.explanation, "text": text, "study": {"name": "small", "title": "Small"},
            "intake_report": REPORT, "linkage_quality": QUALITY, "published": PUBLISHED,
            "date": dt.date(2026, 11, 23), "edition": "1",
        } | changed  # fmt: skip
        return ModelCard.draft(given.pop("model"), given.pop("audit"), given.pop("purpose"), **given)


def small_training_set() -> TrainingSet:
    """500 people on 12 dates; the outcome of the last three dates is unknown; 8 people are of the group "other"."""
    draw, people, dates = stream(1, "card case"), 500, 12
    as_of = np.datetime64("2018-01-01", "us") + np.arange(dates) * np.timedelta64(91, "D")
    at = np.tile(as_of, people)
    risk = np.repeat(draw.normal(size=people), dates)
    features = [age(), count("domestic_abuse", role="victim", within=years(5)), count("violence", within=years(2))]
    values = [
        np.repeat(draw.integers(10, 26, people), dates),
        draw.poisson(np.exp(0.5 * risk - 1)),
        draw.poisson(np.exp(0.3 * risk - 1.5)),
    ]
    chance = 1 / (1 + np.exp(-(-3.2 + 0.9 * risk + 0.4 * values[1] + 0.3 * values[2])))
    outcome = (draw.random(people * dates) < chance).astype(float)
    outcome[at >= as_of[-3]] = np.nan
    ethnicity = np.repeat(np.array(["white"] * 380 + ["asian"] * 70 + ["black"] * 42 + ["other"] * 8), dates)
    columns = {
        "entity_id": np.repeat(np.arange(people), dates),
        "as_of": at,
        "outcome": outcome,
        "group:sex": pa.array(np.repeat(draw.choice(["female", "male"], people), dates).tolist(), pa.string()),
        "group:ethnicity": pa.array(ethnicity.tolist(), pa.string()),
        **{feature.name: value.astype(np.float32) for feature, value in zip(features, values, strict=True)},
    }
    made = TrainingSet.of(pa.table(columns), features, Duration(12, 90))
    cohort = Cohort(
        aged=(10, 25), resident_for=years(1), every=months(3), between=(dt.date(2018, 1, 1), dt.date(2021, 1, 1))
    )
    outcome_definition = Outcome("injury_by_violence", within=years(1), settles_after=days(90))
    flow = (Step("in the histories", 2003, 24036), Step("aged 10 to 25", people, people * dates))
    return dataclasses.replace(made, cohort=cohort, outcome_definition=outcome_definition, flow=flow)


@pytest.fixture(scope="session")
def case() -> Case:
    """The small run."""
    training = small_training_set()
    model = fit(
        training, LightGBM(seed=7, rounds=20), ForwardFolds(2), capacity=(0.05, 0.2), replicates=100, seed=7,
        success_bar="auroc beats best_count and auroc >= 0.55",
    )  # fmt: skip
    audited = audit(model, ["sex", "ethnicity", ("sex", "ethnicity")], training=training, capacity=0.2, seed=7)
    purpose = Purpose("early-support", "To offer help early.", "Crime and Disorder Act 1998, section 115",
                      ("police", "health"), ("birth_date", "kind"), dt.date(2027, 6, 1))  # fmt: skip
    return Case(model, audited, purpose, training, explanation(model, training, rows=300))


@pytest.fixture(scope="session")
def card(case: Case) -> ModelCard:
    """The card of the small run."""
    return case.draft()
