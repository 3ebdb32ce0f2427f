"""Who is treated, from which period on, and the six ways in which that cannot answer any question.

A roll-out is checked in the same words whether it stands in a plan (before any outcome is opened) or in a panel: every
fault is one sentence, and all of them are given at once. It never repairs: units are left out by the person who asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import Fault
from riskmodel.policies.calendar import NEVER
from riskmodel.tables import fingerprint_document

Starts: TypeAlias = "npt.NDArray[np.int64]"
"""(n_units,) index of each unit's first treated period; NEVER for a unit that is never treated."""


def roll_out_faults(starts: Starts, n_periods: int, *, single: bool = False, everyone: bool = False) -> list[Fault]:
    """What is wrong with a roll-out, one sentence each.

    Parameters
    ----------
    starts : (n_units,) int; below 1 means treated in every period
    n_periods : int
    single : one treated unit is enough (synthetic difference-in-differences)
    everyone : there need be no never-treated unit (the not yet treated are compared)

    Examples
    --------
    >>> for fault in roll_out_faults(np.array([0, 2, 9, NEVER]), 4):
    ...     print(fault.found)
    1 unit(s) treated in every period
    1 unit(s) treated only after the data ends
    1 treated unit
    """
    treated = starts != NEVER
    always, late = treated & (starts < 1), treated & (starts >= n_periods)
    usable = int((treated & ~always & ~late).sum())
    where, faults = "roll-out", []
    if always.any():
        faults.append(
            Fault(
                where,
                f"{always.sum()} unit(s) treated in every period",
                "an untreated period of every treated unit",
                "Begin the panel earlier, or leave these units out and say so in the plan.",
            )
        )
    if late.any():
        faults.append(
            Fault(
                where,
                f"{late.sum()} unit(s) treated only after the data ends",
                "treatment dates inside the panel",
                "Wait until the data reaches past the date, or give these units no date.",
            )
        )
    if usable == 0:
        faults.append(
            Fault(where, "no treated unit", "units with an untreated and a treated period", "Give the treatment dates.")
        )
    elif usable == 1 and not single:
        faults.append(
            Fault(
                where,
                "1 treated unit",
                "at least two, because nothing can be said of chance from one",
                "Use synthetic_did or single_did, which judge one unit by placebos.",
            )
        )
    if not _has_comparison(starts, n_periods, everyone):
        faults.append(
            Fault(
                where,
                "no unit that is untreated while another is treated",
                "never-treated units, or units treated later",
                "Add comparison units, or compare with the not yet treated.",
            )
        )
    return faults


def roll_out_fingerprint(units: Sequence[object], starts: Starts, labels: Sequence[str]) -> str:
    """SHA-256 of who is treated from when; the same for a plan and for the panel made from it."""
    pairs = [
        [str(unit), labels[start] if 0 <= start < len(labels) else "never" if start == NEVER else str(int(start))]
        for unit, start in zip(units, starts.tolist(), strict=True)
    ]
    return fingerprint_document([sorted(pairs), list(labels)])


def _has_comparison(starts: Starts, n_periods: int, everyone: bool) -> bool:
    """Whether somebody is untreated in some period in which somebody else is treated."""
    if (starts == NEVER).any():
        return True
    inside = starts[(starts >= 1) & (starts < n_periods)]
    return everyone and inside.size > 0 and int(inside.min()) < int(inside.max())
