"""A study of a finished table, from the file to the card: check, choose, fit, audit, explain, score once, card, record.

The stages of fitting, auditing, explaining and recording are those of every study. What is its own: the model is
chosen on the teaching rows and the choice is in the ledger before a judged row is scored.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.cards.beside import PUBLISHED, write_beside
from riskmodel.cards.index import write_index
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.provenance import provenance
from riskmodel.cards.referee import write_referee
from riskmodel.cards.text import CardText
from riskmodel.engines.folders import alone, publish
from riskmodel.errors import DeclarationError, Fault
from riskmodel.explain.summary import Explanation
from riskmodel.fairness.audit import Audit
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose
from riskmodel.models.checks import referee
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import Learner
from riskmodel.models.membership import Membership
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import PersonFolds
from riskmodel.models.tuning import Tuned
from riskmodel.studies import stages
from riskmodel.studies.declaration import AuditTable, ModelTable, parsed, read_text
from riskmodel.studies.expressions import evaluate
from riskmodel.studies.progress import shown
from riskmodel.studies.run import Places, Stages
from riskmodel.studies.study import LEARNER_WORDS
from riskmodel.studies.table_choice import FILE, Choice, chosen_by_folds, taught
from riskmodel.studies.table_declaration import BesideTable, TableDeclaration, derived_of, fields_of
from riskmodel.studies.table_scores import Trick, challenge_scores, frontier
from riskmodel.studies.table_source import Rows, judged_rows, never_seen, read_table, rows_of
from riskmodel.tables import fingerprint_table

SHARES = {
    "check": 2.0,
    "choose": 60.0,
    "fit": 15.0,
    "audit": 4.0,
    "explain": 6.0,
    "attack": 4.0,
    "score": 8.0,
    "card": 6.0,
    "record": 12.0,
}
"""Usual share of each stage in the time of a run."""
CHOSEN_BY = "sex"
"""The group over whose values the candidates' Brier scores are averaged, as the challenge does."""


@dataclass(frozen=True, slots=True)
class TableStudy:
    """A study of a finished table: its folder and everything it declares; the learner once it is chosen."""

    folder: Path
    declaration: TableDeclaration
    purpose: Purpose
    candidates: dict[str, Learner | Tuned]
    comparators: tuple[Learner, ...]
    chosen: str = ""

    @property
    def name(self) -> str:
        """The study's short name."""
        return self.declaration.study.name

    @property
    def learner(self) -> Learner | Tuned:
        """The learner of the card's model; the first candidate until one is chosen."""
        return self.candidates[self.chosen or next(iter(self.candidates))]

    @property
    def folds(self) -> PersonFolds:
        """Folds by person: a finished table has no time of its own."""
        return PersonFolds(self.model_settings.folds, seed=self.model_settings.seed)

    @property
    def audited_by(self) -> list[str | tuple[str, ...]]:
        """Attributes and intersections of the audit."""
        return [tuple(by) if isinstance(by, list) else by for by in self.declaration.audit.by]

    @property
    def model_settings(self) -> ModelTable:
        """How the model is judged, with the learner that was chosen."""
        return self.declaration.model.model_copy(update={"learner": self.chosen})

    @property
    def audit_settings(self) -> AuditTable:
        """How groups are compared."""
        return self.declaration.audit

    @classmethod
    def load(cls, folder: str | Path) -> TableStudy:
        """Read the study in a folder.

        Raises
        ------
        DeclarationError : every fault of the text; then fields that a round may not use, and learners that are none
        """
        folder = Path(folder)
        declared = parsed(read_text(folder), TableDeclaration)
        faults: list[Fault] = []
        code = ""
        for round_ in declared.rounds:
            try:
                fields_of(declared, round_)
                derived_of(declared, round_)
            except DeclarationError as error:
                faults += [fault for fault in error.faults if fault not in faults]
                code = code or error.code
        if faults:
            raise DeclarationError(code, faults=faults)
        CardText.from_mapping(declared.card)
        words = LEARNER_WORDS
        return cls(
            folder,
            declared,
            Purpose.from_mapping(declared.purpose.model_dump()),
            {text: evaluate(text, words, "choice.candidates") for text in declared.choice.candidates},
            tuple(evaluate(text, words, "model.comparators") for text in declared.model.comparators),
        )


