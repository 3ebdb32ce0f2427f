"""The board's conditions that a machine can check, each None or empty where the board set none.

A condition is declared here once, with its words; it is checked where advice is given (`riskmodel.advisory`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskmodel.errors import Fault
from riskmodel.governance.declarations import unknown_key_faults

NUMBERS = ("people_per_list", "working_capacity", "oldest_data_days", "score_valid_days", "reviewed_percent")
NAMES = (*NUMBERS, "areas")


@dataclass(frozen=True, slots=True)
class Limits:
    """Conditions that a machine can check; None where the board set none.

    Parameters
    ----------
    people_per_list : int, the most people one list may hold
    working_capacity : int, how many people the team can take on from one list; needed to order a list by score
    oldest_data_days : int, how far each agency's feed may end before the as-of date
    score_valid_days : int, for how long after its as-of date a score may be looked at
    reviewed_percent : int, 1 to 100: before a new list is made, of 100 people on the lists already given out under
        the approval so many must have a concluded review
    areas : tuple of area codes; only people who live in one of them on the as-of date are scored

    Examples
    --------
    >>> Limits(people_per_list=200, areas=("E02001",)).sentences
    ('No list may hold more than 200 people.', 'Only people who live in E02001 are scored.')
    """

    people_per_list: int | None = None
    working_capacity: int | None = None
    oldest_data_days: int | None = None
    score_valid_days: int | None = None
    reviewed_percent: int | None = None
    areas: tuple[str, ...] = ()

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Limits:
        """Limits from a table that `limit_faults` found no fault in."""
        return cls(**{**given, "areas": tuple(given.get("areas", ()))})

    def document(self) -> dict[str, Any]:
        """The limits that are set."""
        numbers = {name: value for name in NUMBERS if (value := getattr(self, name)) is not None}
        return {**numbers, "areas": list(self.areas)} if self.areas else numbers

    @property
    def sentences(self) -> tuple[str, ...]:
        """The limits that are set, in words."""
        worded = {
            "people_per_list": "No list may hold more than {:,} people.",
            "working_capacity": "The team can take on {:,} people from one list.",
            "oldest_data_days": "No agency's records may end more than {:,} days before the as-of date.",
            "score_valid_days": "A score may be looked at for {:,} days after its as-of date.",
            "reviewed_percent": "Before the next list, {:,} of 100 people on earlier lists must have been reviewed.",
        }
        said = [text.format(value) for name, text in worded.items() if (value := getattr(self, name)) is not None]
        return (*said, f"Only people who live in {', '.join(self.areas)} are scored.") if self.areas else tuple(said)


def limit_faults(limits: Any) -> list[Fault]:
    """Everything wrong with a table of limits."""
    if not isinstance(limits, Mapping):
        return [Fault("approval.limits", "a value that is no table", "a table [limits]", "Write it as a table.")]
    faults = unknown_key_faults("approval.limits", limits, NAMES)
    for name in NUMBERS:
        value = limits.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            wanted = "a whole number above 0"
            faults.append(Fault(f"approval.limits.{name}", f"a value that is no {wanted[2:]}", wanted, "Correct it."))
        elif name == "reviewed_percent" and value > 100:
            faults.append(Fault(f"approval.limits.{name}", f"{value}", "a whole number from 1 to 100", "Correct it."))
    areas = limits.get("areas", ())
    if not isinstance(areas, list | tuple) or not all(isinstance(area, str) and area.strip() for area in areas):
        found = "a value that is no list of area codes"
        faults.append(Fault("approval.limits.areas", found, "codes in quotation marks", "Write a list."))
    return faults
