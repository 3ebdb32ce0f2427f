"""The questions others ask of a card (the transparency standard, ALGO-CARE), as data, with the card's answers.

A field is answered by what people wrote for it, else by a fact of the card, else it is missing; the three are never
confused. The list of fields is a file, so that a corrected id or label is one line. Nothing is answered by guessing,
and a missing answer is printed as missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal

from riskmodel.cards.answers import answers_of
from riskmodel.cards.blocks import Column, Table
from riskmodel.cards.model_card import ModelCard
from riskmodel.errors import DeclarationError, Fault

Origin = Literal["written by people", "from the card", "missing"]
MARKS: Mapping[str, str] = {
    "V": "id and name confirmed",
    "N": "id to be confirmed",
    "R": "to be confirmed",
}
"""What is known of a field's own id and label."""


@dataclass(frozen=True, slots=True)
class Question:
    """One field: its id, label and mark, the fact of the card that answers it, and an older name."""

    id: str
    label: str
    mark: str
    answer: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A field with its answer; the text is empty where it is missing."""

    question: Question
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Record:
    """All fields of one standard, answered for one card.

    Attributes
    ----------
    name, version : of the standard
    card : fingerprint of the card
    answers : in the order of the standard
    """

    name: str
    version: str
    card: str
    answers: tuple[Answer, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The ids without an answer: what people still have to write."""
        return tuple(answer.question.id for answer in self.answers if answer.origin == "missing")

    def document(self) -> dict[str, Any]:
        """The record as JSON."""
        rows = [{**asdict(answer.question), "text": answer.text, "origin": answer.origin} for answer in self.answers]
        return {
            "name": self.name,
            "version": self.version,
            "card": self.card,
            "fields": rows,
            "missing": list(self.missing),
        }

    def table(self) -> Table:
        """The record as a table."""
        rows = tuple(
            (answer.question.id, answer.question.label, answer.text or "Missing: a person must answer", answer.origin,
             MARKS[answer.question.mark])
            for answer in self.answers
        )  # fmt: skip
        columns = (
            Column("Field", "code"),
            Column("Asks"),
            Column("Answer"),
            Column("Answered"),
            Column("Field's own state"),
        )
        return Table(f"{self.name}, version {self.version}", columns, rows)


def atrs_record(card: ModelCard) -> Record:
    """The card's record under the Algorithmic Transparency Recording Standard."""
    return _record(card, "atrs")


def algo_care_record(card: ModelCard) -> Record:
    """The card's answers to ALGO-CARE."""
    return _record(card, "algo_care")


def questions(standard: str) -> tuple[str, str, tuple[Question, ...]]:
    """Name, version and fields of a standard that comes with the package: "atrs" or "algo_care"."""
    text = (files("riskmodel.cards") / f"{standard}.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    return given["name"], given["version"], tuple(Question(**field) for field in given["field"])


def _record(card: ModelCard, standard: str) -> Record:
    name, version, asked = questions(standard)
    written = card.document["text"].get(standard) or {}
    _must_be_known(written, asked, standard)
    facts = answers_of(card.document)
    return Record(name, version, card.fingerprint, tuple(_answer(question, written, facts) for question in asked))


def _answer(question: Question, written: Mapping[str, str], facts: Mapping[str, str]) -> Answer:
    own = written.get(question.id) or (written.get(question.alias) if question.alias else None)
    if own and own.strip():
        return Answer(question, own.strip(), "written by people")
    fact = facts.get(question.answer, "") if question.answer else ""
    return Answer(question, fact, "from the card" if fact else "missing")


def _must_be_known(written: Mapping[str, str], asked: tuple[Question, ...], standard: str) -> None:
    known = {name for question in asked for name in (question.id, question.alias) if name}
    faults = [
        Fault(f"card.{standard}.{name}", "a field that the standard does not have", "one of its ids or older names",
              f"Look up the id in {standard}.toml of riskmodel.cards.")
        for name in written
        if name not in known
    ]  # fmt: skip
    if faults:
        raise DeclarationError("field-unknown", faults=faults)
