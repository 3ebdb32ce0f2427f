"""Harm month by month: limits, changes of level, the trend, and months that are not complete yet."""

from __future__ import annotations

from collections.abc import Sequence

from riskmodel.population.cube import sliced
from riskmodel.population.estimate import Estimate
from riskmodel.population.harm import HARM
from riskmodel.population.pages.blocks import (
    Block,
    Callout,
    Cell,
    Column,
    Grid,
    Picture,
    Points,
    Section,
    Text,
    grid,
)
from riskmodel.population.pages.charts import Point, control
from riskmodel.population.pages.harm_words import HarmWords
from riskmodel.population.publication import Publication
from riskmodel.population.trends import LevelChange, Limits, control_limits, level_changes, yearly_change


def time_section(publication: Publication, words: HarmWords) -> Section:
    """Month by month: limits, changes of level, the trend, and months that are not complete yet."""
    table = publication.tables[HARM].table
    counted = {
        (label, str(row["month"])): row["events"]
        for label in words.period.labels
        for row in sliced(table, "month", year=label)
    }
    if not counted:  # left out because most of it would be hidden: not known, never nought
        return Section("time", "Over time", (Text("Most months have too few people harmed to be shown."),))
    months = [(calendar, counted.get((label, month), 0)) for label, month, calendar in words.period.months()]
    settled = months[: len(months) - words.period.provisional]
    counts = [value for _, value in settled if value is not None]
    hidden = len(settled) - len(counts)
    if len(counts) < 12 or hidden:
        text = f"{hidden} months have too few events to be shown; no limits or changes are worked out."
        return Section("time", "Over time", (Text(text), _month_grid(months, words, ())))
    values = [float(str(count)) for count in counts]
    limits, found = control_limits(values), level_changes(values)
    trend = publication.figure(HARM, "factor from one year to the next", yearly_change(values))
    outside = [settled[at][0] for at in limits.outside]
    said = [
        f"From {settled[change.place][0]} on, about {change.after:.0f} a month instead of {change.before:.0f} "
        f"(p = {change.p:.3f} against no change anywhere)."
        for change in found
    ]
    blocks: list[Block] = [
        Text(_trend_words(trend)),
        _chart(months, values, limits, found, words),
        Points(tuple(said) or ("No change of level beyond chance.",)),
    ]
    if words.period.provisional:
        late = f"95 of 100 records are known only after {words.period.settle_days} days"
        first = _last_months(words.period.provisional)
        blocks.append(Callout(f"{first} provisional: {late}. They are not part of limits or trend."))
    blocks.append(_month_grid(months, words, outside))
    return Section("time", "Over time", tuple(blocks))


def _chart(
    months: Sequence[tuple[str, object]],
    values: Sequence[float],
    limits: Limits,
    found: Sequence[LevelChange],
    words: HarmWords,
) -> Picture:
    settled = len(values)
    points = [
        Point(label, at, None if value is None else float(str(value)), at in limits.outside)
        for at, (label, value) in enumerate(months)
    ]
    drawing = control(
        points,
        "Events a month",
        _alt(values, [months[at][0] for at in limits.outside], len(found)),
        centre=[_level(at, values, found) for at in range(settled)],
        limits=([limits.low] * settled, [limits.high] * settled),
        provisional=words.period.provisional,
    )
    note = (
        "Orange: the level. Dashed: limits that three standard deviations give. Diamonds lie outside. A change of "
        "level may be one of harm, of reporting or of recording."
    )
    return Picture("Events of harm by month", drawing, note=note)


def _alt(values: Sequence[float], outside: Sequence[str], changes: int) -> str:
    beyond = ", ".join(outside) if outside else "none"
    return (
        f"{len(values)} months, from {min(values):.0f} to {max(values):.0f} events a month; outside the limits: "
        f"{beyond}; "
        f"changes of level: {changes}."
    )


def _level(at: int, values: Sequence[float], found: Sequence[LevelChange]) -> float | None:
    level = sum(values) / len(values)
    for change in found:
        if at < change.place:
            return change.before
        level = change.after
    return float(level)


def _trend_words(trend: Estimate) -> str:
    if trend.value is None or trend.low is None or trend.high is None:
        return f"No trend can be given: {trend.note}."
    change, low, high = (100 * (value - 1) for value in (trend.value, trend.low, trend.high))
    if trend.low <= 1 <= trend.high:
        return f"No clear trend: from one year to the next {change:+.1f}% ({low:+.1f}% to {high:+.1f}%)."
    return (
        f"Recorded harm {'rose' if change > 0 else 'fell'} by {abs(change):.1f}% a year ({low:+.1f}% to {high:+.1f}%)."
    )


def _last_months(number: int) -> str:
    return "The last month is" if number == 1 else f"The last {number} months are"


def _month_grid(months: Sequence[tuple[str, object]], words: HarmWords, outside: Sequence[str]) -> Grid:
    start = len(months) - words.period.provisional
    rows: list[tuple[Cell, ...]] = []
    for at, (label, value) in enumerate(months):
        remark = "provisional" if at >= start else "outside the limits" if label in outside else "final"
        rows.append((label, label[:4], None if value is None else int(str(value)), remark))
    columns = [Column("Month"), Column("Year", filter=True), Column("Events", "count"), Column("Status", filter=True)]
    return grid("Events of harm by month", columns, rows, folded=True)
