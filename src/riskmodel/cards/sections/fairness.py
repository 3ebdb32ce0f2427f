"""The audit by group: first what was found, then the figures, then the method; and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from riskmodel.cards.blocks import Block, Bullets, Callout, Column, Figure, Heading, Kind, Paragraph, Section, Table
from riskmodel.cards.disclosed import count_rows, rule_words
from riskmodel.cards.evidence import interval_words
from riskmodel.cards.given import Audited, cell, point
from riskmodel.cards.sections.group_words import by_words, headline, said
from riskmodel.cards.words import capital, group_words, listed
from riskmodel.fairness.audit import METHOD
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.measures import MEASURE
from riskmodel.governance.disclosure import SUPPRESSED

SHOWN: tuple[tuple[str, str, Kind], ...] = (
    ("tpr", "Found", "hundred_interval"),
    ("fpr", "Listed in error", "hundred_interval"),
    ("ppv", "Listed and right", "hundred_interval"),
    ("observed_expected", "Recorded for 100 expected", "hundred_interval"),
)
"""The figures of the tables: metric, heading, kind."""
WITHOUT_LIST: tuple[tuple[str, str, Kind], ...] = (
    ("auroc", "In the right order", "hundred_interval"),
    ("observed_expected", "Recorded for 100 expected", "hundred_interval"),
)
EXPLAINED: Mapping[str, str] = {
    "Found": "of 100 with the outcome, those on the list",
    "Listed in error": "of 100 without it, those on the list",
    "Listed and right": "of 100 on the list, those with the outcome",
    "In the right order": "of 100 pairs of one with and one without the outcome, those in which the one with it has the"
    " higher score; 50 is guessing",
    "Recorded for 100 expected": "outcomes on record for each 100 that the scores expect; above 100, the model says too"
    " little for this group",
}
NO_PROOF = (
    "That no difference was shown is no proof that there is none: what is still possible is said with each group."
)
_MANY = 8
Shown: TypeAlias = tuple[tuple[str, str, Kind], ...]


def fairness(given: Audited) -> Section:
    """Errors and calibration by group: the finding in a sentence, the figures, and last the method."""
    rows = given.audit.table.to_pylist()
    attributes = tuple(dict.fromkeys(row["attribute"] for row in rows))
    shown = SHOWN if any(row["metric"] == "tpr" for row in rows) else WITHOUT_LIST
    alone = [attribute for attribute in attributes if ", " not in attribute] or list(attributes)
    blocks: list[Block] = [Callout(headline(given, attribute)) for attribute in alone]
    blocks += [Paragraph(NO_PROOF), Heading("How to read the figures"), _reading(shown)]
    for attribute in attributes:
        blocks += _attribute(given, attribute, shown)
    blocks.append(Heading("What cannot be said"))
    blocks += _silent(given)
    blocks += [Heading("Which measure comes first"), Paragraph(_choice(given)), Heading("Method"), Paragraph(METHOD)]
    return Section("groups", "Is it the same for everyone", tuple(blocks))


def _reading(shown: Shown) -> Bullets:
    told = [f"{heading}: {EXPLAINED[heading]}." for _, heading, _ in shown]
    return Bullets((*told, f"In brackets, where the figure may well lie (95% interval). {rule_words()}"))


def _attribute(given: Audited, attribute: str, shown: Shown) -> list[Block]:
    own = [one for one in given.audit.finding_list if one.attribute == attribute]
    differs = tuple(said(given, one) for one in own if one.says == "differs")
    not_shown = tuple(said(given, one) for one in own if one.says == "not_shown")
    groups = tuple(
        dict.fromkeys(row["group"] for row in given.audit.table.to_pylist() if row["attribute"] == attribute)
    )
    blocks: list[Block] = [Heading(f"By {by_words(attribute)}")]
    blocks.append(Bullets(differs) if differs else Paragraph("No difference was shown beyond what chance would give."))
    if len(groups) <= _MANY:
        blocks.append(_figure(given, attribute, groups, shown[0][0]))
    blocks.append(_table(given, attribute, groups, shown))
    if not_shown:
        count = f"{len(not_shown)} comparison{'' if len(not_shown) == 1 else 's'}"
        blocks.append(
            Bullets(not_shown, folded=f"{count} in which no difference was shown, and what is still possible")
        )
    return blocks


def _figure(given: Audited, attribute: str, groups: tuple[str, ...], metric: str) -> Figure:
    points = [point(group_words(group), given.group_figure(attribute, group, metric)) for group in groups]
    said = "; ".join(
        f"{row['label']} {interval_words(row['value'], row['low'], row['high'], row['state'], 'share')}"
        for row in points
    )
    listed = metric == "tpr"
    what = "Of those with the outcome, the share on the list" if listed else "How well people are ranked (AUROC)"
    data = {"rows": points, "axis": what, "unit": "share" if listed else "number", "reference": None}
    return Figure("forest", f"{what}, by {by_words(attribute)}", f"With 95% intervals. {said}.", data, "audit")


def _table(given: Audited, attribute: str, groups: tuple[str, ...], shown: Shown) -> Table:
    counted = count_rows(_counts(given, attribute, groups), ("people", "n", "positives"), parts={"n": ["positives"]})
    rows = tuple(
        (
            group_words(row["group"]),
            row["people"],
            # Of so few that they may not be counted, it may not be told either that none has the outcome.
            SUPPRESSED if row["people"] == SUPPRESSED else row["positives"],
            *(cell(given.group_figure(attribute, row["group"], metric)) for metric, _, _ in shown),
        )
        for row in counted
    )
    columns = (
        Column("Group"),
        Column(capital(given.text.people), "count"),
        Column("Rows with the outcome", "count"),
        *(Column(heading, kind) for _, heading, kind in shown),
    )
    return Table(f"Of 100, by {by_words(attribute)}", columns, rows, "audit", folded=len(groups) > _MANY)


def _counts(given: Audited, attribute: str, groups: tuple[str, ...]) -> list[dict[str, object]]:
    """People, rows and rows with the outcome of each group, from its first figure."""
    kept = ("group", "people", "n", "positives")
    rows = [row for row in given.audit.table.to_pylist() if row["attribute"] == attribute]
    first = {row["group"]: {name: row[name] for name in kept} for row in reversed(rows)}
    return [first[group] for group in groups]


def _silent(given: Audited) -> list[Block]:
    """What cannot be estimated, by group, without the small numbers that are the reason."""
    apart = tuple(
        f"By {by_words(one.attribute)}. {said(given, one)}"
        for one in given.audit.finding_list
        if one.says == "not_compared"
    )
    blocks: list[Block] = [Bullets(apart)] if apart else []
    figures = [row for row in given.audit.table.to_pylist() if MEASURE[row["metric"]].headline]
    rows = []
    for attribute, group in dict.fromkeys((row["attribute"], row["group"]) for row in figures):
        own = [row for row in figures if (row["attribute"], row["group"]) == (attribute, group)]
        missing = [WORDS[row["metric"]] for row in own if row["state"] == "not_estimable"]
        if missing:
            what = "Nothing can be estimated" if len(missing) == len(own) else capital(listed(missing))
            rows.append((capital(by_words(attribute)), group_words(group), what))
    if not rows:
        return blocks or [Paragraph("Every figure of every group could be estimated.")]
    columns = (Column("By"), Column("Group"), Column("What cannot be estimated"))
    caption = "Groups with too few people for some figures"
    note = "Not estimable is not the same as no difference."
    return [*blocks, Table(caption, columns, tuple(rows), "audit", note, folded=len(rows) > _MANY)]


def _choice(given: Audited) -> str:
    return given.text.fairness_choice or (
        "Nobody has yet written down which of these measures comes first, and why. When groups differ in how often the"
        " event is recorded, no model can meet all of them."
    )
