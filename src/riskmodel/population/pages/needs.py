"""The needs assessment as a page: declared texts beside released counts, heading by heading."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskmodel.population.cube import ALL, UNKNOWN, sliced
from riskmodel.population.duty import Heading, duty_checklist
from riskmodel.population.estimate import Estimate
from riskmodel.population.factors import AFTER, COHORTS, FACTORS, NUMBERS, TOGETHER
from riskmodel.population.harm import HARM, RESIDENTS
from riskmodel.population.harm_figures import places, rates_by
from riskmodel.population.inequality import gradient_of_rates
from riskmodel.population.needs import CLOCK, SUSPECTS, Assessment, NeedsPlan
from riskmodel.population.overlap import FIRST, KNOWN, STANDING
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Facts,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import bars, dots, upset
from riskmodel.population.pages.harm import (
    HarmWords,
    again_section,
    method_section,
    overview_section,
    people_section,
    place_section,
    time_section,
    two_sources_section,
)
from riskmodel.population.pages.words import disclosure_lines, plain
from riskmodel.population.publication import changes
from riskmodel.population.rates import rate_ratio, share
from riskmodel.population.thresholds import JOINT_ONLY

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
        _factors(made, plan),
        _cohorts(made, plan),
        _inequality(made, plan),
        _known(made),
        _standing(made, plan),
        two_sources_section(publication),
        _services(plan),
        _cost(made, plan),
        _last_edition(made),
        _duty(made, plan),
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


def checklist(made: Assessment, plan: NeedsPlan) -> tuple[Heading, ...]:
    """The statutory headings with what is missing under each."""
    return duty_checklist(
        made.publication.tables,
        plan.texts,
        {"areas": [a for a in plan.areas if a.decile], "services": plan.services, "costs": plan.costs},
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
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    rows = [(day, *(_whole(held.get((day, part), 0)) for part in hours)) for day in days]
    columns = [Column("Day"), *(Column(f"{part.replace('-', ' to ')} h", "count") for part in hours)]
    return Section("clock", "Days and hours", (grid("Events of harm by day of the week and hours", columns, rows),))


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _suspects(made: Assessment) -> Section:
    rows = [
        (plain(str(row["sex"])), plain(str(row["age"])), _whole(row["people"]), _whole(row["events"]))
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


def _factors(made: Assessment, plan: NeedsPlan) -> Section:
    publication = made.publication
    if FACTORS not in publication.tables:
        return Section("factors", "", ())
    titles = {factor.name: factor for factor in plan.factors}
    low, high = plan.aged
    prevalence: list[tuple[str, Estimate]] = []
    rows: list[tuple[Cell, ...]] = []
    for row in publication.tables[FACTORS].table.to_pylist():
        factor = titles[row["factor"]]
        part = _share(row["with_it"], row["people"])
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
        shares = [_share(row["harmed"], row["people"]) for row in (one, other)]
        if None in (one["harmed"], one["people"], other["harmed"], other["people"]):
            ratio = Estimate.hidden("from rounded counts")
        elif not one["people"] or not other["people"]:
            ratio = Estimate.none(0, "from rounded counts", "nobody with, or nobody without it")
        else:
            ratio = rate_ratio(one["harmed"], one["people"], other["harmed"], other["people"])
        made.publication.figure(AFTER, f"harmed with over without {factor.name}", ratio)
        rows.append((factor.title, *shares, ratio))
    return rows


def _share(count: int | None, of: int | None) -> Estimate:
    if count is None or of is None:
        return Estimate.hidden("Wilson 1927, from rounded counts")
    return share(min(count, of), of)


def _cohorts(made: Assessment, plan: NeedsPlan) -> Section:
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
                _share(row["people"], row["of_age"]),
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


def _inequality(made: Assessment, plan: NeedsPlan) -> Section:
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


def _known(made: Assessment) -> Section:
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
    figure = made.publication.figure(KNOWN, "share never known to two in one quarter", _share(apart, both))
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


def _standing(made: Assessment, plan: NeedsPlan) -> Section:
    if STANDING not in made.publication.tables or plan.joint is None:
        return Section("standing", "", ())
    held = {row["standing"]: row for row in made.publication.tables[STANDING].table.to_pylist()}
    row = held[JOINT_ONLY]
    found = made.publication.figure(
        STANDING, "harmed of those above the joint rule only", _share(row["harmed"], row["people"])
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
        (name, one["people"], one["harmed"], one["not_harmed"], _share(one["harmed"], one["people"]))
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


def _services(plan: NeedsPlan) -> Section:
    titles = {cohort.name: cohort.title for cohort in plan.cohorts}
    served = {name for service in plan.services for name in service.cohorts}
    gaps = [f"No service is declared for: {title}." for name, title in titles.items() if name not in served]
    rows = [
        (
            one.name,
            one.offers,
            ", ".join(titles.get(name, name) for name in one.cohorts) or "not said",
            one.places,
            "not said" if one.capacity is None else f"{one.capacity:,}",
            one.source,
        )
        for one in plan.services
    ]
    if not rows and not gaps:
        return Section("services", "", ())
    columns = [
        Column("Service"),
        Column("What it offers"),
        Column("For"),
        Column("Where"),
        Column("Places a year"),
        Column("Said by"),
    ]
    return Section(
        "services",
        "What is there, and the gaps",
        (
            grid("Services in place, as declared", columns, rows),
            Points(tuple(gaps) or ("Every cohort has at least one declared service.",)),
        ),
    )


def _cost(made: Assessment, plan: NeedsPlan) -> Section:
    if not plan.costs:
        return Section("cost", "", ())
    last = made.period.labels[-1]
    rows: list[tuple[Cell, ...]] = []
    total, whole = 0.0, True
    for cost in plan.costs:
        found = [r for r in sliced(made.publication.tables[HARM].table, "year", kind=cost.kind) if r["year"] == last]
        events = _whole(found[0]["events"]) if found else 0
        whole = whole and events is not None
        total += (events or 0) * cost.pounds
        spent = "suppressed" if events is None else f"£{events * cost.pounds:,.0f}"
        rows.append(
            (plain(cost.kind), events, f"£{cost.pounds:,.0f}", spent, f"{cost.source}, prices of {cost.price_year}")
        )
    rows.append(("Together" if whole else "Together, at least", None if not whole else "", "", f"£{total:,.0f}", ""))
    columns = [
        Column("Harm"),
        Column(f"Events in {last}", "count"),
        Column("Cost of one"),
        Column("Cost"),
        Column("Source"),
    ]
    return Section(
        "cost",
        "What it costs",
        (
            Text("Declared unit costs times recorded events. Harm that was not recorded is not in it."),
            grid(f"Cost of harm in {last}", columns, rows),
        ),
    )


def _last_edition(made: Assessment) -> Section:
    found = changes(made.publication)
    if made.publication.earlier is None:
        return Section("changes", "", ())
    rows = [(one.what, one.before, one.now, one.now - one.before) for one in found]
    columns = [
        Column("Figure"),
        Column(f"Edition {made.publication.earlier.edition}", "number"),
        Column(f"Edition {made.publication.edition}", "number"),
        Column("Difference", "number"),
    ]
    return Section(
        "changes",
        "Since the last edition",
        (
            Text("Both figures as they were published. A difference may be chance: look at the intervals."),
            grid("Figures of both editions", columns, rows, folded=True),
        ),
    )


def _duty(made: Assessment, plan: NeedsPlan) -> Section:
    found = checklist(made, plan)
    rows = [(one.title, "answered" if one.answered else "missing", ", ".join(one.missing)) for one in found]
    missing = sum(not one.answered for one in found)
    extra: Mapping[str, str] = {
        "community_voice": "What communities say",
        "data_gaps": "Gaps in the data",
        "review": "When it is looked at again",
    }
    said = tuple((title, plan.texts[name]) for name, title in extra.items() if plan.texts.get(name, "").strip())
    blocks: list[Block] = [Facts(said)] if said else []
    blocks += [
        Callout(f"{missing} of {len(found)} headings are not fully answered.", warning=bool(missing)),
        grid(
            "Headings of the Serious Violence Duty",
            [Column("Heading"), Column("State", filter=True), Column("What is missing")],
            rows,
            note="Headings in our words, from Part 2, Chapter 1 of the Police, Crime, Sentencing and Courts Act "
            "2022 and "
            "its statutory guidance; the partnership confirms them against its own copy.",
        ),
    ]
    return Section("duty", "The statutory headings", tuple(blocks))
