"""The calendar of a panel: periods of one length, half-open, back to back, and which period a date falls in.

It never rounds: a date is in the period that holds it, and a stretch at the end that is shorter than a period is left
out. A worked example: quarters from 2020-01-01 until 2020-11-30 are three, the last of them [2020-07-01, 2020-10-01).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodel.dates import Duration, Moments, moments
from riskmodel.errors import DeclarationError, Fault

NEVER = 2**31 - 1
"""The index of the first treated period of a unit that is never treated."""
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods of length `every` from `begins`, as many as end by `ends`.

    Parameters
    ----------
    begins, ends : date; `ends` is the first day no longer in the panel
    every : Duration

    Examples
    --------
    >>> quarters = Calendar(dt.date(2020, 1, 1), dt.date(2020, 11, 30), Duration(months=3))
    >>> quarters.labels
    ('2020-01-01', '2020-04-01', '2020-07-01')
    >>> quarters.index_of(dt.date(2020, 6, 30)), quarters.index_of(dt.date(2020, 10, 1))
    (1, 3)
    """

    begins: dt.date
    ends: dt.date
    every: Duration

    def __post_init__(self) -> None:
        faults = []
        if self.every.nominal_days < 1:
            faults.append(
                Fault("calendar.every", str(self.every), "a period of at least a day", 'Write, say, every = "3m".')
            )
        elif not 2 <= (n := len(self.edges()) - 1) <= _MOST:
            faults.append(
                Fault(
                    "calendar",
                    f"{n} whole periods of {self.every} between {self.begins} and {self.ends}",
                    f"between 2 and {_MOST:,}",
                    "Move the dates apart or change the length of a period.",
                )
            )
        if faults:
            raise DeclarationError("calendar-invalid", faults=faults)

    def __len__(self) -> int:
        return len(self.edges()) - 1

    def edges(self) -> Moments:
        """The beginnings of all periods and the end of the last, (n + 1,) datetime64[us]; counted from `begins`."""
        first, end = moments([self.begins]), moments([self.ends])[0]
        if self.every.nominal_days < 1 or end <= first[0]:
            return first
        most = min(_MOST + 2, int((end - first[0]) / np.timedelta64(1, "D") / (self.every.nominal_days * 0.9)) + 2)
        steps = (Duration(self.every.months * k, self.every.days * k).after(first)[0] for k in range(most))
        return moments([step for step in steps if step <= end])

    @property
    def labels(self) -> tuple[str, ...]:
        """The first day of each period, as ISO text."""
        return tuple(str(day) for day in self.edges()[:-1].astype("datetime64[D]"))

    def index_of(self, on: dt.date) -> int:
        """The number of the period that holds the date: -1 before the first, ``len(calendar)`` after the last."""
        return int(self.indices_of(moments([on]))[0])

    def indices_of(self, at: Moments) -> npt.NDArray[np.int64]:
        """`index_of` for (n,) moments."""
        edges = self.edges()
        return np.minimum(np.searchsorted(edges, at, side="right") - 1, len(edges) - 1).astype(np.int64)
