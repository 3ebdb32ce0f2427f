"""The page of missed use and misuse: what pooling would have shown in time, what it takes, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskmodel.population.estimate import Estimate
from riskmodel.population.foresight import ENOUGH, Foresight, View
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import bars, dots
from riskmodel.population.pages.words import disclosure_lines, plain, share_or_hidden
from riskmodel.population.publication import Publication

_OFF_PURPOSE = ("purpose", "controller", "field")


@dataclass(frozen=True, slots=True)
class Told:
    """One replay with the words that go with it.

    Attributes
    ----------
    name, title : such as "rule" and "By a rule of 4 records within 1y"
    how : who was looked at, and what counts as seen coming
    found : Foresight
    """

    name: str
    title: str
    how: str
    found: Foresight


@dataclass(frozen=True, slots=True)
class SmallSet:
    """The smallest set of records found, in words and released counts.

    Attributes
    ----------
    kept, left_out : rows (kind, agencies, fields of a record)
    counts : mapping of "both", "small_only", "all_only", "neither" to people in the last period; None is hidden
    lead_small, lead_all : Estimate, median days before the harm
    """

    kept: tuple[tuple[str, str, str], ...]
    left_out: tuple[tuple[str, str, str], ...]
    counts: Mapping[str, int | None]
    lead_small: Estimate
    lead_all: Estimate


def missed_use_page(
    replays: Sequence[Told],
    smallest: SmallSet | None,
    misuse: Mapping[str, int],
    publication: Publication,
    organisation: str,
    *,
    synthetic: bool = False,
) -> Page:
    """The page over every replay that was made."""
    sections = [_both(replays, misuse, synthetic)]
    sections += [_replay(told, publication) for told in replays]
    sections += [] if smallest is None else [_small_set(smallest)]
    sections.append(_limits())
    return Page(
        "Missed use",
        "What nobody saw because nobody saw all of it",
        "Harm that the records of several agencies, put together, would have pointed to before it came; what it would "
        "have taken to see it; and reads that were refused.",
        organisation,
        tuple(sections),
        tuple(disclosure_lines(publication)),
    )


def _name(agencies: tuple[str, ...], whole: int) -> str:
    return "All together" if len(agencies) == whole else " + ".join(plain(agency) for agency in agencies)


def _both(replays: Sequence[Told], misuse: Mapping[str, int], synthetic: bool) -> Section:
    rows: list[tuple[str, float | None]] = []
    for told in replays:
        for words, beside in (("by none alone", told.found.any_alone), ("not by the best", told.found.best_alone)):
            only = beside.only_together
            rows.append((f"Seen by the {told.name}, {words}", None if only is None else float(only)))
    for code, number in misuse.items():
        kind = "off purpose" if code.startswith(_OFF_PURPOSE) else "denied"
        rows.append((f"Misuse, {kind}: {code.replace('-', ' ')}", float(number)))
    alt = "; ".join(f"{name}: {'hidden' if value is None else f'{value:.0f}'}" for name, value in rows)
    blocks: list[Block] = []
    if synthetic:
        blocks.append(
            Callout("The people in these records are made up. Nothing here is about a real place.", warning=True)
        )
    blocks += [
        Text("Data can do harm in two ways: by being used where it may not be, and by not being used where it would "
             "have helped. Both are counted here.", lead=True),
        Picture("Missed use and misuse side by side", bars(rows, "people; refused reads", alt)),
        grid(
            "Missed use and misuse", [Column("What"), Column("Number", "count")], rows,
            note="Missed use: people harmed whom all agencies together would have seen coming, and none alone, or not "
            "the one that alone sees most. Misuse: requests for rows, scores or exports that were refused and written "
            "down.",
        ),
    ]  # fmt: skip
    if not misuse:
        blocks.append(Text("The ledger holds no refused read. It cannot hold reads that went round it."))
    return Section("both", "Missed use and misuse", tuple(blocks))


def _replay(told: Told, publication: Publication) -> Section:
    found = told.found
    whole = len(found.pooled.agencies)
    looked = [*found.singles, found.pooled]
    shares = [(_name(view.agencies, whole), share_or_hidden(view.foreseen, view.harmed)) for view in looked]
    for name, figure in shares:
        publication.figure(found.table, f"share of harm seen coming by the {told.name}, {name}", figure)
    publication.figure(found.table, f"days gained by the {told.name} over the best alone", found.best_alone.gained)
    rows = [_row(view, whole) for view in looked]
    rest = [(*row[:1], str(len(view.agencies)), *row[1:]) for view in found.views for row in [_row(view, whole)]]
    columns = _columns()
    blocks: list[Block] = [
        Text(_finding(found), lead=True),
        Text(told.how),
        _beside(found),
        Picture(
            "Share of harmed people who were pointed to before",
            dots(shares, "Share of the people harmed", _alt(shares), said=percent),
        ),
        grid("One agency, and all together", columns, rows, note=_PRICE),
        grid(
            publication.tables[found.table].title,
            [Column("Coalition"), Column("Agencies", filter=True), *columns[1:]],
            rest,
            folded=True,
        ),
    ]
    return Section(told.name, told.title, tuple(blocks))


_PRICE = "People pointed to in all are everybody who was ever pointed to, harmed or not: the price of seeing."


def _columns() -> list[Column]:
    return [
        Column("Who looks"),
        Column("Seen coming", "count"),
        Column("Share of the harmed", "share"),
        Column("Median days before", "count"),
        Column("People pointed to in all", "count"),
    ]


def _row(view: View, whole: int) -> tuple[Cell, ...]:
    share = share_or_hidden(view.foreseen, view.harmed)
    return (_name(view.agencies, whole), view.foreseen, share, view.lead, view.flagged)


def _alt(shares: Sequence[tuple[str, Estimate]]) -> str:
    said = (f"{name} {percent(made.value) if made.value is not None else made.state}" for name, made in shares)
    return "Share of harmed people seen coming: " + ", ".join(said) + "."


def _finding(found: Foresight) -> str:
    best, whole = found.best_alone, found.pooled
    name = plain(best.who[0])
    if whole.foreseen is None or best.only_together is None:
        return f"Too few people were seen coming together and not by {name} alone for their number to leave."
    said = f"All together saw about {whole.foreseen:,} people coming; {name}, which alone sees most, missed about "
    return f"{said}{best.only_together:,} of them."


def _beside(found: Foresight) -> Block:
    whole = len(found.pooled.agencies)
    rows: list[tuple[Cell, ...]] = [
        (words, beside.only_together, beside.earlier, beside.gained, beside.pointed_to)
        for words, beside in (
            (f"{plain(found.best_alone.who[0])}, which alone sees most", found.best_alone),
            ("Every agency, each alone", found.any_alone),
        )
    ]
    smallest = "not known" if found.smallest is None else _name(found.smallest, whole)
    return grid(
        "All together beside agencies that look alone",
        [
            Column("Beside"),
            Column("Seen only together", "count"),
            Column("Seen earlier together", "count"),
            Column("Median days gained", "count"),
            Column("People these point to", "count"),
        ],
        rows,
        note=f"Together they point to {_count(found.pooled.flagged)} people. The fewest agencies that see at least "
        f"{ENOUGH:.0%} of what all see: {smallest}.",
    )


def _count(number: int | None) -> str:
    return "too few" if number is None else f"about {number:,}"


def _small_set(made: SmallSet) -> Section:
    counts = made.counts
    known = None not in counts.values()
    small = (counts["both"] or 0) + (counts["small_only"] or 0)
    every = (counts["both"] or 0) + (counts["all_only"] or 0)
    holds = small >= ENOUGH * every
    lead = (
        f"In the last period, which had no part in the choice, these records saw about {small:,} people coming; all "
        f"records saw about {every:,}. " + ("The choice holds." if holds else "The choice does not hold: it saw fewer.")
        if known
        else "In the last period, which had no part in the choice, too few people were seen coming for their numbers "
        "to leave."
    )
    words = {
        "both": "Seen by both",
        "small_only": "Only by the small set",
        "all_only": "Only by all records",
        "neither": "By neither",
    }
    columns = [Column("Record"), Column("Recorded by"), Column("Fields it needs")]
    blocks: list[Block] = [
        Text(lead, lead=True),
        grid("Records that are enough", columns, made.kept),
        grid(
            "People harmed in the last period",
            [Column("Seen coming"), Column("People", "count")],
            [(words[name], counts[name]) for name in words],
        ),
        grid(
            "How early",
            [Column("Records"), Column("Median days before", "count")],
            [("The small set", made.lead_small), ("All records", made.lead_all)],
        ),
        grid("Records that could be left out", columns, made.left_out, folded=True),
        Text(
            "The set is small, not for certain the smallest: not every set can be tried. What could be left out for "
            "this one question may be needed for another."
        ),
    ]
    return Section("fewest", "The fewest records that see as much", tuple(blocks))


def _limits() -> Section:
    return Section(
        "limits",
        "What this is not",
        (
            Callout("Being pointed to is no decision about anybody, and most people pointed to come to no harm."),
            Points(
                (
                    "Seen coming means pointed to within a year before the harm, not that it was preventable.",
                    "One agency alone looks better than it was: it is lent the birth dates, addresses and ties of all.",
                    "Pooling costs the privacy of everybody in the records: weigh it. This page decides nothing.",
                )
            ),
        ),
    )
