"""Panels made by hand or from a rule whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from riskmodel.policies.calendar import NEVER
from riskmodel.policies.panel import Panel
from riskmodel.seeds import stream


@pytest.fixture(scope="session")
def grid() -> Callable[..., Panel]:
    """A panel from a matrix of the outcome "y" and the starts (None for never), with more measures by name."""

    def made(y: object, starts: list[int | None], **measures: object) -> Panel:
        values = np.asarray(y, np.float64)
        at = np.asarray([NEVER if start is None else start for start in starts], np.int64)
        units, periods = np.arange(values.shape[0]), np.arange(2001, 2001 + values.shape[1])
        return Panel(units, periods, at, {"y": values} | {k: np.asarray(v, np.float64) for k, v in measures.items()})

    return made


@pytest.fixture(scope="session")
def staggered(grid: Callable[..., Panel]) -> Callable[..., Panel]:
    """Units in thirds: never treated, from period 4, from period 7 of 10; the effect grows by `growth` a period."""

    def made(seed: int, *, n: int = 90, growth: float = 0.0, effect: float = 0.0, noise: float = 1.0) -> Panel:
        chance = stream(seed, "staggered")
        starts = np.resize([NEVER, 4, 7], n)
        time = np.arange(10)[None, :]
        since = np.where(time >= starts[:, None], effect + growth * (time - starts[:, None] + 1), 0.0)
        y = chance.normal(0, 2, (n, 1)) + 0.3 * time + since + chance.normal(0, noise, (n, 10))
        return grid(y, [None if start == NEVER else int(start) for start in starts], twice=2 * y)

    return made
