"""The first page: what was found, in plain words and natural frequencies, and what this is and is not."""

from __future__ import annotations

from riskmodel.cards.blocks import (
    Block,
    Callout,
    Column,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Section,
    Table,
    text_blocks,
)
from riskmodel.cards.capacity import Working, working_capacity
from riskmodel.cards.evidence import Claim, per_hundred, share_words
from riskmodel.cards.given import Audited, Given
from riskmodel.cards.words import day_words, uncapital

ADVISORY = (
    "This is advice for people who decide. It is not a decision, it settles nothing about anyone, and nothing may be"
    " done to a person because of it alone."
)


def finding(given: Given) -> Section:
    """The finding in plain words."""
    working = working_capacity(given)
    blocks: list[Block] = []
    if working is None:
        blocks.append(Paragraph("The run made no list, so there is no finding about one.", lead=True))
    else:
        blocks.append(Paragraph(on_the_list(given, working), lead=True))
        blocks.append(Paragraph(missed(given, working), lead=True))
        blocks += pictures(given, working)
        blocks.append(Paragraph(_beside(given, working)))
    blocks.append(Callout(ADVISORY, "warning"))
    return Section("finding", "The finding in plain words", tuple(blocks))


def what_it_is(given: Given) -> Section:
    """What it is for and what it must never be used for."""
    text = given.text
    blocks: list[Block] = [
        Heading("What it is for"),
        *text_blocks(text.intended_use),
        Heading("What it must not be used for"),
        *text_blocks(text.not_for),
    ]
    if text.benefits:
        blocks += [Heading("Who is meant to gain, and how"), *text_blocks(text.benefits)]
    if text.alternatives:
        blocks += [Heading("What else was considered"), *text_blocks(text.alternatives)]
    blocks.append(
        Facts(
            (
                ("Answers for it", text.owner),
                ("Questions to", text.contact),
                ("Looked at again by", day_words(text.review_by)),
            )
        )
    )
    return Section("what-it-is", "What it is and what it is not", tuple(blocks))


def on_the_list(given: Audited, working: Working) -> str:
    """Of 100 on the list, how many had the outcome."""
    claim, people = working.precision, given.text.people
    head = f"Of 100 {people} on {working.words},"
    if claim is None or not claim.usable or claim.value is None:
        return f"{head} the number who {given.outcome_words} cannot be estimated from these records."
    others = per_hundred(1 - claim.value).removeprefix("about ")
    not_so = "were not" if given.outcome_words.startswith("were ") else "did not"
    return f"{head} {per_hundred(claim.value)}{_between(claim)} {given.outcome_words}. The other {others} {not_so}."


def missed(given: Audited, working: Working) -> str:
    """Of 100 with the outcome, how many were not on the list."""
    claim = working.recall
    head = f"Of 100 {given.text.people} who {given.outcome_words},"
    if claim is None or not claim.usable or claim.value is None:
        return f"{head} the number who were not on the list cannot be estimated from these records."
    return f"{head} {per_hundred(1 - claim.value)}{_between(claim, complement=True)} were not on the list."


def _between(claim: Claim, *, complement: bool = False) -> str:
    if claim.low is None or claim.high is None:
        return ""
    low, high = (1 - claim.high, 1 - claim.low) if complement else (claim.low, claim.high)
    low_words, high_words = (
        f"{100 * end:.0f}" if end >= 0.0095 or end == 0 else f"{100 * end:.1f}" for end in (low, high)
    )
    said = f" (between {low_words} and {high_words})"
    return said if low_words != high_words else ""


def pictures(given: Audited, working: Working) -> list[Block]:
    """Both sentences as squares of 100 dots, with their table; nothing where one of them cannot be estimated."""
    precision, recall, people = working.precision, working.recall, given.text.people
    if precision is None or recall is None or not (precision.usable and recall.usable):
        return []
    assert precision.value is not None  # usable
    assert recall.value is not None  # usable
    panels = [
        (
            f"100 {people} on the list",
            precision.value,
            f"{per_hundred(precision.value)} (filled) {given.outcome_words}",
        ),
        ("100 with the outcome", recall.value, f"{per_hundred(recall.value)} (filled) were on the list"),
    ]
    said = ". ".join(f"{title}: {words}" for title, _, words in panels)
    data = {"panels": [{"title": title, "share": share, "said": words} for title, share, words in panels]}
    table = Table(
        "The same in figures",
        (Column("Of 100"), Column("With 95% interval", "share_interval"), Column("Rests on", "count")),
        tuple(
            (title, {"value": claim.value, "low": claim.low, "high": claim.high, "state": claim.state}, claim.n)
            for (title, _, _), claim in zip(panels, (precision, recall), strict=True)
        ),
        source="evaluation",
        note="First line: share of those on the list who had the outcome. Second line: share of those with the outcome"
        " who were on the list. The last column counts the rows judged.",
    )
    alt = f"Two squares of 100 dots. {said}."
    return [Figure("frequencies", "What being on the list means", alt, data, "evaluation"), table]


def _beside(given: Given, working: Working) -> str:
    judged = given.figure("auroc")
    said = ""
    if judged is not None and judged.n:
        positives = working.base
        if positives is not None and positives.value is not None:
            said = f"Of all {given.text.people} who were judged, {share_words(positives.value)} {given.outcome_words}. "
    rival = working.best_rival
    if rival is None:
        return f"{said}No simpler way of making the list was run beside it."
    name, claim = rival
    if not claim.usable or claim.value is None:
        return f"{said}How a simpler way of making the list would have done cannot be estimated."
    return (
        f"{said}Of 100 {given.text.people} on a list of the same length made by the best of the simpler ways"
        f" ({uncapital(given.called(name))}), {per_hundred(claim.value)}{_between(claim)}"
        f" {given.outcome_words}."
        f" {_led(given, working, name)}"
    )


def _led(given: Given, working: Working, rival: str) -> str:
    """Whether the model's list was shown to hold more than the rival's, on the same people."""
    lead = given.lead(f"precision@{working.label}", rival)
    if lead is None or lead.low is None or lead.high is None:
        return "The run made no interval of the difference."
    if lead.low > 0:
        return "This model's list was shown to hold more."
    if lead.high < 0:
        return "The simpler way's list was shown to hold more: this model adds nothing to it."
    return "No difference between the two lists was shown: by this figure the model adds nothing to the simpler way."
