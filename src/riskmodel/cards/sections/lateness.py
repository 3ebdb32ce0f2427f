"""How late each agency's records arrive: what a forecast cannot have known, and why an outcome needs time to settle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Cell, Column, Table
from riskmodel.cards.disclosed import count_cell, count_or_none
from riskmodel.cards.evidence import SAID
from riskmodel.cards.given import Given
from riskmodel.cards.words import capital, plain
from riskmodel.histories.delays import SOON


def lateness(given: Given, delays: Mapping[str, Mapping[str, Any]]) -> list[Block]:
    """How late each agency's records of events arrive."""
    rows = tuple(_late_row(given, agency, held) for agency, held in sorted(delays.items()) if held["events"])
    if not rows:
        return []
    columns = (
        Column("Agency"),
        Column("Events", "count"),
        Column("Days until half were known", "count"),
        Column("Days until 9 of 10 were known", "count"),
        *(Column(f"Known within {limit} days", "share") for limit in SOON),
    )
    note = (
        "From the moment something happened until the partnership knew of it, over all events. What is not known yet on"
        " an as-of date cannot be used for it, and an outcome counts as settled only after time was left for it."
    )
    return [Table("How late each agency's records arrive", columns, rows, source="intake", note=note)]


def _late_row(given: Given, agency: str, held: Mapping[str, Any]) -> tuple[Cell, ...]:
    """One agency; what rests on few records is not told."""
    key = f"delay.{agency}"
    given.counted(f"{key}.events", int(held["events"]), "intake")
    n = count_or_none(held["events"])
    words, events = capital(plain(agency)), count_cell(int(held["events"]))
    if "half_days" not in held:
        return (words, events, *(SAID["not_estimable"],) * (2 + len(SOON)))
    days = [
        given.worked_out(f"{key}.{name}", held[name], "intake", n=n).value for name in ("half_days", "nine_tenths_days")
    ]
    soon = [
        given.worked_out(f"{key}.{name}", held[name], "intake", n=n, unit="share").value
        for name in (f"within_{limit}" for limit in SOON)
    ]
    return (words, events, *days, *soon)
