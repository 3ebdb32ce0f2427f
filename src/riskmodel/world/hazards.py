"""What drives what: every process of the world as one row of numbers, the only place where risk is defined.

The truth: the yearly rate of a process is ``base x age curve x exp(sum of effect x state)``. The state of a person
holds the latent strain and support nobody records, and what happened before: recent events count as ``log(1 + decayed
number)`` up to a ceiling (a self-exciting process, Hawkes 1971), so everything excites itself and what it leads to.
Abuse in the home reaches everyone who lives there, a parent's custody reaches the children, arrears reach the
household. Plans and mental-health contact *lower* later harm, though both are given to those at highest risk.

A naive analyst finds plans and contacts with services harmful (confounding by indication), stop and search a sign of
danger (it follows enforcement), and any single agency's history a weaker guide than all of them together, because
each sees another part of the same state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.world.people import Real, Whole

STATES: Final = (
    "strain",  # latent vulnerability of the person
    "partner_strain",
    "deprived",  # +1 in the most deprived decile, -1 in the least
    "male",
    "supported",  # a supportive adult, latent
    "home_abuse",  # abuse between adults of the home
    "victim",
    "suspect",
    "missing",
    "excluded",
    "absent",
    "self_harm",
    "parent_custody",  # now, or fading since
    "in_care",
    "arrears",  # of the household
    "planned",  # on a plan of children's services
    "treated",  # mental-health contact within about a year
    "evicted",
)
DECAY_YEARS: Final = {
    "home_abuse": 2.0,
    "victim": 1.5,
    "suspect": 1.5,
    "missing": 1.0,
    "excluded": 1.5,
    "absent": 1.0,
    "self_harm": 1.5,
    "parent_custody": 2.0,
    "arrears": 1.5,
    "treated": 0.8,
    "evicted": 0.5,
}
"""Mean life of the memory of an event, in years; the states not named here do not fade, they hold or do not."""

MEMORY_CEILING: Final = 1.8
"""The memory of earlier events stops counting at 1.8, that is five events: six of a kind weigh as much as sixty."""
EFFECT_CEILING: Final = 3.5
"""The sum of effects stops at this: nobody's rate is more than 33 times the base. Without both, the world explodes."""

