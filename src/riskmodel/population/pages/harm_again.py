"""Harm that comes back to people and places, and harm that only one of two agencies has a record of."""

from __future__ import annotations

from riskmodel.population.estimate import Estimate
from riskmodel.population.harm import AGAIN, CLOSE_PAIRS, TWO_SOURCES
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
from riskmodel.population.pages.charts import dots
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share


def again_section(publication: Publication) -> Section:
    """Who was harmed again, and whether harm comes back to places sooner than chance has it."""
    table = publication.tables[AGAIN].table.to_pylist()
    total = next(row for row in table if row["times"] == "all")
    rows: list[tuple[Cell, ...]] = []
    for row in table:
        if row["times"] == "all" or None in (row["people"], row["events"], total["events"]):
            part: Cell = None
        else:
            part = publication.figure(
                AGAIN,
                f"share of events of people harmed {row['times']} times",
                share(min(row["events"], total["events"]), total["events"]),
            )
        rows.append(("everybody" if row["times"] == "all" else row["times"], row["people"], row["events"], part))
    columns = [
        Column("Times harmed"),
        Column("People", "count"),
        Column("Events", "count"),
        Column("Share of events", "share"),
    ]
    close = publication.tables[CLOSE_PAIRS].table.to_pylist()
    pairs = [
        (
            row["place"],
            row["days"],
            row["pairs"],
            row["expected"],
            None if not row["pairs"] or not row["expected"] else row["pairs"] / row["expected"],
            None if row["p"] is None else f"{row['p']:.3f}",
        )
        for row in close
    ]
    sooner = [f"{row['place']}, {row['days']} days" for row in close if row["p"] is not None and row["p"] < 0.05]
    said = (
        f"More pairs than chance gives: {'; '.join(sooner)}."
        if sooner
        else "No more pairs close in place and time than chance gives."
    )
    blocks: tuple[Block, ...] = (
        grid("People by how often they were harmed in the period", columns, rows),
        Text(said),
        grid(
            "Repeat and near-repeat: pairs of events close in place and time",
            [
                Column("Where"),
                Column("Days apart"),
                Column("Pairs", "count"),
                Column("By chance", "number"),
                Column("Ratio", "number"),
                Column("p"),
            ],
            pairs,
            note="Knox's test: the same dates dealt at random over the same places. Near is another address of the "
            "same "
            "small area, since records hold no coordinates. Pairs of one day are left out.",
        ),
    )
    return Section("again", "Harm that comes back", blocks)


def two_sources_section(publication: Publication) -> Section:
    """What one agency records and the other has no record of."""
    if TWO_SOURCES not in publication.tables:
        return Section("two-sources", "", ())
    held = publication.tables[TWO_SOURCES]
    rows: list[tuple[Cell, ...]] = []
    figures: list[tuple[str, Estimate]] = []
    for row in held.table.to_pylist():
        label = "all years" if row["year"] == "all" else row["year"]
        if row["events"] is None or row["only_here"] is None:
            part = Estimate.hidden("Wilson 1927")
        else:
            part = share(min(row["only_here"], row["events"]), row["events"])
        publication.figure(TWO_SOURCES, f"share known to the first source only, {label}", part)
        figures.append((label, part))
        rows.append((label, row["events"], row["also_known"], row["only_here"], part))
    columns = [
        Column("Year"),
        Column("Events", "count"),
        Column("Known to both", "count"),
        Column("Not known to the other", "count"),
        Column("Share not known", "share"),
    ]
    drawing = dots(
        figures,
        "Share that the other agency has no record of",
        "One line a year with its interval; the table below holds the same figures.",
        said=percent,
    )
    blocks: tuple[Block, ...] = (
        Text(
            "What one agency records and the other has no record of near the day. A rise can be less reporting, or "
            "records that were not linked."
        ),
        Picture(held.title, drawing),
        grid(held.title, columns, rows),
    )
    return Section("two-sources", "Hospital, not police", blocks)
