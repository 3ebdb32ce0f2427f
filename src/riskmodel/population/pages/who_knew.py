"""The page of a retrospective review: one person's timeline by agency, and what together could be seen."""

from __future__ import annotations

import datetime as dt

from riskmodel.population.pages.agency_charts import lanes
from riskmodel.population.pages.blocks import Block, Callout, Cell, Column, Page, Picture, Section, Text, grid
from riskmodel.population.pages.words import plain
from riskmodel.population.who_knew import Retrospect


def who_knew_page(made: Retrospect, organisation: str) -> Page:
    """The page; it holds records of one pseudonymous person and must stay with the review."""
    blocks: list[Block] = [
        Callout(
            "Records of one person under a pseudonym. For the named review only; not to be passed on.", warning=True
        ),
        Text(made.sentence, lead=True),
    ]
    if made.events:
        blocks += [_timeline(made), _first_days(made), _sights(made), _records(made)]
    else:
        blocks.append(Text("Nothing could be seen of this person by then."))
    return Page(
        "Retrospective review",
        f"Who knew what of {made.label}",
        "What each agency could see on any day, and what all of them could have seen together.",
        organisation,
        (Section("review", "What was known, and when", tuple(blocks)),),
        ("Looking back is easy: on the day, nobody knew which of many cases would be this one.",),
        band="About one person's records. For the review that asked for it.",
    )


def _timeline(made: Retrospect) -> Picture:
    events = [
        (
            made.agencies.index(event.agency),
            _year(event.happened_at),
            _year(event.known_at),
            f"{plain(event.kind)}, {event.happened_at:%-d %B %Y}, known {event.known_at:%-d %B %Y}",
        )
        for event in made.events
    ]
    marks = [(_year(at), f"{plain(agency)} alone") for agency, at in made.own.items() if at is not None]
    marks += [(_year(made.joint), "together")] if made.joint is not None else []
    marks += [(_year(dt.datetime.combine(one.day, dt.time())), one.name) for one in made.also if one.day is not None]
    times = [time for _, happened, known, _ in events for time in (happened, known)] + [at for at, _ in marks]
    span = (min(times) - 0.3, max(times) + 0.3)
    return Picture(
        "Records by agency",
        lanes(
            [plain(agency) for agency in made.agencies],
            events,
            span,
            sorted(marks),
            f"{len(made.events)} records of {len(made.agencies)} agencies. {made.sentence}",
        ),
        note="Hollow: when it happened; full: when it was known. Orange lines: the first day on which a rule or the "
        "model would have asked for a conversation.",
    )


def _year(at: dt.datetime) -> float:
    return at.year + (at - dt.datetime(at.year, 1, 1)).total_seconds() / (365.25 * 86_400)


def _first_days(made: Retrospect) -> Block:
    rows: list[tuple[Cell, ...]] = [
        (one.name, "never" if one.day is None else f"{one.day:%-d %B %Y}", one.words or "every day")
        for one in made.asked()
    ]
    note = (
        "A model's list is made on some days only, and the model is taught again on what was complete then, without "
        "this person. It tells a place on the list or none, never a probability."
    )
    return grid(
        "The first day on which each rule or model would have asked for a conversation",
        [Column("Rule or model"), Column("Day"), Column("Asked")],
        rows,
        note=note if made.also else "",
    )


def _sights(made: Retrospect) -> Block:
    rows: list[tuple[Cell, ...]] = [
        (f"{sight.since:%Y-%m-%d}", *(sight.seen[agency] for agency in made.agencies), sight.together)
        for sight in made.sights
    ]
    columns = [
        Column("From"),
        *(Column(plain(agency), "count") for agency in made.agencies),
        Column("Together", "count"),
    ]
    return grid("What could be seen from each day on: records ever", columns, rows)


def _records(made: Retrospect) -> Block:
    rows = [
        (
            f"{event.happened_at:%Y-%m-%d}",
            f"{event.known_at:%Y-%m-%d}",
            plain(event.agency),
            plain(event.kind),
            plain(event.role) if event.role else "",
        )
        for event in made.events
    ]
    columns = [
        Column("Happened"),
        Column("Known"),
        Column("Agency", filter=True),
        Column("What", filter=True),
        Column("As"),
    ]
    return grid("The records", columns, rows, folded=True)
