"""What the ``study.toml`` of a finished table may say: one file, its columns, the rounds, and how the model is chosen.

Such a study has no linkage and no histories: somebody else made the table. So every column says what it may hold and
from which round on it was known; a round that asks for a column known later is refused before any row is read.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from riskmodel.errors import DeclarationError, Fault
from riskmodel.studies.declaration import AuditTable, ModelTable, PurposeTable, StudyTable, Table


class ColumnTable(Table):
    """What one column may hold: words (in order, unless `nominal`), truth values, or numbers within a span."""

    words: list[str] = Field(default_factory=list)
    nominal: bool = False
    truth: bool = False
    span: list[float] | None = Field(default=None, min_length=2, max_length=2)
    missing: bool = False
    from_round: int = 1


class DerivedTable(Table):
    """A field made of columns: their sum, or their sum over another column; missing where a part of it is."""

    sum: list[str] = Field(min_length=1)
    over: str | None = None
    plus: float = 0.0  # added below the line, where `over` may be 0
    says: str

    @property
    def parts(self) -> list[str]:
        """The columns that it is made of."""
        return [*self.sum, *([] if self.over is None else [self.over])]


class GroupTable(Table):
    """A column by which people are compared, with the words for its values."""

    column: str
    words: dict[str, str]


class SourceTable(Table):
    """The file, the key of its rows, and the column that says who teaches (1) and who is judged (0)."""

    folder: str
    file: str
    key: str
    split: str
    as_of: dt.date
    licence: str
    columns: dict[str, ColumnTable]
    groups: dict[str, GroupTable]
    derived: dict[str, DerivedTable] = Field(default_factory=dict)


class RoundTable(Table):
    """One forecast: its outcome, the earlier outcomes that end a person's risk, and the score to reach."""

    number: int = Field(ge=1)
    outcome: str
    without: list[str] = Field(default_factory=list)
    fields: list[str] = Field(default_factory=list)  # all that were known by then, when not given
    target: float


class ChoiceTable(Table):
    """The candidates, and the folds inside the teaching rows by which one of them is chosen."""

    candidates: list[str] = Field(min_length=1)
    folds: int = Field(default=5, ge=2, le=20)
    seed: int = 0
    said: str  # what was already known of the judged rows when the candidates were written down


class BesideTable(Table):
    """A file of scores that others have published on the same split: columns round, men, women, average."""

    file: str
    names: list[str]
    by: str = ""  # who published them, where the file's names do not say
    only: dict[str, str] = Field(default_factory=dict)


class FittedTable(ModelTable):
    """How the model of the card is judged; its learner is the one that was chosen."""

    comparators: list[str] = Field(default=["BaseRate()", "Logistic()"])
    folds: int = Field(default=5, ge=2, le=20)
    calibrate: Literal["isotonic", "sigmoid", "none"] = "none"
    # Forecasts are cut off at each cap and flattened by each slope, to draw accuracy against the fairness score.
    caps: list[float] = Field(default=[1.0])
    slopes: list[float] = Field(default=[])
    listed: float = Field(default=0.2, gt=0, lt=1)  # share of each sex on the list whose false positives are compared


class TableDeclaration(Table):
    """The whole ``study.toml`` of a finished table."""

    study: StudyTable
    purpose: PurposeTable
    table: SourceTable
    rounds: list[RoundTable] = Field(min_length=1)
    choice: ChoiceTable
    model: FittedTable = FittedTable()
    audit: AuditTable = AuditTable()
    beside: list[BesideTable] = Field(default_factory=list)
    card: dict[str, Any]


def fields_of(declared: TableDeclaration, round_: RoundTable) -> tuple[str, ...]:
    """The columns that a round may use.

    Raises
    ------
    DeclarationError : a column that was known later, an outcome, or one that was not declared; all at once
    """
    columns = declared.table.columns
    outcomes = {name for each in declared.rounds for name in (each.outcome, *each.without)}
    asked = round_.fields or [name for name, column in columns.items() if column.from_round <= round_.number]
    faults = []
    for name in asked:
        where = f"rounds.{round_.number}"
        if name in outcomes:
            faults.append(Fault(where, f"the outcome {name} as a field", "what was known before", "Leave it out."))
        elif name not in columns:
            faults.append(Fault(where, f"the unknown column {name}", "a column under [table.columns]", "Declare it."))
        elif columns[name].from_round > round_.number:
            found = f"{name}, which is measured up to the outcome of round {round_.number}"
            faults.append(Fault(where, found, "what was known when the forecast was due", "Leave it out."))
    if faults:
        raise DeclarationError("known-too-late", faults=faults)
    return tuple(asked)


def derived_of(declared: TableDeclaration, round_: RoundTable) -> dict[str, DerivedTable]:
    """The derived fields of a round: those all of whose parts the round may use.

    Raises
    ------
    DeclarationError : a derived field of columns that were not declared or have no order, or named as a column
    """
    columns, derived = declared.table.columns, declared.table.derived
    faults = []
    for name, made in derived.items():
        where = f"table.derived.{name}"
        if name in columns:
            faults.append(Fault(where, "the name of a column", "a name of its own", "Rename it."))
        for part in made.parts:
            if part not in columns or columns[part].nominal:
                expected = "a column under [table.columns] whose values have an order"
                faults.append(Fault(where, part, expected, "Correct the name or leave it out."))
    if faults:
        raise DeclarationError("derived-invalid", faults=faults)
    used = set(fields_of(declared, round_))
    return {name: made for name, made in derived.items() if used.issuperset(made.parts)}
