"""The stages of a study, each one verb of the package with what the study declares for it.

A stage asks the store for its result, makes it when it is not there, and always hands on what the store holds: a run
that was killed and taken up again goes on from the same bytes as one that was not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from riskmodel import tracking
from riskmodel.advisory.footing import FOOTING, Footing
from riskmodel.advisory.rehearsal import rehearsed
from riskmodel.advisory.score import score
from riskmodel.cards.beside import write_beside
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.provenance import provenance
from riskmodel.cards.referee import write_referee
from riskmodel.engines.folders import Result, read_result
from riskmodel.errors import DataRefused, DeclarationError, NotFound, RiskmodelError
from riskmodel.explain.explanation import explanation as explained
from riskmodel.explain.fields import fields_used
from riskmodel.explain.summary import Explanation
from riskmodel.fairness import audit as fairness
from riskmodel.fairness.audit import Audit
from riskmodel.fairness.figures import Rules
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.feeds import intake as feeds
from riskmodel.feeds.contract import Contract, agency_contracts, contracts_in
from riskmodel.feeds.delivery import Delivery, deliveries_in, file_of
from riskmodel.feeds.intake import Intake
from riskmodel.governance.access import Store
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decision_in
from riskmodel.histories import store as histories_store
from riskmodel.histories.delays import delays
from riskmodel.histories.store import Histories
from riskmodel.linkage import identity
from riskmodel.linkage.people import People
from riskmodel.models import fit as fitting
from riskmodel.models.checks import referee
from riskmodel.models.learners import Learner
from riskmodel.models.membership import Membership
from riskmodel.models.membership_attack import membership_attack
from riskmodel.models.refits import Refits
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import Folds
from riskmodel.models.tuning import Tuned
from riskmodel.studies import resources
from riskmodel.studies.declaration import AuditTable, ModelTable
from riskmodel.studies.published import comparisons
from riskmodel.studies.study import Study
from riskmodel.tracking.pages import where_to_look

Steps = Callable[[str, int, int], None]
TRIALS = "trials.jsonl"
"""Where the finished trials of a search for settings are kept, so that it can be taken up again."""
WorldMaker = Callable[[int, int, Path], None]
"""Writes the deliveries of a synthetic society (people, seed) to a folder."""


class Judged(Protocol):
    """What fitting and auditing ask of a study, whatever its rows were made from."""

    @property
    def learner(self) -> Learner | Tuned: ...

    @property
    def comparators(self) -> Sequence[Learner]: ...

    @property
    def folds(self) -> Folds: ...

    @property
    def audited_by(self) -> list[str | tuple[str, ...]]: ...

    @property
    def model_settings(self) -> ModelTable: ...

    @property
    def audit_settings(self) -> AuditTable: ...


def deliver(store: Store, study: Study, society: WorldMaker | None) -> None:
    """Have the deliveries of a synthetic society written, once."""
    world = study.declaration.feeds.world
    inputs = {"world": world.model_dump() if world else None}
    if world is None or store.kept("delivered", inputs) is not None:
        return
    if society is None:
        raise DeclarationError.of(
            "society-missing", where="feeds.world", found="a study of a synthetic society and nobody to make one",
            expected="a society maker", repair="Use the command line, or pass one to run_study.",
        )  # fmt: skip
    with store.writing("delivered", inputs) as draft:
        society(world.people, world.seed, draft.folder)


def receive(store: Store, study: Study, data: Path | None) -> Intake:
    """Pass the deliveries through their contracts."""
    if study.declaration.feeds.world is not None:
        sent = deliveries_in(store.result("delivered").folder)
        return feeds.receive(store, [one for one in sent if one.agency in study.purpose.controllers])
    contracts = study_contracts(study)
    return feeds.receive(store, folder_deliveries(study, contracts, data), contracts=contracts)


def study_contracts(study: Study) -> tuple[Contract, ...]:
    """The contracts that read the study's deliveries: its own, or the package's."""
    own = study.declaration.feeds.contracts
    return contracts_in(study.folder / own) if own else tuple(agency_contracts().values())


def folder_deliveries(study: Study, contracts: tuple[Contract, ...], data: Path | None) -> list[Delivery]:
    """The files of a study that brings its own: those that its folder lists, or one delivery a feed."""
    declared = study.declaration.feeds
    place = _data_folder(study, data)
    if declared.received_at is None or declared.covers is None:
        return deliveries_in(place)
    return [
        Delivery(
            feed=feed.name,
            path=file_of(feed, place),
            received_at=declared.received_at,
            covers_from=declared.covers[0],
            covers_until=declared.covers[1],
        )
        for contract in contracts
        for feed in contract.feeds
    ]


def _data_folder(study: Study, data: Path | None) -> Path:
    return data_folder(study.folder, study.name, str(study.declaration.feeds.folder), data)


def data_folder(folder: Path, study: str, name: str, data: Path | None) -> Path:
    """Where the files `name` of a study lie: in the given folder, or in the data folder of study or project."""
    places = [data / name, data] if data else [folder / "data" / name, folder / "data", Path("data") / name]
    for place in places:
        if place.is_dir() and (data is None or place == places[0] or any(place.glob("*.*"))):
            return place
    raise NotFound(
        "data-missing",
        found=f"no folder {name!r} in {data or folder / 'data'}",
        expected=f"the files of the study {study}",
        repair=f"Give the folder with --data or RISKMODEL_DATA; `riskmodel data fetch {study}` brings what it knows.",
    )


def link(store: Store, study: Study, intake: Intake) -> People:
    """Join records into people."""
    settings = study.declaration.linkage
    return identity.link(
        store,
        intake,
        method=settings.method,
        threshold=settings.threshold,
        seed=settings.seed,
        draws=settings.draws,
    )


def assemble(store: Store, people: People) -> Histories:
    """Lay every fact on one time line."""
    return histories_store.assemble(store, people)


def training_set(study: Study, histories: Histories, steps: Steps) -> TrainingSet:
    """Person x as-of rows with features and outcome."""
    return build_training_set(
        histories,
        study.cohort,
        study.outcome,
        study.features,
        groups=tuple(study.declaration.features.groups),
        carry=study.carry,
        progress=lambda done, total: steps("rows", done, total),
    )


def fit(store: Store, study: Judged, training: TrainingSet, steps: Steps) -> RiskModel:
    """Fit the model and judge it beside its comparators."""
    settings = study.model_settings
    inputs = {"training": training.fingerprint, "model": settings.model_dump()}

    def make(folder: Path) -> None:
        model = fitting.fit(
            training,
            study.learner,
            study.folds,
            calibrate=None if settings.calibrate == "none" else settings.calibrate,
            comparators=study.comparators,
            capacity=tuple(settings.capacity),
            seed=settings.seed,
            success_bar=settings.success_bar,
            journal=store.folder / TRIALS,
            progress=steps,
        )
        model.save(folder)

    return RiskModel.load(made_once(store, "model", inputs, make).folder)


def audit(store: Store, study: Judged, model: RiskModel, training: TrainingSet) -> Audit:
    """Compare errors and calibration between groups."""
    settings = study.audit_settings
    inputs = {"model": model.fingerprint, "training": training.fingerprint, "audit": settings.model_dump()}

    def make(folder: Path) -> None:
        found = fairness.audit(
            model,
            study.audited_by,
            training=training,
            capacity=settings.capacity,
            rules=Rules(reference=settings.reference),
            seed=study.model_settings.seed,
        )
        found.save(folder)

    return Audit.load(made_once(store, "audit", inputs, make).folder)


def footing(store: Store, study: Study, model: RiskModel, training: TrainingSet) -> Footing:
    """Make what advice is checked against: refits that reasons have to agree with, and who taught the model."""
    settings = study.declaration.advice
    inputs = {"model": model.fingerprint, "training": training.fingerprint, "refits": settings.refits}

    def make(folder: Path) -> None:
        Footing.of(model, training, refits_made=settings.refits, seed=study.model_settings.seed).save(folder)

    return Footing.load(made_once(store, FOOTING, inputs, make).folder)


def attack(
    store: Store,
    study: Judged,
    model: RiskModel,
    training: TrainingSet,
    steps: Steps,
    *,
    refits: Refits | None = None,
    strangers: TrainingSet | None = None,
) -> Membership | None:
    """Try to tell who was among those who taught the saved model; None where there are too few people to try.

    `refits`, where there are any, spare making the model again; `strangers` are people whom it never saw.
    """
    by = [one for one in study.audited_by if isinstance(one, str)]
    seed = study.model_settings.seed
    beside = {"refits": refits and refits.fingerprint, "strangers": strangers and strangers.fingerprint}
    inputs = {"model": model.fingerprint, "training": training.fingerprint, "by": by, "seed": seed, **beside}

    def make(folder: Path) -> None:
        membership_attack(model, training, refits=refits, strangers=strangers, by=by, seed=seed, progress=steps).save(
            folder
        )

    try:
        return Membership.load(made_once(store, "membership", inputs, make).folder)
    except DataRefused:
        return None


def explain(store: Store, model: RiskModel, training: TrainingSet, against: Footing | None = None) -> Explanation:
    """Say what carries the scores and how far that holds still, counted as advice tells it where there is a footing."""
    checked = {} if against is None else {"refits": against.refits.fingerprint}
    inputs = {"model": model.fingerprint, "training": training.fingerprint, **checked}

    def make(folder: Path) -> None:
        explained(model, training, refits=2 if against is None else against.refits).save(folder)

    return Explanation.load(made_once(store, "explanation", inputs, make).folder)


def card(
    store: Store,
    study: Study,
    model: RiskModel,
    audit: Audit,
    explanation: Explanation,
    membership: Membership | None,
    training: TrainingSet,
    intake: Intake,
    people: People,
    histories: Histories,
    data: Path | None,
    linked_worlds: dict[str, Any] | None = None,
) -> Path:
    """Write the card, and the report for a referee beside it; returns their folder."""
    published = published_figures(study, data)
    inputs = {
        "parts": [intake.fingerprint, people.fingerprint, training.fingerprint, model.fingerprint],
        "judged": [audit.fingerprint, explanation.fingerprint, membership.fingerprint if membership else None],
        "linked_worlds": linked_worlds,
        "study": study.declaration.model_dump(mode="json"),
        "published": published,
    }

    def make(folder: Path) -> None:
        used = fields_used(
            study.purpose.fields,
            intake.report,
            model,
            training,
            linked_by_comparing=study.declaration.linkage.method != "shared_key",
            seed=study.model_settings.seed,
        )
        checks = referee(model, training, histories)
        drafted = ModelCard.draft(
            model,
            audit,
            study.purpose,
            training=training,
            explanation=explanation,
            text=study.declaration.card,
            study=study.declaration.study.model_dump(mode="json"),
            intake_report={**intake.report, "fields_used": used.document(), "delays": delays(histories)},
            linkage_quality=people.quality,
            published=published,
            linked_worlds=linked_worlds,
            membership=membership,
            withheld=rehearsed(model, training, training.group_names),
            checks=checks,
            date=study.declaration.study.date,
            edition=study.declaration.study.edition,
        )
        saved = drafted.dated(provenance(intake.fingerprint)).save(folder)
        write_beside(saved, folder)
        write_referee(saved, model, checks, folder)

    return made_once(store, "card", inputs, make).folder


def published_figures(study: Study, data: Path | None) -> list[dict[str, Any]]:
    """The study's published comparisons, computed again from its own files."""
    declared = study.declaration.published
    return [made.document() for made in comparisons(declared, _data_folder(study, data))] if declared else []


