"""The page of missed use and misuse."""

from __future__ import annotations

from riskmodel.population.estimate import Estimate
from riskmodel.population.missed_use import MISSED, MissedUse
from riskmodel.population.pages.blocks import Block, Callout, Cell, Column, Page, Picture, Points, Section, Text, grid
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import bars, dots
from riskmodel.population.pages.words import disclosure_lines, plain
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share


def missed_use_page(made: MissedUse, publication: Publication, organisation: str) -> Page:
    """What pooling the records would have shown in time, what it would have cost, and what was refused."""
    sections = (_finding(made, publication), _every(made, publication), _limits())
    return Page(
        "Missed use",
        "What nobody saw because nobody saw all of it",
        "Harm that the records of several agencies, put together, would have pointed to before it came.",
        organisation,
        sections,
        tuple(disclosure_lines(publication)),
    )


def _name(agencies: tuple[str, ...], whole: int) -> str:
    return "All together" if len(agencies) == whole else " + ".join(plain(agency) for agency in agencies)


def _foreseen(count: int | None, harmed: int | None) -> Estimate:
    if count is None or harmed is None:
        return Estimate.hidden("Wilson 1927, from rounded counts")
    return share(min(count, harmed), harmed)


def _finding(made: MissedUse, publication: Publication) -> Section:
    whole = len(made.pooled.agencies)
    singles = [view for view in made.views if len(view.agencies) == 1]
    shares = [(_name(view.agencies, whole), _foreseen(view.foreseen, view.harmed)) for view in [*singles, made.pooled]]
    for name, figure in shares:
        publication.figure(MISSED, f"share of harm seen coming, {name}", figure)
    lead = (
        "Too few people for their number to leave."
        if made.only_pooled is None
        else (
            f"About {made.only_pooled:,} people came to harm that all agencies together would have seen coming, "
            f"and no agency "
            "alone."
        )
    )
    rows: list[tuple[Cell, ...]] = [
        (name, view.foreseen, figure, _days(view.median_lead_days), view.flagged)
        for view, (name, figure) in zip([*singles, made.pooled], shares, strict=True)
    ]
    columns = [
        Column("Who looks"),
        Column("Seen coming", "count"),
        Column("Share of the harmed", "share"),
        Column("Median lead, days"),
        Column("People pointed to in all", "count"),
    ]
    both: list[tuple[str, float | None]] = [
        ("Seen only together (missed use)", None if made.only_pooled is None else float(made.only_pooled))
    ]
    both += [
        (f"Refused read: {code.replace('-', ' ')} (misuse)", float(number)) for code, number in made.misuse.items()
    ]
    smallest = "not known" if made.smallest is None else _name(made.smallest, whole)
    blocks: list[Block] = [
        Text(lead, lead=True),
        Picture(
            "Share of harmed people whom the rule pointed to before",
            dots(
                shares,
                "Share of the people harmed",
                "One line a view; the table below holds the same figures.",
                said=percent,
            ),
        ),
        grid(
            "One agency, and all together",
            columns,
            rows,
            note="People pointed to in all holds everybody the rule ever pointed to, harmed or not: the price.",
        ),
        Points((f"The fewest agencies that see at least 95 of 100 of what all see: {smallest}.",)),
        Picture(
            "Missed use and misuse side by side",
            bars(
                both,
                "people, and refused reads",
                "; ".join(f"{name}: {'hidden' if value is None else f'{value:.0f}'}" for name, value in both),
            ),
        ),
        grid("Missed use and misuse", [Column("What"), Column("Number", "count")], both),
    ]
    if not made.misuse:
        blocks.append(Text("The ledger holds no refused read."))
    return Section("finding", "What pooling would have shown", tuple(blocks))


def _days(value: float | None) -> str:
    return "not given" if value is None else f"{value:.0f}"


def _every(made: MissedUse, publication: Publication) -> Section:
    whole = len(made.pooled.agencies)
    rows = [
        (
            _name(view.agencies, whole),
            str(len(view.agencies)),
            view.foreseen,
            _foreseen(view.foreseen, view.harmed),
            _days(view.median_lead_days),
            view.flagged,
        )
        for view in made.views
    ]
    columns = [
        Column("Coalition"),
        Column("Agencies", filter=True),
        Column("Seen coming", "count"),
        Column("Share", "share"),
        Column("Median lead, days"),
        Column("Pointed to", "count"),
    ]
    title = publication.tables[MISSED].title
    return Section("coalitions", "Every coalition", (grid(title, columns, rows, folded=True),))


def _limits() -> Section:
    return Section(
        "limits",
        "What this is not",
        (
            Callout(
                "A rule that points to somebody is no decision about them, and most people it points to come to no "
                "harm."
            ),
            Points(
                (
                    (
                        "Seen coming means that the records crossed the rule within a year before the harm; it "
                        "does not mean that harm "
                        "could have been prevented."
                    ),
                    (
                        "Pooling records costs privacy of everybody in them. This page is for weighing that cost, not "
                        "for deciding it."
                    ),
                )
            ),
        ),
    )
