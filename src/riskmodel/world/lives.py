"""What happens to people, quarter by quarter, and what follows from it.

The truth: within a quarter every process of `hazards` runs at the rate that the state at its beginning sets, so the
yearly rate of injury by violence of every person in every quarter is known exactly and kept (`Lives.injury_rate`).
Some events bring others: an offence that is detected leads to a caution or order for a child, to charge, conviction
and sometimes custody for an adult; a referral to a plan or to care. Detection depends on how much police work is done
in the area, so court histories inherit that bias. A naive analyst who predicts convictions and calls them offending
measures enforcement as well.

Moments are microseconds since 1970-01-01, days are whole days since then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from riskmodel.world.hazards import (
    AT_LARGE,
    COUPLE,
    DECAY_YEARS,
    EFFECT_CEILING,
    FORMER_PARTNER,
    INJURED_BY_PARTNER,
    MEMORY_CEILING,
    POLICE_CALLED_TO_INJURY,
    PROCESSES,
    SOCIAL_TENANT,
    STATES,
    STOP_SEARCH_BY_ETHNICITY,
    age_rates,
    drawn,
    effects_matrix,
)
from riskmodel.world.households import Homes, Mask, Residences
from riskmodel.world.people import MALE, YEAR, Population, Real, Whole
from riskmodel.world.places import CHILDRENS_HOME, SOCIAL, District

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
)
"""Every kind and role that can happen; facts hold the number of one."""

_STATE_OF: Final = {
    ("injury_by_violence", "subject"): "victim",
    ("violence", "victim"): "victim",
    ("robbery", "victim"): "victim",
    ("violence", "suspect"): "suspect",
    ("robbery", "suspect"): "suspect",
    ("weapon_possession", "suspect"): "suspect",
    ("charge", "subject"): "suspect",
    ("missing", "subject"): "missing",
    ("exclusion", "subject"): "excluded",
    ("unauthorised_absence", "subject"): "absent",
    ("self_harm", "subject"): "self_harm",
    ("overdose", "subject"): "self_harm",
    ("mental_health_contact", "subject"): "treated",
}
_OFFENCES: Final = (
    ("violence", "suspect", 0.40, 4.0),
    ("robbery", "suspect", 0.40, 6.0),
    ("weapon_possession", "suspect", 0.85, 4.0),
    ("anti_social_behaviour", "suspect", 0.15, 1.5),
)
"""Kind, role, share detected at enforcement 1, mean gravity (1 to 8)."""
_ARSONS_A_YEAR: Final = 0.0006  # per dwelling in the least deprived areas; up to four times as many in the most


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

    def __repr__(self) -> str:
        return f"Facts({len(self)} events)"


@dataclass(frozen=True, slots=True)
class Lives:
    """A finished block of lives.

    Attributes
    ----------
    facts : Facts
    residences : Residences
    injury_rate : (n_quarters, n_people) float32, yearly rate of injury by violence; NaN for whoever is not there
    stop_rate : (n_quarters, n_people) float32, yearly rate of stop and search
    quarters : (n_quarters + 1,) int, first day of each quarter and the day after the last
    renamed : three (n,) arrays: person, new family name, day
    """

    facts: Facts
    residences: Residences
    injury_rate: np.ndarray
    stop_rate: np.ndarray
    quarters: Whole
    renamed: tuple[Whole, Whole, Whole]

    def __repr__(self) -> str:
        return f"Lives({len(self.facts)} events, {len(self.quarters) - 1} quarters)"


@dataclass(slots=True)
class _Log:
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


class _Society:
    """The state of everybody while the quarters pass (mutable, lives only inside `live`)."""

    def __init__(self, people: Population, places: District, random: np.random.Generator, start: int) -> None:
        self.people, self.places, self.random = people, places, random
        self.homes = Homes(people, places, random)
        self.homes.settle(start)
        count = len(people)
        self.state = np.zeros((len(STATES), count))
        self.state[STATES.index("strain")] = people.vulnerability
        self.state[STATES.index("male")] = people.sex == MALE
        self.state[STATES.index("supported")] = people.supported
        self.memory = {name: np.zeros(count) for name in DECAY_YEARS}
        self.custody_from, self.custody_until = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.care_until, self.plan_until = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.order_until = np.zeros(count, np.int64)
        self.served_notice = np.zeros(count, np.bool_)
        self.log = _Log()
        self.matrix = effects_matrix()
        self.among = np.array([process.among for process in PROCESSES])

    def quarter(self, days: tuple[int, int]) -> tuple[Real, Real]:
        """Live through one quarter; returns the yearly rates of injury and of being searched, (n,) each."""
        present = (self.people.born <= days[0]) & (self.people.died >= days[1]) & (self.homes.home >= 0)
        in_custody = (self.custody_from <= days[0]) & (days[0] < self.custody_until)
        self._set_states(days[0], in_custody)
        rates = self._rates(days[0], present, in_custody)
        process, person = drawn(self.random, rates * ((days[1] - days[0]) / YEAR))
        at = self._moments(days, len(process))
        events = {
            row: (person[process == row], at[process == row]) for row in range(len(PROCESSES)) if (process == row).any()
        }
        for memory in self.memory:
            self.memory[memory] *= np.exp(-(days[1] - days[0]) / YEAR / DECAY_YEARS[memory])
        self._write_down(events, present)
        self._abuse(events, days)
        self._follow_up(events, days)
        self._arson(days)
        self._pass_on(in_custody, present)
        injury = rates[0] + INJURED_BY_PARTNER * rates[1]
        away = in_custody | (self.care_until > days[0])
        strain = self.memory["home_abuse"] * (self.homes.partner >= 0)
        self.homes.pass_quarter(days, np.log1p(strain), self.served_notice, away)
        absent = ~present
        injury, stops = injury.copy(), rates[kind_number("stop_search")].copy()
        injury[absent], stops[absent] = np.nan, np.nan
        return injury, stops

    def _set_states(self, day: int, in_custody: Mask) -> None:
        for name in DECAY_YEARS:
            self.state[STATES.index(name)] = np.minimum(np.log1p(self.memory[name]), MEMORY_CEILING)
        decile = self.places.decile[self.places.area[np.maximum(self.homes.home, 0)]]
        self.state[STATES.index("deprived")] = (5.5 - decile) / 4.5
        partner = self._partner_or_former(day)
        self.state[STATES.index("partner_strain")] = np.where(
            partner >= 0, self.people.vulnerability[np.maximum(partner, 0)], 0.0
        )
        self.state[STATES.index("in_care")] = self.care_until > day
        self.state[STATES.index("planned")] = self.plan_until > day
        parents = (self.people.mother, self.people.father)
        inside = np.any([(parent >= 0) & in_custody[np.maximum(parent, 0)] for parent in parents], axis=0)
        self.memory["parent_custody"] = np.where(inside, 1.0, self.memory["parent_custody"])
        self.state[STATES.index("parent_custody")] = self.memory["parent_custody"]

    def _partner_or_former(self, day: int) -> Whole:
        recent = (self.homes.former >= 0) & (self.homes.parted > day - 2 * YEAR)
        return np.where(self.homes.partner >= 0, self.homes.partner, np.where(recent, self.homes.former, -1))

    def _rates(self, day: int, present: Mask, in_custody: Mask) -> Real:
        """Yearly rates of every process: (n_processes, n_people)."""
        rates = age_rates((day - self.people.born) / YEAR) * np.exp(np.minimum(self.matrix @ self.state, EFFECT_CEILING))
        partner = self._partner_or_former(day)
        couple = np.where(self.homes.partner >= 0, 1.0, np.where(partner >= 0, FORMER_PARTNER, 0.0))
        partner_gone = in_custody[np.maximum(partner, 0)] | ~present[np.maximum(partner, 0)]
        tenant = self.places.tenure[np.maximum(self.homes.home, 0)] == SOCIAL
        rates[self.among == COUPLE] *= couple * ~partner_gone * ~in_custody
        rates[self.among == AT_LARGE] *= ~in_custody
        rates[self.among == SOCIAL_TENANT] *= tenant & ~in_custody
        area = self.places.area[np.maximum(self.homes.home, 0)]
        searched = kind_number("stop_search")
        rates[searched] *= self.places.enforcement[area] * np.array(STOP_SEARCH_BY_ETHNICITY)[self.people.ethnicity]
        return rates * present

    def _moments(self, days: tuple[int, int], count: int) -> Whole:
        minute = self.random.integers(0, (days[1] - days[0]) * 1440, count)
        return days[0] * DAY + minute * (DAY // 1440)

    def _remember(self, name: str, person: Whole) -> None:
        self.memory[name] += np.bincount(person, minlength=len(self.people))

    def _write_down(self, events: dict[int, tuple[Whole, Whole]], present: Mask) -> None:
        """Log what the processes brought, with its value and end where it has one, and remember it."""
        for row, (person, at) in events.items():
            kind = (PROCESSES[row].kind, PROCESSES[row].role)
            ended, value = self._extent(kind[0], person, at)
            self.log.add(row, person, at, self.homes.home[person], ended, value)
            if kind in _STATE_OF:
                self._remember(_STATE_OF[kind], person)
        arrears, _ = events.get(kind_number("rent_arrears"), (np.empty(0, np.int64), None))
        owing = np.bincount(self.homes.home[arrears], minlength=len(self.places.area))
        self.memory["arrears"] += np.where(present, owing[np.maximum(self.homes.home, 0)], 0)
        notices, _ = events.get(kind_number("eviction_notice"), (np.empty(0, np.int64), None))
        self.served_notice[:] = False
        self.served_notice[notices] = True
        self._remember("evicted", notices)

    def _extent(self, kind: str, person: Whole, at: Whole) -> tuple[Whole | None, Real | None]:
        count, random = len(person), self.random
        if kind == "exclusion":
            days = 1.0 + np.minimum(random.geometric(0.35, count), 44)
            return at + days.astype(np.int64) * DAY, days
        if kind == "unauthorised_absence":
            return None, np.minimum(3.0 + random.poisson(9.0 * np.exp(0.25 * self.people.vulnerability[person])), 70.0)
        if kind == "missing":
            return at + (random.exponential(1.1, count) * 1440).astype(np.int64) * (DAY // 1440), None
        if kind == "rent_arrears":
            return None, np.round(150.0 + 450.0 * random.exponential(1.0, count), 2)
        if kind == "injury_by_violence":
            return at + random.integers(40, 400, count) * (DAY // 1440), None
        return None, None

    def _abuse(self, events: dict[int, tuple[Whole, Whole]], days: tuple[int, int]) -> None:
        """Abuse has two people in it, reaches all of the home, and sends some of its victims to A&E."""
        victim, at = events.get(kind_number("domestic_abuse", "victim"), (np.empty(0, np.int64), np.empty(0, np.int64)))
        homes = self.homes
        suspect = self._partner_or_former(days[0])[victim]
        self.log.add(kind_number("domestic_abuse", "suspect"), suspect, at, homes.home[victim])
        happened = np.bincount(homes.home[victim], minlength=len(self.places.area))
        self.memory["home_abuse"] += np.where(homes.home >= 0, happened[np.maximum(homes.home, 0)], 0)
        outside = homes.home[suspect] != homes.home[victim]
        self._remember("home_abuse", suspect[outside])
        young = np.flatnonzero((homes.home >= 0) & (self.people.born > days[0] - 18 * YEAR) & (self.people.born <= days[0]))
        place, child = _pairs(homes.home[victim], homes.home[young])
        sees = self.random.random(len(place)) < 0.3
        seen, witness = place[sees], young[child[sees]]
        self.log.add(kind_number("domestic_abuse", "witness"), witness, at[seen], homes.home[witness])
        hurt = self.random.random(len(victim)) < INJURED_BY_PARTNER
        later = at[hurt] + self.random.integers(20, 600, int(hurt.sum())) * (DAY // 1440)
        later = np.minimum(later, days[1] * DAY - 1)
        self.log.add(kind_number("injury_by_violence"), victim[hurt], later, homes.home[victim[hurt]], later + DAY // 8)
        self._remember("victim", victim[hurt])

    def _follow_up(self, events: dict[int, tuple[Whole, Whole]], days: tuple[int, int]) -> None:
        none = (np.empty(0, np.int64), np.empty(0, np.int64))
        person, at = events.get(kind_number("injury_by_violence"), none)
        called = self.random.random(len(person)) < POLICE_CALLED_TO_INJURY
        before = at[called] - self.random.integers(15, 180, int(called.sum())) * (DAY // 1440)
        self.log.add(kind_number("violence", "victim"), person[called], before, self.homes.home[person[called]])
        for kind, role, share, gravity in _OFFENCES:
            person, at = events.get(kind_number(kind, role), none)
            area = self.places.area[np.maximum(self.homes.home[person], 0)]
            detected = self.random.random(len(person)) < np.minimum(0.95, share * np.sqrt(self.places.enforcement[area]))
            self._brought_to_justice(person[detected], at[detected], gravity, charged=False)
        self._brought_to_justice(*events.get(kind_number("charge"), none), 2.5, charged=True)
        self._referred(*events.get(kind_number("referral"), none), days)

    def _brought_to_justice(self, person: Whole, at: Whole, gravity: float, *, charged: bool) -> None:
        """Children are cautioned or get an order with an assessment; adults are charged, convicted, imprisoned."""
        random, homes = self.random, self.homes
        child = (at // DAY - self.people.born[person]) < 18 * YEAR
        minor, when = person[child], at[child] + random.integers(5, 60, int(child.sum())) * DAY
        way = random.random(len(minor))
        cautioned, ordered = way < 0.45, way >= 0.55
        self.log.add(kind_number("caution"), minor[cautioned], when[cautioned], homes.home[minor[cautioned]])
        ordered &= self.order_until[minor] <= when // DAY
        length = random.integers(90, 365, int(ordered.sum()))
        under, begin = minor[ordered], when[ordered]
        self.order_until[under] = begin // DAY + length
        self.log.add(kind_number("court_order"), under, begin, homes.home[under], begin + length * DAY)
        seen = 16.0 + 9.0 * self.people.vulnerability[under] + 7.0 * self.state[STATES.index("suspect"), under]
        score = np.clip(np.round(seen + random.normal(0, 6.0, len(under))), 0, 64)
        self.log.add(kind_number("assessment"), under, begin + 6 * DAY, homes.home[under], None, score)
        adult, when = person[~child], at[~child]
        if not charged:
            goes = random.random(len(adult)) < 0.65
            adult, when = adult[goes], when[goes] + random.integers(0, 40, int(goes.sum())) * DAY
            self.log.add(kind_number("charge"), adult, when, homes.home[adult])
        guilty = random.random(len(adult)) < 0.62
        convict, on = adult[guilty], when[guilty] + random.integers(50, 320, int(guilty.sum())) * DAY
        grave = np.clip(np.round(random.normal(gravity, 1.3, len(convict))), 1, 8)
        self.log.add(kind_number("conviction"), convict, on, homes.home[convict], None, grave)
        chance = 0.06 + 0.05 * grave + 0.1 * self.state[STATES.index("suspect"), convict]
        sent = random.random(len(convict)) < chance
        sent &= self.custody_until[convict] <= on // DAY
        inmate, begin = convict[sent], on[sent]
        inmate, first = np.unique(inmate, return_index=True)
        begin, months = begin[first], 1.0 + random.gamma(1.2, 1.5 * grave[sent][first])
        until = begin // DAY + np.ceil(months * 30.4).astype(np.int64)
        self.custody_from[inmate], self.custody_until[inmate] = begin // DAY, until
        self.log.add(kind_number("custody"), inmate, begin + DAY // 2, homes.home[inmate], until * DAY + DAY // 2)

    def _referred(self, person: Whole, at: Whole, days: tuple[int, int]) -> None:
        """A referral leads to a child-in-need plan, a protection plan or care; one running plan at a time."""
        person, first = np.unique(person, return_index=True)
        at = at[first]
        chance = self.random.random(len(person)) / np.exp(0.3 * self.people.vulnerability[person])
        idle = (self.plan_until[person] <= days[0]) & (self.care_until[person] <= days[0])
        for kind, low, high, shortest, longest, state in (
            ("in_care", 0.0, 0.045, 180, 1500, self.care_until),
            ("child_protection_plan", 0.045, 0.13, 150, 500, self.plan_until),
            ("child_in_need_plan", 0.13, 0.36, 80, 300, self.plan_until),
        ):
            chosen = idle & (chance >= low) & (chance < high)
            child, begin = person[chosen], at[chosen] + self.random.integers(5, 40, int(chosen.sum())) * DAY
            until = begin // DAY + self.random.integers(shortest, longest, len(child))
            until = np.minimum(until, self.people.born[child] + int(18 * YEAR))
            good = until > begin // DAY
            child, begin, until = child[good], begin[good], until[good]
            state[child] = until
            self.log.add(kind_number(kind), child, begin, self.homes.home[child], until * DAY)
            if kind == "in_care":
                self._foster(child, days)
        back = np.flatnonzero((self.care_until > days[0] - 92) & (self.care_until <= days[0]))
        mother = self.people.mother[back]
        returns = (mother >= 0) & (self.homes.home[np.maximum(mother, 0)] >= 0)
        self.homes.moved[:] = False
        self.homes.go(back[returns], back[returns], days, tied=self.homes.home[mother[returns]])

    def _foster(self, child: Whole, days: tuple[int, int]) -> None:
        """A foster home is the home of a couple of middle age; one child in eight goes to a children's home."""
        self.homes.moved[:] = False
        age = (days[0] - self.people.born) / YEAR
        carers = np.flatnonzero((self.homes.partner >= 0) & (age > 35) & (age < 62) & (self.homes.home >= 0))
        institutions = np.flatnonzero(self.places.tenure == CHILDRENS_HOME)
        if not len(child) or not len(carers):
            return
        target = self.homes.home[self.random.choice(carers, len(child))]
        if len(institutions):
            placed = self.random.random(len(child)) < 0.125
            target = np.where(placed, self.random.choice(institutions, len(child)), target)
        self.homes.go(child, child, days, tied=target)

    def _arson(self, days: tuple[int, int]) -> None:
        """Fire is set to homes; half of them have nobody named as the victim."""
        occupied = np.bincount(self.homes.home[self.homes.home >= 0], minlength=len(self.places.area)) > 0
        rate = _ARSONS_A_YEAR * np.interp(self.places.decile, [1, 10], [4.0, 1.0])[self.places.area] * occupied
        _, place = drawn(self.random, (rate * (days[1] - days[0]) / YEAR)[None, :])
        at = self._moments(days, len(place))
        adults = np.flatnonzero((self.homes.home >= 0) & (self.people.born < days[0] - 18 * YEAR))
        hit, adult = _pairs(place, self.homes.home[adults])
        hit, first = np.unique(hit, return_index=True)
        person = np.full(len(place), -1)
        person[hit] = adults[adult[first]]
        person[self.random.random(len(place)) < 0.5] = -1
        self.log.add(kind_number("arson", "victim"), person, at, place)

    def _pass_on(self, in_custody: Mask, present: Mask) -> None:
        """Nothing is remembered of people who are not there."""
        for name in self.memory:
            self.memory[name][~(present | in_custody)] = 0.0


def live(people: Population, places: District, random: np.random.Generator, quarters: Whole) -> Lives:
    """Let the people of a block live from the first quarter to the last.

    Parameters
    ----------
    quarters : (n_quarters + 1,) int, first days of the quarters and the day after the last
    """
    society = _Society(people, places, random, int(quarters[0]))
    count = len(quarters) - 1
    injury, stops = np.empty((count, len(people)), np.float32), np.empty((count, len(people)), np.float32)
    for number in range(count):
        injury[number], stops[number] = society.quarter((int(quarters[number]), int(quarters[number + 1])))
    residences = society.homes.residences()
    renamed = society.homes.renamed
    person, name, day = (np.concatenate([part[at] for part in renamed]) for at in range(3))
    return Lives(society.log.facts(int(quarters[-1])), residences, injury, stops, quarters, (person, name, day))


def _pairs(left: Whole, right: Whole) -> tuple[Whole, Whole]:
    """All positions (i, j) with left[i] == right[j]."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left, side="left")
    count = np.searchsorted(right[order], left, side="right") - first
    i = np.repeat(np.arange(len(left)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(first, count) + within]
