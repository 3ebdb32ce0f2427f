"""What happens to people, quarter by quarter, and what follows from it.

The truth: within a quarter every process of `hazards` runs at the rate that the state at its beginning sets, so the
yearly rate of injury by violence of every person in every quarter is known exactly and kept (`Lives.injury_rate`).
Abuse reaches everybody in the home and sends some of its victims to A&E; what institutions do next is in
`consequences`. A naive analyst who counts a quarter's own events as a cause of them finds strong effects of what came
with the injury; only what happened before the quarter sets its rates.

Moments are microseconds since 1970-01-01, days are whole days since then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.world.consequences import Events, Institutions
from riskmodel.world.facts import DAY, Facts, Log, in_office_hours, kind_number, pairs
from riskmodel.world.hazards import (
    AT_LARGE,
    COUPLE,
    DECAY_YEARS,
    FORMER_PARTNER,
    INJURED_BY_PARTNER,
    MEMORY_CEILING,
    POLICE_CALLED_TO_INJURY,
    PROCESSES,
    SOCIAL_TENANT,
    STATES,
    age_rates,
    drawn,
    summed_effects,
)
from riskmodel.world.households import Homes, Mask, Residences
from riskmodel.world.people import MALE, YEAR, Population, Real, Whole
from riskmodel.world.places import SOCIAL, District
from riskmodel.world.settings import DISTRICT, Setting

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
_INJURY: Final = ("injury_by_violence", "subject")
_BY_DAY: Final = [
    row
    for row, process in enumerate(PROCESSES)
    if process.kind
    in (
        "referral",
        "exclusion",
        "unauthorised_absence",
        "school_move",
        "charge",
        "rent_arrears",
        "eviction_notice",
        "homelessness_application",
        "mental_health_contact",
    )
]
_NONE: Final = (np.empty(0, np.int64), np.empty(0, np.int64))
_ARSONS_A_YEAR: Final = 0.0006  # per dwelling in the least deprived areas; up to four times as many in the most


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


class _Society:
    """The state of everybody while the quarters pass (mutable, lives only inside `live`)."""

    def __init__(
        self, people: Population, places: District, random: np.random.Generator, start: int, setting: Setting
    ) -> None:
        self.people, self.places, self.random, self.setting = people, places, random, setting
        self.scale = setting.rates_scaled([(process.kind, process.role) for process in PROCESSES])
        self.homes = Homes(people, places, random)
        self.homes.settle(start)
        count = len(people)
        self.state = np.zeros((len(STATES), count))
        self.state[STATES.index("strain")] = people.vulnerability
        self.state[STATES.index("male")] = people.sex == MALE
        self.state[STATES.index("supported")] = people.supported
        self.memory = {name: np.zeros(count) for name in DECAY_YEARS}
        self.served_notice = np.zeros(count, np.bool_)
        self.log = Log()
        self.institutions = Institutions(self.homes, random, self.log)
        self.among = np.array([process.among for process in PROCESSES])

    def quarter(self, days: tuple[int, int]) -> tuple[Real, Real]:
        """Live through one quarter; returns the yearly rates of injury and of being searched, (n,) each."""
        present = (self.people.born <= days[0]) & (self.people.died >= days[1]) & (self.homes.home >= 0)
        in_custody = self.institutions.in_custody(days[0])
        self._set_states(days[0], in_custody)
        rates = self._rates(days[0], present, in_custody)
        process, person = drawn(self.random, rates * ((days[1] - days[0]) / YEAR))
        at = _in_office_hours(self._moments(days, len(process)), process)
        events = {
            (PROCESSES[row].kind, PROCESSES[row].role): (person[process == row], at[process == row])
            for row in np.unique(process).tolist()
        }
        for memory in self.memory:
            self.memory[memory] *= np.exp(-(days[1] - days[0]) / YEAR / DECAY_YEARS[memory])
        self._write_down(events, present)
        self._abuse(events, days)
        self._police_called(events.get(_INJURY, _NONE))
        self.institutions.offences(events, self.state[STATES.index("suspect")])
        self.institutions.referrals(*events.get(("referral", "subject"), _NONE), days)
        self._arson(days)
        self._pass_on(in_custody, present)
        injury = rates[0] + INJURED_BY_PARTNER * rates[1]
        away = in_custody | (self.institutions.care_until > days[0])
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
        self.state[STATES.index("in_care")] = self.institutions.care_until > day
        self.state[STATES.index("planned")] = self.institutions.plan_until > day
        parents = (self.people.mother, self.people.father)
        inside = np.any([(parent >= 0) & in_custody[np.maximum(parent, 0)] for parent in parents], axis=0)
        self.memory["parent_custody"] = np.where(inside, 1.0, self.memory["parent_custody"])
        self.state[STATES.index("parent_custody")] = self.memory["parent_custody"]

    def _partner_or_former(self, day: int) -> Whole:
        recent = (self.homes.former >= 0) & (self.homes.parted > day - 2 * YEAR)
        return np.where(self.homes.partner >= 0, self.homes.partner, np.where(recent, self.homes.former, -1))

    def _rates(self, day: int, present: Mask, in_custody: Mask) -> Real:
        """Yearly rates of every process: (n_processes, n_people)."""
        rates = age_rates((day - self.people.born) / YEAR) * np.exp(summed_effects(self.state))
        partner = self._partner_or_former(day)
        couple = np.where(self.homes.partner >= 0, 1.0, np.where(partner >= 0, FORMER_PARTNER, 0.0))
        partner_gone = in_custody[np.maximum(partner, 0)] | ~present[np.maximum(partner, 0)]
        tenant = self.places.tenure[np.maximum(self.homes.home, 0)] == SOCIAL
        rates[self.among == COUPLE] *= couple * ~partner_gone * ~in_custody
        rates[self.among == AT_LARGE] *= ~in_custody
        rates[self.among == SOCIAL_TENANT] *= tenant & ~in_custody
        area = self.places.area[np.maximum(self.homes.home, 0)]
        searched = kind_number("stop_search")
        rates[searched] *= self.places.enforcement[area] * np.array(self.setting.searched)[self.people.ethnicity]
        return rates * self.scale * present

    def _moments(self, days: tuple[int, int], count: int) -> Whole:
        minute = self.random.integers(0, (days[1] - days[0]) * 1440, count)
        return days[0] * DAY + minute * (DAY // 1440)

    def _remember(self, name: str, person: Whole) -> None:
        self.memory[name] += np.bincount(person, minlength=len(self.people))

    def _write_down(self, events: dict[tuple[str, str], Events], present: Mask) -> None:
        """Log what the processes brought, with its value and end where it has one, and remember it."""
        for kind, (person, at) in events.items():
            ended, value = self._extent(kind[0], person, at)
            self.log.add(kind_number(*kind), person, at, self.homes.home[person], ended, value)
            if kind in _STATE_OF:
                self._remember(_STATE_OF[kind], person)
        arrears, _ = events.get(("rent_arrears", "subject"), _NONE)
        owing = np.bincount(self.homes.home[arrears], minlength=len(self.places.area))
        self.memory["arrears"] += np.where(present, owing[np.maximum(self.homes.home, 0)], 0)
        notices, _ = events.get(("eviction_notice", "subject"), _NONE)
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

    def _abuse(self, events: dict[tuple[str, str], Events], days: tuple[int, int]) -> None:
        """Abuse has two people in it, reaches all of the home, and sends some of its victims to A&E."""
        victim, at = events.get(("domestic_abuse", "victim"), _NONE)
        homes = self.homes
        suspect = self._partner_or_former(days[0])[victim]
        self.log.add(kind_number("domestic_abuse", "suspect"), suspect, at, homes.home[victim])
        happened = np.bincount(homes.home[victim], minlength=len(self.places.area))
        self.memory["home_abuse"] += np.where(homes.home >= 0, happened[np.maximum(homes.home, 0)], 0)
        outside = homes.home[suspect] != homes.home[victim]
        self._remember("home_abuse", suspect[outside])
        young = np.flatnonzero(
            (homes.home >= 0) & (self.people.born > days[0] - 18 * YEAR) & (self.people.born <= days[0])
        )
        place, child = pairs(homes.home[victim], homes.home[young])
        sees = self.random.random(len(place)) < 0.3
        seen, witness = place[sees], young[child[sees]]
        self.log.add(kind_number("domestic_abuse", "witness"), witness, at[seen], homes.home[witness])
        hurt = self.random.random(len(victim)) < INJURED_BY_PARTNER
        later = at[hurt] + self.random.integers(20, 600, int(hurt.sum())) * (DAY // 1440)
        later = np.minimum(later, days[1] * DAY - 1)
        self.log.add(kind_number("injury_by_violence"), victim[hurt], later, homes.home[victim[hurt]], later + DAY // 8)
        self._remember("victim", victim[hurt])

    def _police_called(self, injuries: Events) -> None:
        """Some injuries are a reportable violent crime at the same time, a little earlier than the desk at A&E."""
        person, at = injuries
        called = self.random.random(len(person)) < POLICE_CALLED_TO_INJURY
        before = at[called] - self.random.integers(15, 180, int(called.sum())) * (DAY // 1440)
        self.log.add(kind_number("violence", "victim"), person[called], before, self.homes.home[person[called]])

    def _arson(self, days: tuple[int, int]) -> None:
        """Fire is set to homes; half of them have nobody named as the victim."""
        occupied = np.bincount(self.homes.home[self.homes.home >= 0], minlength=len(self.places.area)) > 0
        rate = _ARSONS_A_YEAR * np.interp(self.places.decile, [1, 10], [4.0, 1.0])[self.places.area] * occupied
        _, place = drawn(self.random, (rate * (days[1] - days[0]) / YEAR)[None, :])
        at = self._moments(days, len(place))
        adults = np.flatnonzero((self.homes.home >= 0) & (self.people.born < days[0] - 18 * YEAR))
        hit, adult = pairs(place, self.homes.home[adults])
        hit, first = np.unique(hit, return_index=True)
        person = np.full(len(place), -1)
        person[hit] = adults[adult[first]]
        person[self.random.random(len(place)) < 0.5] = -1
        self.log.add(kind_number("arson", "victim"), person, at, place)

    def _pass_on(self, in_custody: Mask, present: Mask) -> None:
        """Nothing is remembered of people who are not there."""
        for name in self.memory:
            self.memory[name][~(present | in_custody)] = 0.0


def _in_office_hours(at: Whole, process: Whole) -> Whole:
    """What schools, councils and courts do falls between nine and four; the rest at any minute."""
    return np.where(np.isin(process, _BY_DAY), in_office_hours(at), at)


def live(
    people: Population, places: District, random: np.random.Generator, quarters: Whole, setting: Setting = DISTRICT
) -> Lives:
    """Let the people of a block live from the first quarter to the last.

    Parameters
    ----------
    quarters : (n_quarters + 1,) int, first days of the quarters and the day after the last
    """
    society = _Society(people, places, random, int(quarters[0]), setting)
    count = len(quarters) - 1
    injury, stops = np.empty((count, len(people)), np.float32), np.empty((count, len(people)), np.float32)
    for number in range(count):
        injury[number], stops[number] = society.quarter((int(quarters[number]), int(quarters[number + 1])))
    residences = society.homes.residences()
    none = (np.empty(0, np.int64),) * 3
    person, name, day = (np.concatenate([part[at] for part in [none, *society.homes.renamed]]) for at in range(3))
    return Lives(society.log.facts(int(quarters[-1])), residences, injury, stops, quarters, (person, name, day))
