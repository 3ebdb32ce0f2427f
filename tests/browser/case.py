"""A small partnership with everything a board needs: 160 people, a model, its audit and card, recorded in a store.

Loaded by path from several conftests, because test modules cannot import one another.
"""

from __future__ import annotations

import datetime as dt
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import uvicorn

from riskmodel import tracking
from riskmodel.advisory.score import score
from riskmodel.advisory.scores import Scores
from riskmodel.board.accounts import Account, Accounts
from riskmodel.board.app import application
from riskmodel.board.guard import Guard
from riskmodel.board.room import Room
from riskmodel.board.serve import hosts_of
from riskmodel.cards.model_card import ModelCard
from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, months, years
from riskmodel.explain.explanation import explanation
from riskmodel.fairness.audit import Audit, audit
from riskmodel.features.language import age, count
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decision_in
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories
from riskmodel.models.fit import fit
from riskmodel.models.logistic import Logistic
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

PEOPLE = 160
TODAY = dt.datetime.now(dt.UTC).date()
START = TODAY - dt.timedelta(days=5 * 365)
COHORT = Cohort(between=(START + dt.timedelta(days=500), TODAY), every=months(6), aged=(8, 40))
OUTCOME = Outcome("injury_by_violence", within=months(6), settles_after=days(30))
PASSWORD = "correct horse battery"
PEOPLE_OF_THE_ROOM = (
    Account("c.clerk", "clerk"),
    Account("m.member", "member"),
    Account("n.member", "member"),
    Account("h.chair", "chair"),
    Account("d.scientist", "data scientist"),
    Account("o.observer", "observer"),
    Account("x.elsewhere", "chair", "other"),
)
TEXT: dict[str, Any] = {
    "title": "Early support for young people",
    "summary": "Which young people might be offered support first. Nobody here is real.",
    "organisation": "Example partnership",
    "people": "young people",
    "outcome_words": "were treated for an injury by violence within six months",
    "intended_use": "To choose whose case a youth worker looks at first.",
    "not_for": "Never for:\n- policing\n- any decision without a person",
    "label_is": "An attendance coded as an injury by violence.",
    "label_is_not": "It is not violence itself.",
    "human_review": "A youth worker reads each case before anything is done.",
    "challenge_route": "Through the data protection lead.",
    "owner": "Head of early support",
    "contact": "support@example.org",
    "review_by": TODAY + dt.timedelta(days=200),
    "decommission": "With the purpose.",
    "legal": "Part 3 of the Act for police, UK GDPR for the others.",
    "fairness_choice": "Missed young people by sex, chosen by the partnership.",
    "triggers": ["calibration outside 0.8 to 1.25"],
    "participation": "Nobody: the people are made up.",
    "children": "Children have a card of their own.",
    "equality": "Due regard was paid on 1 March.",
    "impact_assessment": "Of 1 March, with the data protection lead.",
    "training": "Half a day for each youth worker.",
    "oversight": "Views before and after the advice are counted.",
    "incidents": "To the data protection lead.",
    "synthetic": True,
}


@dataclass(frozen=True)
class Case:
    """What was made once."""

    histories: Histories
    model: RiskModel
    audit: Audit
    training: TrainingSet
    purpose: Purpose
    card: Path

    def scores(self, store: Path, approval: Approval | None) -> Scores:
        """Ask for scores as of today, into the store's ledger."""
        return score(
            self.model,
            self.histories,
            TODAY,
            approval,
            cohort=COHORT,
            card=ModelCard.load(self.card).fingerprint,
            purpose=self.purpose,
            ledger=Ledger(store / "ledger.jsonl"),
        )

    def approval(self, store: Path) -> Approval | None:
        """What the board said last, as a run finds it in the store."""
        path = decision_in(store, Ledger(store / "ledger.jsonl"), self.model.fingerprint, self.purpose.name)
        return None if path is None else Approval.load(path)


