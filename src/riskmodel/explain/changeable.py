"""Which reasons tell of circumstances that support may change, and which of a past that nobody can.

A reason that nobody can change is not advice on what to do. The list is about kinds of records and can be argued with;
it does not say that changing the circumstance would change the outcome.
"""

from __future__ import annotations

from typing import Final

from riskmodel.features.feature import Feature

CIRCUMSTANCES: Final = frozenset(
    {"unauthorised_absence", "late_for_school", "illness_absence", "exclusion", "school_move", "missing"}
    | {"rent_arrears", "eviction_notice", "homelessness_application", "repair_request", "mental_health_contact"}
    | {"self_harm", "overdose", "anti_social_behaviour", "fire_safety_visit"}
)
IN_PLACE: Final = frozenset({"child_in_need_plan", "child_protection_plan", "in_care", "court_order", "custody"})

MAY_CHANGE: Final = "a circumstance that support may change"
PAST: Final = "past, cannot be changed"
SUPPORT: Final = "a measure that is or was in place"


def changeable(feature: Feature | None) -> str:
    """Whether what a feature tells of may change; empty where it is not known or differs between its records.

    Examples
    --------
    >>> from riskmodel.features.language import age, count
    >>> [changeable(each) for each in (count("unauthorised_absence"), count("conviction"), count("in_care"), age())]
    ['a circumstance that support may change', 'past, cannot be changed', 'a measure that is or was in place', '']
    """
    kinds = {kind for events in feature.selections for kind in events.kinds} if feature is not None else set()
    if not kinds:
        return ""
    if kinds <= CIRCUMSTANCES:
        return MAY_CHANGE
    if kinds <= IN_PLACE:
        return SUPPORT
    return "" if kinds & (CIRCUMSTANCES | IN_PLACE) else PAST
