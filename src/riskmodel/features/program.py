"""From meaning to arrays: the nodes become one short program that the kernel runs for every entity.

A program is a list of *steps* (what an event of a type adds to which running slot, through which window) and a list of
*results* (how a column is read off the slots). Steps that several features share exist once. A step's slot holds one
number for each as-of row of the entity. This module knows no data: only how many different codes there are.

The numbers of the steps and results are the contract with `kernel.sweep`. A node must mean here exactly what it means
in `reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.dates import Window
from riskmodel.features import kernel
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import (
    AgenciesAtOnce,
    Count,
    CountDistinct,
    DaysInState,
    DaysSince,
    Ever,
    State,
    ValueOf,
)
from riskmodel.features.selection import Events
from riskmodel.histories.visibility import NULL_TIME

POINT, SPELL = 0, 1
"""How an event reaches: as a moment, or as a spell with a beginning and an end."""

CODES: Final = ("kind", "agency", "place")
"""The columns of which different values can be counted, in the order of the kernel's codes."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """What one event of the selection does to the slots."""

    events: Events
    reach: int
    code: int
    window: int
    integer: int
    number: int
    extra: int = 0
    level: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """Features as arrays.

    Attributes
    ----------
    windows : the distinct windows, by number
    channels : the distinct `through` of the selections, by number; 0 is the entity's own events
    steps : the distinct steps
    columns : (n,) the output column of each result
    results : (n, 4) int64: result code, integer slot, number slot, extra
    integers, numbers : the starting values of the slots, int64 and float64
    """

    windows: tuple[Window, ...]
    channels: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]
    results: Integers
    integers: Integers
    numbers: Floats

    def carries(self, channel: int, reach: int) -> bool:
        """Whether events of this reach are asked for through a channel."""
        return any(step.reach == reach and step.events.through == self.channels[channel] for step in self.steps)

    def uses(self, code: str) -> bool:
        """Whether different values of this column are counted."""
        return any(step.code in _DISTINCT and step.extra == CODES.index(code) for step in self.steps)

    def typed(self, kinds: Sequence[str], roles: Sequence[str | None], agencies: Sequence[str]) -> Types:
        """The steps for each type of event: (channel, reach, kind, role, agency)."""
        shape = (len(self.channels), 2, len(kinds), len(roles), len(agencies))
        chosen = np.zeros((len(self.steps), *shape), bool)
        for number, step in enumerate(self.steps):
            channel = self.channels.index(step.events.through)
            reaches = [step.reach] if channel else [POINT]
            holds = [[[step.events.holds(k, r, a) for a in agencies] for r in roles] for k in kinds]
            chosen[number, channel, reaches] = np.asarray(holds, bool).reshape(shape[2:])
        flat = chosen.reshape(len(self.steps), int(np.prod(shape)))
        patterns, of_type = np.unique(flat, axis=1, return_inverse=True)
        order = sorted(range(len(self.steps)), key=lambda number: (self.steps[number].window, number))
        listed = [[number for number in order if patterns[number, column]] for column in range(patterns.shape[1])]
        starts = np.concatenate([[0], np.cumsum([len(part) for part in listed])]).astype(np.int64)
        flat_steps = [self.steps[number] for part in listed for number in part]
        return Types(
            codes=np.asarray(of_type, np.int32).reshape(shape),
            starts=starts,
            steps=np.asarray([(s.code, s.window, s.integer, s.number, s.extra) for s in flat_steps], np.int64).reshape(
                -1, 5
            ),
            levels=np.asarray([s.level for s in flat_steps], np.float64),
        )


@dataclass(frozen=True, slots=True)
class Types:
    """Which steps an event of a type runs: ``steps[starts[type]:starts[type + 1]]``."""

    codes: npt.NDArray[np.int32]
    starts: Integers
    steps: Integers
    levels: Floats


_DISTINCT: Final = (kernel.DISTINCT, kernel.OPEN_DISTINCT)
_STATISTIC: Final = {"max": (kernel.LARGEST, np.nan), "min": (kernel.SMALLEST, np.nan), "last": (kernel.LATEST, np.nan)}


