"""The questions that a referee asks, and their answers; the evidence holds counts and stays in the referee's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskmodel.cards.blocks import Block, Bullets, Column, Heading, Paragraph, Section, Table
from riskmodel.models.checking import Check

ANSWERS: Mapping[str, str] = {"pass": "Pass", "review": "Look", "fail": "Fail", "not_applicable": "Does not apply"}
"""How an answer is called; a pass says that the question was asked and nothing was found."""
WHY: Mapping[str, str] = {
    "feature-knows-outcome": "One feature alone tells so much that it may hold the outcome itself, or come after it.",
    "certain-value": "Where a feature has a certain value, almost everybody has the outcome.",
    "averaged-outcome": "A feature looks like an average of the outcome, and would then teach the answer.",
    "numbers-in-order": "People's own numbers go with the outcome: the records may be sorted by it.",
    "row-twice": "Somebody is in the set twice at one date: the same outcome then teaches and judges.",
    "person-twice": "Rows that judge look like copies of rows that taught: the figures would be too good.",
    "filled-in-later": "A feature tells more when made from what is known today: it may have been filled in later.",
    "own-time": "An agency gives one day for both: when it knew of something has to be believed.",
    "outcome-known-in-time": "Nothing is shown about later years, or the gap before the judged period is short.",
    "follow-up-complete": "Outcomes are used that may not have been complete.",
    "people-apart": "Some of the people judged taught the model on earlier dates; nobody does both on one date.",
    "outcomes-per-feature": "There are few outcomes for so many features: the model may have learned chance.",
    "outcomes-judged": "Few outcomes were judged: the figures are less sure than they look.",
    "calibrated": "The probabilities are off by more than chance would have it, or nobody can tell.",
    "comparators": "Nothing beyond the base rate was judged beside it.",
}
"""What an answer that is not a pass may mean, by question, in words that hold no count."""


def questions(checks: Sequence[Check]) -> Section:
    """The questions and their answers, for the card: no evidence, because that holds counts."""
    rows = tuple((check.question, ANSWERS[check.answer]) for check in checks)
    table = Table("Each question and its answer", (Column("Question"), Column("Answer")), rows)
    told = tuple(f"{check.question} {WHY[check.name]}" for check in checks if check.answer in ("review", "fail"))
    look: tuple[Block, ...] = (Heading("What there is to look at"), Bullets(told)) if told else ()
    return Section("referee", "Questions that a referee asks", (said(checks), *look, table))


def said(checks: Sequence[Check]) -> Paragraph:
    """How many questions were put and how they came out, in words."""
    counted = {answer: sum(check.answer == answer for check in checks) for answer in ANSWERS}
    look = f"{counted['review']} {'wants' if counted['review'] == 1 else 'want'} a look"
    return Paragraph(
        f"{len(checks)} questions were put by a machine, after PROBAST+AI and the usual ways in which a study fools"
        f" itself: {counted['pass']} passed, {look}, {counted['fail']} failed. A pass is not a proof;"
        " it says that the question was asked and nothing was found."
    )
