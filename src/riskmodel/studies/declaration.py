"""What a ``study.toml`` may say: every table and key, with its type. Anything else is refused, all at once, by line.

This module only reads; it builds none of the package's objects and opens no data.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from riskmodel.errors import DeclarationError, Fault, NotFound
from riskmodel.studies.lines import impossible_dates, line_of

FILE = "study.toml"


class Table(BaseModel):
    """A table of the study: nothing unknown in it, no type bent into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StudyTable(Table):
    """What the study is called."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str
    edition: str = "1"
    date: dt.date


class PurposeTable(Table):
    """Why the records may be read, on what basis, and until when."""

    name: str
    statement: str
    lawful_basis: str
    controllers: list[str]
    fields: list[str]
    expires: dt.date


class WorldTable(Table):
    """A synthetic society made on the spot."""

    people: int = Field(ge=200, le=2_000_000)
    seed: int = Field(ge=0)


class FeedsTable(Table):
    """Where the deliveries come from: a synthetic society, or a folder of files under the study's own contracts."""

    world: WorldTable | None = None
    folder: str | None = None
    contracts: str | None = None
    received_at: dt.datetime | None = None
    covers: list[dt.date] | None = Field(default=None, min_length=2, max_length=2)
    licence: str = ""


class LinkageTable(Table):
    """How records become people."""

    method: Literal["probabilistic", "shared_key"] = "probabilistic"
    threshold: float = Field(default=0.5, ge=0.5, lt=1)
    seed: int = 0
    draws: int = Field(default=0, ge=0, le=100)  # linked worlds, in each of which the whole audit is made again


class CohortTable(Table):
    """Who is in question, and when."""

    between: list[dt.date] = Field(min_length=2, max_length=2)
    every: str | None = None
    at_each: str | None = None
    offset: str = "0d"
    first_only: bool = False
    aged: list[int] | None = Field(default=None, min_length=2, max_length=2)
    resident_for: str | None = None
    having: str | None = None


class OutcomeTable(Table):
    """What is at stake."""

    kind: str
    within: str
    settles_after: str = "0d"
    role: str | None = None
    agency: str | None = None


class FeaturesTable(Table):
    """What is known on the day: expressions in the words of ``riskmodel.features``."""

    known: list[str] = Field(min_length=1)
    groups: list[str] = ["sex", "ethnicity"]
    carry: list[str] = []


class ModelTable(Table):
    """How the probability is made, and beside what it has to prove itself."""

    learner: str = "LightGBM()"
    comparators: list[str] = ["BaseRate()", "BestCount()", "Logistic()"]
    folds: int = Field(default=4, ge=2, le=20)
    gap: str | None = None  # between teaching and judging; the outcome's own horizon when not given
    calibrate: Literal["isotonic", "sigmoid", "none"] = "isotonic"
    capacity: list[float] = [0.01, 0.05, 0.1]
    seed: int = 0
    success_bar: str | None = None


class AuditTable(Table):
    """By which groups errors and calibration are compared."""

    by: list[str | list[str]] = ["sex", "ethnicity", ["sex", "ethnicity"]]
    capacity: float | None = None
    reference: dict[str, str] = {}  # attribute -> the group that others are set beside


class AdviceTable(Table):
    """On which day the advisory list is asked for, where the approval lies, and how much reasons are held against."""

    approval: str = "approval.toml"
    as_of: dt.date | None = None
    never_shown: list[str] = []  # columns that are never told as a reason, such as proxies of what is protected
    relatives_shown: bool = False  # whether a reader may be told what rests on records of other people
    refits: int = Field(default=10, ge=10, le=100)  # models made again; nine of ten have to give a reason too


class ReviewTable(Table):
    """What a reviewer may choose from, and whether a judgement comes before the score (see ``advisory.review``)."""

    choices: list[str] = Field(min_length=2)
    reasons: list[str] = Field(min_length=1)
    judgement_first: bool = True