def made(folder: Path) -> Case:
    """The case; its card lies in the folder."""
    histories = _histories()
    features = [age(), count("domestic_abuse", within=years(2)), count("injury_by_violence", within=years(2))]
    training = _with_groups(build_training_set(histories, COHORT, OUTCOME, features, groups=()))
    model = fit(training, Logistic(), ForwardFolds(2), capacity=(0.1, 0.3), replicates=100, threads=1)
    audited = audit(model, ["sex", "ethnicity"], training=training, capacity=0.1)
    purpose = Purpose(
        "early-support",
        "To offer help early.",
        "Crime and Disorder Act 1998, section 115",
        ("police", "health"),
        ("birth_date",),
        dt.date(9999, 1, 1),
    )
    ModelCard.draft(
        model, audited, purpose, training=training, explanation=explanation(model, training, rows=100), text=TEXT,
        study={"name": "early-support", "title": TEXT["title"]}, date=TODAY,
    ).save(folder)  # fmt: skip
    return Case(histories, model, audited, training, purpose, folder)


def recorded(case: Case, folder: Path, empty: Path | None = None) -> Path:
    """A store with the case recorded in its own MLflow; `empty` is a database whose tables are there already."""
    folder.mkdir(parents=True)
    if empty is not None:
        shutil.copy(empty, folder / "mlflow.db")
    tracking.record(folder, study="early-support", model=case.model, audit=case.audit, training=case.training,
                    card=case.card, tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}")  # fmt: skip
    return folder


def furnished(folder: Path, stores: list[Path]) -> Room:
    """A room with its people, and these stores on the shelf of its board; another board has none."""
    folder.mkdir(parents=True, exist_ok=True)
    named = ", ".join(f'"{store}"' for store in stores)
    (folder / "room.toml").write_text(
        f'[[board]]\nname = "ethics"\ntitle = "Ethics board of Example"\nstores = [{named}]\n\n'
        '[[board]]\nname = "other"\ntitle = "Another board"\nstores = []\n'
    )
    for account in PEOPLE_OF_THE_ROOM:
        Accounts(folder).add(account, PASSWORD)
    return Room.of(folder, stores)


@contextmanager
def opened(room: Room) -> Iterator[str]:
    """The address of the room, answered by a server in this process on a free port of loopback."""
    settings = uvicorn.Config(_Later(), host="127.0.0.1", port=0, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    settings.loaded_app.app.inner = application(room, hosts_of("127.0.0.1", port))  # type: ignore[union-attr]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


class _Later:
    """The application, which can be made only when the port is known."""

    inner: Guard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner(scope, receive, send)


def _histories() -> Histories:
    """Every fourth person has four times the events of the others."""
    draw = stream(3, "board", "tests")
    born = [TODAY - dt.timedelta(days=int(each)) for each in draw.integers(16 * 365, 25 * 365, PEOPLE)]
    known = pa.array([dt.datetime.combine(START, dt.time())] * PEOPLE)
    persons = pa.table({"entity_id": np.arange(1, PEOPLE + 1), "birth_date": born, "known_at": known})
    rows = []
    for person in range(1, PEOPLE):
        for _ in range(draw.poisson(2 + 6 * (person % 4 == 0))):
            at = dt.datetime.combine(START, dt.time()) + dt.timedelta(days=int(draw.integers(0, 5 * 365 - 10)))
            police = bool(draw.random() < 0.6)
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
        events=pa.Table.from_pylist(rows), persons=persons, covered_until={"police": TODAY, "health": TODAY}
    )


def _with_groups(training: TrainingSet) -> TrainingSet:
    """The rows with made-up groups, one of them of very few people."""
    people = training.people()
    sex = ["female" if each % 2 else "male" for each in people]
    ethnicity = ["other" if each % 40 == 1 else "asian" if each % 3 else "white" for each in people]
    table = training.table.append_column("group:sex", pa.array(sex)).append_column(
        "group:ethnicity", pa.array(ethnicity)
    )
    made = TrainingSet.of(table, training.features, training.horizon)
    return replace(made, cohort=training.cohort, outcome_definition=training.outcome_definition, flow=training.flow)
