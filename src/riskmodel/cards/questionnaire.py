"""The questions that others ask of a card, as data, with the card's answers.

The transparency standard asks what a public body does, ALGO-CARE whether it should, TRIPOD+AI what is reported, and
PROBAST+AI how a study could mislead. A field is answered by what people wrote for it, else by what a referee's machine
found, else by a fact of the card, else it is missing; the four are never confused, and each answer points at the
section of the card where its evidence stands. The list of fields is a file, so that a corrected id or label is one
line. Nothing is answered by guessing, and a missing answer is printed as missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any, Literal

from riskmodel.cards.answers import Fact, answers_of
from riskmodel.cards.blocks import Cell, Column, Table
from riskmodel.cards.model_card import PAGE_FILE, ModelCard
from riskmodel.cards.sections.questions import ANSWERS
from riskmodel.cards.words import day_words
from riskmodel.errors import DeclarationError, Fault

Origin = Literal["written by people", "asked by machine", "from the card", "missing"]
MARKS: Mapping[str, tuple[str, str]] = {
    "V": ("", ""),
    "N": ("*", "the name is confirmed, the id is to be"),
    "R": ("**", "id and name are to be confirmed against the standard's own sheet"),
    "P": ("", "The questions are in other words than the standard's own, which count."),
}
"""What is known of a field's own id and label: the sign it carries, and what that means."""
MISSING = "A person must answer."
WRITTEN = ("answer", "evidence", "owner", "date")
"""What people may write about one field; a plain text is the answer alone."""


_COLUMNS = (Column("Field", "code"), Column("Asks"), Column("Answer"), Column("Evidence", "link"))


@dataclass(frozen=True, slots=True)
class Question:
    """One field.

    Attributes
    ----------
    id, label, mark, section : as in the standard; the section may be empty
    answer : str, the fact of the card that answers it, or empty
    checks : tuple of str, the referee's questions that answer it
    alias : str, an older name
    """

    id: str
    label: str
    mark: str
    section: str = ""
    answer: str = ""
    checks: tuple[str, ...] = ()
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A field with its answer; the text is empty where it is missing.

    Attributes
    ----------
    question : Question
    text : str
    origin : who answered
    evidence : str, where that stands: a section of the card's page, or what people named
    owner, date : str, the role that answers for it and the day; empty where it is missing
    """

    question: Question
    text: str
    origin: Origin
    evidence: str = ""
    owner: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """All fields of one standard, answered for one card.

    Attributes
    ----------
    name, version : of the standard
    card : fingerprint of the card
    answers : in the order of the standard
    owned : bool, whether the standard asks who answers for each answer
    """

    name: str
    version: str
    card: str
    answers: tuple[Answer, ...]
    owned: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The ids without an answer: what people still have to write."""
        return tuple(answer.question.id for answer in self.answers if answer.origin == "missing")

    def document(self) -> dict[str, Any]:
        """The record as JSON."""
        rows = [
            {**asdict(answer.question), "checks": list(answer.question.checks)}
            | {name: getattr(answer, name) for name in ("text", "origin", "evidence", "owner", "date")}
            for answer in self.answers
        ]
        return {
            "name": self.name,
            "version": self.version,
            "card": self.card,
            "fields": rows,
            "missing": list(self.missing),
        }

    def tables(self) -> Iterator[Table]:
        """The record as tables, one for each of the standard's own parts; ids yet to be confirmed carry a sign."""
        for section, grouped in groupby(self.answers, lambda answer: answer.question.section):
            answers = tuple(grouped)
            columns: tuple[Column, ...] = _COLUMNS
            rows = tuple(_row(answer) for answer in answers)
            if self.owned:
                columns = (*columns, Column("Answers for it"))
                rows = tuple((*row, _who(answer)) for row, answer in zip(rows, answers, strict=True))
            yield Table(section or f"{self.name}, version {self.version}", columns, rows, note=_signs(answers))


def atrs_record(card: ModelCard) -> Record:
    """The card's record under the Algorithmic Transparency Recording Standard."""
    return _record(card, "atrs")


def algo_care_record(card: ModelCard) -> Record:
    """The card's answers to ALGO-CARE."""
    return _record(card, "algo_care")


def tripod_record(card: ModelCard) -> Record:
    """What TRIPOD+AI asks to be reported, and where the card reports it."""
    return _record(card, "tripod_ai")


