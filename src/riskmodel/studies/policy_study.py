"""A policy evaluation from its roll-out to its card: records, plan, power, effects, card.

The order is the point. The plan stands in the ledger before an outcome is opened; what the study could have seen is
worked out on the periods before anybody started; then the outcomes are opened, once, and everything the plan names is
made. Each stage is kept when it was made from the same inputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel import tracking
from riskmodel.cards.beside import PUBLISHED, write_beside
from riskmodel.cards.evaluation import draft_evaluation
from riskmodel.cards.index import write_index
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.provenance import provenance
from riskmodel.engines.folders import alone, publish
from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import SORTED_BY, Histories, coverage_of
from riskmodel.policies.design import Plan
from riskmodel.policies.registration import register
from riskmodel.studies import resources
from riskmodel.studies.declaration import parsed, read_text
from riskmodel.studies.policy_declaration import PolicyDeclaration, PolicyWorldTable, plan_of
from riskmodel.studies.policy_evaluation import evaluate, power_before
from riskmodel.studies.progress import shown
from riskmodel.studies.run import Places, Stages
from riskmodel.studies.stages import Steps, card_fingerprint, data_folder, made_once, where_recorded, write_recorded
from riskmodel.tables import fingerprint_table

SHARES = {"records": 10.0, "plan": 1.0, "power": 30.0, "effects": 50.0, "card": 9.0, "record": 10.0}
"""Usual share of each stage in the time of a run."""
RecordsMaker = Callable[[PolicyWorldTable, Path], None]
"""Writes the linked records and the roll-out of a synthetic society with a policy into a folder."""


@dataclass(frozen=True, slots=True)
class PolicyStudy:
    """An evaluation: its folder and what it declares."""

    folder: Path
    declaration: PolicyDeclaration
    purpose: Purpose

    @property
    def name(self) -> str:
        """The study's short name, also that of its card's folder."""
        return self.declaration.study.name

    @classmethod
    def load(cls, folder: str | Path) -> PolicyStudy:
        """Read the study in a folder.

        Raises
        ------
        NotFound : no ``study.toml`` there
        DeclarationError : every fault of its text
        """
        folder = Path(folder)
        declared = parsed(read_text(folder), PolicyDeclaration)
        if (declared.records.world is None) == (declared.records.folder is None):
            raise DeclarationError.of(
                "records-source", where="records", found="none or both of `world` and `folder`",
                expected="exactly one", repair="Say where the records come from.",
            )  # fmt: skip
        return cls(folder, declared, Purpose.from_mapping(declared.purpose.model_dump()))


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """A finished evaluation."""

    evaluation: dict[str, Any]
    card: Path
    record: str

    def summary(self) -> Iterator[str]:
        """What to print: the answer, the grade, deviations from the plan, where the record is, and last the card."""
        yield str(self.evaluation["finding"])
        yield str(self.evaluation["grade"]["words"]) + "."
        deviations = self.evaluation["deviations"]
        yield from (f"Not as planned - {said}" for said in deviations)
        if not deviations:
            yield "Everything was done as planned."
        yield self.record
        yield f"Evaluation card: {self.card}"


def run_policy_study(study: PolicyStudy, places: Places, society: RecordsMaker | None = None) -> PolicyRun:
    """Run an evaluation from its roll-out to its card.

    Parameters
    ----------
    society : makes the records of a synthetic society; needed when the study declares one
    """
    store = connect(f"duckdb:///{places.store}", study.purpose)
    with alone(places.store), shown(SHARES) as progress:
        run = Stages(store, progress)
        with run.stage("records", "histories"):
            histories, roll_out = records(store, study, places.data, society)
        with run.stage("plan", "plan"):
            plan = planned(store, study, roll_out)
        with run.stage("power", "power"):
            power = power_of(store, study, plan, histories, run.progress.step)
        with run.stage("effects", "evaluation"):
            evaluation = effects(store, study, plan, histories, roll_out, power, run.progress.step)
        with run.stage("card", "card"):
            made = card(store, study, evaluation)
            publish(made, places.cards, PUBLISHED)
            if places.front_page is not None:
                write_index(places.front_page)
        with run.stage("record", "recorded"):
            recorded = record(store, study, made, places.tracking_uri)
    return PolicyRun(evaluation, places.cards / "card.html", recorded)


def records(
    store: Store, study: PolicyStudy, data: Path | None, society: RecordsMaker | None
) -> tuple[Histories, pa.Table]:
    """The linked records, as histories, and the roll-out."""
    declared = study.declaration.records
    if declared.world is None:
        folder = data_folder(study.folder, study.name, str(declared.folder), data)
    else:
        if society is None:
            raise DeclarationError.of(
                "society-missing", where="records.world", found="a synthetic society and nobody to make one",
                expected="a maker of records", repair="Use the command line, or pass one to run_policy_study.",
            )  # fmt: skip
        world, make = declared.world, society
        folder = made_once(store, "society", {"world": world.model_dump()}, lambda at: make(world, at)).folder
    tables = {name: _read(folder, name) for name in ("events", "residences", "relations")}
    covered = declared.covered_until
    inputs = {
        "tables": {name: fingerprint_table(table) for name, table in tables.items()},
        "covered_until": {agency: str(day) for agency, day in sorted(covered.items())},
    }
    if store.kept("histories", inputs) is None:
        made = Histories.of(**tables, covered_until=covered)
        with store.writing("histories", inputs) as draft:
            for name, order in SORTED_BY.items():
                draft.write(name, made.result.table(name), order)
            draft.write_document("coverage", coverage_of(made.events, covered))
    return Histories(store, store.result("histories")), _read(folder, "roll_out")


def planned(store: Store, study: PolicyStudy, roll_out: pa.Table) -> Plan:
    """The plan, written into the ledger before any outcome is opened."""
    plan = plan_of(study.declaration, roll_out)
    register(plan, store.ledger)

    def make(folder: Path) -> None:
        (folder / "plan.json").write_text(json.dumps(plan.document(), indent=1) + "\n", encoding="utf-8")

    made_once(store, "plan", {"plan": plan.fingerprint}, make)
    return plan


def power_of(store: Store, study: PolicyStudy, plan: Plan, histories: Histories, steps: Steps) -> list[dict[str, Any]]:
    """What each outcome's study can see, from the periods before the first start."""
    inputs = {"plan": plan.fingerprint, "histories": histories.fingerprint, "seed": study.declaration.policy.seed}
    if store.kept("power", inputs) is None:
        made = power_before(plan, histories, study.declaration.policy.seed, steps)
        with store.writing("power", inputs) as draft:
            draft.write_document("power", made)
    found: list[dict[str, Any]] = store.result("power").document("power")
    return found


