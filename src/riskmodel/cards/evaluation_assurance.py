"""How sure an evaluation is: what could be wrong, the grade, what was planned, limits, and figures for those who check.

Sections of the evaluation card, each from the evaluation's document; none works out a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from riskmodel.cards.blocks import (
    Block,
    Bullets,
    Callout,
    Column,
    Facts,
    Heading,
    Paragraph,
    Section,
    Table,
    text_blocks,
)
from riskmodel.cards.evaluation_given import EvaluationGiven
from riskmodel.cards.evaluation_sections import label
from riskmodel.cards.words import capital, day_words, listed, plain, with_minus

_TESTS: Final = {
    "pre_trends": "Did treated and others move alike before the start?",
    "honest_bounds": "How far would trends have to differ to undo the answer?",
    "placebo_dates": "Does an effect appear before anything was done?",
    "placebo_units": "Does an effect appear in units that nothing was done to?",
    "placebo_outcomes": "Does something move that cannot?",
    "randomisation": "How often would chance alone give as much?",
    "few_clusters": "Does it hold with few units?",
    "recording_change": "Did harm change, or its recording?",
}


def doubts(given: EvaluationGiven) -> Section:
    """Every check with its sentence, and what the answer hangs on."""
    evaluation = given.evaluation
    blocks: list[Block] = []
    for test, question in _TESTS.items():
        made = [check for check in evaluation["checks"] if check["test"] == test]
        if made:
            blocks += [Heading(question), Bullets(tuple(capital(with_minus(check["sentence"])) for check in made))]
        for check in made:
            given.number(f"check.{test}.{check['outcome']}.p", check["p_value"])
    blocks.append(Heading("Does it hang on one partner?"))
    blocks.append(Bullets(tuple(capital(with_minus(each["sentence"])) for each in evaluation["without"])))
    if evaluation["linkage"]:
        blocks += [Heading("Does it hang on the linkage?"), _linkage(given)]
    return Section("doubts", "What could be wrong", tuple(blocks))


def grade(given: EvaluationGiven) -> Section:
    """The Maryland level with its reasons."""
    made = given.evaluation["grade"]
    blocks: list[Block] = [
        Callout(f"{made['words']}."),
        Heading("Why this level"),
        Bullets(tuple(capital(reason) for reason in made["reasons"])),
    ]
    if made["held_back"]:
        blocks += [Heading("Why not higher"), Bullets(tuple(capital(reason) for reason in made["held_back"]))]
    blocks.append(
        Paragraph(
            "Levels of the Maryland Scientific Methods Scale (Sherman et al. 1997; Farrington et al. 2002), given by "
            "rule from the design and its checks. A level grades how something is known, not how good it is."
        )
    )
    return Section("grade", "How sure is this", tuple(blocks))


def plan(given: EvaluationGiven) -> Section:
    """What was planned before outcomes were opened, and every departure from it."""
    evaluation, made = given.evaluation, given.evaluation["plan"]
    at = evaluation["registered"]
    deviations = tuple(evaluation["deviations"])
    blocks: list[Block] = [
        Facts(
            (
                ("Primary outcome", made["primary"]),
                ("Estimand", made["estimand"]),
                ("Estimator", plain(made["estimator"])),
                ("Outcomes", listed([each["name"] for each in made["outcomes"]])),
                ("Checks", listed([plain(test) for test in made["tests"]])),
                ("Counted", f"{_days(made['settles_after'])} after each {given.period}"),
                ("Stopping", made["stopping"]),
                ("Registered", f"entry {at['entry']} of the ledger, before outcomes were opened"),
            )
        ),
        Heading("Not as planned"),
        Bullets(deviations) if deviations else Paragraph("Nothing: everything was done as planned."),
    ]
    if made["waiver"]:
        blocks.append(Callout(f"Outcomes of one agency only: {made['waiver']}", tone="warning"))
    return Section("plan", "What was planned", tuple(blocks))


def limits(given: EvaluationGiven) -> Section:
    """What the evaluation cannot say, and who judges it."""
    items = [
        "It is about recorded events. What nobody reports or writes down is not in it.",
        "Intervals cover chance. They do not cover wrong records, or units without the policy that were changed by it.",
        "A change that is not shown may still be there: the smallest that could be seen stands beside each outcome.",
        "It says what happened on average in these places and times, not what would happen elsewhere.",
        *(
            f"{lost:,} records of {name} have no place or address and are in no count."
            for name, lost in given.evaluation["uncounted"]
        ),
        *given.text["limits_extra"],
    ]
    if given.text["synthetic"]:
        items.append("Nobody in these records exists. The study shows the method, not a policy.")
    blocks: tuple[Block, ...] = (
        Bullets(tuple(items)),
        Heading("What it does not answer"),
        *text_blocks(given.text["not_answered"]),
        Heading("What happens next"),
        *text_blocks(given.text["what_next"]),
        Facts((("Answers for it", given.text["owner"]), ("Questions to", given.text["contact"]),
               ("Looked at again by", day_words(given.text["review_by"])))),
    )  # fmt: skip
    return Section("limits", "Keep in mind", blocks)


def annex(given: EvaluationGiven, software: Mapping[str, str]) -> Section:
    """Power, how each effect was estimated, fingerprints, software."""
    unit = given.evaluation["plan"]["unit"]
    rows = tuple(
        (
            label(each),
            given.number(f"power.{each['name']}", each["detectable"], "power"),
            given.number(f"without.{each['name']}", each["without_policy"]),
        )
        for each in given.outcomes
    )
    columns = (
        Column("Outcome"),
        Column("Smallest effect seen 4 times in 5", "number"),
        Column("Without the policy", "number"),
    )
    blocks: tuple[Block, ...] = (
        Table("What the study could see", columns, rows, "power",
              note=f"For each {unit} and {given.period}; worked out on the time before the first start."),
        Heading("Fingerprints"),
        Facts((("Plan, as it stands in the ledger", given.evaluation["plan_fingerprint"]),)),
        Heading("Software"),
        Facts(tuple(software.items())),
    )  # fmt: skip
    return Section("annex", "Technical annex", blocks)


def _linkage(given: EvaluationGiven) -> Table:
    rows = tuple(
        (
            capital(each["name"]),
            each["missed"],
            each["false"],
            given.interval(f"linkage.{each['name']}.{each['missed']}.{each['false']}", each),
        )
        for each in given.evaluation["linkage"]
    )
    columns = (
        Column("Who"),
        Column("Ties missed", "share"),
        Column("Ties wrong", "share"),
        Column("Effect if so", "number_interval"),
    )
    return Table("The effect if links were missed or wrong", columns, rows, "evaluation")


def _days(duration: str) -> str:
    return f"{duration[:-1]} days" if duration.endswith("d") and duration[:-1].isdigit() else duration