@dataclass(frozen=True, slots=True)
class TableRun:
    """A finished run of a table study: the scores on the judged rows, the card and the record."""

    scores: Mapping[str, Any]
    card: Path
    record: str

    def summary(self) -> Iterator[str]:
        """What to print: each round's score beside its target, where the record is, and last the path of the card."""
        for made in self.scores["rounds"]:
            score, target = made["scores"]["average"], made["target"]
            said = "reached" if score["value"] <= target else "not reached"
            interval = f"{score['low']:.4f} to {score['high']:.4f}"
            yield f"Round {made['round']}: {score['value']:.4f} ({interval}), target {target:.4f} {said}"
        yield self.record
        yield f"Model card: {self.card}"


def run_table_study(study: TableStudy, places: Places) -> TableRun:
    """Run a table study from its file to its card."""
    store = connect(f"duckdb:///{places.store}", study.purpose)
    with alone(places.store), shown(SHARES) as progress:
        run = Stages(store, progress)
        with run.stage("check", "table"):
            table, report = check(store, study, places.data)
            rounds = {each.number: rows_of(table, study.declaration, each, report) for each in study.declaration.rounds}
        with run.stage("choose", "choice"):
            choice = choose(store, study, rounds, progress.step)
        first = min(rounds)
        chosen = replace(study, chosen=choice.chosen(first))
        training = rounds[first].training
        with run.stage("fit", "model"):
            model = stages.fit(store, chosen, training, progress.step)
        with run.stage("audit", "audit"):
            audit = stages.audit(store, chosen, model, training)
        with run.stage("explain", "explanation"):
            explanation = stages.explain(store, model, training)
        with run.stage("attack", "membership"):
            round_ = next(each for each in study.declaration.rounds if each.number == first)
            judged = never_seen(table, study.declaration, round_, rounds[first])
            membership = stages.attack(store, chosen, model, training, run.progress.step, strangers=judged)
        with run.stage("score", "scores"):
            scores = score(store, study, table, rounds, choice, places.data)
        with run.stage("card", "card"):
            folder = card(store, study, (model, audit, explanation, membership), rounds[first], scores)
            publish(folder, places.cards, PUBLISHED)
            if places.front_page is not None:
                write_index(places.front_page)
        with run.stage("record", "recorded"):
            record = stages.record(store, study.name, model, audit, training, folder, places.tracking_uri)
    return TableRun(scores, places.cards / "card.html", record)


