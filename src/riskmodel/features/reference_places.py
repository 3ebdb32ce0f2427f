"""What the words of `places` mean, in slow plain Python: the part of the oracle that knows homes and areas."""

from __future__ import annotations

import math
from itertools import pairwise

from riskmodel.dates import Window, years
from riskmodel.features import places
from riskmodel.features.reference import (
    Answer,
    Moment,
    Question,
    Row,
    Seen,
    answered,
    give,
    in_days,
    micro,
    moment_of,
    own_events,
    rows_of,
)
from riskmodel.histories.visibility import is_known, is_visible

YEAR = 365.25 * 86_400_000_000.0


@answered.register
def _moves(feature: places.Moves, asked: Question) -> Answer:
    lived = asked.points(places.RESIDENCES, Window())
    moved = [now for before, now in pairwise(lived) if before.place_id != now.place_id]
    moved = [seen for seen in moved if asked.inside(seen.happened_at, feature.window)]
    return give(len(moved), moved)


@answered.register
def _at_address(feature: places.DaysAtAddress, asked: Question) -> Answer:  # noqa: ARG001 # the word has no parts
    lived = asked.points(places.RESIDENCES, Window())
    return give(in_days(asked.as_of - lived[-1].happened_at) if lived else math.nan, lived[-1:])


@answered.register
def _household(feature: places.HouseholdSize, asked: Question) -> Answer:
    here = [
        spell
        for spell in asked.spells(places.HOUSEHOLD)
        if (spell.ended_at is None or asked.as_of <= spell.ended_at) and _is_young(feature, spell, asked)
    ]
    return give(len({spell.place_id for spell in here}), here)


@answered.register
def _area_rate(feature: places.AreaRate, asked: Question) -> Answer:
    opens, closes = asked.bounds(feature.window)
    area = _home_area(asked)
    lived = [row for _, row in rows_of(asked.histories.residences, "area", area)] if area is not None else []
    people = {row["entity_id"] for row in lived if _is_home(row, asked.as_of)}
    length = micro(closes - opens) if opens is not None else 0
    found = sorted(_events_of(feature, lived, asked), key=lambda seen: (seen.begins_at, seen.event_id, seen.row))
    if len(people) < feature.fewest or length <= 0:
        return give(math.nan, found)
    return give(places.PER_PEOPLE * len(found) / (len(people) * (length / YEAR)), found)


@answered.register
def _area_value(feature: places.AreaValue, asked: Question) -> Answer:
    area = _home_area(asked)
    given = [
        (row["starts_at"], row["known_at"], row["value"])
        for _, row in rows_of(asked.histories.area_values, "area", area if area is not None else "")
        if row["measure"] == feature.measure
        and is_visible(row["starts_at"], row["known_at"], row["known_until"], asked.as_of)
        and row["value"] is not None
        and math.isfinite(row["value"])
    ]
    return give(max(given)[2] if area is not None and given else math.nan, [])


def _events_of(feature: places.AreaRate, lived: list[Row], asked: Question) -> list[Seen]:
    """The visible events in the window of those who were known to live in the area when they happened, each once."""
    found = {}
    for home in lived:
        if not is_known(home["known_at"], home["known_until"], asked.as_of):
            continue
        for seen in own_events(asked, feature.events, home["entity_id"]):
            at = seen.happened_at
            there = home["starts_at"] <= at and (home["ends_at"] is None or at < home["ends_at"])
            if there and asked.inside(at, feature.window):
                found[seen.row] = seen
    return list(found.values())


def _home_area(asked: Question) -> str | None:
    """The area of the residence that began last among those open on the day, of two at once the one known last."""
    lived = [row for _, row in rows_of(asked.histories.residences, "entity_id", asked.entity_id)]
    open_now = [row for row in lived if _is_home(row, asked.as_of)]
    latest = max(
        open_now,
        key=lambda row: (row["starts_at"], row["known_at"], row["area"] is None, row["area"] or ""),
        default=None,
    )
    return None if latest is None else latest["area"]


def _is_home(row: Row, as_of: Moment) -> bool:
    began = is_visible(row["starts_at"], row["known_at"], row["known_until"], as_of)
    return began and (row["ends_at"] is None or as_of <= row["ends_at"])


def _is_young(feature: places.HouseholdSize, spell: Seen, asked: Question) -> bool:
    if feature.under is None or spell.place_id is None:
        return feature.under is None
    born = Question(asked.histories, spell.place_id, asked.as_of).birth
    return born is not None and born < asked.as_of < moment_of(years(feature.under), born)
