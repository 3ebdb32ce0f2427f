"""Facts: what truly happened, to whom, when and where; known to nobody but the world.

Moments are microseconds since 1970-01-01, days are whole days since then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from riskmodel.world.hazards import PROCESSES
from riskmodel.world.people import Real, Whole

DAY: Final = 86_400_000_000
OPEN: Final = np.iinfo(np.int64).min
"""No end: an event of a moment, or a spell still running (the same bits as NaT)."""

KINDS: Final = (
    *dict.fromkeys((process.kind, process.role) for process in PROCESSES),
    ("domestic_abuse", "suspect"),
    ("domestic_abuse", "witness"),
    ("arson", "victim"),
    ("child_in_need_plan", "subject"),
    ("child_protection_plan", "subject"),
    ("in_care", "subject"),
    ("caution", "subject"),
    ("court_order", "subject"),
    ("assessment", "subject"),
    ("conviction", "subject"),
    ("custody", "subject"),
    ("deliberate_fire", "subject"),
    ("house_fire", "subject"),
    ("fire_safety_visit", "subject"),
    ("abuse_support", "subject"),
    ("emergency_attendance", "subject"),
    ("outpatient_appointment", "subject"),
    ("illness_absence", "subject"),
    ("late_for_school", "subject"),
    ("repair_request", "subject"),
    ("police_contact", "subject"),
    ("found_in_search", "subject"),
)
"""Every kind and role that can happen; facts hold the number of one."""


def kind_number(kind: str, role: str = "subject") -> int:
    """The number of a kind and role in KINDS."""
    return KINDS.index((kind, role))


@dataclass(frozen=True, slots=True)
class Facts:
    """What truly happened: (n,) each, sorted by moment. `person` is -1 for an event at a place only."""

    person: Whole
    kind: Whole
    at: Whole  # microseconds
    ended: Whole  # microseconds, OPEN without an end
    value: Real  # NaN without one
    dwelling: Whole  # where the person lived then, or the place of the event

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Whole) -> Facts:
        """Some of the events, in the order given."""
        return Facts(*(getattr(self, name)[chosen] for name in self.__slots__))

    def __repr__(self) -> str:
        return f"Facts({len(self)} events)"


@dataclass(slots=True)
class Log:
    parts: list[tuple[Whole, Whole, Whole, Whole, Real, Whole]] = field(default_factory=list)

    def add(
        self, kind: int | Whole, person: Whole, at: Whole, dwelling: Whole,
        ended: Whole | None = None, value: Real | None = None,
    ) -> None:  # fmt: skip
        count = len(person)
        self.parts.append(
            (
                person,
                np.broadcast_to(np.asarray(kind, np.int64), (count,)),
                at,
                np.full(count, OPEN) if ended is None else ended,
                np.full(count, np.nan) if value is None else value,
                dwelling,
            )
        )

    def facts(self, end: int) -> Facts:
        """All events that begin before the end of the world, in order of time."""
        person, kind, at, ended, value, dwelling = (np.concatenate([part[i] for part in self.parts]) for i in range(6))
        order = np.lexsort((dwelling, person, kind, at))
        order = order[at[order] < end * DAY]
        return Facts(person[order], kind[order], at[order], ended[order], value[order], dwelling[order])


def in_office_hours(at: Whole) -> Whole:
    """The same days, the moments pressed into the hours from nine to four.

    Examples
    --------
    >>> noon, hour = DAY // 2, DAY // 24
    >>> (in_office_hours(np.array([0, noon])) / hour).tolist()
    [9.0, 12.5]
    """
    midnight = at // DAY * DAY
    return midnight + 9 * (DAY // 24) + (at - midnight) * 7 // 24 // (DAY // 1440) * (DAY // 1440)


def pairs(left: Whole, right: Whole) -> tuple[Whole, Whole]:
    """All positions (i, j) with left[i] == right[j]."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left, side="left")
    count = np.searchsorted(right[order], left, side="right") - first
    i = np.repeat(np.arange(len(left)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(first, count) + within]
