"""What institutions do after an offence or a referral: cautions, orders, courts, prison; plans and care.

The truth: an offence is detected with a share that grows with the enforcement of the area; then a child is cautioned
or gets an order with an assessment, an adult is charged, in six of ten cases convicted, and sometimes imprisoned, the
sooner the longer the record. One referral in three or so leads to a plan, one in twenty to care. A naive analyst who
takes convictions for offences measures police work too; one who takes plans for harm has it backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from riskmodel.world.facts import DAY, Log, kind_number
from riskmodel.world.households import Homes, Mask
from riskmodel.world.people import YEAR, Real, Whole
from riskmodel.world.places import CHILDRENS_HOME

Events = tuple[Whole, Whole]
"""Person and moment of each event."""

OFFENCES: Final = (
    ("violence", "suspect", 0.40, 4.0),
    ("robbery", "suspect", 0.40, 6.0),
    ("weapon_possession", "suspect", 0.85, 4.0),
    ("anti_social_behaviour", "suspect", 0.15, 1.5),
)
"""Kind, role, share detected at enforcement 1, mean gravity (1 to 8)."""
_OUTCOMES_OF_REFERRAL: Final = (
    ("in_care", 0.0, 0.045, 180, 1500),
    ("child_protection_plan", 0.045, 0.13, 150, 500),
    ("child_in_need_plan", 0.13, 0.36, 80, 300),
)
"""Kind, from and to on the scale of chances, shortest and longest days."""


@dataclass(slots=True)
class Institutions:
    """Who is under what, until which day (mutable; part of the society while it lives)."""

    homes: Homes
    random: np.random.Generator
    log: Log
    custody_from: Whole = field(init=False)
    custody_until: Whole = field(init=False)
    care_until: Whole = field(init=False)
    plan_until: Whole = field(init=False)
    order_until: Whole = field(init=False)

    def __post_init__(self) -> None:
        for name in ("custody_from", "custody_until", "care_until", "plan_until", "order_until"):
            setattr(self, name, np.zeros(len(self.homes.people), np.int64))

    def in_custody(self, day: int) -> Mask:
        """Who is in prison on that day."""
        return np.asarray((self.custody_from <= day) & (day < self.custody_until))

    def offences(self, events: dict[tuple[str, str], Events], record: Real) -> None:
        """Detect some of the quarter's offences and bring them, and all charges, to justice.

        `record` is the recent record of offending of each person, (n,) float.
        """
        places = self.homes.places
        for kind, role, share, gravity in OFFENCES:
            person, at = events.get((kind, role), _NONE)
            enforcement = places.enforcement[places.area[np.maximum(self.homes.home[person], 0)]]
            detected = self.random.random(len(person)) < np.minimum(0.95, share * np.sqrt(enforcement))
            person, at = person[detected], at[detected]
            child = (at // DAY - self.homes.people.born[person]) < 18 * YEAR
            self._children(person[child], at[child], record)
            self._adults(person[~child], at[~child], gravity, record)
        self._convict(*events.get(("charge", "subject"), _NONE), 2.5, record)

    def _children(self, minor: Whole, at: Whole, record: Real) -> None:
        """Four or five in ten are cautioned, as many get an order with an assessment."""
        random, homes = self.random, self.homes
        when, way = at + random.integers(5, 60, len(minor)) * DAY, random.random(len(minor))
        cautioned = minor[way < 0.45]
        self.log.add(kind_number("caution"), cautioned, when[way < 0.45], homes.home[cautioned])
        ordered = (way >= 0.55) & (self.order_until[minor] <= when // DAY)
        under, begin = minor[ordered], when[ordered]
        length = random.integers(90, 365, len(under))
        self.order_until[under] = begin // DAY + length
        self.log.add(kind_number("court_order"), under, begin, homes.home[under], begin + length * DAY)
        seen = 16.0 + 9.0 * homes.people.vulnerability[under] + 7.0 * record[under]
        score = np.clip(np.round(seen + random.normal(0, 6.0, len(under))), 0, 64)
        self.log.add(kind_number("assessment"), under, begin + 6 * DAY, homes.home[under], None, score)

    def _adults(self, adult: Whole, at: Whole, gravity: float, record: Real) -> None:
        goes = self.random.random(len(adult)) < 0.65
        adult, when = adult[goes], at[goes] + self.random.integers(0, 40, int(goes.sum())) * DAY
        self.log.add(kind_number("charge"), adult, when, self.homes.home[adult])
        self._convict(adult, when, gravity, record)

    def _convict(self, adult: Whole, charged: Whole, gravity: float, record: Real) -> None:
        """Six in ten charges end in conviction within a year; graver cases and longer records more often in prison."""
        random, homes = self.random, self.homes
        guilty = random.random(len(adult)) < 0.62
        convict, on = adult[guilty], charged[guilty] + random.integers(50, 320, int(guilty.sum())) * DAY
        grave = np.clip(np.round(random.normal(gravity, 1.3, len(convict))), 1, 8)
        self.log.add(kind_number("conviction"), convict, on, homes.home[convict], None, grave)
        sent = random.random(len(convict)) < 0.06 + 0.05 * grave + 0.1 * record[convict]
        sent &= self.custody_until[convict] <= on // DAY
        inmate, first = np.unique(convict[sent], return_index=True)
        begin, months = on[sent][first], 1.0 + random.gamma(1.2, 1.5 * grave[sent][first])
        until = begin // DAY + np.ceil(months * 30.4).astype(np.int64)
        self.custody_from[inmate], self.custody_until[inmate] = begin // DAY, until
        self.log.add(kind_number("custody"), inmate, begin + DAY // 2, homes.home[inmate], until * DAY + DAY // 2)

    def referrals(self, person: Whole, at: Whole, days: tuple[int, int]) -> None:
        """A referral leads to a child-in-need plan, a protection plan or care; one running plan at a time."""
        person, first = np.unique(person, return_index=True)
        at, people = at[first], self.homes.people
        chance = self.random.random(len(person)) / np.exp(0.3 * people.vulnerability[person])
        idle = (self.plan_until[person] <= days[0]) & (self.care_until[person] <= days[0])
        for kind, low, high, shortest, longest in _OUTCOMES_OF_REFERRAL:
            chosen = idle & (chance >= low) & (chance < high)
            child, begin = person[chosen], at[chosen] + self.random.integers(5, 40, int(chosen.sum())) * DAY
            until = begin // DAY + self.random.integers(shortest, longest, len(child))
            until = np.minimum(until, people.born[child] + int(18 * YEAR))
            good = until > begin // DAY
            child, begin, until = child[good], begin[good], until[good]
            (self.care_until if kind == "in_care" else self.plan_until)[child] = until
            self.log.add(kind_number(kind), child, begin, self.homes.home[child], until * DAY)
            if kind == "in_care":
                self._foster(child, days)
        self._home_again(days)

    def _foster(self, child: Whole, days: tuple[int, int]) -> None:
        """A foster home is the home of a couple of middle age; one child in eight goes to a children's home."""
        homes = self.homes
        homes.moved[:] = False
        age = (days[0] - homes.people.born) / YEAR
        carers = np.flatnonzero((homes.partner >= 0) & (age > 35) & (age < 62) & (homes.home >= 0))
        institutions = np.flatnonzero(homes.places.tenure == CHILDRENS_HOME)
        if not len(child) or not len(carers):
            return
        target = homes.home[self.random.choice(carers, len(child))]
        if len(institutions):
            placed = self.random.random(len(child)) < 0.125
            target = np.where(placed, self.random.choice(institutions, len(child)), target)
        homes.go(child, child, days, tied=target)

    def _home_again(self, days: tuple[int, int]) -> None:
        """Who left care in the last quarter goes back to the mother, where she is."""
        homes = self.homes
        back = np.flatnonzero((self.care_until > days[0] - 92) & (self.care_until <= days[0]))
        mother = homes.people.mother[back]
        returns = (mother >= 0) & (homes.home[np.maximum(mother, 0)] >= 0)
        homes.moved[:] = False
        homes.go(back[returns], back[returns], days, tied=homes.home[mother[returns]])


_NONE: Final = (np.empty(0, np.int64), np.empty(0, np.int64))
