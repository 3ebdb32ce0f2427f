"""What searches led to: outcomes, the outcome test and the threshold test, and people searched again."""

from __future__ import annotations

from typing import Final

from riskmodel.population.cube import ALL, UNKNOWN, sliced
from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.blocks import (
    Callout,
    Cell,
    Column,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.canvas import percent
from riskmodel.population.pages.charts import dots
from riskmodel.population.pages.words import plain, share_or_hidden
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share
from riskmodel.population.search_outcomes import INFRA_MARGINALITY
from riskmodel.population.search_tables import (
    FINDS,
    NO_ACTION,
    OUTCOMES,
    SEARCHED_AGAIN,
)


def outcomes_section(publication: Publication) -> Section:
    """What searches led to, over all areas and in each."""
    if OUTCOMES not in publication.tables:
        return Section("outcomes", "", ())
    table = publication.tables[OUTCOMES].table
    (total,) = [int(str(row["searches"])) for row in sliced(table)]
    rows: list[tuple[Cell, ...]] = []
    for row in sliced(table, "outcome"):
        count = int(str(row["searches"]))
        made = publication.figure(OUTCOMES, f"share of searches, {row['outcome']}", share(count, total))
        rows.append((str(row["outcome"]), count, made))
    by_place: dict[str, dict[str, int]] = {}
    for row in sliced(table, "place", "outcome"):
        by_place.setdefault(str(row["place"]), {})[str(row["outcome"])] = int(str(row["searches"]))
    places: list[tuple[Cell, ...]] = []
    for place, held in by_place.items():
        searched = sum(held.values())
        places.append((place, searched, share(searched - held.get(NO_ACTION, 0), searched)))
    found = share(total - sum(row.get(NO_ACTION, 0) for row in by_place.values()), total)
    publication.figure(OUTCOMES, "share of searches followed by any action", found)
    lead = f"{100 * (found.value or 0):.0f} of 100 searches were followed by an action; the others by none."
    return Section(
        "outcomes",
        "What searches led to",
        (
            Text(lead, lead=True),
            grid(
                "Searches by outcome", [Column("Outcome"), Column("Searches", "count"), Column("Share", "share")], rows
            ),
            grid(
                "Share followed by an action, by area",
                [Column("Area"), Column("Searches", "count"), Column("Followed by an action", "share")],
                sorted(places, key=lambda row: str(row[0])),
                folded=True,
            ),
        ),
    )


_WHY: Final = (
    Text(INFRA_MARGINALITY),
    Points(
        (
            "The outcome test compares how often searches find something. If a group's find less, its bar seems lower.",
            "The threshold test estimates the bar itself over many areas; it rests on a model and needs finds by area.",
            "Neither is shown here without the other.",
        )
    ),
)


def tests_section(publication: Publication, reference: str, within_days: int | None) -> Section:
    """The outcome test and the threshold test, side by side or not at all."""
    title = "Is the bar the same for all?"
    if FINDS not in publication.tables:
        said = Callout(
            "These tables give outcomes by area and not by ethnicity. So neither the outcome test nor the threshold "
            "test can be made, and nothing is said about the bar for searching.",
            warning=True,
        )
        return Section("tests", title, (said, *_WHY))
    finds, rows = _find_rows(publication, reference)
    columns = [
        Column("Ethnicity"),
        Column("Searches", "count"),
        Column("Find rate", "share"),
        Column("Bar", "share"),
        Column(f"Bar less that of {plain(reference)}"),
    ]
    alt = "One line a group; the table below holds the same figures."
    note = f"A find is a declared record of the same person within {within_days} days after the search: it need not be "
    note += "of the search itself."
    return Section(
        "tests",
        title,
        (
            *_WHY,
            Picture("Searches that found something", dots(finds, "Share of searches with a find", alt, said=percent)),
            grid("Find rates, and the bar behind them", columns, rows, note=note),
        ),
    )


def _find_rows(publication: Publication, reference: str) -> tuple[list[tuple[str, Estimate]], list[tuple[Cell, ...]]]:
    """Each group's find rate, and beside it the bar that was worked out before the counts left."""
    made = {figure.what: figure.estimate for figure in publication.figures if figure.source == FINDS}
    none = Estimate.none(0, "threshold test", "too few finds or areas")
    finds: list[tuple[str, Estimate]] = []
    rows: list[tuple[Cell, ...]] = []
    for row in publication.tables[FINDS].table.to_pylist():
        group = row["group"]
        if group in (ALL, UNKNOWN):
            continue
        find = publication.figure(FINDS, f"find rate, {group}", share_or_hidden(row["found"], row["searches"]))
        bar = made.get(f"bar for searching, {group}", none)
        gap = made.get(f"bar less that of {reference}, {group}", none)
        finds.append((plain(group), find))
        rows.append((plain(group), row["searches"], find, bar, "the reference" if group == reference else _signed(gap)))
    return finds, rows


def _signed(made: Estimate) -> str:
    if made.value is None or made.low is None or made.high is None:
        return made.state.replace("_", " ")
    return f"{100 * made.value:+.1f} points ({100 * made.low:+.1f} to {100 * made.high:+.1f})"


def again_section(publication: Publication) -> Section:
    """People by how often they were searched."""
    if SEARCHED_AGAIN not in publication.tables:
        return Section(
            "again",
            "Searched again",
            (
                Callout(
                    "These tables count searches, not people: how often one person was searched cannot be seen, "
                    "and the "
                    "intervals of the rates take each search as independent."
                ),
            ),
        )
    rows: list[tuple[Cell, ...]] = []
    table = publication.tables[SEARCHED_AGAIN].table.to_pylist()
    total = next(row for row in table if row["times"] == ALL)
    for row in table:
        if row["times"] == ALL:
            rows.append(("everybody", row["people"], row["searches"], ""))
        elif None in (row["searches"], total["searches"]):
            rows.append((row["times"], row["people"], row["searches"], None))
        else:
            part = share(min(row["searches"], total["searches"]), total["searches"])
            rows.append((row["times"], row["people"], row["searches"], part))
    columns = [
        Column("Times searched"),
        Column("People", "count"),
        Column("Searches", "count"),
        Column("Share of searches", "share"),
    ]
    return Section("again", "Searched again", (grid("People by how often they were searched", columns, rows),))