def record(
    store: Store, study: str, model: RiskModel, audit: Audit, training: TrainingSet, card: Path, uri: str | None
) -> str:
    """Write the run into MLflow, with the head of the ledger as it then is, so that it is kept in two places.

    Returns
    -------
    str, where to look at it
    """
    held = store.peek(FOOTING)
    footing_at = None if held is None else store.result(FOOTING).folder
    inputs = {
        "model": model.fingerprint,
        "audit": audit.fingerprint,
        "card": card_fingerprint(card),
        "uri": uri,
        **({} if held is None else {"footing": held.fingerprint}),
    }

    def make(folder: Path) -> None:
        recorded = tracking.record(
            store.folder,
            study=study,
            model=model,
            audit=audit,
            training=training,
            card=card,
            footing=footing_at,
            parameters={"ledger": asdict(store.ledger.head())},
            made_from=_made_from(store),
            took=tracking.Took(resources.kept(store.folder), resources.machine()),
            tracking_uri=uri,
        )
        write_recorded(folder, recorded)

    return where_recorded(made_once(store, "recorded", inputs, make))


def write_recorded(folder: Path, made: tracking.RunRecord) -> None:
    """Say in a result where a run was recorded, for those who look for it there."""
    held = {"run": made.run_id, "model": made.model_uri, "tracking": made.tracking_uri, "page": made.page}
    text = json.dumps(held, indent=1)
    (folder / "recorded.json").write_text(text + "\n", encoding="utf-8")


