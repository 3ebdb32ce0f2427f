"""The program of each node: which steps its events run, and how its column is read off.

Steps that several features share exist once. A node must mean here exactly what it means in `reference`; tests hold the
two together to the bit, and a test fails when a node has no program.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Final, TypeAlias

import numpy as np

from riskmodel.dates import FOREVER, Window
from riskmodel.features import kernel, nodes, patterns, places
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import Age
from riskmodel.features.program import CODES, POINT, SPELL, Program, Step
from riskmodel.features.selection import Events
from riskmodel.histories.visibility import NULL_TIME

_FOREVER: Final = int(FOREVER.astype(np.int64))
_ALL: Final = Window()
_STATISTIC: Final = {"max": kernel.LARGEST, "min": kernel.SMALLEST, "last": kernel.LATEST}

Result: TypeAlias = "tuple[int, ...]"
"""Result code, integer slot, number slot, and up to three extras."""


def compiled(features: Sequence[Feature], sizes: Mapping[str, int]) -> Program:
    """The program of the features.

    Parameters
    ----------
    features : in the order of the output columns; age is left to `build`, and what is asked of areas to `areas`
    sizes : how many different codes there are of "kind", "agency" and "place"
    """
    making = Making(dict(sizes))
    results = [
        (column, *(*result_of(feature, making), 0, 0, 0)[:6])
        for column, feature in enumerate(features)
        if not isinstance(feature, Age | places.AreaRate | places.AreaValue)
    ]
    return Program(
        windows=tuple(making.windows),
        channels=tuple(making.channels),
        steps=tuple(making.steps.values()),
        results=np.asarray(results, np.int64).reshape(-1, 7),
        integers=np.asarray(making.integers, np.int64),
        numbers=np.asarray(making.numbers, np.float64),
    )


@dataclass(slots=True)
class Making:
    """A program half made: windows, channels and steps, each once, and the slots."""

    sizes: dict[str, int]
    windows: list[Window] = field(default_factory=lambda: [_ALL])
    channels: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    steps: dict[object, Step] = field(default_factory=dict)
    integers: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def step(
        self,
        code: int,
        events: Events,
        window: Window = _ALL,
        *,
        integers: Sequence[int] = (),
        number: float | None = None,
        beside: Step | None = None,
        apart: object = None,
        **marks: object,
    ) -> Step:
        """The step with these marks; the same one if it was asked for before.

        `integers` and `number` are the starting values of its slots; `beside` is a step whose integer slots it shares
        instead; `apart` marks slots that no other feature may share; `marks` are the further fields of `Step`.
        """
        key = (code, events, window, beside, apart, tuple(sorted(marks.items())))
        if key not in self.steps:
            if window not in self.windows:
                self.windows.append(window)
            if events.through not in self.channels:
                self.channels.append(events.through)
            reach = int(marks.pop("reach", POINT))  # type: ignore[call-overload] # reach is a number
            self.steps[key] = Step(
                events, reach, code, self.windows.index(window),
                beside.integer if beside else len(self.integers), len(self.numbers), **marks,  # type: ignore[arg-type] # fields of Step
            )  # fmt: skip
            self.integers.extend(integers)
            self.numbers.extend([] if number is None else [number])
        return self.steps[key]

    def words(self, code: str) -> int:
        """How many 64-bit words hold one bit for each code."""
        return max(1, -(-self.sizes[code] // 64))


@singledispatch
def result_of(feature: Feature, making: Making) -> Result:
    """How a column is read off the slots, after asking for the steps that fill them: one function for each node."""
    raise NotImplementedError(f"no program for {feature.word}")


@result_of.register
def _count(feature: nodes.Count, making: Making) -> Result:
    return kernel.NUMBER_OF, making.step(kernel.COUNT, feature.events, feature.window, integers=[0]).integer, 0


@result_of.register
def _ever(feature: nodes.Ever, making: Making) -> Result:
    return kernel.ANY, making.step(kernel.COUNT, feature.events, feature.window, integers=[0]).integer, 0


@result_of.register
def _since(feature: nodes.DaysSince, making: Making) -> Result:
    code = kernel.LAST_TIME if feature.which == "last" else kernel.FIRST_TIME
    step = making.step(code, feature.events, feature.window, integers=[NULL_TIME])
    return kernel.DAYS_SINCE, step.integer, 0


@result_of.register
def _value(feature: nodes.ValueOf, making: Making) -> Result:
    if feature.statistic in ("total", "mean"):
        step = making.step(kernel.SUM, feature.events, feature.window, integers=[0, 0], number=0.0)
        return (kernel.TOTAL if feature.statistic == "total" else kernel.MEAN), step.integer, step.number
    step = making.step(_STATISTIC[feature.statistic], feature.events, feature.window, number=float("nan"))
    return kernel.VALUE, 0, step.number


@result_of.register
def _distinct(feature: nodes.CountDistinct, making: Making) -> Result:
    return _bits(kernel.DISTINCT, feature.events, feature.window, feature.of, POINT, making)


@result_of.register
def _at_once(feature: nodes.AgenciesAtOnce, making: Making) -> Result:
    return _bits(kernel.OPEN_DISTINCT, feature.events, _ALL, "agency", SPELL, making)


@result_of.register
def _state(feature: nodes.State, making: Making) -> Result:
    return kernel.ANY, making.step(kernel.OPEN, feature.events, integers=[0], reach=SPELL).integer, 0


@result_of.register
def _days_open(feature: nodes.DaysInState, making: Making) -> Result:
    return kernel.DAYS, _time_open(feature.events, feature.window, making).integer, 0


@result_of.register
def _rate(feature: patterns.Rate, making: Making) -> Result:
    count = making.step(kernel.COUNT, feature.events, feature.window, integers=[0])
    away = _time_open(feature.outside, feature.window, making).integer if feature.outside.kinds else -1
    return kernel.RATE, count.integer, 0, away, making.windows.index(feature.window)


@result_of.register
def _trend(feature: patterns.Trend, making: Making) -> Result:
    first = _sums(feature, feature.events, feature.parts_of_time, making)
    return kernel.TREND, first.integer, first.number, feature.parts, patterns.MEASURES.index(feature.of)


@result_of.register
def _escalation(feature: patterns.Escalation, making: Making) -> Result:
    first = _sums(feature, feature.events, feature.times, making)
    recent, earlier = (making.windows.index(window) for window in feature.times)
    of = patterns.MEASURES.index(feature.of)
    return kernel.ESCALATION, first.integer, first.number, of, recent, earlier


@result_of.register
def _gap(feature: patterns.Gap, making: Making) -> Result:
    step = making.step(kernel.GAP, feature.events, feature.window, integers=[0, 0, 0, 0])
    return (kernel.SHORTEST if feature.which == "shortest" else kernel.MEAN_GAP), step.integer, 0


@result_of.register
def _sequence(feature: patterns.Sequence, making: Making) -> Result:
    none = [NULL_TIME, NULL_TIME, 0]
    first = making.step(kernel.FIRST_OF_TWO, feature.first, integers=none, apart=feature)
    gap = int(np.timedelta64(feature.gap.days, "D") / np.timedelta64(1, "us"))
    making.step(kernel.SECOND_OF_TWO, feature.then, feature.window, extra=gap, beside=first)
    return kernel.NUMBER_OF, first.integer + 2, 0


@result_of.register
def _below(feature: patterns.BelowThresholds, making: Making) -> Result:
    making.integers.append(0)
    slot = Step(feature.events, POINT, kernel.BELOW, 0, len(making.integers) - 1, 0)
    for agency, day, end, level in feature.periods:
        if not feature.events.agencies or agency in feature.events.agencies:
            making.step(
                kernel.BELOW,
                replace(feature.events, agencies=(agency,)),
                feature.window,
                since=_micro(day),
                before=_micro(end) if end else _FOREVER,
                levels=(feature.nearness * level, level),
                beside=slot,
            )
    return kernel.NUMBER_OF, slot.integer, 0


@result_of.register
def _reached(feature: patterns.DaysSinceAgencies, making: Making) -> Result:
    words = [0] * making.words("agency")
    step = making.step(kernel.REACHED, feature.events, integers=[NULL_TIME, 0, *words], extra=feature.reached)
    return kernel.DAYS_SINCE, step.integer, 0


@result_of.register
def _moves(feature: places.Moves, making: Making) -> Result:
    step = making.step(kernel.MOVE, places.RESIDENCES, feature.window, integers=[0, NULL_TIME])
    return kernel.NUMBER_OF, step.integer, 0


@result_of.register
def _at_address(feature: places.DaysAtAddress, making: Making) -> Result:  # noqa: ARG001 # the word has no parts
    step = making.step(kernel.LAST_TIME, places.RESIDENCES, integers=[NULL_TIME])
    return kernel.DAYS_SINCE, step.integer, 0


@result_of.register
def _household(feature: places.HouseholdSize, making: Making) -> Result:
    return _bits(kernel.OPEN_DISTINCT, feature.living, _ALL, "place", SPELL, making)


@result_of.register
def _area(feature: places.HomeArea, making: Making) -> Result:  # noqa: ARG001 # the node has no parts
    return kernel.VALUE, 0, making.step(kernel.OPEN_LATEST, places.AREAS, number=float("nan"), reach=SPELL).number


def _bits(code: int, events: Events, window: Window, of: str, reach: int, making: Making) -> Result:
    words = making.words(of)
    step = making.step(code, events, window, integers=[0] * words, reach=reach, extra=CODES.index(of))
    return kernel.BITS, step.integer, 0, words


def _time_open(events: Events, window: Window, making: Making) -> Step:
    return making.step(kernel.OPEN_TIME, events, window, integers=[0, NULL_TIME], reach=SPELL)


def _sums(feature: Feature, events: Events, windows: Sequence[Window], making: Making) -> Step:
    """Number, known values and sum for each window, in slots one after another; the first step."""
    made = [
        making.step(kernel.SUM, events, window, integers=[0, 0], number=0.0, apart=(feature, number))
        for number, window in enumerate(windows)
    ]
    return made[0]


def _micro(day: dt.date) -> int:
    return int(np.datetime64(day, "us").astype(np.int64))
