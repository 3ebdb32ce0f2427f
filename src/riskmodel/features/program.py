"""From meaning to arrays: the form of the short program that the kernel runs for every entity.

A program is a list of *steps* (what an event of a type adds to which running slot, through which window) and a list of
*results* (how a column is read off the slots). A slot holds one number for each as-of row of the entity. This module
knows no data and no node: `steps` writes the program of each node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.dates import Window
from riskmodel.features import kernel
from riskmodel.features.selection import Events

POINT, SPELL = 0, 1
"""How an event reaches: as a moment, or as a spell with a beginning and an end."""

CODES: Final = ("kind", "agency", "place")
"""The columns of which different values can be counted, in the order of the kernel's codes."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_READS: Final = {kernel.REACHED: CODES.index("agency"), kernel.MOVE: CODES.index("place")}
_DISTINCT: Final = (kernel.DISTINCT, kernel.OPEN_DISTINCT)


@dataclass(frozen=True, slots=True)
class Step:
    """What one event of the selection does to the slots; the numbers are those of `kernel.sweep`."""

    events: Events
    reach: int
    code: int
    window: int
    integer: int
    number: int
    extra: int = 0
    since: int = 0
    before: int = 0
    levels: tuple[float, float] = (0.0, 0.0)

    def row(self) -> tuple[int, ...]:
        """The step as the kernel reads it."""
        return self.code, self.window, self.integer, self.number, self.extra, self.since, self.before


@dataclass(frozen=True, slots=True)
class Types:
    """Which steps an event of a type runs: ``steps[starts[type]:starts[type + 1]]``.

    Attributes
    ----------
    codes : (channels, 2, kinds, roles, agencies) int32, the type of an event
    """

    codes: npt.NDArray[np.int32]
    starts: Integers
    steps: Integers
    levels: Floats


@dataclass(frozen=True, slots=True)
class Program:
    """Features as arrays.

    Attributes
    ----------
    windows : the distinct windows, by number
    channels : the distinct `through` of the selections, by number; 0 is the entity's own events
    steps : the distinct steps
    results : (n, 7) int64: column, result code, integer slot, number slot, three extras
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
        """Whether different values of this column are told apart."""
        number = CODES.index(code)
        return any(
            (step.code in _DISTINCT and step.extra == number) or _READS.get(step.code) == number for step in self.steps
        )

    @property
    def reads_births(self) -> bool:
        """Whether a result needs the day of birth."""
        return bool((self.results[:, 1] == kernel.RATE).any())

    def typed(self, kinds: Sequence[str], roles: Sequence[str], agencies: Sequence[str]) -> Types:
        """The steps for each type of event: (channel, reach, kind, role, agency)."""
        shape = (len(self.channels), 2, len(kinds), len(roles), len(agencies))
        chosen = np.zeros((len(self.steps), *shape), bool)
        for number, step in enumerate(self.steps):
            channel = self.channels.index(step.events.through)
            holds = [[[step.events.holds(k, r, a) for a in agencies] for r in roles] for k in kinds]
            chosen[number, channel, step.reach if channel else POINT] = np.asarray(holds, bool).reshape(shape[2:])
        flat = chosen.reshape(len(self.steps), int(np.prod(shape)))
        patterns, of_type = np.unique(flat, axis=1, return_inverse=True)
        order = sorted(range(len(self.steps)), key=lambda number: (self.steps[number].window, number))
        listed = [[number for number in order if patterns[number, column]] for column in range(patterns.shape[1])]
        run = [self.steps[number] for part in listed for number in part]
        return Types(
            codes=np.asarray(of_type, np.int32).reshape(shape),
            starts=np.concatenate([[0], np.cumsum([len(part) for part in listed])]).astype(np.int64),
            steps=np.asarray([step.row() for step in run], np.int64).reshape(-1, 7),
            levels=np.asarray([step.levels for step in run], np.float64).reshape(-1, 2),
        )
