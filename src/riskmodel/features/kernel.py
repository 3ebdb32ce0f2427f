"""The one compiled loop: each entity's events are swept once, in time order, for all of its as-of rows together.

An event is visible from the first as-of row after it happened and was known until it was superseded, and inside a
window for a run of rows; rows of an entity are in as-of order, so the run has a first and a last row that only move
forward as the sweep goes on. A step then adds the event to the slots of just those rows. Nothing in here knows a
word of the feature language, allocates for an event, or depends on how rows are split into blocks or threads.

The loop is plain Python that numba compiles once (`machine` keeps what it made). It must stay one small function:
compile time is paid by every new user. It allocates nothing: what it needs room for is given to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from riskmodel.features.machine import NUMBER, REAL, REALS, WHOLE, WHOLES, Given, compiled, has_code
from riskmodel.features.machine import compiled_loop as compiled_loop

COUNT, LAST_TIME, FIRST_TIME, SUM, LARGEST, SMALLEST, LATEST, DISTINCT, OPEN, OPEN_TIME, OPEN_DISTINCT = range(11)
GAP, FIRST_OF_TWO, SECOND_OF_TWO, BELOW, REACHED, MOVE, OPEN_LATEST = range(11, 18)
"""Steps: what an event adds to a slot."""

NUMBER_OF, ANY, DAYS_SINCE, TOTAL, MEAN, VALUE, BITS, DAYS, RATE, TREND, ESCALATION, SHORTEST, MEAN_GAP = range(13)
"""Results: how a column is read off the slots."""

DAY = 86_400_000_000.0
"""Microseconds of a day."""
YEAR = 365.25 * DAY
"""Microseconds of a mean year, for rates."""


def sweep(
    groups: Any,  # (g, 4) int64: first row, end of rows, first event, end of events
    as_of: Any,  # (rows,) int64, ascending within a group
    births: Any,  # (rows,) int64, EARLIEST when not known by then
    date: Any,  # (rows,) int64, the column of `opens` and `closes` that belongs to the row
    opens: Any,  # (windows, dates) int64, first moment inside
    closes: Any,  # (windows, dates) int64, first moment after
    happened: Any,  # (events,) int64, ascending within a group
    known: Any,  # (events,) int64
    until: Any,  # (events,) int64, FOREVER when never superseded
    ended: Any,  # (events,) int64, FOREVER when open
    value: Any,  # (events,) float64, NaN when there is none
    kind_of: Any,  # (events,) int32, the type of the event
    codes: Any,  # (3, events or 0) int32: kind, agency, place; negative when unknown
    starts: Any,  # (types + 1,) int64
    steps: Any,  # (n, 7) int64: code, window, integer slot, number slot, extra, from, to
    levels: Any,  # (n, 2) float64: low and high
    results: Any,  # (features, 7) int64: column, code, integer slot, number slot, and three extras
    integers: Any,  # starting values of the integer slots
    numbers: Any,  # starting values of the number slots
    out: Any,  # (columns * stride,) float32: the columns one after another
    stride: Any,  # int64, how far the columns lie apart
    whole: Any,  # room for the integer slots of the rows of a group
    real: Any,  # room for the number slots
    edges: Any,  # (2, windows) int64, room for the windows' pointers
) -> None:
    """Fill `out` for all groups."""
    none = np.int64(-9223372036854775808)
    y: Any = 0.0
    for g in range(groups.shape[0]):
        row = groups[g, 0]
        n = groups[g, 1] - row
        for s in range(integers.shape[0]):
            for r in range(s * n, s * n + n):
                whole[r] = integers[s]
        for s in range(numbers.shape[0]):
            for r in range(s * n, s * n + n):
                real[r] = numbers[s]
        for w in range(edges.shape[1]):
            edges[0, w] = 0
            edges[1, w] = 0
        begun = 0
        for e in range(groups[g, 2], groups[g, 3]):
            h = happened[e]
            while begun < n and as_of[row + begun] <= h:
                begun += 1
            if begun == n:
                break
            seen = begun
            while seen < n and as_of[row + seen] <= known[e]:
                seen += 1
            gone = n
            while gone > seen and as_of[row + gone - 1] > until[e]:
                gone -= 1
            if seen == gone:
                continue
            window = np.int64(-1)
            a = b = seen
            for o in range(starts[kind_of[e]], starts[kind_of[e] + 1]):
                w = steps[o, 1]
                if w != window:
                    window = w
                    a = edges[0, w]
                    while a < n and closes[w, date[row + a]] <= h:
                        a += 1
                    edges[0, w] = a
                    b = edges[1, w]
                    while b < n and opens[w, date[row + b]] <= h:
                        b += 1
                    edges[1, w] = b
                    a = max(a, seen)
                    b = min(b, gone)
                code = steps[o, 0]
                i = steps[o, 2] * n
                x = steps[o, 3] * n
                v = value[e]
                if code == COUNT:
                    for r in range(i + a, i + b):
                        whole[r] += 1
                elif code == LAST_TIME:
                    for r in range(i + a, i + b):
                        whole[r] = h
                elif code == FIRST_TIME:
                    for r in range(i + a, i + b):
                        if whole[r] == none:
                            whole[r] = h
                elif code == SUM:
                    for r in range(i + a, i + b):
                        whole[r] += 1
                    if v == v:
                        for r in range(a, b):
                            whole[i + n + r] += 1
                            real[x + r] += v
                elif code == LARGEST:
                    if v == v:
                        for r in range(x + a, x + b):
                            real[r] = real[r] if real[r] >= v else v
                elif code == SMALLEST:
                    if v == v:
                        for r in range(x + a, x + b):
                            real[r] = real[r] if real[r] <= v else v
                elif code == LATEST:
                    if v == v:
                        for r in range(x + a, x + b):
                            real[r] = v
                elif code == DISTINCT or code == OPEN_DISTINCT:  # noqa: SIM109 # numba compiles this faster than `in`
                    c = codes[steps[o, 4], e]
                    if c >= 0:
                        bit = np.int64(1) << np.int64(c & 63)
                        i += (c >> 6) * n
                        if code == DISTINCT:
                            for r in range(i + a, i + b):
                                whole[r] |= bit
                        else:
                            for r in range(seen, gone):
                                if as_of[row + r] <= ended[e]:
                                    whole[i + r] |= bit
                elif code == OPEN:
                    for r in range(seen, gone):
                        if as_of[row + r] <= ended[e]:
                            whole[i + r] += 1
                elif code == OPEN_TIME:
                    for r in range(seen, gone):
                        first = max(h, opens[w, date[row + r]], whole[i + n + r])
                        end = min(ended[e], closes[w, date[row + r]])
                        if first < end:
                            whole[i + r] += end - first
                            whole[i + n + r] = end
                elif code == GAP:
                    for r in range(i + a, i + b):
                        if whole[r] == 0:
                            whole[r + n] = h
                        elif whole[r] == 1 or h - whole[r + 2 * n] < whole[r + 3 * n]:
                            whole[r + 3 * n] = h - whole[r + 2 * n]
                        whole[r] += 1
                        whole[r + 2 * n] = h
                elif code == FIRST_OF_TWO:
                    for r in range(i + seen, i + gone):
                        if whole[r] < h:
                            whole[r + n] = whole[r]
                            whole[r] = h
                elif code == SECOND_OF_TWO:
                    for r in range(i + a, i + b):
                        before = whole[r] if whole[r] < h else whole[r + n]
                        if before != none and h - before <= steps[o, 4]:
                            whole[r + 2 * n] += 1
                elif code == BELOW:
                    if levels[o, 0] <= v < levels[o, 1] and steps[o, 5] <= h < steps[o, 6]:
                        for r in range(i + a, i + b):
                            whole[r] += 1
                elif code == REACHED:
                    c = codes[1, e]
                    bit = np.int64(1) << np.int64(c & 63)
                    shift = (2 + (c >> 6)) * n
                    for r in range(i + a, i + b):
                        if whole[r + shift] & bit == 0:
                            whole[r + shift] |= bit
                            whole[r + n] += 1
                            if whole[r + n] == steps[o, 4]:
                                whole[r] = h
                elif code == MOVE:
                    c = codes[2, e]
                    for r in range(seen, gone):
                        if whole[i + n + r] != none and whole[i + n + r] != c and a <= r < b:
                            whole[i + r] += 1
                        whole[i + n + r] = c
                elif code == OPEN_LATEST:
                    for r in range(seen, gone):
                        if as_of[row + r] <= ended[e]:
                            real[x + r] = v
        for f in range(results.shape[0]):
            code = results[f, 1]
            i = results[f, 2] * n
            x = results[f, 3] * n
            begin = results[f, 0] * stride + row
            if code == NUMBER_OF:
                for r in range(n):
                    out[begin + r] = np.float32(whole[i + r])
                continue
            if code == VALUE:
                for r in range(n):
                    out[begin + r] = np.float32(real[x + r])
                continue
            if code == DAYS_SINCE:
                for r in range(n):
                    y = (as_of[row + r] - whole[i + r]) / DAY if whole[i + r] != none else np.nan
                    out[begin + r] = np.float32(y)
                continue
            if code == TOTAL:
                for r in range(n):
                    y = real[x + r] if whole[i + r] == 0 or whole[i + n + r] > 0 else np.nan
                    out[begin + r] = np.float32(y)
                continue
            for r in range(n):
                if code == ANY:
                    y = 1.0 if whole[i + r] > 0 else 0.0
                elif code == MEAN:
                    y = real[x + r] / whole[i + n + r] if whole[i + n + r] > 0 else np.nan
                elif code == DAYS:
                    y = whole[i + r] / DAY
                elif code == RATE:
                    w = results[f, 5]
                    risk = closes[w, date[row + r]] - max(opens[w, date[row + r]], births[row + r])
                    if results[f, 4] >= 0:
                        risk -= whole[results[f, 4] * n + r]
                    y = whole[i + r] / (risk / YEAR) if risk > 0 else np.nan
                elif code == TREND:
                    m = sx = sy = sxx = sxy = 0.0
                    z: Any = 0.0
                    for part in range(results[f, 4]):
                        s = results[f, 4] - 1 - part
                        t = np.float64(part)
                        z = np.float64(whole[i + 2 * s * n + r])
                        if results[f, 5] == 1:
                            held = whole[i + (2 * s + 1) * n + r]
                            z = real[x + s * n + r] / held if held > 0 else np.nan
                        if z == z:
                            m += 1.0
                            sx += t
                            sy += z
                            sxx += t * t
                            sxy += t * z
                    y = (m * sxy - sx * sy) / (m * sxx - sx * sx) if m > 1.0 else np.nan
                elif code == ESCALATION:
                    if results[f, 4] == 1:
                        recent = real[x + r] / whole[i + n + r] if whole[i + n + r] > 0 else np.nan
                        held = whole[i + 3 * n + r]
                        y = recent - real[x + n + r] / held if held > 0 else np.nan
                    else:
                        d = date[row + r]
                        late = closes[results[f, 5], d] - opens[results[f, 5], d]
                        early = closes[results[f, 6], d] - opens[results[f, 6], d]
                        y = np.nan
                        if late > 0 and early > 0:
                            y = whole[i + r] / (late / YEAR) - whole[i + 2 * n + r] / (early / YEAR)
                elif code == SHORTEST:
                    y = whole[i + 3 * n + r] / DAY if whole[i + r] > 1 else np.nan
                elif code == MEAN_GAP:
                    between = whole[i + 2 * n + r] - whole[i + n + r]
                    y = between / (whole[i + r] - 1) / DAY if whole[i + r] > 1 else np.nan
                else:
                    y = 0.0
                    for s in range(results[f, 4]):
                        bits = whole[i + s * n + r]
                        while bits != 0:
                            bits &= bits - 1
                            y += 1.0
                out[begin + r] = np.float32(y)


def _givens() -> tuple[Given, ...]:
    times, values = Given(strided=True), Given("float64", strided=True)
    kinds, codes, out = Given("int32"), Given("int32", 2), Given("float32")
    of_rows = WHOLES, WHOLE, WHOLE, WHOLE, WHOLES, WHOLES
    of_events = WHOLE, WHOLE, times, times, values, kinds, codes
    of_steps = WHOLE, WHOLES, REALS, WHOLES, WHOLE, REAL
    return *of_rows, *of_events, *of_steps, out, NUMBER, WHOLE, REAL, WHOLES


@cache
def compiled_sweep() -> Callable[..., None]:
    """`sweep`, compiled: some seconds the first time on a machine, then read from a file."""
    return compiled(sweep, _givens())


def is_kept() -> bool:
    """Whether the compiled sweep can be read from a file."""
    return has_code(sweep, _givens())