def compiled(features: Sequence[Feature], sizes: Mapping[str, int]) -> Program:
    """The program of the features.

    Parameters
    ----------
    features : in the order of the output columns; those that look at no events (age) are left to `build`
    sizes : how many different codes there are of "kind", "agency" and "place"
    """
    making = _Making(dict(sizes))
    results = [(column, *_result(feature, making)) for column, feature in enumerate(features) if feature.selections]
    return Program(
        windows=tuple(making.windows),
        channels=tuple(making.channels),
        steps=tuple(making.steps.values()),
        results=np.asarray(results, np.int64).reshape(-1, 5),
        integers=np.asarray(making.integers, np.int64),
        numbers=np.asarray(making.numbers, np.float64),
    )


@dataclass(slots=True)
class _Making:
    """A program half made: slots and steps, each once."""

    sizes: dict[str, int]
    windows: list[Window] = field(default_factory=lambda: [Window()])
    channels: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    steps: dict[object, Step] = field(default_factory=dict)
    integers: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def step(
        self,
        code: int,
        events: Events,
        window: Window = Window(),
        *,
        integers: Sequence[int] = (),
        number: float | None = None,
        reach: int = POINT,
        extra: int = 0,
        level: float = 0.0,
    ) -> Step:
        """The step with these marks; the same one if it was asked for before."""
        key = (code, events, window, extra, level)
        if key not in self.steps:
            for known, part in ((self.windows, window), (self.channels, events.through)):
                if part not in known:
                    known.append(part)  # type: ignore[arg-type] # each list with its own kind of part
            self.steps[key] = Step(
                events, reach, code, self.windows.index(window), len(self.integers), len(self.numbers), extra, level
            )
            self.integers.extend(integers)
            self.numbers.extend([] if number is None else [number])
        return self.steps[key]

    def words(self, code: str) -> int:
        """How many 64-bit words hold one bit for each code."""
        return max(1, -(-self.sizes[code] // 64))


Result = tuple[int, int, int, int]


@singledispatch
def _result(feature: Feature, making: _Making) -> Result:
    raise NotImplementedError(f"no program for {feature.word}")


@_result.register
def _count(feature: Count, making: _Making) -> Result:
    step = making.step(kernel.COUNT, feature.events, feature.window, integers=[0])
    return kernel.NUMBER_OF, step.integer, 0, 0


@_result.register
def _ever(feature: Ever, making: _Making) -> Result:
    step = making.step(kernel.COUNT, feature.events, feature.window, integers=[0])
    return kernel.ANY, step.integer, 0, 0


@_result.register
def _since(feature: DaysSince, making: _Making) -> Result:
    code = kernel.LAST_TIME if feature.which == "last" else kernel.FIRST_TIME
    step = making.step(code, feature.events, feature.window, integers=[NULL_TIME])
    return kernel.DAYS_SINCE, step.integer, 0, 0


@_result.register
def _value(feature: ValueOf, making: _Making) -> Result:
    if feature.statistic in ("total", "mean"):
        step = making.step(kernel.SUM, feature.events, feature.window, integers=[0, 0], number=0.0)
        return (kernel.TOTAL if feature.statistic == "total" else kernel.MEAN), step.integer, step.number, 0
    code, start = _STATISTIC[feature.statistic]
    step = making.step(code, feature.events, feature.window, number=start)
    return kernel.VALUE, 0, step.number, 0


@_result.register
def _distinct(feature: CountDistinct, making: _Making) -> Result:
    return _bits(kernel.DISTINCT, feature.events, feature.window, feature.of, POINT, making)


@_result.register
def _at_once(feature: AgenciesAtOnce, making: _Making) -> Result:
    return _bits(kernel.OPEN_DISTINCT, feature.events, Window(), "agency", SPELL, making)


@_result.register
def _state(feature: State, making: _Making) -> Result:
    step = making.step(kernel.OPEN, feature.events, integers=[0], reach=SPELL)
    return kernel.ANY, step.integer, 0, 0


@_result.register
def _days_open(feature: DaysInState, making: _Making) -> Result:
    step = making.step(kernel.OPEN_TIME, feature.events, feature.window, integers=[0, NULL_TIME], reach=SPELL)
    return kernel.DAYS, step.integer, 0, 0


def _bits(code: int, events: Events, window: Window, of: str, reach: int, making: _Making) -> Result:
    words = making.words(of)
    step = making.step(code, events, window, integers=[0] * words, reach=reach, extra=CODES.index(of))
    return kernel.BITS, step.integer, 0, words
