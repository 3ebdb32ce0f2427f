"""The needs assessment's part on answers: services and their gaps, cost, the last edition, the statutory headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskmodel.population.cube import sliced
from riskmodel.population.duty import Heading, duty_checklist
from riskmodel.population.estimate import Estimate
from riskmodel.population.harm import HARM
from riskmodel.population.needs import Assessment, NeedsPlan, UnitCost
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
from riskmodel.population.rates import rate


def checklist(made: Assessment, plan: NeedsPlan) -> tuple[Heading, ...]:
    """The statutory headings with what is missing under each."""
    return duty_checklist(
        made.publication.tables,
        plan.texts,
        {
            "areas": [area for area in plan.areas if area.decile],
            "services": plan.services,
            "costs": plan.costs,
            "checked_costs": [cost for cost in plan.costs if cost.checked_by],
        },
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
    """Declared unit costs times recorded events; a unit cost that nobody has checked is said to be so beside it."""
    if not plan.costs:
        return Section("cost", "", ())
    last = made.period.labels[-1]
    events = [_events_of(made, cost.kind, last) for cost in plan.costs]
    blocks: list[Block] = [
        Text(
            "Declared unit costs times recorded events. Harm that was not recorded is not in it, nor harm of a kind "
            "without a unit cost. The intervals hold the chance of the events, not the doubt about the unit costs."
        )
    ]
    if unchecked := [plain(cost.kind) for cost in plan.costs if not cost.checked_by]:
        said = ", ".join(unchecked)
        blocks.append(Callout(f"Unit costs that nobody has checked: {said}. Do not quote these costs.", warning=True))
    columns = [
        Column("Harm"),
        Column(f"Events in {last}", "count"),
        Column("Cost of one"),
        Column("Checked"),
        Column("Cost, £1,000", "count"),
        Column("Source"),
    ]
    blocks.append(grid(f"Cost of harm in {last}", columns, _cost_rows(plan.costs, events)))
    return Section("cost", "What it costs", tuple(blocks))


def _events_of(made: Assessment, kind: str, year: str) -> int | None:
    found = [row for row in sliced(made.publication.tables[HARM].table, "year", kind=kind) if row["year"] == year]
    return whole_or_hidden(found[0]["events"]) if found else 0


def _cost_rows(costs: Sequence[UnitCost], events: Sequence[int | None]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for cost, count in zip(costs, events, strict=True):
        by = f"{cost.checked_by}{f', {cost.checked_on:%-d %B %Y}' if cost.checked_on else ''}"
        source = f"{cost.source}, prices of {cost.price_year}"
        spent = Estimate.hidden("exact") if count is None else rate(count, 1, per=cost.pounds / 1000)
        rows.append((plain(cost.kind), count, f"£{cost.pounds:,.0f}", by or "not checked", spent, source))
    total = sum((count or 0) * cost.pounds for cost, count in zip(costs, events, strict=True)) / 1000
    title = "Together" if None not in events else "Together, at least"
    title += "" if all(cost.checked_by for cost in costs) else " (with unchecked unit costs)"
    return [*rows, (title, "", "", "", total, "")]


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
