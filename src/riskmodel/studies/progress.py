"""What a person sees while a study runs: a bar with counts and time left, or plain lines when nobody watches.

Progress goes to the error stream, so that the output of a command stays its result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TextIO


class Progress(Protocol):
    """Told what happens; decides how to show it."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def step(self, what: str, done: int, total: int) -> None:
        """Within the stage, `done` of `total` are finished."""

    def done(self, note: str) -> None:
        """The stage ended; `note` says with what."""

    def close(self) -> None:
        """Nothing more comes."""


@dataclass(slots=True)
class Clock:
    """How far the stages are, by their usual share of the time: fractions and seconds left."""

    shares: dict[str, float]
    current: str = ""
    within: float = 0.0
    began: float = field(default_factory=time.monotonic)
    passed: float = 0.0
    skipped: float = 0.0

    def enter(self, name: str) -> None:
        """The stage `name` begins."""
        self.current, self.within = name, 0.0

    def leave(self, *, kept: bool) -> None:
        """The stage ended; one that was kept took no time and says nothing of the pace."""
        share = self.shares.get(self.current, 0.0)
        self.passed += share
        self.skipped += share if kept else 0.0

    @property
    def fraction(self) -> float:
        """Share of the whole that is finished, 0 to 1."""
        return min(1.0, (self.passed + self.within * self.shares.get(self.current, 0.0)) / sum(self.shares.values()))

    @property
    def seconds_left(self) -> float | None:
        """At the present pace; None until there is a pace."""
        total = sum(self.shares.values())
        worked = self.fraction * total - self.skipped
        if worked <= 0:
            return None
        return (time.monotonic() - self.began) / worked * (total * (1 - self.fraction))


@dataclass(slots=True)
class PlainProgress:
    """One line when a stage begins, at every tenth of its steps at most, and when it ends."""

    clock: Clock
    stream: TextIO
    tenth: int = -1
    began: float = 0.0

    def stage(self, name: str) -> None:
        self.clock.enter(name)
        self.began, self.tenth = time.monotonic(), -1
        self._line("started")

    def step(self, what: str, done: int, total: int) -> None:
        self.clock.within = done / max(total, 1)
        tenth = int(10 * self.clock.within)
        if tenth > self.tenth:
            self.tenth = tenth
            self._line(f"{what}: {done:,} of {total:,}{_left(self.clock)}")

    def done(self, note: str) -> None:
        self.clock.leave(kept=note.startswith("kept"))
        self._line(f"{note} ({time.monotonic() - self.began:.1f} s)")

    def close(self) -> None:
        self.stream.flush()

    def _line(self, text: str) -> None:
        names = list(self.clock.shares)
        place = f"[{names.index(self.clock.current) + 1}/{len(names)}]"
        print(
            f"{place} {self.clock.current}: {text}",
            file=self.stream,
            flush=True,
        )


class BarProgress:
    """A live bar on a terminal: stage, counts, and time left; finished stages stay above it as lines."""

    def __init__(self, clock: Clock) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.clock = clock
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task("", total=1.0, count="", left="")
        self.bar.start()

    def stage(self, name: str) -> None:
        self.clock.enter(name)
        self._show("")

    def step(self, what: str, done: int, total: int) -> None:
        self.clock.within = done / max(total, 1)
        self._show(f"{what} {done:,}/{total:,}")

    def done(self, note: str) -> None:
        self.bar.console.print(f"  {self.clock.current}: {note}", highlight=False)
        self.clock.leave(kept=note.startswith("kept"))
        self._show("")

    def close(self) -> None:
        self.bar.stop()

    def _show(self, count: str) -> None:
        self.bar.update(
            self.task,
            description=self.clock.current,
            completed=self.clock.fraction,
            count=count,
            left=_left(self.clock).removeprefix(", "),
        )


@contextmanager
def shown(shares: dict[str, float], stream: TextIO | None = None) -> Iterator[Progress]:
    """Progress for stages with the given usual shares of the time: a bar on a terminal, else plain lines."""
    stream = stream or sys.stderr
    clock = Clock(shares)
    progress: Progress = BarProgress(clock) if stream.isatty() else PlainProgress(clock, stream)
    try:
        yield progress
    finally:
        progress.close()


def _left(clock: Clock) -> str:
    seconds = clock.seconds_left
    return "" if seconds is None else f", about {max(1, round(seconds))} s left"
