"""Every contact: the everyday records that fill most of an agency's files and say little of anybody's risk.

The truth: attendances at A&E for anything else, outpatient appointments, days of illness and late mornings at school,
repairs asked for and calls to police come at yearly rates that depend on age and, a little, on strain and deprivation
(`CONTACTS`), and on nothing that happened. They change nothing later. With them a person has about 40 events in ten
years; without them about 4.

A naive analyst who counts records finds that busy files mean risk: the little they say comes from the latent strain
that drives both, and it is gone once the events that matter are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import AGENCIES, SIGHTS
from riskmodel.world.facts import DAY, KINDS, OPEN, Facts, in_office_hours, kind_number
from riskmodel.world.lives import Lives
from riskmodel.world.people import YEAR, Population, Whole
from riskmodel.world.places import District
from riskmodel.world.records import PREFIX, moments, numbered
from riskmodel.world.registers import Register

_MINUTE: Final = DAY // 1440


@dataclass(frozen=True, slots=True)
class Contact:
    """One kind of everyday contact.

    Attributes
    ----------
    kind : str
    base : float, a year at age curve 1, strain 0 and middling deprivation
    ages : (age, multiplier) points, linear between, 0 outside
    strain, deprived : float, effects on the log rate
    by_day : bool, only between nine and four
    """

    kind: str
    base: float
    ages: tuple[tuple[float, float], ...]
    strain: float
    deprived: float
    by_day: bool = True


_AT_AE: Final = ((0, 1.6), (5, 0.9), (20, 1.1), (60, 0.8), (75, 1.3), (99, 2.2))
_OUTPATIENTS: Final = ((0, 0.6), (10, 0.4), (30, 0.7), (60, 1.4), (75, 2.0), (99, 2.0))
_CALLERS: Final = ((12, 0.2), (18, 1.0), (45, 1.1), (70, 0.6), (99, 0.5))
CONTACTS: Final = (
    Contact("emergency_attendance", 0.38, _AT_AE, strain=0.15, deprived=0.25, by_day=False),
    Contact("outpatient_appointment", 1.9, _OUTPATIENTS, strain=0.05, deprived=0.0),
    Contact("illness_absence", 4.5, ((4.6, 1.2), (11, 1.0), (16, 1.2), (17.9, 1.0)), strain=0.15, deprived=0.15),
    Contact("late_for_school", 2.5, ((4.6, 0.7), (11, 0.8), (16, 1.6), (17.9, 1.2)), strain=0.25, deprived=0.2),
    Contact("repair_request", 1.6, ((18, 0.6), (30, 1.0), (99, 1.0)), strain=0.05, deprived=0.0),
    Contact("police_contact", 0.22, _CALLERS, strain=0.2, deprived=0.2, by_day=False),
)


def contacts(
    random: np.random.Generator, people: Population, places: District, lives: Lives, register: Register
) -> tuple[Facts, Whole]:
    """Everyday contacts of everybody who has a file with the agency, and under which entry of the register each goes.

    Nobody has a contact before the file was opened, nor after death.
    """
    start, end = int(lives.quarters[0]), int(lives.quarters[-1])
    middle = np.array([(since + until) / 2 for since, until in _years(start, end)])
    deprived = (5.5 - places.decile[places.area[lives.residences.at(np.arange(len(people)), people.born)]]) / 4.5
    parts = []
    for contact in CONTACTS:
        opened, entry = _files(register, AGENCIES.index(SIGHTS[contact.kind].agency), len(people))
        rate = contact.base * np.exp(contact.strain * people.vulnerability + contact.deprived * deprived)
        ages, multipliers = zip(*contact.ages, strict=True)
        for (since, until), mid in zip(_years(start, end), middle, strict=True):
            first, last = np.maximum(opened, since), np.minimum(people.died, until)
            years = np.maximum(last - first, 0) / YEAR
            many = random.poisson(rate * np.interp((mid - people.born) / YEAR, ages, multipliers, 0.0, 0.0) * years)
            person = np.repeat(np.arange(len(people)), many)
            days = first[person] + random.random(len(person)) * (last - first)[person]
            at = (days * 1440).astype(np.int64) * _MINUTE
            at = in_office_hours(at) if contact.by_day else at
            parts.append((np.full(len(person), kind_number(contact.kind)), person, at, entry[person]))
    kind, person, at, entries = (np.concatenate([part[place] for part in parts]) for place in range(4))
    order = np.argsort(at, kind="stable")
    kind, person, at, entries = kind[order], person[order], at[order], entries[order]
    none = np.full(len(at), OPEN)
    home = lives.residences.at(person, at // DAY)
    return Facts(person, kind, at, none, np.full(len(at), np.nan), home), entries


def _years(start: int, end: int) -> list[tuple[int, int]]:
    """The span cut into years; the last may be shorter."""
    begins = np.arange(start, end, 365).tolist()
    return [(since, min(since + 365, end)) for since in begins]


def _files(register: Register, agency: int, people: int) -> tuple[Whole, Whole]:
    """For each person the day after which the agency has a file, far ahead for who has none, and its entry."""
    opened, entry = np.full(people, np.int64(1) << 40), np.zeros(people, np.int64)
    mine = np.flatnonzero(register.agency == agency)[::-1]  # the first entry of a person is written last and stays
    first = register.version_at[np.searchsorted(register.version_entry, mine)] // DAY
    opened[register.person[mine]], entry[register.person[mine]] = first + 1, mine
    return opened, entry


def contact_tables(
    random: np.random.Generator, facts: Facts, entry: Whole, keys: np.ndarray, end: int, block: int
) -> tuple[dict[str, pa.Table], pa.Table]:
    """The contact feed of each agency in standard fields, in order of recording, and the truth of every key.

    Each contact is written down once, with the lag of its kind, if that is before the last day.
    """
    median = np.array([SIGHTS[kind].lag_days for kind, _ in KINDS])[facts.kind]
    lag = median * np.exp(0.5 * random.standard_normal(len(facts)))
    recorded = facts.at + np.maximum((lag * 1440).astype(np.int64), 5) * _MINUTE
    order = np.argsort(recorded, kind="stable")
    order = order[recorded[order] < end * DAY]
    owner, names = pa.array(keys, pa.string()), pa.array([kind for kind, _ in KINDS], pa.string())
    by_agency = np.array([AGENCIES.index(SIGHTS[kind].agency) for kind, _ in KINDS])[facts.kind[order]]
    tables, truths = {}, []
    for agency in dict.fromkeys(SIGHTS[contact.kind].agency for contact in CONTACTS):
        chosen = order[by_agency == AGENCIES.index(agency)]
        key = numbered(f"{PREFIX[agency]}K{block:04d}", random.permutation(len(chosen)), 7)
        tables[agency] = pa.table(
            {
                "event_key": key,
                "person_key": owner.take(pa.array(entry[chosen])),
                "happened_at": moments(facts.at[chosen]),
                "recorded_at": moments(recorded[chosen]),
                "kind": names.take(pa.array(facts.kind[chosen])),
                "role": pa.array(["subject"], pa.string()).take(pa.array(np.zeros(len(chosen), np.int64))),
            }
        )
        false = np.zeros(len(chosen), np.bool_)
        columns = {"event_key": key, "fact": chosen, "late": false, "corrected": false, "mistaken": false}
        truths.append(pa.table({"agency": pa.array([agency] * len(chosen), pa.string()), **columns}))
    return tables, pa.concat_tables(truths)
