"""A study in the package's own nouns: what ``study.toml`` says, as the objects a notebook would make.

The TOML and the notebook meet here: every expression is evaluated with the very words a notebook imports, so both
give the same definitions and the same fingerprints. All faults of all parts are gathered and raised once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel import dates
from riskmodel.cards.text import CardText
from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import Duration
from riskmodel.errors import DeclarationError, Fault, RiskmodelError
from riskmodel.features import language
from riskmodel.features.feature import Feature
from riskmodel.feeds.contract import contracts_in
from riskmodel.governance.purposes import Purpose
from riskmodel.models import learners
from riskmodel.models.learners import Learner
from riskmodel.models.splits import ForwardFolds
from riskmodel.models.tuning import Tuned
from riskmodel.studies.declaration import FILE, AuditTable, Declaration, ModelTable, parse, read_text
from riskmodel.studies.expressions import Words, evaluate
from riskmodel.studies.lines import line_of

DURATIONS = {name: getattr(dates, name) for name in ("days", "weeks", "months", "years")}
FEATURE_WORDS: Words = DURATIONS | {name: getattr(language, name) for name in language.__all__}
LEARNER_WORDS: Words = {
    name: getattr(learners, name)
    for name in (
        "LightGBM",
        "ExplainableBoosting",
        "Logistic",
        "PointsScore",
        "Stack",
        "BaseRate",
        "BestCount",
        "CurrentPractice",
    )
} | {"Tuned": Tuned}


@dataclass(frozen=True, slots=True)
class Study:
    """One study: its folder and everything it declares."""

    folder: Path
    declaration: Declaration
    purpose: Purpose
    cohort: Cohort
    outcome: Outcome
    features: tuple[Feature, ...]
    carry: tuple[Feature, ...]
    learner: Learner | Tuned
    comparators: tuple[Learner, ...]

    @property
    def name(self) -> str:
        """The study's short name, also that of its card's folder."""
        return self.declaration.study.name

    @property
    def approval_path(self) -> Path:
        """Where the board's approval lies, beside the study."""
        return self.folder / self.declaration.advice.approval

    @property
    def folds(self) -> ForwardFolds:
        """The forward folds on which model and comparators are judged."""
        gap = self.declaration.model.gap
        return ForwardFolds(self.declaration.model.folds, gap=None if gap is None else Duration.parse(gap))

    @property
    def audited_by(self) -> list[str | tuple[str, ...]]:
        """Attributes and intersections of the audit."""
        return [tuple(by) if isinstance(by, list) else by for by in self.declaration.audit.by]

    @property
    def model_settings(self) -> ModelTable:
        """How the model is fitted and judged."""
        return self.declaration.model

    @property
    def audit_settings(self) -> AuditTable:
        """How groups are compared."""
        return self.declaration.audit

    @classmethod
    def load(cls, folder: str | Path) -> Study:
        """Read the study in a folder.

        Raises
        ------
        NotFound : no ``study.toml`` there
        DeclarationError : every fault of it at once, each with its line and repair
        """
        folder = Path(folder)
        text = read_text(folder)
        return _build(folder, text, parse(text))


@dataclass(slots=True)
class _Faults:
    """Builds the parts of a study and gathers what is wrong with them."""

    text: str
    found: list[Fault] = field(default_factory=list)

    def part(self, path: tuple[str | int, ...], build: Callable[[], Any], value: object = None) -> Any:
        """What `build` makes, or None with its faults kept under the line of `path`."""
        try:
            return build()
        except RiskmodelError as error:
            line = line_of(self.text, path, value)
            for fault in getattr(error, "faults", [Fault(str(path[0]), error.found, error.expected, error.repair)]):
                self.found.append(
                    Fault(f"{FILE} line {line}, {fault.where}", fault.found, fault.expected, fault.repair)
                )
            return None

    def expression(self, path: tuple[str | int, ...], text: str, words: Words) -> Any:
        """What an expression makes, or None with its faults kept."""
        return self.part(path, lambda: evaluate(text, words, str(path[0])), text)


