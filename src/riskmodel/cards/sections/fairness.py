"""The audit by group: first what was found, then the figures, then the method; and what cannot be said."""

from __future__ import annotations

from riskmodel.cards.blocks import Block, Bullets, Callout, Column, Figure, Heading, Kind, Paragraph, Section, Table
from riskmodel.cards.disclosed import count_rows, rule_words
from riskmodel.cards.evidence import interval_words
from riskmodel.cards.given import Audited, cell, point
from riskmodel.cards.words import capital, listed, plain
from riskmodel.fairness.audit import METHOD
from riskmodel.fairness.findings import WORDS, Finding
from riskmodel.fairness.measures import MEASURE

SHOWN: tuple[tuple[str, str, Kind], ...] = (
    ("tpr", "Found", "share_interval"),
    ("fpr", "Listed in error", "share_interval"),
    ("ppv", "Listed and right", "share_interval"),
    ("observed_expected", "Observed over expected", "number_interval"),
)
"""The figures of the tables: metric, heading, kind."""
EXPLAINED = (
    "Found: of those with the outcome, the share on the list. Listed in error: of those without it, the share on the"
    " list. Listed and right: of those on the list, the share with the outcome. Observed over expected: above 1, the"
    " model says too little for this group."
)
_WITHOUT_LIST: tuple[tuple[str, str, Kind], ...] = (
    ("auroc", "Ranking (AUROC)", "number_interval"),
    ("observed_expected", "Observed over expected", "number_interval"),
)
_MANY = 8


def fairness(given: Audited) -> Section:
    """Errors and calibration by group."""
    attributes = tuple(dict.fromkeys(given.audit.table["attribute"].to_pylist()))
    blocks: list[Block] = [*_headline(given)]
    for attribute in attributes:
        blocks += _attribute(given, attribute)
    blocks.append(Heading("What cannot be said"))
    blocks += _silent(given)
    blocks += [Heading("Which measure comes first"), Paragraph(_choice(given)), Heading("Method"), Paragraph(METHOD)]
    return Section("groups", "Is it the same for everyone", tuple(blocks))


def _headline(given: Audited) -> list[Block]:
    differs = [one for one in given.audit.finding_list if one.says == "differs"]
    if not differs:
        said = (
            "No difference between groups was shown beyond what chance would give. That is not proof that there is"
            " none: what is still possible is said with each group."
        )
    else:
        named = dict.fromkeys(_by(one.attribute) for one in differs)
        said = f"Groups differ beyond what chance would give by {'; '.join(named)}. The findings below say in what."
    return [Callout(said)]


def _attribute(given: Audited, attribute: str) -> list[Block]:
    own = [one for one in given.audit.finding_list if one.attribute == attribute]
    differs = tuple(_said(given, one) for one in own if one.says == "differs")
    not_shown = tuple(_said(given, one) for one in own if one.says == "not_shown")
    rows = [row for row in given.audit.table.to_pylist() if row["attribute"] == attribute]
    groups = tuple(dict.fromkeys(row["group"] for row in rows))
    metrics = {row["metric"] for row in rows}
    shown = SHOWN if "tpr" in metrics else _WITHOUT_LIST
    blocks: list[Block] = [Heading(f"By {_by(attribute)}")]
    blocks.append(Bullets(differs) if differs else Paragraph("No difference was shown beyond what chance would give."))
    if not_shown:
        count = f"{len(not_shown)} comparison{'' if len(not_shown) == 1 else 's'}"
        blocks.append(
            Bullets(not_shown, folded=f"{count} in which no difference was shown, and what is still possible")
        )
    lead = shown[0][0]
    if len(groups) <= _MANY:
        blocks.append(_figure(given, attribute, groups, lead))
    blocks.append(_table(given, attribute, groups, shown))
    return blocks


