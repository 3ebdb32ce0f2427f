"""Which records come of enforcement and which of seeking or being given help: a list that can be read and argued with.

Enforcement finds people where it looks; help reaches those who ask, or for whom somebody asks. How much of a score
comes from each says what it will be higher for: doing harm, being looked at, or asking for help. The list is about
records, never about people, and whatever is not on it is said to be neither.
"""

from __future__ import annotations

from typing import Final

from riskmodel.features.feature import Feature
from riskmodel.features.selection import Events

ENFORCEMENT: Final = "enforcement"
HELP: Final = "help sought or given"
OTHER: Final = "other records"
NOT_EVENTS: Final = "no records of events"
BOTH: Final = "records of several kinds"

ENFORCEMENT_ROLES: Final = frozenset({"suspect", "offender", "arrested"})
ENFORCEMENT_KINDS: Final = frozenset(
    {
        "stop_search",
        "found_in_search",
        "arrest",
        "weapon_possession",
        "anti_social_behaviour",
        "caution",
        "charge",
        "conviction",
    }
    | {"found_in_search", "court_order", "custody", "probation", "fine", "breach"}
)
HELP_ROLES: Final = frozenset({"victim"})
HELP_KINDS: Final = frozenset(
    {"referral", "mental_health_contact", "injury_by_violence", "self_harm", "overdose", "abuse_support", "missing"}
    | {"emergency_attendance", "outpatient_appointment", "police_contact", "homelessness_application", "repair_request"}
    | {"fire_safety_visit", "child_in_need_plan", "child_protection_plan", "in_care"}
)


def contact_of(feature: Feature | None) -> str:
    """What kind of contact the records are that a feature looks at.

    Examples
    --------
    >>> from riskmodel.features.language import age, count
    >>> [contact_of(each) for each in (count("violence", role="suspect"), count("violence", role="victim"), age())]
    ['enforcement', 'help sought or given', 'no records of events']
    """
    if feature is None or not feature.selections:
        return NOT_EVENTS
    found = {_of(events) for events in feature.selections}
    return found.pop() if len(found) == 1 else BOTH


def _of(events: Events) -> str:
    if events.roles:
        roles = set(events.roles)
        if roles <= ENFORCEMENT_ROLES:
            return ENFORCEMENT
        if roles <= HELP_ROLES:
            return HELP
    kinds = set(events.kinds)
    if not kinds:
        return BOTH
    if kinds <= ENFORCEMENT_KINDS:
        return ENFORCEMENT
    if kinds <= HELP_KINDS:
        return HELP
    return BOTH if kinds & (ENFORCEMENT_KINDS | HELP_KINDS) else OTHER
