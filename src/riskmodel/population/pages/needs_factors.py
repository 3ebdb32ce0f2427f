"""The needs assessment's part on what raises and lowers risk, alone and together, and the cohorts it makes."""

from __future__ import annotations

from riskmodel.population.cube import ALL
from riskmodel.population.estimate import Estimate
from riskmodel.population.factor_counts import AFTER, AFTER_NUMBERS, COHORTS, FACTORS, NUMBERS, TOGETHER
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.pages.blocks import Block, Cell, Column, Heading, Picture, Section, Text, grid
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import dots
from riskmodel.population.pages.words import share_or_hidden
from riskmodel.population.publication import Publication
from riskmodel.population.rates import rate_ratio

_ASSOCIATION = (
    "An association in records, never a cause: those in touch with a service were in need of it before. It says "
    "nothing about one person."
)


def factors_section(made: Assessment, plan: NeedsPlan) -> Section:
    """How many have which factor, which factors come together, and what came after."""
    publication = made.publication
    if FACTORS not in publication.tables:
        return Section("factors", "", ())
    low, high = plan.aged
    blocks: list[Block] = [
        Text(
            f"Residents aged {low} to {high} on {publication.as_of:%-d %B %Y}. A factor is a record, or the lack of "
            "one; records follow contact with services."
        ),
        *_prevalence(publication, plan),
        Heading("Together"),
        *_together(publication, plan),
        Heading(f"What came in the year after {made.factors_asked:%-d %B %Y}"),
        *_after(made, plan),
        *_after_combinations(publication),
    ]
    return Section("factors", "Risk and protective factors", tuple(blocks))


def _prevalence(publication: Publication, plan: NeedsPlan) -> tuple[Block, ...]:
    titles = {factor.name: factor for factor in plan.factors}
    shares: list[tuple[str, Estimate]] = []
    rows: list[tuple[Cell, ...]] = []
    for row in publication.tables[FACTORS].table.to_pylist():
        factor = titles[row["factor"]]
        part = publication.figure(FACTORS, f"share with {factor.name}", share_or_hidden(row["with_it"], row["people"]))
        shares.append((factor.title, part))
        rows.append((factor.title, factor.direction, factor.level, row["with_it"], part, factor.source or "not given"))
    columns = [
        Column("Factor"),
        Column("Direction", filter=True),
        Column("Level"),
        Column("People", "count"),
        Column("Share", "share"),
        Column("Taken for a factor because"),
    ]
    axis = f"Share of residents aged {plan.aged[0]} to {plan.aged[1]}"
    alt = "One line a factor; the table below holds the same figures."
    return (
        Picture("How many have each factor", dots(shares, axis, alt, said=percent)),
        grid("Risk and protective factors", columns, rows),
    )


def _together(publication: Publication, plan: NeedsPlan) -> tuple[Block, ...]:
    held = {(row["risk_factors"], row["protective"]): row for row in publication.tables[NUMBERS].table.to_pylist()}
    numbers = [*sorted({number for number, _ in held if number != ALL}), ALL]
    rows = [
        (
            "Everybody" if number == ALL else number,
            *(
                held[number, guard]["people"] if (number, guard) in held else 0
                for guard in ("at least one", "none", ALL)
            ),
        )
        for number in numbers
    ]
    columns = [
        Column("Risk factors"),
        Column("With a protective one", "count"),
        Column("Without", "count"),
        Column("People", "count"),
    ]
    blocks: list[Block] = [grid("Number of risk factors, with and without a protective one", columns, rows)]
    if TOGETHER in publication.tables:
        titles = {factor.name: factor.title for factor in plan.factors}
        pairs = [
            (titles[row["factor"]], titles[row["other"]], row["people"])
            for row in publication.tables[TOGETHER].table.to_pylist()
        ]
        named = [Column("One"), Column("Other"), Column("People with both", "count")]
        blocks.append(grid("Two risk factors together", named, pairs, folded=True))
    return tuple(blocks)


