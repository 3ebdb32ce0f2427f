"""What each agency gets to see: part of what happened, late, and more of it about some people than others.

The truth: an event reaches the agency that records its kind with a known probability. Reports to police depend on how
far a community trusts them (`TRUST`); what police find by looking (weapons, anti-social behaviour, named suspects)
depends on the enforcement intensity of the area; whether an injury is written down as violence depends on what the
patient can and will say at the desk (`SAYS_SO`). Recording takes days, and one event in twenty-five arrives one to
nine months late. A naive analyst who compares recorded rates between groups or areas measures trust and enforcement
along with events; one who trains on what is in the file today, and not on what was known then, sees events too early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.world.facts import DAY, KINDS, OPEN, Facts, kind_number
from riskmodel.world.names import COMMUNITIES
from riskmodel.world.people import Population, Real, Whole
from riskmodel.world.places import District

CORE: Final = ("childrens_services", "education", "health", "housing", "justice", "police", "youth_justice")
"""The agencies that record lives as they pass."""
AGENCIES: Final = (*CORE, "fire", "charity")
"""Everybody who delivers. Those after the core record on random streams of their own, which leave its bytes alone."""

TRUST: Final = (1.0, 0.8, 0.75, 0.8, 0.75, 0.7, 0.55, 0.8, 0.7)
"""Share of what the majority would report to police that each community reports (order of COMMUNITIES)."""
SAYS_SO: Final = (0.9, 0.8, 0.82, 0.86, 0.84, 0.86, 0.76, 0.8, 0.78)
"""Probability that an injury by violence is recorded as one, by community."""

REPORTED, FOUND, SAID, SERVED = "reported", "found", "said", "served"


@dataclass(frozen=True, slots=True)
class Sight:
    """How an agency comes to know of a kind of event.

    Attributes
    ----------
    agency : str
    way : REPORTED (times trust), FOUND (times the square root of enforcement), SAID (by `SAYS_SO`), SERVED (as it is)
    share : float, probability where trust and enforcement are 1
    lag_days : float, median days until it is recorded
    end_follows : bool, the end of the spell is recorded only when it has come
    """

    agency: str
    way: str
    share: float
    lag_days: float
    end_follows: bool = False


SIGHTS: Final = {
    "domestic_abuse": Sight("police", REPORTED, 0.65, 0.3),
    "violence": Sight("police", REPORTED, 0.65, 0.5),
    "robbery": Sight("police", REPORTED, 0.7, 0.4),
    "weapon_possession": Sight("police", FOUND, 0.75, 0.2),
    "anti_social_behaviour": Sight("police", FOUND, 0.55, 1.0),
    "stop_search": Sight("police", SERVED, 0.97, 0.3),
    "missing": Sight("police", REPORTED, 0.9, 0.2, end_follows=True),
    "arson": Sight("police", SERVED, 0.95, 0.5),
    "referral": Sight("childrens_services", SERVED, 1.0, 2.0),
    "child_in_need_plan": Sight("childrens_services", SERVED, 1.0, 6.0, end_follows=True),
    "child_protection_plan": Sight("childrens_services", SERVED, 1.0, 4.0, end_follows=True),
    "in_care": Sight("childrens_services", SERVED, 1.0, 3.0, end_follows=True),
    "exclusion": Sight("education", SERVED, 0.97, 6.0),
    "unauthorised_absence": Sight("education", SERVED, 0.95, 14.0),
    "school_move": Sight("education", SERVED, 0.98, 12.0),
    "injury_by_violence": Sight("health", SAID, 1.0, 0.5),
    "self_harm": Sight("health", SERVED, 0.9, 0.6),
    "overdose": Sight("health", SERVED, 0.95, 0.5),
    "mental_health_contact": Sight("health", SERVED, 0.98, 4.0),
    "caution": Sight("youth_justice", SERVED, 1.0, 6.0),
    "court_order": Sight("youth_justice", SERVED, 1.0, 5.0),
    "assessment": Sight("youth_justice", SERVED, 1.0, 5.0),
    "charge": Sight("justice", SERVED, 1.0, 6.0),
    "conviction": Sight("justice", SERVED, 1.0, 9.0),
    "custody": Sight("justice", SERVED, 1.0, 3.0, end_follows=True),
    "rent_arrears": Sight("housing", SERVED, 1.0, 7.0),
    "eviction_notice": Sight("housing", SERVED, 1.0, 4.0),
    "homelessness_application": Sight("housing", SERVED, 1.0, 2.0),
    "deliberate_fire": Sight("fire", SERVED, 0.9, 1.0),
    "house_fire": Sight("fire", SERVED, 0.95, 1.0),
    "fire_safety_visit": Sight("fire", SERVED, 0.97, 2.0),
    "abuse_support": Sight("charity", SERVED, 1.0, 0.05),
    "emergency_attendance": Sight("health", SERVED, 1.0, 0.2),
    "outpatient_appointment": Sight("health", SERVED, 1.0, 1.0),
    "illness_absence": Sight("education", SERVED, 1.0, 0.5),
    "late_for_school": Sight("education", SERVED, 1.0, 0.1),
    "repair_request": Sight("housing", SERVED, 1.0, 0.5),
    "police_contact": Sight("police", SERVED, 1.0, 0.3),
    "found_in_search": Sight("police", SERVED, 1.0, 0.3),
}
"""kind -> how it is seen. A suspect is named in a share of recorded offences, see `NAMED`; more with enforcement."""
NAMED: Final = 0.7
LATE_SHARE: Final = 0.04
LATE_DAYS: Final = (30, 270)


@dataclass(frozen=True, slots=True)
class Sightings:
    """The facts that some agency recorded: (n,) each, in order of time of recording within the block.

    Attributes
    ----------
    fact : (n,) int, position in the block's facts
    agency : (n,) int, index of AGENCIES
    recorded : (n,) int, microseconds
    late : (n,) bool, recorded one to nine months after its time
    """

    fact: Whole
    agency: Whole
    recorded: Whole
    late: np.ndarray

    def __repr__(self) -> str:
        return f"Sightings({len(self.fact)} events)"


def probability_seen(facts: Facts, people: Population, places: District) -> Real:
    """The true probability of each fact to be recorded: (n,) float."""
    person = np.maximum(facts.person, 0)
    community = np.where(facts.person >= 0, people.community[person], 0)
    enforcement = np.sqrt(places.enforcement[places.area[facts.dwelling]])
    chance = np.zeros(len(facts))
    for number, (kind, role) in enumerate(KINDS):
        chosen = facts.kind == number
        sight = SIGHTS[kind]
        seen = np.full(int(chosen.sum()), sight.share)
        if sight.way == REPORTED:
            seen *= np.array(TRUST)[community[chosen]]
        elif sight.way == SAID:
            seen *= np.array(SAYS_SO)[community[chosen]]
        elif sight.way == FOUND:
            seen *= enforcement[chosen]
        if role == "suspect" and sight.way == REPORTED and kind != "domestic_abuse":
            seen *= NAMED * enforcement[chosen]
        chance[chosen] = np.minimum(seen, 0.97)
    return chance


def sightings(random: np.random.Generator, facts: Facts, people: Population, places: District, end: int) -> Sightings:
    """Draw what is recorded, and when; what would be recorded on or after the last day is not there yet.

    People in one incident of domestic abuse are recorded together or not at all: the incident is seen as the victim's
    community would have it reported.
    """
    chance = probability_seen(facts, people, places)
    draw = random.random(len(facts))
    abuse = np.isin(facts.kind, [kind_number("domestic_abuse", role) for role in ("victim", "suspect", "witness")])
    incident = np.flatnonzero(abuse)
    victims = incident[facts.kind[incident] == kind_number("domestic_abuse", "victim")]
    first = np.searchsorted(facts.at[victims], facts.at[incident])
    draw[incident], chance[incident] = draw[victims][first], chance[victims][first]
    fact = np.flatnonzero(draw < chance)
    sights = [SIGHTS[kind] for kind, _ in KINDS]
    median = np.array([sight.lag_days for sight in sights])[facts.kind[fact]]
    lag = median * np.exp(0.9 * random.standard_normal(len(fact)))
    late = random.random(len(fact)) < LATE_SHARE
    lag = np.where(late, random.uniform(*LATE_DAYS, len(fact)), lag)
    minute = DAY // 1440
    recorded = facts.at[fact] + np.maximum((lag * 1440).astype(np.int64), 5) * minute
    agency = np.array([AGENCIES.index(sight.agency) for sight in sights])[facts.kind[fact]]
    order = np.lexsort((fact, recorded))
    order = order[recorded[order] < end * DAY]
    return Sightings(fact[order], agency[order], recorded[order], late[order])


def end_follows() -> np.ndarray:
    """For each of KINDS, whether the end is recorded only once it has come: (n_kinds,) bool."""
    return np.array([SIGHTS[kind].end_follows for kind, _ in KINDS])


def has_end(facts: Facts) -> np.ndarray:
    """Which facts have an end: (n,) bool."""
    return np.asarray(facts.ended != OPEN)


def trust_of(community: str) -> float:
    """How much of what the majority would report a community reports."""
    return TRUST[COMMUNITIES.index(community)]
