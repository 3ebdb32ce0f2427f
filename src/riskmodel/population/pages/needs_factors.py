"""The needs assessment's part on what raises and lowers risk, the cohorts it makes, and inequality between areas."""

from __future__ import annotations

import numpy as np

from riskmodel.population.cube import ALL, UNKNOWN
from riskmodel.population.estimate import Estimate
from riskmodel.population.factor_counts import AFTER, COHORTS, FACTORS, NUMBERS, TOGETHER
from riskmodel.population.harm import HARM
from riskmodel.population.harm_figures import rates_by
from riskmodel.population.inequality import gradient_of_rates
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.pages.blocks import (
    Block,
    Cell,
    Column,
    Picture,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import bars, dots
from riskmodel.population.pages.words import share_or_hidden
from riskmodel.population.rates import rate_ratio


def factors_section(made: Assessment, plan: NeedsPlan) -> Section:
    """How many have which factor, which factors come together, and what came after."""
    publication = made.publication
    if FACTORS not in publication.tables:
        return Section("factors", "", ())
    titles = {factor.name: factor for factor in plan.factors}
    low, high = plan.aged
    prevalence: list[tuple[str, Estimate]] = []
    rows: list[tuple[Cell, ...]] = []
    for row in publication.tables[FACTORS].table.to_pylist():
        factor = titles[row["factor"]]
        part = share_or_hidden(row["with_it"], row["people"])
        publication.figure(FACTORS, f"share with {factor.name}", part)
        prevalence.append((factor.title, part))
        rows.append((factor.title, factor.direction, factor.level, row["with_it"], part, factor.source or "not given"))
    columns = [
        Column("Factor"),
        Column("Direction", filter=True),
        Column("Level"),
        Column("People", "count"),
        Column("Share", "share"),
        Column("Taken for a factor because"),
    ]
    number_rows: list[tuple[Cell, ...]] = [
        ("all" if row["risk_factors"] == ALL else row["risk_factors"], row["protective"], row["people"])
        for row in publication.tables[NUMBERS].table.to_pylist()
    ]
    after = _after_rows(made, plan)
    blocks: list[Block] = [
        Text(
            f"Residents aged {low} to {high} on {made.publication.as_of:%-d %B %Y}. A factor is a record, or the "
            f"lack of "
            "one; records follow contact with services."
        ),
        Picture(
            "How many have each factor",
            dots(
                prevalence,
                f"Share of residents aged {low} to {high}",
                "One line a factor; the table below holds the same figures.",
                said=percent,
            ),
        ),
        grid("Risk and protective factors", columns, rows),
        grid(
            "Number of risk factors, with and without a protective one",
            [Column("Risk factors"), Column("Protective", filter=True), Column("People", "count")],
            number_rows,
        ),
    ]
    if TOGETHER in publication.tables:
        pairs = [
            (titles[row["factor"]].title, titles[row["other"]].title, row["people"])
            for row in publication.tables[TOGETHER].table.to_pylist()
        ]
        blocks.append(
            grid(
                "Two risk factors together",
                [Column("One"), Column("Other"), Column("People with both", "count")],
                pairs,
                folded=True,
            )
        )
    blocks += [
        Picture(
            f"Harmed in the year after {made.factors_asked:%-d %B %Y}: with the factor over without it",
            dots(
                [(str(row[0]), row[3]) for row in after if isinstance(row[3], Estimate)],
                "Times as often harmed",
                "One line a factor; the table below holds the same figures.",
                reference=(1.0, "as often"),
                log=True,
            ),
        ),
        grid(
            "What came after",
            [
                Column("Factor"),
                Column("Harmed with it", "share"),
                Column("Harmed without it", "share"),
                Column("Times as often", "number"),
            ],
            after,
            note="An association in records, never a cause: those in touch with a service were in need of it "
            "before. It "
            "says nothing about one person.",
        ),
    ]
    return Section("factors", "Risk and protective factors", tuple(blocks))


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


def inequality_section(made: Assessment, plan: NeedsPlan) -> Section:
    """Harm by deprivation of the area, and its gradient."""
    decile = {area.area: area.decile for area in plan.areas if area.decile}
    if not decile:
        return Section(
            "inequality", "Inequality", (Text("No deprivation of the areas was declared, so no gradient is given."),)
        )
    events, years = np.zeros(10), np.zeros(10)
    left_out = 0
    for one in rates_by(made.publication, "area"):
        place = decile.get(one.group)
        if place is None or one.events is None or not one.resident_years:
            left_out += one.group != UNKNOWN
            continue
        events[place - 1] += one.events
        years[place - 1] += one.resident_years
    held = [at for at in range(10) if years[at] > 0]
    if len(held) < 3:
        return Section("inequality", "Inequality", (Text("Fewer than three deciles with areas that may be shown."),))
    gradient = gradient_of_rates(events[held], years[held], scale="linear")
    made.publication.figure(HARM, "slope index of inequality", gradient.slope)
    made.publication.figure(HARM, "relative index of inequality", gradient.relative)
    rows = [
        (
            f"{at + 1}{' (most deprived)' if at == 0 else ' (least deprived)' if at == 9 else ''}",
            float(events[at] / years[at] * 1000),
            int(events[at]),
            int(years[at]),
        )
        for at in held
    ]
    alt = "Rates by decile of deprivation: " + ", ".join(f"{label} {rate:.0f}" for label, rate, _, _ in rows)
    figures = [
        ("Slope index: most less least deprived, per 1,000", gradient.slope),
        ("Relative index: most over least deprived", gradient.relative),
    ]
    note = (
        "The groups do not lie on a straight line: read them, not only the indices."
        if gradient.departure_p < 0.01
        else ""
    )
    return Section(
        "inequality",
        "Inequality",
        (
            Picture(
                "Harm per 1,000 residents and year by deprivation of the area",
                bars(
                    [(label, rate) for label, rate, _, _ in rows],
                    "events per 1,000 resident-years",
                    alt,
                    said=lambda rate: f"{rate:.1f}",
                ),
            ),
            grid(
                "Rates by decile of deprivation",
                [
                    Column("Decile"),
                    Column("Rate per 1,000", "number"),
                    Column("Events", "count"),
                    Column("Resident-years", "count"),
                ],
                rows,
            ),
            grid(
                "The gradient",
                [Column("Index"), Column("Value", "number")],
                figures,
                note=(
                    f"{note} {left_out} areas without a decile or with hidden counts are left out. Deprivation is "
                    f"that of the area, "
                    "not of a person in it."
                ).strip(),
            ),
        ),
    )
