"""The needs assessment's part on who was known to several services, not at once, and who was below every threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodel.population.cube import ALL
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.overlap import FIRST, KNOWN, STANDING
from riskmodel.population.pages.agency_charts import upset
from riskmodel.population.pages.blocks import (
    Column,
    Grid,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import Drawing
from riskmodel.population.pages.words import plain, share_or_hidden
from riskmodel.population.thresholds import BELOW, JOINT_ONLY, OWN, Threshold


def known_section(made: Assessment) -> Section:
    """Which agencies know the same people, and whether at the same time."""
    table = made.publication.tables[KNOWN].table.to_pylist()
    named = sorted(
        (row for row in table if ALL not in (row["agencies"], row["number"]) and "other" not in row["agencies"]),
        key=lambda row: -(row["people"] or 0),
    )
    first = [
        (plain(row["first"]), row["people"])
        for row in made.publication.tables[FIRST].table.to_pylist()
        if row["first"] != ALL
    ]
    return Section(
        "known",
        "Known to several services, not at once",
        (
            Text(_known_lead(made, table), lead=True),
            Picture("Which agencies know the same people", _known_picture(named)),
            _by_number(table),
            _combinations(named),
            grid("Who knew them first", [Column("First in touch"), Column("People", "count")], first),
        ),
    )


def _known_lead(made: Assessment, table: Sequence[Mapping[str, Any]]) -> str:
    several = [row for row in table if row["agencies"] == ALL and row["number"] not in (ALL, "1")]
    apart, both = (sum(row[name] or 0 for row in several) for name in ("never_same_quarter", "people"))
    figure = made.publication.figure(KNOWN, "share never known to two in one quarter", share_or_hidden(apart, both))
    if figure.value is None:
        return "Too few people are known to several agencies."
    said = f"Of 100 people known to several agencies, {100 * figure.value:.0f} were never known to two of them in one "
    return f"{said}quarter of a year."


def _known_picture(named: Sequence[Mapping[str, Any]]) -> Drawing:
    several = [row for row in named if int(row["number"]) > 1][:15]
    agencies = sorted({agency for row in named for agency in row["agencies"].split(" + ")})
    alt = "Combinations of agencies that know the same people, the commonest first; the table below holds the same."
    rows = [([plain(name) for name in row["agencies"].split(" + ")], row["people"]) for row in several]
    return upset([(plain(name), None) for name in agencies], rows, alt)


def _by_number(table: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("Agencies"),
        Column("People", "count"),
        Column("Two in one quarter", "count"),
        Column("Never two in one quarter", "count"),
    ]
    rows = [
        (f"{row['number']}", row["people"], row["same_quarter"], row["never_same_quarter"])
        for row in table
        if row["agencies"] == ALL and row["number"] != ALL
    ]
    return grid("People by number of agencies", columns, rows)


def _combinations(named: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("Agencies"),
        Column("Number", "count"),
        Column("People", "count"),
        Column("Two in one quarter", "count"),
        Column("Never", "count"),
    ]
    rows = [
        (
            ", ".join(plain(name) for name in row["agencies"].split(" + ")),
            int(row["number"]),
            row["people"],
            row["same_quarter"],
            row["never_same_quarter"],
        )
        for row in named
    ]
    return grid("Combinations of agencies", columns, rows, folded=True)


def standing_section(made: Assessment, plan: NeedsPlan) -> Section:
    """People below every threshold and above the joint rule, and who of them was harmed."""
    if STANDING not in made.publication.tables or plan.joint is None:
        return Section("standing", "", ())
    held = {row["standing"]: row for row in made.publication.tables[STANDING].table.to_pylist()}
    rules = [
        f"{plain(rule.agency)}: {rule.count} records within {rule.within}"
        + (f" of {', '.join(rule.kinds)}" if rule.kinds else "")
        + _in_force(rule)
        for rule in plan.thresholds
    ]
    joint = f"Jointly: {plan.joint.count} records within {plan.joint.within} of {plan.joint.agencies} agencies"
    columns = [
        Column("Standing"),
        Column("People", "count"),
        Column("Harmed", "count"),
        Column("Not harmed", "count"),
        Column("Share harmed", "share"),
    ]
    rows = [
        (plain(name), one["people"], one["harmed"], one["not_harmed"], share_or_hidden(one["harmed"], one["people"]))
        for name, one in ((name, held[name]) for name in (BELOW, JOINT_ONLY, OWN, ALL) if name in held)
    ]
    asked = f"Where people stood on {made.standing_asked:%-d %B %Y}, and who was harmed in the year after"
    return Section(
        "standing",
        "Below every threshold",
        (
            Text(_standing_lead(made, held[JOINT_ONLY]), lead=True),
            Points((*rules, joint)),
            grid(asked, columns, rows, note="A count of people, never a list of people."),
        ),
    )


def _standing_lead(made: Assessment, row: Mapping[str, int | None]) -> str:
    """How many stand above the joint rule only, and what pointing to them would have cost."""
    people, harmed = row["people"], row["harmed"]
    found = made.publication.figure(
        STANDING, "harmed of those above the joint rule only", share_or_hidden(harmed, people)
    )
    if people is None:
        return "Too few people for their number to leave."
    said = f"About {people:,} people were below every agency's threshold and above the joint rule."
    if found.value is None:
        return said
    within = f"Of 100 like them {100 * found.value:.0f} were harmed within the year"
    return f"{said} {within}; the others would have been false alarms."


def _in_force(rule: Threshold) -> str:
    since = "" if rule.valid_from is None else f", from {rule.valid_from:%-d %B %Y}"
    return since + ("" if rule.valid_until is None else f", until {rule.valid_until:%-d %B %Y}")
