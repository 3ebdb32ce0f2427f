"""Could linkage be the reason? What the audit over linked worlds found, for studies that drew some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Bullets, Callout, Cell, Column, Heading, Paragraph, Section, Table
from riskmodel.cards.disclosed import rule_words
from riskmodel.cards.evidence import Claim, State
from riskmodel.cards.given import Given, cell
from riskmodel.cards.words import capital, group_words, listed, plain
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.linked_worlds import COULD_BE, STANDS

ARTEFACT = "linked_worlds"
METHOD = (
    "The whole audit was made again in each linked world: histories, features, model and figures. A gap's interval"
    " holds what lies between worlds on top of what lies within one (Rubin's rules), for all groups of an attribute at"
    " once."
    " Links that no world doubts, and records that were never compared, are in none of it."
)


def linked_worlds(given: Given) -> Section | None:
    """The section, or None for a study without draws."""
    found = given.linked_worlds
    if found is None:
        return None
    gaps = [row for row in found["gaps"] if row["says"] in (STANDS, COULD_BE)]
    could = [row for row in gaps if row["says"] == COULD_BE]
    blocks: list[Block] = [Callout(_headline(len(gaps), len(could), int(found["draws"])))]
    if could:
        blocks.append(Bullets(tuple(_said(row) for row in could)))
    if gaps:
        blocks.append(_table(given, gaps))
    missed = tuple(said for rates in found["links"] for said in _missed(rates))
    if missed:
        blocks += [Heading("Whose links are missed"), Bullets(missed)]
    return Section(ARTEFACT, "Could joining records be the reason", (*blocks, Heading("Method"), Paragraph(METHOD)))


def _headline(shown: int, could: int, draws: int) -> str:
    if not shown:
        return "No gap between groups is shown, so there is none that wrong or missed links could have made."
    gaps = "One gap" if shown == 1 else f"{shown} gaps"
    if not could:
        return (
            f"{gaps} between groups {'is' if shown == 1 else 'are'} shown, and stand{'s' * (shown == 1)} when records"
            f" are joined in {draws} other ways that are as likely."
        )
    return (
        f"{gaps} between groups {'is' if shown == 1 else 'are'} shown. Held against {draws} other ways of joining the"
        f" records that are as likely, {could} could be there only because of how they were joined."
    )


def _said(row: Mapping[str, Any]) -> str:
    """One gap that could be linkage's doing; its numbers are in the table."""
    who = f"{group_words(row['group'])} and {group_words(row['reference'])}"
    return f"{capital(listed(plain(row['attribute']).split(', ')))}: the {WORDS[row['metric']]} of {who}."


def _table(given: Given, gaps: list[Mapping[str, Any]]) -> Table:
    columns = (
        Column("By"),
        Column("Figure"),
        Column("Group"),
        Column("By the best linkage", "hundred_interval"),
        Column("Over linked worlds", "hundred_interval"),
        Column("Verdict"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            capital(listed(plain(row["attribute"]).split(", "))),
            capital(WORDS[row["metric"]]),
            f"{group_words(row['group'])} against {group_words(row['reference'])}",
            cell(_claim(given, row, "best", ("best", "best_low", "best_high"))),
            cell(_claim(given, row, "over", ("gap", "low", "high"))),
            capital(row["says"]),
        )
        for row in gaps
    ]
    note = f"A gap is the group's figure less that of the group it is held against. {rule_words()}"
    return Table(
        "Gaps that are shown, in 100, and whether they outlast doubt about links", columns, tuple(rows), ARTEFACT, note
    )


def _claim(given: Given, row: Mapping[str, Any], kind: str, names: tuple[str, str, str]) -> Claim:
    """A gap as a claim; suppressed where the figure of either group is."""
    key = f"linked.{row['attribute']}.{row['metric']}.{row['group']}.{kind}"
    own = [given.group_figure(row["attribute"], group, row["metric"]) for group in (row["group"], row["reference"])]
    hidden = any(one is None or one.state == "suppressed" for one in own)
    state: State = "suppressed" if hidden else "ok"
    value, low, high = (None if hidden else row[name] for name in names)
    return given.evidence.claim(Claim(key, value, ARTEFACT, low, high, state=state, unit="share"))


def _missed(rates: Mapping[str, Any]) -> list[str]:
    """Missed links of each group, of 100 pairs of records of one person."""
    known = [one for one in rates["groups"] if one["missed"]["value"] is not None]
    told = "; ".join(f"{plain(one['group'])} {_hundred(one['missed'])}" for one in known)
    return [f"{capital(plain(rates['by']))}: of 100 pairs of records of one person, missed: {told}."] if told else []


def _hundred(rate: Mapping[str, Any]) -> str:
    value, low, high = (100 * rate[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"
