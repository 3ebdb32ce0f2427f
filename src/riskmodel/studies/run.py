"""A study from records to a card: the stages in their order, each kept when it was already made from the same inputs.

Every stage is the verb that a notebook calls; this module only passes on what the one before made, shows progress and
says where the result lies. A process killed in any stage is simply run again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from riskmodel.cards.beside import PUBLISHED
from riskmodel.cards.index import write_index
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.states import must_be_ready
from riskmodel.engines.folders import alone, publish
from riskmodel.governance.access import Glance, Store, connect
from riskmodel.governance.approvals import Approval, draft_approval, sign_off
from riskmodel.models.risk_model import RiskModel
from riskmodel.studies import linked_worlds, resources, stages
from riskmodel.studies.first_time import made_beside
from riskmodel.studies.progress import Progress, shown
from riskmodel.studies.study import Study

SHARES = {
    "deliver": 10.0,
    "receive": 6.0,
    "link": 20.0,
    "assemble": 4.0,
    "training set": 10.0,
    "fit": 20.0,
    "audit": 4.0,
    "footing": 6.0,
    "linked worlds": 200.0,
    "explain": 5.0,
    "attack": 2.0,
    "card": 6.0,
    "record": 12.0,
    "advise": 4.0,
}
"""Usual share of each stage in the time of a run, for the time left."""


class Named(Protocol):
    """A study of any kind: where it lies and what it is called."""

    @property
    def folder(self) -> Path: ...

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run reads and writes."""

    data: Path | None
    store: Path
    cards: Path
    tracking_uri: str | None
    front_page: Path | None = None  # the folder whose index names this card among others

    @classmethod
    def of(
        cls, study: Named, data: Path | None, store: Path | None, cards: Path | None, tracking_uri: str | None
    ) -> Places:
        """The given places, or the study's own: ``STUDY/run`` and ``model_cards/NAME`` of the project around it."""
        folder = study.folder.resolve()
        around = next((parent for parent in folder.parents if (parent / "model_cards").is_dir()), folder)
        beside = around / "model_cards"
        front_page = beside if cards is None else None
        return cls(data, store or folder / "run", cards or beside / study.name, tracking_uri, front_page)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: the fingerprint of every stage, card, record, and the advisory list or why there is none."""

    fingerprints: dict[str, str]
    card: Path
    advice: str
    record: str

    def summary(self) -> Iterator[str]:
        """What to print: the advice or its refusal, where the record is, and last the path of the card."""
        yield self.advice
        yield self.record
        yield f"Model card: {self.card}"


def run_study(study: Study, places: Places, society: stages.WorldMaker | None = None) -> Run:
    """Run a study from its deliveries to its card, and to an advisory list when an approval is in force.

    Parameters
    ----------
    study : Study
    places : Places
    society : makes the deliveries of a synthetic society; needed when the study declares one

    Raises
    ------
    RiskmodelError : one of its kinds, saying what to do; finished stages are kept
    """
    store = connect(f"duckdb:///{places.store}", study.purpose)
    made = {"deliver": study.declaration.feeds.world, "linked worlds": linked_worlds.are_drawn(study)}
    shares = {name: share for name, share in SHARES.items() if made.get(name, True)}
    with alone(places.store), made_beside() as made_once, shown(shares) as progress:
        return _run(study, places, store, society, Stages(store, progress, made_once))


@dataclass(slots=True)
class Stages:
    """Announces each stage, and says at its end whether it was made or kept."""

    store: Store
    progress: Progress
    loops_made: Callable[[], object] = lambda: None

    @contextmanager
    def stage(self, name: str, result: str) -> Iterator[None]:
        """One stage that makes, or finds kept, the named result."""
        before = self.store.peek(result)
        self.progress.stage(name)
        with resources.measured() as took:
            yield
        after = self.store.peek(result)
        kept = after is not None and before is not None and after.made == before.made
        if after is not None and not kept:
            resources.keep(self.store.folder, name, took)
        self.progress.done("nothing made" if after is None else f"{'kept' if kept else 'made'} {_words(after)}")


def _run(study: Study, places: Places, store: Store, society: stages.WorldMaker | None, run: Stages) -> Run:
    if study.declaration.feeds.world is not None:
        with run.stage("deliver", "delivered"):
            stages.deliver(store, study, society)
    with run.stage("receive", "received"):
        intake = stages.receive(store, study, places.data)
    with run.stage("link", "linked"):
        people = stages.link(store, study, intake)
    with run.stage("assemble", "histories"):
        histories = stages.assemble(store, people)
    with run.stage("training set", "training"):
        run.loops_made()
        training = stages.training_set(study, histories, run.progress.step)
    with run.stage("fit", "model"):
        model = stages.fit(store, study, training, run.progress.step)
    with run.stage("audit", "audit"):
        audit = stages.audit(store, study, model, training)
    with run.stage("footing", "footing"):
        footing = stages.footing(store, study, model, training)
    over = None
    if linked_worlds.are_drawn(study):
        with run.stage("linked worlds", linked_worlds.NAME):
            over = linked_worlds.audit_over_worlds(store, study, people, audit, run.progress.step)
    with run.stage("explain", "explanation"):
        explanation = stages.explain(store, model, training, footing)
    with run.stage("attack", "membership"):
        membership = stages.attack(store, study, model, training, run.progress.step, refits=footing.refits)
    with run.stage("card", "card"):
        card = stages.card(
            store,
            study,
            model,
            audit,
            explanation,
            membership,
            training,
            intake,
            people,
            histories,
            places.data,
            over,
        )
        publish(card, places.cards, PUBLISHED)
        if places.front_page is not None:
            write_index(places.front_page)
    with run.stage("record", "recorded"):
        record = stages.record(store, study.name, model, audit, training, card, places.tracking_uri)
    with run.stage("advise", "advice"):
        advice = stages.advise(store, study, model, histories, card, footing)
    return Run(_fingerprints(store), places.cards / "card.html", advice, record)


def _fingerprints(store: Store) -> dict[str, str]:
    judged = ("audit", linked_worlds.NAME, "footing", "explanation", "card")
    names = ("received", "linked", "histories", "training", "model", *judged)
    found = {name: result.fingerprint for name in names if (result := store.peek(name)) is not None}
    aside = store.folder / ".fingerprints.tmp"
    aside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, store.folder / "fingerprints.json")
    return found


def _words(result: Glance) -> str:
    rows = ", ".join(f"{count:,} {name}" for name, count in sorted(result.rows.items()))
    return f"{rows or f'{len(result.parts)} files'}, fingerprint {result.fingerprint[:12]}"


def draft_approval_for(study: Study, places: Places) -> Path:
    """Write the study's approval, still pending, beside its ``study.toml``."""
    store = connect(f"duckdb:///{places.store}", study.purpose)
    model = RiskModel.load(store.result("model").folder)
    card = stages.card_fingerprint(store.result("card").folder)
    return draft_approval(study.approval_path, model.fingerprint, card, study.purpose)


def sign_off_for(study: Study, places: Places) -> Path:
    """Seal the approval that the board has filled in, and write it into the store's ledger.

    Raises
    ------
    EvidenceError : it approves the study's card, which lacks what an approved card must hold
    """
    store = connect(f"duckdb:///{places.store}", study.purpose)
    approval = Approval.load(study.approval_path)
    card = store.result("card").folder
    if approval.decision == "approved" and approval.card == stages.card_fingerprint(card):
        must_be_ready(ModelCard.load(card).document, "approved", dt.date.today())
    sign_off(study.approval_path, store.ledger)
    return study.approval_path
