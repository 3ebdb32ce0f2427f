"""The people nobody has counted: on a page of their own, and as a part of the needs assessment."""

from __future__ import annotations

from riskmodel.population.cube import ALL
from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Heading,
    Page,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.charts import dots
from riskmodel.population.pages.words import disclosure_lines
from riskmodel.population.publication import Publication
from riskmodel.population.unseen import Model, Unseen
from riskmodel.population.unseen_lists import LISTS, UnseenFound

_COUNT = Column("People", "count")


def unseen_page(found: UnseenFound, publication: Publication, organisation: str, source: str) -> Page:
    """The page: the estimate, every model, what missed links change, and what is published against it."""
    sections = [_estimate(found), _lists(publication, found)]
    if found.average is not None and found.chosen is not None:
        sections += [_models(found.average, found.chosen), _links(found)]
    sections.append(_against(found))
    return Page(
        "The unseen",
        "The people nobody has counted",
        f"{found.title}: how many are on no list at all, as far as {len(found.lists)} overlapping lists can tell.",
        organisation,
        tuple(sections),
        (source, *disclosure_lines(publication)),
    )


def unseen_section(found: UnseenFound | None) -> Section:
    """The estimate in a needs assessment, with what is held against it."""
    if found is None:
        return Section("unseen", "", ())
    made = _estimate(found)
    title = Text(found.title + ".")
    last = Text("Every model, the lists themselves and what missed links change are on the page of the unseen.")
    criticism = _against(found).blocks
    heading = Heading("What is published against such figures")
    return Section("unseen", "The people nobody has counted", (title, *made.blocks, heading, *criticism, last))


def _estimate(found: UnseenFound) -> Section:
    title = "How many there may be"
    seen = "suppressed" if found.seen is None else f"{found.seen:,}"
    if found.average is None or found.chosen is None:
        said = f"No estimate: {found.why_not}. {seen} people are on at least one list."
        return Section("estimate", title, (Callout(said, warning=True),))
    totals = [("Average over models", found.average.total), ("One model, chosen stepwise", found.chosen.total)]
    rows: list[tuple[Cell, ...]] = [(name, made, made.method) for name, made in totals]
    said = "; ".join(f"{name} {_words(made)}" for name, made in totals)
    blocks: list[Block] = [
        Text(_lead(found.average, seen), lead=True),
        Callout("An estimate that hangs on how the lists overlap. Read it with what is published against it."),
        Picture(
            "People on a list or on none",
            dots(
                totals, "People", f"{seen} people are on a list. {said}.",
                reference=None if found.seen is None else (float(found.seen), "on a list"),
            ),
        ),
        grid("People on a list or on none", [Column("How"), _COUNT, Column("Method")], rows),
    ]  # fmt: skip
    return Section("estimate", title, tuple(blocks))


def _lead(made: Unseen, seen: str) -> str:
    total = made.total
    if total.value is None or total.low is None or total.high is None:
        return f"The number of people cannot be estimated: {total.note}."
    return (
        f"About {total.value:,.0f} people ({total.low:,.0f} to {total.high:,.0f}), of whom {seen} are on one or more "
        f"of {len(made.lists)} lists."
    )


def _words(made: Estimate) -> str:
    value, interval = _COUNT.words(made)
    return f"{value} ({interval})" if interval else value


def _lists(publication: Publication, found: UnseenFound) -> Section:
    released = publication.tables[LISTS].table.to_pylist()
    held = sorted((row for row in released if row["people"] != 0), key=lambda row: -(row["people"] or 0))
    rows = [("On any of them" if row["lists"] == ALL else row["lists"], row["people"]) for row in held]
    empty = len(released) - len(held)
    note = f"{empty} other combinations hold nobody." if empty else "Too few people to be shown are suppressed."
    table = grid("People by the lists they are on", [Column("On these lists and no other"), _COUNT], rows, note=note)
    text = Text(f"The lists: {', '.join(found.lists)}. The more they share, the fewer can be on none.")
    return Section("lists", "The lists", (text, table))


def _models(average: Unseen, chosen: Unseen) -> Section:
    shown = average.models[:12]
    rows = [(_pairs(model), _estimate_of(model), model.weight) for model in shown]
    more = len(average.models) - len(shown)
    note = f"{more} more models have smaller weights." if more else ""
    columns = [Column("Lists that hang together"), _COUNT, Column("Weight", "share")]
    pictured = [(f"{place}: weight {100 * model.weight:.0f}%", _estimate_of(model)) for place, model in
                enumerate(shown[:8], start=1)]  # fmt: skip
    alt = "Totals of the weightiest models: " + "; ".join(_words(made) for _, made in pictured) + "."
    stepwise = (_pairs(chosen.models[0]), _estimate_of(chosen.models[0]), chosen.models[0].weight)
    return Section(
        "models",
        "Every model says something else",
        (
            Text(
                "A model says which lists share more or fewer people than chance would have it. The average weighs "
                "each by how well it fits for its size; its interval holds the doubt about the model."
            ),
            Picture("Totals of the weightiest models", dots(pictured, "People on a list or on none", alt)),
            grid("Models in the average", columns, rows, note=note),
            grid("The model that the stepwise choice ends at", columns, [stepwise]),
        ),
    )


def _pairs(model: Model) -> str:
    return "; ".join(model.terms) or "none: every list finds people as if it did not know the others"


def _estimate_of(model: Model) -> Estimate:
    return Estimate.of(model.total, model.low, model.high, 0, "log-linear model")


def _links(found: UnseenFound) -> Section:
    rows = [(f"{made.missed:.0%}", made.seen, made.total) for made in found.by_links]
    return Section(
        "links",
        "If links were missed",
        (
            Text(
                "A person whose records were not linked stands on two lists as two people. The lists then seem to "
                "share less than they do, and the unseen come out too many. How many links are missed, the quality of "
                "the linkage says."
            ),
            grid(
                "The average, if this share of links was missed",
                [Column("Links missed"), Column("On a list", "count"), Column("On a list or on none", "count")],
                rows,
                note="The intervals hold no doubt about the links.",
            ),
        ),
    )


def _against(found: UnseenFound) -> Section:
    made = found.average or found.chosen
    lines = made.cautions if made is not None else ("No model could be fitted, so nothing was estimated.",)
    return Section("against", "What is published against such figures", (Points(tuple(lines)),))
