"""The community pack: what a partnership owes the people it is about, in plain language, open, with its own record.

It is an extract of what was published and holds no other figure. It names no small area: streets and estates are not
to be marked by it. Whoever lives there may use, print and question it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from riskmodel.population.cube import UNKNOWN, sliced
from riskmodel.population.factor_counts import FACTORS
from riskmodel.population.harm import HARM
from riskmodel.population.harm_figures import rates_by
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.pages.blocks import Block, Callout, Column, Page, Points, Section, Text, grid
from riskmodel.population.pages.html import write_page
from riskmodel.population.pages.words import plain
from riskmodel.population.publication import write_csv

LICENCE = "Open Government Licence v3"


def write_pack(made: Assessment, plan: NeedsPlan, folder: str | Path) -> list[Path]:
    """Write the page, one CSV file and the disclosure record; returns their paths."""
    folder = Path(folder)
    paths = write_page(community_page(made, plan), folder, "community")
    table = open_table(made)
    write_csv(table, folder / "violence.csv")
    record = {
        "extract_of": {"name": made.publication.name, "edition": made.publication.edition},
        "rules": made.publication.rules.document(),
        "licence": LICENCE,
        "rows": table.num_rows,
        "rows_with_a_hidden_count": int(table.column("events").null_count),
        "left_out": "small areas, single months, cohorts, agencies and everything about suspects and searches",
    }
    path = folder / "record.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*paths, folder / "violence.csv", path]


def open_table(made: Assessment) -> pa.Table:
    """Year by year, and by age and sex over the whole period: events and people, as published."""
    table = made.publication.tables[HARM].table
    rows = []
    for dimension in ("year", "age", "sex"):
        for row in sliced(table, dimension):
            rows.append(
                {"by": dimension, "group": str(row[dimension]), "events": row["events"], "people": row["people"]}
            )
    schema = pa.schema([("by", pa.string()), ("group", pa.string()), ("events", pa.int64()), ("people", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


def community_page(made: Assessment, plan: NeedsPlan) -> Page:
    """What there is, in plain language."""
    voice = plan.texts.get("community_voice", "").strip()
    said = Text(voice or "Nobody has been asked yet, or it was not written down.")
    sections = [
        Section("numbers", "What the numbers say", (*_numbers(made), *_helps(made, plan))),
        Section("voice", "What people here say", (said,)),
        Section("yours", "What you may do with this", _yours()),
    ]
    if plan.synthetic:
        unreal = Callout("The people in these numbers do not exist.", warning=True)
        sections.insert(0, Section("made-up", "Made up", (unreal,)))
    return Page(
        "For everybody who lives here",
        "Violence where we live",
        "What is known, what is not, and what helps.",
        plan.organisation,
        tuple(sections),
        (f"An extract of edition {made.publication.edition}; how it was made safe is in record.json.",),
        band="Open to everybody.",
    )


def _numbers(made: Assessment) -> tuple[Block, ...]:
    """How much harm there was, by year and by age."""
    publication = made.publication
    years = [(str(row["year"]), row["events"], row["people"]) for row in sliced(publication.tables[HARM].table, "year")]
    by_age = [
        (plain(one.group), _in_a_thousand(one.rate.value))
        for one in rates_by(publication, "age")
        if one.group != UNKNOWN
    ]
    last = years[-1] if years else ("", None, None)
    lead = (
        f"In {last[0]}, about {last[2]:,} people here were hurt or threatened in ways that were written down."
        if last[2] is not None
        else "Too few people were hurt for their number to be shown."
    )
    return (
        Text(lead, lead=True),
        Text(
            "Much is never written down. These numbers are what people told a service, and what the service recorded."
        ),
        grid("Harm by year", [Column("Year"), Column("Times", "count"), Column("People", "count")], years),
        grid(
            "In a year, of 1,000 people of an age",
            [Column("Age"), Column("Times somebody was harmed")],
            by_age,
            note="It says how often harm happens to people of that age. It says nothing about you or anybody you know.",
        ),
    )


def _helps(made: Assessment, plan: NeedsPlan) -> tuple[Block, ...]:
    """What protects, and what services there are."""
    blocks: list[Block] = []
    titles = {factor.name: factor.title for factor in plan.factors if factor.direction == "protective"}
    table = made.publication.tables.get(FACTORS)
    held = [
        (titles[row["factor"]], row["with_it"], row["people"])
        for row in (table.table.to_pylist() if table else [])
        if row["factor"] in titles
    ]
    if held:
        title = f"What protects young people aged {plan.aged[0]} to {plan.aged[1]}"
        columns = [Column("What"), Column("Young people with it", "count"), Column("Of", "count")]
        blocks.append(grid(title, columns, held))
    if plan.services:
        blocks.append(Points(tuple(f"{one.name}: {one.offers}" for one in plan.services)))
    return tuple(blocks)


def _yours() -> tuple[Block, ...]:
    return (
        Callout(f"You may copy, print and change this ({LICENCE}). The numbers are in violence.csv."),
        Points(
            (
                "Nobody can be found in it: small numbers are hidden and the others rounded.",
                "It must not be used about one person, one street or one family.",
                "If something is wrong or missing, tell the partnership; the next edition says what changed.",
            )
        ),
    )


def _in_a_thousand(rate: float | None) -> str:
    return "not shown" if rate is None else f"about {rate:.0f}"
