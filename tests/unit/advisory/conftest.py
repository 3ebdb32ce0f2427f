"""A small partnership for the advice: 160 people, two agencies, a fitted model and an approval in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.advisory.score import score
from riskmodel.advisory.scores import Scores
from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import months, years
from riskmodel.features.language import age, count, days_since
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.governance.approvals import Approval, draft_approval, sign_off
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories
from riskmodel.models.comparators import BaseRate
from riskmodel.models.fit import fit
from riskmodel.models.logistic import Logistic
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

PEOPLE = 160
CARD = "c" * 64
AS_OF = dt.date(2021, 1, 1)
COHORT = Cohort(between=(dt.date(2018, 1, 1), dt.date(2020, 1, 1)), every=months(6), aged=(10, 25))
ASKED_ONCE = replace(COHORT, every=years(100))
"""So that a list of 2021 holds today: by the cohort's own schedule it ends after six months."""
OUTCOME = Outcome("injury_by_violence", within=months(6))
FEATURES = [age(), count("domestic_abuse", within=years(2)), count("injury_by_violence"), days_since("domestic_abuse")]


def made_histories() -> Histories:
    """Every fourth person has four times the events of the others; person 160 has none."""
    rng = stream(3, "advisory", "tests")
    born: list[dt.date | None] = [
        dt.date(2000, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 2500, PEOPLE)
    ]
    known = [dt.datetime(2015, 1, 1)] * PEOPLE
    persons = pa.table({"entity_id": np.arange(1, PEOPLE + 1), "birth_date": born, "known_at": pa.array(known)})
    rows = []
    for person in range(1, PEOPLE):
        for _ in range(rng.poisson(2 + 6 * (person % 4 == 0))):
            at = dt.datetime(2016, 1, 1) + dt.timedelta(days=int(rng.integers(0, 5 * 365)))
            police = bool(rng.random() < 0.6)
            rows.append(
                {
                    "entity_id": person,
                    "happened_at": at,
                    "known_at": at + dt.timedelta(days=3),
                    "agency": "police" if police else "health",
                    "kind": "domestic_abuse" if police else "injury_by_violence",
                    "event_id": len(rows),
                }
            )
    return Histories.of(
        events=pa.Table.from_pylist(rows),
        persons=persons,
        covered_until={"police": dt.date(2021, 1, 1), "health": dt.date(2020, 12, 20)},
    )


@dataclass(frozen=True)
class Partnership:
    """Everything a request for scores needs. Tests get it as a fixture: test modules cannot import one another."""

    card = CARD
    as_of = AS_OF
    cohort = COHORT

    histories: Histories
    model: RiskModel
    purpose: Purpose
    ledger: Ledger
    folder: Path

    def approved(self, name: str = "approval.toml", **change: Any) -> Approval:
        """An approval, filled in with `change` and signed off."""
        path = draft_approval(self.folder / name, change.pop("model", self.model.fingerprint), CARD, self.purpose)
        today = dt.date.today()
        given = {
            "decision": "approved",
            "decided_by": ["chair of the ethics committee"],
            "decided_on": today - dt.timedelta(days=20),
            "valid_from": today - dt.timedelta(days=10),
            "valid_until": today + dt.timedelta(days=300),
            "conditions": "Two people review.\nNo list leaves the building",
            **change,
        }
        limits = {"oldest_data_days": 30, **given.pop("limits", {})}
        drafted = [line for line in path.read_text().splitlines() if line.startswith(("model", "card", "purpose"))]
        lines = [*drafted, *(f"{name} = {_toml(value)}" for name, value in given.items()), "[limits]"]
        path.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in limits.items())]) + "\n")
        return sign_off(path, self.ledger)

    def scores(self, approval: Approval | None, **change: Any) -> Scores:
        """Ask for scores, of a list that holds today unless another cohort is given."""
        how = {"cohort": ASKED_ONCE, "card": CARD, "purpose": self.purpose, "ledger": self.ledger, "outcome": OUTCOME}
        as_of = change.pop("as_of", AS_OF)
        model = change.pop("model", self.model)
        histories = change.pop("histories", self.histories)
        return score(model, histories, as_of, approval, **{**how, **change})

    def last_entry(self) -> tuple[str, dict[str, Any]]:
        """The newest entry of the ledger."""
        entry = list(self.ledger.entries())[-1]
        return entry.action, dict(entry.facts)


def _toml(value: Any) -> str:
    return str(value) if isinstance(value, dt.date) else repr(value).replace("'", '"')


@pytest.fixture(scope="session")
def training() -> TrainingSet:
    """The training set of the partnership's model."""
    return build_training_set(made_histories(), COHORT, OUTCOME, FEATURES, groups=())


@pytest.fixture(scope="session")
def fitted(training: TrainingSet) -> tuple[Histories, RiskModel]:
    """Histories and the model fitted on them."""
    histories = made_histories()
    model = fit(
        training, Logistic(), ForwardFolds(2), comparators=(BaseRate(),), capacity=(0.1,), replicates=100, threads=1
    )
    return histories, model


@pytest.fixture
def partnership(fitted: tuple[Histories, RiskModel], tmp_path: Path) -> Partnership:
    """A partnership with a ledger of its own."""
    histories, model = fitted
    purpose = Purpose(
        "early-support",
        "To offer help early.",
        "Crime and Disorder Act 1998, section 115",
        ("police", "health"),
        ("birth_date",),
        dt.date(9999, 1, 1),
    )
    return Partnership(histories, model, purpose, Ledger(tmp_path / "ledger.jsonl"), tmp_path)


@pytest.fixture
def scored(partnership: Partnership) -> Scores:
    """Scores under an approval in force with a working capacity of 5."""
    return partnership.scores(partnership.approved(limits={"working_capacity": 5}))


@pytest.fixture
def past(partnership: Partnership) -> Scores:
    """Scores that were valid until 1 July 2021."""
    return partnership.scores(partnership.approved("past.toml", limits={"working_capacity": 5}), cohort=COHORT)
