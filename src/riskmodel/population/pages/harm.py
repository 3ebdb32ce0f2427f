"""The dashboard of serious violence, or of any harm: made from a publication and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from riskmodel.population.cube import sliced
from riskmodel.population.harm import HARM
from riskmodel.population.harm_figures import index_by_year, places, rates_by
from riskmodel.population.pages.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Grid,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.charts import bars, dots
from riskmodel.population.pages.harm_again import again_section, two_sources_section
from riskmodel.population.pages.harm_places import place_section
from riskmodel.population.pages.harm_time import time_section
from riskmodel.population.pages.harm_words import HarmWords
from riskmodel.population.pages.words import disclosure_lines, plain, rate_columns
from riskmodel.population.publication import Publication


def harm_page(publication: Publication, words: HarmWords) -> Page:
    """The dashboard."""
    found = places(publication, words.harms)
    sections = [
        overview_section(publication, words),
        time_section(publication, words),
        people_section(publication),
        place_section(publication, words, found),
        again_section(publication),
        two_sources_section(publication),
        method_section(publication, words),
    ]
    return Page(
        "Dashboard",
        words.title,
        words.summary,
        words.organisation,
        tuple(section for section in sections if section.blocks),
        tuple(disclosure_lines(publication)),
    )


def overview_section(publication: Publication, words: HarmWords) -> Section:
    """What counts as harm, and how much of it there was, weighted and plain."""
    (whole,) = sliced(publication.tables[HARM].table)
    lead = (
        f"From {words.period.words} the agencies recorded {_count(whole['events'])} events of harm to "
        f"{_count(whole['people'])} different people who live or were hurt in the area."
    )
    yearly = list(index_by_year(publication, words.harms))
    alt = "One bar a year: " + "; ".join(f"{y} {'hidden' if w is None else f'{w:.0f}'}" for y, w, _ in yearly)
    index = bars(
        [(year, weighted) for year, weighted, _ in yearly],
        "weighted events per 1,000 residents",
        alt,
        said=lambda value: f"{value:.0f}",
    )
    blocks: list[Block] = [
        Text(lead, lead=True),
        _kinds_of_harm(publication, words),
        Picture("Harm-weighted events per 1,000 residents", index),
        grid(
            "Harm-weighted index and plain rate by year, per 1,000 residents",
            [Column("Year"), Column("Harm-weighted", "number"), Column("Unweighted events", "number")],
            yearly,
        ),
    ]
    return Section("overview", "Overview", tuple(blocks))


def _kinds_of_harm(publication: Publication, words: HarmWords) -> Grid:
    table, last = publication.tables[HARM].table, words.period.labels[-1]
    rows = []
    for harm in words.harms:
        by_year = {str(row["year"]): row["events"] for row in sliced(table, "year", kind=harm.kind)}
        (total,) = sliced(table, kind=harm.kind) or [{"events": 0, "people": 0}]
        rows.append((harm.words, harm.weight, by_year.get(last), total["events"], total["people"], harm.source))
    columns = [
        Column("Kind of harm"),
        Column("Weight", "number"),
        Column(f"Events in {last}", "count"),
        Column(f"Events, {words.period.words}", "count"),
        Column("Different people", "count"),
        Column("Weight from"),
    ]
    note = (
        "One event counts once a person harmed. The weights say how grave one event is beside another; they are "
        "declared, not estimated."
    )
    return grid("What counts as harm", columns, rows, note=note)


def _count(value: object) -> str:
    return "a number that may not be shown of" if value is None else f"about {int(str(value)):,}"


def people_section(publication: Publication) -> Section:
    """Who is harmed, as rates of groups."""
    blocks: list[Block] = [
        Text(
            "Rates are of groups: events of harm per 1,000 residents and year. A group's rate says nothing about "
            "any one person in it."
        ),
    ]
    for dimension, heading in (("age", "Age"), ("sex", "Sex"), ("ethnicity", "Ethnicity")):
        found = rates_by(publication, dimension)
        for one in found:
            publication.figure(HARM, f"rate per 1,000, {dimension} {one.group}", one.rate)
        drawing = dots(
            [(plain(one.group), one.rate) for one in found],
            "Events per 1,000 residents and year",
            f"Rates of harm by {dimension}; the table below holds the same figures.",
        )
        rows = [(plain(one.group), one.rate, one.events, one.people, one.resident_years) for one in found]
        blocks += [
            Picture(f"{heading} of people harmed", drawing),
            grid(f"Harm by {dimension}", rate_columns(heading), rows, note=_why_hidden(rows)),
        ]
    return Section("people", "Who is harmed", tuple(blocks))


def _why_hidden(rows: Sequence[Sequence[Cell]]) -> str:
    if all(cell is not None for row in rows for cell in row):
        return ""
    return "Suppressed: too few people, or a figure that beside the others would open one of too few people."


def method_section(publication: Publication, words: HarmWords) -> Section:
    """How the figures were made, and what they are not."""
    rules = publication.rules
    lines = (
        "Recorded harm is what was reported, found or said, and recorded. Places with more police work record more.",
        (
            "Rates are per 1,000 residents at the middle of each year, one person-year each. Somebody without a known "
            "address is in the events and not among the residents."
        ),
        (
            "Intervals of rates: exact below ten events, Byar's above; of standardised rates: Dobson 1991. They "
            "hold chance, "
            "not errors of recording or linkage."
        ),
        (
            f"Counts below {rules.smallest_shown} are hidden, and more where the hidden could be worked out; the "
            f"others are "
            f"rounded to the nearest {rules.round_to} ({rules.source}). Everything on this page is worked out from the "
            "figures as published, so that it gives nothing more away."
        ),
        "No figure here may be used about one person. A group is not a person.",
    )
    facts = (
        ("Period", words.period.words),
        ("Known before", publication.as_of.strftime("%-d %B %Y")),
        ("Edition", publication.edition),
        ("Last edition", publication.earlier.edition if publication.earlier else "none: this is the first"),
    )
    return Section("method", "How it was made", (Facts(facts), Points(lines)))
