"""The second compiled loop: where each event goes so that entities stand together, each in the kernel's order.

A counting pass by entity, then a merge sort within each entity: no general sort of all events. Like the sweep it is
plain Python that numba compiles once and allocates nothing; it knows nothing of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.features.machine import NUMBER, REAL, WHOLE, WHOLES, Given, compiled

Whole = npt.NDArray[np.int64]


def order_events(
    entity: Any,  # (n,) int32, numbered from 0
    starts: Any,  # (entities + 1,) int64: how many events come before each entity's
    happened: Any,  # (n,) int64
    number: Any,  # (n or 1,) int64, the event_id
    value: Any,  # (n or 1,) float64, NaN last
    tied: Any,  # whether number and value settle the order of simultaneous events
    source: Any,  # (n,) int64, to be filled: which event comes to each place
    place: Any,  # (entities + 1,) int64, a copy of `starts` that is used up
    room: Any,  # (3, most events of an entity) int64
) -> None:
    """Fill `source` so that events stand by (entity, happened, number, value)."""
    for e in range(entity.shape[0]):
        p = place[entity[e]]
        place[entity[e]] = p + 1
        source[p] = e
    time = room[0]
    order = room[1]
    spare = room[2]
    for g in range(starts.shape[0] - 1):
        begin = starts[g]
        n = starts[g + 1] - begin
        for p in range(n):
            time[p] = happened[source[begin + p]]
            order[p] = p
        width = 1
        while width < n:
            for low in range(0, n - width, 2 * width):
                middle = low + width
                high = min(middle + width, n)
                if time[order[middle - 1]] < time[order[middle]]:
                    continue
                for p in range(low, middle):
                    spare[p] = order[p]
                left = low
                right = middle
                put = low
                while left < middle and right < high:
                    one = spare[left]
                    other = order[right]
                    later = time[one] > time[other]
                    if tied and time[one] == time[other]:
                        i = source[begin + one]
                        j = source[begin + other]
                        later = number[i] > number[j]
                        if number[i] == number[j] and value[j] == value[j]:
                            later = not value[i] <= value[j]
                    if later:
                        order[put] = other
                        right += 1
                    else:
                        order[put] = one
                        left += 1
                    put += 1
                for p in range(left, middle):
                    order[put + p - left] = spare[p]
            width *= 2
        for p in range(n):
            spare[p] = source[begin + order[p]]
        for p in range(n):
            source[begin + p] = spare[p]


def standing(
    entity: npt.NDArray[np.int32],
    entities: int,
    happened: Whole,
    number: Whole | None = None,
    value: npt.NDArray[np.float64] | None = None,
) -> tuple[Whole, Whole]:
    """Where the events of each entity begin, (entities + 1,), and which event comes to each place, (events,).

    Parameters
    ----------
    number, value : settle the order of simultaneous events; None leaves them as they came
    """
    starts = np.concatenate([[0], np.cumsum(np.bincount(entity, minlength=entities))]).astype(np.int64)
    tied = number is not None
    source = np.empty(len(entity), np.int64)
    none = np.zeros(1, np.int64)
    room = np.empty((3, int(np.diff(starts).max(initial=0))), np.int64)
    compiled_order()(
        np.ascontiguousarray(entity), starts, happened, number if tied else none,
        value if tied and value is not None else np.zeros(len(entity) if tied else 1),
        tied, source, starts.copy(), room,
    )  # fmt: skip
    return starts, source


@cache
def compiled_order() -> Callable[..., None]:
    """`order_events`, compiled."""
    return compiled(order_events, [Given("int32"), WHOLE, WHOLE, WHOLE, REAL, NUMBER, WHOLE, WHOLE, WHOLES])