def effects(
    store: Store,
    study: PolicyStudy,
    plan: Plan,
    histories: Histories,
    roll_out: pa.Table,
    power: list[dict[str, Any]],
    steps: Steps,
) -> dict[str, Any]:
    """Open the outcomes and make everything that the plan names."""
    declared = study.declaration
    inputs = {
        "plan": plan.fingerprint,
        "histories": histories.fingerprint,
        "power": power,
        "settings": declared.model_dump(mode="json", exclude={"card", "study"}),
        "roll_out": fingerprint_table(roll_out),
    }
    if store.kept("evaluation", inputs) is None:
        made = evaluate(declared, plan, histories, roll_out, store.ledger, power, steps)
        with store.writing("evaluation", inputs) as draft:
            draft.write_document("evaluation", made)
    found: dict[str, Any] = store.result("evaluation").document("evaluation")
    return found


def card(store: Store, study: PolicyStudy, evaluation: dict[str, Any]) -> Path:
    """Write the evaluation card and the one-page summary; returns their folder."""
    declared = study.declaration
    made_of = _made_of(store)
    text, named = declared.card.model_dump(mode="json"), declared.study.model_dump(mode="json")
    inputs = {"made_of": made_of, "text": text, "study": named}

    def make(folder: Path) -> None:
        document = draft_evaluation(evaluation, made_of, study.purpose, text=text, study=named)
        drafted = ModelCard.from_document(document).dated(provenance(made_of["histories"]))
        write_beside(drafted.save(folder), folder)

    return made_once(store, "card", inputs, make).folder


def record(store: Store, study: PolicyStudy, card: Path, uri: str | None) -> str:
    """Write the evaluation into MLflow, where the board's reading room finds it; returns where to look at it."""

    def make(folder: Path) -> None:
        made = tracking.record_evaluation(
            store.folder,
            study=study.name,
            card=card,
            made_from=_made_of(store),
            took=tracking.Took(resources.kept(store.folder), resources.machine()),
            tracking_uri=uri,
        )
        write_recorded(folder, made)

    held = made_once(store, "recorded", {"card": card_fingerprint(card), "uri": uri}, make)
    return where_recorded(held)


def _made_of(store: Store) -> dict[str, str]:
    """The fingerprints of what the card is made of."""
    glances = {name: store.peek(name) for name in ("plan", "histories", "power", "evaluation")}
    return {name: glance.fingerprint for name, glance in glances.items() if glance is not None}


def _read(folder: Path, name: str) -> pa.Table:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise NotFound(
            "records-missing", found=f"no {path.name}", expected="events, residences, relations and roll_out",
            repair="Put the linked records and the roll-out into the folder as Parquet files.",
        )  # fmt: skip
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataRefused(
            "records-unreadable", found=f"{path.name}, which cannot be read ({type(error).__name__})",
            expected="a Parquet file", repair="Write the file again.",
        ) from error  # fmt: skip
