"""The needs assessment's part on answers: services and their gaps, cost, the last edition, the statutory headings."""

from __future__ import annotations

from collections.abc import Mapping

from riskmodel.population.cube import sliced
from riskmodel.population.duty import Heading, duty_checklist
from riskmodel.population.harm import HARM
from riskmodel.population.needs import Assessment, NeedsPlan
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Facts,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.words import plain, whole_or_hidden
from riskmodel.population.publication import changes


def checklist(made: Assessment, plan: NeedsPlan) -> tuple[Heading, ...]:
    """The statutory headings with what is missing under each."""
    return duty_checklist(
        made.publication.tables,
        plan.texts,
        {"areas": [a for a in plan.areas if a.decile], "services": plan.services, "costs": plan.costs},
    )


def services_section(plan: NeedsPlan) -> Section:
    """Services as declared, and cohorts without one."""
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


def cost_section(made: Assessment, plan: NeedsPlan) -> Section:
    """Declared unit costs times recorded events."""
    if not plan.costs:
        return Section("cost", "", ())
    last = made.period.labels[-1]
    rows: list[tuple[Cell, ...]] = []
    total, whole = 0.0, True
    for cost in plan.costs:
        found = [r for r in sliced(made.publication.tables[HARM].table, "year", kind=cost.kind) if r["year"] == last]
        events = whole_or_hidden(found[0]["events"]) if found else 0
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


def last_edition_section(made: Assessment) -> Section:
    """Figures of this edition beside those of the last."""
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


def duty_section(made: Assessment, plan: NeedsPlan) -> Section:
    """The headings of the duty, and what is missing under each."""
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