def _after(made: Assessment, plan: NeedsPlan) -> tuple[Block, ...]:
    after = _after_rows(made, plan)
    columns = [
        Column("Factor"),
        Column("Harmed with it", "share"),
        Column("Harmed without it", "share"),
        Column("Times as often", "number"),
    ]
    ratios = [(str(row[0]), row[3]) for row in after if isinstance(row[3], Estimate)]
    alt = "One line a factor; the table below holds the same figures."
    drawing = dots(ratios, "Times as often harmed", alt, reference=(1.0, "as often"), log=True)
    return (
        Picture("Harmed within the year: with the factor over without it", drawing),
        grid("What came after each factor", columns, after, note=_ASSOCIATION),
    )


def _after_combinations(publication: Publication) -> tuple[Block, ...]:
    table = publication.tables[AFTER_NUMBERS].table.to_pylist()
    held = {(row["risk_factors"], row["protective"]): row for row in table}
    words = {"at least one": "with a protective one", "none": "without one", ALL: "all"}
    lines: list[tuple[str, Estimate]] = []
    rows: list[tuple[Cell, ...]] = []
    for (number, guard), row in sorted(held.items()):
        if number == ALL:
            continue
        part = publication.figure(
            AFTER_NUMBERS, f"harmed of those with {number} risk factors, {words[guard]}",
            share_or_hidden(row["harmed"], row["people"]),
        )  # fmt: skip
        rows.append((number, words[guard], row["people"], row["harmed"], part))
        if guard != ALL:
            lines.append((f"{number}, {words[guard]}", part))
    columns = [
        Column("Risk factors"),
        Column("Protective", filter=True),
        Column("People", "count"),
        Column("Harmed", "count"),
        Column("Share harmed", "share"),
    ]
    alt = "Share harmed within the year by number of risk factors; the table below holds the same figures."
    return (
        Picture("Harmed within the year, by number of risk factors", dots(lines, "Share harmed", alt, said=percent)),
        grid("What came after combinations", columns, rows, note=_ASSOCIATION),
    )


def _after_rows(made: Assessment, plan: NeedsPlan) -> list[tuple[Cell, ...]]:
    held = {(row["factor"], row["had"]): row for row in made.publication.tables[AFTER].table.to_pylist()}
    rows: list[tuple[Cell, ...]] = []
    for factor in plan.factors:
        one, other = held[factor.name, "with it"], held[factor.name, "without it"]
        shares = [share_or_hidden(row["harmed"], row["people"]) for row in (one, other)]
        if None in (one["harmed"], one["people"], other["harmed"], other["people"]):
            ratio = Estimate.hidden("from rounded counts")
        elif not one["people"] or not other["people"]:
            ratio = Estimate.none(0, "from rounded counts", "nobody with, or nobody without it")
        else:
            ratio = rate_ratio(one["harmed"], one["people"], other["harmed"], other["people"])
        made.publication.figure(AFTER, f"harmed with over without {factor.name}", ratio)
        rows.append((factor.title, *shares, ratio))
    return rows


def cohorts_section(made: Assessment, plan: NeedsPlan) -> Section:
    """The groups that need support, each by its dated definition."""
    if COHORTS not in made.publication.tables:
        return Section("cohorts", "", ())
    held = {row["cohort"]: row for row in made.publication.tables[COHORTS].table.to_pylist()}
    rows: list[tuple[Cell, ...]] = []
    for cohort in plan.cohorts:
        row = held[cohort.name]
        rows.append(
            (
                cohort.title,
                row["people"],
                share_or_hidden(row["people"], row["of_age"]),
                cohort.definition,
                f"{cohort.valid_from:%-d %B %Y}, {cohort.author}",
                cohort.fingerprint,
            )
        )
    columns = [
        Column("Cohort"),
        Column("People", "count"),
        Column("Share of the age", "share"),
        Column("Definition"),
        Column("Since, by"),
        Column("Code"),
    ]
    return Section(
        "cohorts",
        "Groups that need support",
        (
            Text(
                "Each cohort is a dated definition that anybody can count again; a changed definition has another code."
            ),
            grid("Cohorts", columns, rows),
        ),
    )
