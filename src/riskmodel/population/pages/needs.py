"""The needs assessment as a page: declared texts beside released counts, heading by heading."""

from __future__ import annotations

from riskmodel.population.cube import UNKNOWN, sliced
from riskmodel.population.harm import RESIDENTS
from riskmodel.population.harm_figures import places
from riskmodel.population.needs import CLOCK, SUSPECTS, Assessment, NeedsPlan
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Column,
    Facts,
    Page,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.harm import (
    method_section,
    overview_section,
    people_section,
)
from riskmodel.population.pages.harm_again import again_section, two_sources_section
from riskmodel.population.pages.harm_places import place_section
from riskmodel.population.pages.harm_time import time_section
from riskmodel.population.pages.harm_words import HarmWords
from riskmodel.population.pages.needs_answers import (
    checklist,
    cost_section,
    duty_section,
    last_edition_section,
    services_section,
)
from riskmodel.population.pages.needs_factors import cohorts_section, factors_section
from riskmodel.population.pages.needs_inequality import inequality_section
from riskmodel.population.pages.needs_known import known_section, standing_section
from riskmodel.population.pages.unseen import unseen_section
from riskmodel.population.pages.words import disclosure_lines, plain, whole_or_hidden

MADE_UP = "The people in these records are made up. Nothing here is about a real place."


def harm_words(made: Assessment, plan: NeedsPlan, title: str, summary: str) -> HarmWords:
    """What the harm pages need to know beside the publication."""
    names = {area.area: area.name for area in plan.areas if area.name}
    positions = {
        area.area: (area.column, area.row) for area in plan.areas if area.column is not None and area.row is not None
    }
    return HarmWords(title, summary, plan.organisation, plan.harms, made.period, names, positions)


def needs_page(made: Assessment, plan: NeedsPlan) -> Page:
    """The whole assessment."""
    words = harm_words(made, plan, plan.title, "")
    publication = made.publication
    sections = [
        _definition(made, plan),
        overview_section(publication, words),
        time_section(publication, words),
        _clock(made),
        place_section(publication, words, places(publication, plan.harms)),
        people_section(publication),
        _suspects(made),
        again_section(publication),
        factors_section(made, plan),
        cohorts_section(made, plan),
        inequality_section(made, plan),
        known_section(made),
        standing_section(made, plan),
        unseen_section(made.unseen),
        two_sources_section(publication),
        services_section(plan),
        cost_section(made, plan),
        last_edition_section(made),
        duty_section(made, plan),
        method_section(publication, words),
    ]
    summary = (
        f"How much violence there is from {made.period.words}, when and where, who is harmed, what raises and "
        f"lowers the "
        "risk, what is there to help, and what is missing."
    )
    return Page(
        "Strategic needs assessment",
        plan.title,
        summary,
        plan.organisation,
        tuple(section for section in sections if section.blocks),
        tuple(disclosure_lines(publication)),
    )


def _definition(made: Assessment, plan: NeedsPlan) -> Section:
    missing = [one for one in checklist(made, plan) if not one.answered]
    residents = sliced(made.publication.tables[RESIDENTS].table, "year")
    last = residents[-1]["resident_years"] if residents else None
    blocks: list[Block] = [Callout(MADE_UP, warning=True)] if plan.synthetic else []
    blocks.append(Text(plan.texts.get("local_definition") or "No local definition was declared.", lead=True))
    if plan.texts.get("area_profile"):
        blocks.append(Text(plan.texts["area_profile"]))
    blocks.append(
        Facts(
            (
                ("Residents with a known address", "hidden" if last is None else f"about {int(str(last)):,}"),
                (
                    "Small areas",
                    str(
                        len(
                            [
                                row
                                for row in sliced(made.publication.tables[RESIDENTS].table, "area")
                                if row["area"] != UNKNOWN
                            ]
                        )
                    ),
                ),
                (
                    "Statutory headings answered",
                    f"{len(checklist(made, plan)) - len(missing)} of {len(checklist(made, plan))}",
                ),
            )
        )
    )
    return Section("definition", "What this is about, and where", tuple(blocks))


def _clock(made: Assessment) -> Section:
    table = made.publication.tables[CLOCK].table
    hours = sorted({str(row["hours"]) for row in sliced(table, "hours")})
    held = {(str(r["weekday"]), str(r["hours"])): r["events"] for r in sliced(table, "weekday", "hours")}
    if not held:  # left out because most of it would be hidden: not known, never nought
        return Section("clock", "Days and hours", (Text("Most hours have too few events to be shown."),))
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    rows = [(day, *(whole_or_hidden(held.get((day, part), 0)) for part in hours)) for day in days]
    columns = [Column("Day"), *(Column(f"{part.replace('-', ' to ')} h", "count") for part in hours)]
    return Section("clock", "Days and hours", (grid("Events of harm by day of the week and hours", columns, rows),))


def _suspects(made: Assessment) -> Section:
    rows = [
        (plain(str(row["sex"])), plain(str(row["age"])), whole_or_hidden(row["people"]), whole_or_hidden(row["events"]))
        for row in sliced(made.publication.tables[SUSPECTS].table, "sex", "age")
    ]
    return Section(
        "suspects",
        "Who harms",
        (
            Text(
                "People named as suspects of recorded harm. Being named is not guilt, and who is named depends on "
                "where "
                "police look. There is no rate here, and none by ethnicity."
            ),
            grid(
                "People named as suspects",
                [
                    Column("Sex", filter=True),
                    Column("Age", filter=True),
                    Column("People", "count"),
                    Column("Records", "count"),
                ],
                rows,
            ),
        ),
    )
