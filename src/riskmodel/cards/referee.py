"""The report for a referee: every question with its evidence, every figure with its interval, every fold.

It is for those who check the study and may see its counts, so it stays with the run and is never published: the card
holds the questions and their answers, and figures after disclosure control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cards import html
from riskmodel.cards.blocks import Block, Callout, Cell, Column, Facts, Paragraph, Section, Table
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.sections.questions import ANSWERS, said
from riskmodel.cards.words import learner_words, measure_words, plain
from riskmodel.models.checking import Check
from riskmodel.models.evaluation import ALL, MODEL
from riskmodel.models.risk_model import RiskModel

PAGE = "referee.html"


def write_referee(card: ModelCard, model: RiskModel, checks: Sequence[Check], folder: str | Path) -> Path:
    """Write ``referee.html`` beside the card of a run; returns its path."""
    sections = [_questions(checks), _figures(model), _leads(model), _folds(model), _settings(model)]
    document = {
        **card.document,
        "kind": "Report for a referee",
        "sections": [section.document() for section in sections],
    }
    path = Path(folder) / PAGE
    path.write_text(html.page(document), encoding="utf-8", newline="\n")
    return path


def _questions(checks: Sequence[Check]) -> Section:
    rows = tuple((check.question, ANSWERS[check.answer], check.evidence) for check in checks)
    warning = Callout("Counts on this page are not suppressed. It stays with those who may see them.", "warning")
    return Section(
        "questions", "Questions and evidence", (warning, said(checks), _table(rows, ("Question", "Answer", "Evidence")))
    )


def _table(rows: tuple[tuple[Cell, ...], ...], headings: tuple[str, ...]) -> Table:
    return Table("Each question and its answer", tuple(Column(heading) for heading in headings), rows)


def _figures(model: RiskModel) -> Section:
    names = model.evaluation.models
    found = _by_metric(model.evaluation.metrics)
    rows = tuple((measure_words(metric), *(cells.get(name) for name in names)) for metric, cells in found.items())
    columns = (Column("Measure"), *(Column(_called(name, model), "number_interval") for name in names))
    blocks: tuple[Block, ...] = (
        Paragraph("On all judged rows together. Intervals are 95% percentiles over draws of whole people."),
        Table("All figures", columns, rows, source="evaluation"),
    )
    return Section("figures", "Figures, beside simpler ways", blocks)


def _leads(model: RiskModel) -> Section:
    names = [name for name in model.evaluation.models if name != MODEL]
    found = _by_metric(model.evaluation.differences)
    rows = tuple((measure_words(metric), *(cells.get(name) for name in names)) for metric, cells in found.items())
    columns = (Column("Measure"), *(Column(f"over {_called(name, model)}", "number_interval") for name in names))
    text = Paragraph("The model's figure minus that of each simpler way, on the same draws of people.")
    if not rows:
        return Section("leads", "Leads", (Paragraph("Nothing was judged beside it."),))
    return Section("leads", "Leads", (text, Table("Leads", columns, rows, source="evaluation")))


def _folds(model: RiskModel) -> Section:
    folds = model.evaluation.folds
    names = list(dict.fromkeys(name for fold in folds for name in fold))
    rows = tuple(tuple(str(fold.get(name, "")) for name in names) for fold in folds)
    columns = tuple(Column(plain(name).capitalize()) for name in names)
    return Section("folds", "What taught and what was judged", (Table("Folds", columns, rows, source="evaluation"),))


def _settings(model: RiskModel) -> Section:
    declared = {"learner": model.learner.document(), **model.declaration}
    facts = tuple((plain(name).capitalize(), _text(value)) for name, value in declared.items() if name != "tuning")
    blocks: list[Block] = [Facts(facts)]
    tuning = model.declaration.get("tuning")
    if tuning is not None:
        rows = tuple(
            (search["where"], _text(trial["settings"]), _text(trial["log_loss"]))
            for search in tuning["searches"]
            for trial in search["trials"]
        )
        columns = (Column("Search"), Column("Settings"), Column("Log loss on people not seen"))
        blocks.append(Table(f"All {len(rows)} trials of the search", columns, rows, folded=True))
    return Section("settings", "As it was declared", tuple(blocks))


def _by_metric(table: pa.Table) -> dict[str, dict[str, Cell]]:
    """metric -> model -> cell, on all judged rows together."""
    found: dict[str, dict[str, Cell]] = {}
    for row in table.filter(pc.equal(table["fold"], ALL)).to_pylist():
        cell = {name: row[name] for name in ("value", "low", "high", "state")}
        found.setdefault(row["metric"], {})[row["model"]] = cell
    return found


def _called(name: str, model: RiskModel) -> str:
    return learner_words(model.learner.kind) if name == MODEL else learner_words(name)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(str(name))} {_text(part)}" for name, part in value.items() if part != {}) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
