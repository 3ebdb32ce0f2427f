"""Harm that comes back to people and places, and harm that only one of two agencies has a record of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodel.population.cube import ALL
from riskmodel.population.estimate import Estimate
from riskmodel.population.harm import AGAIN, CLOSE_PAIRS, TWO_SOURCES
from riskmodel.population.pages.blocks import (
    Block,
    Cell,
    Column,
    Grid,
    Picture,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import dots
from riskmodel.population.pages.words import share_or_hidden
from riskmodel.population.publication import Publication


def again_section(publication: Publication) -> Section:
    """Who was harmed again, and whether harm comes back to places sooner than chance has it."""
    close = publication.tables[CLOSE_PAIRS].table.to_pylist()
    sooner = [f"{row['place']}, {row['days']} days" for row in close if row["p"] is not None and row["p"] < 0.05]
    said = (
        f"More pairs than chance gives: {'; '.join(sooner)}."
        if sooner
        else "No more pairs close in place and time than chance gives."
    )
    return Section("again", "Harm that comes back", (_people_again(publication), Text(said), _close_pairs(close)))


def _people_again(publication: Publication) -> Grid:
    table = publication.tables[AGAIN].table.to_pylist()
    total = next(row for row in table if row["times"] == ALL)
    rows: list[tuple[Cell, ...]] = []
    for row in table:
        if row["times"] == ALL:
            rows.append(("everybody", row["people"], row["events"], ""))
            continue
        part = (
            Estimate.hidden("Wilson 1927") if row["people"] is None else share_or_hidden(row["events"], total["events"])
        )
        publication.figure(AGAIN, f"share of events of people harmed {row['times']} times", part)
        rows.append((row["times"], row["people"], row["events"], part))
    columns = [
        Column("Times harmed"),
        Column("People", "count"),
        Column("Events", "count"),
        Column("Share of events", "share"),
    ]
    return grid("People by how often they were harmed in the period", columns, rows)


def _close_pairs(close: Sequence[Mapping[str, Any]]) -> Grid:
    rows = [
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
    columns = [
        Column("Where"),
        Column("Days apart"),
        Column("Pairs", "count"),
        Column("By chance", "number"),
        Column("Ratio", "number"),
        Column("p"),
    ]
    note = (
        "Knox's test: the same dates dealt at random over the same places. Near is another address of the same small "
        "area, since records hold no coordinates. Pairs of one day are left out."
    )
    return grid("Repeat and near-repeat: pairs of events close in place and time", columns, rows, note=note)


def two_sources_section(publication: Publication) -> Section:
    """What one agency records and the other has no record of."""
    if TWO_SOURCES not in publication.tables:
        return Section("two-sources", "", ())
    held = publication.tables[TWO_SOURCES]
    rows: list[tuple[Cell, ...]] = []
    figures: list[tuple[str, Estimate]] = []
    for row in held.table.to_pylist():
        label = "all years" if row["year"] == "all" else row["year"]
        part = share_or_hidden(row["only_here"], row["events"])
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