def where_recorded(recorded: Result) -> str:
    """Where a person looks at the run in MLflow, in words."""
    held = json.loads(recorded.path("recorded.json").read_text(encoding="utf-8"))
    return where_to_look(held["tracking"], held.get("page", ""))  # records of before have no page


def _made_from(store: Store) -> dict[str, str]:
    """The fingerprints of what the rows were made from, of those that the store holds."""
    named = {"received": "deliveries as received", "linked": "people", "histories": "histories"}
    found = {words: store.peek(name) for name, words in named.items()}
    return {words: held.fingerprint for words, held in found.items() if held is not None}


def card_fingerprint(folder: Path) -> str:
    """The fingerprint by which the board's approval names a card."""
    return str(json.loads((folder / "card.json").read_text(encoding="utf-8"))["fingerprint"])


def advise(store: Store, study: Study, model: RiskModel, histories: Histories, card: Path, against: Footing) -> str:
    """An advisory list when an approval is in force; otherwise the sentence that says why there is none."""
    settings = study.declaration.advice
    by_the_board = decision_in(store.folder, store.ledger, model.fingerprint, study.purpose.name)
    path = by_the_board or study.approval_path
    if not path.exists() or settings.as_of is None:
        return (
            "No advisory list: nobody has approved this model. The board decides on the card; "
            f"`riskmodel board {study.folder}` opens the room in which it does so, and "
            f"`riskmodel approval draft {study.folder}` writes a form it can fill in instead."
        )
    try:
        scores = score(
            model,
            histories,
            settings.as_of,
            Approval.load(path),
            cohort=study.cohort,
            outcome=study.outcome,
            purpose=study.purpose,
            card=card_fingerprint(card),
            ledger=store.ledger,
            footing=against,
            never=settings.never_shown,
            relatives=settings.relatives_shown,
            card_at=f"{study.name}/card.html",
            made_up=study.declaration.feeds.world is not None,
        )
        scores.must_hold("export")
    except RiskmodelError as refusal:
        earlier = "" if store.peek("advice") is None else " An earlier list lies in the store: do not use it."
        return f"No advisory list: {refusal}{earlier}"
    inputs = {"scores": scores.fingerprint}
    earlier_list = read_result(store.folder, "advice")
    if earlier_list is not None and store.kept("advice", inputs) is None:
        earlier_list.must_be_as_made()  # its columns for reviews may be filled in
    result = made_once(store, "advice", inputs, scores.export)
    return f"Advisory list for {scores.people:,} people, to be judged by a professional: {result.folder}"


def made_once(store: Store, name: str, inputs: dict[str, Any], make: Callable[[Path], object]) -> Result:
    """The result `name` of these inputs: what the store holds, or made now."""
    kept = store.kept(name, inputs)
    if kept is not None:
        return kept
    with store.writing(name, inputs) as draft:
        make(draft.folder)
    return store.result(name)