COUPLE, SOCIAL_TENANT, AT_LARGE, ANYONE = "couple", "social_tenant", "at_large", "anyone"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of events.

    Attributes
    ----------
    kind, role : str, as the contracts name them
    base : float, events a year at age curve 1 and all states 0
    ages : tuple of (age, multiplier) points, linear between, 0 outside
    effects : state -> effect on the log rate
    among : who can have such an event: COUPLE (or parted within two years), SOCIAL_TENANT, AT_LARGE (not in custody),
        ANYONE
    """

    kind: str
    role: str
    base: float
    ages: tuple[tuple[float, float], ...]
    effects: dict[str, float]
    among: str = AT_LARGE


_VIOLENCE_AGES = (
    (0, 0.03),
    (9, 0.15),
    (11, 0.45),
    (14, 0.95),
    (17, 1.35),
    (20, 1.5),
    (25, 1.1),
    (35, 0.6),
    (50, 0.25),
    (99, 0.08),
)
_OFFENDING_AGES = (
    (9.9, 0.0),
    (10, 0.15),
    (13, 0.7),
    (17, 1.4),
    (20, 1.3),
    (25, 0.9),
    (35, 0.55),
    (50, 0.2),
    (99, 0.01),
)
_SCHOOL_AGES = ((4.9, 0.0), (5, 0.12), (10, 0.3), (12, 0.9), (15, 1.5), (16.2, 1.2), (16.7, 0.0))
_ADULT_AGES = ((15.9, 0.0), (16, 0.4), (20, 1.3), (30, 1.2), (45, 0.8), (65, 0.25), (99, 0.1))
_CHILD_AGES = ((0, 1.3), (5, 1.0), (12, 1.0), (15, 1.2), (17.9, 0.7), (18, 0.0))

INJURY: Final = Process(
    "injury_by_violence",
    "subject",
    0.0088,
    _VIOLENCE_AGES,
    {
        "strain": 0.50,
        "deprived": 0.30,
        "male": 0.45,
        "supported": -0.85,
        "home_abuse": 1.0,
        "victim": 0.95,
        "suspect": 0.65,
        "missing": 0.80,
        "excluded": 0.65,
        "absent": 0.30,
        "self_harm": 0.85,
        "parent_custody": 1.10,
        "in_care": 0.80,
        "arrears": 0.70,
        "planned": -0.30,
    },
)
"""The outcome of the first study, apart from what abuse by a partner adds (`INJURED_BY_PARTNER`)."""

PROCESSES: Final = (
    INJURY,
    Process("domestic_abuse", "victim", 0.10, ((15.9, 0.0), (16, 0.8), (22, 1.3), (35, 1.0), (55, 0.5), (99, 0.2)),
            {"strain": 0.30, "partner_strain": 0.55, "deprived": 0.25, "male": -1.4, "home_abuse": 0.75,
             "arrears": 0.25}, COUPLE),
    Process("violence", "victim", 0.014, _VIOLENCE_AGES,
            {"strain": 0.35, "deprived": 0.3, "male": 0.25, "supported": -0.3, "home_abuse": 0.35, "victim": 0.6,
             "suspect": 0.5, "missing": 0.4, "in_care": 0.3}),
    Process("violence", "suspect", 0.012, _OFFENDING_AGES,
            {"strain": 0.55, "deprived": 0.3, "male": 1.1, "supported": -0.4, "home_abuse": 0.4, "victim": 0.4,
             "suspect": 0.55, "excluded": 0.45, "parent_custody": 0.4, "in_care": 0.3, "missing": 0.3}),
    Process("weapon_possession", "suspect", 0.0022, _OFFENDING_AGES,
            {"strain": 0.5, "deprived": 0.35, "male": 1.5, "victim": 0.6, "suspect": 0.6, "excluded": 0.5}),
    Process("robbery", "suspect", 0.0022, _OFFENDING_AGES,
            {"strain": 0.55, "deprived": 0.4, "male": 1.4, "suspect": 0.6, "excluded": 0.4, "parent_custody": 0.4}),
    Process("robbery", "victim", 0.0035, _VIOLENCE_AGES, {"deprived": 0.3, "male": 0.5, "strain": 0.1}),
    Process("anti_social_behaviour", "suspect", 0.014, _OFFENDING_AGES,
            {"strain": 0.5, "deprived": 0.4, "male": 0.7, "suspect": 0.4, "excluded": 0.4, "absent": 0.2}),
    Process("missing", "subject", 0.022,
            ((6, 0.0), (10, 0.4), (13, 1.6), (16, 2.0), (17.9, 1.2), (18, 0.25), (40, 0.1), (99, 0.1)),
            {"strain": 0.5, "home_abuse": 0.45, "in_care": 1.7, "missing": 0.7, "excluded": 0.3, "supported": -0.4}),
    Process("stop_search", "subject", 0.018,
            ((11, 0.0), (13, 0.5), (17, 1.8), (21, 1.6), (30, 0.6), (50, 0.1), (99, 0.0)),
            {"male": 1.8, "suspect": 0.45}),
    Process("referral", "subject", 0.055, _CHILD_AGES,
            {"strain": 0.25, "deprived": 0.4, "home_abuse": 0.75, "missing": 0.6, "excluded": 0.25,
             "parent_custody": 0.5, "arrears": 0.2, "self_harm": 0.4, "victim": 0.3, "supported": -0.2}, ANYONE),
    Process("exclusion", "subject", 0.075, _SCHOOL_AGES,
            {"strain": 0.6, "deprived": 0.3, "male": 0.7, "home_abuse": 0.45, "excluded": 0.6, "absent": 0.2,
             "parent_custody": 0.4, "in_care": 0.4, "supported": -0.5}),
    Process("unauthorised_absence", "subject", 0.30, _SCHOOL_AGES,
            {"strain": 0.45, "deprived": 0.35, "home_abuse": 0.35, "absent": 0.6, "in_care": 0.1, "arrears": 0.2,
             "supported": -0.35}),
    Process("school_move", "subject", 0.015, _SCHOOL_AGES, {"excluded": 0.6, "strain": 0.2}),
    Process("self_harm", "subject", 0.010, ((9, 0.0), (12, 0.8), (16, 2.0), (22, 1.3), (40, 0.6), (99, 0.2)),
            {"strain": 0.65, "male": -0.5, "home_abuse": 0.4, "self_harm": 0.8, "in_care": 0.5, "treated": -0.45,
             "supported": -0.4, "victim": 0.2}, ANYONE),
    Process("overdose", "subject", 0.003, ((11, 0.0), (14, 1.0), (25, 1.5), (45, 1.1), (99, 0.3)),
            {"strain": 0.6, "self_harm": 0.6, "home_abuse": 0.3, "deprived": 0.3, "treated": -0.3}, ANYONE),
    Process("mental_health_contact", "subject", 0.045, ((5, 0.1), (12, 0.9), (17, 1.4), (30, 1.0), (99, 0.6)),
            {"strain": 0.5, "self_harm": 1.0, "home_abuse": 0.35, "treated": 0.7}, ANYONE),
    Process("charge", "subject", 0.007, ((17.9, 0.0), (18, 1.4), (25, 1.2), (40, 0.7), (60, 0.15), (99, 0.0)),
            {"strain": 0.6, "deprived": 0.4, "male": 1.2, "suspect": 0.5, "arrears": 0.2}),
    Process("rent_arrears", "subject", 0.075, _ADULT_AGES,
            {"strain": 0.35, "deprived": 0.2, "arrears": 0.7, "home_abuse": 0.25}, SOCIAL_TENANT),
    Process("eviction_notice", "subject", 0.010, _ADULT_AGES, {"strain": 0.2, "arrears": 1.5}, SOCIAL_TENANT),
    Process("homelessness_application", "subject", 0.006, _ADULT_AGES,
            {"strain": 0.45, "deprived": 0.3, "home_abuse": 0.7, "evicted": 1.8, "in_care": 0.8}),
)  # fmt: skip

INJURED_BY_PARTNER: Final = 0.07
"""Share of abuse by a partner that brings the victim to A&E."""
FORMER_PARTNER: Final = 0.4
"""Abuse by a former partner, as a share of the rate within a couple, for two years after parting."""
POLICE_CALLED_TO_INJURY: Final = 0.4
"""Share of injuries by violence by others that are a reportable violent crime at the same time."""


def summed_effects(state: Real) -> Real:
    """The sum of effects on the log rate of every process, up to the ceiling: (n_processes, n_people) float.

    Added up one by one, because a matrix product need not give the same last digit on every machine.

    Parameters
    ----------
    state : (n_states, n_people) float
    """
    total = np.zeros((len(PROCESSES), state.shape[1]))
    for row, process in enumerate(PROCESSES):
        for name, effect in process.effects.items():
            total[row] += effect * state[STATES.index(name)]
    return np.minimum(total, EFFECT_CEILING, out=total)


def age_rates(age: Real) -> Real:
    """Base times age curve of every process at each age: (n_processes, n) float, events a year."""
    rates = np.empty((len(PROCESSES), len(age)))
    for row, process in enumerate(PROCESSES):
        points, multipliers = zip(*process.ages, strict=True)
        rates[row] = process.base * np.interp(age, points, multipliers, left=0.0, right=0.0)
    return rates


def drawn(random: np.random.Generator, expected: Real) -> tuple[Whole, Whole]:
    """Independent Poisson events with expectations (rows, columns): the row and the column of each event.

    Exact and sparse: the total is Poisson, and each event falls on a cell in proportion to its expectation.
    """
    total = np.cumsum(expected.ravel())
    count = int(random.poisson(total[-1]))
    cell = np.searchsorted(total, np.sort(random.random(count)) * total[-1], side="right")
    row, column = np.divmod(cell, expected.shape[1])
    return row.astype(np.int64), column.astype(np.int64)
