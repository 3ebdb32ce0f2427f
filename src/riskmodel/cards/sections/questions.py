"""The questions that a referee asks, and their answers; the evidence holds counts and stays in the referee's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskmodel.cards.blocks import Column, Paragraph, Section, Table
from riskmodel.models.checking import Check

ANSWERS: Mapping[str, str] = {"pass": "Pass", "review": "Look", "fail": "Fail", "not_applicable": "Does not apply"}
"""How an answer is called; a pass says that the question was asked and nothing was found."""


def questions(checks: Sequence[Check]) -> Section:
    """The questions and their answers, for the card: no evidence, because that holds counts."""
    rows = tuple((check.question, ANSWERS[check.answer]) for check in checks)
    table = Table("Each question and its answer", (Column("Question"), Column("Answer")), rows)
    return Section("referee", "Questions that a referee asks", (said(checks), table))


def said(checks: Sequence[Check]) -> Paragraph:
    """How many questions were put and how they came out, in words."""
    counted = {answer: sum(check.answer == answer for check in checks) for answer in ANSWERS}
    return Paragraph(
        f"{len(checks)} questions were put by a machine, after PROBAST+AI and the usual ways in which a study fools"
        f" itself: {counted['pass']} passed, {counted['review']} want a look, {counted['fail']} failed. A pass is not a"
        " proof; it says that the question was asked and nothing was found."
    )