def probast_record(card: ModelCard) -> Record:
    """How PROBAST+AI asks whether the study could mislead, and what is known; the judgement is a person's."""
    return _record(card, "probast_ai")


def duties_record(card: ModelCard) -> Record:
    """What law and codes ask beyond the standards."""
    return _record(card, "duties")


def questions(standard: str) -> tuple[str, str, tuple[Question, ...]]:
    """Name, version and fields of a standard, such as "atrs" (`cards.text.STANDARDS` names them)."""
    text = (files("riskmodel.cards") / f"{standard}.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    asked = (Question(**{**field, "checks": tuple(field.get("checks", ()))}) for field in given["field"])
    return given["name"], given["version"], tuple(asked)


def _record(card: ModelCard, standard: str) -> Record:
    name, version, asked = questions(standard)
    written = card.document["text"].get(standard) or {}
    _must_be_known(written, asked, standard)
    facts = answers_of(card.document)
    answers = tuple(_answer(question, written, facts, card.document) for question in asked)
    return Record(name, version, card.fingerprint, answers, owned=standard == "algo_care")


def _answer(
    question: Question, written: Mapping[str, Any], facts: Mapping[str, Fact], document: Mapping[str, Any]
) -> Answer:
    owner, date = document["text"]["owner"], document["date"] or ""
    own = written.get(question.id) or (written.get(question.alias) if question.alias else None)
    if own:
        said = {"answer": own} if isinstance(own, str) else dict(own)
        if said.get("answer", "").strip():
            return Answer(
                question,
                said["answer"].strip(),
                "written by people",
                said.get("evidence", ""),
                said.get("owner") or owner,
                said.get("date") or date,
            )
    asked = _asked(question, document)
    if asked:
        return Answer(question, asked, "asked by machine", f"{PAGE_FILE}#referee", owner, date)
    fact = facts.get(question.answer) if question.answer else None
    if fact is None:
        return Answer(question, "", "missing")
    return Answer(question, fact.text, "from the card", f"{PAGE_FILE}#{fact.at}", owner, date)


def _asked(question: Question, document: Mapping[str, Any]) -> str:
    """What the referee's machine found, in words; empty when it was not asked or the question does not apply."""
    names = set(question.checks)
    found = [check for check in document.get("checks", ()) if check["name"] in names]
    found = [check for check in found if check["answer"] != "not_applicable"]
    if not found:
        return ""
    answers = {check["answer"] for check in found}
    head = "No" if "fail" in answers else "A person must look" if "review" in answers else "Yes, as far as is seen"
    return " ".join([f"{head}.", *(f"{check['question']} {ANSWERS[check['answer']]}." for check in found)])


def _row(answer: Answer) -> tuple[Cell, ...]:
    question = answer.question
    sign = MARKS[question.mark][0]
    return (f"{question.id} {sign}".strip(), question.label, answer.text or MISSING, _evidence(answer))


def _who(answer: Answer) -> str:
    if answer.origin == "missing":
        return "nobody yet"
    return f"{answer.owner}, {day_words(answer.date)}" if answer.date else answer.owner


def _signs(answers: Iterable[Answer]) -> str:
    """What the signs beside the ids mean, where there are any."""
    told = dict.fromkeys(MARKS[answer.question.mark] for answer in answers)
    return " ".join(f"{sign} {meaning}." if sign else meaning for sign, meaning in told if meaning)


def _evidence(answer: Answer) -> Cell:
    """Where the answer rests, as a link when it leads to the card or to an address people gave."""
    if answer.evidence.startswith(f"{PAGE_FILE}#"):
        return {"text": f"{answer.origin}, {answer.evidence.partition('#')[2]}", "href": answer.evidence}
    if answer.evidence.startswith("https://"):
        return {"text": f"{answer.origin}, {answer.evidence.removeprefix('https://')}", "href": answer.evidence}
    return ", ".join(part for part in (answer.origin, answer.evidence) if part)


def _must_be_known(written: Mapping[str, Any], asked: tuple[Question, ...], standard: str) -> None:
    known = {name for question in asked for name in (question.id, question.alias) if name}
    faults = [
        Fault(f"card.{standard}.{name}", "a field that the standard does not have", "one of its ids or older names",
              f"Look up the id in {standard}.toml of riskmodel.cards.")
        for name in written
        if name not in known
    ]  # fmt: skip
    if faults:
        raise DeclarationError("field-unknown", faults=faults)
