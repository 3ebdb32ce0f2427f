"""Small wordings that several pages share."""

from __future__ import annotations

from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.blocks import Column
from riskmodel.population.publication import Publication
from riskmodel.population.rates import share


def plain(name: str) -> str:
    """A machine name as words, with a capital.

    Examples
    --------
    >>> plain("childrens_services"), plain("10-17"), plain("unknown")
    ("Children's services", '10-17', 'Not known')
    """
    if name == "unknown":
        return "Not known"
    words = name.replace("_", " ").replace("childrens ", "children's ")
    return words[:1].upper() + words[1:]


def rate_columns(heading: str) -> list[Column]:
    """The columns of a table of rates."""
    return [
        Column(heading),
        Column("Rate per 1,000", "number"),
        Column("Events", "count"),
        Column("People", "count"),
        Column("Resident-years", "count"),
    ]


def disclosure_lines(publication: Publication) -> list[str]:
    """What stands at the foot of a page: edition, rules, and how much was hidden."""
    rows = sum(held.table.num_rows for held in publication.tables.values())
    hidden = sum(held.hidden for held in publication.tables.values())
    return [
        f"Edition {publication.edition}, from what was known before {publication.as_of.strftime('%-d %B %Y')}.",
        (
            f"{len(publication.tables)} tables were released under the rules {publication.rules.name!r} "
            f"({publication.rules.source}): {rows:,} rows, of which {hidden:,} with a hidden count."
        ),
        "The tables are beside this page as CSV and Parquet, with the record of what was hidden in edition.json.",
    ]


def whole_or_hidden(value: object) -> int | None:
    """A count as a whole number; a hidden one stays None."""
    return None if value is None else int(str(value))


def share_or_hidden(count: int | None, of: int | None) -> Estimate:
    """A share of published counts; hidden where one of them is. Rounding may not take it above one."""
    if count is None or of is None:
        return Estimate.hidden("Wilson 1927, from rounded counts")
    return share(min(count, of), of)
