"""What the words of `patterns` mean, in slow plain Python: the second part of the oracle."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise

from riskmodel.dates import Window
from riskmodel.features import patterns
from riskmodel.features.reference import Answer, Question, Seen, answered, give, in_days, micro, time_open

YEAR = 365.25 * 86_400_000_000.0


@answered.register
def _rate(feature: patterns.Rate, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    opens, closes = asked.bounds(feature.window)
    begin = opens if asked.birth is None or opens is None else max(opens, asked.birth)
    away = dt.timedelta(0)
    if feature.outside.kinds:
        away, _ = time_open(asked, feature.outside, feature.window)
    risk = micro(closes - (begin or closes) - away)
    return give(len(found) / (risk / YEAR) if risk > 0 else math.nan, found)


@answered.register
def _trend(feature: patterns.Trend, asked: Question) -> Answer:
    parts = [asked.points(feature.events, window) for window in reversed(feature.parts_of_time)]
    levels = [float(len(part)) if feature.of == "count" else _mean(part) for part in parts]
    known = [(float(place), level) for place, level in enumerate(levels) if level == level]
    number, sx, sy, sxx, sxy = float(len(known)), 0.0, 0.0, 0.0, 0.0
    for place, level in known:
        sx, sy, sxx, sxy = sx + place, sy + level, sxx + place * place, sxy + place * level
    slope = (number * sxy - sx * sy) / (number * sxx - sx * sx) if number > 1 else math.nan
    return give(slope, [seen for part in parts for seen in part])


@answered.register
def _escalation(feature: patterns.Escalation, asked: Question) -> Answer:
    recent, earlier = (asked.points(feature.events, window) for window in feature.times)
    if feature.of == "value":
        return give(_mean(recent) - _mean(earlier), earlier + recent)
    late, early = (_length(asked, window) for window in feature.times)
    if late <= 0 or early <= 0:
        return give(math.nan, earlier + recent)
    return give(len(recent) / (late / YEAR) - len(earlier) / (early / YEAR), earlier + recent)


@answered.register
def _gap(feature: patterns.Gap, asked: Question) -> Answer:
    found = asked.points(feature.events, feature.window)
    times = [seen.happened_at for seen in found]
    if len(times) < 2:
        return give(math.nan, found)
    if feature.which == "mean":
        return give(micro(times[-1] - times[0]) / (len(times) - 1) / 86_400_000_000.0, found)
    return give(in_days(min(after - before for before, after in pairwise(times))), found)


@answered.register
def _sequence(feature: patterns.Sequence, asked: Question) -> Answer:
    gap = dt.timedelta(days=feature.gap.days)
    firsts = asked.points(feature.first, Window())
    used: list[Seen] = []
    number = 0
    for then in asked.points(feature.then, feature.window):
        before = [first for first in firsts if dt.timedelta(0) < then.happened_at - first.happened_at <= gap]
        if before:
            number += 1
            used += [before[-1], then]
    return give(number, used)


@answered.register
def _below(feature: patterns.BelowThresholds, asked: Question) -> Answer:
    near = [seen for seen in asked.points(feature.events, feature.window) if _is_near_miss(feature, seen)]
    return give(len(near), near)


@answered.register
def _reached(feature: patterns.DaysSinceAgencies, asked: Question) -> Answer:
    agencies: set[str] = set()
    found = asked.points(feature.events, Window())
    for number, seen in enumerate(found):
        agencies.add(seen.agency)
        if len(agencies) == feature.reached:
            return give(in_days(asked.as_of - seen.happened_at), found[: number + 1])
    return give(math.nan, found)


def _is_near_miss(feature: patterns.BelowThresholds, seen: Seen) -> bool:
    for agency, day, end, level in feature.periods:
        begins = dt.datetime.combine(day, dt.time())
        in_force = begins <= seen.happened_at and (
            end is None or seen.happened_at < dt.datetime.combine(end, dt.time())
        )
        if agency == seen.agency and in_force:
            return seen.value is not None and feature.nearness * level <= seen.value < level
    return False


def _mean(found: list[Seen]) -> float:
    values = [seen.value for seen in found if seen.value is not None]
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else math.nan


def _length(asked: Question, window: Window) -> int:
    opens, closes = asked.bounds(window)
    return micro(closes - (opens or closes))