class SupportTable(Table):
    """What can be offered, and how it is said what changed (see ``advisory.follow_up``)."""

    kinds: list[str] = Field(min_length=1)
    changes: list[str] = Field(min_length=2)


class PublishedTable(Table):
    """A figure that others have published, and the SQL over the study's own files that should give it again."""

    figure: str
    value: float | None = None
    digits: int = 4
    source: str
    sql: str


class Declaration(Table):
    """The whole ``study.toml``."""

    study: StudyTable
    purpose: PurposeTable
    feeds: FeedsTable
    linkage: LinkageTable = LinkageTable()
    cohort: CohortTable
    outcome: OutcomeTable
    features: FeaturesTable
    model: ModelTable = ModelTable()
    audit: AuditTable = AuditTable()
    advice: AdviceTable = AdviceTable()
    review: ReviewTable | None = None
    support: SupportTable | None = None
    published: list[PublishedTable] = []
    card: dict[str, Any]


def read_text(folder: Path) -> str:
    """The text of the folder's study file."""
    path = folder / FILE
    if not path.is_file():
        raise NotFound(
            "study-missing",
            found=f"no {FILE} in {folder}",
            expected="a study folder",
            repair=f"Give the folder that holds {FILE}, such as experiments/quickstart.",
        )
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DeclarationError.of(
            "study-not-utf-8",
            where=f"{FILE} line {line}",
            found="a letter that is not written in UTF-8",
            expected="a text file in UTF-8",
            repair="Save the file as UTF-8 in the editor, then run again.",
        ) from None


Whole = TypeVar("Whole", bound=Table)


def parse(text: str) -> Declaration:
    """The declaration of a study of histories in a TOML text; refuses as `parsed` does."""
    return parsed(text, Declaration)


def is_of_a_table(text: str) -> bool:
    """Whether the study is of a finished table: its text has a ``[table]``."""
    return any(line.strip() == "[table]" for line in text.splitlines())


def parsed(text: str, whole: type[Whole]) -> Whole:
    """The declaration of the kind `whole` in a TOML text.

    Raises
    ------
    DeclarationError : every unknown key, wrong type and impossible date at once, each with its line and repair
    """
    possible, impossible = impossible_dates(text)
    faults = [
        Fault(f"{FILE} line {line}", date, "a date that the calendar has", "Correct the day or the month.")
        for line, date in impossible
    ]
    try:
        given = tomllib.loads(possible)
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(FILE, str(error), "a TOML file", "Correct the line that the message names."))
        raise DeclarationError("study-invalid", faults=faults) from None
    try:
        declaration = whole.model_validate(given)
    except ValidationError as error:
        faults += [_fault(text, fault, whole) for fault in error.errors()]
        raise DeclarationError("study-invalid", faults=faults) from None
    if faults:
        raise DeclarationError("study-invalid", faults=faults)
    return declaration


def _fault(text: str, error: Any, whole: type[BaseModel]) -> Fault:
    path = [part for part in error["loc"] if part not in ("str", "list[str]")]
    name = ".".join(map(str, path))
    where = f"{FILE} line {line_of(text, path, error.get('input'))}"
    if error["type"] == "missing":
        return Fault(where, f"no {name}", "a value", f"Write {path[-1]} under [{'.'.join(map(str, path[:-1]))}].")
    if error["type"] == "extra_forbidden":
        known = _known_keys(path[:-1], whole)
        return Fault(where, f"the unknown key {name}", f"one of {', '.join(known)}", "Correct or remove the key.")
    return Fault(where, f"{name} = {_short(error['input'])}", _plain(error["msg"]), "Correct the value.")


def _known_keys(path: list[Any], table: type[BaseModel]) -> list[str]:
    for key in filter(lambda part: isinstance(part, str), path):
        annotation = table.model_fields[key].annotation if key in table.model_fields else None
        inner = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        table = next((kind for kind in inner if issubclass(kind, BaseModel)), table)
    return sorted(table.model_fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")