def check(store: Store, study: TableStudy, data: Path | None) -> tuple[pa.Table, dict[str, Any]]:
    """The table, checked column by column; what the check found is kept."""
    table, report = read_table(files_of(study, data) / study.declaration.table.file, study.declaration)
    fingerprint = fingerprint_table(table)
    inputs = {"table": fingerprint, "declared": study.declaration.table.model_dump(mode="json")}

    def make(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    stages.made_once(store, "table", inputs, make)
    store.ledger.append("check", table=fingerprint, rows=table.num_rows, purpose=study.purpose.name)
    return table, report


def files_of(study: TableStudy, data: Path | None) -> Path:
    """Where the study's files lie."""
    return stages.data_folder(study.folder, study.name, study.declaration.table.folder, data)


def choose(store: Store, study: TableStudy, rounds: Mapping[int, Rows], steps: stages.Steps) -> Choice:
    """Choose a model for each round on the teaching rows, and write the choice into the ledger."""
    settings = study.declaration.choice
    inputs = {
        "training": {str(number): rows.training.fingerprint for number, rows in rounds.items()},
        "choice": settings.model_dump(),
    }

    def make(folder: Path) -> None:
        done = 0
        made = {}
        for number, rows in rounds.items():

            def step(name: str, number: int = number) -> None:
                nonlocal done
                steps(f"round {number}: {name.partition('(')[0]}", done, len(rounds) * len(study.candidates))
                done += 1

            made[str(number)] = chosen_by_folds(
                rows.training, study.candidates, CHOSEN_BY, settings.folds, settings.seed, step
            )
        choice = Choice({"rounds": made, "folds": settings.folds, "seed": settings.seed, "said": settings.said})
        (folder / FILE).write_text(choice.text(), encoding="utf-8")

    kept = stages.made_once(store, "choice", inputs, make)
    choice = Choice.read(kept.path(FILE).read_text(encoding="utf-8"))
    if not choice.is_recorded(store.ledger):
        choice.record(store.ledger)
    return choice


def score(
    store: Store, study: TableStudy, table: pa.Table, rounds: Mapping[int, Rows], choice: Choice, data: Path | None
) -> dict[str, Any]:
    """Score the judged rows with the chosen models, taught on all teaching rows; refuses a choice not in the ledger."""
    choice.must_be_recorded(store.ledger)
    declared = study.declaration
    inputs: dict[str, Any] = {
        "choice": choice.fingerprint,
        "table": fingerprint_table(table),
        "caps": declared.model.caps,
        "slopes": declared.model.slopes,
        "listed": declared.model.listed,
    }
    tricks = [Trick(cap=cap) for cap in declared.model.caps] + [Trick(slope=slope) for slope in declared.model.slopes]
    inputs["beside"] = [each.model_dump() for each in declared.beside]
    inputs["targets"] = [each.target for each in declared.rounds]

    def make(folder: Path) -> None:
        made = []
        for round_ in declared.rounds:
            rows = rounds[round_.number]
            training = rows.training
            learner = study.candidates[choice.chosen(round_.number)]
            labelled = Labelled.of(training)
            made_of_all = taught(learner, labelled, np.arange(len(labelled.outcome)), "final")
            outcome, groups = judged_rows(table, declared, round_)
            of_rows = outcome, made_of_all.predict(rows.judged), groups["sex"], groups["ethnicity"]
            held = choice.document["rounds"][str(round_.number)]
            made.append(
                {
                    "round": round_.number,
                    "target": round_.target,
                    "teaching": training.table.num_rows,
                    "judged": len(outcome),
                    "chosen": held["chosen"],
                    "mean_brier": held["mean_brier"],
                    "mean_brier_of_choosing": held["mean_brier_of_choosing"],
                    "scores": challenge_scores(*of_rows),
                    "frontier": frontier(*of_rows, tricks, declared.model.listed),
                }
            )
        document = {
            "choice": choice.fingerprint,
            "said": declared.choice.said,
            "listed": declared.model.listed,
            "rounds": made,
            "beside": beside(declared, files_of(study, data)),
        }
        (folder / "scores.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        store.ledger.append("score", choice=choice.fingerprint, purpose=study.purpose.name, rounds=len(made))

    kept = stages.made_once(store, "scores", inputs, make)
    found: dict[str, Any] = json.loads(kept.path("scores.json").read_text(encoding="utf-8"))
    return found


def beside(declared: TableDeclaration, folder: Path) -> list[dict[str, Any]]:
    """Published scores on the same split, from the declared files."""
    made = []
    for each in declared.beside:
        with (folder / each.file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if all(row[name] == value for name, value in each.only.items()):
                    figures = {name: float(row[name]) for name in ("men", "women", "average")}
                    figures |= {"all": float(row["all"])} if row.get("all") else {}
                    made.append({"round": int(row["round"]), "who": _who(each, row), **figures})
    return made


def _who(each: BesideTable, row: Mapping[str, str]) -> str:
    return ", ".join(row[name] for name in each.names) + (f" ({each.by})" if each.by else "")


def card(
    store: Store,
    study: TableStudy,
    made: tuple[RiskModel, Audit, Explanation, Membership | None],
    rows: Rows,
    scores: Mapping[str, Any],
) -> Path:
    """Write the card of the first round's model, with the scores of every round; returns its folder."""
    model, audit, explanation, membership = made
    inputs = {
        "parts": [rows.training.fingerprint, model.fingerprint, audit.fingerprint, explanation.fingerprint],
        "study": study.declaration.model_dump(mode="json"),
        "scores": scores,
        "membership": membership.fingerprint if membership else None,
    }

    def make(folder: Path) -> None:
        checks = referee(model, rows.training)
        drafted = ModelCard.draft(
            model,
            audit,
            study.purpose,
            training=rows.training,
            explanation=explanation,
            text=study.declaration.card,
            study=study.declaration.study.model_dump(mode="json"),
            scored=scores,
            membership=membership,
            checks=checks,
            date=study.declaration.study.date,
            edition=study.declaration.study.edition,
        )
        saved = drafted.dated(provenance(rows.training.fingerprint)).save(folder)
        write_beside(saved, folder)
        write_referee(saved, model, checks, folder)

    return stages.made_once(store, "card", inputs, make).folder