def _build(folder: Path, text: str, declared: Declaration) -> Study:
    faults = _Faults(text)
    purpose = faults.part(("purpose",), lambda: Purpose.from_mapping(declared.purpose.model_dump()))
    cohort = faults.part(("cohort",), lambda: _cohort(declared))
    outcome = faults.part(("outcome",), lambda: _outcome(declared))
    features = [
        faults.expression(("features", "known", number), words, FEATURE_WORDS)
        for number, words in enumerate(declared.features.known)
    ]
    carry = [
        faults.expression(("features", "carry", number), words, FEATURE_WORDS)
        for number, words in enumerate(declared.features.carry)
    ]
    learner = faults.expression(("model", "learner"), declared.model.learner, LEARNER_WORDS)
    comparators = [
        faults.expression(("model", "comparators", number), words, LEARNER_WORDS)
        for number, words in enumerate(declared.model.comparators)
    ]
    if declared.model.gap is not None:
        faults.part(("model", "gap"), lambda: Duration.parse(str(declared.model.gap)))
    faults.part(("card",), lambda: CardText.from_mapping(declared.card))
    faults.part(("feeds",), lambda: _one_source(declared))
    faults.part(("feeds",), lambda: _inside(declared))
    faults.part(("features", "known"), lambda: _different_names([node for node in features if node is not None]))
    faults.found += _contract_faults(folder, declared)
    if faults.found:
        raise DeclarationError("study-invalid", faults=faults.found)
    return Study(folder, declared, purpose, cohort, outcome, tuple(features), tuple(carry), learner, tuple(comparators))


def _cohort(declared: Declaration) -> Cohort:
    table = declared.cohort
    return Cohort(
        between=(table.between[0], table.between[1]),
        every=Duration.parse(table.every) if table.every is not None else None,
        at_each=table.at_each,
        offset=Duration.parse(table.offset),
        first_only=table.first_only,
        aged=(table.aged[0], table.aged[1]) if table.aged else None,
        resident_for=Duration.parse(table.resident_for) if table.resident_for is not None else None,
        having=table.having,
    )


def _outcome(declared: Declaration) -> Outcome:
    table = declared.outcome
    return Outcome(
        kind=table.kind,
        within=Duration.parse(table.within),
        settles_after=Duration.parse(table.settles_after),
        role=table.role,
        agency=table.agency,
    )


def _inside(declared: Declaration) -> None:
    """Files lie below the study's folder or the data folder: a study file leads nowhere else."""
    named = {"feeds.folder": declared.feeds.folder, "feeds.contracts": declared.feeds.contracts}
    for where, name in named.items():
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise DeclarationError.of(
                "path-outside", where=where, found=f"{name!r}, which leads outside", expected="a folder below",
                repair="Name the folder; where the data lie as a whole is said with --data or RISKMODEL_DATA.",
            )  # fmt: skip


def _one_source(declared: Declaration) -> None:
    feeds = declared.feeds
    given = sum(source is not None for source in (feeds.world, feeds.folder))
    if given != 1:
        raise DeclarationError.of(
            "feeds-source", where="feeds", found=f"{given} sources", expected="exactly one of `world` and `folder`",
            repair="Write world = {people = 20000, seed = 7}, or folder = the folder with the files.",
        )  # fmt: skip
    if (feeds.folder and not feeds.contracts) or (feeds.received_at is None) != (feeds.covers is None):
        raise DeclarationError.of(
            "feeds-incomplete", where="feeds", found="a folder without contracts, or one of received_at and covers",
            expected="contracts; and both dates, or neither where the folder has a deliveries.toml",
            repair="Say which contracts read the files, when they came and what they cover.",
        )  # fmt: skip


def _contract_faults(folder: Path, declared: Declaration) -> Sequence[Fault]:
    """What is wrong with the study's own contracts."""
    own = declared.feeds.contracts
    if own is None:
        return ()
    try:
        found = contracts_in(folder / own)
    except DeclarationError as error:
        return error.faults
    expected, repair = "a TOML file for each agency", "Write the contracts, or correct the name of their folder."
    return () if found else [Fault(f"{FILE}, feeds.contracts", f"no contract in {own}", expected, repair)]


def _different_names(features: list[Feature]) -> None:
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DeclarationError.of(
            "feature-twice", where="features", found=f"two definitions named {', '.join(twice)}",
            expected="one of each", repair="Remove the repeated definition.",
        )  # fmt: skip