def _figure(given: Audited, attribute: str, groups: tuple[str, ...], metric: str) -> Figure:
    points = [point(capital(plain(group)), given.group_figure(attribute, group, metric)) for group in groups]
    said = "; ".join(
        f"{row['label']} {interval_words(row['value'], row['low'], row['high'], row['state'], 'share')}"
        for row in points
    )
    listed = metric == "tpr"
    what = "Of those with the outcome, the share on the list" if listed else "How well people are ranked (AUROC)"
    data = {"rows": points, "axis": what, "unit": "share" if listed else "number", "reference": None}
    return Figure("forest", f"{what}, by {_by(attribute)}", f"With 95% intervals. {said}.", data, "audit")


def _table(given: Audited, attribute: str, groups: tuple[str, ...], shown: tuple[tuple[str, str, Kind], ...]) -> Table:
    counted = count_rows(_counts(given, attribute, groups), ("people", "n", "positives"), parts={"n": ["positives"]})
    rows = tuple(
        (
            capital(plain(row["group"])),
            row["people"],
            row["positives"],
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
    note = f"{EXPLAINED} {rule_words()}" if shown is SHOWN else rule_words()
    return Table(f"Figures by {_by(attribute)}", columns, rows, "audit", note, folded=len(groups) > _MANY)


def _counts(given: Audited, attribute: str, groups: tuple[str, ...]) -> list[dict[str, object]]:
    """People, rows and rows with the outcome of each group, from its first figure."""
    kept = ("group", "people", "n", "positives")
    rows = [row for row in given.audit.table.to_pylist() if row["attribute"] == attribute]
    first = {row["group"]: {name: row[name] for name in kept} for row in reversed(rows)}
    return [first[group] for group in groups]


def _said(given: Audited, finding: Finding) -> str:
    """The sentence of a finding, or one without figures where a figure in it may not be shown."""
    if finding.metric is None:
        return finding.sentence
    groups = dict.fromkeys(
        row["group"] for row in given.audit.table.to_pylist() if row["attribute"] == finding.attribute
    )
    figures = {group: given.group_figure(finding.attribute, group, finding.metric) for group in groups}
    hidden = [group for group, claim in figures.items() if claim is not None and claim.state == "suppressed"]
    if not any(f" for {group}" in finding.sentence or f" {group} " in finding.sentence for group in hidden):
        return finding.sentence
    verdict = "differ more than chance would have it" if finding.says == "differs" else "were not shown to differ"
    return (
        f"{capital(finding.attribute)}: by the {WORDS[finding.metric]} the groups {verdict}. The figures of some groups"
        " rest on too few people to be shown."
    )


def _silent(given: Audited) -> list[Block]:
    """What cannot be estimated, by group, without the small numbers that are the reason."""
    said = tuple(_said(given, one) for one in given.audit.finding_list if one.says == "not_compared")
    blocks: list[Block] = [Bullets(said)] if said else []
    figures = [row for row in given.audit.table.to_pylist() if MEASURE[row["metric"]].headline]
    rows = []
    for attribute, group in dict.fromkeys((row["attribute"], row["group"]) for row in figures):
        own = [row for row in figures if (row["attribute"], row["group"]) == (attribute, group)]
        missing = [WORDS[row["metric"]] for row in own if row["state"] == "not_estimable"]
        if missing:
            what = "Nothing can be estimated" if len(missing) == len(own) else capital(listed(missing))
            rows.append((capital(_by(attribute)), capital(plain(group)), what))
    if not rows:
        return blocks or [Paragraph("Every figure of every group could be estimated.")]
    columns = (Column("By"), Column("Group"), Column("What cannot be estimated"))
    caption = "Groups with too few people for some figures"
    note = "Not estimable is not the same as no difference."
    return [*blocks, Table(caption, columns, tuple(rows), "audit", note, folded=len(rows) > _MANY)]


def _by(attribute: str) -> str:
    return listed(plain(attribute).split(", "))


def _choice(given: Audited) -> str:
    return given.text.fairness_choice or (
        "Nobody has yet written down which of these measures comes first, and why. When groups differ in how often the"
        " event is recorded, no model can meet all of them."
    )
