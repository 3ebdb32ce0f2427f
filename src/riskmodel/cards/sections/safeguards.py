"""What stands between the model and a person: limits, human review, challenge, review-by date, ending."""

from __future__ import annotations

from riskmodel.cards.blocks import Block, Bullets, Facts, Heading, Paragraph, Section, text_blocks
from riskmodel.cards.capacity import working_capacity
from riskmodel.cards.given import Given
from riskmodel.cards.limits import RunFigures, standing_limits
from riskmodel.cards.sections.reasons import reason_stability
from riskmodel.cards.words import day_words


def limits(given: Given) -> Section:
    """The standing limits with the run's own figures, then those of this model."""
    blocks: list[Block] = [Bullets(standing_limits(_figures(given)), numbered=True)]
    if given.text.limits_extra:
        blocks += [Heading("Limits of this model in particular"), Bullets(given.text.limits_extra)]
    return Section("limits", "Limits, in plain words", tuple(blocks))


def people_decide(given: Given) -> Section:
    """Human review, challenge, triggers, review-by date, decommissioning."""
    text = given.text
    blocks: list[Block] = [
        Heading("Who looks, and with what power"),
        *text_blocks(text.human_review),
        Heading("How a person can find out and object"),
        *text_blocks(text.challenge_route),
    ]
    for heading, written in (
        ("Who is trained, and in what", text.training),
        ("How it is measured that people look, and disagree", text.oversight),
        ("Where harm and mistakes are reported", text.incidents),
        ("Who was asked", text.participation),
    ):
        blocks += [Heading(heading), *text_blocks(written)] if written else []
    blocks.append(Heading("What sends it back to the board"))
    triggers = text.triggers or ()
    blocks.append(
        Bullets(triggers)
        if triggers
        else Paragraph("No thresholds that would send it back to the board have been written down.")
    )
    blocks += [Heading("How it ends"), *text_blocks(text.decommission)]
    blocks.append(
        Facts(
            (
                ("Looked at again by", day_words(text.review_by)),
                ("Answers for it", text.owner),
                ("Questions to", text.contact),
            )
        )
    )
    return Section("people", "People decide", tuple(blocks))


def _figures(given: Given) -> RunFigures:
    working = working_capacity(given)
    states = given.audit.table["state"].to_pylist()
    unsaid = sum(state in ("not_estimable", "suppressed") for state in states)
    given.worked_out("audit.not_estimable", unsaid, "audit", n=len(states), unit="count")
    cohort = given.training.cohort
    return RunFigures(
        people=given.text.people,
        precision=working.precision if working else None,
        not_estimable=unsaid,
        group_measures=len(states),
        youngest=cohort.aged[0] if cohort is not None and cohort.aged else None,
        children_said=given.text.children,
        fairness_choice=given.text.fairness_choice,
        synthetic=given.text.synthetic,
        reason_stability=reason_stability(given),
    )
