"""The needs assessment's part on who was known to several services, not at once, and who was below every threshold."""

from __future__ import annotations

from riskmodel.population.cube import ALL
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.overlap import FIRST, KNOWN, STANDING
from riskmodel.population.pages.agency_charts import upset
from riskmodel.population.pages.blocks import (
    Column,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.words import plain, share_or_hidden
from riskmodel.population.thresholds import JOINT_ONLY


def known_section(made: Assessment) -> Section:
    """Which agencies know the same people, and whether at the same time."""
    table = made.publication.tables[KNOWN].table.to_pylist()
    named = [row for row in table if ALL not in (row["agencies"], row["number"]) and "other" not in row["agencies"]]
    several = [row for row in named if int(row["number"]) > 1]
    agencies = sorted({agency for row in named for agency in row["agencies"].split(" + ")})
    by_number = [
        (f"{row['number']}", row["people"], row["same_quarter"], row["never_same_quarter"])
        for row in table
        if row["agencies"] == ALL and row["number"] != ALL
    ]
    apart = sum(row[3] or 0 for row in by_number if int(row[0]) > 1)
    both = sum(row[1] or 0 for row in by_number if int(row[0]) > 1)
    figure = made.publication.figure(KNOWN, "share never known to two in one quarter", share_or_hidden(apart, both))
    top = sorted(several, key=lambda row: -(row["people"] or 0))[:15]
    drawing = upset(
        [(plain(name), None) for name in agencies],
        [([plain(name) for name in row["agencies"].split(" + ")], row["people"]) for row in top],
        "Combinations of agencies that know the same people, the commonest first; the table below holds the same "
        "figures.",
    )
    rows = [
        (
            row["agencies"].replace("_", " "),
            int(row["number"]),
            row["people"],
            row["same_quarter"],
            row["never_same_quarter"],
        )
        for row in sorted(named, key=lambda row: -(row["people"] or 0))
    ]
    first = [
        (plain(row["first"]), row["people"])
        for row in made.publication.tables[FIRST].table.to_pylist()
        if row["first"] != ALL
    ]
    lead = (
        "Too few people are known to several agencies."
        if figure.value is None
        else (
            f"Of 100 people known to several agencies, {100 * figure.value:.0f} were never known to two of them in "
            f"one quarter "
            "of a year."
        )
    )
    return Section(
        "known",
        "Known to several services, not at once",
        (
            Text(lead, lead=True),
            Picture("Which agencies know the same people", drawing),
            grid(
                "People by number of agencies",
                [
                    Column("Agencies"),
                    Column("People", "count"),
                    Column("Two in one quarter", "count"),
                    Column("Never two in one quarter", "count"),
                ],
                by_number,
            ),
            grid(
                "Combinations of agencies",
                [
                    Column("Agencies"),
                    Column("Number", "count"),
                    Column("People", "count"),
                    Column("Two in one quarter", "count"),
                    Column("Never", "count"),
                ],
                rows,
                folded=True,
            ),
            grid("Who knew them first", [Column("First in touch"), Column("People", "count")], first),
        ),
    )


def standing_section(made: Assessment, plan: NeedsPlan) -> Section:
    """People below every threshold and above the joint rule, and who of them was harmed."""
    if STANDING not in made.publication.tables or plan.joint is None:
        return Section("standing", "", ())
    held = {row["standing"]: row for row in made.publication.tables[STANDING].table.to_pylist()}
    row = held[JOINT_ONLY]
    found = made.publication.figure(
        STANDING, "harmed of those above the joint rule only", share_or_hidden(row["harmed"], row["people"])
    )
    said = (
        "Too few people for their number to leave."
        if row["people"] is None
        else (
            f"About {row['people']:,} people were below every agency's threshold and above the joint rule. "
            + (
                ""
                if found.value is None
                else f"Of 100 like them {100 * found.value:.0f} were harmed within the year; the others "
                "would have been false alarms."
            )
        )
    )
    rules = tuple(
        f"{plain(rule.agency)}: {rule.count} records within {rule.within}"
        + (f" of {', '.join(rule.kinds)}" if rule.kinds else "")
        for rule in plan.thresholds
    )
    rows = [
        (name, one["people"], one["harmed"], one["not_harmed"], share_or_hidden(one["harmed"], one["people"]))
        for name, one in held.items()
    ]
    return Section(
        "standing",
        "Below every threshold",
        (
            Text(said, lead=True),
            Points(
                (
                    *rules,
                    f"Jointly: {plan.joint.count} records within {plan.joint.within} of {plan.joint.agencies} agencies",
                )
            ),
            grid(
                f"Where people stood on {made.standing_asked:%-d %B %Y}, and who was harmed in the year after",
                [
                    Column("Standing"),
                    Column("People", "count"),
                    Column("Harmed", "count"),
                    Column("Not harmed", "count"),
                    Column("Share harmed", "share"),
                ],
                rows,
                note="A count of people, never a list of people.",
            ),
        ),
    )
