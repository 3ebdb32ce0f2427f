"""What a reader of advice would be told: how many reasons hold still, for whom none does, whose score is withheld."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from riskmodel.advisory.words import day
from riskmodel.cards.blocks import Block, Cell, Column, Heading, Paragraph, Table
from riskmodel.cards.disclosed import count_cell, count_or_none, count_rows, rule_words
from riskmodel.cards.evidence import Claim, share_words
from riskmodel.cards.given import Given, cell, clean
from riskmodel.cards.words import capital, group_words, plain, uncapital
from riskmodel.explain.by_group import EVERYBODY as ALL
from riskmodel.governance.disclosure import SUPPRESSED, Total
from riskmodel.models.uncertainty import wilson

_HIDDEN: Final = {"share": None, "low": None, "high": None, "state": "suppressed"}


def told(given: Given) -> list[Block]:
    """How many reasons a reader of advice would be told, and for how many people the models made again disagree."""
    steady, settled = (given.explanation.settings.get(name) for name in ("steady", "settled"))
    if not steady:
        return []
    blocks: list[Block] = []
    high = steady["high"]
    rows = round(high["rows"])
    if high["share_told"] is not None and high["no_stable_reason"] is not None:
        told = given.worked_out("reasons.told", high["share_told"], "explanation", rows, "share")
        none = given.worked_out("reasons.no_stable_reason", high["no_stable_reason"], "explanation", rows, "share")
        low, top = wilson(high["no_stable_reason"], rows)
        blocks.append(
            Paragraph(
                f"Advice tells a reason only where nine of ten models made again give it too. Of the reasons of"
                f" {rows:,} rows with high scores, {share_words(told.value, 0)} hold still in that way;"
                f" {share_words(none.value, 0)} ({share_words(low, 0)} to {share_words(top, 0)}) of these rows are left"
                " with none, and their reader is told “no stable reason”."
            )
        )
    if without := given.explanation.settings.get("without"):
        blocks.append(_without(given, without))
    if settled:
        blocks.append(_places(given, settled))
    return blocks


def _who(row: Mapping[str, Any]) -> str:
    return (
        "Everybody" if row["attribute"] == ALL else f"{capital(plain(row['attribute']))}: {group_words(row['group'])}"
    )


def _shares_of_people(
    given: Given, key: str, artefact: str, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Cell, ...]]:
    """Who, how many people, and a share with its interval; nothing of a group too small to be counted."""
    made: list[tuple[Cell, ...]] = []
    for row in rows:
        shown = count_or_none(row["people"])
        claim = Claim(
            key=f"{key}.{row['attribute']}.{row['group']}",
            value=None if shown is None else clean(row["share"]),
            artefact=artefact,
            low=None if shown is None else clean(row["low"]),
            high=None if shown is None else clean(row["high"]),
            n=shown,
            state=row["state"] if shown is not None else "suppressed",
            unit="share",
        )
        made.append((_who(row), count_cell(row["people"]), cell(given.evidence.claim(claim))))
    return made


def _without(given: Given, rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = (Column("Who"), Column("People", "count"), Column("Left with no stable reason", "share_interval"))
    note = "Of rows that had reasons, whatever their score. 95% intervals, the rows of a person taken together."
    cells = tuple(_shares_of_people(given, "reasons.without", "explanation", rows))
    return Table("Whose reasons do not hold still", columns, cells, "explanation", note)


def _telling(rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """The rows whose share would tell a small count, their own or one that follows from the others'."""
    attributes = {row["attribute"] for row in rows} - {ALL}
    whole = [{**row, "attribute": name} for name in attributes for row in rows if row["attribute"] == ALL]
    cells = [{name: row[name] for name in ("attribute", "group", "people", "withheld")} for row in [*rows, *whole]]
    totals = (Total("group", ALL, ("attribute",)),)
    shown = count_rows(cells, ("people", "withheld"), totals=totals, parts={"people": ("withheld",)})
    hidden = {(row["attribute"], row["group"]) for row in shown if SUPPRESSED in (row["people"], row["withheld"])}
    return hidden | ({(ALL, ALL)} if any(group == ALL for _, group in hidden) else set())


def withheld(given: Given) -> list[Block]:
    """For how many people the score would be withheld, were the model asked about the newest people it knows."""
    found = given.withheld
    if found is None:
        return []
    hidden = _telling(found["rows"])
    rows = [{**row, **_HIDDEN} if (row["attribute"], row["group"]) in hidden else row for row in found["rows"]]
    moved = "" if found["moved_most"] is None else (
        " The feature that moved most between the earlier dates and this one is"
        f" {uncapital(given.called_feature(found['moved_most']))}, with a population stability index of"
        f" {found['index']:.2f}; a list is refused from {found['refused_above']}."
    )  # fmt: skip
    said = (
        "A score is withheld where somebody lies far outside what the model learned from. Held against the earlier"
        f" dates of the training set, the people of {day(dt.date.fromisoformat(found['as_of']))} would be treated as"
        f" follows.{moved}"
    )
    columns = (Column("Who"), Column("People", "count"), Column("Score withheld", "share_interval"))
    note = f"95% intervals. {rule_words()}"
    cells = tuple(_shares_of_people(given, "advice.withheld", "withheld", rows))
    return [
        Heading("Whose score would be withheld"),
        Paragraph(said),
        Table("Scores withheld", columns, cells, "withheld", note),
    ]


def _places(given: Given, settled: Mapping[str, Mapping[str, float]]) -> Table:
    rows = []
    for label, found in sorted(settled.items(), key=lambda each: each[1]["places"]):
        kept = given.worked_out(
            f"reasons.settled.{label}", found["overlap"], "explanation", round(found["people"]), "share"
        )
        open_ones = found["open"] / found["people"]
        given.worked_out(f"reasons.open.{label}", open_ones, "explanation", round(found["people"]), "share")
        rows.append((label, kept.value, open_ones, count_cell(round(found["people"]))))
    columns = (
        Column("Length of the list"),
        Column("Same people by another model", "share"),
        Column("All people whose place is open", "share"),
        Column("People", "count"),
    )
    note = (
        "On the newest date of the training set. Open: more than one in ten of the models made again would put this"
        " person on the list, and more than one in ten would not. A list says so beside these people and gives them no"
        " rank."
    )
    return Table("Places on a list that chance decides", columns, tuple(rows), "explanation", note)
