"""The second compiled loop: where each event goes so that entities stand together, each in the kernel's order.

A counting pass by entity, then a merge sort within each entity: no general sort of all events. Like the sweep it is
plain Python that numba compiles once; it knows nothing of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from riskmodel.features.kernel import compiled_loop


def order_events(
    entity: Any,  # (n,) int32, numbered from 0
    starts: Any,  # (entities + 1,) int64: how many events come before each entity's
    happened: Any,  # (n,) int64
    number: Any,  # (n or 1,) int64, the event_id
    value: Any,  # (n or 1,) float64, NaN last
    tied: Any,  # bool: whether number and value settle the order of simultaneous events
    source: Any,  # (n,) int64, to be filled: which event comes to each place
) -> None:
    """Fill `source` so that events stand by (entity, happened, number, value)."""
    most = 0
    place = np.empty(starts.shape[0], np.int64)
    for g in range(starts.shape[0] - 1):
        place[g] = starts[g]
        most = max(most, starts[g + 1] - starts[g])
    for e in range(entity.shape[0]):
        p = place[entity[e]]
        place[entity[e]] = p + 1
        source[p] = e
    time = np.empty(most, np.int64)
    order = np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
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


@cache
def compiled_order() -> Callable[..., None]:
    """`order_events`, compiled."""
    import numba

    def given(kind: Any) -> Any:
        return types.Array(kind, 1, "C", readonly=True)

    types = numba.types
    signature = types.void(
        given(types.int32), given(types.int64), given(types.int64), given(types.int64), given(types.float64),
        types.boolean, types.int64[::1],
    )  # fmt: skip
    return compiled_loop(order_events, signature)
